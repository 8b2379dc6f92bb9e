//! What changed since the last run of a project: what a person wants to know first in the morning.
//!
//! A test is the same as one of an earlier run when suite, file, name and iteration are; of several that are alike, the first is the first.
//! One that was skipped, or did not run, says nothing: it is neither broken nor mended, and the run before it is asked.

use std::collections::BTreeMap;

use jackfield_protocol::{
    id::{RunId, TestIndex},
    verdict::Verdict,
};

use crate::results::{Results, Row};

/// How the tests of an earlier run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    run: RunId,
    passed: BTreeMap<Key, bool>,
}

/// What tells tests apart, and the how manieth of those that are alike it is.
type Key = (String, usize);

/// What changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The run that it is compared with: the last one of the project.
    pub against: RunId,
    /// Passed then, and does not now.
    pub broken: Vec<TestIndex>,
    /// Passes now, and did not then.
    pub mended: Vec<TestIndex>,
    /// Did not pass then either, with the first run since which it does not.
    pub still: Vec<(TestIndex, RunId)>,
    /// Passed now, but not at the first try.
    pub flaky: Vec<TestIndex>,
    /// How many are here that were not there.
    pub new: usize,
    /// How many are here no more.
    pub gone: usize,
    /// The runs that were looked at and this one, oldest first.
    pub trend: Vec<Tally>,
}

/// How many tests of a run passed, and how many did not; one that was skipped or did not run is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Which run.
    pub run: RunId,
    /// So many passed.
    pub passed: u32,
    /// So many did not.
    pub failed: u32,
}

impl Earlier {
    /// What is remembered of a run.
    pub fn of(results: &Results) -> Self {
        let passed = keyed(results).filter_map(|(key, row)| Some((key, passed(&row)?)));
        Self { run: results.run.id, passed: passed.collect() }
    }

    fn tally(&self) -> Tally {
        let count = |wanted: bool| self.passed.values().filter(|passed| **passed == wanted).count();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Tally { run: self.run, passed: number(count(true)), failed: number(count(false)) }
    }
}

impl Changes {
    /// Compares a run with those before it, newest first; none where there is none.
    pub fn since(results: &Results, earlier: &[Earlier]) -> Option<Self> {
        let [last, ..] = earlier else { return None };
        let mut changes = Self { against: last.run, ..Self::default() };
        let mut known = 0_usize;
        for (key, row) in keyed(results) {
            let is_known = earlier.iter().any(|run| run.passed.contains_key(&key));
            known = known.saturating_add(usize::from(last.passed.contains_key(&key)));
            let Some(passes) = passed(&row) else { continue };
            if passes && row.result.attempts.len() > 1 {
                changes.flaky.push(row.index);
            }
            if !is_known {
                changes.new = changes.new.saturating_add(1);
                continue;
            }
            let before = earlier.iter().find_map(|run| run.passed.get(&key)).copied().unwrap_or(true);
            match (before, passes) {
                (true, false) => changes.broken.push(row.index),
                (false, true) => changes.mended.push(row.index),
                (false, false) => changes.still.push((row.index, since(&key, earlier).unwrap_or(last.run))),
                (true, true) => {}
            }
        }
        changes.gone = last.passed.len().saturating_sub(known);
        changes.trend = earlier.iter().rev().map(Earlier::tally).collect();
        changes.trend.push(Earlier::of(results).tally());
        Some(changes)
    }

    /// Whether there is anything that somebody would want to know.
    pub fn is_news(&self) -> bool {
        !self.broken.is_empty() || !self.mended.is_empty()
    }

    /// `2 newly broken, 1 mended, 3 still broken`; empty where nothing is to be told.
    pub fn sentence(&self) -> String {
        let counts = [
            (self.broken.len(), "newly broken"),
            (self.mended.len(), "mended"),
            (self.still.len(), "still broken"),
            (self.flaky.len(), "flaky"),
            (self.new, "new"),
            (self.gone, "gone"),
        ];
        let told =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        told.collect::<Vec<_>>().join(", ")
    }
}

/// The first of the runs without a break in which it did not pass.
fn since(key: &Key, earlier: &[Earlier]) -> Option<RunId> {
    let told = earlier.iter().filter_map(|run| Some((run.run, *run.passed.get(key)?)));
    told.take_while(|(_, passed)| !passed).last().map(|(run, _)| run)
}

fn keyed(results: &Results) -> impl Iterator<Item = (Key, Row<'_>)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    results.rows().filter(|row| !row.is_frame()).map(move |row| {
        let iteration = row.test.iteration.as_ref().map_or("", |iteration| &iteration.text);
        let suite = results.suite_path(row.test.suite).join("/");
        let name = format!("{suite}\n{}\n{}\n{iteration}", row.test.file, row.test.name);
        let count = seen.entry(name.clone()).or_default();
        *count = count.saturating_add(1);
        ((name, *count), row)
    })
}

/// Whether it passed; none where it says nothing.
fn passed(row: &Row<'_>) -> Option<bool> {
    match row.verdict()? {
        Verdict::Pass => Some(true),
        Verdict::Fail | Verdict::Timeout | Verdict::Invalid | Verdict::Aborted => Some(false),
        Verdict::Skipped | Verdict::NotExecuted => None,
    }
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::verdict::Outcome;

    use super::*;
    use crate::fixture;

    /// The demo as a run of its own, with these verdicts for its tests.
    fn run(id: u64, verdicts: &[(u32, Verdict)]) -> Results {
        let mut results = fixture::demo();
        results.run.id = RunId(id);
        for (test, verdict) in verdicts {
            let at = usize::try_from(*test).unwrap();
            let outcome = Outcome {
                verdict: *verdict,
                cause: None,
                reason: String::new(),
                crashed: false,
                decided_by: None,
            };
            results.tests[at].outcome = Some(outcome);
        }
        results
    }

    #[test]
    fn a_run_is_told_by_what_is_different() {
        use Verdict::{Fail, Pass, Skipped};
        let now = run(41, &[(1, Fail), (2, Pass), (3, Fail), (4, Fail), (5, Pass)]);
        let last = run(40, &[(1, Pass), (2, Fail), (3, Fail), (4, Skipped), (5, Pass)]);
        let before = run(39, &[(1, Fail), (2, Fail), (3, Fail), (4, Fail), (5, Pass)]);
        let first = run(38, &[(1, Pass), (2, Pass), (3, Pass), (4, Pass), (5, Pass)]);
        let earlier: Vec<Earlier> = [&last, &before, &first].map(Earlier::of).into();
        let changes = Changes::since(&now, &earlier).unwrap();
        assert_eq!(changes.against, RunId(40));
        assert!(changes.broken.contains(&TestIndex(1)) && changes.is_news());
        assert!(changes.mended.contains(&TestIndex(2)));
        assert!(changes.still.contains(&(TestIndex(3), RunId(39))), "{changes:?}");
        assert!(changes.still.contains(&(TestIndex(4), RunId(39))), "a run that skipped it says nothing");
        assert_eq!((changes.new, changes.gone), (0, 0));
        let trend: Vec<u64> = changes.trend.iter().map(|tally| tally.run.0).collect();
        assert_eq!(trend, [38, 39, 40, 41]);
        assert_eq!(
            changes.trend.last().map(|now| now.failed),
            changes.trend.first().map(|first| first.failed + 3)
        );
        assert!(changes.sentence().starts_with("1 newly broken, 1 mended, "), "{}", changes.sentence());
        assert_eq!(Changes::since(&now, &[]), None);
    }

    #[test]
    fn nothing_new_is_nothing_to_tell() {
        let results = run(41, &[]);
        let changes = Changes::since(&results, &[Earlier::of(&run(40, &[]))]).unwrap();
        assert!(!changes.is_news() && !changes.still.is_empty(), "{changes:?}");
    }
}
