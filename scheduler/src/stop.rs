//! Ending a run before its time: what runs is ended, what has not begun never does, teardown of begun suites follows.

use jackfield_protocol::{
    event::{Fact, RunState},
    id::{RunId, TestIndex, UserName},
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use crate::{
    Scheduler,
    effect::StopCause,
    out::Out,
    part::PartKey,
    recall::span,
    run::{Run, Stage},
};

impl Run {
    /// How a stopped run ends what runs, and what does not; none where it is not stopped.
    pub(crate) fn stop_outcomes(&self) -> Option<(Outcome, Outcome)> {
        self.stopped().map(|cause| self.outcomes_of(cause))
    }

    fn outcomes_of(&self, cause: &StopCause) -> (Outcome, Outcome) {
        let stopped = |by: &UserName| DecidedBy::Stopped { by: by.clone() };
        let (mut blame, mut running, mut rule) = match &cause.by {
            Some(by) => (Cause::Person, Verdict::Aborted, stopped(by)),
            None if self.pre_forbids() => (Cause::Lab, Verdict::Aborted, DecidedBy::PreScript),
            None => (Cause::Time, Verdict::Timeout, DecidedBy::RunLimit),
        };
        let mut sentence = match &cause.by {
            Some(by) if cause.reason.is_empty() => format!("stopped by {by}"),
            Some(by) => format!("stopped by {by}: {}", cause.reason),
            None => cause.reason.clone(),
        };
        if let Some(by) = &cause.at_once {
            (blame, running, rule) = (Cause::Person, Verdict::Aborted, stopped(by));
            sentence.push_str(&format!("; ended at once by {by}"));
        }
        let rest = Outcome::not_pass(Verdict::NotExecuted, blame, rule.clone(), sentence.clone());
        (Outcome::not_pass(running, blame, rule, sentence), rest)
    }

    /// Not even teardown files are run any more.
    pub(crate) fn is_ended_at_once(&self) -> bool {
        self.stopped().is_some_and(|cause| cause.at_once.is_some())
    }
}

impl Scheduler {
    pub(crate) fn stop_by_person(
        &mut self,
        out: &mut Out,
        id: RunId,
        by: UserName,
        reason: String,
        at_once: bool,
    ) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let Some(cause) = &mut run.row.stopped else {
            let at_once = at_once.then(|| by.clone());
            return self.stop(out, id, StopCause { by: Some(by), reason, at: out.now, at_once });
        };
        if at_once && cause.at_once.is_none() {
            cause.at_once = Some(by.clone());
            run.publish(out, Fact::Stopping { by: Some(by), reason, at_once });
            self.end_all(out, id);
        }
    }

    pub(crate) fn run_out_of_time(&mut self, out: &mut Out, id: RunId) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.limit = None;
        let options = &run.plan.options;
        let reason = if run.time_is_over_at().is_some_and(|at| at <= out.now) {
            format!("the time limit of the run ({}) has passed", span(options.timeout_millis.unwrap_or(0)))
        } else {
            let wait = span(options.wait_millis.unwrap_or(0));
            format!("no EP took the run within {wait}, which is how long it was to wait")
        };
        self.stop(out, id, StopCause { by: None, reason, at: out.now, at_once: None });
    }

    pub(crate) fn stop(&mut self, out: &mut Out, id: RunId, cause: StopCause) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        if run.stopped().is_some() {
            return;
        }
        if run.parts.iter().all(|part| part.ended) {
            // Nothing is left but its post script.
            let (running, _) = run.outcomes_of(&cause);
            return self.stop_script(out, id, running);
        }
        let (by, reason, at_once) = (cause.by.clone(), cause.reason.clone(), cause.at_once.is_some());
        run.row.stopped = Some(cause);
        run.row.state = RunState::Stopping;
        run.publish(out, Fact::Stopping { by, reason, at_once });
        self.end_pause(out, id);
        self.end_all(out, id);
    }

    /// Ends what must not go on, and what has not begun.
    fn end_all(&mut self, out: &mut Out, id: RunId) {
        self.give_up_rest(out, id);
        if let Some((running, _)) = self.runs.get(&id).and_then(Run::stop_outcomes) {
            self.stop_script(out, id, running);
        }
        let Some(run) = self.runs.get(&id) else { return };
        let keys: Vec<_> = run.parts.iter().filter(|part| !part.ended).map(|part| part.key).collect();
        for key in keys {
            self.recall(out, key);
            self.stop_running(out, key);
            self.watch(out, key);
            self.woken.insert(key);
        }
    }

    /// Ends what no EP holds, all at once; teardown files that may run are looked at in their turn where the part has an EP.
    fn give_up_rest(&mut self, out: &mut Out, id: RunId) {
        let Some(run) = self.runs.get(&id) else { return };
        let Some((_, rest)) = run.stop_outcomes() else { return };
        let undecided = |test: &TestIndex| {
            let open = matches!(run.stage(*test), Some(Stage::Pending | Stage::Waiting));
            open && (run.is_ended_at_once() || !(run.is_teardown(*test) && has_home(run, *test)))
        };
        let tests: Vec<_> = (0..run.tests()).map(TestIndex).filter(undecided).collect();
        for test in tests {
            self.decide(out, id, test, rest.clone());
        }
    }

    /// A stop does not wait for ever: for an EP that is away, or a lane that was lent, it waits for the grace time.
    fn watch(&mut self, out: &mut Out, key: PartKey) {
        let patience = self.limits.silence_millis.saturating_add(self.limits.grace_millis);
        let away = self.away_since(key);
        let Some(part) = self.runs.get_mut(&key.run).and_then(|run| run.part_mut(key.part)) else { return };
        let since = match &part.place {
            Some(_) => away,
            None => part.home.is_some().then_some(out.now),
        };
        if let Some(since) = since.filter(|_| part.lost_at.is_none()) {
            let at = Some(since.plus_millis(patience));
            self.timers.set(&mut part.lost_at, crate::timer::Due::Lost(key), at);
        }
    }
}

fn has_home(run: &Run, test: TestIndex) -> bool {
    run.part_of(test).and_then(|part| run.part(part)).is_some_and(|part| part.home.is_some())
}
