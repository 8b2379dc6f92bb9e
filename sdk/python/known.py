"""Which modules a test would not find: JSON with their names comes on standard input, and goes, with where this Python looks, to standard output.

Nothing is imported: what a module does then is the test's affair.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys

_SDK_DIR = os.path.dirname(os.path.realpath(__file__))
if sys.path and os.path.realpath(sys.path[0]) == _SDK_DIR:
    del sys.path[0]
sys.path += [_SDK_DIR, os.path.join(_SDK_DIR, "libs")]


def _is_there(name: str) -> bool:
    try:
        # Of a part of a package, the package would be imported.
        return name.isidentifier() and (name in sys.modules or importlib.util.find_spec(name) is not None)
    except Exception:
        # Something of that name is there, and broken: the test tells better in which way.
        return True


if __name__ == "__main__":
    missing = [name for name in json.load(sys.stdin) if not _is_there(name)]
    json.dump({"missing": missing, "path": sys.path}, sys.stdout)
