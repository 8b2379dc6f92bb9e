//! The one place where this crate reads a clock.

use std::time::Duration;

use jackfield_protocol::time::Time;
use tokio::time::Instant;

/// When an operation must be over, whatever it waits for in between.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    begun: Instant,
    span: Duration,
}

impl Deadline {
    /// So long from now.
    pub fn after(span: Duration) -> Self {
        Self { begun: now(), span: span.min(crate::limits::WAIT_MAX) }
    }

    /// The same span, begun later by so much: what was waited for meanwhile does not count.
    #[must_use]
    pub fn put_off(self, by: Duration) -> Self {
        Self { begun: self.begun + by, ..self }
    }

    /// The instant itself.
    pub fn instant(&self) -> Instant {
        self.begun + self.span
    }

    /// Time since it was set.
    pub fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.begun)
    }

    /// Time that is left.
    pub fn left(&self) -> Duration {
        self.span.saturating_sub(self.elapsed())
    }

    /// The whole span.
    pub fn span(&self) -> Duration {
        self.span
    }
}

/// The monotonic clock, which tests may hold and move.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "this is the clock module of the crate")]
pub(crate) fn wall() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
