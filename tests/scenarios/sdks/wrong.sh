exec 2>&1
told() { "$@" && jf_fail "nothing went wrong: $*"; }

told jf_session /lab/ruoter
told jf_get_resource /lab/router:prot
told jf_command unheard 'show version'
jf_session /lab/router r >/dev/null
told jf_expect r never 500
told jf_expect r '(' 500
told jf_command r 'debug hang' 1000
jf_close r
jf_session /lab/router r >/dev/null
told jf_command r 'debug drop'
told jf_command r 'show version'
told jf_level r root
told jf_execute r uname
told jf_put r nothing.txt flash:
told jf_power /lab/router on
told jf_interact guess 'what?'
told jf_get_config nothing
echo Value >template
told jf_textfsm template x
jf_close r
