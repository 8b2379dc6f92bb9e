//! Which test runs next on which lane: pure, time is an argument.
//!
//! ```text
//!            assign             next() → Start          started()
//! (engine) ────────▶ Queued ─────────────────▶ Preparing ────────▶ Running ──┐
//!                      │ │                         │                         │ ended()
//!                      │ └── next() → Forbidden ───┼─────────────────────────┼──▶ gone from here; its
//!                      │                           │                         │    report is in the spool
//!                      └── take_back() ────────────┴──▶ given back           │
//!                      └── keep() without it ───────────────────────────────-┘ dropped, without a report
//! ```
//!
//! A lane runs its tests in the order they came, one at a time. Whether a test may start at all is a rule between
//! tests ([`jackfield_protocol::guard`]); whether *any* test may start is for the caller to know (`may_start`).

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use jackfield_protocol::{
    guard::{self, Latches, Raised},
    id::{AttemptId, RunId},
    link::{Assignment, Held, HeldState},
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use crate::clock::Moment;

/// Everything this EP was given and has not ended.
#[derive(Debug, Default)]
pub(crate) struct JobTable {
    lanes: BTreeMap<u16, Lane>,
    latches: BTreeMap<RunId, Latches>,
}

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<Arc<Assignment>>,
    current: Option<Current>,
    last_end: Option<Moment>,
}

#[derive(Debug)]
struct Current {
    order: Arc<Assignment>,
    /// Its process was started, so it can no longer be given back.
    started: bool,
}

/// What to do on a lane.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Begin this test.
    Start(Arc<Assignment>),
    /// This test ends so, without being started; then ask again.
    Forbidden(Arc<Assignment>, Outcome),
}

/// What became of attempts that were to be ended or dropped.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    /// They had not begun and are gone from the table.
    pub(crate) queued: Vec<Arc<Assignment>>,
    /// They are on a lane: their processes must be ended.
    pub(crate) current: Vec<AttemptId>,
}

impl JobTable {
    /// Puts a test at the end of its lane. One that is here already is not added again.
    pub(crate) fn assign(&mut self, order: Arc<Assignment>) {
        if self.held().iter().any(|held| held.attempt == order.attempt) {
            return;
        }
        self.lanes.entry(order.lane).or_default().queue.push_back(order);
    }

    /// What to do now on some lane that is free; none where every lane is busy, empty, or waits for a delay.
    pub(crate) fn next(&mut self, now: Moment, may_start: bool) -> Option<Next> {
        for lane in self.lanes.values_mut().filter(|lane| lane.current.is_none()) {
            let Some(first) = lane.queue.front() else { continue };
            if let Some(outcome) = forbidden(&self.latches, first) {
                if let Some(order) = lane.queue.pop_front() {
                    return Some(Next::Forbidden(order, outcome));
                }
            } else if may_start
                && lane.due(first.delay_millis).is_none_or(|due| due <= now)
                && let Some(order) = lane.queue.pop_front()
            {
                lane.current = Some(Current { order: Arc::clone(&order), started: false });
                return Some(Next::Start(order));
            }
        }
        None
    }

    /// When a delay between two tests is over and [`Self::next`] should be asked again.
    pub(crate) fn wake_at(&self) -> Option<Moment> {
        let free = self.lanes.values().filter(|lane| lane.current.is_none());
        free.filter_map(|lane| lane.due(lane.queue.front()?.delay_millis)).min()
    }

    /// A test that an earlier life of this EP left in its middle is on its lane again, and no other starts there.
    pub(crate) fn resume(&mut self, order: Arc<Assignment>) {
        let lane = self.lanes.entry(order.lane).or_default();
        lane.current = Some(Current { order, started: true });
    }

    /// The process of a test was started.
    pub(crate) fn started(&mut self, attempt: AttemptId) {
        for current in self.lanes.values_mut().filter_map(|lane| lane.current.as_mut()) {
            current.started |= current.order.attempt == attempt;
        }
    }

    /// A test that was on a lane has left it, with a verdict or without.
    pub(crate) fn left(&mut self, attempt: AttemptId, now: Moment) {
        for lane in self.lanes.values_mut() {
            if lane.current.as_ref().is_some_and(|current| current.order.attempt == attempt) {
                lane.current = None;
                lane.last_end = Some(now);
            }
        }
    }

    /// Sets what the end of a test sets.
    pub(crate) fn raise(&mut self, order: &Assignment, verdict: Verdict) {
        if order.raises.is_empty() {
            return;
        }
        let raised = Raised { attempt: Some(order.attempt), name: order.test.name.to_string(), verdict };
        guard::raise(self.latches.entry(order.attempt.run).or_default(), &order.raises, &raised);
    }

    /// Removes what has not begun. Those on a lane that still prepare are named too: the caller decides.
    pub(crate) fn remove(&mut self, attempts: &[AttemptId]) -> Removed {
        let wanted: BTreeSet<_> = attempts.iter().copied().collect();
        self.remove_where(|attempt| wanted.contains(&attempt))
    }

    /// Removes all that the engine does not want kept.
    pub(crate) fn keep(&mut self, keep: &[AttemptId]) -> Removed {
        let kept: BTreeSet<_> = keep.iter().copied().collect();
        self.remove_where(|attempt| !kept.contains(&attempt))
    }

    fn remove_where(&mut self, unwanted: impl Fn(AttemptId) -> bool) -> Removed {
        let mut removed = Removed::default();
        for lane in self.lanes.values_mut() {
            let (out, stay) = lane.queue.drain(..).partition(|order| unwanted(order.attempt));
            lane.queue = stay;
            removed.queued.extend(Vec::from(out));
            let current = lane.current.as_ref().map(|current| current.order.attempt);
            removed.current.extend(current.filter(|attempt| unwanted(*attempt)));
        }
        removed
    }

    /// Whether the test's process was started.
    pub(crate) fn is_started(&self, attempt: AttemptId) -> bool {
        let current = self.lanes.values().filter_map(|lane| lane.current.as_ref());
        current.into_iter().any(|current| current.order.attempt == attempt && current.started)
    }

    /// The first tests that wait on each lane, for fetching their files ahead.
    pub(crate) fn ahead(&self, count: usize) -> impl Iterator<Item = &Arc<Assignment>> {
        self.lanes.values().flat_map(move |lane| lane.queue.iter().take(count))
    }

    /// What the EP holds, for its Hello.
    pub(crate) fn held(&self) -> Vec<Held> {
        let mut held = Vec::new();
        for lane in self.lanes.values() {
            held.extend(lane.current.as_ref().map(|current| Held {
                attempt: current.order.attempt,
                state: if current.started { HeldState::Running } else { HeldState::Queued },
            }));
            let queued = lane.queue.iter();
            held.extend(queued.map(|order| Held { attempt: order.attempt, state: HeldState::Queued }));
        }
        held
    }

    /// Forgets the latches of a run that is over here.
    pub(crate) fn close_run(&mut self, run: RunId) {
        self.latches.remove(&run);
    }
}

impl Lane {
    /// When the delay after the lane's last test is over; none where there is none to wait for.
    fn due(&self, delay_millis: u64) -> Option<Moment> {
        self.last_end.filter(|_| delay_millis > 0).map(|end| end.plus_millis(delay_millis))
    }
}

/// How a test ends without being started, where something forbids it: a rule between tests, or the test itself.
fn forbidden(latches: &BTreeMap<RunId, Latches>, order: &Assignment) -> Option<Outcome> {
    let by_rule = latches.get(&order.attempt.run).and_then(|set| guard::blocked(set, &order.guards));
    by_rule.or_else(|| {
        if !order.test.runnable {
            return Some(Outcome::not_pass(
                Verdict::Skipped,
                Cause::Person,
                DecidedBy::NotRunnable,
                "it is marked not runnable",
            ));
        }
        order.test.content.is_none().then(|| {
            let reason = format!("file `{}` was not there when the run began", order.test.file);
            Outcome::not_pass(Verdict::Skipped, Cause::Test, DecidedBy::NoFile, reason)
        })
    })
}

#[cfg(test)]
mod tests;
