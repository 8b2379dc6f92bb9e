"""Run the tests of all SDKs: `python3 sdk/test.py [NAME …]`, where a name is that of a test file without `test_` (`python`, `tcl` …).

A language that this machine lacks is a failure, not a skip: install it, or name the languages to be tested.
"""

from __future__ import annotations

import os
import shutil
import sys
import unittest

TESTS_DIR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python", "tests")
# What each test file needs, and the Debian package that brings it.
NEEDS = {
    "python": {},
    "calls": {},
    "libs": {},
    "warm": {},
    "tcl": {"tclsh": "tcl", "expect": "expect"},
    "perl": {"perl": "perl"},
    "shell": {"sh": "dash", "awk": "mawk", "bash": "bash"},
    "java": {"javac": "default-jdk-headless"},
    "moving": {"tclsh": "tcl", "perl": "perl"},
    "examples": {"tclsh": "tcl", "perl": "perl"},
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in NEEDS]
    if unknown:
        print(f"there are no tests named {', '.join(unknown)}; there are {', '.join(NEEDS)}", file=sys.stderr)
        return 2
    wanted = names or list(NEEDS)
    missing = sorted({package for name in wanted for program, package in NEEDS[name].items() if shutil.which(program) is None})
    if missing:
        print(f"these tests need what is not installed here: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 1
    os.chdir(TESTS_DIR)
    sys.path.insert(0, TESTS_DIR)
    suite = unittest.defaultTestLoader.loadTestsFromNames([f"test_{name}" for name in wanted])
    result = unittest.TextTestRunner(buffer=True).run(suite)
    if result.skipped:
        print(f"{len(result.skipped)} tests were skipped: that is a failure here", file=sys.stderr)
    return 0 if result.wasSuccessful() and not result.skipped else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
