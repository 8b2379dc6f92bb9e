//! Everything that happens because time has passed.

use std::collections::BTreeSet;

use jackfield_protocol::{
    id::{RunId, SuiteIndex},
    time::Time,
};

use crate::{Scheduler, out::Out, part::PartKey, run::Run};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// The EP of a part is given up.
    Lost(PartKey),
    /// A run's time is over.
    Run(RunId),
    /// The EP of a run's script is given up.
    Script(RunId),
    /// A suite's time is over.
    Suite(RunId, SuiteIndex),
}

/// All that is due, in order. Whoever sets a timer keeps its instant, and so can take it back.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Timers(BTreeSet<(Time, Due)>);

impl Timers {
    pub(crate) fn first(&self) -> Option<Time> {
        self.0.first().map(|(at, _)| *at)
    }

    pub(crate) fn contains(&self, at: Time, due: Due) -> bool {
        self.0.contains(&(at, due))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Sets, moves or takes back a timer whose instant is kept in `slot`.
    pub(crate) fn set(&mut self, slot: &mut Option<Time>, due: Due, at: Option<Time>) {
        if let Some(before) = slot.take() {
            self.0.remove(&(before, due));
        }
        if let Some(at) = at {
            self.0.insert((at, due));
        }
        *slot = at;
    }

    /// Sets the time limits of a run: that of the whole, and that of its waiting until it begins; none while it is paused
    /// or stopped.
    pub(crate) fn arm_run(&mut self, run: &mut Run) {
        let limits = [run.time_is_over_at(), run.wait_is_over_at()];
        let at = limits.into_iter().flatten().min().filter(|_| run.stopped().is_none());
        let id = run.id();
        self.set(&mut run.limit, Due::Run(id), at);
    }

    /// Sets the time limit of a suite that has begun and is not over; none while its run is paused.
    pub(crate) fn arm_suite(&mut self, run: &mut Run, index: SuiteIndex) {
        let id = run.id();
        let limit = run.plan.suite(index).and_then(|suite| suite.timeout_millis);
        let Some(suite) = run.suite(index).filter(|suite| suite.left > 0 && !suite.timed_out) else { return };
        let at = suite.started.zip(limit).and_then(|(started, limit)| run.limit_since(started, limit));
        if let Some(suite) = run.suite_mut(index) {
            self.set(&mut suite.limit, Due::Suite(id, index), at);
        }
    }

    /// A test of the suite got its verdict; with the last one its time limit goes.
    pub(crate) fn suite_shrinks(&mut self, run: &mut Run, index: SuiteIndex) {
        let id = run.id();
        let Some(suite) = run.suite_mut(index) else { return };
        suite.left = suite.left.saturating_sub(1);
        if suite.left == 0 {
            self.set(&mut suite.limit, Due::Suite(id, index), None);
        }
    }

    fn pop_due(&mut self, now: Time) -> Option<(Time, Due)> {
        if self.0.first().is_some_and(|(at, _)| *at <= now) { self.0.pop_first() } else { None }
    }
}

impl Scheduler {
    /// Fires what is due, each after all that the one before led to.
    pub(crate) fn fire_due(&mut self, out: &mut Out) {
        while let Some((_, due)) = self.timers.pop_due(out.now) {
            match due {
                Due::Lost(key) => self.part_lost(out, key),
                Due::Script(run) => self.script_lost(out, run),
                Due::Run(run) => self.run_out_of_time(out, run),
                Due::Suite(run, suite) => self.suite_out_of_time(out, run, suite),
            }
            self.settle(out);
        }
        self.bench.book.pass(out.now);
        self.settle(out);
    }

    fn suite_out_of_time(&mut self, out: &mut Out, id: RunId, index: SuiteIndex) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let Some(suite) = run.suite_mut(index) else { return };
        suite.limit = None;
        suite.timed_out = true;
        let key = PartKey { run: id, part: suite.part };
        self.recall(out, key);
        self.stop_running(out, key);
        self.woken.insert(key);
    }
}
