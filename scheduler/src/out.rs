//! What one event has led to so far.

use std::collections::BTreeSet;

use jackfield_protocol::{id::RunId, time::Time};

use crate::effect::{Effects, Job, Row};

/// The effects of the event at hand, and when it happened.
pub(crate) struct Out {
    pub(crate) now: Time,
    pub(crate) effects: Effects,
    /// Runs whose row must be written.
    pub(crate) touched: BTreeSet<RunId>,
}

impl Out {
    pub(crate) fn new(now: Time) -> Self {
        Self { now, effects: Effects::default(), touched: BTreeSet::new() }
    }

    pub(crate) fn store(&mut self, row: Row) {
        self.effects.store.push(row);
    }

    pub(crate) fn enqueue(&mut self, job: Job) {
        self.effects.enqueue.push(job);
    }
}
