//! What holders, and those who may, do with a lease that there is.

use jackfield_protocol::{
    calendar::Scope,
    id::{LeaseId, UserName},
    time::Time,
};

use super::{
    Book, Claims, Refusal,
    ask::{Ask, LENGTH_MAX_MILLIS},
    lease::{Ended, Holder, Lease, State, Tie},
    series::{Reschedule, Series},
};

/// Who wishes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// By name.
    pub user: UserName,
    /// May do with leases of others as with their own, and take them away.
    pub manages: bool,
}

/// What may be wished.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// A lease.
    Ask(Box<Ask>),
    /// A booking, or a series of them.
    Book(Box<Series>),
    /// Another time for a booking.
    Move {
        /// Its beginning.
        begin: Time,
        /// Another length, in milliseconds.
        length: Option<u64>,
    },
    /// Other times for a series.
    Reschedule(Box<Reschedule>),
    /// To cancel a booking, or those of its series.
    Cancel(Scope),
    /// To take what is offered.
    Accept,
    /// To keep it until then.
    Extend {
        /// The new end. It may be earlier.
        until: Time,
    },
    /// To give it back, or not to wait any more.
    Release,
    /// To take it away.
    Force {
        /// Why; the holder is told.
        reason: String,
        /// Milliseconds to leave in; 0: at once.
        grace: u64,
    },
    /// To let somebody in, or out again.
    Allow {
        /// Whom.
        guest: UserName,
        /// In.
        allowed: bool,
    },
    /// To give it to somebody else, who has it from now on under a new number.
    HandOver {
        /// To whom.
        to: UserName,
    },
    /// To say that the holder is there.
    Beat,
    /// To say that its holder was told of its beginning, or its end.
    Reminded {
        /// Which that is.
        of: Time,
    },
}

impl Book {
    /// Does what somebody wishes of a lease; the answer is the lease that it is about then.
    ///
    /// # Errors
    /// There is none, it is not theirs, or it is not in a state for it.
    pub fn wish(
        &mut self,
        now: Time,
        id: LeaseId,
        who: &Who,
        wish: Wish,
        claims: Claims<'_>,
    ) -> Result<LeaseId, Refusal> {
        let wish = match wish {
            Wish::Ask(ask) => return self.ask(now, *ask, claims),
            Wish::Book(series) => return self.book_series(now, *series),
            other @ (Wish::Move { .. }
            | Wish::Reschedule(_)
            | Wish::Cancel(_)
            | Wish::Accept
            | Wish::Extend { .. }
            | Wish::Release
            | Wish::Force { .. }
            | Wish::Allow { .. }
            | Wish::HandOver { .. }
            | Wish::Beat
            | Wish::Reminded { .. }) => other,
        };
        let Some(lease) = self.leases.get(&id).cloned() else { return Err(Refusal::NoSuch { lease: id }) };
        if let Some(run) = lease.holder.run() {
            return Err(Refusal::OfRun { told: self.told(&lease), run });
        }
        let own = lease.holder.user() == Some(&who.user);
        if let Wish::Force { reason, grace } = wish {
            return self.force(now, lease, who, reason, grace);
        }
        if !own && !who.manages {
            return Err(Refusal::NotTheirs { told: self.told(&lease), lease: id });
        }
        match wish {
            Wish::Accept => self.accept(now, lease),
            Wish::Extend { until } => self.extend(now, lease, until, claims),
            Wish::Release => {
                self.end(now, id, Ended::Holder);
                Ok(id)
            }
            Wish::Allow { guest, allowed } => {
                let mut guests = lease.guests.clone();
                if allowed {
                    guests.insert(guest)
                } else {
                    guests.remove(&guest)
                };
                self.put(Lease { guests, ..lease });
                Ok(id)
            }
            Wish::HandOver { to } => self.hand_over(now, lease, to),
            Wish::Beat => {
                if let Some(heard) = self.heard.get_mut(&id) {
                    *heard = now;
                }
                Ok(id)
            }
            Wish::Reminded { of } => {
                self.put(Lease { reminded: Some(of), ..lease });
                Ok(id)
            }
            Wish::Move { begin, length } => self.move_booking(now, lease, begin, length),
            Wish::Reschedule(wanted) => self.reschedule(now, lease, *wanted),
            Wish::Cancel(scope) => self.cancel(now, &lease, scope),
            // They were dealt with above.
            Wish::Ask(_) | Wish::Book(_) | Wish::Force { .. } => Ok(id),
        }
    }

    fn force(
        &mut self,
        now: Time,
        lease: Lease,
        who: &Who,
        reason: String,
        grace: u64,
    ) -> Result<LeaseId, Refusal> {
        if !who.manages {
            return Err(Refusal::MayNotForce { user: who.user.clone() });
        }
        let (id, by) = (lease.id, who.user.clone());
        if grace == 0 || !lease.holds() {
            self.end(now, id, Ended::Force { by, reason });
            return Ok(id);
        }
        let until = now.plus_millis(grace.min(LENGTH_MAX_MILLIS));
        let until = lease.until.map_or(until, |end| end.min(until));
        self.put(Lease { state: State::Ending { until, by, reason }, until: Some(until), ..lease });
        Ok(id)
    }

    fn accept(&mut self, now: Time, lease: Lease) -> Result<LeaseId, Refusal> {
        let id = lease.id;
        match lease.state {
            State::Offered { .. } => {
                let until = lease.until_from(now);
                self.put(Lease { state: State::Active, since: Some(now), until, ..lease });
                Ok(id)
            }
            State::Active => Ok(id),
            State::Asked { .. } | State::Waiting { .. } | State::Ending { .. } | State::Ended { .. } => {
                Err(Refusal::WrongState { lease: id, state: lease.state.as_str(), wish: "accepted" })
            }
        }
    }

    fn extend(
        &mut self,
        now: Time,
        lease: Lease,
        until: Time,
        claims: Claims<'_>,
    ) -> Result<LeaseId, Refusal> {
        let id = lease.id;
        if lease.state != State::Active {
            return Err(Refusal::WrongState { lease: id, state: lease.state.as_str(), wish: "extended" });
        }
        if until <= now {
            return Err(Refusal::NoTime);
        }
        if until.millis_since(now) > LENGTH_MAX_MILLIS {
            return Err(Refusal::TooLong { days: LENGTH_MAX_MILLIS / (24 * 3_600_000) });
        }
        let longer = lease.until.is_some_and(|end| until > end);
        let want = lease.want();
        if longer && let Some(other) = self.clash(&want, now, until, Some(id)) {
            return Err(Refusal::Booked { told: self.told(other), until: other.until });
        }
        // One that went ahead of somebody was to be back before they could have begun.
        if longer
            && !lease.holder.is_lab()
            && let Some(first) = self.overtaken(&lease, &want, claims)
        {
            return Err(Refusal::Behind { told: self.told_turn(first) });
        }
        self.put(Lease { until: Some(until), ..lease });
        Ok(id)
    }

    fn hand_over(&mut self, now: Time, lease: Lease, to: UserName) -> Result<LeaseId, Refusal> {
        let id = lease.id;
        if lease.state != State::Active {
            return Err(Refusal::WrongState { lease: id, state: lease.state.as_str(), wish: "handed over" });
        }
        // What rests on another lease, or on a connection, is not its holder's to give.
        if lease.inside.is_some() || lease.is_console() {
            return Err(Refusal::Tied { lease: id });
        }
        // In one step, so that nobody comes between: whoever is woken finds it held.
        for console in self.consoles_inside(&lease) {
            self.end(now, console, Ended::Holder);
        }
        let inside = self.inside(&lease);
        let next = self.next();
        let mut guests = lease.guests.clone();
        guests.remove(&to);
        // What a client kept alive has no client any more, and so it needs an end.
        let beats = matches!(lease.tie, Tie::Beat { .. });
        let until = lease.until.or_else(|| beats.then(|| now.plus_millis(LENGTH_MAX_MILLIS)));
        self.put(Lease { state: State::Ended { at: now, how: Ended::Holder }, ..lease.clone() });
        self.put(Lease {
            id: next,
            holder: if lease.holder.is_lab() { Holder::Lab(to) } else { Holder::Person(to) },
            guests,
            // The rest of its series stays whose it was.
            occurrence: None,
            tie: Tie::Free,
            inside: None,
            since: Some(now),
            until,
            ..lease
        });
        for other in inside {
            self.put(Lease { inside: Some(next), ..other });
        }
        Ok(next)
    }
}
