//! The only place of this crate that reads a clock.

use std::time::Duration;

use jackfield_protocol::time::Time;

/// A point on a clock that only goes forward and counts the time a machine sleeps.
///
/// A laptop that was suspended for an hour must know that the engine has not been heard for an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    /// A moment by its milliseconds, for tables of tests.
    #[cfg(test)]
    pub(crate) fn at(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds from `earlier` to this moment.
    pub(crate) fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment moved forward.
    pub(crate) fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// How long it is from `now` until this moment; nothing where it has passed.
    pub(crate) fn after(self, now: Self) -> Duration {
        Duration::from_millis(self.millis_since(now))
    }
}

/// Now, for measuring spans.
pub(crate) fn moment() -> Moment {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let millis = u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000;
    Moment(seconds.saturating_mul(1000).saturating_add(millis))
}

/// Now, for people and reports.
pub(crate) fn wall() -> Time {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    Time(now.tv_sec.saturating_mul(1000).saturating_add(now.tv_nsec / 1_000_000))
}
