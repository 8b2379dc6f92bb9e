set folder @FOLDER@/tcl
set template {Value NAME (\S+)
Value STATE (up|down)

Start
  ^${NAME}\s.*\s${STATE}\s*$$ -> Record
}

proc is {value expected} {
    if {$value ne $expected} { error "`$value` is not `$expected`" }
}

proc refused {words script} {
    if {![catch { uplevel 1 $script } told]} { error "it was not refused: $words" }
    foreach word $words {
        if {[string first $word $told] < 0} { error "no `$word` in: $told" }
    }
}

# The test itself
is [dict get [context] ep] EP-1
log_msg logTest "hello from Tcl"
part login PASS "" 500
step figures {
    is [check "cpu load" 12.5 -unit % -at_most 80] 1
    is [check delay "12 ms" -go_on -below "10 ms"] 0
    check build 10.2.1
    refused {{`maximum` is no limit} at_most} { check "cpu load" 1 -maximum 80 }
}
mark "after the figures"
set_variable build 7
set file [open note.txt w]; puts -nonewline $file kept; close $file
artifact note.txt
cleanup "leave a trace" [list touch $folder.cleaned]
is [jackfield::interact input who? 60000 {} nobody] ana
breakpoint

# Parameters and the lab
set_global sdk/tcl ö
is [get_global sdk/tcl] ö
is [get_config speeds line/speed] 9600
is [dict get [set_resource tcl /lab {port 23}] created] 1
is [get_resource /lab/tcl:port] 23
rename_resource /lab/tcl feather
delete_resource /lab/feather
refused {/lab/feather {[not_found]}} { get_resource /lab/feather }
is [get_sut /bench.system/wan:colour] blue
is [get_bind_name comp] /bench.system/wan
is [get_bind_id comp] [dict get [get_sut /bench.system/wan] id]
is [power /lab/router off] off
is [power /lab/router cycle] on

# A router
set running [capture_start lo tcp tcl]
set router [session /lab/router tcl]
is [session_list] tcl
if {![string match "*version 10.2.1*" [session_command $router "show version"]]} { error "no version" }
is [lindex [session_rows $router "show ip interface brief" $template] 0] {NAME eth0 STATE up}
session_level $router privileged
session_config $router [list "ip route 10.9.0.0/16 192.0.2.9"]
if {![string match *10.9.0.0/16* [session_command $router "show ip route"]]} { error "no route" }
refused {{`ip rute 10.9.0.0/16`}} { session_config $router [list "hostname ok" "ip rute 10.9.0.0/16"] }
session_send $router "ping 192.0.2.1" 0
session_send $router ""
set found [session_expect $router [list never -ex (5/5) {rate is (\d+) percent}]]
is "[dict get $found index] [dict get $found groups]" "2 100"
is [dict get [session_expect $router [list never -timeout] 100] index] 1
session_reboot $router
if {[string match *10.9.0.0/16* [session_command $router "show ip route"]]} { error "the route is still there" }
session_send $router exit
is [dict get [session_expect $router [list -timeout -end] 10000] index] 1
session_close $router
if {[dict get [capture_stop $running] packets] == 0} { error "no packets" }
is [textfsm $template "eth7 none down\n"] {{NAME eth7 STATE down}}

# A host, and a serial line
set host [session_connect [jackfield::json::read {@WAY@}] host]
is [dict get [jackfield::json::read [session_command $host {echo '{"mtu": 1500}'}]] mtu] 1500
is [session_put $host note.txt $folder] 4
is [session_get $host $folder back.txt] 4
set asking "read -p 'Sure? ' sure; read -s -p 'Password: ' word; echo; echo \$sure-\${#word}"
set answered [session_command $host $asking 20000 -answers [list {Sure\?} yes Password [secret "geheim-wort"]]]
is [lindex [split $answered "\n"] end] yes-11
set news {printf 'a\n[   12.345678] eth0: link up\nb\n'}
is "[session_command $host $news]|[session_unasked $host]" "a\nb|\[   12.345678\] eth0: link up"
is "[string match *eth0* [session_command $host $news {} -keep_unasked 1]][session_unasked $host]" 1
refused {{the device refused `nonsuch`} {not found}} { session_command $host nonsuch }
if {![string match "*not found*" [session_command $host nonsuch {} -check 0]]} { error "it was found" }
refused {{the device refused `nonsuch`}} { session_rows $host nonsuch $template }
is "[session_command_to_file $host {seq 100000} numbers.txt {} -artifact 1] [file size numbers.txt]" "588895 588895"
refused {{the device refused `nonsuch`} {what came is in} nonsuch.txt} { session_command_to_file $host nonsuch nonsuch.txt }
refused {{`(`}} { session_command $host true {} -answers {( x} }
refused {{no option `-anwsers`}} { session_command $host true {} -anwsers {a x} }
session_screen $host rows 24 columns 80
session_send $host {printf '\033[2J\033[3;5Hmenu'; read answer; printf '\033[2J'}
is [dict get [session_screen_wait $host {{^ *me(nu)}} 20000] groups] nu
session_press $host x enter
session_screen_wait $host menu 20000 1
set left [session_execute $host "cat $folder; exit 3"]
is "[dict get $left output] [dict get $left status]" "kept 3"
session_close $host
set box [session /lab/box-@NAME@]
session_line $box speed 38400
session_break $box 10
if {![catch { session_wait_break $box 10 } told] || ![string match "*a break*" $told]} { error "nobody has sent a break: $told" }
if {![catch { session_modem $box } told] || ![string match "*modem lines*" $told]} { error "a pseudo terminal has modem lines: $told" }
is [session_command $box "echo on"] on
session_send $box [secret "echo geheim"]
session_expect $box geheim 20000
session_close $box
result PASS "all calls were made"
