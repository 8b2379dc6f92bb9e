//! How far the inserts of one run into one database are: of each statement, for which tests it is kept, was refused, is under way, or
//! was under way when the engine or the connection died and nobody can know.
//!
//! ```text
//! (nothing) ─open─▶ open ─┬─ kept
//!                         ├─ refused ──▶ tried again
//!                         ├─ (nothing): it is certain that it did not happen
//!                         └─ unknown ──▶ a person looks
//! ```
//!
//! Values of fields that belong to the run or a suite are kept beside it, so that a run that is inserted in several goes has one
//! `SELECT MAX(run) + 1`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Texts of refusals that are kept of one statement; further ones are counted under the last.
const REFUSALS_MAX: usize = 50;
/// Characters of such a text.
const REFUSAL_CHARS_MAX: usize = 500;

/// Values of fields, by name; none is NULL.
pub(crate) type Values = BTreeMap<String, Option<String>>;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// By number, from 1.
    statements: BTreeMap<u32, OfStatement>,
    /// Fields of the run.
    #[serde(default)]
    pub(crate) of_run: Values,
    /// Fields of suites, by number.
    #[serde(default)]
    pub(crate) of_suites: BTreeMap<u32, Values>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct OfStatement {
    kept: Tests,
    open: Tests,
    unknown: Tests,
    refused: Vec<Refused>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Refused {
    error: String,
    tests: Tests,
}

/// A refusal, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal<'a> {
    /// Which statement.
    pub(crate) statement: u32,
    /// In the words of the database.
    pub(crate) error: &'a str,
    /// The first test it met.
    pub(crate) first: u32,
    /// How many it met.
    pub(crate) tests: usize,
}

/// How many (test, statement) are how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) kept: usize,
    pub(crate) refused: usize,
    pub(crate) unknown: usize,
}

impl Progress {
    /// The statements of `count` that are still wanted for a test.
    pub(crate) fn wanted(&self, test: u32, count: u32) -> Vec<u32> {
        let is_settled = |number: &u32| {
            self.statements.get(number).is_some_and(|of| of.kept.has(test) || of.unknown.has(test))
        };
        (1..=count).filter(|number| !is_settled(number)).collect()
    }

    pub(crate) fn open(&mut self, test: u32, statement: u32) {
        self.of(statement).open.add(test);
    }

    pub(crate) fn kept(&mut self, test: u32, statement: u32) {
        let of = self.of(statement);
        of.settle(test);
        of.kept.add(test);
    }

    /// It is certain that it did not happen.
    pub(crate) fn close(&mut self, test: u32, statement: u32) {
        self.of(statement).open.remove(test);
    }

    pub(crate) fn unknown(&mut self, test: u32, statement: u32) {
        let of = self.of(statement);
        of.settle(test);
        of.unknown.add(test);
    }

    pub(crate) fn refused(&mut self, test: u32, statement: u32, error: &str) {
        let error: String = error.chars().take(REFUSAL_CHARS_MAX).collect();
        let of = self.of(statement);
        of.settle(test);
        let is_full = of.refused.len() >= REFUSALS_MAX;
        let same = of.refused.iter().position(|refused| refused.error == error);
        match same.or(is_full.then(|| of.refused.len().saturating_sub(1))) {
            Some(at) => of.refused.get_mut(at).into_iter().for_each(|refused| refused.tests.add(test)),
            None => of.refused.push(Refused { error, tests: Tests::from([test]) }),
        }
    }

    /// What is under way, or was when the engine died.
    pub(crate) fn all_open(&self) -> Vec<(u32, u32)> {
        let open =
            self.statements.iter().flat_map(|(number, of)| of.open.0.iter().map(|test| (*test, *number)));
        open.collect()
    }

    /// A person has looked: what is not known did not happen.
    pub(crate) fn forget_unknown(&mut self) {
        self.statements.values_mut().for_each(|of| of.unknown = Tests::default());
    }

    /// Values of fields are of no more use where nothing was inserted with them.
    pub(crate) fn forget_values(&mut self) {
        let tally = self.tally();
        if tally.kept == 0 && tally.unknown == 0 {
            self.of_run.clear();
            self.of_suites.clear();
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        self.statements.values().fold(Tally::default(), |tally, of| Tally {
            kept: tally.kept.saturating_add(of.kept.0.len()),
            refused: tally.refused.saturating_add(of.refused.iter().map(|one| one.tests.0.len()).sum()),
            unknown: tally.unknown.saturating_add(of.unknown.0.len()),
        })
    }

    /// Tests of which it is not known whether the database has them.
    pub(crate) fn unknown_tests(&self) -> BTreeSet<u32> {
        self.statements.values().flat_map(|of| of.unknown.0.iter().copied()).collect()
    }

    /// Every refusal, in the order of the statements.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = Refusal<'_>> {
        self.statements.iter().flat_map(|(number, of)| {
            of.refused.iter().filter_map(|refused| {
                Some(Refusal {
                    statement: *number,
                    error: &refused.error,
                    first: *refused.tests.0.first()?,
                    tests: refused.tests.0.len(),
                })
            })
        })
    }

    fn of(&mut self, statement: u32) -> &mut OfStatement {
        self.statements.entry(statement).or_default()
    }
}

impl OfStatement {
    /// It is not what it was before.
    fn settle(&mut self, test: u32) {
        self.open.remove(test);
        self.refused.iter_mut().for_each(|refused| refused.tests.remove(test));
        self.refused.retain(|refused| !refused.tests.0.is_empty());
    }
}

/// Numbers of tests; written as `0-41,43`, which is short for those that come one after the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Tests(BTreeSet<u32>);

impl Tests {
    fn has(&self, test: u32) -> bool {
        self.0.contains(&test)
    }

    fn add(&mut self, test: u32) {
        self.0.insert(test);
    }

    fn remove(&mut self, test: u32) {
        self.0.remove(&test);
    }
}

impl From<[u32; 1]> for Tests {
    fn from(tests: [u32; 1]) -> Self {
        Self(tests.into())
    }
}

impl From<Tests> for String {
    fn from(tests: Tests) -> Self {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for test in tests.0 {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(test) => *last = test,
                _ => ranges.push((test, test)),
            }
        }
        let written = ranges.iter().map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        });
        written.collect::<Vec<_>>().join(",")
    }
}

impl TryFrom<String> for Tests {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut tests = BTreeSet::new();
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            tests.extend(first.parse::<u32>()?..=last.parse()?);
        }
        Ok(Self(tests))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_each_statement_survives_writing() {
        let mut progress = Progress::default();
        for test in 0..10 {
            progress.open(test, 1);
            progress.open(test, 2);
        }
        for test in 0..8 {
            progress.kept(test, 1);
        }
        progress.unknown(8, 1);
        progress.close(9, 1);
        progress.refused(3, 2, "no such table");
        progress.refused(5, 2, "no such table");
        progress.kept(5, 2);
        let text = serde_json::to_string(&progress).unwrap();
        assert!(text.contains("\"0-7\"") && text.contains("\"0-2,4,6-9\""), "{text}");
        let progress: Progress = serde_json::from_str(&text).unwrap();
        assert_eq!(progress.tally(), Tally { kept: 9, refused: 1, unknown: 1 });
        assert_eq!(
            (progress.wanted(3, 2), progress.wanted(8, 2), progress.wanted(9, 2)),
            (vec![2], vec![2], vec![1, 2])
        );
        let refusals: Vec<_> = progress.refusals().collect();
        assert_eq!(refusals, [Refusal { statement: 2, error: "no such table", first: 3, tests: 1 }]);
    }

    #[test]
    fn refusals_that_all_differ_do_not_grow_without_end() {
        let mut progress = Progress::default();
        for test in 0..10_000 {
            progress.refused(test, 1, &format!("value {test} is too long"));
        }
        assert_eq!((progress.refusals().count(), progress.tally().refused), (REFUSALS_MAX, 10_000));
    }
}
