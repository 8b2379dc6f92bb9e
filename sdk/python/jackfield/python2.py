"""Recognising scripts that only Python 2 can read, so that their authors are told so instead of "invalid syntax"."""

from __future__ import annotations

import re

# What a line holds that Python 2 could read and Python 3 cannot. Looked for only where the compiler stumbled.
_SYNTAX = (
    (re.compile(r"(^|[;:])\s*print\s+[^=.,)\]:]"), "a print statement"),
    (re.compile(r"^\s*except\b[^:(]*[\w.)]\s*,\s*\w+\s*:|^\s*except\s*\([^)]*\)\s*,\s*\w+\s*:"), "`except X, e`"),
    (re.compile(r"(^|[;:])\s*exec\s+[^=(]|(^|[;:])\s*exec\s*\(.*\)\s*in\b"), "an exec statement"),
    (re.compile(r"(^|[;:])\s*raise\s+[\w.]+\s*,"), "`raise X, text`"),
    (re.compile(r"<>"), "`<>`"),
    (re.compile(r"`[^`]+`"), "backticks"),
    (re.compile(r"(?<![\w.])0[0-7]+(?![\w.])"), "an octal number such as 0755"),
    (re.compile(r"(?<![\w.])(0[xX][0-9a-fA-F]+|\d+)[lL]\b"), "a long number such as 10L"),
    (re.compile(r"\b[uU][rR]['\"]"), "a string such as ur''"),
    (re.compile(r"^\s*def\s+\w+\s*\(.*\([^()]*\)\s*[,)]|\blambda\s*\("), "a parameter in parentheses"),
)
_NAMES = frozenset(
    "apply basestring buffer cmp coerce execfile file intern long raw_input reduce reload unichr unicode xrange".split()
)
_MODULES = frozenset(
    (
        "__builtin__ anydbm BaseHTTPServer commands ConfigParser Cookie cookielib copy_reg cPickle cStringIO dummy_thread "
        "exceptions HTMLParser httplib md5 Queue SimpleHTTPServer sets sha SocketServer StringIO thread Tkinter tkMessageBox "
        "urllib2 urlparse UserDict xmlrpclib"
    ).split()
)


def syntax(error: SyntaxError, source: bytes) -> str | None:
    """What of Python 2 the compiler stumbled over; `None` where it is a plain mistake."""
    if isinstance(error, TabError):
        return "indented with a mix of tabs and spaces"
    lines = source.decode("utf-8", "replace").splitlines()
    number = error.lineno or 0
    # A print without parentheses is sometimes reported at the line that follows it.
    for line in lines[max(0, number - 2) : number][::-1]:
        code = line.split("#", 1)[0].rstrip()
        for pattern, what in _SYNTAX:
            if pattern.search(code):
                return what
    return None


def name(error: BaseException) -> str:
    """A remark for an error at run time that comes from Python 2 having had the name; empty otherwise."""
    if isinstance(error, ModuleNotFoundError) and error.name in _MODULES:
        return " (a module of Python 2; `2to3 -w` finds its successor)"
    found = re.match(r"name '(\w+)' is not defined", str(error)) if isinstance(error, NameError) else None
    if found and found.group(1) in _NAMES:
        return " (a name of Python 2; `2to3 -w` converts it)"
    return ""
