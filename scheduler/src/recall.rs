//! Taking back what was sent ahead, and ending what runs.

use jackfield_protocol::{
    id::{AttemptId, TestIndex},
    link::EngineToEp,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use crate::{Scheduler, out::Out, part::PartKey, run::Run};

impl Run {
    /// How a running test has to end at once, if it has to.
    pub(crate) fn must_stop(&self, test: TestIndex) -> Option<Outcome> {
        if self.is_teardown(test) && !self.is_ended_at_once() {
            return None;
        }
        self.stop_outcomes().map(|(running, _)| running).or_else(|| {
            let over = |suite| self.suite(suite).is_some_and(|suite| suite.timed_out);
            let (_, suite) = self.suites_of(test).find(|(suite, _)| over(*suite))?;
            let limit = suite.timeout_millis.unwrap_or(0);
            let reason = format!("the time limit of suite {} ({}) has passed", suite.name, span(limit));
            let by = DecidedBy::SuiteLimit { suite: suite.name.to_string() };
            Some(Outcome::not_pass(Verdict::Timeout, Cause::Time, by, reason))
        })
    }
}

/// `1500 ms`, `90 s`
pub(crate) fn span(millis: u64) -> String {
    if millis.is_multiple_of(1000) { format!("{} s", millis / 1000) } else { format!("{millis} ms") }
}

impl Scheduler {
    /// Asks for everything of a part that the EP holds and has not started. Nothing more is sent until it answers.
    pub(crate) fn recall(&mut self, out: &mut Out, key: PartKey) {
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let id = run.id();
        let Some(part) = run.part_mut(key.part) else { return };
        let mut attempts = Vec::new();
        for flight in &mut part.flight {
            if flight.started.is_none() && !flight.recalled && flight.owes.is_none() {
                flight.recalled = true;
                attempts.push(AttemptId { run: id, test: flight.test, attempt: flight.attempt });
            }
        }
        let Some(place) = part.place.as_ref().filter(|_| !attempts.is_empty()) else { return };
        self.bench.tell(out, &place.ep, EngineToEp::TakeBack { attempts });
    }

    /// Ends what runs of a part and must not.
    pub(crate) fn stop_running(&mut self, out: &mut Out, key: PartKey) {
        let Some(run) = self.runs.get(&key.run) else { return };
        let Some(part) = run.part(key.part) else { return };
        let Some(place) = &part.place else { return };
        for flight in part.flight.iter().filter(|flight| flight.started.is_some() && flight.owes.is_none()) {
            if let Some(outcome) = run.must_stop(flight.test) {
                let attempts = vec![run.attempt(flight.test, flight.attempt)];
                self.bench.tell(out, &place.ep, EngineToEp::Stop { attempts, outcome });
            }
        }
    }
}
