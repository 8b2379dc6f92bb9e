//! Who waits, in which order, and for what.

use std::cmp::Reverse;

use jackfield_protocol::{
    id::{LeaseId, RunId},
    time::Time,
};

use super::lease::{Holder, Lease, Set};

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// A lease that was asked for.
    Ask(LeaseId),
    /// The part of a run. The scheduler takes for it when it has a lane too.
    Part {
        /// Which run.
        run: RunId,
        /// Which part of it.
        part: u32,
    },
}

/// A place in every queue: priority, then age. Fixed when it is asked for, so that queues stay sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    priority: Reverse<i32>,
    at: Time,
    /// Whose place it is.
    pub turn: Turn,
}

impl Rank {
    /// The place of somebody who asked then.
    pub fn new(priority: i32, at: Time, turn: Turn) -> Self {
        Self { priority: Reverse(priority), at, turn }
    }

    pub(crate) fn asked(&self) -> Time {
        self.at
    }
}

/// What somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Want {
    /// All of it at once.
    pub set: Set,
    /// For whom.
    pub holder: Holder,
    /// Others may have it too, if they share it.
    pub shared: bool,
    /// The lease that lets it in.
    pub inside: Option<LeaseId>,
    /// For how long, in milliseconds, where that is known.
    pub length: Option<u64>,
    /// It is a console: on the node itself, and not on what is under it.
    pub console: bool,
    /// What is not fit is for them, too: they repair it.
    pub repairs: bool,
}

impl Want {
    /// Whether a lease leaves room for it.
    pub(crate) fn goes_with(&self, lease: &Lease) -> bool {
        // Two who share a device do not type at it at once.
        if self.console && lease.is_console() {
            return !lease.what.set().is_some_and(|set| self.set.has_node_of(set));
        }
        self.goes_beside(&lease.holder, lease.shared) || self.inside == Some(lease.id)
    }

    /// Whether it may be booked over a lease: maintenance may over all but other maintenance.
    pub(crate) fn clears(&self, lease: &Lease) -> bool {
        self.holder.is_lab() && !lease.holder.is_lab()
    }

    /// What of it is not in the lease that lets it in: only that has to wait for others.
    pub(crate) fn outside(&self, around: &Lease) -> Self {
        let Some(room) = around.what.set() else { return self.clone() };
        let suts = self.set.suts.difference(&room.suts).cloned().collect();
        let nodes = self.set.nodes.iter().filter(|spot| !room.covers(spot)).cloned().collect();
        Self { set: Set { suts, nodes }, ..self.clone() }
    }

    /// Whether it and another want can both be met.
    pub(crate) fn goes_beside(&self, holder: &Holder, shared: bool) -> bool {
        let same_run = self.holder.run().is_some() && self.holder.run() == holder.run();
        same_run || (self.shared && shared)
    }
}
