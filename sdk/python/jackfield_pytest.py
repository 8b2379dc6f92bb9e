"""A plug-in of pytest's: refuses the options with which it goes through tests without running them, wherever they were said.

Of such a test pytest's own report says that it passed. Among the parameters of a test the EP finds them itself; here are those of `addopts`.
"""

from __future__ import annotations

from typing import Any

# A plan implies the other: the word that was said is told.
_OPTIONS = {"collectonly": "--collect-only", "setupplan": "--setup-plan", "setuponly": "--setup-only"}


def pytest_configure(config: Any) -> None:
    import pytest

    for option, written in _OPTIONS.items():
        if getattr(config.option, option, False):
            raise pytest.UsageError("with `" + written + "` nothing in it would be run; take it away (`addopts` of pytest.ini?)")
