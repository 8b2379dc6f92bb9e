# <title>Several routes at once</title>
# <description>One copy of this test for each value of the iterator `routes` in the configuration `router_load`.</description>
import jackfield
from routing import configure, routes

count = int(get_config("router_load", "load/routes"))
assert str(count) == FIRST_ITERATOR_VAL and FIRST_ITERATOR_NAME == "routes", ITERATION
start = get_config("router_load", "load/prefix")
prefixes = [f"{start}.{number}.0/24" for number in range(count)]
via = get_global("Demo/next_hop")

with jackfield.session("/lab/router") as router:
    configure(router, *(f"ip route {prefix} {via}" for prefix in prefixes))
    try:
        missing = set(prefixes) - set(routes(router.command("show ip route")))
        assert not missing, f"the router does not have {sorted(missing)}"
    finally:
        configure(router, *(f"no ip route {prefix} {via}" for prefix in prefixes))

jackfield.variable("routes", count)
