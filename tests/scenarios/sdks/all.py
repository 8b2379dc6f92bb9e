import json
import pathlib

import jackfield
from jackfield import END, TIMEOUT, exact

FOLDER = "@FOLDER@/py"
TEMPLATE = r"""Value NAME (\S+)
Value STATE (up|down)

Start
  ^${NAME}\s.*\s${STATE}\s*$$ -> Record
"""


def refused(call, *words):
    try:
        call()
    except jackfield.JackfieldError as error:
        assert all(word in str(error) for word in words), error
    else:
        raise AssertionError(f"it was not refused: {words}")


# The test itself
assert jackfield.context()["ep"] == "EP-1"
jackfield.log_msg("logTest", "hello from Python")
jackfield.part("login", "PASS", elapsed=0.5)
with jackfield.step("figures"):
    assert jackfield.check("cpu load", 12.5, unit="%", at_most=80)
    assert not jackfield.check("delay", "12 ms", below="10 ms", go_on=True)
    jackfield.check("build", "10.2.1")
    refused(lambda: jackfield.check("cpu load", 1, maximum=80), "`maximum` is no limit", "at_most")
jackfield.mark("after the figures")
jackfield.variable("build", "7")
pathlib.Path("note.txt").write_text("kept")
jackfield.artifact("note.txt")
jackfield.cleanup("leave a trace", ["touch", FOLDER + ".cleaned"])
assert jackfield.interact("input", "who?", timeout=60, default="nobody") == "ana"
jackfield.breakpoint()

# Parameters and the lab
jackfield.set_global("sdk/python", "ö")
assert jackfield.get_global("sdk/python") == "ö"
assert jackfield.get_config("speeds", "line/speed") == "9600"
made = jackfield.set_resource("python", "/lab", {"port": "23"})
assert jackfield.get_resource("/lab/python:port") == "23" and made["created"]
jackfield.rename_resource("/lab/python", "snake")
jackfield.delete_resource("/lab/snake")
refused(lambda: jackfield.get_resource("/lab/snake"), "/lab/snake", "[not_found]")
assert jackfield.get_sut("/bench.system/wan:colour") == "blue"
assert jackfield.get_bind_name("comp") == "/bench.system/wan"
assert jackfield.get_bind_id("comp") == jackfield.get_sut("/bench.system/wan")["id"]
assert jackfield.power("/lab/router", "off") == "off" and jackfield.power("/lab/router", "cycle") == "on"

# A router
with jackfield.capture("lo", "tcp", name="python") as counts:
    with jackfield.session("/lab/router", name="py") as router:
        assert jackfield.sessions() == ["py"]
        assert "version 10.2.1" in router.command("show version")
        assert router.rows("show ip interface brief", TEMPLATE)[0] == {"NAME": "eth0", "STATE": "up"}
        router.level("privileged")
        router.config(["ip route 10.9.0.0/16 192.0.2.9"])
        assert "10.9.0.0/16" in router.command("show ip route")
        refused(lambda: router.config(["hostname ok", "ip rute 10.9.0.0/16"]), "`ip rute 10.9.0.0/16`")
        router.send("ping 192.0.2.1", enter=False)
        router.send("")
        found = router.expect(["never", exact("(5/5)"), r"rate is (\d+) percent"])
        assert (found.index, found.groups) == (2, ["100"]), found
        assert router.expect(["never", TIMEOUT], timeout=0.1).index == 1
        router.reboot()
        assert "10.9.0.0/16" not in router.command("show ip route")
        router.send("exit")
        assert router.expect([TIMEOUT, END], timeout=10).index == 1
assert counts["packets"] > 0, counts
assert jackfield.textfsm(TEMPLATE, "eth7 none down\n") == [{"NAME": "eth7", "STATE": "down"}]

# A host, and a serial line
with jackfield.session(connect=json.loads(r'''@WAY@'''), name="host") as host:
    assert json.loads(host.command("""echo '{"mtu": 1500}'"""))["mtu"] == 1500
    assert host.put("note.txt", FOLDER) == 4 and host.get(FOLDER, "back.txt") == 4
    asking = "read -p 'Sure? ' sure; read -s -p 'Password: ' word; echo; echo $sure-${#word}"
    answered = host.command(asking, answers=[(r"Sure\?", "yes"), ("Password", jackfield.secret("geheim-wort"))])
    assert answered.endswith("yes-11") and "geheim" not in answered, answered
    news = r"printf 'a\n[   12.345678] eth0: link up\nb\n'"
    assert (host.command(news), host.unasked()) == ("a\nb", "[   12.345678] eth0: link up")
    assert "eth0" in host.command(news, keep_unasked=True) and host.unasked() == ""
    refused(lambda: host.command("nonsuch"), "the device refused `nonsuch`", "not found")
    assert "not found" in host.command("nonsuch", check=False)
    refused(lambda: host.rows("nonsuch", TEMPLATE), "the device refused `nonsuch`")
    assert host.command_to_file("seq 100000", "numbers.txt", artifact=True) == pathlib.Path("numbers.txt").stat().st_size == 588895
    refused(lambda: host.command_to_file("nonsuch", "nonsuch.txt"), "the device refused `nonsuch`", "what came is in", "nonsuch.txt")
    refused(lambda: host.command("true", answers=[("(", "x")]), "`(`")
    host.screen(rows=24, columns=80)
    host.send(r"printf '\033[2J\033[3;5Hmenu'; read answer; printf '\033[2J'")
    assert host.wait_screen("^ *me(nu)", timeout=20).groups == ["nu"]
    host.press("x", "enter")
    host.wait_screen("menu", timeout=20, gone=True)
    assert host.execute(f"cat {FOLDER}; exit 3")[:3] == ("kept", "", 3)
box = jackfield.session("/lab/box-@NAME@")
box.set_line(38400)
box.send_break(0.01)
try:
    raise AssertionError(box.wait_break(timeout=0.01))
except jackfield.JackfieldError as error:
    assert "a break" in str(error), error
try:
    raise AssertionError(box.modem_lines())
except jackfield.JackfieldError as error:
    assert "modem lines" in str(error), error
assert box.command("echo on") == "on"
box.send(jackfield.secret("echo geheim"))
box.expect("geheim", timeout=20)
box.close()
jackfield.result("PASS", "all calls were made")
