//! What always holds of the book, for simulations and for a doubtful night. Costs as much as there are leases.

use std::collections::BTreeMap;

use jackfield_protocol::time::Time;

use super::{
    Book, Lease, Waiter,
    lease::{Leased, State},
};

impl Book {
    /// Whether every invariant holds; else which does not.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        self.check_holders()?;
        self.check_bookings()?;
        self.check_found()
    }

    /// Nothing is held by two who leave each other no room.
    fn check_holders(&self) -> Result<(), String> {
        let mut lanes = BTreeMap::new();
        for lease in self.leases.values().filter(|lease| lease.holds()) {
            match &lease.what {
                Leased::Lane(ep, lane) => {
                    if let Some(other) = lanes.insert((ep, lane), lease.id) {
                        return Err(format!("lane {lane} of {ep} is held by lease {other} and {}", lease.id));
                    }
                }
                Leased::Set(set) => {
                    let others = self.leases.values().filter(|other| other.id < lease.id && other.holds());
                    for other in others {
                        let touches = other.what.set().is_some_and(|own| own.touches(set));
                        if touches && !may_be_together(lease, other) {
                            return Err(format!(
                                "{} and {} hold the same",
                                self.told(lease),
                                self.told(other)
                            ));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// No two bookings have the same at the same time.
    fn check_bookings(&self) -> Result<(), String> {
        let booked: Vec<_> =
            self.leases.values().filter(|lease| matches!(lease.state, State::Asked { .. })).collect();
        for lease in &booked {
            // Maintenance is booked over others.
            let room = |other: &Lease| {
                may_be_together(lease, other) || lease.holder.is_lab() != other.holder.is_lab()
            };
            let others = booked.iter().filter(|other| other.id < lease.id && !room(other));
            for other in others {
                let set = |lease: &Lease| lease.what.set().cloned().unwrap_or_default();
                let begin =
                    |lease: &Lease| if let State::Asked { begin } = lease.state { begin } else { Time(0) };
                let at_once = Some(begin(lease)) < other.until && Some(begin(other)) < lease.until;
                if at_once && set(lease).touches(&set(other)) {
                    return Err(format!("{} and {} clash", self.told(lease), self.told(other)));
                }
            }
        }
        Ok(())
    }

    /// Everything by which leases and waiters are found says what the leases say.
    fn check_found(&self) -> Result<(), String> {
        let choices = self.choices.clone();
        let mut fresh = Self { last: self.last, heard: self.heard.clone(), choices, ..Self::default() };
        self.health.values().for_each(|health| fresh.know(health.clone()));
        for lease in self.leases.values() {
            if lease.is_over() {
                return Err(format!("lease {} is over and still in the book", lease.id));
            }
            fresh.index(lease);
        }
        for (turn, waiter) in &self.queue {
            if let super::Turn::Part { .. } = turn {
                fresh.join_queue(Waiter::clone(waiter));
            }
        }
        let same = fresh.holders == self.holders
            && fresh.bookings == self.bookings
            && fresh.waiting == self.waiting
            && fresh.queue == self.queue
            && fresh.choosers == self.choosers
            && fresh.wanted == self.wanted
            && fresh.open == self.open
            && fresh.unclean == self.unclean;
        if !same {
            return Err("what finds leases is not what the leases say".to_owned());
        }
        let mut looks = BTreeMap::new();
        for (at, id) in self.due.iter().rev() {
            looks.insert(*id, *at);
        }
        let missed = |lease: &&Lease| {
            let due = lease.due(self.heard.get(&lease.id).copied());
            due.is_some_and(|due| looks.get(&lease.id).is_none_or(|at| *at > due))
        };
        match self.leases.values().find(missed) {
            Some(lease) => Err(format!("nobody looks at lease {} when its time comes", lease.id)),
            None => Ok(()),
        }
    }
}

/// Both share it, both are one run's, or one lets the other in.
fn may_be_together(one: &Lease, other: &Lease) -> bool {
    one.want().goes_with(other) || other.want().goes_with(one)
}
