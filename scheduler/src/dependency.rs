//! What waits for what: the dependencies of tests and suites, indexed by the tests that they wait for.
//!
//! On one lane the order of running already makes a test wait, so only a latch is needed. Across lanes the scheduler
//! holds a test back until the others have ended.

use std::{collections::BTreeMap, ops::Range};

use jackfield_protocol::{
    guard::Latch,
    id::{SuiteIndex, TestIndex},
    plan::Dependency,
};

use crate::{
    latch::Rule,
    run::{Run, Stage},
};

/// Whose dependency it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Test(TestIndex),
    Suite(SuiteIndex),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edge {
    pub(crate) owner: Owner,
    /// Which of the owner's dependencies.
    nth: usize,
    /// The part that waits.
    pub(crate) part: u32,
    /// How many of the tests in other parts have no verdict.
    pub(crate) open: u32,
    /// It also names tests of the part that waits.
    inside: bool,
    /// It came with a queued test, so an EP may hold tests that were sent without its latch.
    late: bool,
}

/// All dependencies of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edges {
    pub(crate) list: Vec<Edge>,
    of_test: BTreeMap<TestIndex, Range<usize>>,
    of_suite: BTreeMap<SuiteIndex, Range<usize>>,
    dependents: BTreeMap<TestIndex, Vec<usize>>,
    /// Dependencies that can never hold, and why: nobody waits for them, and whoever has one is SKIPPED.
    pub(crate) void: BTreeMap<Latch, String>,
}

impl Edges {
    /// Numbered in the order of the plan, suites first: latches go by these numbers.
    pub(crate) fn of_plan(run: &Run) -> Self {
        let mut edges = Self::default();
        for (index, suite) in (0..).zip(&run.plan.suites) {
            edges.add(run, Owner::Suite(SuiteIndex(index)), &suite.depends);
        }
        for (index, test) in (0..).zip(&run.plan.tests) {
            edges.add(run, Owner::Test(TestIndex(index)), &test.depends);
        }
        edges
    }

    pub(crate) fn add(&mut self, run: &Run, owner: Owner, depends: &[Dependency]) {
        let (Some(part), false) = (part_of(run, owner), depends.is_empty()) else { return };
        let first = self.list.len();
        let late = matches!(owner, Owner::Test(test) if run.plan.test(test).is_none());
        for (nth, dependency) in depends.iter().enumerate() {
            let number = self.list.len();
            let mut edge = Edge { owner, nth, part, open: 0, inside: false, late };
            for test in &dependency.tests {
                match run.stage(*test) {
                    None => {
                        let reason =
                            format!("the dependency {} names a test that is not in the run", dependency.text);
                        self.void.insert(Rule::Dependency(number).latch(), reason);
                    }
                    Some(_) if run.part_of(*test) == Some(part) => edge.inside = true,
                    Some(Stage::Ended(_)) => {}
                    Some(Stage::Pending | Stage::Waiting | Stage::Sent | Stage::Started) => {
                        edge.open = edge.open.saturating_add(1);
                    }
                }
                self.dependents.entry(*test).or_default().push(number);
            }
            self.list.push(edge);
        }
        let range = first..self.list.len();
        match owner {
            Owner::Test(test) => drop(self.of_test.insert(test, range)),
            Owner::Suite(suite) => drop(self.of_suite.insert(suite, range)),
        }
    }

    /// The dependencies in which others wait for this test.
    pub(crate) fn waiting_for(&self, test: TestIndex) -> impl Iterator<Item = usize> + use<> {
        self.dependents.get(&test).cloned().unwrap_or_default().into_iter()
    }

    pub(crate) fn of_test(&self, test: TestIndex) -> Range<usize> {
        self.of_test.get(&test).cloned().unwrap_or_default()
    }

    pub(crate) fn of_suite(&self, suite: SuiteIndex) -> Range<usize> {
        self.of_suite.get(&suite).cloned().unwrap_or_default()
    }
}

fn part_of(run: &Run, owner: Owner) -> Option<u32> {
    match owner {
        Owner::Test(test) => run.part_of(test),
        Owner::Suite(suite) => run.suite(suite).map(|suite| suite.part),
    }
}

impl Run {
    /// The dependency behind an edge.
    pub(crate) fn dependency(&self, edge: usize) -> Option<&Dependency> {
        let edge = self.edges.list.get(edge)?;
        match edge.owner {
            Owner::Test(test) => self.test(test)?.depends.get(edge.nth),
            Owner::Suite(suite) => self.plan.suite(suite)?.depends.get(edge.nth),
        }
    }

    /// Every dependency that holds a test: those of its suites and its own.
    pub(crate) fn edges_over(&self, test: TestIndex) -> impl Iterator<Item = usize> {
        let suites = self.suites_of(test).flat_map(|(suite, _)| self.edges.of_suite(suite));
        suites.chain(self.edges.of_test(test))
    }

    /// The first dependency that keeps a test waiting, and the first test it waits for.
    pub(crate) fn waits_for(&self, test: TestIndex) -> Option<(usize, TestIndex)> {
        self.edges_over(test).find_map(|edge| self.open_tests(edge).next().map(|on| (edge, on)))
    }

    /// The tests that a dependency still waits for: those of other parts without verdict, and those of its own part
    /// that are not even with the EP, because they come later, or were sent before the dependency was known.
    pub(crate) fn open_tests(&self, edge: usize) -> impl Iterator<Item = TestIndex> {
        let live = self.edges.list.get(edge).filter(|live| live.open > 0 || live.inside);
        let live = live.filter(|_| !self.edges.void.contains_key(&Rule::Dependency(edge).latch()));
        let tests = live.and_then(|_| self.dependency(edge)).map(|dependency| dependency.tests.as_slice());
        tests.unwrap_or_default().iter().copied().filter(move |test| match self.stage(*test) {
            None | Some(Stage::Ended(_)) => false,
            Some(Stage::Pending | Stage::Waiting) => true,
            Some(Stage::Sent | Stage::Started) => {
                live.is_some_and(|edge| edge.late || self.part_of(*test) != Some(edge.part))
            }
        })
    }
}
