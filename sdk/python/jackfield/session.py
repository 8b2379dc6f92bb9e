"""A live dialogue with a device. The EP owns it, records it, and shares it between the tests of a run."""

from __future__ import annotations

import os
from typing import Any, NamedTuple, Sequence, Union

from jackfield.client import call

Pattern = Union[str, dict]
Answers = Sequence[tuple]
Path = Union[str, "os.PathLike[str]"]


class Match(NamedTuple):
    """What `Session.expect` found."""

    index: int
    """Which of the patterns."""
    before: str
    """The text before the match."""
    match: str
    """The text that matched."""
    groups: Any
    """The pattern's groups."""


class Cursor(NamedTuple):
    """Where the cursor of a screen is, counted from 0 as `Screen.lines` are."""

    row: int
    column: int
    visible: bool


class Screen(NamedTuple):
    """What stands on the screen of a session at one moment."""

    lines: list[str]
    """Its lines from the top, without the spaces at their ends."""
    cursor: Cursor
    rows: int
    columns: int
    highlighted: list[str]
    """What stands in reverse: the chosen line of a menu, a status line."""
    text: str
    """Its lines as one text."""


class Sight(NamedTuple):
    """What `Session.wait_screen` found."""

    index: int | None
    """Which of the patterns; None where it waited for them to go."""
    match: str | None
    groups: list[str | None]
    screen: Screen


def _screen(view: dict[str, Any]) -> Screen:
    reverse = [piece["text"] for piece in view["highlighted"]]
    return Screen(view["lines"], Cursor(**view["cursor"]), view["rows"], view["columns"], reverse, view["text"])


class Secret:
    """Text that nobody is to read: recordings and logs show stars in its place. Made by `jackfield.secret`."""

    def __init__(self, text: str) -> None:
        self._text = str(text)

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "********"


def secret(text: str) -> Secret:
    """Text that nobody is to read in a recording or a log: `router.send(secret(word))`, `answers=[("[Pp]assword", secret(word))]`."""
    return Secret(text)


def _answers(answers: Answers) -> list[dict[str, Any]]:
    """Answers to questions as they go over the wire."""
    if isinstance(answers, (str, dict)):
        raise TypeError(f'answers are a list of pairs, such as [("confirm", "y")], not {answers!r}')
    wanted = []
    for one in answers:
        if not isinstance(one, (tuple, list)) or not 2 <= len(one) <= 3:
            raise TypeError(f'an answer is a pair of a pattern and a text, such as ("confirm", "y"), not {one!r}')
        asks, answer, *enter = one
        is_secret = isinstance(answer, Secret)
        text = answer.reveal() if is_secret else answer
        wanted.append({"asks": asks, "answer": text, "enter": bool(enter[0]) if enter else True, "secret": is_secret})
    return wanted


def exact(text: str) -> Pattern:
    """A pattern for `Session.expect` that is taken as it stands, not as a regular expression."""
    return {"exact": text}


END: Pattern = {"end": True}
"""A pattern for `Session.expect`: the device closes the dialogue."""
TIMEOUT: Pattern = {"timeout": True}
"""A pattern for `Session.expect`: nothing else came in time."""


def textfsm(template: str, text: str) -> list[dict[str, Any]]:
    """A table of any text by a TextFSM template, its text or its name in the lab: a dictionary for each row."""
    return call("textfsm", template=template, text=text)["rows"]


def millis(seconds: float | None) -> int | None:
    """Seconds, as tests write them, in the milliseconds of the wire."""
    return None if seconds is None else max(0, round(seconds * 1000))


class Executed(NamedTuple):
    """What a command beside a session left: `status` is its exit status, None where a signal ended it or the device does not tell."""

    output: str
    error: str
    status: int | None
    signal: str | None
    cut: bool


class Session:
    """An open session. Made by `jackfield.session`; usable in a `with` statement, which closes it.

    Without `with` it stays open for the following tests of the run on this EP, which join it by its name.
    """

    def __init__(self, name: str, resource: str | None = None) -> None:
        self.name = name
        self.resource = resource

    def command(
        self, command: str, timeout: float | None = None, *, answers: Answers = (), keep_unasked: bool = False, check: bool = True
    ) -> str:
        """Send a command, wait for the prompt, and answer with what stands between: no echo, no pager, no prompt.

        `answers` are pairs of a regular expression for a question that the command may ask and the text that answers it:
        `answers=[("confirm", ""), ("[Pp]assword", secret(word))]`; with a third value False no enter is pressed behind it.
        A line that the device refuses, as its profile knows, is an error unless `check=False`. With `keep_unasked` lines that
        look as if they had come unasked stay in the answer.
        """
        wanted = {"answers": _answers(answers), "keep_unasked": keep_unasked, "check": check}
        return call("session_command", session=self.name, command=command, timeout_millis=millis(timeout), **wanted)["output"]

    def command_to_file(
        self,
        command: str,
        path: Path,
        timeout: float | None = None,
        *,
        answers: Answers = (),
        keep_unasked: bool = False,
        check: bool = True,
        artifact: bool = False,
    ) -> int:
        """Send a command whose answer goes into a file as it comes, however large it is; the answer is the size of the file.

        The file appears when the answer is whole, or when the session breaks: then its last line says why. With `artifact` it is kept
        with the test. The time limit is 10 minutes where none is given; the rest is as `command`.
        """
        wanted = {"answers": _answers(answers), "keep_unasked": keep_unasked, "check": check, "artifact": artifact}
        path = os.path.abspath(os.fspath(path))
        return call("session_command_to_file", session=self.name, command=command, path=path, timeout_millis=millis(timeout), **wanted)["bytes"]

    def unasked(self) -> str:
        """What the device has said without being asked since this was asked last: log lines, answers that came too late."""
        return call("session_unasked", session=self.name)["text"]

    def rows(
        self, command: str, template: str | None = None, timeout: float | None = None, *, check: bool = True
    ) -> list[dict[str, Any]]:
        """Send a command, and make a table of its answer: a dictionary for each row.

        `template` is the text of a TextFSM template, or the name of one in the lab's folder `templates`; without it the lab's template
        for this command and kind of device is taken. A line that the device refuses is an error unless `check=False`.
        """
        wanted = {"session": self.name, "command": command, "template": template, "check": check, "timeout_millis": millis(timeout)}
        return call("session_rows", **wanted)["rows"]

    def config(self, lines: str | Sequence[str], timeout: float | None = None) -> str:
        """Apply lines of configuration. The first that the device refuses is named in the error; those after it are not sent."""
        wanted = lines.splitlines() if isinstance(lines, str) else list(lines)
        return call("session_config", session=self.name, lines=wanted, timeout_millis=millis(timeout))["output"]

    def level(self, level: str, timeout: float | None = None) -> None:
        """Go to a privilege level of the device's profile, up or down."""
        call("session_level", session=self.name, level=level, timeout_millis=millis(timeout))

    def reboot(self, timeout: float | None = None) -> None:
        """Start the device anew, and log in when it is back."""
        call("session_reboot", session=self.name, timeout_millis=millis(timeout))

    def send(self, text: "str | Secret", enter: bool = True) -> None:
        """Send text, and press enter unless told not to. Does not wait. What must stay secret is sent as `secret(text)`."""
        if isinstance(text, Secret):
            call("session_send", session=self.name, text=text.reveal(), enter=enter, secret=True)
        else:
            call("session_send", session=self.name, text=text, enter=enter)

    def expect(self, patterns: Pattern | Sequence[Pattern], timeout: float | None = None) -> Match:
        """Wait until one of the patterns (regular expressions, or `exact(text)`) has come."""
        wanted = [patterns] if isinstance(patterns, (str, dict)) else list(patterns)
        found = call("session_expect", session=self.name, patterns=wanted, timeout_millis=millis(timeout))
        return Match(found["index"], found["before"], found["match"], found.get("groups"))

    def screen(self, rows: int | None = None, columns: int | None = None, quiet: float | None = None) -> Screen:
        """What a full-screen program shows, once it has been quiet for a moment. The first call turns the screen on; a size that is given is told to the device."""
        return _screen(call("session_screen", session=self.name, rows=rows, columns=columns, quiet_millis=millis(quiet)))

    def wait_screen(self, patterns: Pattern | Sequence[Pattern], timeout: float | None = None, gone: bool = False) -> Sight:
        """Wait until one of the patterns stands on the screen (`^` and `$` are the ends of its lines), or, with `gone`, until none does."""
        wanted = [patterns] if isinstance(patterns, (str, dict)) else list(patterns)
        found = call("session_screen_wait", session=self.name, patterns=wanted, gone=gone, timeout_millis=millis(timeout))
        return Sight(found["index"], found["match"], found["groups"], _screen(found["screen"]))

    def press(self, *keys: str) -> None:
        """Press keys by their names: `up`, `F5`, `ctrl-c`, `tab`, `page-down`, or one character."""
        call("session_press", session=self.name, keys=list(keys))

    def execute(self, command: str, timeout: float | None = None) -> "Executed":
        """Run a command beside the dialogue, without a terminal, and wait for its end (SSH)."""
        left = call("session_execute", session=self.name, command=command, timeout_millis=millis(timeout))
        return Executed(left["output"], left["error"], left["status"], left["signal"], left["cut"])

    def put(self, local: Path, remote: str, way: str = "auto", timeout: float | None = None) -> int:
        """Copy a file or a folder to the device (SSH), by SFTP or else by SCP; the answer is its size. A `remote` that ends with `/` is a folder, in which it keeps its name."""
        return self._move("session_put", local, remote, way, timeout)

    def get(self, remote: str, local: Path, way: str = "auto", timeout: float | None = None) -> int:
        """Copy a file or a folder of the device here; the answer is its size. Each file appears when it is whole."""
        return self._move("session_get", local, remote, way, timeout)

    def _move(self, method: str, local: Path, remote: str, way: str, timeout: float | None) -> int:
        local = os.path.abspath(os.fspath(local))
        return call(method, session=self.name, local=local, remote=remote, way=way, timeout_millis=millis(timeout))["bytes"]

    def set_line(
        self,
        speed: int | None = None,
        framing: str | None = None,
        flow: str | None = None,
        dtr: bool | None = None,
        rts: bool | None = None,
    ) -> None:
        """Set the serial line under the session: `set_line(115200, "8N1")`."""
        call("session_line", session=self.name, speed=speed, framing=framing, flow=flow, dtr=dtr, rts=rts)

    def modem_lines(self) -> dict[str, bool]:
        """The modem lines under the session as the other end has them: `cts`, `dsr`, `ri`, `cd`."""
        return call("session_modem", session=self.name)

    def send_break(self, seconds: float = 0.25) -> None:
        """Hold the serial line down, which consoles take for "attention"; over telnet its own break."""
        call("session_break", session=self.name, millis=millis(seconds))

    def wait_break(self, timeout: float | None = None) -> None:
        """Wait until the device has held the serial line down, which is a break; one that came and was not told counts."""
        call("session_wait_break", session=self.name, timeout_millis=millis(timeout))

    def close(self) -> None:
        """Close it for everyone."""
        call("session_close", session=self.name)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Session({self.name!r})"


def open_session(
    resource: str | None = None,
    *,
    connect: dict[str, Any] | None = None,
    name: str | None = None,
    timeout: float | None = None,
    screen: str | None = None,
) -> Session:
    """Open a session with a resource of the lab (`/lab/router`), or with what `connect` describes; join it if that name is open already.

    `screen` is the size of a screen, such as `80x24`, for a device whose programs fill one.
    """
    wanted = {"resource": resource, "connect": connect, "name": name, "screen": screen}
    opened = call("session_open", timeout_millis=millis(timeout), **wanted)
    return Session(opened["session"], resource)


def open_sessions() -> list[str]:
    """The names of the open sessions of this run on this EP."""
    return call("session_list")
