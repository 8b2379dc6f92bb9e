folder=@FOLDER@/sh
cat >template <<'END'
Value NAME (\S+)
Value STATE (up|down)

Start
  ^${NAME}\s.*\s${STATE}\s*$$ -> Record
END

is() { [ "$1" = "$2" ] || jf_fail "<$1> is not <$2>"; }
refused() {
    grep -qF -- "$1" error.txt || jf_fail "no <$1> in: $(cat error.txt)"
}

# The test itself
is "$(jf_context | grep -o '"ep":"EP-1"')" '"ep":"EP-1"'
jf_log logTest 'hello from shell'
jf_part login PASS
figures() {
    jf_check 'cpu load' 12.5 unit % at_most 80 || return 1
    jf_check delay '12 ms' below '10 ms' 2>error.txt && return 1
    refused '`delay` is not below `10 ms`'
    jf_check build 10.2.1
    jf_check 'cpu load' 1 maximum 80 2>error.txt && return 1
    refused '`maximum` is no limit'
}
jf_step figures figures || jf_fail 'the figures'
jf_mark 'after the figures'
jf_variable build 7
printf kept >note.txt
jf_artifact note.txt
jf_cleanup 'leave a trace' touch "$folder.cleaned"
is "$(jf_interact input 'who?' nobody 60000)" ana
jf_breakpoint "folder = $folder"

# Parameters and the lab
jf_set_global sdk/shell ö
is "$(jf_get_global sdk/shell)" ö
is "$(jf_get_config speeds line/speed)" 9600
jf_set_resource shell /lab '{"port": "23"}' >/dev/null || jf_fail 'no resource'
is "$(jf_get_resource /lab/shell:port)" 23
jf_rename_resource /lab/shell pearl
jf_delete_resource /lab/pearl
jf_get_resource /lab/pearl 2>error.txt && jf_fail 'it is still there'
refused /lab/pearl
is "$(jf_get_sut /bench.system/wan:colour)" blue
is "$(jf_get_bind_name comp)" /bench.system/wan
[ -n "$(jf_get_bind_id comp)" ] || jf_fail 'no id'
is "$(jf_power /lab/router off)" off
is "$(jf_power /lab/router cycle)" on

# A router
jf_capture_start lo tcp shell || jf_fail 'no capture'
is "$(jf_session /lab/router sh)" sh
is "$(jf_sessions)" '["sh"]'
jf_command sh 'show version' | grep -q 'version 10.2.1' || jf_fail 'no version'
jf_rows sh 'show ip interface brief' template | grep -q '{"NAME":"eth0","STATE":"up"}' || jf_fail 'no table'
jf_level sh privileged || jf_fail 'no level'
jf_config sh 'ip route 10.9.0.0/16 192.0.2.9' || jf_fail 'no route taken'
jf_command sh 'show ip route' | grep -q 10.9.0.0/16 || jf_fail 'no route'
jf_config sh 'hostname ok' 'ip rute 10.9.0.0/16' 2>error.txt && jf_fail 'a wrong line was taken'
refused '`ip rute 10.9.0.0/16`'
jf_send sh 'ping 192.0.2.1' false
jf_send sh ''
is "$(jf_expect_any sh 5000 never -ex '(9/9)' 'rate is ([0-9]+) percent')" "$(printf '2\nrate is 100 percent')"
is "$(jf_expect sh '# ?$' 5000 | tail -c 2)" '# '
is "$(jf_expect_any sh 100 never -timeout)" 1
jf_reboot sh || jf_fail 'no reboot'
jf_command sh 'show ip route' | grep -q 10.9.0.0/16 && jf_fail 'the route is still there'
jf_send sh exit
is "$(jf_expect_any sh 10000 -timeout -end | head -n 1)" 1
jf_close sh
jf_capture_stop shell | grep -q '"packets":0' && jf_fail 'no packets'
jf_textfsm template 'eth7 none down' | grep -q '"STATE":"down"' || jf_fail 'no table of a text'

# A host, and a serial line
is "$(jf_connect host profile=linux host=127.0.0.1 port=@PORT@ user=root key=@KEY@ host_key=accept-new)" host
is "$(jf_command host 'echo on')" on
jf_put host note.txt "$folder" || jf_fail 'not sent'
jf_get host "$folder" back.txt || jf_fail 'not fetched'
is "$(cat back.txt)" kept
asking="read -p 'Sure? ' sure; read -s -p 'Password: ' word; echo; echo \$sure-\${#word}"
is "$(jf_command host "$asking" 20000 -answer 'Sure\?' yes -secret Password geheim-wort | tail -n 1)" yes-11
news="printf 'a\\n[   12.345678] eth0: link up\\nb\\n'"
is "$(jf_command host "$news")" "$(printf 'a\nb')"
is "$(jf_unasked host)" '[   12.345678] eth0: link up'
jf_command host "$news" -keep-unasked | grep -q eth0 || jf_fail 'the news are gone'
is "$(jf_unasked host)" ''
jf_command host nonsuch 2>error.txt && jf_fail 'a refused line went through'
refused 'the device refused `nonsuch`'
jf_command host nonsuch -no-check | grep -q 'not found' || jf_fail 'it was found'
jf_command_to_file host 'seq 100000' numbers.txt -artifact || jf_fail 'no file'
is "$(wc -c <numbers.txt)" 588895
jf_command_to_file host nonsuch nonsuch.txt 2>error.txt && jf_fail 'a refused line went into a file'
refused 'what came is in'
jf_command host true -answer '(' x 2>error.txt && jf_fail 'half a pattern went through'
refused '`(`'
jf_command host true -anwser a b 2>error.txt && jf_fail 'a wrong option went through'
refused 'no option `-anwser`'
jf_screen host 24 80 >/dev/null || jf_fail 'no screen'
jf_send host "printf '\033[2J\033[3;5Hmenu'; read answer; printf '\033[2J'"
jf_screen_wait host 20000 '^ *menu' | grep -q '^    menu' || jf_fail 'no menu'
jf_press host x enter
jf_screen_wait host 20000 -gone menu >/dev/null || jf_fail 'the menu stays'
is "$(jf_execute host "cat $folder")" kept
jf_execute host 'exit 3' && jf_fail 'a command that failed went through'
jf_close host
jf_session /lab/box-@NAME@ box >/dev/null || jf_fail 'no line'
jf_line box 38400
jf_break box 10
jf_wait_break box 10 2>told.txt && jf_fail 'nobody has sent a break'
grep -q 'a break' told.txt || jf_fail "$(cat told.txt)"
jf_modem box 2>told.txt && jf_fail 'a pseudo terminal has modem lines'
grep -q 'modem lines' told.txt || jf_fail "$(cat told.txt)"
is "$(jf_command box 'echo on')" on
jf_send_secret box 'echo geheim'
jf_expect box geheim 20000 >/dev/null || jf_fail 'a secret was not sent'
jf_close box
jf_result PASS 'all calls were made'
