//! One test inside a test, while it is read.

use std::time::Duration;

use jackfield_protocol::{link::Part, verdict::Verdict};

use super::shortened;

/// How a case ended, the worst last: of several things that a file says of one case, that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    Passed,
    Skipped,
    /// It began, and has no end.
    Unfinished,
    /// It failed, and the test itself is at fault: an exception, a fixture, a file that is not there.
    Broken,
    /// It failed.
    Failed,
}

impl Mark {
    /// What the words of many tools say: those for attributes such as `status` and `result`. Passed where a word says nothing.
    pub(super) fn of_word(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().replace(['-', '_', ' '], "").as_str() {
            "notrun" | "disabled" | "skipped" | "skip" | "suppressed" | "ignored" | "pending"
            | "notexecuted" | "blocked" | "inconclusive" | "explicit" | "deselected" => Self::Skipped,
            "aborted" | "cancelled" | "canceled" | "interrupted" | "incomplete" | "running"
            | "inprogress" | "hung" | "hang" | "killed" | "terminated" | "stopped" | "lost" => {
                Self::Unfinished
            }
            "error" | "errored" | "broken" | "crash" | "crashed" | "exception" | "notrunnable"
            | "invalid" => Self::Broken,
            "fail" | "failed" | "failure" | "failing" | "nok" | "notok" | "timeout" | "timedout" => {
                Self::Failed
            }
            _ => Self::Passed,
        }
    }

    fn is_bad(self) -> bool {
        self >= Self::Broken
    }
}

/// A case.
#[derive(Debug)]
pub(crate) struct Case {
    name: String,
    mark: Mark,
    reason: String,
    /// Bad things beside the first.
    more: usize,
    elapsed: Duration,
}

impl Case {
    pub(super) fn new(name: String) -> Self {
        Self { name, mark: Mark::Passed, reason: String::new(), more: 0, elapsed: Duration::ZERO }
    }

    pub(super) fn lasted(mut self, elapsed: Option<Duration>) -> Self {
        self.elapsed = elapsed.unwrap_or_default();
        self
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.name == other.name
    }

    pub(super) fn has_passed(&self) -> bool {
        self.mark == Mark::Passed
    }

    /// Takes in one thing that is said of it: the worst holds, and of several that are equal the first.
    pub(super) fn mark(&mut self, mark: Mark, reason: &str) {
        let both_bad = mark.is_bad() && self.mark.is_bad();
        if both_bad {
            // Several places of one file may tell of the same thing; only what has words of its own is another.
            let is_another = !self.reason.is_empty() && !reason.is_empty();
            self.more = self.more.saturating_add(usize::from(is_another));
            self.mark = self.mark.max(mark);
            self.explain(reason);
        } else if mark > self.mark {
            self.mark = mark;
            self.reason = shortened(reason);
        } else {
            self.explain(reason);
        }
    }

    /// Says why, where nothing was said yet.
    pub(super) fn explain(&mut self, reason: &str) {
        if self.reason.is_empty() && self.mark != Mark::Passed {
            self.reason = shortened(reason);
        }
    }

    pub(super) fn into_part(self, own_faults: &[&str]) -> (Part, Mark) {
        let own_fault = own_faults.iter().any(|begin| self.reason.starts_with(begin));
        let mark = if own_fault && self.mark == Mark::Failed { Mark::Broken } else { self.mark };
        let verdict = match mark {
            Mark::Passed => Verdict::Pass,
            Mark::Skipped => Verdict::Skipped,
            Mark::Unfinished => Verdict::Aborted,
            Mark::Broken | Mark::Failed => Verdict::Fail,
        };
        let more = if self.more > 0 { format!(" (and {} more)", self.more) } else { String::new() };
        let reason = if self.reason.is_empty() && mark == Mark::Unfinished {
            "it did not end".to_owned()
        } else {
            format!("{}{more}", self.reason)
        };
        let elapsed_millis = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX);
        (Part { name: self.name, verdict, reason, elapsed_millis, checks: Vec::new() }, mark)
    }
}

/// Seconds as tools write them, in whatever language they speak; none where the text could mean two things.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    /// Longer than anything that was measured.
    const MOST: f64 = 1e9;
    let text = text.trim().trim_end_matches('s').replace(['\u{a0}', '\u{202f}', ' ', '\''], "");
    let (points, commas) = (text.matches('.').count(), text.matches(',').count());
    let plain = match (points, commas) {
        (_, 0) if points <= 1 => text,
        // `1.200.500`, `1,200,500`
        (_, 0) => text.replace('.', ""),
        (0, 1) => {
            let (whole, rest) = text.split_once(',')?;
            let grouped = rest.len() == 3 && !whole.is_empty() && whole.len() <= 3 && whole != "0";
            // `1,200` is twelve hundred, or one and a fifth.
            if grouped {
                return None;
            }
            format!("{whole}.{rest}")
        }
        (0, _) => text.replace(',', ""),
        // `1,200.5` and `1.200,5`: the last one parts the whole from the rest.
        _ if text.rfind('.') > text.rfind(',') && points == 1 => text.replace(',', ""),
        _ if text.rfind(',') > text.rfind('.') && commas == 1 => text.replace('.', "").replace(',', "."),
        _ => return None,
    };
    let seconds = plain.parse::<f64>().ok().filter(|seconds| (0.0..MOST).contains(seconds))?;
    Some(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_every_language_or_left_out_but_never_multiplied() {
        for (text, millis) in [
            ("0.250", Some(250)),
            ("0,250", Some(250)),
            ("12,5", Some(12_500)),
            ("12,25", Some(12_250)),
            ("1,200.5", Some(1_200_500)),
            ("1.200,5", Some(1_200_500)),
            ("1 200,5", Some(1_200_500)),
            ("1,200,500.5", Some(1_200_500_500)),
            ("1,200", None),
            (",5", Some(500)),
            ("3", Some(3_000)),
            ("0.5s", Some(500)),
            ("1e-3", Some(1)),
            ("", None),
            ("-1", None),
            ("NaN", None),
            ("inf", None),
            ("1.2,3.4", None),
        ] {
            assert_eq!(seconds(text).map(|time| time.as_millis()), millis, "{text}");
        }
    }

    #[test]
    fn of_all_that_is_said_of_a_case_the_worst_holds_and_of_equals_the_first() {
        let ends = |said: &[(Mark, &str)]| {
            let mut case = Case::new("a".to_owned());
            said.iter().for_each(|(mark, reason)| case.mark(*mark, reason));
            let (part, _) = case.into_part(&[]);
            format!("{} {}", part.verdict, part.reason)
        };
        let (failed, skipped, broken) =
            ((Mark::Failed, "broken"), (Mark::Skipped, "later"), (Mark::Broken, "trace"));
        assert_eq!(ends(&[failed, skipped]), "FAIL broken");
        assert_eq!(ends(&[skipped, failed]), "FAIL broken");
        assert_eq!(ends(&[failed, broken, (Mark::Failed, "third")]), "FAIL broken (and 2 more)");
        assert_eq!(ends(&[(Mark::Failed, ""), (Mark::Failed, "second")]), "FAIL second");
        assert_eq!(ends(&[(Mark::Unfinished, "")]), "ABORTED it did not end");
        assert_eq!(ends(&[]), "PASS ");
    }
}
