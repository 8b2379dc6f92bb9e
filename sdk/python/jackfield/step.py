"""A named part of a test, with a verdict of its own."""

from __future__ import annotations

import time
from types import TracebackType

from jackfield.client import call
from jackfield.errors import TestEnd


class Step:
    """`with step("login"):` reports how the block ended as a result inside the test. What the block raised goes on."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._begun = 0.0

    def __enter__(self) -> "Step":
        call("mark", label=self.name)
        self._begun = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        verdict, reason = "PASS", None
        if isinstance(error, TestEnd):
            verdict, reason = error.verdict, error.reason or None
        elif isinstance(error, AssertionError):
            verdict, reason = "FAIL", str(error) or None
        elif kind is not None:
            verdict, reason = "FAIL", f"crashed: {kind.__name__}: {error}"
        elapsed = round((time.monotonic() - self._begun) * 1000)
        call("part", name=self.name, verdict=verdict, reason=reason, elapsed_millis=elapsed)
