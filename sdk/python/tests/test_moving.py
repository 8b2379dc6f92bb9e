"""The page for those who come from Twister: every call in its table is what the page says it is, in every SDK."""

from __future__ import annotations

import os
import re
import sys
import unittest

from lab import SDK_DIR, Lab

sys.path.insert(0, os.path.join(SDK_DIR, "python"))

import jackfield  # noqa: E402
from jackfield import twister  # noqa: E402

PAGE = os.path.join(os.path.dirname(SDK_DIR), "docs", "moving-from-twister.md")
# What tests find beside Twister's names: ours, under their own.
OURS = {"session", "step", "check", "variable", "artifact", "cleanup", "logMessage", "currentFsuiteIndex"}
STATES = {"works", "differs", "not yet"}


def rows():
    """Of each row: the names for Python, Tcl and Perl, and what the page says of them."""
    with open(PAGE, encoding="utf-8") as page:
        table = page.read().split("<!-- calls -->")[1].split("<!-- /calls -->")[0]
    for line in table.strip().splitlines()[2:]:
        _, _, *languages, state, _, _ = [cell.strip() for cell in line.split("|")]
        yield [re.findall(r"`([^`]+)`", cell) for cell in languages], state


class Moving(Lab):
    def test_every_row_has_a_state_that_is_explained(self):
        self.assertGreater(len(list(rows())), 15)
        for _, state in rows():
            self.assertIn(state, STATES)

    def test_python(self):
        shown = set()
        for (python, _, _), state in rows():
            for name in python:
                shown.add(name)
                with self.subTest(name):
                    self.assertIn(name, twister.NAMES)
                    is_absent = name in ABSENT
                    self.assertEqual(is_absent, state == "not yet")
                    if is_absent:
                        with self.assertRaises(jackfield.JackfieldError) as caught:
                            twister.NAMES[name]("any", thing=1)
                        self.assertIn(f"`{name}` of Twister is not there yet", str(caught.exception))
        self.assertEqual(set(twister.NAMES) - OURS - shown, set(), "the page leaves these out")

    def test_a_call_that_is_not_there_yet_ends_the_test_with_its_reason(self):
        path = self.write("t.py", "reserve_tb('/tb1')")
        done = self.execute([sys.executable, os.path.join(SDK_DIR, "python", "run.py"), path])
        self.assertEqual((done.returncode, self.ep.result[0]), (1, "FAIL"))
        self.assertIn("`reserve_tb` of Twister is not there yet: a run has its resources for itself", self.ep.result[1])

    def test_tcl(self):
        for (_, tcl, _), state in rows():
            for name in tcl:
                script = f"if {{[info commands {name}] eq {{}}}} {{ error none }}; if {{[catch {{ {name} a b }} said]}} {{ puts $said }}; set _RESULT PASS"
                self.check(name, state, ["tclsh", os.path.join(SDK_DIR, "tcl", "run.tcl"), self.write("t.tcl", script)])

    def test_perl(self):
        for (_, _, perl), state in rows():
            for name in perl:
                script = f"die 'none' if !main->can('{name}'); eval {{ {name}('a', 'b') }}; print $@; exit 0;"
                self.check(name, state, ["perl", os.path.join(SDK_DIR, "perl", "run.pl"), self.write("t.pl", script)])

    def check(self, name, state, command):
        with self.subTest(name):
            if state != "not yet":
                # Those that end a test, or talk with the EP, have tests of their own; here it is enough that they are there.
                command = command[:-1] + [self.write(os.path.basename(command[-1]), self.only_asks(name, command[-1]))]
            done = self.execute(command)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual("is not there yet" in done.stdout, state == "not yet", done.stdout)

    @staticmethod
    def only_asks(name, path):
        if path.endswith(".tcl"):
            return f"if {{[info commands {name}] eq {{}}}} {{ error none }}; set _RESULT PASS"
        return f"die 'none' if !main->can('{name}'); exit 0;"


ABSENT = {spelled for name in twister._NOT_YET for spelled in (name, twister._camel(name))}

if __name__ == "__main__":
    unittest.main()
