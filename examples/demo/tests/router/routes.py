# <title>A static route can be added, is shown, and can be removed</title>
# <tags>routing, smoke</tags>
import jackfield
from routing import configure, routes

prefix = sys.argv[1]
via = getGlobal("Demo/next_hop")

with jackfield.session("/lab/router") as router:
    assert prefix not in routes(router.command("show ip route")), f"{prefix} is there before the test"

    with jackfield.step("add"):
        configure(router, f"ip route {prefix} {via}")
        shown = routes(router.command("show ip route"))
        assert shown.get(prefix) == via, f"{prefix} should lead to {via}, the router has {shown}"

    with jackfield.step("ask for it alone"):
        assert f"via {via}" in router.command(f"show ip route {prefix}")

    with jackfield.step("remove"):
        configure(router, f"no ip route {prefix} {via}")
        assert prefix not in routes(router.command("show ip route")), f"{prefix} is still there"

_RESULT = "PASS", f"{prefix} went in and out"
