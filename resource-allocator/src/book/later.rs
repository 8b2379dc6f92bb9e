//! What can be booked, and what is free of a time that cannot.

use jackfield_protocol::time::Time;

use super::{Book, Refusal, lease::Lease, queue::Want};

/// A part of a time is told when it is of use to somebody.
const PART_MILLIS_MIN: u64 = 60_000;
/// Parts of a time that are told.
const PARTS_MAX: usize = 10;

/// What of a time is free.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Free {
    /// The parts of it, in order.
    pub parts: Vec<(Time, Time)>,
    /// The first instant, not before that time, from which on it is free for as long.
    pub next: Option<Time>,
}

/// A time that somebody would book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its beginning.
    pub begin: Time,
    /// Its end.
    pub end: Time,
    /// Why it cannot be booked.
    pub refusal: Option<Refusal>,
}

impl std::fmt::Display for Free {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<_> = self.parts.iter().map(|(from, to)| format!("{from} to {to}")).collect();
        match parts.as_slice() {
            [] => f.write_str("nothing of that time is free")?,
            parts => write!(f, "free of that time is {}", parts.join(", "))?,
        }
        match self.next {
            Some(next) => write!(f, "; for as long it is free from {next}"),
            None => Ok(()),
        }
    }
}

impl Book {
    /// Whether a time can be booked, those bookings not counted.
    pub(super) fn may_be_booked(
        &self,
        want: &Want,
        (begin, end): (Time, Time),
        but: &dyn Fn(&Lease) -> bool,
    ) -> Result<(), Refusal> {
        // What is dirty will be clean by then; nobody knows when what is broken will be repaired.
        if let Some(unfit) = self.broken_for(want) {
            return Err(Refusal::NotFit { told: unfit.to_string() });
        }
        let Some(other) = self.taken(want, (begin, end), but) else { return Ok(()) };
        let free = Box::new(self.free_of(want, (begin, end), but));
        Err(Refusal::Clash { told: self.told(other), lease: other.id, until: other.until, free })
    }

    /// Who keeps a time from being booked.
    pub(super) fn taken(
        &self,
        want: &Want,
        (begin, end): (Time, Time),
        but: &dyn Fn(&Lease) -> bool,
    ) -> Option<&Lease> {
        let overlaps = |(from, to, lease): &(Time, Time, &Lease)| *from < end && begin < *to && !but(lease);
        let taken = self.times_taken(want).filter(overlaps);
        let first = taken.map(|(from, _, lease)| (from, lease.id)).min();
        first.and_then(|(_, id)| self.leases.get(&id))
    }

    fn free_of(&self, want: &Want, (begin, end): (Time, Time), but: &dyn Fn(&Lease) -> bool) -> Free {
        let taken = self.times_taken(want).filter(|(_, _, lease)| !but(lease));
        let mut taken: Vec<(Time, Time)> = taken.map(|(from, to, _)| (from, to)).collect();
        taken.sort_unstable();
        let (mut parts, mut at) = (Vec::new(), begin);
        for (from, to) in taken.iter().filter(|(from, _)| *from < end) {
            parts.push((at, *from));
            at = at.max(*to);
        }
        parts.push((at, end));
        parts.retain(|(from, to)| to.millis_since(*from) >= PART_MILLIS_MIN);
        parts.truncate(PARTS_MAX);
        let length = end.millis_since(begin);
        let next =
            taken.iter().fold(
                begin,
                |next, (from, to)| {
                    if *from < next.plus_millis(length) { next.max(*to) } else { next }
                },
            );
        Free { parts, next: Some(next) }
    }

    /// When it is not free, and because of whom: bookings; holders who have said when they leave, and bookings that still wait, which keep
    /// their time. Who holds it without an end is expected to be gone by then.
    fn times_taken<'a>(&'a self, want: &'a Want) -> impl Iterator<Item = (Time, Time, &'a Lease)> {
        let held = self.held_by(want).chain(self.late_by(want)).filter(|lease| !want.clears(lease));
        let held = held.filter_map(|lease| Some((Time(i64::MIN), lease.until?, lease)));
        self.bookings_of(want).chain(held)
    }
}
