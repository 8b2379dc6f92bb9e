# <title>The port goes back into VLAN 1</title>
set switch [session /lab/switch]
foreach line {"configure terminal" "interface ge0/4" "switchport access vlan 1" end} {
    session_command $switch $line
}
session_close $switch
set _RESULT PASS
