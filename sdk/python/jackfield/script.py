"""Running one test script in this process, and reading from it how the test ended.

The process is the test's alone: either a child of the warm interpreter, or one that `run.py` was started in.
"""

from __future__ import annotations

import builtins
import json
import os
import sys
import time
import traceback
from types import CodeType, ModuleType
from typing import Any, Mapping, NamedTuple

import jackfield
from jackfield import idle, python2, twister, unheard, verdict
from jackfield.errors import JackfieldError, TestEnd, text_of

SKIPPED_STATUS = 77
# Reasons travel to pages and mails; the whole traceback is in the log.
REASON_CHARS_MAX = 2000


class End(NamedTuple):
    """How a script ended."""

    status: int
    """The exit status of its process."""
    verdict: str | None = None
    """What is to be declared to the EP; `None` where the exit status says it all."""
    reason: str = ""
    """One sentence; empty where there is nothing to say."""
    crashed: bool = False
    """It died instead of ending."""
    because: str | None = None
    """Which rule says so, where it is not the script's own word: `file`, what stands in it."""


# The scanner alone: `json.loads` also looks for white space with regular expressions, at the price of a dozen pages.
_scan = json.JSONDecoder().scan_once


def read_message(body: bytes) -> dict[str, Any]:
    """The EP's message about a test."""
    message: dict[str, Any] = _scan(body.decode(), 0)[0]
    return message


def rehearse() -> None:
    """Do once what each test does, or may do: modules that are imported and tables that are built then are there in every child."""
    unheard.listen()
    read_message(b'{"env": {"A": "1"}, "inject": {"b": [1.5, null, true]}}')
    for source in (b"x = 1\n", b"assert True\n"):
        idle.told(source, "warm.py")
        exec(compile(source, "warm.py", "exec", dont_inherit=True), {})


def new_main() -> ModuleType:
    """The module that a script is to become, with everything in it that is the same for every script."""
    main = ModuleType("__main__")
    main.__dict__.update(twister.NAMES)
    main.__dict__.update(os=os, sys=sys, time=time, breakpoint=jackfield.breakpoint)
    main.__dict__.update(__builtins__=builtins, __cached__=None)
    return main


def run(main: ModuleType, file: str, argv: list[str], inject: Mapping[str, Any]) -> int:
    """Run the script as this module, tell the EP how it ended, and answer with the exit status for this process."""
    owner = os.getpid()
    main.__dict__.update(inject)
    main.__dict__["__file__"] = file
    sys.modules["__main__"] = main
    sys.argv = [file, *argv]
    sys.breakpointhook = jackfield.breakpoint
    unheard.listen()
    leave = os._exit
    os._exit = _telling(leave, owner, main.__dict__)  # type: ignore[assignment]
    try:
        end = _with_all_it_began(_execute(main.__dict__))
    finally:
        os._exit = leave  # type: ignore[assignment]
    _tell(end, owner)
    return end.status


def _tell(end: End, owner: int) -> None:
    # A process that the script forked, and that came here by the same way, does not speak for the test.
    if end.verdict is not None and os.getpid() == owner:
        try:
            reason = end.reason[:REASON_CHARS_MAX] or None
            jackfield.call("result", verdict=end.verdict, reason=reason, crashed=end.crashed or None, because=end.because)
        except JackfieldError as error:
            # A test that died of an EP that is gone has said so.
            why = end.reason if str(error) in end.reason else f"{error}; {end.reason}"
            _say(f"this test is {end.verdict}, but the EP could not be told: {why}")


def _telling(leave: Any, owner: int, names: Mapping[str, Any]) -> Any:
    """`os._exit` of a script, which goes past everything here: a verdict that it has set is not turned into a PASS by it either."""

    def _exit(status: int) -> None:
        if status == 0 and os.getpid() == owner:
            left = _result(names)
            if left is None or left.verdict in (None, "PASS"):
                left = _unheard() or left
            if left is not None and left.verdict not in (None, "PASS"):
                _tell(left, owner)
                status = left.status
        leave(status)

    return _exit


def _unheard() -> End | None:
    """What the first thing makes of a test that went wrong where nobody looked."""
    if not unheard.found:
        return None
    error, where = unheard.found[0]
    if error is None:
        return End(1, "INVALID", where, because="file")
    if isinstance(error, TestEnd):
        return _declared(error.verdict, error.reason)
    return End(1, "FAIL", f"{_said(error)}, which nothing caught in {where}")


def _with_all_it_began(end: End) -> End:
    """A test that would pass waits for its threads, and is told what went wrong in them and in tasks of asyncio."""
    if end.status != 0 or end.verdict not in (None, "PASS"):
        return end
    unheard.at_the_end()
    return _unheard() or end


def _execute(names: dict[str, Any]) -> End:
    try:
        exec(_load(names["__file__"]), names)
    except TestEnd as end:
        return _declared(end.verdict, end.reason)
    except SystemExit as end:
        return _by_unittest(end) or _exited(end.code, names)
    except _Unreadable as error:
        _say(str(error))
        return End(1, "INVALID", str(error), because="file")
    except AssertionError as error:
        _print_traceback(error)
        return End(1, "FAIL", text_of(error) or _asserted(error))
    except BaseException as error:
        _print_traceback(error)
        return End(1, "FAIL", f"crashed: {_said(error)}{python2.name(error)}", crashed=True)
    return _result(names) or _failed_quietly() or _PASS


def _said(error: BaseException) -> str:
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


_PASS = End(0)


class _Unreadable(Exception):
    """The file is no script of this interpreter, or one in which nothing runs."""


def _load(file: str) -> CodeType:
    try:
        source = _read(file)
    except OSError as error:
        raise _Unreadable(f"{file} cannot be read: {error.strerror or error}") from None
    if file.endswith((".pyc", ".pyo")):
        return _load_compiled(file, source)
    if b"unittest" in source:
        _watch_unittest()
    if b"doctest" in source:
        _watch_doctest()
    if b"async " in source:
        unheard.expect_coroutines()
    nothing = idle.told(source, file)
    if nothing is not None:
        raise _Unreadable(nothing)
    try:
        return compile(source, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        what = python2.syntax(error, source)
        if what is None:
            raise
        raise _Unreadable(
            f"only Python 2 can read {os.path.basename(file)}: line {error.lineno} has {what}; "
            f"convert it with `2to3 -w {os.path.basename(file)}` (Debian package `2to3`), and look at what it changed"
        ) from None


def _read(file: str) -> bytes:
    """The whole file. Not with `open`, whose layers cost a forked child more than the reading."""
    opened = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = []
        # A larger piece would have the system map and unmap memory for it.
        while piece := os.read(opened, 1 << 16):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(opened)


def _load_compiled(file: str, content: bytes) -> CodeType:
    import importlib.util
    import marshal

    if content[:4] != importlib.util.MAGIC_NUMBER:
        raise _Unreadable(f"{os.path.basename(file)} was compiled by another Python than {sys.version.split()[0]}; use its source")
    try:
        code = marshal.loads(content[16:])
    except (EOFError, ValueError, TypeError) as error:
        raise _Unreadable(f"{os.path.basename(file)} is damaged: {error}; use its source") from None
    if not isinstance(code, CodeType):
        raise _Unreadable(f"{os.path.basename(file)} holds no module; use its source")
    return code


def _result(names: Mapping[str, Any]) -> End | None:
    """What the script left in `_RESULT` and `_REASON`; `None` where it left nothing, which is a plain PASS."""
    if "_RESULT" not in names:
        return None
    word, reason = verdict.read(names["_RESULT"])
    given = names.get("_REASON")
    return _declared(word, reason or ("" if given is None else text_of(given)))


def _declared(word: str, reason: str) -> End:
    if not reason and word == "PASS":
        return _PASS
    status = {"PASS": 0, "SKIPPED": SKIPPED_STATUS}.get(word, 1)
    return End(status, word, reason)


def _exited(code: object, names: Mapping[str, Any]) -> End:
    """`sys.exit` says it, unless `_RESULT` says something worse: a verdict that was set is not turned into a PASS by exit status 0."""
    if code is None or isinstance(code, int):
        status, reason = _status(int(code or 0))
    else:
        status, reason = 1, text_of(code)
        _say(reason)
    if status == 0:
        return _result(names) or _failed_quietly() or _PASS
    left = _result(names)
    if left is not None and left.verdict not in (None, "PASS"):
        return left._replace(status=status)
    return End(status, "FAIL", reason) if reason else End(status)


def _by_unittest(end: SystemExit) -> End | None:
    """What `unittest.main` leaves out where it ends well: that there was no test, or that all of them were skipped."""
    if "unittest" not in sys.modules or end.code not in (False, 0, 5):
        return None
    trace = end.__traceback__
    while trace is not None:
        program = trace.tb_frame.f_locals.get("self")
        if type(program).__module__ == "unittest.main":
            result = getattr(program, "result", None)
            run, skipped = getattr(result, "testsRun", None), getattr(result, "skipped", [])
            # Of a class or module that is skipped as a whole no test counts as run.
            if run == 0 and not skipped:
                return End(1, "INVALID", "unittest found no tests in it", because="file")
            if run is not None and run <= len(skipped):
                return End(SKIPPED_STATUS, "SKIPPED", f"every test in it was skipped: {skipped[0][1]}")
        trace = trace.tb_next
    return None


# What runs of unittest and doctest in this process came to that were not well.
_unsuccessful: list[str] = []


def _watch_unittest() -> None:
    """Keep in mind what unittest's runner saw fail: `unittest.main(exit=False)` leaves it to the script to look."""
    import unittest

    kept = unittest.TextTestRunner.run

    def run(self: Any, test: Any) -> Any:
        result = kept(self, test)
        bad = [*result.failures, *result.errors, *((one, "") for one in result.unexpectedSuccesses)]
        if bad:
            what = str(bad[0][1]).strip().rpartition("\n")[2] or "it passed, and was not to"
            _unsuccessful.append(f"{len(bad)} of {result.testsRun} tests of unittest failed: {bad[0][0]}: {what}")
        return result

    unittest.TextTestRunner.run = run  # type: ignore[method-assign]


def _watch_doctest() -> None:
    """The same of examples in texts: `doctest.testmod()` prints what failed, and leaves it to the script to look."""
    import doctest

    kept = doctest.DocTestRunner.run

    def run(self: Any, test: Any, *args: Any, **more: Any) -> Any:
        result = kept(self, test, *args, **more)
        if result.failed:
            _unsuccessful.append(f"{result.failed} of {result.attempted} examples of doctest failed in {test.name}")
        return result

    doctest.DocTestRunner.run = run  # type: ignore[method-assign]


def _failed_quietly() -> End | None:
    """A script whose tests failed, and that says nothing of it, has not passed. What it sets as `_RESULT` goes before this."""
    return End(1, "FAIL", _unsuccessful[0]) if _unsuccessful else None


def _status(code: int) -> tuple[int, str]:
    """What a process can leave with. The system keeps eight bits, of which a failure may have none."""
    status = code & 0xFF
    return (1, f"sys.exit({code})") if code and not status else (status, "")


def _asserted(error: AssertionError) -> str:
    """The line of an `assert` without a message: better than no reason at all."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"line {last.lineno}: {last.line}" if last.line else f"line {last.lineno} of {last.filename}"


def _print_traceback(error: BaseException) -> None:
    """As the interpreter prints it, but from the script's own first line on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and trace.tb_frame.f_code.co_filename.startswith(unheard.OWN_FILES):
        trace = trace.tb_next
    try:
        lines = traceback.format_exception(type(error), error, trace)
    except Exception as broken:
        lines = [f"{type(error).__name__}, whose traceback cannot be shown: {type(broken).__name__}\n"]
    _say("".join(lines).rstrip("\n"))


def _say(text: str) -> None:
    """A line for the log, also where the test has closed its standard error, or put something else there."""
    try:
        print(text, file=sys.stderr, flush=True)
    except Exception:
        try:
            os.write(2, text.encode("utf-8", "backslashreplace") + b"\n")
        except OSError:
            # There is no such descriptor any more: the EP is still told the verdict.
            pass
