//! How many tests ended how, as numbers, as a table for terminals and text mail, and as Markdown for CI pages.

mod markdown;

use std::{collections::BTreeMap, fmt::Write};

pub use markdown::markdown;

use jackfield_protocol::{
    api::RunSummary,
    id::{EpName, SuiteIndex},
    verdict::{Cause, Verdict},
};

use crate::{
    results::{Results, Row},
    text::{grouped, local, one_line, shortened, span},
};

/// Most tests that a table for people names; the rest are counted in its last line.
pub const NAMED_TESTS_MAX: usize = 50;

/// Most suites that a table for people names.
pub const NAMED_SUITES_MAX: usize = 200;

/// Most characters of a reason in a table.
const REASON_CHARACTERS_MAX: usize = 160;

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    by_verdict: [u32; Verdict::ALL.len()],
    /// Tests that have no verdict yet.
    pub unfinished: u32,
}

impl Counts {
    /// Counts one more test.
    pub fn add(&mut self, verdict: Option<Verdict>) {
        let place = verdict.and_then(|verdict| Verdict::ALL.iter().position(|known| *known == verdict));
        match place.and_then(|place| self.by_verdict.get_mut(place)) {
            Some(count) => *count = count.saturating_add(1),
            None => self.unfinished = self.unfinished.saturating_add(1),
        }
    }

    /// How many ended this way.
    pub fn of(&self, verdict: Verdict) -> u32 {
        Verdict::ALL
            .iter()
            .zip(self.by_verdict)
            .find(|(known, _)| **known == verdict)
            .map_or(0, |(_, count)| count)
    }

    /// Every verdict that occurred, in the order people read them.
    pub fn each(&self) -> impl Iterator<Item = (Verdict, u32)> {
        Verdict::ALL.into_iter().zip(self.by_verdict).filter(|(_, count)| *count > 0)
    }

    /// All tests, ended or not.
    pub fn total(&self) -> u32 {
        self.by_verdict.iter().fold(self.unfinished, |sum, count| sum.saturating_add(*count))
    }

    /// Tests that did not pass and were not left out on purpose.
    pub fn not_passed(&self) -> u32 {
        self.total().saturating_sub(self.of(Verdict::Pass)).saturating_sub(self.of(Verdict::Skipped))
    }

    /// The pass rate in hundredths of a percent, of all tests that were planned. It is rounded down: 100.00 % means all.
    pub fn pass_rate(&self) -> u32 {
        u64::from(self.of(Verdict::Pass))
            .saturating_mul(10_000)
            .checked_div(u64::from(self.total()))
            .and_then(|rate| u32::try_from(rate).ok())
            .unwrap_or(0)
    }

    /// `97.50 %`, as people read it.
    pub fn pass_rate_text(&self) -> String {
        format!("{} %", rate_number(self.pass_rate()))
    }

    /// `3 PASS, 1 FAIL`; `no tests` where there are none.
    pub fn sentence(&self) -> String {
        let mut words: Vec<String> =
            self.each().map(|(verdict, count)| format!("{} {verdict}", grouped(count.into()))).collect();
        if self.unfinished > 0 {
            words.push(format!("{} not ended", grouped(self.unfinished.into())));
        }
        if words.is_empty() { "no tests".to_owned() } else { words.join(", ") }
    }
}

/// `97.50`.
pub(crate) fn rate_number(hundredths: u32) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// The counts of one suite: its own tests, without those of suites inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteSummary {
    /// Which.
    pub suite: SuiteIndex,
    /// Its name with those of the suites around it: `S1/S-11`.
    pub path: String,
    /// Where its tests ran; empty where none did.
    pub eps: Vec<EpName>,
    /// How they ended.
    pub counts: Counts,
    /// How long they took in sum.
    pub elapsed_millis: u64,
}

/// A run in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// All tests.
    pub counts: Counts,
    /// Who is to blame for those that did not pass.
    pub causes: BTreeMap<Cause, u32>,
    /// Suites that hold tests of their own, in document order.
    pub suites: Vec<SuiteSummary>,
    /// Clean-ups that failed.
    pub failed_cleanups: u32,
}

impl Summary {
    /// Counts a run.
    pub fn of(results: &Results) -> Self {
        let mut summary = Self {
            counts: Counts::default(),
            causes: BTreeMap::new(),
            suites: Vec::new(),
            failed_cleanups: 0,
        };
        let mut places: BTreeMap<SuiteIndex, SuiteSummary> = BTreeMap::new();
        for row in results.rows() {
            let suite = places.entry(row.test.suite).or_insert_with(|| SuiteSummary {
                suite: row.test.suite,
                path: results.suite_path(row.test.suite).join("/"),
                eps: Vec::new(),
                counts: Counts::default(),
                elapsed_millis: 0,
            });
            suite.add(row);
            summary.add(row);
        }
        summary.suites = places.into_values().collect();
        summary
    }

    /// The run for programs, with the counts of the tests that are told beside it.
    pub(crate) fn run(&self, results: &Results) -> RunSummary {
        RunSummary { counts: self.counts.each().collect(), ..results.run.clone() }
    }

    fn add(&mut self, row: Row<'_>) {
        self.counts.add(row.verdict());
        if let Some(cause) = row.cause().filter(|_| did_not_pass(&row)) {
            let count = self.causes.entry(cause).or_default();
            *count = count.saturating_add(1);
        }
        let cleanups = row.result.attempts.iter().flat_map(|attempt| attempt.cleanups());
        let failed = cleanups.filter(|cleanup| cleanup.verdict != Verdict::Pass).count();
        self.failed_cleanups = self.failed_cleanups.saturating_add(u32::try_from(failed).unwrap_or(u32::MAX));
    }
}

impl SuiteSummary {
    fn add(&mut self, row: Row<'_>) {
        self.counts.add(row.verdict());
        self.elapsed_millis = self.elapsed_millis.saturating_add(row.elapsed_millis());
        if let Some(ep) = row.ep().filter(|ep| !self.eps.contains(ep)) {
            self.eps.push(ep.clone());
        }
    }
}

/// Twister's line for one test: `EP-1001::S1/S-11::init.py | *PASS* | 1.23s | Fri Nov 20, 23:53:00`.
pub fn line(results: &Results, row: Row<'_>) -> String {
    let ep = row.ep().map_or("-", |ep| ep.as_str());
    let suite = results.suite_path(row.test.suite).join("/");
    let state = row.state().as_str();
    let when = row.finished().map_or_else(
        || "-".to_owned(),
        |time| local(time, results.engine.utc_offset_secs, "%a %b %d, %H:%M:%S"),
    );
    let place = one_line(&format!("{ep}::{suite}::{}", row.test.name));
    format!("{place} | *{state}* | {} | {when}", span(row.elapsed_millis()))
}

/// The headline: `run 41 of demo completed: 3 PASS, 1 FAIL in 2m 05s`.
pub fn headline(results: &Results, summary: &Summary) -> String {
    let mut text = format!(
        "run {} of {} {}: {}",
        results.run.id,
        results.run.project,
        results.run.state,
        summary.counts.sentence()
    );
    if results.elapsed_millis() > 0 {
        text.push_str(&format!(" in {}", span(results.elapsed_millis())));
    }
    one_line(&text)
}

/// The table for terminals and text mail: suites with their counts, then what did not pass, with reasons.
pub fn table(results: &Results, summary: &Summary) -> String {
    let mut text = headline(results, summary);
    text.push('\n');
    if let Some(stopped) = &results.stopped {
        text.push_str(&format!("{}\n", one_line(stopped)));
    }
    text.push('\n');
    text.push_str(&suite_table(summary));
    let _ = writeln!(
        text,
        "\npass rate {} of {} tests",
        summary.counts.pass_rate_text(),
        grouped(summary.counts.total().into())
    );
    if summary.failed_cleanups > 0 {
        let _ = writeln!(text, "clean-ups that did not pass: {}", summary.failed_cleanups);
    }
    let left = name_not_passed(results, |row| {
        let cause = row.cause().map_or(String::new(), |cause| format!(" ({cause})"));
        let _ = write!(text, "\n{}{cause}", line(results, row));
        if !row.reason().is_empty() {
            let _ = write!(text, "\n    {}", shortened(&one_line(row.reason()), REASON_CHARACTERS_MAX));
        }
    });
    if left > 0 {
        let _ = write!(text, "\n… and {} more that did not pass", grouped(left));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Calls with the first tests that did not pass; answers how many more there are.
pub(crate) fn name_not_passed<'a>(results: &'a Results, mut show: impl FnMut(Row<'a>)) -> u64 {
    let mut seen = 0_u64;
    for row in results.rows().filter(did_not_pass) {
        if usize::try_from(seen).is_ok_and(|seen| seen < NAMED_TESTS_MAX) {
            show(row);
        }
        seen = seen.saturating_add(1);
    }
    seen.saturating_sub(u64::try_from(NAMED_TESTS_MAX).unwrap_or(u64::MAX))
}

/// Whether people ask about it: it has ended, and neither passed nor was left out on purpose.
pub(crate) fn did_not_pass(row: &Row<'_>) -> bool {
    row.verdict().is_some_and(|verdict| !matches!(verdict, Verdict::Pass | Verdict::Skipped))
}

const COLUMNS: [&str; 6] = ["suite", "tests", "pass", "fail", "other", "time"];

fn suite_table(summary: &Summary) -> String {
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(summary.suites.iter().take(NAMED_SUITES_MAX).map(suite_row));
    let mut widths = [0_usize; COLUMNS.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            line.push_str(&if column == 0 {
                format!("{cell}{padding}")
            } else {
                format!("  {padding}{cell}")
            });
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let left = summary.suites.len().saturating_sub(NAMED_SUITES_MAX);
    if left > 0 {
        let _ = writeln!(text, "… and {left} more suites");
    }
    text
}

fn suite_row(suite: &SuiteSummary) -> [String; COLUMNS.len()] {
    let counts = &suite.counts;
    let (pass, fail) = (counts.of(Verdict::Pass), counts.of(Verdict::Fail));
    let other = counts.total().saturating_sub(pass).saturating_sub(fail);
    [
        shortened(&one_line(&suite.path), 48),
        grouped(counts.total().into()),
        grouped(pass.into()),
        grouped(fail.into()),
        grouped(other.into()),
        span(suite.elapsed_millis),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_table_of_a_run() {
        let results = fixture::demo();
        insta::assert_snapshot!(table(&results, &Summary::of(&results)));
    }

    #[test]
    fn the_page_for_ci() {
        insta::assert_snapshot!(markdown(&fixture::demo()));
    }

    #[test]
    fn a_large_run_names_some_and_counts_the_rest() {
        let results = fixture::large(100_000);
        let text = table(&results, &Summary::of(&results));
        assert!(text.ends_with("… and 950 more that did not pass\n"), "{text}");
        assert!(text.starts_with("run 41 of demo stopped: 99,000 PASS, 1,000 FAIL in 2m 05s\n"), "{text}");
        assert!(text.len() < 20_000);
    }

    #[test]
    fn the_pass_rate_is_never_rounded_up() {
        let mut counts = Counts::default();
        assert_eq!((counts.pass_rate_text().as_str(), counts.sentence().as_str()), ("0.00 %", "no tests"));
        (0..99_999).for_each(|_| counts.add(Some(Verdict::Pass)));
        assert_eq!(counts.pass_rate_text(), "100.00 %");
        counts.add(Some(Verdict::NotExecuted));
        assert_eq!(counts.pass_rate_text(), "99.99 %");
        counts.add(None);
        assert_eq!(counts.sentence(), "99,999 PASS, 1 NOT_EXECUTED, 1 not ended");
    }
}
