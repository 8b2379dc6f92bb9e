//! What persons wish of leases, and what the loop does beside: consoles end with the leases that let them in.

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{ConsoleId, LeaseId},
    lease::LeaseView,
};
use jackfield_resource_allocator::book::{Ended, State, Tie};
use jackfield_scheduler::{Effects, Event, Scheduler, effect::Row};
use tokio::sync::oneshot;

use super::{
    Engine, Wished,
    turn::{Reply, Turn},
};
use crate::{clock, store::audit::Deed};

impl Engine {
    /// Does what somebody wishes; they are answered when it is stored.
    pub(super) fn lease(
        &mut self,
        wished: Wished,
        reply: oneshot::Sender<Result<LeaseView, Problem>>,
        turn: &mut Turn,
    ) {
        let Wished { lease, who, wish, deed } = wished;
        let user = who.user.clone();
        let mut effects = self.scheduler.handle(clock::now(), Event::Lease { lease, who, wish });
        let answer = effects.answer.take();
        let view = answer.map(|answer| answer.map(|id| (id, lease_view(&self.scheduler, &effects, id))));
        turn.add(effects);
        match view {
            Some(Ok((id, Some(view)))) => {
                let target = || format!("lease {id} of {}", view.name);
                turn.batch
                    .audit
                    .extend(deed.map(|(action, detail)| Deed::new(&user, action, target(), detail)));
                turn.replies.push(Reply::Lease(reply, Box::new(view)));
            }
            Some(Err(refusal)) => {
                drop(reply.send(Err(Problem::new(refusal.code(), refusal.to_string()))));
            }
            Some(Ok((id, None))) => {
                let title = format!("lease {id} was changed, and cannot be found");
                drop(reply.send(Err(Problem::new(ErrorCode::Internal, title))));
            }
            None => drop(reply.send(Err(Problem::new(ErrorCode::Internal, "the book gave no answer")))),
        }
    }
}

/// A lease as it is after these effects: in the book, or over.
fn lease_view(scheduler: &Scheduler, effects: &Effects, id: LeaseId) -> Option<LeaseView> {
    if let Some(lease) = scheduler.book().lease(id) {
        return Some(scheduler.lease_view(lease));
    }
    effects.store.iter().rev().find_map(|row| {
        let Row::Lease(lease) = row else { return None };
        (lease.id == id).then(|| scheduler.lease_view(lease))
    })
}

/// The consoles whose leases are over, and why.
pub(super) fn consoles_over(rows: &[Row]) -> Vec<(ConsoleId, String)> {
    let over = |row: &Row| {
        let Row::Lease(lease) = row else { return None };
        let (Tie::Console(console), State::Ended { how, .. }) = (lease.tie, &lease.state) else {
            return None;
        };
        let reason = match how {
            Ended::Force { by, reason } => format!("{by} took the lease of {} away: {reason}", lease.what),
            Ended::Expiry => format!("the lease of {} is over", lease.what),
            Ended::Holder | Ended::Loss | Ended::RunEnd => {
                format!("the lease that let you use {} was given back", lease.what)
            }
        };
        Some((console, reason))
    };
    rows.iter().filter_map(over).collect()
}
