"""Twister's class for tests in the manner of `unittest`: every method whose name begins with `test` runs, in the order of names.

    class Ping(TwisterTest):
        def test_answers(self):
            self.assertIn("64 bytes", ping())

    _RESULT = Ping().main()

Each method is also a part of the test with a verdict of its own. A `setUp` that fails, which Twister only printed, fails its test.
"""

import sys
import traceback

import jackfield
from jackfield.errors import JackfieldError, TestEnd

__all__ = ["TwisterTest"]


class TwisterTest(object):
    """Derive from it, add methods that begin with `test`, and call `main`."""

    test_identifier = "test"

    def __str__(self):
        return "<%s tests=%s>" % (type(self).__name__, list(self))

    def __iter__(self):
        return iter(sorted(name for name in dir(self) if name.startswith(self.test_identifier) and callable(getattr(self, name))))

    def setUpClass(self):
        """Before all tests."""

    def tearDownClass(self):
        """After all tests."""

    def setUp(self):
        """Before each test."""

    def tearDown(self):
        """After each test."""

    def assertTrue(self, expr, msg=None):
        """The expression is true."""
        self._check(expr, msg, "%r is not true", expr)

    def assertFalse(self, expr, msg=None):
        """The expression is false."""
        self._check(not expr, msg, "%r is not false", expr)

    def assertEqual(self, first, second, msg=None):
        """The two are equal."""
        self._check(first == second, msg, "%r is not %r", first, second)

    def assertNotEqual(self, first, second, msg=None):
        """The two are not equal."""
        self._check(first != second, msg, "%r is equal to %r", first, second)

    def assertIn(self, member, container, msg=None):
        """The member is in the container."""
        self._check(member in container, msg, "%r is not in %r", member, container)

    def assertNotIn(self, member, container, msg=None):
        """The member is not in the container."""
        self._check(member not in container, msg, "%r is in %r", member, container)

    def assertIs(self, expr1, expr2, msg=None):
        """The two are the same object."""
        self._check(expr1 is expr2, msg, "%r is another object than %r", expr1, expr2)

    def assertIsNot(self, expr1, expr2, msg=None):
        """The two are different objects."""
        self._check(expr1 is not expr2, msg, "%r is that very object", expr1)

    def fail(self, msg=None):
        """Fail this test now."""
        raise AssertionError(msg or "failed by the test")

    def run(self):
        """Run everything; `PASS`, or `FAIL` with what failed."""
        failed = []
        if self._run_one("setUpClass", self.setUpClass, failed):
            for name in self:
                reason = self._run_test(name)
                if reason:
                    failed.append("%s: %s" % (name, reason))
        self._run_one("tearDownClass", self.tearDownClass, failed)
        return ("FAIL", "; ".join(failed)) if failed else "PASS"

    def main(self):
        """As `run`."""
        return self.run()

    def _run_test(self, name):
        failed = []
        if self._run_one("setUp", self.setUp, failed):
            self._run_one("", getattr(self, name), failed)
            self._run_one("tearDown", self.tearDown, failed)
        reason = "; ".join(failed)
        try:
            jackfield.part(name, "FAIL" if reason else "PASS", reason)
        except JackfieldError as error:
            print("*ERROR* the part `%s` could not be reported: %s" % (name, error), file=sys.stderr)
        return reason

    @staticmethod
    def _run_one(name, step, failed):
        """Run it; note what failed, and answer whether it went well. `test_skip` and the like end the whole test."""
        before = name + ": " if name else ""
        try:
            step()
        except TestEnd:
            raise
        except AssertionError as error:
            failed.append(before + str(error))
        except Exception as error:
            traceback.print_exc()
            failed.append("%scrashed: %s: %s" % (before, type(error).__name__, error))
        else:
            return True
        print("%s %s" % (name or "test", failed[-1]), file=sys.stderr)
        return False

    @staticmethod
    def _check(holds, msg, otherwise, *values):
        if not holds:
            raise AssertionError(msg or otherwise % values)
