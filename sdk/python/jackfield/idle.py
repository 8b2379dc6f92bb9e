"""Scripts in which nothing runs: they end like any other, and would count as passed."""

from __future__ import annotations

import os
import re
from typing import Any

# A call or a statement at the margin: such a script does something, and its tree need not be built.
_DOES = re.compile(rb"^(?:[A-Za-z_][\w.]*[ \t]*[(\[+|&-]|_RESULT\b|(?:assert|for|while|if|with|try|del|raise|async for|async with)\b)", re.M)


def told(source: bytes, file: str) -> str | None:
    """What is wrong with a script whose lines only define something, with the remedy; `None` where one of them does anything."""
    if _DOES.search(source):
        return None
    import ast

    try:
        lines = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None  # told by who compiles it
    if not all(_defines(line) for line in lines):
        return None
    name = os.path.basename(file)
    defined = [line for line in lines if isinstance(line, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
    if not defined:
        # One that imports others may be run by them, and who sets a value has done so.
        if any(not isinstance(line, ast.Expr) for line in lines):
            return None
        return f"nothing in `{name}` runs: nothing would be tested; copy it anew, or take it out of the project"
    first = defined[0]
    call = "unittest.main()" if b"unittest" in source and isinstance(first, ast.ClassDef) else f"{first.name}(...)"
    return f"`{name}` defines `{first.name}` and calls nothing: nothing was tested; end it with `{call}`, or name it test_{name} to have pytest run it"


def _defines(line: Any) -> bool:
    """Whether a line at the margin only gives something a name, and does nothing."""
    import ast

    if isinstance(line, (ast.Assign, ast.AnnAssign)):
        return line.value is None or isinstance(line.value, ast.Constant)
    if isinstance(line, ast.Expr):
        return isinstance(line.value, ast.Constant)
    if isinstance(line, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        # What decorates may also register and call.
        return not line.decorator_list
    return isinstance(line, (ast.Import, ast.ImportFrom))
