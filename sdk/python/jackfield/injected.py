"""Twister's names for the test at hand (`USER`, `EP`, `SUT` …), read from the environment that the EP gives every test.

The warm interpreter gets them from the EP; this is for the other ways a script can be started.
"""

from __future__ import annotations

import json
import os
from typing import Any


def names() -> dict[str, Any]:
    """Every injected name with its value; empty values where the EP set nothing."""
    env = os.environ.get
    iteration = env("JACKFIELD_ITERATION", "")
    component, name, value = _first_iterator(iteration)
    file = env("JACKFIELD_TEST_FILE", "")
    return {
        "USER": env("JACKFIELD_USER", ""),
        "EP": env("JACKFIELD_EP", ""),
        "SUT": env("JACKFIELD_SUT", ""),
        "SUITE_ID": env("JACKFIELD_SUITE_ID", ""),
        "SUITE_NAME": env("JACKFIELD_SUITE_NAME", ""),
        "FILE_ID": env("JACKFIELD_TEST_ID", ""),
        "FILE_NAME": env("JACKFIELD_TEST_NAME", "") or os.path.basename(file),
        "PROPERTIES": json.loads(env("JACKFIELD_PROPERTIES") or "{}"),
        "CONFIG": [config for config in env("JACKFIELD_CONFIG", "").split(";") if config],
        "ITERATION": iteration,
        "FIRST_ITERATOR_COMP": component,
        "FIRST_ITERATOR_NAME": name,
        "FIRST_ITERATOR_VAL": value,
    }


def _first_iterator(iteration: str) -> tuple[str, str, str]:
    """`file#component#name=value, …`: component, name and value of the first; the component may be missing."""
    key, equals, value = iteration.split(", ")[0].partition("=")
    if not equals:
        return "", "", ""
    words = key.split("#")
    return (words[1] if len(words) > 2 else ""), words[-1], value
