# <title>A port can be put into a VLAN of its own</title>
set vlan [dict get $PROPERTIES vlan]
set name [getGlobal Demo/vlan_name]
set port ge0/4
set switch [session /lab/switch]

proc configure {switch args} {
    foreach line [list "configure terminal" {*}$args end] {
        session_command $switch $line
    }
}

step "make the VLAN" {
    configure $switch "vlan $vlan" "name $name"
    if {![regexp "\\m$vlan\\M +$name\\M" [session_command $switch "show vlan"]]} {
        error "VLAN $vlan named $name is not shown"
    }
}

step "put $port into it" {
    configure $switch "interface $port" "switchport access vlan $vlan"
    if {![regexp "$port .* $vlan\\M" [session_command $switch "show interfaces status"]]} {
        error "$port is not in VLAN $vlan"
    }
}

session_close $switch
set _RESULT PASS
set _REASON "$port is in VLAN $vlan on $EP"
