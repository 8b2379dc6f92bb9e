//! What time alone does to leases.

use jackfield_protocol::time::Time;

use super::{
    Book,
    lease::{Ended, Lease, State},
};

impl Book {
    /// Does everything that was due by now.
    pub fn pass(&mut self, now: Time) {
        while let Some((at, id)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, id));
            let Some(lease) = self.leases.get(&id).cloned() else { continue };
            match lease.due(self.heard.get(&id).copied()) {
                Some(due) if due <= now => self.is_due(now, lease),
                // Its client was heard since.
                Some(due) => drop(self.due.insert((due, id))),
                None => {}
            }
        }
    }

    fn is_due(&mut self, now: Time, lease: Lease) {
        let id = lease.id;
        match &lease.state {
            State::Asked { .. } => self.booking_begins(now, lease),
            State::Waiting { until } => {
                let over = until.is_some_and(|until| until <= now);
                self.end(now, id, if over { Ended::Expiry } else { Ended::Loss });
            }
            State::Offered { until } => {
                let over = *until <= now;
                self.end(now, id, if over { Ended::Expiry } else { Ended::Loss });
            }
            State::Active => {
                let over = lease.until.is_some_and(|until| until <= now);
                self.end(now, id, if over { Ended::Expiry } else { Ended::Loss });
            }
            State::Ending { by, reason, .. } => {
                let how = Ended::Force { by: by.clone(), reason: reason.clone() };
                self.end(now, id, how);
            }
            State::Ended { .. } => {}
        }
    }

    /// What was booked waits before all others, until its own end.
    fn booking_begins(&mut self, now: Time, lease: Lease) {
        let (id, until) = (lease.id, lease.until);
        if until.is_some_and(|until| until <= now) {
            return self.end(now, id, Ended::Expiry);
        }
        self.put(Lease { state: State::Waiting { until }, offer: None, ..lease.clone() });
        self.drain(now, &lease);
    }
}
