"""Run one Python test in an interpreter of its own: `python3 run.py FILE [ARGUMENT …]`.

For interpreters beside the EP's warm one: another version, a virtual environment, a lab's own build. The test finds the same names
and is judged by the same rules.
"""

from __future__ import annotations

import os
import sys

_SDK_DIR = os.path.dirname(os.path.realpath(__file__))
if sys.path and os.path.realpath(sys.path[0]) == _SDK_DIR:
    del sys.path[0]
sys.path += [_SDK_DIR, os.path.join(_SDK_DIR, "libs")]

from jackfield import injected, script  # noqa: E402


def main() -> int:
    if len(sys.argv) < 2:
        print("usage: run.py FILE [ARGUMENT …]", file=sys.stderr)
        return 2
    file, argv = sys.argv[1], sys.argv[2:]
    sys.path.insert(0, os.path.dirname(os.path.abspath(file)))
    return script.run(script.new_main(), file, argv, injected.names())


if __name__ == "__main__":
    sys.exit(main())
