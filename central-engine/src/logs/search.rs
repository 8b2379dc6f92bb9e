//! What is looked for in a log, and where in a line it stands. Which lines are looked at, [`super::scan`] decides.

use regex::bytes::{Regex, RegexBuilder};

use crate::limits;

/// What people look for first in the log of a failed test. Words of devices, compilers and languages; `no errors` and `errors 0` are not
/// meant. A word may begin right after the escape sequence of its colour, whose last letter is none of its own.
const ERRORS: &str = r"(?i:(?:\b|\x1b\[[\d;]*m)(?:errors?|fail(?:ed|ure|ures|s)?|fatal|panic(?:ked)?|exception|traceback|assertion|refused|unreachable|timed out|aborted|segmentation fault|core dumped|invalid input|incomplete command|unknown command)\b)|^not ok\b|^E  +\S";
/// Headings: of step tests, of pytest, and as build servers know them.
const STEPS: &str = r"^## .+ \(line \d+\)$|^##\[group\]|^={3,} .+ ={3,}$|^_{3,} .+ _{3,}$";

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A regular expression.
    Pattern {
        /// As the crate `regex` reads it.
        text: String,
        /// Capital letters differ from small ones.
        case: bool,
    },
    /// These very characters.
    Text {
        /// The characters.
        text: String,
        /// Capital letters differ from small ones.
        case: bool,
    },
    /// Lines that tell of something going wrong.
    Errors,
    /// Headings of steps.
    Steps,
}

/// Why a pattern cannot be looked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// There is none.
    #[error("the pattern is empty")]
    Empty,
    /// It is long.
    #[error("the pattern has {0} bytes, more than {max}", max = limits::LOG_PATTERN_BYTES)]
    Long(usize),
    /// It cannot be read, or is too much work.
    #[error("the pattern cannot be used: {0}")]
    Unreadable(String),
}

/// A line that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Counted from 1.
    pub line: u64,
    /// Where the line begins in the log.
    pub from: u64,
    /// Where in the line, in bytes: begin, and end that is not part of it.
    pub ranges: Vec<(usize, usize)>,
    /// The line, or the beginning of it.
    pub bytes: Vec<u8>,
}

/// How a search is, told now and then, and at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that were searched.
    pub searched: u64,
    /// Lines that were found.
    pub hits: u64,
}

/// A pattern that is ready.
#[derive(Clone, Debug)]
pub struct Needle {
    regex: Regex,
    /// Whether `no errors` is left out.
    is_errors: bool,
    /// It asks where a text begins or ends, which must mean the line.
    by_lines: bool,
}

impl Needle {
    /// Makes it ready.
    ///
    /// # Errors
    /// It is no regular expression, or too large.
    pub fn new(wanted: &Wanted) -> Result<Self, PatternError> {
        let (text, case) = match wanted {
            Wanted::Pattern { text, case } => (text.clone(), *case),
            Wanted::Text { text, case } => (regex::escape(text), *case),
            Wanted::Errors => (ERRORS.to_owned(), true),
            Wanted::Steps => (STEPS.to_owned(), true),
        };
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > limits::LOG_PATTERN_BYTES {
            return Err(PatternError::Long(text.len()));
        }
        let regex = RegexBuilder::new(&text)
            .case_insensitive(!case)
            .multi_line(true)
            .crlf(true)
            .size_limit(limits::LOG_PROGRAM_BYTES)
            .dfa_size_limit(limits::LOG_PROGRAM_BYTES)
            .build()
            .map_err(|error| PatternError::Unreadable(error.to_string()))?;
        let by_lines = [r"\A", r"\z"].iter().any(|anchor| text.contains(anchor));
        Ok(Self { regex, is_errors: *wanted == Wanted::Errors, by_lines })
    }

    #[cfg(test)]
    pub(super) fn is_in(&self, line: &[u8]) -> bool {
        !self.ranges(line).is_empty()
    }

    /// Whether it may stand in this text of several lines: where it does not, no line has to be looked at.
    pub(super) fn may_be_in(&self, text: &[u8]) -> bool {
        self.by_lines || self.regex.is_match(text)
    }

    /// The next place in a text of several lines where it may stand, and whether that reaches over the end of a line.
    pub(super) fn next_in(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        self.regex.find_at(text, from).map(|found| (found.start(), found.end()))
    }

    /// Whether each line has to be looked at by itself.
    pub(super) fn is_by_lines(&self) -> bool {
        self.by_lines
    }

    /// Where it stands in one line.
    pub(super) fn ranges(&self, line: &[u8]) -> Vec<(usize, usize)> {
        // Without the return of a line that devices end with both: after it, an empty line would seem to follow.
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let found = self
            .regex
            .find_iter(line)
            .filter(|found| !self.is_errors || !is_denied(line, (found.start(), found.end())));
        found.map(|found| (found.start(), found.end())).take(limits::LOG_HIT_RANGES_MAX).collect()
    }
}

/// Whether the word in this place is said not to have happened: `no errors`, `0 failed`, `errors 0`, `errors: 0`.
fn is_denied(line: &[u8], (start, end): (usize, usize)) -> bool {
    let before = line.get(..start).unwrap_or_default();
    let word =
        before.trim_ascii_end().rsplit(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or_default();
    let follows = before.last().is_some_and(u8::is_ascii_whitespace);
    if follows
        && (word == b"0" || [&b"no"[..], b"without", b"zero"].iter().any(|no| word.eq_ignore_ascii_case(no)))
    {
        return true;
    }
    let after = line.get(end..).unwrap_or_default();
    let number = after.iter().position(|byte| !matches!(byte, b' ' | b':' | b'=')).unwrap_or(0);
    let number = after.get(number..).unwrap_or_default();
    number.first() == Some(&b'0')
        && number.get(1).is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'.')
}
