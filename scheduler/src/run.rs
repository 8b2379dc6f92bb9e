//! A run that has not ended: where each of its tests, suites and parts stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::{
    event::{Fact, RunEvent, RunState},
    guard::{Latch, Latches},
    id::{AttemptId, EpName, RunId, SuiteIndex, TestIndex},
    plan::{PlannedSuite, PlannedTest, Role, RunPlan},
    time::Time,
    verdict::{Outcome, Verdict},
};

use crate::{
    dependency::Edges,
    effect::{RunRow, StopCause},
    order::Position,
    out::Out,
    part::{Part, divide},
    script::Script,
};

/// How far a test is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Pending,
    /// Its turn has come, but something it depends on has not ended.
    Waiting,
    /// An EP holds it.
    Sent,
    /// Its process runs.
    Started,
    Ended(Verdict),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot {
    pub(crate) stage: Stage,
    /// The number of its last attempt; 0 where none was made.
    pub(crate) tries: u16,
    /// Where that was.
    pub(crate) ep: Option<EpName>,
}

/// What changes of a suite.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Suite {
    pub(crate) part: u32,
    /// Tests in it, at any depth, without verdict.
    pub(crate) left: u32,
    /// One of its tests was started.
    pub(crate) begun: bool,
    /// Tests right in it.
    pub(crate) direct: u32,
    /// When its first test was started, if it has a limit.
    pub(crate) started: Option<Time>,
    /// When its time is over.
    pub(crate) limit: Option<Time>,
    pub(crate) timed_out: bool,
}

/// A test that was added while the run ran.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Queued {
    pub(crate) test: PlannedTest,
    pub(crate) position: Position,
}

/// Tests that got the same verdict without an EP, not yet published.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    pub(crate) outcome: Outcome,
    pub(crate) tests: Vec<(u32, u32)>,
}

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) row: RunRow,
    /// When it came, for those who wait for the same: never before an earlier run, however clocks jump.
    pub(crate) came: Time,
    pub(crate) plan: Arc<RunPlan>,
    pub(crate) queued: Vec<Queued>,
    pub(crate) slots: Vec<Slot>,
    /// Place among the tests right in its suite, by test.
    pub(crate) places: Vec<u32>,
    pub(crate) suites: Vec<Suite>,
    pub(crate) parts: Vec<Part>,
    pub(crate) edges: Edges,
    pub(crate) latches: Latches,
    /// Latches that some test can set.
    pub(crate) settable: BTreeSet<Latch>,
    pub(crate) counts: BTreeMap<Verdict, u32>,
    /// The post script was asked for.
    pub(crate) post_asked: bool,
    /// The script that an EP runs, or is to run, for this run.
    pub(crate) script: Option<Script>,
    /// When its time is over.
    pub(crate) limit: Option<Time>,
    pub(crate) decided: Option<Decided>,
}

/// A number of ours as a place in a list.
pub(crate) fn at(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Run {
    pub(crate) fn new(row: RunRow, plan: Arc<RunPlan>) -> Self {
        let parts = divide(row.run, &plan);
        let mut run = Self {
            came: row.submitted,
            row,
            queued: Vec::new(),
            slots: vec![Slot { stage: Stage::Pending, tries: 0, ep: None }; plan.tests.len()],
            places: Vec::with_capacity(plan.tests.len()),
            suites: new_suites(&plan, &parts),
            parts,
            edges: Edges::default(),
            latches: Latches::new(),
            settable: BTreeSet::new(),
            counts: BTreeMap::new(),
            post_asked: false,
            script: None,
            limit: None,
            decided: None,
            plan: Arc::clone(&plan),
        };
        for test in &plan.tests {
            run.count_in(test.suite);
        }
        run.edges = Edges::of_plan(&run);
        (0..run.tests()).for_each(|test| run.note_settable(TestIndex(test)));
        run
    }

    /// Gives a test its place in its suite.
    pub(crate) fn count_in(&mut self, suite: SuiteIndex) {
        let Some(suite) = self.suites.get_mut(at(suite.0)) else { return self.places.push(0) };
        self.places.push(suite.direct);
        suite.direct = suite.direct.saturating_add(1);
    }

    pub(crate) fn id(&self) -> RunId {
        self.row.run
    }

    pub(crate) fn tests(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn test(&self, index: TestIndex) -> Option<&PlannedTest> {
        self.plan.test(index).or_else(|| self.queued_test(index).map(|queued| &queued.test))
    }

    fn queued_test(&self, index: TestIndex) -> Option<&Queued> {
        self.queued.get(at(index.0).checked_sub(self.plan.tests.len())?)
    }

    pub(crate) fn name(&self, index: TestIndex) -> &str {
        self.test(index).map_or("?", |test| &test.name)
    }

    /// `test_login.py (41.3)`
    pub(crate) fn title(&self, index: TestIndex) -> String {
        format!("{} ({}.{index})", self.name(index), self.row.run)
    }

    pub(crate) fn position(&self, index: TestIndex) -> Position {
        self.queued_test(index).map_or_else(|| Position::planned(index.0), |queued| queued.position)
    }

    pub(crate) fn slot(&self, index: TestIndex) -> Option<&Slot> {
        self.slots.get(at(index.0))
    }

    pub(crate) fn slot_mut(&mut self, index: TestIndex) -> Option<&mut Slot> {
        self.slots.get_mut(at(index.0))
    }

    pub(crate) fn stage(&self, index: TestIndex) -> Option<Stage> {
        self.slot(index).map(|slot| slot.stage)
    }

    pub(crate) fn set_stage(&mut self, index: TestIndex, stage: Stage) {
        if let Some(slot) = self.slot_mut(index) {
            slot.stage = stage;
        }
    }

    pub(crate) fn part(&self, part: u32) -> Option<&Part> {
        self.parts.get(at(part))
    }

    pub(crate) fn part_mut(&mut self, part: u32) -> Option<&mut Part> {
        self.parts.get_mut(at(part))
    }

    /// The part that a test belongs to.
    pub(crate) fn part_of(&self, test: TestIndex) -> Option<u32> {
        self.suite(self.test(test)?.suite).map(|suite| suite.part)
    }

    pub(crate) fn suite(&self, index: SuiteIndex) -> Option<&Suite> {
        self.suites.get(at(index.0))
    }

    pub(crate) fn suite_mut(&mut self, index: SuiteIndex) -> Option<&mut Suite> {
        self.suites.get_mut(at(index.0))
    }

    /// The suites around a test, innermost first.
    pub(crate) fn suites_of(&self, test: TestIndex) -> impl Iterator<Item = (SuiteIndex, &PlannedSuite)> {
        self.test(test).into_iter().flat_map(|test| self.plan.suite_chain(test.suite))
    }

    /// The suite that no suite is around, of a test.
    pub(crate) fn top_suite_of(&self, test: TestIndex) -> Option<SuiteIndex> {
        self.suites_of(test).last().map(|(suite, _)| suite)
    }

    pub(crate) fn is_teardown(&self, test: TestIndex) -> bool {
        self.test(test).is_some_and(|test| test.role == Role::Teardown)
    }

    /// Whether a test of the test's own suite was started.
    pub(crate) fn is_begun(&self, test: TestIndex) -> bool {
        self.test(test).and_then(|test| self.suite(test.suite)).is_some_and(|suite| suite.begun)
    }

    /// Whether tests may be sent and decided: it has begun, its pre script has run, nobody has paused it.
    pub(crate) fn is_open(&self) -> bool {
        let state = matches!(self.row.state, RunState::Running | RunState::Stopping);
        state
            && self.row.started.is_some()
            && (self.plan.options.script_pre.is_none() || self.row.pre.is_some())
    }

    pub(crate) fn attempt(&self, test: TestIndex, attempt: u16) -> AttemptId {
        AttemptId { run: self.row.run, test, attempt }
    }

    /// The next test of a part that has neither verdict nor EP.
    pub(crate) fn head(&self, part: &Part) -> Option<(Position, TestIndex)> {
        let mut next = part.cursor.and_then(|cursor| part.order.at(cursor).map(|test| (cursor, test)));
        while let Some((position, test)) = next {
            if matches!(self.stage(test), Some(Stage::Pending | Stage::Waiting)) {
                return next;
            }
            next = part.order.after(position);
        }
        None
    }

    /// The next test of a part does not wait for another test: its turn is not now.
    pub(crate) fn head_waits_no_more(&mut self, part: u32) {
        let head = self.part(part).and_then(|part| self.head(part));
        if let Some((_, test)) = head {
            self.set_stage(test, Stage::Pending);
        }
    }

    pub(crate) fn stopped(&self) -> Option<&StopCause> {
        self.row.stopped.as_ref()
    }

    /// Numbers a fact, after those that still wait to be told.
    pub(crate) fn publish(&mut self, out: &mut Out, fact: Fact) {
        self.flush(out);
        self.number(out, fact);
    }

    /// Tells of tests that were decided together.
    pub(crate) fn flush(&mut self, out: &mut Out) {
        if let Some(decided) = self.decided.take() {
            let fact = crate::decide::told(decided);
            self.number(out, fact);
        }
    }

    fn number(&mut self, out: &mut Out, fact: Fact) {
        self.row.seq = self.row.seq.saturating_add(1);
        let mut fact = fact;
        // A question's number is that of the event that announces it: unique in its run for good.
        if let Fact::Asked { question, .. } = &mut fact {
            *question = self.row.seq;
        }
        out.touched.insert(self.row.run);
        out.effects.publish.push(RunEvent { run: self.row.run, seq: self.row.seq, at: out.now, fact });
    }
}

fn new_suites(plan: &RunPlan, parts: &[Part]) -> Vec<Suite> {
    let mut part_of: BTreeMap<SuiteIndex, u32> = BTreeMap::new();
    for part in parts {
        part_of.extend(part.suites.iter().map(|suite| (*suite, part.key.part)));
    }
    (0..)
        .zip(&plan.suites)
        .map(|(index, suite)| {
            // Parents stand before children, so theirs is known.
            let top = suite.parent.unwrap_or(SuiteIndex(index));
            let part = part_of.get(&top).copied().unwrap_or(0);
            part_of.insert(SuiteIndex(index), part);
            Suite {
                part,
                left: suite.tests.end.saturating_sub(suite.tests.start),
                begun: false,
                direct: 0,
                started: None,
                limit: None,
                timed_out: false,
            }
        })
        .collect()
}
