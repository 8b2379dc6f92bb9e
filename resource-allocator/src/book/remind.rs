//! Of which leases their holders are to be told, because they begin or end soon.

use jackfield_protocol::time::Time;

use super::{
    Book,
    lease::{Lease, State},
};

/// A lease is told of that was to last, or was booked ahead, for at least so many times as long as the reminder comes before.
const WORTH: u64 = 4;

/// What a holder is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reminder {
    /// A booking begins then.
    Begins(Time),
    /// A lease ends then.
    Ends(Time),
}

impl Reminder {
    fn at(self) -> Time {
        match self {
            Self::Begins(at) | Self::Ends(at) => at,
        }
    }
}

impl Book {
    /// Leases of persons that begin or end in so many milliseconds, and whose holders do not know it yet. Who takes a device for half an hour
    /// knows when that is over.
    pub fn to_remind(&self, now: Time, ahead: u64) -> Vec<(&Lease, Reminder)> {
        let soon = now.plus_millis(ahead);
        let worth = ahead.saturating_mul(WORTH);
        let of_persons =
            self.leases.values().filter(|lease| lease.holder.user().is_some() && !lease.is_console());
        let due = of_persons.filter_map(|lease| {
            let (reminder, since) = match lease.state {
                State::Asked { begin } => (Reminder::Begins(begin), lease.asked),
                State::Active => (Reminder::Ends(lease.until?), lease.since?),
                State::Waiting { .. }
                | State::Offered { .. }
                | State::Ending { .. }
                | State::Ended { .. } => {
                    return None;
                }
            };
            let at = reminder.at();
            let is_due = at <= soon && at > now && at.millis_since(since) >= worth;
            (is_due && lease.reminded != Some(at)).then_some((lease, reminder))
        });
        due.collect()
    }
}
