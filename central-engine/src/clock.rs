//! The one place of the engine that reads the clock.

use jackfield_protocol::time::Time;

/// Now, in UTC.
#[expect(clippy::disallowed_methods, reason = "the engine's clock is here")]
pub(crate) fn now() -> Time {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}
