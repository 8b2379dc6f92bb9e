//! Who may have what now, what stands in the way, and whom a change concerns.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use jackfield_protocol::{id::LeaseId, time::Time};

use super::{
    Book, Claims,
    lease::{Lease, Leased, Set, State},
    queue::{Rank, Turn, Want},
};

/// Waiters behind the first that are looked at when something is freed: a decision costs the same however many wait.
pub(crate) const LOOKS_MAX: u32 = 32;

/// Waiters whose other wishes are looked at when something is freed.
const NEIGHBOURS_MAX: usize = 8;

/// For how long something without an end is taken to last where somebody has booked it: a run that may take longer does
/// not start so shortly before.
pub(crate) const OPEN_END_MILLIS: u64 = 3_600_000;

/// What stands between somebody and what they want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Somebody has it.
    Held(LeaseId),
    /// Somebody has booked it, and needs it before it would be back.
    Booked(LeaseId),
    /// Somebody asked before.
    Behind(Turn),
    /// It is dirty, under a check, or out of service ([`Book::unfit_for`] says what).
    Unfit,
}

impl Book {
    /// The leases that hold something of a set, or above or below it, in no order; a lease may come twice.
    pub fn holding<'a>(&'a self, set: &'a Set) -> impl Iterator<Item = &'a Lease> {
        self.holders.touching(set).flatten().filter_map(|id| self.leases.get(id))
    }

    /// Those of them that leave no room for it.
    pub fn held_by<'a>(&'a self, want: &'a Want) -> impl Iterator<Item = &'a Lease> {
        self.holding(&want.set).filter(|lease| !want.goes_with(lease))
    }

    /// A booking that begins before it would be back, or lasts now.
    pub fn booked_by(&self, now: Time, want: &Want) -> Option<&Lease> {
        let end = now.plus_millis(want.length.unwrap_or(OPEN_END_MILLIS));
        self.clash(want, now, end, None)
    }

    /// A booking other than this one that has some of a time.
    pub(crate) fn clash(&self, want: &Want, from: Time, to: Time, but: Option<LeaseId>) -> Option<&Lease> {
        let clashes =
            |(begin, end, lease): &(Time, Time, &Lease)| Some(lease.id) != but && *begin < to && from < *end;
        let clashing = self.bookings_of(want).filter(clashes);
        let first = clashing.map(|(begin, _, lease)| (begin, lease.id)).min();
        first.and_then(|(_, id)| self.leases.get(&id))
    }

    /// Bookings that leave no room for it, each with its time; one may come twice.
    pub(crate) fn bookings_of<'a>(&'a self, want: &'a Want) -> impl Iterator<Item = (Time, Time, &'a Lease)> {
        let booked = self.bookings.touching(&want.set).flatten().filter_map(|id| self.leases.get(id));
        let room = |lease: &&Lease| !want.goes_with(lease) && !want.clears(lease);
        booked.filter(room).filter_map(|lease| {
            let begin = lease.booked_for()?;
            Some((begin, begin.plus_millis(lease.length.unwrap_or(OPEN_END_MILLIS)), lease))
        })
    }

    /// Bookings that should have begun, and wait.
    pub(crate) fn late_by<'a>(&'a self, want: &'a Want) -> impl Iterator<Item = &'a Lease> {
        let turns = self.waiting.touching(&want.set).flatten().map(|rank| rank.turn);
        let asked = turns.filter_map(|turn| match turn {
            Turn::Ask(id) => self.leases.get(&id),
            Turn::Part { .. } => None,
        });
        asked.filter(|lease| lease.until.is_some() && !want.goes_beside(&lease.holder, lease.shared))
    }

    /// The first of those who asked before and would have to wait longer.
    pub fn behind(&self, now: Time, want: &Want, rank: &Rank, claims: Claims<'_>) -> Option<Turn> {
        let end = want.length.map(|length| now.plus_millis(length));
        self.waiting.touching(&want.set).find_map(|list| {
            let mut earlier = list.range(..rank).filter(|first| first.turn != rank.turn);
            let first = earlier.find(|first| self.stands_in_the_way(want, first.turn, claims))?;
            let first = first.turn;
            let back_in_time = end.zip(self.earliest(first)).is_some_and(|(end, from)| end <= from);
            (!back_in_time).then_some(first)
        })
    }

    /// Somebody who waits for what a lease holds, and did when it began.
    pub(crate) fn overtaken(&self, lease: &Lease, want: &Want, claims: Claims<'_>) -> Option<Turn> {
        let since = lease.since?;
        let was_there = |rank: &&Rank| match rank.turn {
            Turn::Ask(id) => self.leases.get(&id).is_some_and(|first| (first.asked, id) < (since, lease.id)),
            Turn::Part { .. } => rank.asked() < since,
        };
        let mut waiting = self.waiting.touching(&want.set).flatten().filter(was_there);
        let first = waiting.find(|first| self.stands_in_the_way(want, first.turn, claims));
        first.map(|first| first.turn)
    }

    fn stands_in_the_way(&self, want: &Want, turn: Turn, claims: Claims<'_>) -> bool {
        let Some(waiter) = self.queue.get(&turn) else { return false };
        let other = &waiter.want;
        let beside = want.goes_beside(&other.holder, other.shared);
        !beside && (matches!(turn, Turn::Ask(_)) || claims(turn)) && !self.waits_for_repair(other)
    }

    /// When somebody who waits could have it, by what the holders have said; none where nobody can tell, or only others
    /// who wait are in the way.
    pub fn earliest(&self, turn: Turn) -> Option<Time> {
        let waiter = self.queue.get(&turn)?;
        let mut latest = None;
        for lease in self.held_by(&waiter.want) {
            latest = latest.max(Some(lease.until?));
        }
        latest
    }

    /// What stands in the way of somebody, if anything does.
    pub fn obstacle(&self, now: Time, want: &Want, rank: &Rank, claims: Claims<'_>) -> Option<Obstacle> {
        let held = self.held_by(want).map(|lease| Obstacle::Held(lease.id)).next();
        held.or_else(|| self.turn_of_others(now, want, rank, claims))
    }

    /// Whether it is not fit, who has booked it, or who asked before. What is inside of a lease has had its turn.
    pub fn turn_of_others(
        &self,
        now: Time,
        want: &Want,
        rank: &Rank,
        claims: Claims<'_>,
    ) -> Option<Obstacle> {
        let around = want.inside.and_then(|id| self.leases.get(&id));
        let outside = around.map(|around| want.outside(around));
        let want = outside.as_ref().unwrap_or(want);
        if self.unfit_for(want).is_some() {
            return Some(Obstacle::Unfit);
        }
        let booked = self.booked_by(now, want).map(|lease| Obstacle::Booked(lease.id));
        let behind = || self.behind(now, want, rank, claims).filter(|_| !self.is_check(&want.holder));
        booked.or_else(|| behind().map(Obstacle::Behind))
    }

    /// The place of a lease in the longest of its queues, the next being 1; none beyond `most`.
    pub fn place(&self, id: LeaseId, most: usize) -> Option<u64> {
        let waiter = self.queue.get(&Turn::Ask(id))?;
        let queues = self.waiting.touching(&waiter.want.set);
        let own = waiter.chooser.as_ref().and_then(|chooser| self.choosers.get(&chooser.needs));
        let before = queues.chain(own).map(|list| list.range(..waiter.rank).take(most).count());
        let before = before.max().unwrap_or(0);
        (before < most).then(|| u64::try_from(before).unwrap_or(u64::MAX).saturating_add(1))
    }

    /// What stands in the way of a lease that waits; of one that leaves the choice, in the way of what it has been promised.
    pub fn in_front_of(&self, now: Time, lease: &Lease, claims: Claims<'_>) -> Option<Obstacle> {
        self.obstacle(now, &self.want_of_waiting(now, lease), &lease.rank(), claims)
    }

    /// What a lease that waits wants from now on. One that was booked begins although maintenance will end it.
    fn want_of_waiting(&self, now: Time, lease: &Lease) -> Want {
        let mut want = lease.want_from(now);
        if lease.is_late() {
            let maintained = self.bookings_of(&want).filter(|(_, _, other)| other.holder.is_lab());
            let first = maintained.map(|(begin, _, _)| begin.millis_since(now)).min();
            want.length = want.length.map(|length| first.map_or(length, |first| length.min(first)));
        }
        want
    }

    /// A lease that waited begins, or is offered to an asker who was not there, if it is its turn.
    pub fn try_begin(&mut self, now: Time, id: LeaseId, claims: Claims<'_>) -> bool {
        let Some(lease) = self.leases.get(&id).filter(|lease| lease.is_waiting()).cloned() else {
            return false;
        };
        let Some(needs) = lease.needs.as_ref().filter(|_| lease.leaves_choice()) else {
            let may = self.in_front_of(now, &lease, claims).is_none();
            if may {
                self.put(begun(lease, now));
            }
            return may;
        };
        let choice = self.choices.get(needs).cloned();
        let want = Want { set: Set::default(), ..lease.want_from(now) };
        let picked = choice.and_then(|choice| self.pick(now, &want, &lease.rank(), &choice, claims));
        let Some((set, given)) = picked.and_then(|sets| sets.into_iter().next()) else { return false };
        let promised = lease.want().set;
        self.put(begun(Lease { what: Leased::Set(set), given, ..lease }, now));
        // It is not first there any more.
        self.wake(&promised);
        true
    }

    /// Wakes everybody who waits: what stood in their way may not do so any more.
    pub fn wake_all(&mut self) {
        self.woken.extend(self.queue.values().map(|waiter| (waiter.rank, LOOKS_MAX)));
    }

    /// The first of those who may be able to begin.
    pub fn pop_woken(&mut self) -> Option<Woken> {
        self.woken.pop_first().map(|(rank, looks)| Woken { rank, looks })
    }

    /// Somebody who was woken goes on waiting: those right behind them are woken, whom it may help that this one has to wait.
    /// One that does not claim what it waits for is passed over, however many such there are.
    pub fn passed(&mut self, woken: Woken, claims: bool) {
        let looks = if claims { woken.looks.saturating_sub(1) } else { woken.looks };
        let Some(waiter) = self.queue.get(&woken.rank.turn).filter(|_| looks > 0) else { return };
        let behind = (Bound::Excluded(woken.rank), Bound::Unbounded);
        let next = self.waiting.touching(&waiter.want.set).filter_map(|list| list.range(behind).next());
        let own = waiter.chooser.as_ref().map(|chooser| &chooser.needs);
        let needs = self.wanted.touching(&waiter.want.set).flatten().chain(own);
        let choosers = needs.filter_map(|needs| self.choosers.get(needs)?.range(behind).next());
        wake_each(&mut self.woken, next.chain(choosers), looks);
    }

    /// Somebody has come before others into the queue: those behind may be back before this one can begin, whom the one that was first before
    /// kept waiting.
    pub(super) fn wake_behind(&mut self, id: LeaseId) {
        let rank = self.queue.get(&Turn::Ask(id)).map(|waiter| waiter.rank);
        if let Some(rank) = rank {
            self.passed(Woken { rank, looks: LOOKS_MAX }, true);
        }
    }

    /// Wakes the first of each queue for something of a set.
    pub(crate) fn wake(&mut self, set: &Set) {
        let first = self.waiting.touching(set).filter_map(BTreeSet::first);
        let needs = self.wanted.touching(set).flatten();
        let choosers = needs.filter_map(|needs| self.choosers.get(needs)?.first());
        wake_each(&mut self.woken, first.chain(choosers), LOOKS_MAX);
    }

    /// A set is held from now on, or until another time. Who waits for all of it and no more has nothing from that; but
    /// when somebody can have the rest of what they want is known better, and so is who fits before.
    pub(crate) fn wake_beside(&mut self, set: &Set) {
        let near = self.waiting.touching(set).flat_map(|list| list.iter().take(NEIGHBOURS_MAX));
        let wants_more = |rank: &&Rank| {
            let waiter = self.queue.get(&rank.turn);
            waiter.is_some_and(|waiter| !waiter.want.set.is_within(set))
        };
        wake_each(&mut self.woken, near.filter(wants_more), LOOKS_MAX);
    }
}

fn wake_each<'a>(woken: &mut BTreeMap<Rank, u32>, ranks: impl Iterator<Item = &'a Rank>, looks: u32) {
    for rank in ranks {
        let known = woken.entry(*rank).or_default();
        *known = looks.max(*known);
    }
}

/// Somebody who may be able to begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Woken {
    /// Their place.
    pub rank: Rank,
    /// How many behind them are looked at, if they cannot.
    looks: u32,
}

/// The lease, held from now on, or offered.
pub(crate) fn begun(lease: Lease, now: Time) -> Lease {
    let until = lease.until_from(now);
    match lease.offer {
        Some(offer) if lease.is_waiting() => {
            Lease { state: State::Offered { until: now.plus_millis(offer) }, since: None, ..lease }
        }
        Some(_) | None => Lease { state: State::Active, since: Some(now), until, ..lease },
    }
}

impl Lease {
    /// Its end, if it begins now: a booking keeps the end that it was booked with.
    pub(crate) fn until_from(&self, now: Time) -> Option<Time> {
        self.until.or_else(|| self.length.map(|length| now.plus_millis(length)))
    }

    /// What it wants from now on: of a booking that had to wait, the rest.
    pub(crate) fn want_from(&self, now: Time) -> Want {
        let length = self.until_from(now).map(|until| until.millis_since(now));
        Want { length, ..self.want() }
    }
}
