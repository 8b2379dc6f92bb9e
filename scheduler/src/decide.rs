//! Tests that end without an EP, and what any test's end leads to.

use jackfield_protocol::{
    attempt::AttemptEnd,
    event::{Fact, TestEnded},
    guard::{self, Raised},
    id::{RunId, TestIndex},
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use crate::{
    Scheduler,
    effect::{AttemptRow, AttemptState, Row},
    latch::Rule,
    out::Out,
    part::PartKey,
    run::{Decided, Run, Stage},
};

impl Run {
    /// What forbids a test, as things stand; none where it has to be run once what it waits for has ended.
    pub(crate) fn verdict_now(&self, index: TestIndex) -> Option<Outcome> {
        let cleans_up = self.is_teardown(index) && self.is_begun(index) && !self.is_ended_at_once();
        if let Some(outcome) = self.forbidden(index)
            && !cleans_up
        {
            return Some(outcome);
        }
        // Teardown of a begun suite follows a stop whatever its guards say.
        if self.stopped().is_none()
            && let Some(outcome) = self.guarded(index)
        {
            return Some(outcome);
        }
        None
    }

    /// A test whose file is not there is SKIPPED in its turn.
    pub(crate) fn missing(&self, index: TestIndex) -> Option<Outcome> {
        let test = self.test(index)?;
        let reason = || format!("the file {} was not there when the run began", test.file);
        let missing = self.plan.content_of(test).is_none();
        missing.then(|| Outcome::not_pass(Verdict::Skipped, Cause::Test, DecidedBy::NoFile, reason()))
    }

    /// What forbids every test but the teardown of begun suites.
    fn forbidden(&self, index: TestIndex) -> Option<Outcome> {
        self.stop_outcomes().map(|(_, rest)| rest).or_else(|| self.out_of_time(index)).or_else(|| {
            // The EP does not know which suites have begun, so this guard of teardown files is kept here.
            let latch = Rule::StopOnFail(self.part_of(index)?).latch();
            let raised = self.latches.get(&latch).filter(|_| self.is_teardown(index))?;
            let test = format!("{} ended {}", raised.name, raised.verdict);
            let says = "the run stopped before its suite began".to_owned();
            let reason = format!("{says}: {test}");
            let by = DecidedBy::OtherTest { says, test };
            Some(Outcome::not_pass(Verdict::NotExecuted, Cause::Unfinished, by, reason))
        })
    }

    /// The time of one of its suites is over.
    fn out_of_time(&self, index: TestIndex) -> Option<Outcome> {
        let over = |suite| self.suite(suite).is_some_and(|suite| suite.timed_out);
        let (_, suite) = self.suites_of(index).find(|(suite, _)| over(*suite))?;
        let reason = format!("the time limit of suite {} has passed", suite.name);
        let by = DecidedBy::SuiteLimit { suite: suite.name.to_string() };
        Some(Outcome::not_pass(Verdict::NotExecuted, Cause::Time, by, reason))
    }

    /// What its guards say: the first whose latch is set, or stands for a dependency that can never hold.
    fn guarded(&self, index: TestIndex) -> Option<Outcome> {
        self.guards(index).into_iter().find_map(|guard| {
            let void = self.edges.void.get(&guard.unless);
            let skipped = || {
                let says = void.cloned().unwrap_or_default();
                let by = DecidedBy::OtherTest { says: says.clone(), test: String::new() };
                Outcome::not_pass(Verdict::Skipped, Cause::Test, by, says)
            };
            guard::blocked(&self.latches, std::slice::from_ref(&guard)).or_else(|| void.map(|_| skipped()))
        })
    }

    /// Remembers to tell of a test that was decided; those that follow each other with one outcome are told at once.
    fn tell_decided(&mut self, out: &mut Out, test: TestIndex, outcome: Outcome) {
        out.touched.insert(self.id());
        let next = test.0.saturating_add(1);
        match &mut self.decided {
            Some(decided) if decided.outcome == outcome => match decided.tests.last_mut() {
                Some((_, end)) if *end == test.0 => *end = next,
                _ => decided.tests.push((test.0, next)),
            },
            _ => {
                self.flush(out);
                self.decided = Some(Decided { outcome, tests: vec![(test.0, next)] });
            }
        }
    }
}

/// One test is told like any other, many as ranges.
pub(crate) fn told(decided: Decided) -> Fact {
    let Decided { outcome, mut tests } = decided;
    if let [(test, end)] = tests.as_slice()
        && test.saturating_add(1) == *end
    {
        return Fact::TestEnded(Box::new(TestEnded {
            test: TestIndex(*test),
            attempt: None,
            ep: None,
            started: None,
            end: AttemptEnd::of(outcome),
        }));
    }
    tests.sort_unstable();
    Fact::TestsEnded { tests, outcome }
}

impl Scheduler {
    /// Ends a test that no EP is asked about.
    pub(crate) fn decide(&mut self, out: &mut Out, run: RunId, test: TestIndex, outcome: Outcome) {
        let deliberate = outcome.verdict == Verdict::Skipped && outcome.cause == Some(Cause::Person);
        let verdict = outcome.verdict;
        let Some(live) = self.runs.get_mut(&run) else { return };
        out.store(Row::Attempt(Box::new(AttemptRow {
            attempt: live.attempt(test, 0),
            ep: None,
            state: AttemptState::Ended,
            assigned: out.now,
            started: None,
            wanted: None,
            end: Some(AttemptEnd::of(outcome.clone())),
        })));
        live.tell_decided(out, test, outcome);
        self.count_end(run, test, 0, verdict, deliberate);
    }

    /// A test has its verdict: counts, latches, suites, and whoever waits for it.
    pub(crate) fn count_end(
        &mut self,
        id: RunId,
        test: TestIndex,
        attempt: u16,
        verdict: Verdict,
        deliberate: bool,
    ) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.set_stage(test, Stage::Ended(verdict));
        let count = run.counts.entry(verdict).or_default();
        *count = count.saturating_add(1);
        let raised = Raised {
            attempt: (attempt > 0).then(|| run.attempt(test, attempt)),
            name: run.name(test).to_owned(),
            verdict,
        };
        let raises = run.raises(test, deliberate);
        guard::raise(&mut run.latches, &raises, &raised);
        let suites: Vec<_> = run.suites_of(test).map(|(suite, _)| suite).collect();
        for suite in suites {
            self.timers.suite_shrinks(run, suite);
        }
        let part = run.part_of(test);
        for number in run.edges.waiting_for(test) {
            // With the last test a wait is over, and with the first that is not as demanded.
            let missed = run.dependency(number).is_some_and(|on| !on.demand.contains(verdict));
            let Some(edge) = run.edges.list.get_mut(number).filter(|edge| Some(edge.part) != part) else {
                continue;
            };
            edge.open = edge.open.saturating_sub(1);
            if edge.open == 0 || missed {
                self.woken.insert(PartKey { run: id, part: edge.part });
            }
        }
        self.woken.extend(part.map(|part| PartKey { run: id, part }));
    }
}
