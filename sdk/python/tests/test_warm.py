"""The warm interpreter, driven as an EP drives it: over a socket, with file descriptors, and with signals."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import subprocess
import time
import unittest

from lab import PYTHON, SDK_DIR, Lab

WARM = os.path.join(SDK_DIR, "python", "jackfield", "warm.py")
EVENT_SECONDS_MAX = 20


class Warm(Lab):
    """A warm interpreter and an EP for each test."""

    def setUp(self):
        super().setUp()
        self.link, end = socket.socketpair()
        self.addCleanup(self.link.close)
        env = {"PATH": os.environ["PATH"], "EP_SECRET": "x"}
        # The EP starts it with default signals, whatever started the EP.
        default = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.warm = subprocess.Popen(
            [PYTHON, "-u", WARM], stdin=end, env=env, start_new_session=True, stderr=subprocess.PIPE, preexec_fn=default
        )
        end.close()
        self.addCleanup(self._end)
        self.link.settimeout(EVENT_SECONDS_MAX)
        self.assertEqual(self.event()["event"], "ready")

    def _end(self):
        self.link.close()
        _, errors = self.warm.communicate(timeout=EVENT_SECONDS_MAX)
        self.assertEqual((self.warm.returncode, errors), (0, b""))

    def event(self):
        (length,) = struct.unpack(">I", self._exactly(4))
        return json.loads(self._exactly(length))

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.link.recv(count - len(data))
            self.assertTrue(piece, "the warm interpreter has gone")
            data += piece
        return data

    def send(self, identity, text, argv=(), name=None, inject=None, **env):
        """Send a test; answer with the reading ends of its standard output and standard error."""
        file = text if os.path.isabs(text) else self.write(name or f"t{identity}.py", text)
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        message = {
            "file": file, "argv": list(argv), "env": self.ep.environment(**env), "cwd": self.folder,
            "inject": {"USER": "ana", **(inject or {})},
        }  # fmt: skip
        body = json.dumps(message).encode()
        socket.send_fds(self.link, [struct.pack(">IQ", len(body), identity) + body], [out_end, err_end])
        os.close(out_end)
        os.close(err_end)
        return os.fdopen(out), os.fdopen(err)

    def run_test(self, text, *argv, **more):
        """Run a test to its end: how it ended, and what it wrote."""
        out, err = self.send(1, text, argv, **more)
        with out, err:
            self.assertEqual(self.event()["event"], "started")
            written = out.read(), err.read()
        end = self.event()
        self.assertEqual((end.pop("event"), end.pop("id")), ("exited", 1))
        return end, *written

    def test_a_script_finds_what_python_would_give_it(self):
        text = (
            "import neighbour, library\n"
            "print(USER, __name__, os.path.basename(__file__), sys.argv[1:], os.getcwd() == os.path.dirname(__file__))\n"
            "print(sorted(set(os.environ) & {'EP_SECRET', 'JACKFIELD_RUN', 'MORE'}), sys.stdin.read() == '')\n"
            "print(os.path.dirname(__file__) == sys.path[0], 'client' in sys.modules, os.getsid(0) == os.getpid())\n"
            "print(sorted(int(f) for f in os.listdir('/proc/self/fd'))[:3], len(os.listdir('/proc/self/fd')) - 1)\n"
            "import signal; print(int(signal.getsignal(signal.SIGCHLD)), signal.getsignal(signal.SIGINT).__name__, 'threading' in sys.modules)\n"
            "sys.exit(5)\n"
        )
        self.write("neighbour.py", "")
        self.write("lib/library.py", "")
        end, out, err = self.run_test(text, "a", "b c", PYTHONPATH=self.folder + "/lib", MORE="1")
        self.assertEqual(
            out.splitlines(),
            ["ana __main__ t1.py ['a', 'b c'] True", "['JACKFIELD_RUN', 'MORE'] True", "True False True", "[0, 1, 2] 3", "0 default_int_handler False"],
            err,
        )
        self.assertEqual((end, err), ({"code": 5}, ""))

    def test_each_test_is_alone(self):
        self.run_test("os.environ['LEFT'] = 'x'; os.chdir('/'); sys.path.append('/x'); import json; json.left = 1; _RESULT = 0", ONCE="1")
        end, out, _ = self.run_test("import json; print(os.environ.get('LEFT'), os.environ.get('ONCE'), '/x' in sys.path, hasattr(json, 'left'), os.getcwd())")
        self.assertEqual((end, out), ({"code": 0}, f"None None False False {self.folder}\n"))
        _, out, _ = self.run_test("print(os.environ['ONCE']); os.system('echo $ONCE')", ONCE="2")
        self.assertEqual(out, "2\n2\n")

    def test_ends(self):
        for text, end, result in [
            ("_RESULT = 'FAIL', 'no link'", {"code": 1}, ("FAIL", "no link", False)),
            ("raise ValueError('no')", {"code": 1}, ("FAIL", "crashed: ValueError: no", True)),
            ("os.kill(os.getpid(), 9)", {"signal": 9}, None),
            ("os._exit(7)", {"code": 7}, None),
            ("import atexit; atexit.register(print, 'bye')", {"code": 0}, None),
            ("import atexit; atexit.register(lambda: 1 / 0)", {"code": 0}, None),
            ("import threading\nthreading.Timer(0.05, lambda: os._exit(9)).start()", {"code": 9}, None),
            ("sys.stdout.close()", {"code": 0}, None),
        ]:
            self.ep.result = None
            with self.subTest(text):
                ended, out, err = self.run_test(text)
                self.assertEqual((ended, self.ep.result), (end, result), err)
                self.assertEqual(out, "bye\n" if "bye" in text else "")

    def test_what_scripts_do_with_the_standard_library(self):
        for text, end in [
            ("import asyncio\nasync def f(): await asyncio.sleep(0); return 3\nassert asyncio.run(f()) == 3", 0),
            ("import multiprocessing as m\ndef f(x): return x * 2\nif __name__ == '__main__':\n with m.Pool(2) as p: assert p.map(f, [1, 2]) == [2, 4]", 0),
            ("import multiprocessing as m\ndef f(): raise SystemExit(4)\nif __name__ == '__main__':\n p = m.get_context('spawn').Process(target=f); p.start(); p.join(); sys.exit(p.exitcode)", 4),
            ("import subprocess\nassert subprocess.run(['sh', '-c', 'echo $JACKFIELD_EP'], capture_output=True).stdout == b'EP-1001\\n'", 0),
            ("import unittest\nclass T(unittest.TestCase):\n def test(self): self.assertEqual(1, 1)\nunittest.main()", 0),
            ("import unittest\nclass T(unittest.TestCase):\n def test(self): self.assertEqual(1, 2)\nunittest.main()", 1),
            ("import dataclasses, pickle\n@dataclasses.dataclass\nclass D: x: int\nassert pickle.loads(pickle.dumps(D(1))) == D(1)", 0),
            ("import signal\nsignal.signal(signal.SIGALRM, lambda *_: sys.exit(6))\nsignal.setitimer(signal.ITIMER_REAL, 0.01)\nsignal.pause()", 6),
            ("import concurrent.futures as c\nwith c.ThreadPoolExecutor(2) as p: assert list(p.map(abs, [-1])) == [1]", 0),
            ("import inspect\ndef f(): pass\nassert inspect.getsource(f).startswith('def f')", 0),
        ]:
            with self.subTest(text):
                ended, _, err = self.run_test(text)
                self.assertEqual(ended, {"code": end}, err)
        self.assertNotEqual(*(self.run_test("import random; print(random.random())")[1] for _ in range(2)))

    def test_a_traceback_begins_in_the_script(self):
        _, _, err = self.run_test("def f():\n    return {}['x']\nf()\n")
        self.assertEqual([line.strip() for line in err.splitlines() if "File" in line], [f'File "{self.folder}/t1.py", line {n}, in {w}' for n, w in ((3, "<module>"), (2, "f"))])

    def test_python_2_and_files_that_are_none(self):
        self.run_test("print 'hello'\n", name="old.py")
        self.assertEqual(self.ep.result[0], "INVALID")
        self.assertIn("2to3 -w old.py", self.ep.result[1])
        end, _, err = self.run_test("/nowhere/t.py")
        self.assertEqual((end, self.ep.result[0]), ({"code": 1}, "INVALID"))
        self.assertIn("/nowhere/t.py cannot be read: No such file or directory", err)

    def test_compiled_files(self):
        source = self.write("mod.py", "print('compiled')")
        subprocess.run([PYTHON, "-c", f"import py_compile; py_compile.compile({source!r}, {source + 'c'!r})"], check=True, timeout=30)
        self.assertEqual(self.run_test(source + "c")[:2], ({"code": 0}, "compiled\n"))
        with open(source + "c", "r+b") as file:
            file.write(b"\0\0\0\0")
        self.run_test(source + "c")
        self.assertEqual(self.ep.result[0], "INVALID")

    def test_lines_come_at_once_and_the_group_can_be_killed(self):
        out, err = self.send(1, "import subprocess\nprint('on my way')\nsubprocess.run(['sleep', '600'])\n")
        with out, err:
            pid = self.event()["pid"]
            self.assertTrue(select.select([out], [], [], EVENT_SECONDS_MAX)[0])
            self.assertEqual(out.readline(), "on my way\n")
            os.killpg(pid, signal.SIGKILL)
            self.assertEqual(self.event(), {"event": "exited", "id": 1, "signal": 9})
            self.assertEqual(out.read(), "")

    def test_several_at_once_end_in_their_own_order(self):
        with open(os.devnull) as _:
            pipes = [self.send(n, f"import time\nwhile not os.path.exists('go{n}'): time.sleep(0.005)\n") for n in (1, 2)]
        self.assertEqual([self.event()["event"] for _ in pipes], ["started", "started"])
        for n in (2, 1):
            self.write(f"go{n}", "")
            self.assertEqual(self.event(), {"event": "exited", "id": n, "code": 0})
        for out, err in pipes:
            out.close()
            err.close()

    def test_a_burst_of_messages(self):
        count = 40
        for n in range(count):
            for pipe in self.send(n, "x = 1\n", name=f"same{n}.py"):
                pipe.close()
        events = [self.event() for _ in range(2 * count)]
        self.assertEqual(sorted(e["id"] for e in events if e == {"event": "exited", "id": e["id"], "code": 0}), list(range(count)))

    def test_when_the_ep_goes_its_tests_go(self):
        out, err = self.send(1, "import subprocess\nsubprocess.Popen(['sleep', '600'])\nprint('here')\ntime.sleep(600)\n")
        with out, err:
            self.event()
            self.assertEqual(out.readline(), "here\n")
            begun = time.monotonic()
            self.link.close()
            # End of file: the script and what it started have let go of the pipe.
            self.assertEqual(out.read(), "")
            self.assertLess(time.monotonic() - begun, EVENT_SECONDS_MAX)

    def test_output_that_nobody_reads(self):
        out, err = self.send(1, "import time\nwhile not os.path.exists('go'): time.sleep(0.005)\nprint('x')\n")
        self.event()
        out.close()
        self.write("go", "")
        end = self.event()
        self.assertEqual(end["code"], 1)
        err.close()


if __name__ == "__main__":
    unittest.main()
