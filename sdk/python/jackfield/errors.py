"""What can go wrong, and how a test ends itself."""

from __future__ import annotations

from typing import Callable


class JackfieldError(Exception):
    """A call that the EP or the engine refused, or that could not be made at all.

    `code` is one word that scripts may compare (`not_found`, `held`, `wrong_state`, …; `unreachable` when there is no EP to ask),
    `title` is the sentence for people, `field` names the parameter that is to blame, where one is.
    """

    def __init__(self, code: str, title: str, field: str | None = None, status: int = 0) -> None:
        super().__init__(code, title, field, status)
        self.code = code
        self.title = title
        self.field = field
        self.status = status

    def __str__(self) -> str:
        where = f" (parameter `{self.field}`)" if self.field else ""
        return f"{self.title}{where} [{self.code}]"


def text_of(value: object, show: Callable[[object], str] = str) -> str:
    """The text of anything that a test made; also of what cannot be shown: then its type, and why."""
    try:
        return show(value)
    except Exception as error:
        return f"<{type(value).__name__} cannot be shown: {type(error).__name__}>"


class CheckFailed(AssertionError):
    """A value that was checked is not as it was to be; the text says how."""


class TestEnd(BaseException):
    """The test has decided how it ends.

    Not an `Exception`, so that a test's own `except Exception` does not swallow its verdict by accident.
    """

    __test__ = False
    verdict = "FAIL"

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = text_of(reason)


class TestFailed(TestEnd):
    """Ends the test with FAIL."""

    verdict = "FAIL"


class TestAborted(TestEnd):
    """Ends the test with ABORTED."""

    verdict = "ABORTED"


class TestTimeout(TestEnd):
    """Ends the test with TIMEOUT."""

    verdict = "TIMEOUT"


class TestSkipped(TestEnd):
    """Ends the test with SKIPPED."""

    verdict = "SKIPPED"
