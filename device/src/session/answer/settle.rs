//! How long it must be quiet before what looks like a prompt is taken for one, or asked for again.

use std::time::Duration;

use super::Answering;
use crate::session::stand::Likeness;

/// Quiet time before a prompt is asked for again that is known, or shows the name of the device.
pub(super) const KNOWN_SETTLE: Duration = Duration::from_millis(10);
/// The same for a known one behind which lines came unasked: where they come all the time, the next one is on its way.
const LOGGING_SETTLE: Duration = Duration::from_millis(20);
/// The same for a prompt unlike all that were seen, where some were: programs stop in the middle of lines for longer than a settle time.
pub(super) const NEW_SETTLE: Duration = Duration::from_secs(1);

impl Answering<'_> {
    pub(super) fn settle(&self, likeness: Likeness) -> Duration {
        let settle = self.habits.settle;
        match likeness {
            Likeness::Named | Likeness::Bare | Likeness::Sibling => settle.min(KNOWN_SETTLE),
            Likeness::Interrupted => settle.min(LOGGING_SETTLE),
            Likeness::Behind => settle,
            Likeness::New if self.known.last().is_empty() => settle,
            Likeness::New | Likeness::Covered => settle.max(NEW_SETTLE),
        }
    }

    /// The same where the prompt cannot be asked for.
    pub(super) fn settle_unasked(&self, likeness: Likeness) -> Duration {
        let profile = &self.kind.profile;
        match likeness {
            // What follows a prompt there is asked for in another way.
            Likeness::Named | Likeness::Bare | Likeness::Sibling if profile.answer_end.is_some() => {
                self.habits.settle.min(KNOWN_SETTLE)
            }
            Likeness::Named | Likeness::Bare | Likeness::Sibling | Likeness::Interrupted => {
                self.habits.settle
            }
            Likeness::Behind | Likeness::New | Likeness::Covered => self.settle(likeness),
        }
    }
}
