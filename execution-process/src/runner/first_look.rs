//! What a test file shows before it is run: that there is nothing in it, that it was written on another system, or for pytest.
//!
//! The kernel and the shells say of all this only that something was not found.

use std::{io::Read, path::Path};

use jackfield_config::ep::RunnerKind;
use jackfield_protocol::verdict::{Cause, DecidedBy, Outcome, Verdict};

use crate::limits::FIRST_LOOK_BYTES;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// The names that pytest collects by itself.
const PYTEST_PREFIX: &str = "test_";
const PYTEST_ENDING: &str = "_test.py";

/// The beginning of a test file; all of it, where it is a script that a person wrote.
#[derive(Clone, Debug)]
pub(crate) struct FirstLook {
    name: String,
    head: Vec<u8>,
}

impl FirstLook {
    /// Takes it.
    ///
    /// # Errors
    /// A file that cannot be read, or in which there is nothing.
    pub(crate) fn take(path: &Path) -> Result<Self, Outcome> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut head = Vec::new();
        let read =
            std::fs::File::open(path).and_then(|file| file.take(FIRST_LOOK_BYTES).read_to_end(&mut head));
        if let Err(error) = read {
            return Err(Outcome::not_pass(
                Verdict::Invalid,
                Cause::Lab,
                DecidedBy::NotStarted,
                format!("`{name}` cannot be read: {error}"),
            ));
        }
        let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head);
        if text.iter().all(u8::is_ascii_whitespace) {
            let how = if head.is_empty() { "is empty" } else { "has nothing in it but blanks" };
            return Err(wrong(format!(
                "`{name}` {how}: nothing would be tested; copy it anew, or take it out of the project"
            )));
        }
        Ok(Self { name, head })
    }

    /// Refuses a script that is nothing but comments, where its language writes them so.
    pub(super) fn refuse_comments(&self) -> Result<(), Outcome> {
        let is_idle = |line: &str| line.trim().is_empty() || line.starts_with('#');
        let is_whole = u64::try_from(self.head.len()).is_ok_and(|bytes| bytes < FIRST_LOOK_BYTES);
        if is_whole && self.lines().all(|line| is_idle(&line)) {
            let name = &self.name;
            return Err(wrong(format!(
                "`{name}` has nothing in it but comments: nothing would be tested; copy it anew, or take it out of the project"
            )));
        }
        Ok(())
    }

    /// What keeps this kind of program from reading the file.
    pub(super) fn refuse(&self, kind: RunnerKind, reads_first_line: bool) -> Result<(), Outcome> {
        let name = &self.name;
        let is_wide = self.head.starts_with(b"\xFF\xFE") || self.head.starts_with(b"\xFE\xFF");
        if is_wide && kind != RunnerKind::Executable {
            return Err(wrong(format!("`{name}` is written in UTF-16; save it as UTF-8")));
        }
        if !reads_first_line {
            return Ok(());
        }
        if self.head.starts_with(BYTE_ORDER_MARK) {
            return Err(wrong(format!(
                "`{name}` begins with a byte order mark; save it as UTF-8 without one"
            )));
        }
        let first = self.head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let is_script = self.head.starts_with(b"#!") || kind != RunnerKind::Executable;
        if is_script && first.ends_with(b"\r") {
            let reason = format!(
                "`{name}` has Windows line endings (CR LF); convert it with: sed -i 's/\\r$//' {name}"
            );
            return Err(wrong(reason));
        }
        Ok(())
    }

    /// The line that may say what runs the file.
    pub(super) fn first_line(&self) -> std::borrow::Cow<'_, str> {
        self.lines().next().unwrap_or_default()
    }

    /// Whether the first line names a program that is not Perl: Perl runs that in its place, with all that it was told itself.
    pub(super) fn is_for_another_than_perl(&self) -> bool {
        let first = self.first_line();
        first.starts_with("#!") && !first.contains("perl")
    }

    /// Whether the first line gives Perl this switch, which then has to stand on the command line, too.
    pub(super) fn perl_is_tainted(&self) -> bool {
        let first = self.first_line();
        let switches =
            first.strip_prefix("#!").and_then(|line| line.split_once("perl")).map_or("", |(_, rest)| rest);
        let mut words = switches.split_whitespace().filter_map(|word| word.strip_prefix('-'));
        words.any(|word| word.contains('T') && !word.starts_with(['I', 'M', 'm']))
    }

    /// Whether pytest is meant: it has one of pytest's names and tests of its kind, which a plain Python would define and never call.
    pub(super) fn is_for_pytest(&self) -> bool {
        let is_named = self.name.ends_with(PYTEST_ENDING)
            || (self.name.starts_with(PYTEST_PREFIX) && self.name.ends_with(".py"));
        if !is_named {
            return false;
        }
        let begins = |beginnings: &[&str]| {
            self.lines().any(|line| beginnings.iter().any(|begin| line.starts_with(begin)))
        };
        // pytest takes every class of unittest for tests, whatever its name.
        let of_unittest = |line: &str| line.starts_with("class ") && line.contains("TestCase)");
        let has_tests = begins(&["def test", "async def test", "class Test"])
            || self.lines().any(|line| of_unittest(&line))
            || self.has_tests_of_others();
        let asks_for_it = begins(&["import pytest", "from pytest"]);
        // A script of Twister's kind, or one that calls its functions, says itself what it runs.
        let calls =
            |line: &str| line.starts_with("test") && line.trim_start_matches(is_of_name).starts_with('(');
        let runs_itself = begins(&["if __name__", "_RESULT"]) || self.lines().any(|line| calls(&line));
        has_tests && (asks_for_it || !runs_itself)
    }

    /// Whether it does nothing itself, and has its tests from another file, or skips itself before it has any.
    fn has_tests_of_others(&self) -> bool {
        let imports_tests = |line: &str| {
            let names = line.strip_prefix("from ").and_then(|rest| rest.split_once(" import "));
            let is_test = |name: &str| name == "*" || name.to_ascii_lowercase().starts_with("test");
            names.is_some_and(|(_, names)| names.split([',', '(']).map(str::trim).any(is_test))
        };
        let skips = |line: &str| {
            ["pytest.skip(", "pytest.importorskip(", "pytestmark"].iter().any(|word| line.contains(word))
        };
        let only_names = |line: &str| {
            let is_inner = line.trim().is_empty() || line.starts_with([' ', '\t', '#', '@', ')', ']', '}']);
            let named = ["import ", "from ", "def ", "async def ", "class ", "\"\"\"", "'''", "pytest"];
            is_inner || named.iter().any(|begin| line.starts_with(begin))
        };
        let shows = self.lines().any(|line| imports_tests(&line) || skips(&line));
        shows && self.lines().all(|line| only_names(&line))
    }

    fn lines(&self) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
        let text = self.head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.head);
        text.split(|byte| *byte == b'\n').map(String::from_utf8_lossy)
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn wrong(reason: String) -> Outcome {
    Outcome::not_pass(Verdict::Invalid, Cause::Test, DecidedBy::File, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(name: &str, text: &[u8]) -> Result<FirstLook, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        FirstLook::take(&path).map_err(|outcome| outcome.reason)
    }

    #[test]
    fn a_file_with_nothing_in_it_is_no_test() {
        for text in [&b""[..], b"\n \r\n", b"\xEF\xBB\xBF", b"\xEF\xBB\xBF\n"] {
            assert!(look("a.py", text).unwrap_err().contains("nothing would be tested"), "{text:?}");
        }
        assert!(look("a.py", b"0").is_ok());
    }

    #[test]
    fn what_another_system_wrote_is_called_by_its_name() {
        let refused =
            |text: &[u8], kind, reads| look("a", text).unwrap().refuse(kind, reads).map_err(|o| o.reason);
        let (program, command) = (RunnerKind::Executable, RunnerKind::Command);
        assert!(refused(b"#!/bin/sh\r\ntrue\r\n", program, true).unwrap_err().contains("CR LF"));
        assert!(refused(b"true\r\ntrue\r\n", command, true).unwrap_err().contains("CR LF"));
        assert!(refused(b"\xEF\xBB\xBF#!/bin/sh\n", program, true).unwrap_err().contains("byte order mark"));
        assert!(refused(b"\xFF\xFEp\0", command, false).unwrap_err().contains("UTF-16"));
        for (text, kind, reads) in [
            (&b"#!/bin/sh\ntrue\r\n"[..], program, true),
            (b"\x7fELF\r\n", program, true),
            (b"puts 1\r\n", command, false),
            (b"\xFF\xFEanything", program, true),
        ] {
            assert_eq!(refused(text, kind, reads), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn pytest_is_meant_by_its_names_and_its_kind_of_tests() {
        for (name, text, is_meant) in [
            ("test_a.py", "import os\n\ndef test_one():\n    assert 1\n", true),
            ("a_test.py", "class TestIt:\n    def test_a(self): pass\n", true),
            ("test_a.py", "async def test_one(): pass\n", true),
            ("a.py", "def test_one(): pass\n", false),
            ("test_a.py", "print('a plain script')\n", false),
            ("test_a.py", "def test_one(): pass\ntest_one()\n", false),
            ("test_a.py", "def test_one(): pass\n_RESULT = 'PASS'\n", false),
            ("test_a.py", "def test_one(): pass\nif __name__ == '__main__':\n    main()\n", false),
            (
                "test_a.py",
                "import pytest\ndef test_one(): pass\nif __name__ == '__main__':\n    pytest.main()\n",
                true,
            ),
            ("test_a.py", "test_data = [(1, 2)]\ndef test_one(): pass\n", true),
            ("test_a.txt", "def test_one(): pass\n", false),
            (
                "test_a.py",
                "import unittest\nclass Login(unittest.TestCase):\n    def test_a(self): pass\n",
                true,
            ),
            ("test_a.py", "\"\"\"Site tests.\"\"\"\nfrom site_tests import *\n", true),
            ("test_a.py", "from site import (test_one, Helper)\n", true),
            ("test_a.py", "import pytest\npytest.skip('no board', allow_module_level=True)\n", true),
            ("test_a.py", "import pytest\nassert 1 == pytest.approx(1)\n", false),
            ("test_a.py", "from lab import *\nreboot()\n", false),
            ("test_a.py", "from lab import reboot\n", false),
        ] {
            assert_eq!(look(name, text.as_bytes()).unwrap().is_for_pytest(), is_meant, "{name}: {text}");
        }
    }

    #[test]
    fn comments_alone_are_no_test() {
        for (text, is_refused) in
            [(&b"# nothing\n"[..], true), (b"#!/bin/sh\n\n# later\n", true), (b"# one\ntrue\n", false)]
        {
            assert_eq!(look("a.sh", text).unwrap().refuse_comments().is_err(), is_refused, "{text:?}");
        }
    }

    #[test]
    fn the_switch_that_perl_wants_twice_is_seen() {
        assert!(look("a.t", b"#!/bin/sh\n").unwrap().is_for_another_than_perl());
        for (line, is_there) in
            [("#!/usr/bin/perl -T", true), ("#!perl -wT", true), ("#!/usr/bin/perl -w", false), ("-T", false)]
        {
            assert!(!look("a.pl", line.as_bytes()).unwrap().is_for_another_than_perl(), "{line}");
            assert_eq!(
                look("a.pl", format!("{line}\n1\n").as_bytes()).unwrap().perl_is_tainted(),
                is_there,
                "{line}"
            );
        }
    }
}
