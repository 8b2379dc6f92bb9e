"""What the tests of all languages share: an EP of their own, a folder, and scripts that are run in it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest

from fake_ep import FakeEp

SDK_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The interpreter under test: the system's, which an EP uses unless told otherwise.
PYTHON = os.environ.get("JACKFIELD_TEST_PYTHON") or ("/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3")
# A script that takes longer hangs: the tests say so instead of hanging with it.
SCRIPT_SECONDS_MAX = 30


class Lab(unittest.TestCase):
    """A fresh EP and a fresh folder for each test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="jf")
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        self.ep = FakeEp(os.path.join(self.folder, "ep.sock"))
        self.ep.__enter__()
        self.addCleanup(self.ep.__exit__)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def execute(self, command, **env):
        """Run a command as an EP would run a test."""
        return subprocess.run(
            command, cwd=self.folder, env=self.ep.environment(**env), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SCRIPT_SECONDS_MAX
        )

    def ended(self, done, status, result=None):
        """Assert how a script ended: its exit status, and what it declared (verdict, reason, crashed)."""
        self.assertEqual((done.returncode, self.ep.result), (status, result), done.stdout + done.stderr)
