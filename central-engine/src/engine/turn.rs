//! What one turn of the loop has decided, until it is done: committed, then sent, then shown, then answered.

use std::collections::BTreeMap;

use jackfield_protocol::{
    error::Problem,
    id::{EpName, Epoch, RunId, UserName},
    lease::LeaseView,
    link::EngineToEp,
};
use jackfield_scheduler::{Effects, effect::ToEp};
use tokio::sync::oneshot;

use crate::{
    lab::eps::Connected,
    store::{Batch, job::Work, submission::Submission},
};

/// What was decided and is not done yet.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) batch: Batch,
    pub(super) send: Vec<ToEp>,
    /// Connections that begin, and those that are gone.
    pub(super) connected: Vec<Connected>,
    pub(super) gone: Vec<(EpName, Epoch)>,
    /// Said after the commit, in this order, before the scheduler's own messages.
    pub(super) first: Vec<(EpName, Epoch, EngineToEp)>,
    /// Newest report of each EP in this turn.
    pub(super) acks: BTreeMap<(EpName, Epoch), u64>,
    pub(super) replies: Vec<Reply>,
    /// Keys of clients that the store knows already.
    pub(super) known: Vec<Submission>,
}

/// Whom to tell how it went, after the commit.
pub(super) enum Reply {
    Run(oneshot::Sender<Result<RunId, Problem>>, RunId),
    Epoch(oneshot::Sender<Result<Epoch, Problem>>, Epoch),
    Done(oneshot::Sender<Result<(), Problem>>),
    Lease(oneshot::Sender<Result<LeaseView, Problem>>, Box<LeaseView>),
}

impl Turn {
    /// The run that this key of this user has started, now or before.
    pub(super) fn started(&self, owner: &UserName, key: &str) -> Option<RunId> {
        let mut all = self.batch.submissions.iter().chain(&self.known);
        all.find(|known| known.owner == *owner && known.key == key).map(|known| known.run)
    }

    /// Whether it holds reports of EPs, and nothing that somebody waits for.
    pub(super) fn only_reports(&self) -> bool {
        !self.acks.is_empty()
            && self.replies.is_empty()
            && self.first.is_empty()
            && self.batch.audit.is_empty()
    }

    pub(super) fn add(&mut self, effects: Effects) {
        let Effects { store, send, publish, enqueue, welcome: _, answer: _ } = effects;
        self.batch.rows.extend(store);
        self.batch.events.extend(publish);
        self.batch.jobs.extend(enqueue.into_iter().map(Work::from));
        self.send.extend(send);
    }
}

impl Reply {
    pub(super) fn send(self, outcome: Result<(), Problem>) {
        // Whoever asked may have stopped waiting: nothing is lost, the deed is stored.
        match self {
            Self::Run(reply, run) => drop(reply.send(outcome.map(|()| run))),
            Self::Epoch(reply, epoch) => drop(reply.send(outcome.map(|()| epoch))),
            Self::Done(reply) => drop(reply.send(outcome)),
            Self::Lease(reply, lease) => drop(reply.send(outcome.map(|()| *lease))),
        }
    }
}
