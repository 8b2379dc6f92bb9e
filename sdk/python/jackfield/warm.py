"""The warm interpreter: one per EP, and every Python test is a child forked from it.

Starting Python costs ten times what forking one that has started costs; and a child per test keeps tests apart.

The EP holds the other end of a stream socket that is this program's standard input. It sends tests: four bytes of length, eight
bytes of a number of its own for the test, both big-endian, and JSON of that length,

    {"file": …, "argv": […], "env": {…}, "cwd": …, "inject": {…}}     with two file descriptors: stdout, stderr

and is told, in four bytes of length, big-endian, and JSON,

    {"event": "ready", "version": "3.11.2"}
    {"event": "started", "id": 7, "pid": 4711}
    {"event": "exited", "id": 7, "code": 0}        or, instead of `code`, "signal": 9

A test that has a control group goes there (`"group"`, the file that says so to the kernel) before anything of it is run.

With the argument `--changes-users`, each test becomes the user that its message names (`"account"`), before anything of the test is run. Tests
of several users must then find nothing of each other in the memory that they were forked from: the message is not read here, but comes as
`{"apart": true}` with a third file descriptor, of a file that holds it, and only the child reads that.

A child is the leader of a session of its own, so the EP ends all of a test with one signal to its group. Children that still run
when the EP goes away are ended: nobody would read what they say.

What a fork costs is mostly the memory pages that either side writes to afterwards, and an interpreter writes to whatever it looks
at. So this program does next to nothing itself, and the children read their messages.
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import io
import os
import select
import signal
import socket
import sys
import time
from types import ModuleType
from typing import Any, NoReturn

_OWN_DIR = os.path.dirname(os.path.realpath(__file__))
if sys.path and os.path.realpath(sys.path[0]) == _OWN_DIR:
    # This file's own folder would offer `client`, `session` … to tests as modules of their own.
    del sys.path[0]
_SDK_DIR = os.path.dirname(_OWN_DIR)
# Last, so that a lab's own library of the same name comes first.
sys.path += [_SDK_DIR, os.path.join(_SDK_DIR, "libs")]

# What tests often import: there already in every child. Not `subprocess`, `logging`, `random` or `shutil`: they, or `threading` with
# them, do work in each child that is forked, and so would slow down the tests that do not need them.
import copy, csv, datetime, ipaddress, string  # noqa: E401, E402, F401

from jackfield import script  # noqa: E402
from jackfield.ep_channel import APART, Channel  # noqa: E402

# How long children have after SIGTERM when the EP has gone.
GRACE_SECONDS = 2.0
EX_OSERR = 71
PR_SET_DUMPABLE = 4
UMASK = 0o022

_libc = None
if "--changes-users" in sys.argv[1:]:
    # There in every child already: they need one call of it.
    import ctypes

    _libc = ctypes.CDLL(None, use_errno=True)

_BASE_PATH = list(sys.path)


class Common:
    """What is the same in most tests of an EP, taken from the first: made once, and changed by each child where it differs."""

    def __init__(self) -> None:
        self._env: dict[str, str] | None = None
        self._folders: list[str] = []

    def adopt(self, body: bytes) -> None:
        """In the parent, before the first fork."""
        if self._env is None:
            self._env = script.read_message(body)["env"]
            os.environ.update(self._env)
            self._folders = _folders(self._env)

    def become(self, env: dict[str, str]) -> list[str]:
        """In a child: have exactly this environment; the answer is what it adds to the search path."""
        common = self._env or {}
        for name, value in env.items():
            if common.get(name) != value:
                os.environ[name] = value
        if len(env) != len(common) or any(name not in env for name in common):
            for name in common:
                if name not in env:
                    del os.environ[name]
        return self._folders if env.get("PYTHONPATH") == common.get("PYTHONPATH") else _folders(env)


def _folders(env: dict[str, str]) -> list[str]:
    return [os.path.abspath(entry) for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]


class Children:
    """The tests that run, each watched through a file descriptor that can be read when it has ended.

    There are no signal handlers, which each child would have to undo.
    """

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self._running: dict[int, tuple[int, int]] = {}

    def add(self, pid: int, identity: int) -> None:
        watch = os.pidfd_open(pid)
        self._running[watch] = pid, identity
        self._poll.register(watch, select.POLLIN)

    def highest_fd(self) -> int:
        return max(self._running, default=0)

    def reap(self, watch: int) -> tuple[int, int]:
        """Of one that has ended: the id the EP gave it, and how it ended (negative: the signal)."""
        pid, identity = self._running.pop(watch)
        self._poll.unregister(watch)
        os.close(watch)
        _, status = os.waitpid(pid, 0)
        return identity, os.waitstatus_to_exitcode(status)

    def end_all(self) -> None:
        """The EP has gone: TERM, grace, KILL, each to the whole group of a test."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while self._running and (left := deadline - time.monotonic()) > 0:
            for fd, _ in self._poll.poll(left * 1000):
                if fd in self._running:
                    self.reap(fd)
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        for pid, _ in self._running.values():
            try:
                os.killpg(pid, number)
            except (ProcessLookupError, PermissionError):
                pass


def serve() -> None:
    """Run tests until the EP goes away."""
    link = _take_link()
    channel, common = Channel(link), Common()
    poll = select.poll()
    poll.register(link, select.POLLIN)
    children = Children(poll)
    main = script.new_main()
    script.rehearse()
    # What is there now is shared with every child: the collector must not touch, and so copy, its pages.
    gc.collect()
    gc.freeze()
    channel.send_ready(sys.version.split()[0])
    try:
        while True:
            for fd, _ in poll.poll():
                if fd != link.fileno():
                    identity, code = children.reap(fd)
                    channel.send_exited(identity, code)
                elif not _obey(channel, children, common, main):
                    return
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        poll.unregister(link)
        children.end_all()


def _obey(channel: Channel, children: Children, common: Common, main: ModuleType) -> bool:
    """Start what has come; false when that was the end."""
    messages = channel.receive()
    if messages is None:
        return False
    for identity, body in messages:
        if body != APART:
            common.adopt(body)
        fds = channel.take_fds(body)
        out, err = fds[:2]
        try:
            pid = os.fork()
        except OSError as error:
            os.write(err, f"no process for this test: {error.strerror}\n".encode())
            channel.send_exited(identity, EX_OSERR)
        else:
            if pid == 0:
                _be(body, fds, max(*fds, channel.highest_fd(), children.highest_fd()), common, main)
            channel.send_started(identity, pid)
            children.add(pid, identity)
        for fd in fds:
            os.close(fd)
    return True


def _be(body: bytes, fds: list[int], highest_fd: int, common: Common, main: ModuleType) -> NoReturn:
    """In the child: become what `python3 FILE` would have been, run it, and leave without a trace of the parent."""
    status = EX_OSERR
    try:
        os.setsid()
        if body == APART:
            body = _whole(fds[2])
        os.dup2(fds[0], 1)
        os.dup2(fds[1], 2)
        os.closerange(3, highest_fd + 1)
        message = script.read_message(body)
        if message.get("group"):
            _enter(message["group"])
        if message.get("account"):
            _become(message["account"])
        file = message["file"]
        sys.path[:] = [os.path.dirname(file), *common.become(message["env"]), *_BASE_PATH]
        os.chdir(message["cwd"])
        # The module was made before the fork, and is this child's alone since then.
        status = _finish(script.run(main, file, message["argv"], message["inject"]))
    except BaseException as error:
        # Not the script's fault, which `script.run` deals with: its folder is gone, its output is closed.
        try:
            os.write(2, f"the test could not be run to its end: {type(error).__name__}: {error}\n".encode())
        except OSError:
            pass
    finally:
        os._exit(status)


def _whole(fd: int) -> bytes:
    """All that is in a file, wherever its writer stopped."""
    size = os.fstat(fd).st_size
    found = b""
    while len(found) < size:
        found += os.pread(fd, size - len(found), len(found))
    return found


def _enter(group: str) -> None:
    """Go into a control group, and with this process all that it will start. Its file is the EP's, and this is the EP's user still."""
    fd = os.open(group, os.O_WRONLY)
    os.write(fd, b"0")
    os.close(fd)


def _become(account: dict[str, Any]) -> None:
    """Be this user, and nobody else ever again."""
    uid, gid = account["uid"], account["gid"]
    os.setgroups(account["groups"])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid, uid, uid) or uid == 0:
        raise PermissionError(f"the test would run as {os.getresuid()}")
    os.umask(UMASK)
    # What changed its user keeps its own /proc from itself, unless it started a program.
    if _libc is not None and _libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0):
        raise OSError("the test cannot be made its user's own")


def _finish(status: int) -> int:
    """What the interpreter does at its end: wait for threads, run `atexit`, flush. Only what the test itself registered is there."""
    # Not imported here: its at-fork handler alone would cost each child a third of a millisecond.
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()  # type: ignore[attr-defined]
    try:
        atexit._run_exitfuncs()  # type: ignore[attr-defined]
    except BaseException:
        # Python 3.9 raises what a handler raised, after it has printed it; as in any script, it changes nothing.
        pass
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except OSError:
            # Nobody reads any more; Python's own status for it.
            status = status or 120
    return status


def _take_link() -> socket.socket:
    """Move the socket away from standard input, so that no test can read from it, and give tests an empty one."""
    # What the EP leaked into this process must not leak into tests.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    # Nor may what was blocked where the EP was started.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    link = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    raw = io.BufferedReader(io.FileIO(0, "r", closefd=False))
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape")
    # One write for each line: what a test said before it was killed is not lost in a buffer.
    sys.stdout = sys.__stdout__ = _writer(1, "<stdout>", "surrogateescape")
    sys.stderr = sys.__stderr__ = _writer(2, "<stderr>", "backslashreplace")
    # A test's environment is complete; nothing of the EP's own may shine through.
    os.environ.clear()
    faulthandler.enable(sys.stderr)
    return link


def _writer(fd: int, name: str, errors: str) -> io.TextIOWrapper:
    raw = io.FileIO(fd, "w", closefd=False)
    raw.name = name
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors=errors, line_buffering=True)


if __name__ == "__main__":
    serve()
