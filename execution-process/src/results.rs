//! The tests inside a test, as the tool that ran them tells of them: in a file, or in what it prints.
//!
//! A format is told by what stands in it (`docs/lab-files.md`), never by the name of the file. What a tool writes belongs to somebody
//! else: it may be cut off, endless, a named pipe, or contradict itself. Whatever cannot be believed becomes [`Cases::trouble`] or a part
//! that did not pass; nothing of it becomes a PASS.

use std::path::Path;

use jackfield_protocol::{
    link::Part,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

pub(crate) use case::{Case, Mark};
pub(crate) use go_test::GoTest;
pub(crate) use tap::Tap;

mod case;
mod decode;
mod go_test;
mod google_test;
mod input;
mod input_line;
mod short_texts;
mod tap;
mod xml;

use crate::limits::{RESULT_NAMES_SHOWN, RESULT_PARTS_MAX, RESULT_REASON_CHARS};

/// What is known of how the tests were run, where their formats differ by that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Habits {
    /// A case without an end of its own is a try of the next one of its name (pytest-rerunfailures).
    pub(crate) reruns: bool,
    /// What a failure says where the test itself is at fault: the beginnings of its message.
    pub(crate) own_faults: &'static [&'static str],
}

/// The tests inside a test.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cases {
    /// In order; the first [`RESULT_PARTS_MAX`].
    pub(crate) parts: Vec<Part>,
    /// How many there were.
    pub(crate) total: usize,
    failed: usize,
    /// Of those that failed, the ones whose own fault that is.
    broken: usize,
    skipped: usize,
    unfinished: usize,
    first_bad: Vec<String>,
    first_reason: String,
    skip_reason: String,
    /// The whole was skipped, before any test: why.
    skipped_whole: Option<String>,
    /// The tests gave up: why.
    gave_up: Option<String>,
    /// What a person should look at, though it decides nothing.
    note: String,
    /// Why the file cannot be believed, or not to its end.
    pub(crate) trouble: Option<String>,
    habits: Habits,
    source: Source,
}

/// Where the tests were told of, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Source {
    /// `JUnit`, or the tool that ran them.
    format: &'static str,
    /// Their file; none where they were printed, or where the file is the tool's own affair.
    file: Option<String>,
}

impl Cases {
    /// None yet, of this format.
    pub(crate) fn new(format: &'static str, habits: Habits) -> Self {
        Self { habits, source: Source { format, file: None }, ..Self::default() }
    }

    /// The same, which stood in this file.
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        self.source.file = Some(file.to_owned());
        self
    }

    /// The same, told by a tool that people know by its own name.
    pub(crate) fn by_tool(mut self, tool: &'static str) -> Self {
        self.source = Source { format: tool, file: None };
        self
    }

    /// What decides, where the tests do.
    fn decided_by(&self) -> DecidedBy {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let bad = self.failed.saturating_add(self.unfinished).saturating_add(self.skipped);
        let counts = [
            (Verdict::Fail, self.failed),
            (Verdict::Aborted, self.unfinished),
            (Verdict::Skipped, self.skipped),
            (Verdict::Pass, self.total.saturating_sub(bad)),
        ];
        let counts = counts.into_iter().filter(|(_, number)| *number > 0);
        DecidedBy::Tests {
            format: self.source.format.to_owned(),
            file: self.source.file.clone(),
            counts: counts.map(|(verdict, number)| (verdict, count(number))).collect(),
        }
    }

    /// Those of a file that cannot be read at all.
    pub(crate) fn unreadable(trouble: impl Into<String>) -> Self {
        Self { trouble: Some(trouble.into()), ..Self::default() }
    }

    /// Whether it says nothing: neither of tests, nor of why there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.total == 0 && self.skipped_whole.is_none() && self.gave_up.is_none() && self.trouble.is_none()
    }

    /// What the cases together make of the test; none where there are none.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let by = self.decided_by();
        let not_pass = |verdict, cause, reason| Some(Outcome::not_pass(verdict, cause, by.clone(), reason));
        if let Some(trouble) = &self.trouble {
            let known = if self.failed > 0 {
                format!("; {}", self.failures())
            } else if self.total > 0 {
                format!("; {} tests stand in it before that", self.total)
            } else {
                String::new()
            };
            let by = DecidedBy::UnusableResults { file: self.source.file.clone() };
            let reason = format!("its results cannot be used: {trouble}{known}");
            return Some(Outcome::not_pass(Verdict::Invalid, Cause::Test, by, reason));
        }
        if let Some(reason) = &self.gave_up {
            return not_pass(Verdict::Aborted, Cause::Test, reason.clone());
        }
        if self.failed > 0 {
            let cause = if self.broken == self.failed { Cause::Test } else { Cause::Product };
            return not_pass(Verdict::Fail, cause, self.failures());
        }
        if self.unfinished > 0 {
            let reason = format!(
                "{} of {} tests did not end: {}",
                self.unfinished,
                self.total,
                self.named(self.unfinished)
            );
            return not_pass(Verdict::Aborted, Cause::Unfinished, reason);
        }
        if let Some(reason) = self.skipped_whole.as_ref().filter(|_| self.total == 0) {
            return not_pass(Verdict::Skipped, Cause::Test, reason.clone());
        }
        if self.total == 0 {
            return None;
        }
        if self.skipped == self.total {
            let why =
                if self.skip_reason.is_empty() { String::new() } else { format!(": {}", self.skip_reason) };
            return not_pass(Verdict::Skipped, Cause::Test, format!("every test in it was skipped{why}"));
        }
        Some(Outcome { reason: self.note.clone(), ..Outcome::pass(by) })
    }

    fn failures(&self) -> String {
        let names = self.named(self.failed);
        let why = if self.failed == 1 && !self.first_reason.is_empty() {
            format!(": {}", first_line(&self.first_reason))
        } else {
            String::new()
        };
        format!("{} of {} tests failed: {names}{why}", self.failed, self.total)
    }

    fn named(&self, count: usize) -> String {
        let more = if count > self.first_bad.len() { ", …" } else { "" };
        format!("{}{more}", self.first_bad.join(", "))
    }

    pub(crate) fn add(&mut self, case: Case) {
        self.total = self.total.saturating_add(1);
        let (part, mark) = case.into_part(self.habits.own_faults);
        let bad = match mark {
            Mark::Passed => false,
            Mark::Skipped => {
                self.skipped = self.skipped.saturating_add(1);
                if self.skip_reason.is_empty() {
                    self.skip_reason.clone_from(&part.reason);
                }
                false
            }
            Mark::Unfinished => {
                self.unfinished = self.unfinished.saturating_add(1);
                true
            }
            Mark::Broken | Mark::Failed => {
                self.failed = self.failed.saturating_add(1);
                self.broken = self.broken.saturating_add(usize::from(mark == Mark::Broken));
                if self.failed == 1 {
                    self.first_bad.clear();
                    self.first_reason.clone_from(&part.reason);
                }
                true
            }
        };
        let named = bad && (mark != Mark::Unfinished || self.failed == 0);
        if named && self.first_bad.len() < RESULT_NAMES_SHOWN {
            self.first_bad.push(part.name.clone());
        }
        if self.parts.len() < RESULT_PARTS_MAX {
            self.parts.push(part);
        }
    }

    /// What the head of a file tells and its cases do not show.
    fn compare(&mut self, told: Told, shown: Shown, whose: &str) {
        if told.failed > 0 && shown.failed == 0 {
            let mut case = Case::new(whose.to_owned());
            let reason =
                format!("its head tells of {} failed tests, and none of them stands in it", told.failed);
            case.mark(Mark::Broken, &reason);
            self.add(case);
        }
        if told.total > 0 && shown.total == 0 && self.trouble.is_none() {
            self.trouble = Some(format!("`{whose}` tells of {} tests, and none stands in it", told.total));
        }
    }

    /// A head that counts more tests than stand below it. Some tools count something else there (Catch2 and doctest their assertions), or
    /// leave out what was skipped, so it is told and decides nothing.
    fn compare_counts(&mut self, told: u64, shown: usize, whose: &str) {
        let shown = u64::try_from(shown).unwrap_or(u64::MAX);
        if told > shown && shown > 0 {
            self.note = format!("the head of `{whose}` counts {told} tests, and {shown} stand in it");
        }
    }

    /// The head of a file says that none of its tests ran.
    fn not_run(&mut self, listed: usize) {
        self.trouble = Some(format!(
            "they tell of no test that ran, and list {listed}: these were only collected or set up"
        ));
    }

    fn shown(&self) -> Shown {
        Shown { total: self.total, failed: self.failed }
    }
}

/// What the head of a file says.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    total: u64,
    failed: u64,
}

/// What stands in it.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    total: usize,
    failed: usize,
}

/// Reads a file of results; none where there is no such file. Blocks, for as long as the disk does.
pub(crate) fn read_file(path: &Path, habits: Habits) -> Option<Cases> {
    input::read(path, habits)
}

/// Of a text what a table can show.
fn shortened(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(RESULT_REASON_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
