//! Bookings, series and maintenance, as the model says it.

use std::{cmp::Reverse, sync::Arc};

use jackfield_protocol::{calendar::Scope, id::LeaseId, time::Time};
use jackfield_resource_allocator::book::{
    Ask, Book, Choice, Ended, Holder, Lease, Leased, Occurrence, Reschedule, Series, Set, State, Tie, Turn,
};

use super::{MONTH, Model, Waiter, beside, overlap, set};

const AHEAD: u64 = 2 * 366 * 24 * 3_600_000;

/// Whether maintenance is booked over a lease.
pub(super) fn clears(waiter: &Waiter, lease: &Lease) -> bool {
    matches!(waiter.holder, Holder::Lab(_)) && !matches!(lease.holder, Holder::Lab(_))
}

/// Whoever asks for a lease, before anybody knows whether they wait.
pub(super) fn waiter_of(lease: &Lease, choice: Option<Arc<Choice>>) -> Waiter {
    Waiter {
        rank: (Reverse(lease.priority), lease.ranked, Turn::Ask(lease.id)),
        holder: lease.holder.clone(),
        shared: lease.shared,
        inside: lease.inside,
        set: set(lease),
        length: lease.length,
        console: matches!(lease.tie, Tie::Console(_)),
        repairs: lease.repairs,
        choice,
        named: Set::default(),
    }
}

fn begin_of(lease: &Lease) -> Option<Time> {
    if let State::Asked { begin } = lease.state { Some(begin) } else { None }
}

fn makes_sense(now: Time, begins: &[Time], length: u64) -> bool {
    let in_time = |begin: &Time| *begin >= now && begin.millis_since(now) <= AHEAD;
    let apart = begins.windows(2).all(|pair| pair[0].plus_millis(length) <= pair[1]);
    !begins.is_empty() && length > 0 && length <= MONTH && begins.iter().all(in_time) && apart
}

impl Model {
    /// The lease that somebody asks for, as if it waited.
    pub(super) fn terms(&self, now: Time, ask: &Ask) -> Lease {
        let counts = |lease: &&Lease| lease.occurrence.is_none() || begin_of(lease).is_none();
        let own = self.leases.iter().filter(|lease| lease.holder == ask.holder).filter(counts).count();
        let own = if matches!(ask.holder, Holder::Person(_)) { own } else { 0 };
        let back = 600_000 * u64::try_from(own.min(6)).expect("at most six");
        let of_lab = matches!(ask.holder, Holder::Lab(_));
        Lease {
            id: LeaseId(self.last + 1),
            what: Leased::Set(ask.set.clone()),
            needs: ask.choice.as_ref().map(|choice| choice.text.clone()),
            given: Default::default(),
            suite: None,
            holder: ask.holder.clone(),
            shared: ask.shared && !of_lab,
            purpose: ask.purpose.clone(),
            note: ask.note.clone(),
            context: ask.context.clone(),
            guests: Default::default(),
            priority: ask.priority,
            repairs: ask.repairs || of_lab,
            occurrence: None,
            reminded: None,
            used: Default::default(),
            tie: if of_lab { Tie::Free } else { ask.tie },
            inside: ask.inside.filter(|_| !of_lab),
            asked: now,
            ranked: now.plus_millis(back),
            length: ask.length,
            offer: ask.offer,
            since: None,
            until: None,
            state: State::Waiting { until: ask.wait.map(|wait| now.plus_millis(wait)) },
        }
    }

    /// Whether somebody keeps a time from being booked, those not counted.
    pub(super) fn taken(
        &self,
        waiter: &Waiter,
        (begin, end): (Time, Time),
        but: &dyn Fn(&Lease) -> bool,
    ) -> bool {
        let keeps = |lease: &Lease| {
            !but(lease) && !clears(waiter, lease) && lease.until.is_some_and(|until| until > begin)
        };
        let held = self.in_hands(waiter).into_iter().any(keeps);
        let late = self.leases.iter().any(|lease| {
            let waits = matches!(lease.state, State::Waiting { .. }) && keeps(lease);
            let room = beside((&waiter.holder, waiter.shared), (&lease.holder, lease.shared));
            waits && overlap(&set(lease), &waiter.set) && !room
        });
        let others = Self {
            leases: self.leases.iter().filter(|lease| !but(lease)).cloned().collect(),
            ..self.clone()
        };
        held || late || self.unfit(waiter).1 || others.booked(waiter, begin, end, None)
    }

    /// When maintenance of what a lease is for begins first.
    pub(super) fn first_maintenance(&self, lease: &Lease) -> Option<Time> {
        let of_lab = self.leases.iter().filter(|other| matches!(other.holder, Holder::Lab(_)));
        let near = of_lab.filter(|other| overlap(&set(other), &set(lease)) && lease.inside != Some(other.id));
        near.filter(|_| !matches!(lease.holder, Holder::Lab(_))).filter_map(begin_of).min()
    }

    /// Maintenance begins, and persons lose what they have of it.
    pub(super) fn drain(&mut self, now: Time, lease: &Lease) {
        let Holder::Lab(by) = &lease.holder else { return };
        let held = self.in_hands(&waiter_of(lease, None)).into_iter();
        let held: Vec<LeaseId> =
            held.filter(|other| matches!(other.holder, Holder::Person(_))).map(|other| other.id).collect();
        let reason = format!("maintenance: {}", lease.purpose);
        for id in held {
            self.end(now, id, Ended::Force { by: by.clone(), reason: reason.clone() });
        }
    }

    /// Of all that fits the book chooses elsewhere; here everything has a name.
    pub(super) fn book_series(&mut self, now: Time, series: Series, _: &Book) -> bool {
        let Series { ask, begins, rule, partly } = series;
        let Some(length) = ask.length else { return false };
        if ask.set.is_empty() || !makes_sense(now, &begins, length) {
            return false;
        }
        let terms = self.terms(now, &ask);
        let first = LeaseId(self.last + 1);
        let Some(free) = self.free_of(&waiter_of(&terms, None), &begins, length, partly, &|_| false) else {
            return false;
        };
        for begin in free {
            self.last += 1;
            let occurrence =
                rule.as_ref().map(|rule| Occurrence { series: first, slot: begin, rule: Arc::clone(rule) });
            let until = Some(begin.plus_millis(length));
            let id = LeaseId(self.last);
            self.write(Lease { id, occurrence, until, state: State::Asked { begin }, ..terms.clone() });
        }
        true
    }

    fn free_of(
        &self,
        waiter: &Waiter,
        begins: &[Time],
        length: u64,
        partly: bool,
        but: &dyn Fn(&Lease) -> bool,
    ) -> Option<Vec<Time>> {
        let is_free = |begin: &&Time| !self.taken(waiter, (**begin, begin.plus_millis(length)), but);
        let free: Vec<Time> = begins.iter().filter(is_free).copied().collect();
        (free.len() == begins.len() || partly && !free.is_empty()).then_some(free)
    }

    pub(super) fn move_booking(&mut self, now: Time, lease: Lease, begin: Time, length: Option<u64>) -> bool {
        let Some(length) = length.or(lease.length) else { return false };
        let end = begin.plus_millis(length);
        let id = lease.id;
        let may = begin_of(&lease).is_some()
            && makes_sense(now, &[begin], length)
            && !self.taken(&waiter_of(&lease, None), (begin, end), &|other| other.id == id);
        if may {
            self.write(Lease {
                until: Some(end),
                length: Some(length),
                state: State::Asked { begin },
                ..lease
            });
        }
        may
    }

    pub(super) fn reschedule(&mut self, now: Time, lease: Lease, wanted: Reschedule) -> bool {
        let Some(series) = lease.occurrence.as_ref().map(|occurrence| occurrence.series) else {
            return false;
        };
        let length = wanted.length.or(lease.length).unwrap_or_default();
        if !makes_sense(now, &wanted.begins, length) {
            return false;
        }
        let is_old = |other: &Lease| {
            other.occurrence.as_ref().is_some_and(|it| it.series == series) && begin_of(other).is_some()
        };
        let waiter = Waiter { inside: None, ..waiter_of(&lease, None) };
        let Some(free) = self.free_of(&waiter, &wanted.begins, length, wanted.partly, &is_old) else {
            return false;
        };
        let old = self.leases.iter().filter(|other| is_old(other));
        let mut old: Vec<(LeaseId, Time)> = old.map(|other| (other.id, other.asked)).collect();
        for begin in free {
            let (id, asked) = if old.is_empty() {
                self.last += 1;
                (LeaseId(self.last), now)
            } else {
                old.remove(0)
            };
            let rule = Arc::clone(&wanted.rule);
            self.write(Lease {
                id,
                occurrence: Some(Occurrence { series, slot: begin, rule }),
                reminded: None,
                used: Default::default(),
                tie: Tie::Free,
                inside: None,
                asked,
                ranked: now,
                length: Some(length),
                since: None,
                until: Some(begin.plus_millis(length)),
                state: State::Asked { begin },
                ..lease.clone()
            });
        }
        old.into_iter().for_each(|(id, _)| self.end(now, id, Ended::Holder));
        true
    }

    pub(super) fn cancel(&mut self, now: Time, lease: &Lease, scope: Scope) -> bool {
        if scope == Scope::One {
            self.end(now, lease.id, Ended::Holder);
            return true;
        }
        let Some(series) = lease.occurrence.as_ref().map(|occurrence| occurrence.series) else {
            return false;
        };
        let from = begin_of(lease).filter(|_| scope == Scope::Following);
        let of_it = |other: &&Lease| {
            other.occurrence.as_ref().is_some_and(|it| it.series == series)
                && begin_of(other).is_some_and(|begin| Some(begin) >= from)
        };
        let gone: Vec<LeaseId> = self.leases.iter().filter(of_it).map(|other| other.id).collect();
        gone.iter().for_each(|id| self.end(now, *id, Ended::Holder));
        !gone.is_empty()
    }
}
