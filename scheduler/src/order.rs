//! The order of tests on a lane: document order, with tests queued later in between.
//!
//! A queued test stands at the end of its suite, before the teardown files that close the suite. Positions compare
//! in the order of running; no list of all tests is kept or moved.

use std::{
    collections::BTreeMap,
    ops::{Bound, Range},
};

use jackfield_protocol::{
    id::{SuiteIndex, TestIndex},
    plan::{Role, RunPlan},
};

/// A place in the order of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The planned test here, or the one that the queued test here comes before.
    before: u32,
    /// Queued tests of inner suites come before those of outer ones, and all of them before the planned test.
    level: u16,
    /// Queued tests of one suite stand in the order of queueing.
    nth: u32,
}

impl Position {
    pub(crate) fn planned(test: u32) -> Self {
        Self { before: test, level: u16::MAX, nth: 0 }
    }

    /// The place of the `nth` queued test of a run, which goes to this suite.
    pub(crate) fn queued(plan: &RunPlan, suite: SuiteIndex, nth: u32) -> Self {
        let depth = plan.suite_chain(suite).count();
        let level = u16::try_from(depth).map_or(0, |depth| u16::MAX.saturating_sub(depth));
        Self { before: queue_point(plan, suite), level, nth }
    }
}

/// The planned test that queued tests of a suite come before: the first of its closing teardown files, or what
/// follows the suite.
fn queue_point(plan: &RunPlan, suite: SuiteIndex) -> u32 {
    let Some(planned) = plan.suite(suite) else { return 0 };
    let closes = |at: &u32| {
        plan.test(TestIndex(*at)).is_some_and(|test| test.suite == suite && test.role == Role::Teardown)
    };
    let closing = planned.tests.clone().rev().take_while(closes).last();
    closing.unwrap_or(planned.tests.end)
}

/// All tests of a part in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    /// Planned tests: ranges that neither touch nor overlap, ascending.
    ranges: Vec<Range<u32>>,
    queued: BTreeMap<Position, TestIndex>,
}

impl Order {
    pub(crate) fn new(ranges: impl IntoIterator<Item = Range<u32>>) -> Self {
        Self {
            ranges: ranges.into_iter().filter(|range| !range.is_empty()).collect(),
            queued: BTreeMap::new(),
        }
    }

    pub(crate) fn insert(&mut self, at: Position, test: TestIndex) {
        self.queued.insert(at, test);
    }

    pub(crate) fn first(&self) -> Option<(Position, TestIndex)> {
        let planned = self.ranges.first().map(|range| range.start);
        self.earlier(planned, self.queued.first_key_value())
    }

    /// What stands here.
    pub(crate) fn at(&self, position: Position) -> Option<TestIndex> {
        match self.queued.get(&position) {
            Some(test) => Some(*test),
            None => (position.level == u16::MAX).then_some(TestIndex(position.before)),
        }
    }

    /// What comes right after this position.
    pub(crate) fn after(&self, position: Position) -> Option<(Position, TestIndex)> {
        let least =
            if position.level == u16::MAX { position.before.saturating_add(1) } else { position.before };
        let range = self.ranges.partition_point(|range| range.end <= least);
        let planned = self.ranges.get(range).map(|range| range.start.max(least));
        let queued = self.queued.range((Bound::Excluded(position), Bound::Unbounded)).next();
        self.earlier(planned, queued)
    }

    fn earlier(
        &self,
        planned: Option<u32>,
        queued: Option<(&Position, &TestIndex)>,
    ) -> Option<(Position, TestIndex)> {
        let planned = planned.map(|test| (Position::planned(test), TestIndex(test)));
        let queued = queued.map(|(position, test)| (*position, *test));
        match (planned, queued) {
            (Some(planned), Some(queued)) => Some(planned.min(queued)),
            (planned, queued) => planned.or(queued),
        }
    }

    /// Every test in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Position, TestIndex)> {
        std::iter::successors(self.first(), |(position, _)| self.after(*position))
    }
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::plan::{PlannedSuite, PlannedTest, RunOptions};
    use proptest::prelude::*;

    use super::*;

    /// Suite 0 holds tests 0..5 and suite 1 tests 1..4 of these; 3 and 4 are teardown files of their suites.
    fn plan() -> RunPlan {
        let suite = |parent, tests| PlannedSuite {
            configs: Vec::new(),
            id: "s".into(),
            origin: "s".into(),
            name: "s".into(),
            parent,
            tests,
            place: Default::default(),
            sut: None,
            panic_detect: false,
            libraries: Vec::new(),
            user_defined: Default::default(),
            timeout_millis: None,
            depends: Vec::new(),
        };
        let test = |suite, role| PlannedTest { role, ..PlannedTest::new("t", SuiteIndex(suite), "t") };
        let roles =
            [(0, Role::Test), (1, Role::Test), (1, Role::Test), (1, Role::Teardown), (0, Role::Teardown)];
        RunPlan {
            project: String::new(),
            source: String::new(),
            user: "ana".into(),
            options: RunOptions::default(),
            suites: vec![suite(None, 0..5), suite(Some(SuiteIndex(0)), 1..4), suite(None, 5..5)],
            tests: roles.into_iter().map(|(at, role)| test(at, role)).collect(),
            files: Default::default(),
            libraries: Default::default(),
            folders: Default::default(),
            panic_patterns: Vec::new(),
            profiles: Default::default(),
            templates: None,
            private: Default::default(),
        }
    }

    fn numbers(order: &Order) -> Vec<u32> {
        order.iter().map(|(_, test)| test.0).collect()
    }

    #[test]
    fn queued_tests_stand_before_the_teardown_that_closes_their_suite() {
        let plan = plan();
        let mut order = Order::new([0..5, 5..5]);
        for (nth, suite) in [(0, 0), (1, 1), (2, 0), (3, 1), (4, 2)] {
            order.insert(Position::queued(&plan, SuiteIndex(suite), nth), TestIndex(10 + nth));
        }
        assert_eq!(numbers(&order), [0, 1, 2, 11, 13, 3, 10, 12, 4, 14]);
    }

    proptest! {
        #[test]
        fn walking_visits_everything_once_in_order(
            sizes in prop::collection::vec((0..4_u32, 0..3_u32), 0..6),
            queued in prop::collection::vec((0..24_u32, 0..3_u16), 0..8),
        ) {
            let mut next = 0;
            let mut ranges = Vec::new();
            for (gap, size) in sizes {
                ranges.push(next + gap..next + gap + size);
                next += gap + size;
            }
            let mut all: Vec<_> = ranges.iter().cloned().flatten().map(|test| (Position::planned(test), TestIndex(test))).collect();
            let mut order = Order::new(ranges);
            for (nth, (before, level)) in (0..).zip(queued) {
                let position = Position { before, level, nth };
                order.insert(position, TestIndex(100 + nth));
                all.push((position, TestIndex(100 + nth)));
            }
            all.sort();
            prop_assert_eq!(order.iter().collect::<Vec<_>>(), all.clone());
            for (position, test) in all {
                prop_assert_eq!(order.at(position), Some(test));
            }
        }
    }
}
