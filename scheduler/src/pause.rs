//! Pause takes effect after the current test: what was sent ahead is taken back. Time limits of the run and of its
//! suites stand still; that of the test that runs does not, because the test does not either.

use jackfield_protocol::{
    event::{Fact, RunState},
    id::{RunId, SuiteIndex, UserName},
    time::Time,
};

use crate::{Scheduler, effect::Pause, limits::PAUSES_MAX, out::Out, part::PartKey, run::Run};

impl Run {
    /// When a time limit that runs since an instant is over; none while the run is paused.
    pub(crate) fn limit_since(&self, since: Time, limit_millis: u64) -> Option<Time> {
        let mut over = since.plus_millis(limit_millis);
        for pause in &self.row.pauses {
            if pause.from >= over {
                break;
            }
            over = over.plus_millis(pause.until?.millis_since(pause.from.max(since)));
        }
        Some(over)
    }

    /// When the time of the run is over.
    pub(crate) fn time_is_over_at(&self) -> Option<Time> {
        let options = &self.plan.options;
        let since = if options.timeout_from_submit { Some(self.row.submitted) } else { self.row.started };
        self.limit_since(since?, options.timeout_millis?)
    }

    /// When a run that has not begun has waited long enough.
    pub(crate) fn wait_is_over_at(&self) -> Option<Time> {
        let limit = self.plan.options.wait_millis.filter(|_| self.row.started.is_none())?;
        self.limit_since(self.row.submitted, limit)
    }

    fn begin_pause(&mut self, now: Time) {
        let pauses = &mut self.row.pauses;
        if pauses.len() >= PAUSES_MAX
            && let [first, second, ..] = pauses.as_mut_slice()
            && let Some(until) = first.until
        {
            // As long as both, and later than the first was: no limit gets shorter.
            second.from = Time(second.from.0.saturating_sub_unsigned(until.millis_since(first.from)));
            pauses.remove(0);
        }
        pauses.push(Pause { from: now, until: None });
    }
}

impl Scheduler {
    pub(crate) fn pause(&mut self, out: &mut Out, id: RunId, by: UserName) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        if !matches!(run.row.state, RunState::Queued | RunState::Running) {
            return;
        }
        run.row.state = RunState::Paused;
        run.begin_pause(out.now);
        run.publish(out, Fact::Paused { by });
        self.arm_limits(id);
        for key in self.keys(id) {
            self.recall(out, key);
            self.bench.lenders.remove(&key);
            self.runs.get_mut(&id).into_iter().for_each(|run| run.head_waits_no_more(key.part));
            if let Some(part) = self.runs.get(&id).and_then(|run| run.part(key.part)) {
                // It stands in nobody's way until it is resumed.
                self.bench.delist(part);
            }
        }
    }

    pub(crate) fn resume(&mut self, out: &mut Out, id: RunId, by: UserName) {
        let Some(run) = self.runs.get_mut(&id).filter(|run| run.row.state == RunState::Paused) else {
            return;
        };
        let begun = run.row.started.is_some();
        run.row.state = if begun { RunState::Running } else { RunState::Queued };
        run.publish(out, Fact::Resumed { by });
        self.end_pause(out, id);
        let keys = self.keys(id);
        self.woken.extend(keys);
    }

    fn keys(&self, id: RunId) -> Vec<PartKey> {
        self.runs.get(&id).into_iter().flat_map(|run| &run.parts).map(|part| part.key).collect()
    }

    /// Time limits run again.
    pub(crate) fn end_pause(&mut self, out: &mut Out, id: RunId) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        if let Some(pause) = run.row.pauses.last_mut().filter(|pause| pause.until.is_none()) {
            pause.until = Some(out.now);
        }
        self.arm_limits(id);
    }

    /// Sets the time limits of a run and its suites as its pauses have it.
    fn arm_limits(&mut self, id: RunId) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        self.timers.arm_run(run);
        for index in (0..).zip(&run.suites).map(|(index, _)| SuiteIndex(index)).collect::<Vec<_>>() {
            self.timers.arm_suite(run, index);
        }
    }
}
