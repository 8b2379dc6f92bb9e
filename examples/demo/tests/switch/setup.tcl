# <title>The switch has the ports that the tests need</title>
set switch [session /lab/switch]
set answer [session_command $switch "show interfaces status"]
session_close $switch

foreach port {ge0/1 ge0/4} {
    if {[string first $port $answer] < 0} {
        testFail "the switch has no port $port"
    }
}
logMsg logRunning "the ports are there:\n$answer"
set _RESULT PASS
