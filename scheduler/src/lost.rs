//! An EP did not come back in time: its running test is ABORTED, and the rest is given to another, or given up.

use jackfield_protocol::{
    attempt::AttemptEnd,
    event::Fact,
    id::TestIndex,
    plan::OnEpLost,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use crate::{Scheduler, out::Out, part::PartKey, run::Stage};

impl Scheduler {
    pub(crate) fn part_lost(&mut self, out: &mut Out, key: PartKey) {
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let reassign = run.plan.options.on_ep_lost == OnEpLost::Reassign && run.stopped().is_none();
        let Some(part) = run.part_mut(key.part) else { return };
        part.lost_at = None;
        let Some(place) = part.place.clone() else { return self.lane_never_came(out, key) };
        let held: Vec<_> =
            part.flight.iter().map(|flight| (flight.test, flight.attempt, flight.started)).collect();
        let fact = Fact::EpLost { ep: place.ep.clone() };
        let told = out.effects.publish.iter().any(|event| event.run == key.run && event.fact == fact);
        if !told {
            run.publish(out, fact);
        }
        let reason = format!("{} was lost: it was not heard for too long", place.ep);
        let by = DecidedBy::EpLost { ep: place.ep.clone() };
        for (test, attempt, started) in held {
            let attempt = jackfield_protocol::id::AttemptId { run: key.run, test, attempt };
            if started.is_some() {
                let outcome = Outcome::not_pass(Verdict::Aborted, Cause::Lab, by.clone(), reason.clone());
                self.close_attempt(out, key, attempt, AttemptEnd::of(outcome));
            } else {
                self.give_back(out, key, attempt);
            }
        }
        if reassign {
            if let Some(part) = self.runs.get_mut(&key.run).and_then(|run| run.part_mut(key.part)) {
                part.loose = part.sent;
            }
            self.unplace(out, key);
        } else {
            let stopped = self.runs.get(&key.run).and_then(|run| run.stop_outcomes());
            let lost = || Outcome::not_pass(Verdict::NotExecuted, Cause::Lab, by, reason);
            self.give_up_part(out, key, stopped.map_or_else(lost, |(_, rest)| rest));
        }
    }

    /// A stopped part waited for its lane in order to clean up, and did not get it in time.
    fn lane_never_came(&mut self, out: &mut Out, key: PartKey) {
        let Some(run) = self.runs.get(&key.run) else { return };
        let Some((_, mut rest)) = run.stop_outcomes() else { return };
        rest.reason = format!("{}; its EP had no free lane in time", rest.reason);
        self.give_up_part(out, key, rest);
    }

    /// Everything of a part that has no verdict gets this one.
    fn give_up_part(&mut self, out: &mut Out, key: PartKey, outcome: Outcome) {
        let Some(run) = self.runs.get(&key.run) else { return };
        let Some(part) = run.part(key.part) else { return };
        let open = |test: &TestIndex| matches!(run.stage(*test), Some(Stage::Pending | Stage::Waiting));
        let tests: Vec<_> = part.order.iter().map(|(_, test)| test).filter(open).collect();
        for test in tests {
            self.decide(out, key.run, test, outcome.clone());
        }
        self.woken.insert(key);
    }
}
