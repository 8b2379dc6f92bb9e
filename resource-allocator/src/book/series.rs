//! Bookings that recur: made all or none, moved and cancelled alone or together. Each is a lease of its own, with its number and
//! its row, and says which series it is of; so a series is nothing that has to be kept, restored or found beside its leases.

use std::sync::Arc;

use jackfield_protocol::{
    calendar::{Recurrence, Scope},
    id::LeaseId,
    time::Time,
};

use super::{
    Book, Refusal,
    ask::{AHEAD_MAX_MILLIS, Ask, LENGTH_MAX_MILLIS},
    health::Used,
    later::Slot,
    lease::{Ended, Holder, Lease, Occurrence, State, Tie},
};

/// Times of series that one person may have booked and that have not begun.
const BOOKED_MAX: usize = 2_000;

/// Bookings to make: one, or a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Of what, by whom, on which terms, and for how long each.
    pub ask: Ask,
    /// The beginnings, in order.
    pub begins: Vec<Time>,
    /// By which rule; none: it is one booking.
    pub rule: Option<Arc<Recurrence>>,
    /// Book what is free, and leave out what is taken.
    pub partly: bool,
}

/// Other times for all of a series that has not begun.
#[derive(Clone, Debug, PartialEq)]
pub struct Reschedule {
    /// The beginnings, in order.
    pub begins: Vec<Time>,
    /// By which rule.
    pub rule: Arc<Recurrence>,
    /// Another length, in milliseconds.
    pub length: Option<u64>,
    /// Keep what is free, and leave out what is taken.
    pub partly: bool,
}

/// A time, and the lease as it would be then, or why not.
type Tried = (Time, Result<Lease, Refusal>);

impl Book {
    /// The times of a booking or a series, each with what is in its way.
    ///
    /// # Errors
    /// It makes no sense, whatever is free.
    pub fn look_ahead(&self, now: Time, series: &Series) -> Result<Vec<Slot>, Refusal> {
        let (_, tried) = self.try_series(now, series)?;
        let length = series.ask.length.unwrap_or_default();
        let slot =
            |(begin, found): Tried| Slot { begin, end: begin.plus_millis(length), refusal: found.err() };
        Ok(tried.into_iter().map(slot).collect())
    }

    /// Leases of persons that maintenance ends, keeps from beginning, or cuts short.
    pub fn drained<'a>(&'a self, maintenance: &'a Lease) -> Vec<&'a Lease> {
        let (Some(set), Some(begin)) = (maintenance.what.set(), maintenance.booked_for()) else {
            return Vec::new();
        };
        let end = maintenance.until.unwrap_or(begin);
        let in_its_time = |lease: &&Lease| {
            let from = lease.booked_for().unwrap_or(Time(i64::MIN));
            lease.holder.user().is_some() && from < end && lease.until.is_none_or(|until| until > begin)
        };
        let found = self.leases.values().filter(|lease| !lease.is_over() && !lease.is_console());
        let near = |lease: &&Lease| lease.what.set().is_some_and(|own| own.touches(set));
        found.filter(in_its_time).filter(near).collect()
    }

    /// The maintenance that ends a lease before its own end, or keeps it from beginning.
    pub fn maintained<'a>(&'a self, lease: &'a Lease) -> Option<&'a Lease> {
        let begin = lease.booked_for().or(lease.since)?;
        let set = lease.what.set().filter(|_| lease.holder.user().is_some() && !lease.is_over())?;
        let touching = self.bookings.touching(set).flatten().filter_map(|id| self.leases.get(id));
        let ahead = touching.filter(|other| other.holder.is_lab()).filter(|other| {
            let at = other.booked_for();
            at < lease.until.or(Some(Time(i64::MAX))) && other.until > Some(begin)
        });
        ahead.min_by_key(|other| (other.booked_for(), other.id))
    }

    /// Books all of it, or nothing; where that is wanted, what of it is free. The answer is the first.
    pub(super) fn book_series(&mut self, now: Time, mut series: Series) -> Result<LeaseId, Refusal> {
        series.ask.set = self.right_set(std::mem::take(&mut series.ask.set));
        series.ask.choice = series.ask.choice.map(|choice| self.right_choice(&choice).unwrap_or(choice));
        let (length, tried) = self.try_series(now, &series)?;
        let found = all_or_some(tried, series.rule.is_some(), series.partly)?;
        let id = LeaseId(self.last.0.saturating_add(1));
        for (begin, lease) in found {
            let occurrence = occurrence(id, begin, series.rule.as_ref());
            self.take_in(Lease { occurrence, ..lease }, |lease| booked(lease, begin, length));
        }
        Ok(id)
    }

    fn try_series(&self, now: Time, series: &Series) -> Result<(u64, Vec<Tried>), Refusal> {
        let Series { ask, begins, rule, partly: _ } = series;
        self.check_ask(now, ask)?;
        let Some(length) = ask.length else { return Err(Refusal::NoEnd) };
        // Maintenance that is to begin at once begins now, however long the wish was on its way.
        let at_once = ask.holder.is_lab() && rule.is_none();
        let begins: Vec<Time> =
            begins.iter().map(|begin| if at_once { now.max(*begin) } else { *begin }).collect();
        check_times(now, &begins, length)?;
        if rule.is_some() {
            self.check_count(&ask.holder, begins.len(), &|_| false)?;
        }
        let terms = self.prepare(now, ask.clone());
        let at = |begin: &Time| {
            let found = match &ask.choice {
                Some(choice) => self.choose_for_later(terms.clone(), *begin, choice),
                None => Ok(terms.clone()),
            };
            let time = (*begin, begin.plus_millis(length));
            let free =
                found.and_then(|lease| self.may_be_booked(&lease.want(), time, &|_| false).map(|()| lease));
            (*begin, free)
        };
        Ok((length, begins.iter().map(at).collect()))
    }

    /// Refuses more times of series than one person may have booked, those bookings not counted.
    fn check_count(&self, holder: &Holder, more: usize, but: &dyn Fn(&Lease) -> bool) -> Result<(), Refusal> {
        let Some(user) = holder.user() else { return Ok(()) };
        let of_series = |lease: &&Lease| lease.holder.user() == Some(user) && !lease.is_open() && !but(lease);
        if self.leases.values().filter(of_series).count().saturating_add(more) > BOOKED_MAX {
            return Err(Refusal::TooManyBooked { most: BOOKED_MAX });
        }
        Ok(())
    }

    /// A booking has another time from now on.
    pub(super) fn move_booking(
        &mut self,
        now: Time,
        lease: Lease,
        begin: Time,
        length: Option<u64>,
    ) -> Result<LeaseId, Refusal> {
        let id = lease.id;
        if lease.booked_for().is_none() {
            return Err(Refusal::Begun { lease: id, state: lease.state.as_str() });
        }
        let Some(length) = length.or(lease.length) else { return Err(Refusal::NoEnd) };
        check_times(now, &[begin], length)?;
        let time = (begin, begin.plus_millis(length));
        self.may_be_booked(&lease.want(), time, &|other| other.id == id)?;
        self.put(booked(lease, begin, length));
        Ok(id)
    }

    /// All of a series that has not begun has other times from now on. Bookings keep their numbers as far as there are as many, and since when
    /// they are asked for.
    pub(super) fn reschedule(
        &mut self,
        now: Time,
        lease: Lease,
        wanted: Reschedule,
    ) -> Result<LeaseId, Refusal> {
        let Some(series) = lease.series() else { return Err(Refusal::NoSeries { lease: lease.id }) };
        let Some(length) = wanted.length.or(lease.length) else { return Err(Refusal::NoEnd) };
        check_times(now, &wanted.begins, length)?;
        let is_old = |other: &Lease| other.series() == Some(series) && other.booked_for().is_some();
        self.check_count(&lease.holder, wanted.begins.len(), &is_old)?;
        let terms = as_asked(now, &lease);
        let at = |begin: &Time| {
            let time = (*begin, begin.plus_millis(length));
            (*begin, self.may_be_booked(&terms.want(), time, &is_old).map(|()| terms.clone()))
        };
        let found = all_or_some(wanted.begins.iter().map(at).collect(), true, wanted.partly)?;
        let old = self.leases.values().filter(|other| is_old(other));
        let old: Vec<(LeaseId, Time)> = old.map(|other| (other.id, other.asked)).collect();
        let mut old = old.into_iter();
        let mut first = None;
        for (begin, terms) in found {
            let occurrence = occurrence(series, begin, Some(&wanted.rule));
            let terms = Lease { occurrence, ..terms };
            let id = match old.next() {
                Some((id, asked)) => {
                    self.put(booked(Lease { id, asked, ..terms }, begin, length));
                    id
                }
                None => self.take_in(terms, |lease| booked(lease, begin, length)),
            };
            first = first.or(Some(id));
        }
        old.for_each(|(id, _)| self.end(now, id, Ended::Holder));
        Ok(first.unwrap_or(lease.id))
    }

    /// Bookings of a series are over before they begin; of one alone, it is given back whatever it is.
    pub(super) fn cancel(&mut self, now: Time, lease: &Lease, scope: Scope) -> Result<LeaseId, Refusal> {
        let from = match scope {
            Scope::One => {
                self.end(now, lease.id, Ended::Holder);
                return Ok(lease.id);
            }
            Scope::Following => lease.booked_for(),
            Scope::Series => None,
        };
        let Some(series) = lease.series() else { return Err(Refusal::NoSeries { lease: lease.id }) };
        let goes = |other: &&Lease| {
            other.series() == Some(series) && other.booked_for().is_some_and(|begin| Some(begin) >= from)
        };
        let gone: Vec<LeaseId> = self.leases.values().filter(goes).map(|other| other.id).collect();
        let Some(first) = gone.first().copied() else { return Err(Refusal::NoSeries { lease: lease.id }) };
        gone.into_iter().for_each(|id| self.end(now, id, Ended::Holder));
        Ok(first)
    }

    /// Maintenance begins: what persons have of it is over.
    pub(super) fn drain(&mut self, now: Time, maintenance: &Lease) {
        let Holder::Lab(by) = &maintenance.holder else { return };
        let want = maintenance.want();
        let held = self.held_by(&want).filter(|lease| lease.holder.user().is_some());
        let held: std::collections::BTreeSet<LeaseId> = held.map(|lease| lease.id).collect();
        let purpose = &maintenance.purpose;
        let reason =
            if purpose.is_empty() { "maintenance".to_owned() } else { format!("maintenance: {purpose}") };
        for id in held {
            self.end(now, id, Ended::Force { by: by.clone(), reason: reason.clone() });
        }
    }
}

/// What any time has to keep to, whoever else wants it.
fn check_times(now: Time, begins: &[Time], length: u64) -> Result<(), Refusal> {
    let (Some(first), Some(last)) = (begins.first(), begins.last()) else { return Err(Refusal::NoTime) };
    if length == 0 {
        return Err(Refusal::NoTime);
    }
    if length > LENGTH_MAX_MILLIS {
        return Err(Refusal::TooLong { days: LENGTH_MAX_MILLIS / (24 * 3_600_000) });
    }
    if *first < now {
        return Err(Refusal::Past { begin: *first });
    }
    if last.millis_since(now) > AHEAD_MAX_MILLIS {
        return Err(Refusal::TooFar);
    }
    let meet = begins.iter().zip(begins.iter().skip(1)).find(|(one, next)| one.plus_millis(length) > **next);
    meet.map_or(Ok(()), |(one, next)| Err(Refusal::Overlap { one: *one, next: *next }))
}

fn occurrence(series: LeaseId, slot: Time, rule: Option<&Arc<Recurrence>>) -> Option<Occurrence> {
    rule.map(|rule| Occurrence { series, slot, rule: Arc::clone(rule) })
}

/// The lease as a booking.
pub(super) fn booked(lease: Lease, begin: Time, length: u64) -> Lease {
    let (state, until) = (State::Asked { begin }, Some(begin.plus_millis(length)));
    Lease { state, until, length: Some(length), ..lease }
}

/// The terms of a lease, as if it were asked for anew.
fn as_asked(now: Time, lease: &Lease) -> Lease {
    let lease = lease.clone();
    Lease {
        reminded: None,
        used: Used::Unknown,
        tie: Tie::Free,
        inside: None,
        asked: now,
        ranked: now,
        since: None,
        until: None,
        state: State::Active,
        ..lease
    }
}

/// What can be booked of it; a refusal where that is not all, and all is wanted.
fn all_or_some(tried: Vec<Tried>, is_series: bool, partly: bool) -> Result<Vec<(Time, Lease)>, Refusal> {
    let of = tried.len();
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for (begin, lease) in tried {
        match lease {
            Ok(lease) => found.push((begin, lease)),
            Err(refusal) => refused.push(refusal),
        }
    }
    let taken = refused.len();
    match refused.into_iter().next() {
        None => Ok(found),
        Some(_) if partly && !found.is_empty() => Ok(found),
        Some(refusal) if !is_series => Err(refusal),
        Some(first) => {
            Err(Refusal::SeriesTaken { told: first.told_alone(), taken, of, rest: rest(found.len()) })
        }
    }
}

/// What can be done where times of a series are taken.
fn rest(free: usize) -> String {
    match free {
        0 => "choose another time".to_owned(),
        free => format!("choose another time, or book the other {free} with --skip-taken"),
    }
}
