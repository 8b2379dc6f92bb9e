import jackfield


def told(call):
    try:
        call()
    except jackfield.JackfieldError as error:
        print(error)
    else:
        raise AssertionError("nothing went wrong")


told(lambda: jackfield.session("/lab/ruoter"))
told(lambda: jackfield.get_resource("/lab/router:prot"))
told(lambda: jackfield.Session("unheard").command("show version"))
router = jackfield.session("/lab/router")
told(lambda: router.expect("never", timeout=0.5))
told(lambda: router.expect("(", timeout=0.5))
told(lambda: router.command("debug hang", timeout=1))
router.close()
router = jackfield.session("/lab/router")
told(lambda: router.command("debug drop"))
told(lambda: router.command("show version"))
told(lambda: router.level("root"))
told(lambda: router.execute("uname"))
told(lambda: router.put("nothing.txt", "flash:"))
told(lambda: jackfield.power("/lab/router", "on"))
told(lambda: jackfield.interact("guess", "what?"))
told(lambda: jackfield.get_config("nothing"))
told(lambda: jackfield.textfsm("Value", "x"))
router.close()
