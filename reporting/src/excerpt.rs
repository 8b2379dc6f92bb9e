//! How much of a log a document shows.
//!
//! Documents ask for the end of a log only where they show it, so a run with gigabytes of logs is reported in the
//! memory of one excerpt. What was left out is always said.

use std::collections::BTreeMap;

use jackfield_protocol::{id::AttemptId, log::Stream};

use crate::results::AttemptResult;

/// The end of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The text, as far as it was asked for.
    pub text: String,
    /// How many bytes of the log stand before it and were left out.
    pub cut_bytes: u64,
    /// How many bytes follow that the EP has not sent yet.
    pub missing_bytes: u64,
}

/// Where documents get logs from. The shell reads its log store behind it.
pub trait Logs {
    /// The last bytes of a log, at most `bytes_max` of them; none where there is no such log, or it is empty.
    /// Bytes that are no UTF-8 are replaced. A log of which less is there than [`AttemptResult::log_bytes`] says is
    /// told as such ([`Excerpt::missing_bytes`]).
    fn tail(&self, attempt: &AttemptResult, stream: Stream, bytes_max: usize) -> Option<Excerpt>;
}

/// No logs at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLogs;

impl Logs for NoLogs {
    fn tail(&self, _attempt: &AttemptResult, _stream: Stream, _bytes_max: usize) -> Option<Excerpt> {
        None
    }
}

/// Whole logs in memory.
impl Logs for BTreeMap<(AttemptId, Stream), Vec<u8>> {
    fn tail(&self, attempt: &AttemptResult, stream: Stream, bytes_max: usize) -> Option<Excerpt> {
        let bytes = self.get(&(attempt.attempt, stream)).map(Vec::as_slice).unwrap_or_default();
        let there = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let missing_bytes = attempt.log_bytes(stream).map_or(0, |all| all.saturating_sub(there));
        let cut = bytes.len().saturating_sub(bytes_max);
        let excerpt = Excerpt::of_tail(bytes.get(cut..).unwrap_or_default(), bytes.len());
        excerpt.with_missing(missing_bytes)
    }
}

impl Excerpt {
    /// The last bytes of a log that is `log_bytes` long. Where something was left out, the excerpt begins on a
    /// character, and if that loses little, on a line.
    pub fn of_tail(tail: &[u8], log_bytes: usize) -> Self {
        let cut = log_bytes.saturating_sub(tail.len());
        let skip = if cut == 0 { 0 } else { start_of_line(tail) };
        let shown = tail.get(skip..).unwrap_or_default();
        Self {
            text: String::from_utf8_lossy(shown).into_owned(),
            cut_bytes: u64::try_from(cut.saturating_add(skip)).unwrap_or(u64::MAX),
            missing_bytes: 0,
        }
    }

    /// The same, of a log with so many bytes still to come; none where there is nothing to tell.
    pub fn with_missing(self, missing_bytes: u64) -> Option<Self> {
        let excerpt = Self { missing_bytes, ..self };
        (excerpt != Self::default()).then_some(excerpt)
    }

    /// The text as documents print it: what was left out, or has not come, stands there in brackets, with where it is.
    pub fn shown(&self, attempt: AttemptId) -> String {
        let Self { text, cut_bytes, missing_bytes } = self;
        let mut shown = String::new();
        if *cut_bytes > 0 {
            shown = format!(
                "[{cut_bytes} bytes before this are left out; the whole log: jackfield runs logs {attempt}]\n"
            );
        }
        shown.push_str(text);
        if *missing_bytes > 0 {
            let line = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            shown.push_str(&format!(
                "{line}[{missing_bytes} bytes after this had not come from the EP when this was written; \
                 the whole log: jackfield runs logs {attempt}]\n"
            ));
        }
        shown
    }
}

/// How far into a cut log its first whole line begins; where that is far, its first whole character.
fn start_of_line(tail: &[u8]) -> usize {
    let near = tail.len().saturating_div(4);
    if let Some(newline) = tail.iter().take(near).position(|byte| *byte == b'\n') {
        return newline.saturating_add(1);
    }
    tail.iter().take(4).take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_log_begins_on_a_line_and_counts_what_is_missing() {
        let log = b"first line\nsecond line\nthird, which is much longer than the others\n";
        let tail = &log[5..];
        let excerpt = Excerpt::of_tail(tail, log.len());
        assert_eq!(excerpt.text, "second line\nthird, which is much longer than the others\n");
        assert_eq!(excerpt.cut_bytes, 11);
        assert_eq!(Excerpt::of_tail(log, log.len()).cut_bytes, 0);
    }

    #[test]
    fn what_has_not_come_is_said() {
        let attempt = crate::fixture::attempt_id(4, 1);
        let shown = |text: &[u8], missing| {
            let excerpt = Excerpt::of_tail(text, text.len()).with_missing(missing);
            excerpt.map(|excerpt| excerpt.shown(attempt))
        };
        let told = "[7 bytes after this had not come from the EP when this was written; \
                    the whole log: jackfield runs logs 41.4.1]\n";
        assert_eq!(shown(b"", 0), None);
        assert_eq!(shown(b"whole", 0).as_deref(), Some("whole"));
        assert_eq!(shown(b"", 7).as_deref(), Some(told));
        assert_eq!(shown(b"a line\n", 7), Some(format!("a line\n{told}")));
        assert_eq!(shown(b"half a li", 7), Some(format!("half a li\n{told}")));
    }

    #[test]
    fn a_cut_character_is_left_out() {
        let log = "ééééé".as_bytes();
        let excerpt = Excerpt::of_tail(&log[1..], log.len());
        assert_eq!(excerpt.text, "éééé");
        assert_eq!(excerpt.cut_bytes, 2);
    }
}
