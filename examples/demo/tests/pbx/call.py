# <title>A call rings, is answered, and is hung up</title>
import re

import jackfield

CALL = "100-102"


def state(pbx):
    """The state of the call; empty where there is none."""
    found = re.search(rf"^{CALL}\s+(\w+)", pbx.command("channels show"), re.M)
    return found.group(1) if found else ""


with jackfield.session("/lab/pbx") as pbx:
    answer = pbx.command("originate 100 102")
    assert "started" in answer, f"the PBX refused the call: {answer.strip()}"

    with jackfield.step("answered"):
        deadline = time.monotonic() + 5
        while state(pbx) != "Up":
            if time.monotonic() > deadline:
                test_timeout("the call was not answered within 5 s")
            time.sleep(0.05)

    with jackfield.step("hung up"):
        pbx.command(f"hangup {CALL}")
        assert state(pbx) == "", "the call is still there"
