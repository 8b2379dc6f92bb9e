# <title>The router is there and is the one we think</title>
# <description>A setup file: if it does not pass, the rest of the suite is not executed.</description>
import jackfield

router = get_resource("/lab/router")
assert router is not None and router["meta"]["kind"] == "router", f"/lab/router is not a router: {router}"

with jackfield.session("/lab/router") as session:
    version = session.command("show version")

logMsg("logRunning", "The router says:\n" + version)
assert "simulated router" in version, "something else answers at /lab/router"
