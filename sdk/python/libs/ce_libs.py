"""Twister wrote this file anew before each test. Here it reads what it had to say from the test's own environment."""

from jackfield import injected as _injected
from jackfield.twister import *  # noqa: F401,F403
from jackfield.twister import NAMES as _NAMES

_VALUES = _injected.names()
# Where the engine is, is the EP's business: tests talk to their EP.
_VALUES["PROXY_ADDR"] = ""
globals().update(_VALUES)

__all__ = sorted([*_NAMES, *_VALUES])
