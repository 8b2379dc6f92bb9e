//! Finding lines in a log of any length: from its first byte to its last, in memory that does not depend on it, and given up as soon as
//! nobody listens.

use std::io;

use regex::bytes::{Regex, RegexBuilder};

use super::source::Source;
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

/// Whoever listens to a search. An answer of false ends it.
pub(super) trait Listener {
    fn hit(&mut self, hit: Hit) -> bool;
    fn progress(&mut self, progress: Progress) -> bool;
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

    /// Where it stands in one line.
    fn ranges(&self, line: &[u8]) -> Vec<(usize, usize)> {
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

/// Searches a log to its end, or until nobody listens. `begin` is the number of a line, and the byte at which it begins.
pub(super) fn search(
    source: &Source,
    needle: &Needle,
    begin: (u64, u64),
    listener: &mut impl Listener,
) -> io::Result<()> {
    let (line, mut at) = begin;
    let mut search =
        Search { needle, listener, line, by_lines: needle.by_lines, progress: Progress::default() };
    // What is left of the last line of a piece, and the pieces after it.
    let mut held: Vec<u8> = Vec::new();
    let mut held_from = at;
    let mut told = at;
    while let Some(bytes) = source.read(at)? {
        at = at.saturating_add(length(&bytes));
        let begun = if held.is_empty() { bytes } else { joined(&mut held, &bytes) };
        let cut = match memchr::memrchr(b'\n', &begun) {
            Some(end) => end.saturating_add(1),
            None if begun.len() >= limits::LOG_SEARCH_LINE_BYTES => begun.len(),
            None => 0,
        };
        let (whole, rest) = begun.split_at(cut);
        if !search.look(whole, held_from) {
            return Ok(());
        }
        held_from = held_from.saturating_add(length(whole));
        held = rest.to_vec();
        search.progress.searched = held_from;
        if at.saturating_sub(told) >= limits::LOG_SEARCH_TELL_BYTES {
            told = at;
            let progress = search.progress;
            if !search.listener.progress(progress) {
                return Ok(());
            }
        }
    }
    if search.look(&held, held_from) {
        let progress = Progress { searched: at, ..search.progress };
        search.listener.progress(progress);
    }
    Ok(())
}

fn joined(held: &mut Vec<u8>, bytes: &[u8]) -> Vec<u8> {
    let mut all = std::mem::take(held);
    all.extend_from_slice(bytes);
    all
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

struct Search<'search, L> {
    needle: &'search Needle,
    listener: &'search mut L,
    /// The number of the line that comes next.
    line: u64,
    /// The pattern reaches over the ends of lines: each line is searched by itself, or the rest of the log would be read for each.
    by_lines: bool,
    progress: Progress,
}

impl<L: Listener> Search<'_, L> {
    /// Looks at whole lines; false when nobody listens any more.
    fn look(&mut self, text: &[u8], from: u64) -> bool {
        let mut at = 0;
        while !self.by_lines && at < text.len() {
            let Some(found) = self.needle.regex.find_at(text, at) else { break };
            let begin = memchr::memrchr(b'\n', text.get(..found.start()).unwrap_or_default());
            let begin = begin.map_or(0, |end| end.saturating_add(1)).max(at);
            let rest = text.get(found.start()..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map_or(text.len(), |end| found.start().saturating_add(end));
            if begin >= text.len() {
                // An empty match after the last line.
                break;
            }
            self.line = self.line.saturating_add(ends(text.get(at..begin).unwrap_or_default()));
            self.by_lines = found.end() > end;
            if !self.take(
                text.get(begin..end).unwrap_or_default(),
                from.saturating_add(length(text.get(..begin).unwrap_or_default())),
            ) {
                return false;
            }
            at = end.saturating_add(1);
            self.line = self.line.saturating_add(u64::from(at <= text.len()));
        }
        let rest = text.get(at.min(text.len())..).unwrap_or_default();
        if self.by_lines {
            return self.look_by_lines(rest, from.saturating_add(u64::try_from(at).unwrap_or(u64::MAX)));
        }
        self.line = self.line.saturating_add(ends(rest));
        true
    }

    fn look_by_lines(&mut self, text: &[u8], from: u64) -> bool {
        let mut from = from;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let bare = line.strip_suffix(b"\n");
            if !self.take(bare.unwrap_or(line), from) {
                return false;
            }
            from = from.saturating_add(length(line));
            self.line = self.line.saturating_add(u64::from(bare.is_some()));
        }
        true
    }

    /// Tells of a line, where the pattern stands in it.
    fn take(&mut self, line: &[u8], from: u64) -> bool {
        let ranges = self.needle.ranges(line);
        if ranges.is_empty() {
            return true;
        }
        self.progress.hits = self.progress.hits.saturating_add(1);
        if self.progress.hits > limits::LOG_HITS_MAX {
            return true;
        }
        let bytes = line.get(..line.len().min(limits::LOG_LINE_BYTES)).unwrap_or_default().to_vec();
        self.listener.hit(Hit { line: self.line, from, ranges, bytes })
    }
}

fn ends(bytes: &[u8]) -> u64 {
    u64::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u64::MAX)
}
