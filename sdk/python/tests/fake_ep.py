#!/usr/bin/python3
"""An EP for the tests of the SDKs: it speaks `docs/local-api.md` on a Unix socket, and keeps state as a real one does.

Also a program, which stands in for the `jackfield` binary: `fake_ep.py call METHOD PARAMS` and `fake_ep.py bridge`.
"""

from __future__ import annotations

import copy
import json
import os
import re
import select
import socket
import socketserver
import sys
import threading

TOKEN = "t0ken"
VERDICTS = ("PASS", "FAIL", "SKIPPED", "ABORTED", "NOT_EXECUTED", "TIMEOUT", "INVALID")
STATUS = {"bad_request": 400, "unauthenticated": 401, "not_found": 404, "wrong_state": 409}


class Problem(Exception):
    """A refusal, as the EP sends it."""

    def __init__(self, code, title, field=None):
        super().__init__(title)
        self.document = {"code": code, "status": STATUS[code], "title": title}
        if field:
            self.document["field"] = field


class FakeEp:
    """The EP's state, and one method for each call. `with FakeEp(path) as ep:` serves it."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.logs, self.parts, self.variables, self.artifacts, self.cleanups, self.captures, self.powered = [], [], {}, [], [], [], []
        self.questions, self.breakpoints, self.checks, self.marks, self.secrets = [], [], [], [], []
        self.result = None
        self.results = 0
        self.because = None
        self.answers = {"message": True, "input": "42", "decide": True, "options": "b"}
        self.globals = {"Level_A": {"global1": "value 1", "number": 7}}
        self.configs = {"tc_config": {"comp": {"property_1": "5", "iterator_1": "3"}}}
        self.bindings = {"default_binding": {"comp": "/user_sut.user/dev_1"}}
        self.next_id = 1
        self.nodes = {}
        for query, meta in (("/", {}), ("/tb1", {}), ("/tb1/dev_2", {"IP": "10.0.0.1", "port": 23}), ("/lab", {}), ("/lab/router", {"host": "127.0.0.1"})):
            self._new_node(query, meta)
        self.suts = {"/user_sut.user/dev_1": {"id": "322e317f2e", "path": "/user_sut.user/dev_1", "meta": {"_id": "x"}, "children": [], "version": 1}}
        self.sessions = {}
        self.hello = {
            "attempt": "41.17.1", "run": 41, "test_id": "t17", "name": "a.py", "file": "/t/a.py", "suite_id": "s1", "suite_name": "S1",
            "sut": "/user_sut.user", "needs": {"dut": ["/tb1/dev_2"], "phone": ["/lab/p1", "/lab/p2"]}, "user": "ana", "ep": "EP-1001", "project": "p", "properties": {"colour": "blue"}, "configs": ["tc_config"],
            "params": [], "iteration": [], "tests_total": 30, "suite_position": [2, 9],
        }  # fmt: skip

    def __enter__(self):
        ep = self

        class Connection(socketserver.StreamRequestHandler):
            def handle(self):
                known = False
                for line in self.rfile:
                    answer, known = ep.answer(line, known)
                    self.wfile.write(json.dumps(answer).encode() + b"\n")

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            request_queue_size = 64

        self.server = Server(self.path, Connection)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        os.unlink(self.path)

    def environment(self, **more):
        """The variables of a test's process, without those of the one that runs these tests."""
        env = {
            "PATH": os.environ["PATH"],
            "JACKFIELD_SOCKET": self.path, "JACKFIELD_TOKEN": TOKEN, "JACKFIELD_BIN": os.path.abspath(__file__),
            "JACKFIELD_RUN": "41", "JACKFIELD_ATTEMPT": "41.17.1", "JACKFIELD_USER": "ana", "JACKFIELD_EP": "EP-1001", "JACKFIELD_PROJECT": "p",
            "JACKFIELD_SUITE_ID": "s1", "JACKFIELD_SUITE_NAME": "S1", "JACKFIELD_TEST_ID": "t17", "JACKFIELD_TEST_NAME": "a.py",
            "JACKFIELD_TEST_FILE": "/t/a.py", "JACKFIELD_SUT": "/user_sut.user", "JACKFIELD_NEED_DUT": "/tb1/dev_2", "JACKFIELD_NEED_PHONE": "/lab/p1\n/lab/p2", "JACKFIELD_PROPERTIES": '{"colour": "blue \\"sky\\""}',
            "JACKFIELD_CONFIG": "tc_config;other", "JACKFIELD_ITERATION": "tc_config#comp#iterator_1=3, tc_config#comp#n=1",
        }  # fmt: skip
        env.update(more)
        return env

    def answer(self, line, known):
        """The answer to one line, and whether the peer has said hello."""
        request = json.loads(line)
        identity, method, params = request.get("id"), request["method"], request.get("params") or {}
        try:
            if method == "hello":
                if params.get("token") != TOKEN:
                    raise Problem("unauthenticated", "the token is wrong", "token")
                known = True
            elif not known:
                raise Problem("unauthenticated", "say hello first")
            call = getattr(self, "call_" + method, None)
            if call is None:
                raise Problem("not_found", f"there is no method `{method}`")
            with self.lock:
                result = call(**params)
        except Problem as problem:
            error = {"code": -32000, "message": str(problem), "data": problem.document}
            return {"jsonrpc": "2.0", "id": identity, "error": error}, known
        except TypeError as error:
            wrong = Problem("bad_request", str(error))
            return {"jsonrpc": "2.0", "id": identity, "error": {"code": -32602, "message": str(wrong), "data": wrong.document}}, known
        return {"jsonrpc": "2.0", "id": identity, "result": result}, known

    def call_hello(self, token):
        return self.hello

    def call_log(self, log, text):
        self.logs.append((log, text))

    def call_result(self, verdict, reason="", crashed=False, because="said"):
        self.because = because
        if verdict not in VERDICTS:
            raise Problem("bad_request", f"`{verdict}` is not a verdict", "verdict")
        self.result = (verdict, reason, crashed)
        self.results += 1

    def call_part(self, name, verdict, reason="", elapsed_millis=None):
        if verdict not in VERDICTS:
            raise Problem("bad_request", f"`{verdict}` is not a verdict", "verdict")
        self.parts.append((name, verdict, reason))

    def call_check(self, name, value, unit="", limits=None):
        limits = limits or {}
        if "maximum" in limits:
            raise Problem("bad_request", f"check `{name}`: `maximum` is no limit; there are at_most", "limits")
        holds = all(float(value) <= float(limit) for word, limit in limits.items() if word == "at_most")
        reason = "" if holds else f"`{name}` is more than `{limits['at_most']}`; it is: `{value} {unit}`"
        self.checks.append((name, value, unit, limits, "PASS" if holds else "FAIL"))
        return {"verdict": "PASS" if holds else "FAIL", "reason": reason}

    def call_mark(self, label):
        self.marks.append(label)

    def call_textfsm(self, template, text):
        if "Value LINE" not in template:
            raise Problem("bad_request", "the template is wrong at line 1: a template begins with Value lines")
        return {"header": ["LINE"], "rows": [{"LINE": line} for line in text.splitlines()]}

    def call_session_level(self, session, level, timeout_millis=None):
        self._session(session)["level"] = level

    def call_session_reboot(self, session, timeout_millis=None):
        opened = self._session(session)
        opened["reboots"] = opened.get("reboots", 0) + 1

    def call_variable(self, name, value):
        if not isinstance(value, str):
            raise Problem("bad_request", "a variable is a text", "value")
        self.variables[name] = value

    def call_power(self, resource, action, timeout_millis=None):
        self.powered.append((resource, action))
        return {"state": "off" if action == "off" else "on"}

    def call_capture_start(self, interface, filter="", name=None):
        self.captures.append([name or interface, interface, filter])
        return {"capture": name or interface}

    def call_capture_stop(self, capture):
        if capture not in [name for name, *_ in self.captures]:
            raise Problem("not_found", f"no capture `{capture}` of this test runs")
        return {"packets": 7, "dropped": 0, "bytes": 700}

    def call_artifact(self, name, path):
        if not os.path.isfile(path):
            raise Problem("not_found", f"there is no file {path}", "path")
        self.artifacts.append((name, path))

    def call_cleanup(self, name, command, timeout_millis=None):
        if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
            raise Problem("bad_request", "a command is a list of texts", "command")
        self.cleanups.append((name, command, timeout_millis))

    def _walk(self, tree, path):
        for word in filter(None, path.split("/")):
            tree = tree.get(word) if isinstance(tree, dict) else None
        return tree

    def call_get_global(self, path):
        return self._walk(self.globals, path)

    def call_set_global(self, path, value):
        *folders, name = filter(None, path.split("/"))
        tree = self.globals
        for folder in folders:
            tree = tree.setdefault(folder, {})
        tree[name] = value

    def call_get_config(self, config, path=""):
        if config not in self.configs:
            raise Problem("not_found", f"there is no test configuration `{config}`", "config")
        return self._walk(self.configs[config], path)

    def _new_node(self, path, meta):
        node = {"id": f"{self.next_id:010x}", "path": path, "meta": dict(meta)}
        self.next_id += 1
        self.nodes[path] = node
        return node

    def _find(self, query):
        where, _, key = query.partition(":")
        where = where if where == "/" else where.rstrip("/")
        node = self.nodes.get(where) or next((n for n in self.nodes.values() if n["id"] == where), None)
        if node is None:
            raise Problem("not_found", f"there is no resource `{where}`", "query")
        if key and key not in node["meta"]:
            raise Problem("not_found", f"`{where}` has no property `{key}`", "query")
        return node, key

    def call_get_resource(self, query):
        node, key = self._find(query)
        if key:
            return node["meta"][key]
        below = node["path"].rstrip("/") + "/"
        children = [n["id"] for path, n in sorted(self.nodes.items()) if path != "/" and path.startswith(below) and "/" not in path[len(below) :]]
        return {**copy.deepcopy(node), "children": children, "version": self.next_id}

    def call_set_resource(self, name, parent, properties):
        if not isinstance(properties, dict):
            raise Problem("bad_request", "properties are a dictionary", "properties")
        above, _ = self._find(parent)
        path = above["path"].rstrip("/") + "/" + name
        created = path not in self.nodes
        node = self._new_node(path, properties) if created else self.nodes[path]
        node["meta"].update(properties)
        return {"id": node["id"], "created": created}

    def call_rename_resource(self, query, name):
        node, key = self._find(query)
        if key:
            node["meta"][name] = node["meta"].pop(key)
            return
        old = node["path"]
        new = old.rpartition("/")[0] + "/" + name
        for path in [p for p in self.nodes if p == old or p.startswith(old + "/")]:
            moved = self.nodes.pop(path)
            moved["path"] = new + path[len(old) :]
            self.nodes[moved["path"]] = moved

    def call_delete_resource(self, query):
        node, key = self._find(query)
        if key:
            del node["meta"][key]
            return
        for path in [p for p in self.nodes if p == node["path"] or p.startswith(node["path"] + "/")]:
            del self.nodes[path]

    def call_get_sut(self, query, follow_links=False):
        where, _, key = query.partition(":")
        if where not in self.suts:
            raise Problem("not_found", f"there is no SUT component `{where}`", "query")
        return self.suts[where]["meta"].get(key) if key else self.suts[where]

    def call_get_bind_id(self, component, config="default_binding"):
        path = self.call_get_bind_name(component, config)
        return self.suts[path]["id"] if path else None

    def call_get_bind_name(self, component, config="default_binding"):
        return self.bindings.get(config, {}).get(component) or self.bindings["default_binding"].get(component)

    def call_interact(self, kind, message, options=None, default=None, timeout_millis=None):
        if kind not in self.answers:
            raise Problem("bad_request", f"`{kind}` is no kind of question", "kind")
        self.questions.append((kind, message, options, default, timeout_millis))
        return default if timeout_millis == 0 else self.answers[kind]

    def call_breakpoint(self, locals):
        self.breakpoints.append(locals)

    def call_session_open(self, resource=None, connect=None, name=None, screen=None, timeout_millis=None):
        if (resource is None) == (connect is None):
            raise Problem("bad_request", "a session has either a `resource` or a `connect`", "resource")
        if resource is not None:
            self._find(resource)
        name = name or resource or connect["host"]
        self.sessions.setdefault(name, {"routes": [], "waiting": "", "target": resource or connect, "screen": screen})
        return {"session": name}

    def _session(self, name):
        if name not in self.sessions:
            raise Problem("not_found", f"there is no open session `{name}`", "session")
        return self.sessions[name]

    def call_session_send(self, session, text, enter=True, secret=False):
        if secret:
            self.secrets.append(text)
            return
        self._session(session)["waiting"] += self._device(session, text) + "router# "

    def call_session_command(self, session, command, answers=(), keep_unasked=False, check=True, timeout_millis=None):
        return {"output": self._given(session, command, answers, keep_unasked, check)}

    def call_session_command_to_file(
        self, session, command, path, answers=(), keep_unasked=False, check=True, artifact=False, timeout_millis=None
    ):
        assert os.path.isabs(path)
        output = self._given(session, command, answers, keep_unasked, check)
        with open(path, "w", encoding="utf-8") as file:
            file.write(output)
        if artifact:
            self.call_artifact(os.path.basename(path), path)
        return {"bytes": os.path.getsize(path)}

    def call_session_unasked(self, session):
        opened = self._session(session)
        return {"text": opened.pop("unasked", "")}

    def _given(self, session, command, answers, keep_unasked, check):
        """`copy` asks; the news in the middle of `show log` are lifted out."""
        for answer in answers:
            if sorted(answer) != ["answer", "asks", "enter", "secret"]:
                raise Problem("bad_request", f"wrong answer {answer}", "answers")
            if answer["secret"]:
                self.secrets.append(answer["answer"])
        if command == "copy":
            return "".join(f"{answer['asks']}={answer['answer']}{'|' if answer['enter'] else ''}\n" for answer in answers if not answer["secret"])
        if command == "show log":
            self._session(session)["unasked"] = "" if keep_unasked else "news"
            return "a\nnews\nb\n" if keep_unasked else "a\nb\n"
        output = self._device(session, command)
        if check and output.startswith("% "):
            raise Problem("wrong_state", f"the device refused `{command}`: {output.strip()}")
        return output

    def call_session_rows(self, session, command, template=None, check=True, timeout_millis=None):
        output = self._given(session, command, (), False, check)
        if "Value LINE" not in template:
            raise Problem("bad_request", "the template is wrong at line 1: a template begins with Value lines")
        return {"header": ["LINE"], "rows": [{"LINE": line} for line in output.splitlines()], "output": output}

    def call_session_config(self, session, lines, timeout_millis=None):
        return {"output": "".join(self._device(session, line) for line in lines)}

    def call_session_expect(self, session, patterns, timeout_millis=None):
        opened = self._session(session)
        for index, pattern in enumerate(patterns):
            if pattern == {"timeout": True}:
                return {"index": index, "before": opened["waiting"], "match": "", "groups": []}
            if pattern == {"end": True}:
                continue
            found = re.search(re.escape(pattern["exact"]) if isinstance(pattern, dict) else pattern, opened["waiting"])
            if found:
                before, opened["waiting"] = opened["waiting"][: found.start()], opened["waiting"][found.end() :]
                return {"index": index, "before": before, "match": found.group(), "groups": list(found.groups())}
        raise Problem("wrong_state", f"timed out waiting for {patterns}; last seen: {opened['waiting']!r}")

    def call_session_screen(self, session, rows=None, columns=None, quiet_millis=None):
        opened = self._session(session)
        if rows is not None:
            opened["screen"] = f"{columns or 80}x{rows}"
        width, height = (opened["screen"] or "80x24").split("x")
        keys = " ".join(opened.get("keys", []))
        cursor, reverse = {"row": 1, "column": 0, "visible": True}, [{"row": 0, "column": 0, "text": "Menu"}]
        view = {"lines": ["Menu", keys], "cursor": cursor, "highlighted": reverse, "text": "Menu\n" + keys}
        return {**view, "rows": int(height), "columns": int(width)}

    def call_session_screen_wait(self, session, patterns, gone=False, timeout_millis=None):
        view = self.call_session_screen(session)
        for index, pattern in enumerate(patterns):
            found = re.search(pattern, view["text"], re.MULTILINE)
            if found and not gone:
                return {"index": index, "match": found[0], "groups": list(found.groups()), "screen": view}
        if not gone:
            raise Problem("wrong_state", "look at the screen: timed out waiting", None)
        return {"index": None, "match": None, "groups": [], "screen": view}

    def call_session_press(self, session, keys):
        self._session(session).setdefault("keys", []).extend(keys)

    def call_session_execute(self, session, command, timeout_millis=None):
        self._session(session)
        return {"output": f"ran {command}\n", "error": "", "status": 3 if command == "false" else 0, "signal": None, "cut": False}

    def call_session_put(self, session, local, remote, way="auto", timeout_millis=None):
        with open(local, "rb") as file:
            self._session(session).setdefault("files", {})[remote] = file.read()
        return {"bytes": os.path.getsize(local), "way": way}

    def call_session_get(self, session, local, remote, way="auto", timeout_millis=None):
        files = self._session(session).get("files", {})
        if remote not in files:
            raise Problem("unavailable", f"`{remote}` on the device: there is no such file or folder")
        assert os.path.isabs(local)
        with open(local, "wb") as file:
            file.write(files[remote])
        return {"bytes": len(files[remote]), "way": way}

    def call_session_line(self, session, **line):
        self._session(session).setdefault("line", {}).update({name: value for name, value in line.items() if value is not None})

    def call_session_modem(self, session):
        self._session(session)
        return {"cts": True, "dsr": True, "ri": False, "cd": False}

    def call_session_wait_break(self, session, timeout_millis=None):
        self._session(session)
        if timeout_millis == 1:
            raise Problem("wrong_state", "wait for a break: timed out")

    def call_session_break(self, session, millis=250):
        self._session(session).setdefault("breaks", []).append(millis)

    def call_session_close(self, session):
        self._session(session)
        del self.sessions[session]

    def call_session_list(self):
        return sorted(self.sessions)

    def _device(self, session, command):
        routes = self._session(session)["routes"]
        if command.startswith("ip route "):
            routes.append(command[9:])
            return ""
        return "\n".join(routes) + "\n" if command == "show ip route" else f"% Unknown command: {command}\n"


def _connect():
    link = socket.socket(socket.AF_UNIX)
    link.connect(os.environ["JACKFIELD_SOCKET"])
    return link


def _say_hello(link):
    hello = {"jsonrpc": "2.0", "id": 0, "method": "hello", "params": {"token": os.environ["JACKFIELD_TOKEN"]}}
    link.sendall(json.dumps(hello).encode() + b"\n")
    answers = link.makefile("rb")
    if "error" in json.loads(answers.readline()):
        sys.exit("the EP refused the token")
    return answers


def _call(arguments):
    raw = "--raw" in arguments
    method, *rest = [word for word in arguments if word != "--raw"]
    link = _connect()
    answers = _say_hello(link)
    link.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": json.loads(rest[0]) if rest else {}}).encode() + b"\n")
    answer = json.loads(answers.readline())
    if "error" in answer:
        sys.exit(answer["error"]["message"])
    result = answer["result"]
    if not (raw and result is None):
        print(result if raw and isinstance(result, str) else json.dumps(result, ensure_ascii=False, separators=(",", ":")))


def _bridge():
    link = _connect()
    answers = _say_hello(link)
    while True:
        ready, _, _ = select.select([0, link], [], [])
        if link in ready:
            line = answers.readline()
            if not line:
                return
            os.write(1, line)
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                return
            link.sendall(data)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "bridge":
        _bridge()
    elif len(sys.argv) > 2 and sys.argv[1] == "call":
        _call(sys.argv[2:])
    else:
        sys.exit("usage: fake_ep.py bridge | call METHOD [PARAMS]")
