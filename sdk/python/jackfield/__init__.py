"""Jackfield for tests in Python: the lab, its devices and the run, from inside a test.

    import jackfield

    with jackfield.session("/lab/router") as router:
        assert "10.0.0.0/24" in router.command("show ip route")

Nothing is connected before the first call. A call that is refused raises `JackfieldError`, whose `code` scripts may compare and
whose text says what to do. Twister's names, with Twister's return conventions, are in `jackfield.twister`.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import Any, Iterator, Mapping, NoReturn, Sequence

from jackfield.client import call, context
from jackfield.errors import CheckFailed, JackfieldError, TestAborted, TestEnd, TestFailed, TestSkipped, TestTimeout
from jackfield.session import END, TIMEOUT, Match, Screen, Secret, Session, exact, millis, secret, textfsm
from jackfield.session import open_session as session
from jackfield.session import open_sessions as sessions
from jackfield.step import Step
from jackfield.step import Step as step

__all__ = [
    "END", "TIMEOUT", "textfsm",
    "CheckFailed", "JackfieldError", "Match", "Screen", "Secret", "Session", "Step", "TestAborted", "TestEnd", "TestFailed", "TestSkipped", "TestTimeout",
    "artifact", "breakpoint", "call", "capture", "check", "cleanup", "context", "delete_resource", "exact", "get_bind_id", "get_bind_name", "get_config",
    "get_global", "get_resource", "get_sut", "interact", "log_msg", "mark", "need", "needs", "part", "power", "rename_resource", "result", "secret", "session", "sessions",
    "set_global", "set_resource", "step", "test_abort", "test_fail", "test_skip", "test_timeout", "variable",
]  # fmt: skip


def log_msg(log: str, text: object) -> None:
    """Add a line to a log of the run: `logRunning`, `logDebug`, `logTest`, `logCli`, or a name of the lab's own."""
    call("log", log=log, text=str(text))


def result(verdict: str, reason: str = "", crashed: bool = False) -> None:
    """Declare the verdict of this test. The last word counts, and the test goes on."""
    call("result", verdict=verdict, reason=reason or None, crashed=crashed or None)


def part(name: str, verdict: str, reason: str = "", elapsed: float | None = None) -> None:
    """Add a result inside this test; `elapsed` in seconds."""
    call("part", name=name, verdict=verdict, reason=reason or None, elapsed_millis=millis(elapsed))


def check(name: str, value: object, *, unit: str = "", go_on: bool = False, **limits: object) -> bool:
    """Hold a value against limits, and keep both with the result: `check("cpu load", load, unit="%", at_most=80)`.

    Limits are the words of a step test: `at_least`, `at_most`, `above`, `below`, `equals`, `not_equals`, `contains`, `not_contains`,
    `matches`, `not_matches`, several of them or none. Numbers may carry units (`at_most="20 ms"`). Where the value is not as it was to be
    the test ends with FAIL; with `go_on` it goes on, the answer is `False`, and it is FAIL all the same.
    """
    words = {word: str(limit) for word, limit in limits.items()}
    found = call("check", name=name, value=str(value), unit=unit or None, limits=words)
    if found["verdict"] == "PASS":
        return True
    if not go_on:
        raise CheckFailed(found["reason"])
    return False


def mark(label: str) -> None:
    """Put a mark into the recordings of this test's sessions; `step` does so by itself."""
    call("mark", label=label)


def variable(name: str, value: object) -> None:
    """Keep a value with this test: `$name` in the lab's SQL and mail."""
    call("variable", name=name, value=str(value))


def artifact(path: str | os.PathLike[str], name: str | None = None) -> None:
    """Keep a file with this attempt."""
    full = os.path.abspath(os.fspath(path))
    call("artifact", name=name or os.path.basename(full), path=full)


def power(resource: str, action: str, timeout: float | None = None) -> str:
    """Switch the mains of a resource `on` or `off`, `cycle` them, or ask for their `status`; answers `on`, `off` or `unknown`."""
    return call("power", resource=resource, action=action, timeout_millis=millis(timeout))["state"]


@contextmanager
def capture(interface: str, filter: str = "", name: str | None = None) -> Iterator[dict[str, int]]:
    """Write the packets on an interface of the EP's machine into `NAME.pcap`, kept with this attempt, while the block runs.

    The filter is that of pcap-filter(7). The block gets a dictionary, which holds `packets`, `dropped` and `bytes` when it has ended.
    """
    counts: dict[str, int] = {}
    running = call("capture_start", interface=interface, filter=filter, name=name)["capture"]
    try:
        yield counts
    finally:
        counts.update(call("capture_stop", capture=running))


def cleanup(name: str, command: Sequence[str], timeout: float | None = None) -> None:
    """Have the EP run a program after this test, however it ends, also when it is killed. The last one registered runs first."""
    if isinstance(command, str):
        raise JackfieldError("bad_request", "a clean-up's command is a list: the program and its arguments", "command")
    call("cleanup", name=name, command=[os.fspath(word) for word in command], timeout_millis=millis(timeout))


def get_global(path: str) -> Any:
    """A global parameter, or a dictionary for a folder of them; `None` where there is none."""
    return call("get_global", path=path)


def set_global(path: str, value: Any) -> None:
    """Set a global parameter for everyone, until the engine reads `globals.xml` again."""
    if value is None:
        raise JackfieldError("bad_request", "a global parameter cannot be None", "value")
    call("set_global", path=path, value=value)


def get_config(config: str, path: str = "") -> Any:
    """A value of a test configuration, or a dictionary for a folder. An iterator answers with the value of this copy of the test."""
    return call("get_config", config=config, path=path or None)


def get_resource(query: str) -> Any:
    """A node of the test-bed tree by path or id (`{id, path, meta, children, version}`), or one property: `/tb1/dev2:port`."""
    return call("get_resource", query=query)


def set_resource(name: str, parent: str = "/", properties: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Create or change a node below `parent`; `{id, created}`."""
    return call("set_resource", name=name, parent=parent, properties=dict(properties or {}))


def rename_resource(query: str, name: str) -> None:
    """Give a node or a property another name."""
    call("rename_resource", query=query, name=name)


def delete_resource(query: str) -> None:
    """Delete a node with everything below it, or one property."""
    call("delete_resource", query=query)


def need(name: str | None = None) -> str:
    """The path of the resource that was given for what the project or the suite needs; of several, the first."""
    return needs(name)[0]


def needs(name: str | None = None) -> list[str]:
    """The paths of all resources that were given for one need. Where there is only one, its name may be left out."""
    given = context().get("needs") or {}
    if name is None and len(given) == 1:
        return next(iter(given.values()))
    if name is None or name not in given:
        there = ", ".join(sorted(given)) or "nothing: write <Needs> into the project or the suite"
        raise JackfieldError("not_found", f"no resource was given as `{name}`; there is {there}", "name")
    return given[name]


def get_sut(query: str, follow_links: bool | None = None) -> Any:
    """A component of a system under test, or one property of it."""
    return call("get_sut", query=query, follow_links=follow_links)


def get_bind_id(component: str, config: str | None = None) -> str | None:
    """The id of the SUT component that a component of a test configuration is bound to."""
    return call("get_bind_id", component=component, config=config)


def get_bind_name(component: str, config: str | None = None) -> str | None:
    """The path of the SUT component that a component of a test configuration is bound to."""
    return call("get_bind_name", component=component, config=config)


def interact(
    kind: str,
    message: str,
    timeout: float | None = None,
    options: Sequence[str] | None = None,
    default: Any = None,
) -> Any:
    """Ask a person: `message` (show it), `input` (a text), `decide` (yes or no), `options` (one of them).

    The answer is `default` when nobody answers within `timeout` seconds.
    """
    wanted = None if options is None else list(options)
    return call("interact", kind=kind, message=message, options=wanted, default=default, timeout_millis=millis(timeout))


def breakpoint(*_: Any, **__: Any) -> None:
    """Stop here, with the local variables shown, until a person lets the test go on."""
    import sys

    frame = sys._getframe(1)
    shown = (f"{name} = {_short(value)}" for name, value in sorted(frame.f_locals.items()) if not name.startswith("__"))
    call("breakpoint", locals=f"{frame.f_code.co_filename}:{frame.f_lineno}\n" + "\n".join(shown))


def test_fail(reason: str = "") -> NoReturn:
    """End this test with FAIL."""
    raise TestFailed(reason)


def test_abort(reason: str = "") -> NoReturn:
    """End this test with ABORTED."""
    raise TestAborted(reason)


def test_timeout(reason: str = "") -> NoReturn:
    """End this test with TIMEOUT."""
    raise TestTimeout(reason)


def test_skip(reason: str = "") -> NoReturn:
    """End this test with SKIPPED."""
    raise TestSkipped(reason)


# pytest collects what is named `test_…`; these are not tests.
for _end in (test_fail, test_abort, test_timeout, test_skip):
    _end.__test__ = False  # type: ignore[attr-defined]
del _end


def _short(value: object) -> str:
    try:
        text = repr(value)
    except Exception as error:  # A broken __repr__ must not end the test.
        text = f"<no text: {error}>"
    return text if len(text) <= 400 else text[:400] + "…"
