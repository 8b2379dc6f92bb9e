//! What EPs report of attempts. A report about an attempt that is over, or that another EP holds, changes nothing.

use jackfield_protocol::{
    attempt::AttemptEnd,
    event::{Fact, TestEnded},
    id::{AttemptId, EpName, Epoch, TestIndex},
    link::{Ended, EngineToEp},
    time::Time,
};

use crate::{
    Scheduler,
    effect::{AttemptRow, AttemptState, Row},
    health,
    out::Out,
    part::{Flight, Owed, PartKey},
    run::Stage,
};

impl Scheduler {
    /// Whether this attempt is the EP's to speak of, on this connection: it was given it and has not told its end.
    pub fn is_given(&self, ep: &EpName, epoch: Epoch, attempt: AttemptId) -> bool {
        self.holder(ep, epoch, attempt).is_some()
    }

    /// The part whose EP holds this attempt and says so on its current connection.
    fn holder(&self, ep: &EpName, epoch: Epoch, attempt: AttemptId) -> Option<PartKey> {
        if !self.bench.is_current(ep, epoch) {
            return None;
        }
        let run = self.runs.get(&attempt.run)?;
        let part = run.part(run.part_of(attempt.test)?)?;
        part.place.as_ref().filter(|place| place.ep == *ep)?;
        part.holds(attempt.test, attempt.attempt).map(|_| part.key)
    }

    pub(crate) fn attempt_started(
        &mut self,
        out: &mut Out,
        ep: &EpName,
        epoch: Epoch,
        attempt: AttemptId,
        at: Time,
    ) {
        let Some(key) = self.holder(ep, epoch, attempt) else { return };
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let Some(part) = run.part_mut(key.part) else { return };
        let held = part.flight.iter_mut().find(|flight| flight.test == attempt.test);
        let Some(flight) = held.filter(|flight| flight.started.is_none()) else { return };
        flight.started = Some(at);
        flight.recalled = false;
        flight.owes = flight.owes.filter(|owed| *owed == Owed::End);
        flight.wanted = None;
        let since = at.clamp(flight.assigned, flight.assigned.max(out.now));
        let row = flight.row(attempt, Some(ep.clone()), AttemptState::Started);
        out.store(Row::Attempt(Box::new(row)));
        run.set_stage(attempt.test, Stage::Started);
        run.publish(out, Fact::TestStarted { attempt, ep: ep.clone(), started: at });
        if let Some(outcome) = run.must_stop(attempt.test) {
            self.bench.tell(out, ep, EngineToEp::Stop { attempts: vec![attempt], outcome });
        }
        self.begin_suites(key, attempt.test, since);
        self.woken.insert(key);
    }

    /// The suites around a test have begun; the time of those that have a limit runs.
    pub(crate) fn begin_suites(&mut self, key: PartKey, test: TestIndex, since: Time) {
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let suites: Vec<_> =
            run.suites_of(test).map(|(index, suite)| (index, suite.timeout_millis)).collect();
        for (index, limit) in suites {
            let Some(suite) = run.suite_mut(index) else { continue };
            suite.begun = true;
            if limit.is_some() && suite.started.is_none() {
                suite.started = Some(since);
                self.timers.arm_suite(run, index);
            }
        }
    }

    pub(crate) fn attempt_ended(&mut self, out: &mut Out, ep: &EpName, epoch: Epoch, ended: Ended) {
        let attempt = ended.attempt;
        if let Some(key) = self.holder(ep, epoch, attempt) {
            self.close_attempt(out, key, attempt, ended.end);
        }
    }

    /// An attempt is over, and with it its test.
    pub(crate) fn close_attempt(&mut self, out: &mut Out, key: PartKey, attempt: AttemptId, end: AttemptEnd) {
        let Some((flight, ep)) = self.land(key, attempt) else { return };
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let started = flight.started;
        let verdict = end.outcome.verdict;
        let used = health::used(run.name(attempt.test), started.is_some(), &end.outcome);
        out.store(Row::Attempt(Box::new(AttemptRow {
            wanted: None,
            end: Some(end.clone()),
            ..flight.row(attempt, ep.clone(), AttemptState::Ended)
        })));
        let ended = TestEnded { test: attempt.test, attempt: Some(attempt), ep, started, end };
        run.publish(out, Fact::TestEnded(Box::new(ended)));
        self.count_end(key.run, attempt.test, attempt.attempt, verdict, false);
        for lease in self.bench.leases_of(key) {
            self.bench.book.used(lease, used.clone());
        }
    }

    pub(crate) fn attempts_returned(
        &mut self,
        out: &mut Out,
        ep: &EpName,
        epoch: Epoch,
        attempts: &[AttemptId],
    ) {
        for attempt in attempts {
            if let Some(key) = self.holder(ep, epoch, *attempt) {
                self.give_back(out, key, *attempt);
            }
        }
    }

    /// An attempt was never started and never will be: its test is looked at again.
    pub(crate) fn give_back(&mut self, out: &mut Out, key: PartKey, attempt: AttemptId) {
        let run = self.runs.get(&key.run);
        let part = run.and_then(|run| run.part(key.part));
        let is_held = |flight: &&Flight| flight.test == attempt.test && flight.attempt == attempt.attempt;
        let Some(flight) = part.and_then(|part| part.flight.iter().find(is_held)) else { return };
        if flight.started.is_some() {
            return;
        }
        let Some((flight, ep)) = self.land(key, attempt) else { return };
        let row = flight.row(attempt, ep, AttemptState::Returned);
        out.store(Row::Attempt(Box::new(AttemptRow { wanted: None, ..row })));
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        run.set_stage(attempt.test, Stage::Pending);
        let position = run.position(attempt.test);
        if let Some(part) = run.part_mut(key.part) {
            part.look_again(position);
        }
        self.woken.insert(key);
        if let Some(outcome) = flight.wanted {
            self.decide(out, key.run, attempt.test, outcome);
        }
    }

    /// Takes an attempt out of what a part's EP holds.
    fn land(&mut self, key: PartKey, attempt: AttemptId) -> Option<(Flight, Option<EpName>)> {
        let part = self.runs.get_mut(&key.run)?.part_mut(key.part)?;
        let index = part.holds(attempt.test, attempt.attempt)?;
        let ep = part.place.as_ref().map(|place| place.ep.clone());
        Some((part.flight.remove(index), ep))
    }
}
