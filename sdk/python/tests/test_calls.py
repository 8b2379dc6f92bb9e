"""The table of calls in the documentation, held to the code: every method of the EP has a row, and every name in it is there and makes that call."""

from __future__ import annotations

import os
import re
import unittest

from lab import SDK_DIR

ROOT = os.path.dirname(SDK_DIR)
LOCAL_API = os.path.join(ROOT, "execution-process", "src", "local_api")
COLUMNS = ("what", "method", "Python", "Tcl", "Perl", "shell", "Java", "steps")
# Where a language defines its calls, and how a definition begins.
SOURCES = {
    "Python": (("python/jackfield/__init__.py", "python/jackfield/session.py", "python/jackfield/client.py", "python/jackfield/step.py"), r"(?:def|class) {}\b"),
    "Tcl": (("tcl/jackfield.tcl",), r"proc jackfield::{} "),
    "Perl": (("perl/Jackfield.pm", "perl/Jackfield/Session.pm"), r"sub {}\b"),
    "shell": (("shell/jackfield.sh",), r"{}\(\) "),
    "Java": (("java/jackfield/Jackfield.java", "java/jackfield/Session.java"), r"(?:public|private) (?:static )?(?:synchronized )?(?:<T> )?[\w<>, .]+ {}\("),
}
DEFINITION = {"Python": r"^ *(?:@|def |class )", "Tcl": r"^proc ", "Perl": r"^sub ", "shell": r"^\w+\(\) ", "Java": r"^    (?:public|private|static)[^=;]*\{$"}
# Two calls of Python have the name of one thing: a session is opened by what `session` stands for, a capture's block makes both.
OTHER_NAMES = {("Python", "session"): "open_session", ("Python", "sessions"): "open_sessions", ("Python", "step"): "Step"}


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def rows():
    page = read(ROOT, "docs", "writing-tests.md").partition("<!-- calls -->")[2].partition("<!-- /calls -->")[0]
    lines = [line for line in page.splitlines() if line.startswith("| ") and "| `" in line]
    return [dict(zip(COLUMNS, (cell.strip() for cell in line.strip("|").split("|")))) for line in lines]


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def served():
    """What the EP answers, by the arms of its matches."""
    methods = read(LOCAL_API, "methods.rs") + read(LOCAL_API, "connection.rs")
    found = set(re.findall(r'^ +"(\w+)" => \{?', methods, re.M)) | set(re.findall(r'method == "(\w+)"', methods))
    found -= {"logrunning", "logdebug", "logtest", "logcli"}
    sessions = read(LOCAL_API, "session_methods.rs").partition("match name {")[2].partition("_ =>")[0]
    return found | {"session_" + name for name in re.findall(r'^ +"(\w+)" =>', sessions, re.M)}


def bodies(language, name):
    """The text of everything that is defined by this name, up to the next definition."""
    sources, begins = SOURCES[language]
    for source in sources:
        text = read(SDK_DIR, source)
        for found in re.finditer(begins.format(re.escape(name)), text):
            end = re.compile(DEFINITION[language], re.M).search(text, found.end())
            # A class is all of its methods.
            yield text[found.start() :] if found.group().startswith("class") else text[found.start() : end.start() if end else None]


class Calls(unittest.TestCase):
    def test_every_method_of_the_ep_has_a_row(self):
        listed = {name for row in rows() for name in names(row["method"])}
        self.assertGreater(len(listed), 40)
        self.assertEqual(listed, served())
        page = read(ROOT, "docs", "local-api.md")
        self.assertEqual(listed, {name for line in page.splitlines() for name in re.findall(r"`(\w+)`", line.split("|")[1] if line.startswith("| `") else "") if name.islower()})

    def test_every_name_is_there_and_makes_the_call(self):
        for row in rows():
            (method,) = names(row["method"])
            for language in SOURCES:
                self.assertTrue(names(row[language]), f"{row['what']}: nothing in {language}")
                for name in names(row[language]):
                    told = f"{row['what']}: `{name}` of {language} and `{method}`"
                    found = list(bodies(language, OTHER_NAMES.get((language, name), name)))
                    self.assertTrue(found, f"{told}: there is no such call")
                    inside = "".join(found)
                    # What a call calls in its place is looked into as well: one step is enough.
                    for helper in set(re.findall(r"\b(_?\w+)\b", inside)) - {name}:
                        if re.fullmatch(r"open|jf_part|checked|ended|Move|_?move|_jf_move|toFile|waitScreen|screen|end|part|link|hello", helper):
                            inside += "".join(bodies(language, helper))
                    self.assertRegex(inside, rf"\b{method}\b", told)

    def test_every_word_of_step_tests_is_read(self):
        steps = os.path.join(ROOT, "config", "src", "steps")
        source = read(steps, "read.rs") + read(steps, "read", "command.rs")
        for row in rows():
            for word in names(row["steps"]):
                self.assertIn(f'"{word}"', source, row["what"])


if __name__ == "__main__":
    unittest.main()
