"""Python: the client, Twister's names, and how a script's end is read (`run.py`)."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

from lab import PYTHON, SDK_DIR, Lab

sys.path.insert(0, os.path.join(SDK_DIR, "python"))

import jackfield  # noqa: E402
from jackfield import client, python2, twister, verdict  # noqa: E402


class Calls(Lab):
    """The API as a test uses it, in this very process."""

    def setUp(self):
        super().setUp()
        patch = mock.patch.dict(os.environ, self.ep.environment())
        patch.start()
        self.addCleanup(patch.stop)
        self.addCleanup(client.close)

    def test_what_is_said_arrives(self):
        jackfield.log_msg("logTest", "Grüße\n2. Zeile")
        jackfield.part("login", "PASS", elapsed=0.25)
        jackfield.variable("build", 7)
        path = self.write("a.pcap", "x")
        jackfield.artifact(path)
        jackfield.cleanup("reset", ["reset", "--all"], timeout=1.5)
        self.assertEqual(jackfield.power("/lab/router", "cycle"), "on")
        with jackfield.capture("lo", "tcp port 23", name="wire") as counts:
            self.assertEqual(counts, {})
        self.assertEqual((counts["packets"], self.ep.captures), (7, [["wire", "lo", "tcp port 23"]]))
        self.assertEqual(self.ep.logs, [("logTest", "Grüße\n2. Zeile")])
        self.assertEqual(self.ep.parts, [("login", "PASS", "")])
        self.assertEqual(self.ep.variables, {"build": "7"})
        self.assertEqual(self.ep.artifacts, [("a.pcap", path)])
        self.assertEqual(self.ep.cleanups, [("reset", ["reset", "--all"], 1500)])

    def test_the_tree_of_resources(self):
        made = jackfield.set_resource("dev_9", "/tb1", {"ip": "10.0.0.9"})
        self.assertTrue(made["created"])
        self.assertEqual(jackfield.get_resource("/tb1/dev_9")["id"], made["id"])
        self.assertEqual(jackfield.get_resource(made["id"] + ":ip"), "10.0.0.9")
        self.assertFalse(jackfield.set_resource("dev_9", "/tb1", {"ip": "10.0.0.10"})["created"])
        jackfield.rename_resource("/tb1/dev_9", "dev_10")
        self.assertEqual(jackfield.get_resource("/tb1/dev_10:ip"), "10.0.0.10")
        jackfield.delete_resource("/tb1/dev_10")
        with self.assertRaises(jackfield.JackfieldError) as caught:
            jackfield.get_resource("/tb1/dev_10")
        self.assertEqual((caught.exception.code, caught.exception.field, caught.exception.status), ("not_found", "query", 404))
        self.assertIn("there is no resource `/tb1/dev_10`", str(caught.exception))

    def test_a_session(self):
        with jackfield.session("/lab/router") as router:
            router.command("ip route 10.0.0.0/24")
            self.assertIn("10.0.0.0/24", router.command("show ip route"))
            router.send(jackfield.secret("geheim"))
            self.assertEqual((self.ep.secrets, str(jackfield.secret("geheim"))), (["geheim"], "********"))
            router.send("show ip route")
            found = router.expect(["nothing", jackfield.exact("router# ")], timeout=1)
            self.assertEqual((found.index, found.before), (1, "10.0.0.0/24\n"))
            self.assertEqual(jackfield.sessions(), ["/lab/router"])
            with self.assertRaises(jackfield.JackfieldError) as caught:
                router.expect("never", timeout=0.01)
            self.assertIn("timed out waiting for", str(caught.exception))
        self.assertEqual(jackfield.sessions(), [])

    def test_a_screen_is_looked_at_and_keys_are_pressed(self):
        with jackfield.session("/lab/router", screen="80x24") as router:
            router.press("down", "F5")
            sight = router.wait_screen([r"^never$", r"^down (F\d)$"], timeout=1)
            self.assertEqual((sight.index, sight.match, sight.groups), (1, "down F5", ["F5"]))
            self.assertIsNone(router.wait_screen("other", gone=True).index)
            screen = router.screen(rows=12, columns=40)
            self.assertEqual((screen.rows, screen.columns, screen.cursor.row), (12, 40, 1))
            self.assertEqual((screen.lines[0], screen.highlighted), ("Menu", ["Menu"]))

    def test_what_a_session_does_beside_its_dialogue(self):
        router = jackfield.session("/lab/router", name="beside")
        self.assertEqual(router.execute("true")[:3], ("ran true\n", "", 0))
        self.assertEqual(router.execute("false").status, 3)
        with tempfile.TemporaryDirectory() as folder:
            here = pathlib.Path(folder, "here")
            here.write_bytes(b"image")
            self.assertEqual(router.put(here, "flash:image"), 5)
            back = os.path.relpath(os.path.join(folder, "back"))
            self.assertEqual(router.get("flash:image", back, way="scp"), 5)
            self.assertEqual(pathlib.Path(back).read_bytes(), b"image")
            with self.assertRaises(jackfield.JackfieldError):
                router.get("flash:other", back)
        router.set_line(115200, "7E1", dtr=False)
        router.send_break()
        router.wait_break(timeout=1)
        with self.assertRaises(jackfield.JackfieldError):
            router.wait_break(timeout=0.001)
        self.assertEqual(router.modem_lines(), {"cts": True, "dsr": True, "ri": False, "cd": False})
        kept = self.ep.sessions["beside"]
        self.assertEqual((kept["line"], kept["breaks"]), ({"speed": 115200, "framing": "7E1", "dtr": False}, [250]))
        router.close()

    def test_globals_and_configs(self):
        self.assertEqual(jackfield.get_global("Level_A/global1"), "value 1")
        self.assertIsNone(jackfield.get_global("nowhere"))
        jackfield.set_global("Level_A/new", {"a": [1, 2]})
        self.assertEqual(jackfield.get_global("Level_A")["new"], {"a": [1, 2]})
        self.assertEqual(jackfield.get_config("tc_config", "comp/iterator_1"), "3")
        self.assertEqual(jackfield.get_bind_name("comp"), "/user_sut.user/dev_1")
        self.assertEqual((jackfield.need("dut"), jackfield.needs("phone")), ("/tb1/dev_2", ["/lab/p1", "/lab/p2"]))
        with self.assertRaisesRegex(jackfield.JackfieldError, "no resource was given as `other`; there is dut, phone"):
            jackfield.need("other")
        self.assertIsNone(jackfield.get_bind_id("unbound"))

    def test_questions(self):
        self.assertEqual(jackfield.interact("options", "which?", 30, ["a", "b"], "a"), "b")
        self.assertEqual(self.ep.questions, [("options", "which?", ["a", "b"], "a", 30000)])
        colour = "blue"
        jackfield.breakpoint()
        self.assertIn("colour = 'blue'", self.ep.breakpoints[0])

    def test_steps(self):
        with jackfield.step("good"):
            pass
        with self.assertRaises(AssertionError), jackfield.step("bad"):
            raise AssertionError("3 is not 4")
        with self.assertRaises(jackfield.TestSkipped), jackfield.step("left out"):
            jackfield.test_skip("no licence")
        self.assertEqual(self.ep.parts, [("good", "PASS", ""), ("bad", "FAIL", "3 is not 4"), ("left out", "SKIPPED", "no licence")])

    def test_threads_do_not_wait_for_each_other(self):
        asked, told = threading.Event(), threading.Event()
        ask = self.ep.call_interact

        def slow_question(**params):
            self.ep.lock.release()
            asked.set()
            told.wait(10)
            self.ep.lock.acquire()
            return ask(**params)

        self.ep.call_interact = slow_question
        person = threading.Thread(target=jackfield.interact, args=("message", "wait"))
        person.start()
        self.assertTrue(asked.wait(10))
        jackfield.log_msg("logTest", "meanwhile")
        told.set()
        person.join(10)
        self.assertEqual(self.ep.logs, [("logTest", "meanwhile")])

    def test_a_forked_process_has_its_own_connection(self):
        jackfield.log_msg("logTest", "parent")
        pid = os.fork()
        if pid == 0:
            jackfield.log_msg("logTest", "child")
            os._exit(0)
        os.waitpid(pid, 0)
        jackfield.log_msg("logTest", "parent again")
        self.assertEqual([text for _, text in self.ep.logs], ["parent", "child", "parent again"])

    def test_without_an_ep_the_error_says_what_to_do(self):
        client.close()
        with mock.patch.dict(os.environ):
            del os.environ["JACKFIELD_SOCKET"]
            with self.assertRaises(jackfield.JackfieldError) as caught:
                jackfield.log_msg("logTest", "x")
        self.assertEqual(caught.exception.code, "unreachable")
        self.assertIn("jackfield run", str(caught.exception))
        with mock.patch.dict(os.environ, JACKFIELD_SOCKET=self.folder + "/none"):
            with self.assertRaises(jackfield.JackfieldError) as caught:
                jackfield.log_msg("logTest", "x")
        self.assertIn("does not answer at", str(caught.exception))

    def test_twisters_conventions(self):
        self.assertIs(twister.getGlobal("nowhere"), False)
        self.assertIs(twister.set_global("x", ""), False)
        self.assertIsNone(twister.getResource("/none"))
        made = twister.setResource("module1", "/tb1/dev_2", '{"ip": "10.0.0.1", "port": "80"}')
        self.assertEqual(twister.getResource(made)["meta"], {"ip": "10.0.0.1", "port": "80"})
        self.assertIs(twister.setResource("module1", "/tb1/dev_2", "{'port': 81}"), True)
        self.assertIsNone(twister.setResource("module1", "/tb1/dev_2", "not a dictionary"))
        self.assertIsNone(twister.create_component_tb("module1", "/tb1/dev_2", {}))
        self.assertIs(twister.renResource("/tb1/dev_2/module1", "m2"), True)
        self.assertIs(twister.deleteResource("/tb1/dev_2/m2"), True)
        self.assertIs(twister.getBindId("unbound"), False)
        self.assertEqual((twister.countProjectFiles(), twister.currentFileIndex()), (30, 17))
        self.assertEqual((twister.currentFSuiteIndex(), twister.countSuiteFiles()), (2, 9))
        self.assertEqual(twister.interact("options", "which?", 5, {"options": ["a", "b"], "default": "a"}), "b")
        self.assertIsNone(twister.interact("guess", "?"))

    def test_how_a_command_is_given(self):
        router = jackfield.session("/lab/router")
        answers = [("confirm", ""), ["key", "q", False], ("word", jackfield.secret("geheim"))]
        self.assertEqual((router.command("copy", answers=answers), self.ep.secrets), ("confirm=|\nkey=q\n", ["geheim"]))
        self.assertEqual((router.command("show log"), router.unasked(), router.unasked()), ("a\nb\n", "news", ""))
        self.assertEqual((router.command("show log", keep_unasked=True), router.unasked()), ("a\nnews\nb\n", ""))
        with self.assertRaisesRegex(jackfield.JackfieldError, "the device refused `nonsense`: % Unknown command"):
            router.command("nonsense")
        self.assertIn("% Unknown", router.command("nonsense", check=False))
        self.assertEqual(router.rows("nonsense", "Value LINE x", check=False)[0]["LINE"], "% Unknown command: nonsense")
        self.assertEqual((router.command_to_file("show log", "log.txt", artifact=True), open("log.txt").read()), (4, "a\nb\n"))
        self.assertEqual(self.ep.artifacts[-1][0], "log.txt")
        for wrong in [("no", "y"), {"confirm": "y"}, "confirm", [("a",)], [("a", "b", True, 1)], ["no"]]:
            with self.assertRaisesRegex(TypeError, 'such as .*"confirm", "y"'):
                router.command("copy", answers=wrong)

    def test_a_session_is_shared_through_the_globals(self):
        twister.setGlobal("lab/session", jackfield.session("/lab/router", name="r1"))
        joined = twister.getGlobal("lab/session")
        joined.command("ip route 10.9.0.0/16")
        self.assertEqual(self.ep.sessions["r1"]["routes"], ["10.9.0.0/16"])
        # Another live object lives as long as this process.
        self.assertTrue(twister.setGlobal("live", {self}))
        self.assertEqual(twister.getGlobal("live"), {self})


class Rules(unittest.TestCase):
    """Pure tables."""

    def test_results(self):
        table = {0: "PASS", 2: "PASS", 1: "FAIL", 3: "FAIL", 4: "SKIPPED", 5: "ABORTED", 6: "NOT_EXECUTED", 7: "TIMEOUT", 8: "INVALID", 9: "FAIL"}
        words = {"pass": "PASS", "Skip": "SKIPPED", "NOT-EXEC": "NOT_EXECUTED", "not executed": "NOT_EXECUTED", "abort": "ABORTED", "0": "PASS", " 4 ": "SKIPPED"}
        odd = {True: "PASS", False: "FAIL", None: "FAIL", "fine": "FAIL", "": "FAIL", 2.0: "PASS"}
        for value, expected in [*table.items(), *words.items()]:
            self.assertEqual(verdict.read(value)[0], expected, repr(value))
        for value, expected in odd.items():
            self.assertEqual(verdict.read(value)[0], expected, repr(value))
        self.assertEqual(verdict.read(("FAIL", "no link")), ("FAIL", "no link"))
        self.assertIn("is no verdict", verdict.read("fine")[1])

    def test_python_2_is_recognised(self):
        for line, expected in {
            'print "hello"': "print",
            "print x": "print",
            "print": None,
            "try: pass\nexcept ValueError, e: pass": "except",
            "try: pass\nexcept (A, B), e: pass": "except",
            'exec "x = 1" in ns': "exec",
            'raise ValueError, "no"': "raise",
            "if 1 <> 2: pass": "<>",
            "x = `1`": "backticks",
            "os.chmod(f, 0755)": "octal",
            "x = 10L": "long",
            "def f(: pass": None,
            "x = = 1": None,
            "if x print(3)": None,
        }.items():
            try:
                compile(line + "\n", "t.py", "exec")
                self.assertIsNone(expected, line)
            except SyntaxError as error:
                found = python2.syntax(error, line.encode() + b"\n")
                self.assertEqual(found is not None, expected is not None, f"{line}: {found}")
                self.assertIn(expected or "", found or "", line)


class Scripts(Lab):
    """How the end of a script is read."""

    def run_script(self, text, *arguments, name="t.py", **env):
        return self.execute([PYTHON, os.path.join(SDK_DIR, "python", "run.py"), self.write(name, text), *arguments], **env)

    def test_ends(self):
        for text, status, result in [
            ("import sys; sys.exit(3)", 3, None),
            ("import sys; sys.exit(77)", 77, None),
            ("sys.exit()", 0, None),
            ("sys.exit('no licence')", 1, ("FAIL", "no licence", False)),
            ("_RESULT = 'PASS'", 0, None),
            ("_RESULT = 0", 0, None),
            ("_RESULT = 'PASS', 'all 3 links'", 0, ("PASS", "all 3 links", False)),
            ("_RESULT = 4; _REASON = 'no card'", 77, ("SKIPPED", "no card", False)),
            ("_RESULT = 'timeout'", 1, ("TIMEOUT", "", False)),
            ("_RESULT = 'FAIL'; sys.exit(0)", 1, ("FAIL", "", False)),
            ("_RESULT = 'PASS'; sys.exit(5)", 5, None),
            ("assert 1 == 2, 'one is not two'", 1, ("FAIL", "one is not two", False)),
            ("check('load', 9, unit='%', at_most=8)", 1, ("FAIL", "`load` is more than `8`; it is: `9 %`", False)),
            ("assert check('load', 7.5, at_most=8) and not check('load', 9, at_most=8, go_on=True)", 0, None),
            ("assert 1 == 2", 1, ("FAIL", "line 1: assert 1 == 2", False)),
            ("try:\n test_fail('no link')\nexcept Exception:\n pass", 1, ("FAIL", "no link", False)),
            ("test_skip('no card')", 77, ("SKIPPED", "no card", False)),
            ("testAbort('enough')", 1, ("ABORTED", "enough", False)),
            ("pid = os.fork()\nif pid == 0: raise ValueError('a child')\nassert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1", 0, None),
            ("{}['x']", 1, ("FAIL", "crashed: KeyError: 'x'", True)),
            ("xrange(3)", 1, ("FAIL", "crashed: NameError: name 'xrange' is not defined (a name of Python 2; `2to3 -w` converts it)", True)),
            ("if x print(3)", 1, ("FAIL", "crashed: SyntaxError: invalid syntax (t.py, line 1)", True)),
        ]:
            self.ep.result = None
            with self.subTest(text):
                self.ended(self.run_script(text), status, result)

    def test_what_a_thread_does_not_catch_is_no_pass(self):
        lost = ("FAIL", "ValueError: lost, which nothing caught in worker", False)
        start = "import threading\ndef work():\n time.sleep(0.05)\n {}\nthreading.Thread(target=work, name='worker', daemon={}).start()\n"
        raises = start.format("raise ValueError('lost')", False)
        for text, status, result in [
            (raises, 1, lost),
            (raises + "_RESULT = 'PASS'", 1, lost),
            (raises + "sys.exit(0)", 1, lost),
            (raises + "_RESULT = 'SKIPPED', 'no card'", 77, ("SKIPPED", "no card", False)),
            (start.format("raise ValueError('lost')", True) + "time.sleep(0.1)", 1, lost),
            (start.format("raise ValueError('lost')", False) + "time.sleep(0.1); os._exit(0)", 1, lost),
            (start.format("test_fail('no link')", False), 1, ("FAIL", "no link", False)),
            (start.format("sys.exit(3)", False), 0, None),
            ("import threading\nthreading.excepthook = print\n" + raises, 0, None),
        ]:
            self.ep.result = None
            with self.subTest(text):
                self.ended(self.run_script(text), status, result)

    def test_what_a_task_of_asyncio_does_not_catch_is_no_pass(self):
        text = "import asyncio\nasync def work():\n    {}\nasync def main():\n    {}\nasyncio.run(main())\n"
        lost = text.format("raise ValueError('lost')", "asyncio.create_task(work(), name='worker'); await asyncio.sleep(0.01)")
        told = ("FAIL", "ValueError: lost, which nothing caught in worker (work)", False)
        for text, status, result in [
            (lost, 1, told),
            (lost + "sys.exit(0)\n", 1, told),
            (lost + "os._exit(0)\n", 1, told),
            (lost + "_RESULT = 'PASS'\n", 1, told),
            (lost + "_RESULT = 'SKIPPED', 'no card'\n", 77, ("SKIPPED", "no card", False)),
            # What still holds it would be told while the interpreter ends.
            (lost.replace("asyncio.create_task", "global kept; kept = asyncio.create_task"), 1, told),
            (lost.replace("raise ValueError('lost')", "test_fail('no link')"), 1, ("FAIL", "no link", False)),
            (text.format("raise ValueError('lost')", "asyncio.get_running_loop().call_soon(lambda: 1 / 0); await asyncio.sleep(0.01)"), 1,
             ("FAIL", "ZeroDivisionError: division by zero, which nothing caught in a callback of asyncio", False)),
            (text.format("raise ValueError('lost')", "asyncio.get_running_loop().create_future().set_exception(OSError(5)); await asyncio.sleep(0)"), 1,
             ("FAIL", "OSError: 5, which nothing caught in asyncio", False)),
            (text.format("raise ValueError('lost')", "await asyncio.gather(work(), work(), return_exceptions=True)"), 0, None),
            (text.format("raise ValueError('lost')", "asyncio.get_running_loop().set_exception_handler(lambda *_: None); asyncio.create_task(work()); await asyncio.sleep(0.01)"), 0, None),
            (text.format("await asyncio.sleep(60)", "asyncio.create_task(work()); await asyncio.sleep(0)"), 0, None),
        ]:  # fmt: skip
            self.ep.result = None
            with self.subTest(text):
                self.ended(self.run_script(text), status, result)

    def test_a_coroutine_that_nobody_awaits_did_not_run(self):
        told = ("INVALID", "the coroutine `check` was never awaited, so it did not run; await it, or end with `asyncio.run(check(...))`", False)
        define = "async def check():\n    assert False\n"
        for text, status, result in [
            (define + "check()\n", 1, told),
            (define + "kept = check()\n", 1, told),
            (define + "import asyncio\nasync def main():\n    check()\nasyncio.run(main())\n", 1, told),
            (define + "check().close()\n", 0, None),
            (define + "one = check()\ntry: one.send(None)\nexcept AssertionError: pass\n", 0, None),
            ("from unittest import mock\nmock.AsyncMock()()\n", 0, None),
        ]:
            self.ep.result = None
            with self.subTest(text):
                self.ended(self.run_script(text), status, result)

    def test_leaving_by_the_back_door_hides_no_verdict(self):
        child = "pid = os.fork()\nif not pid: os._exit(0)\nassert os.waitpid(pid, 0)[1] == 0\n"
        for text, status, result in [
            ("_RESULT = 'FAIL', 'no link'\nos._exit(0)\n", 1, ("FAIL", "no link", False)),
            ("_RESULT = 'PASS'\nos._exit(0)\n", 0, None),
            ("_RESULT = 'FAIL'\nos._exit(5)\n", 5, None),
            ("_RESULT = 'FAIL'\n" + child + "_RESULT = 'PASS'\n", 0, None),
        ]:
            self.ep.result = None
            with self.subTest(text):
                self.ended(self.run_script(text), status, result)

    def test_what_cannot_be_shown_is_still_told(self):
        """A verdict does not depend on whether the exception, the result or the output can be written down."""
        odd = "class Odd(Exception):\n    def __str__(self): raise RuntimeError('no text')\n    __repr__ = __str__\n"
        for text, status, result in [
            (odd + "raise Odd()", 1, ("FAIL", "crashed: Odd: <Odd cannot be shown: RuntimeError>", True)),
            (odd + "assert False, Odd()", 1, ("FAIL", "<AssertionError cannot be shown: RuntimeError>", False)),
            (odd + "_RESULT = 'FAIL', Odd()", 1, ("FAIL", "<Odd cannot be shown: RuntimeError>", False)),
            (odd + "sys.exit(Odd())", 1, ("FAIL", "<Odd cannot be shown: RuntimeError>", False)),
            ("sys.stdout.close(); sys.stderr.close()\nassert False, 'the port is down'", 1, ("FAIL", "the port is down", False)),
            ("sys.stderr = None\nassert False, 'the port is down'", 1, ("FAIL", "the port is down", False)),
            ("os.close(1); os.close(2)\nassert False, 'the port is down'", 120, ("FAIL", "the port is down", False)),
            ("assert False, 'cannot find ' + os.fsdecode(b'caf\\xe9.cfg')", 1, ("FAIL", "cannot find caf\ufffd.cfg", False)),
            ("sys.exit(2**70)", 1, ("FAIL", f"sys.exit({2**70})", False)),
            ("sys.exit(256)", 1, ("FAIL", "sys.exit(256)", False)),
        ]:
            self.ep.result = None
            with self.subTest(text):
                self.ended(self.run_script(text), status, result)
        self.assertIn("is no verdict", self.result_of(odd + "_RESULT = Odd()")[1])
        self.ep.result = None
        self.ended(self.run_script("logMsg('logTest', os.fsdecode(b'caf\\xe9')); logMsg('logTest', 'after')"), 0)
        self.assertEqual(self.ep.logs, [("logTest", "caf\ufffd"), ("logTest", "after")])

    def result_of(self, text):
        self.ep.result = None
        self.run_script(text)
        return self.ep.result

    def test_nothing_runs(self):
        for text, says in {
            "# later\n": "nothing in `t.py` runs",
            '"""Later."""\n': "nothing in `t.py` runs",
            "import os\nLIMIT = 3\ndef test_a():\n    assert False\n": "`t.py` defines `test_a` and calls nothing: nothing was tested; end it with `test_a(...)`, or name it test_t.py",
            "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.fail()\n": "end it with `unittest.main()`",
        }.items():
            self.assertEqual(self.result_of(text)[0], "INVALID", text)
            self.assertIn(says, self.ep.result[1])
            self.assertEqual(self.ep.because, "file", "not its own word")
        for text in ["import os\n", "def f(): pass\nf()\n", "def f(): pass\n_RESULT = 'PASS'\n", "def f(): return 0\nx = f()\n", "@print\ndef f(): pass\n", "if True:\n    pass\n"]:
            self.assertIsNone(self.result_of(text), text)

    def test_python_2_only(self):
        done = self.run_script("import os\nprint 'hello'\n")
        self.assertEqual(self.ep.result[0], "INVALID")
        self.assertIn("line 2 has a print statement; convert it with `2to3 -w t.py`", self.ep.result[1])
        self.assertEqual(done.returncode, 1)

    def test_unittest_that_failed_is_no_pass_whatever_the_script_makes_of_it(self):
        head = "import sys, unittest\nclass A(unittest.TestCase):\n    def test_a(self): self.assertEqual(1, 2)\n"
        for tail in (
            "unittest.main(exit=False)\n",
            "unittest.main(exit=False)\nsys.exit(0)\n",
            "unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(A))\n",
        ):
            verdict, reason = self.result_of(head + tail)[:2]
            self.assertEqual(verdict, "FAIL", tail)
            self.assertIn("1 of 1 tests of unittest failed: test_a", reason)
            self.assertIn("AssertionError: 1 != 2", reason)
        # Whoever looks at it says what it comes to.
        result = self.result_of(head + "unittest.main(exit=False)\n_RESULT = 'PASS'\n")
        self.assertIn(result, (None, ("PASS", "")))
        unexpected = head.replace("    def", "    @unittest.expectedFailure\n    def").replace("1, 2", "1, 1")
        self.assertEqual(self.result_of(unexpected + "unittest.main(exit=False)\n")[0], "FAIL")

    def test_unittest_without_a_test_that_ran_is_no_pass(self):
        head = "import unittest\nclass A(unittest.TestCase):\n"
        test = "    def test_a(self): pass\n"
        for body, expect in [
            ("    pass\n", ("INVALID", "unittest found no tests in it")),
            ("    @unittest.skip('no board')\n" + test, ("SKIPPED", "every test in it was skipped: no board")),
            ("    def setUp(self): self.skipTest('no board')\n" + test, ("SKIPPED", "every test in it was skipped: no board")),
            (test, None),
            (test + "    @unittest.skip('later')\n    def test_b(self): pass\n", None),
        ]:
            result = self.result_of(head + body + "unittest.main()\n")
            self.assertEqual(result and result[:2], expect, body)

    def test_injected_names(self):
        self.ended(
            self.run_script(
                "import inspect\n"
                "assert (USER, EP, SUT, SUITE_ID, FILE_NAME) == ('ana', 'EP-1001', '/user_sut.user', 's1', 'a.py')\n"
                "assert PROPERTIES == {'colour': 'blue \"sky\"'}, PROPERTIES\n"
                "assert CONFIG == ['tc_config', 'other'] and sys.argv[1:] == ['a b', '-c']\n"
                "assert (FIRST_ITERATOR_COMP, FIRST_ITERATOR_NAME, FIRST_ITERATOR_VAL) == ('comp', 'iterator_1', '3')\n"
                "assert __name__ == '__main__' and sys.modules['__main__'].USER == 'ana' and os.path.basename(__file__) == 't.py'\n"
                "import neighbour; assert neighbour.x == 1\n"
                "assert PROXY.echo('hi') == 'Echo: hi' and logMsg('logTest', 'x') is None\n"
                "from ce_libs import *\nassert currentFileIndex() == 17 and SUITE_NAME == 'S1'\n"
                "from TscCommonLib import TscCommonLib\nassert TscCommonLib().getResource('/tb1/dev_2:port') == 23\n"
                "assert TscCommonLib().sutName == SUT\n",
                "a b",
                "-c",
                neighbour=self.write("neighbour.py", "x = 1"),
            ),
            0,
        )

    def test_the_unit_test_class(self):
        text = (
            "from TscUnitTestLib import TwisterTest\n"
            "class T(TwisterTest):\n"
            "    def setUp(self): self.x = 1\n"
            "    def test_a(self): self.assertEqual(self.x, 1)\n"
            "    def test_b(self): self.assertIn(self.x, [2])\n"
            "    def test_c(self): {}['k']\n"
            "_RESULT = T().main()\n"
        )
        self.ended(self.run_script(text), 1, ("FAIL", "test_b: 1 is not in [2]; test_c: crashed: KeyError: 'k'", False))
        self.assertEqual([part[:2] for part in self.ep.parts], [("test_a", "PASS"), ("test_b", "FAIL"), ("test_c", "FAIL")])

    def test_examples_of_doctest_that_failed_are_no_pass(self):
        text = "'''\n>>> 1 + 1\n3\n'''\nimport doctest\ndoctest.testmod()\n"
        self.ended(self.run_script(text), 1, ("FAIL", "1 of 1 examples of doctest failed in __main__", False))
        self.ep.result = None
        self.ended(self.run_script(text.replace("\n3", "\n2")), 0)

    def test_threads_library(self):
        text = "from TscThreadsLib import *\ntasks_reset()\ntasks_append(max, 1, 2)\ntasks_append(lambda: 1 / 0)\nassert tasks_start() == [2, False]\n"
        self.ended(self.run_script(text), 0)

    def test_importing_connects_to_nothing(self):
        done = subprocess.run(
            [PYTHON, "-c", "import sys, jackfield.twister; sys.exit('socket' in sys.modules)"],
            env={"PYTHONPATH": os.path.join(SDK_DIR, "python")}, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
