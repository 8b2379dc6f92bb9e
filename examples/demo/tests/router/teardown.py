# <title>The router is left as it was found</title>
# <description>A teardown file: it runs whatever happened before it.</description>
import jackfield
from routing import configure, routes

with jackfield.session("/lab/router") as router:
    routes_now = routes(router.command("show ip route"))
    left = [prefix for prefix in routes_now if prefix.startswith(("10.50.", "10.60."))]
    if left:
        logMsg("logRunning", f"removing what tests left behind: {left}")
        configure(router, *(f"no ip route {prefix} {routes_now[prefix]}" for prefix in left))
