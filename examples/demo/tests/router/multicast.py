# <title>Multicast routes</title>
import jackfield

with jackfield.session("/lab/router") as router:
    answer = router.command("show version")

if "multicast" not in answer:
    test_skip("this router has no multicast licence")
test_fail("a router with multicast needs a test that tries it")
