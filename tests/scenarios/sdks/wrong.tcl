proc told {script} {
    if {![catch { uplevel #0 $script } error]} { error "nothing went wrong" }
    puts $error
}

told { session /lab/ruoter }
told { get_resource /lab/router:prot }
told { session_command unheard "show version" }
set router [session /lab/router]
told { session_expect $router never 500 }
told { session_expect $router ( 500 }
told { session_command $router "debug hang" 1000 }
session_close $router
set router [session /lab/router]
told { session_command $router "debug drop" }
told { session_command $router "show version" }
told { session_level $router root }
told { session_execute $router uname }
told { session_put $router nothing.txt flash: }
told { power /lab/router on }
told { jackfield::interact guess what? }
told { get_config nothing }
told { textfsm Value x }
session_close $router
