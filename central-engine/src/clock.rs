//! The one place of the engine that reads a clock.
//!
//! While the engine lives its time goes by the steady clock: a wall clock that is set forward ends no run before its limit,
//! one that is set back lets no run end before it began. The wall clock says where time begins, at each start of the
//! engine, and again whenever no run is open ([`follow_wall`]).

use std::{
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use jackfield_protocol::time::Time;
use tokio::time::Instant;

/// Two clocks at one instant.
#[derive(Clone, Copy)]
struct Base {
    steady: Instant,
    wall: Time,
}

static BASE: Mutex<Option<Base>> = Mutex::new(None);

impl Base {
    #[expect(clippy::disallowed_methods, reason = "the engine's clocks are here")]
    fn now() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = Time(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX));
        Self { steady: Instant::now(), wall }
    }

    /// The time at a later instant, by the steady clock.
    fn at(self, later: Instant) -> Time {
        let passed = later.saturating_duration_since(self.steady).as_millis();
        self.wall.plus_millis(u64::try_from(passed).unwrap_or(u64::MAX))
    }
}

/// Now, in UTC.
pub(crate) fn now() -> Time {
    let here = Base::now();
    let mut base = BASE.lock().unwrap_or_else(PoisonError::into_inner);
    base.get_or_insert(here).at(here.steady)
}

/// Now, by the wall clock: what others go by who look at a certificate.
pub(crate) fn wall() -> Time {
    Base::now().wall
}

/// Takes the wall clock as it is now. Only while nothing is measured.
pub(crate) fn follow_wall() {
    if cfg!(test) {
        // Tests move their own time, each its own, and share this process.
        return;
    }
    let here = Base::now();
    let before = BASE.lock().unwrap_or_else(PoisonError::into_inner).replace(here);
    let told = before.map(|before| before.at(here.steady));
    let off = told.map_or(0, |told| told.millis_since(here.wall).max(here.wall.millis_since(told)));
    if off > SET_MILLIS {
        tracing::warn!("the clock of this machine was set by {} s; from here on it is followed", off / 1_000);
    }
}

/// A difference that is no correction of a running clock, but a clock that was set.
const SET_MILLIS: u64 = 2_000;

/// Now, by the clock that files are stamped with.
#[expect(clippy::disallowed_methods, reason = "the engine's clocks are here")]
pub(crate) fn of_files() -> SystemTime {
    SystemTime::now()
}

/// Now, by the clock that nobody sets: for waits.
pub(crate) fn steady() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn time_goes_by_the_steady_clock_whatever_the_wall_says() {
        let begun = Base::now().steady;
        let base = Base { steady: begun, wall: Time(5_000) };
        assert_eq!(base.at(begun + Duration::from_millis(250)), Time(5_250));
        assert_eq!(base.at(begun.checked_sub(Duration::from_secs(1)).unwrap_or(begun)), Time(5_000));
    }
}
