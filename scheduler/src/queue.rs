//! Tests that come into a run, or leave it, while it runs.

use jackfield_protocol::{
    event::Fact,
    guard::Raised,
    id::{RunId, SuiteIndex, TestIndex, UserName},
    plan::PlannedTest,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use crate::{
    Scheduler,
    dependency::Owner,
    effect::{AttemptState, Row},
    latch::Rule,
    order::Position,
    out::Out,
    part::PartKey,
    run::{Queued, Run, Slot, Stage},
};

impl Run {
    /// Puts tests at the end of a suite. They get the numbers after the last.
    pub(crate) fn add_queued(&mut self, suite: SuiteIndex, tests: Vec<PlannedTest>) -> Vec<TestIndex> {
        let mut added = Vec::new();
        for mut test in tests {
            let index = TestIndex(self.tests());
            let nth = u32::try_from(self.queued.len()).unwrap_or(u32::MAX);
            let position = Position::queued(&self.plan, suite, nth);
            test.suite = suite;
            self.queued.push(Queued { test, position });
            self.slots.push(Slot { stage: Stage::Pending, tries: 0, ep: None });
            self.count_in(suite);
            let chain: Vec<_> = self.plan.suite_chain(suite).map(|(index, _)| index).collect();
            for around in chain {
                if let Some(around) = self.suite_mut(around) {
                    around.left = around.left.saturating_add(1);
                }
            }
            let part = self.part_of(index);
            if let Some(part) = part.and_then(|part| self.part_mut(part)) {
                part.order.insert(position, index);
                part.look_again(position);
            }
            added.push(index);
        }
        for index in &added {
            let depends = self.test(*index).map(|test| test.depends.clone()).unwrap_or_default();
            let mut edges = std::mem::take(&mut self.edges);
            edges.add(self, Owner::Test(*index), &depends);
            self.edges = edges;
            self.look_back(*index);
        }
        added.iter().for_each(|index| self.note_settable(*index));
        added
    }
}

impl Run {
    /// A test that comes late may depend on tests that have ended: what they would have set is set now.
    fn look_back(&mut self, test: TestIndex) {
        for edge in self.edges.of_test(test) {
            self.settable.insert(Rule::Dependency(edge).latch());
            let Some(dependency) = self.dependency(edge) else { continue };
            let missed = dependency.tests.iter().find_map(|on| match self.stage(*on) {
                Some(Stage::Ended(verdict)) if !dependency.demand.contains(verdict) => Some((*on, verdict)),
                _ => None,
            });
            let Some((on, verdict)) = missed else { continue };
            let attempt = self.slot(on).map(|slot| slot.tries).filter(|tries| *tries > 0);
            let attempt = attempt.map(|attempt| self.attempt(on, attempt));
            let raised = Raised { attempt, name: self.name(on).to_owned(), verdict };
            self.latches.entry(Rule::Dependency(edge).latch()).or_insert(raised);
        }
    }
}

impl Scheduler {
    pub(crate) fn queue(
        &mut self,
        out: &mut Out,
        id: RunId,
        suite: SuiteIndex,
        tests: Vec<PlannedTest>,
        by: UserName,
    ) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let Some(part) = run.suite(suite).map(|suite| suite.part) else { return };
        if tests.is_empty() {
            return;
        }
        let key = PartKey { run: id, part };
        let first = TestIndex(run.tests());
        let over = run.stopped().is_some() || run.part(part).is_none_or(|part| part.ended);
        out.store(Row::Queued { run: id, first, tests: tests.clone() });
        // Its turn may go to a test that comes before it now.
        run.head_waits_no_more(part);
        let added = run.add_queued(suite, tests);
        run.publish(out, Fact::TestsQueued { suite, tests: added.clone(), by });
        self.rearm_suites(id, suite);
        if over {
            for test in added {
                let reason = "it was queued after its part of the run had ended";
                let by = DecidedBy::QueuedTooLate;
                self.decide(
                    out,
                    id,
                    test,
                    Outcome::not_pass(Verdict::NotExecuted, Cause::Person, by, reason),
                );
            }
            return;
        }
        if self.runs.get(&id).is_some_and(|run| run.has_overtaken(key.part)) {
            self.recall(out, key);
        }
        self.woken.insert(key);
    }

    /// A suite that had ended and has tests again has its time limit again.
    fn rearm_suites(&mut self, id: RunId, suite: SuiteIndex) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        for index in run.plan.suite_chain(suite).map(|(index, _)| index).collect::<Vec<_>>() {
            self.timers.arm_suite(run, index);
        }
    }

    pub(crate) fn dequeue(&mut self, out: &mut Out, id: RunId, tests: Vec<TestIndex>, by: &UserName) {
        let rule = DecidedBy::Dequeued { by: by.clone() };
        let outcome =
            Outcome::not_pass(Verdict::Skipped, Cause::Person, rule, format!("taken out of the run by {by}"));
        for test in tests {
            let stage = self.runs.get(&id).and_then(|run| run.stage(test));
            match stage {
                Some(Stage::Pending | Stage::Waiting) => self.decide(out, id, test, outcome.clone()),
                Some(Stage::Sent) => self.dequeue_sent(out, id, test, outcome.clone()),
                Some(Stage::Started | Stage::Ended(_)) | None => {}
            }
        }
    }

    /// An EP holds it: it leaves the run when the EP gives it back. What was sent behind it comes back too, for it was
    /// sent in the belief that this one runs.
    fn dequeue_sent(&mut self, out: &mut Out, id: RunId, test: TestIndex, outcome: Outcome) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let Some(number) = run.part_of(test) else { return };
        let Some(part) = run.part_mut(number) else { return };
        let ep = part.place.as_ref().map(|place| place.ep.clone());
        let Some(flight) = part.flight.iter_mut().find(|flight| flight.test == test && flight.owes.is_none())
        else {
            return;
        };
        flight.wanted = Some(outcome);
        let (row, attempt) = (flight.clone(), flight.attempt);
        let attempt = run.attempt(test, attempt);
        out.store(Row::Attempt(Box::new(row.row(attempt, ep, AttemptState::Assigned))));
        self.recall(out, PartKey { run: id, part: number });
    }
}

impl Run {
    /// Whether the EP holds tests that come after one that it does not hold.
    pub(crate) fn has_overtaken(&self, part: u32) -> bool {
        let Some(part) = self.part(part) else { return false };
        let Some((head, _)) = self.head(part) else { return false };
        let ahead = |test| self.position(test) > head;
        part.flight.iter().any(|flight| flight.started.is_none() && ahead(flight.test))
    }
}
