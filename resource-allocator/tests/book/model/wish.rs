//! What persons do, as the model says it: one wish after the other, one rule after the other.

use std::cmp::Reverse;

use jackfield_protocol::{id::LeaseId, time::Time};
use jackfield_resource_allocator::book::{
    Ask, Book, Choice, Ended, Holder, Lease, Leased, Set, Spot, State, Tie, Turn, Who, Wish,
};

use super::{MONTH, Model, Waiter, begun, beside, later::waiter_of, overlap, set};
use crate::{day::Parts, picking::ways};

impl Model {
    #[expect(clippy::too_many_lines, reason = "one wish after the other, as naive as can be")]
    pub(crate) fn wish(
        &mut self,
        now: Time,
        id: LeaseId,
        who: &Who,
        wish: Wish,
        (parts, book): (&Parts, &Book),
    ) -> bool {
        if let Wish::Ask(ask) = wish {
            return self.ask(now, *ask, parts, book);
        }
        if let Wish::Book(series) = wish {
            return self.book_series(now, *series, book);
        }
        let Some(lease) = self.get(id) else { return false };
        let own = lease.holder == Holder::Person(who.user.clone());
        if matches!(lease.holder, Holder::Run(_)) || (!own && !who.manages) {
            return false;
        }
        let active = lease.state == State::Active;
        match wish {
            Wish::Force { reason, grace } => {
                let holds = self.holding().any(|other| other.id == id);
                if !who.manages {
                    return false;
                }
                if grace == 0 || !holds {
                    self.end(now, id, Ended::Force { by: who.user.clone(), reason });
                } else {
                    let until = lease.until.unwrap_or(Time(i64::MAX)).min(now.plus_millis(grace.min(MONTH)));
                    let state = State::Ending { until, by: who.user.clone(), reason };
                    self.write(Lease { state, until: Some(until), ..lease });
                }
                true
            }
            Wish::Accept if matches!(lease.state, State::Offered { .. }) => {
                let until = lease.length.map(|length| now.plus_millis(length));
                self.write(Lease { state: State::Active, since: Some(now), until, ..lease });
                true
            }
            Wish::Accept => active,
            Wish::Extend { until } => {
                if !active || until <= now || until.millis_since(now) > MONTH {
                    return false;
                }
                let waiter = Waiter {
                    rank: (Reverse(0), Time(i64::MAX), Turn::Ask(id)),
                    holder: lease.holder.clone(),
                    shared: lease.shared,
                    inside: lease.inside,
                    set: set(&lease),
                    length: None,
                    console: false,
                    repairs: false,
                    choice: None,
                    named: Set::default(),
                };
                let longer = lease.until.is_some_and(|end| until > end);
                let overtaken = self.waiters(now).into_iter().any(|other| {
                    let was_there = match other.rank.2 {
                        Turn::Ask(first) => {
                            let asked = self.get(first).map(|lease| lease.asked);
                            asked < lease.since || (asked == lease.since && first < lease.id)
                        }
                        Turn::Part { .. } => parts.claims(other.rank.2) && Some(other.rank.1) < lease.since,
                    };
                    was_there
                        && !self.unfit(&other).1
                        && overlap(&other.set, &waiter.set)
                        && !beside((&waiter.holder, waiter.shared), (&other.holder, other.shared))
                });
                let overtaken = overtaken && !matches!(lease.holder, Holder::Lab(_));
                if longer && (overtaken || self.booked(&waiter, now, until, Some(id))) {
                    return false;
                }
                self.write(Lease { until: Some(until), ..lease });
                true
            }
            Wish::Release => {
                self.end(now, id, Ended::Holder);
                true
            }
            Wish::Allow { guest, allowed } => {
                let mut guests = lease.guests.clone();
                if allowed {
                    guests.insert(guest)
                } else {
                    guests.remove(&guest)
                };
                self.write(Lease { guests, ..lease });
                true
            }
            Wish::HandOver { to } => {
                let free = lease.inside.is_none() && !matches!(lease.tie, Tie::Console(_));
                if active && free {
                    self.vanish(now, id, &Ended::Holder);
                    self.last += 1;
                    let mut guests = lease.guests.clone();
                    guests.remove(&to);
                    let of_lab = matches!(lease.holder, Holder::Lab(_));
                    let holder = if of_lab { Holder::Lab(to) } else { Holder::Person(to) };
                    let id = LeaseId(self.last);
                    let (occurrence, tie, inside, since) = (None, Tie::Free, None, Some(now));
                    let beats = matches!(lease.tie, Tie::Beat { .. });
                    let until = lease.until.or(beats.then(|| now.plus_millis(MONTH)));
                    for other in &mut self.leases {
                        let holds = !matches!(other.state, State::Waiting { .. } | State::Asked { .. });
                        if holds && other.inside == Some(lease.id) && overlap(&set(other), &set(&lease)) {
                            other.inside = Some(id);
                        }
                    }
                    self.write(Lease { id, holder, guests, occurrence, tie, inside, since, until, ..lease });
                }
                active && free
            }
            Wish::Beat => {
                self.hear(id, now);
                true
            }
            Wish::Reminded { of } => {
                self.write(Lease { reminded: Some(of), ..lease });
                true
            }
            Wish::Move { begin, length } => self.move_booking(now, lease, begin, length),
            Wish::Reschedule(wanted) => self.reschedule(now, lease, *wanted),
            Wish::Cancel(scope) => self.cancel(now, &lease, scope),
            Wish::Ask(_) | Wish::Book(_) => false,
        }
    }

    #[expect(clippy::too_many_lines, reason = "one rule after the other, as naive as can be")]
    fn ask(&mut self, now: Time, ask: Ask, parts: &Parts, book: &Book) -> bool {
        let never = |choice: &Choice| ways(choice, &|_| Some(Time(0))).is_empty();
        if ask.choice.as_deref().is_some_and(never) {
            return false;
        }
        if (ask.set.is_empty() && ask.choice.is_none())
            || ask.length == Some(0)
            || ask.length.is_some_and(|length| length > MONTH)
        {
            return false;
        }
        if let Some(inside) = ask.inside {
            let around = self.holding().find(|lease| lease.id == inside);
            let user = if let Holder::Person(user) = &ask.holder { Some(user) } else { None };
            let admitted = around.zip(user).is_some_and(|(lease, user)| {
                lease.holder == Holder::Person(user.clone())
                    || matches!(lease.holder, Holder::Lab(_))
                    || lease.guests.contains(user)
                    || matches!(lease.holder, Holder::Run(_))
            });
            if !admitted {
                return false;
            }
        }
        let of_lab = matches!(ask.holder, Holder::Lab(_));
        if of_lab && ask.choice.is_some() {
            return false;
        }
        let lease = self.terms(now, &ask);
        let waiter = waiter_of(&lease, ask.choice.clone());
        // Of all that fits the book chooses; what it chose is looked at.
        let chosen = book.lease(lease.id);
        let (what, given) = chosen.map_or_else(
            || (lease.what.clone(), lease.given.clone()),
            |lease| (lease.what.clone(), lease.given.clone()),
        );
        let later = ask.begin.filter(|begin| *begin > now).or(of_lab.then_some(now));
        let lease = if let Some(begin) = later {
            let Some(length) = lease.length else { return false };
            let end = begin.plus_millis(length);
            let taken = |waiter: &Waiter| self.taken(waiter, (begin, end), &|_| false);
            let may = match &waiter.choice {
                None => !taken(&waiter),
                Some(choice) => {
                    let free = |spot: &Spot| {
                        let set = Set { nodes: vec![spot.clone()], ..Set::default() };
                        (!taken(&Waiter { set, ..waiter.clone() })).then_some(Time(0))
                    };
                    let ways = ways(choice, &free);
                    assert!(
                        chosen.is_none_or(|lease| ways.iter().any(|(way, _)| *way == set(lease))),
                        "{chosen:?} is none of {ways:?}"
                    );
                    !ways.is_empty()
                }
            };
            if !may {
                return false;
            }
            Lease { state: State::Asked { begin }, until: Some(end), what, given, ..lease }
        } else if self.may_begin(now, &waiter, parts) {
            if let Some(choice) = &waiter.choice {
                let ways = self.may_have(now, &waiter, choice, parts);
                assert!(
                    chosen.is_some_and(|lease| ways.contains(&set(lease))),
                    "{chosen:?} is none of {ways:?}"
                );
            }
            begun(Lease { offer: None, what, given, ..lease }, now)
        } else if ask.wait == Some(0) {
            return false;
        } else {
            if let Some(choice) = &waiter.choice {
                let Leased::Set(promised) = &what else { return false };
                let terms = (&lease.holder, lease.shared, lease.inside, lease.repairs);
                self.check_promise(&choice.text, terms, &Set::default(), promised).unwrap();
            }
            Lease { what, ..lease }
        };
        self.last += 1;
        self.hear(lease.id, now);
        self.write(lease);
        true
    }
}
