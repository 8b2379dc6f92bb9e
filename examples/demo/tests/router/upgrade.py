# <title>The router's software can be replaced</title>
# <description>Not runnable in the demo: the simulated router has nothing to replace.</description>
test_fail("this test is marked as not runnable and must not run")
