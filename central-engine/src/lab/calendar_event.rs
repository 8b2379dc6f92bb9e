//! A lease as an event of a calendar: in feeds, and beside a mail.

use jackfield_protocol::{
    lease::{HolderKind, LeaseState, LeaseView},
    time::Time,
};
use jackfield_reporting::icalendar::Event;

/// How long before its beginning a calendar reminds of a booking.
const ALARM_MILLIS: u64 = 15 * 60_000;
/// What lasts nobody knows how long is shown as if it ended so long from now.
const OPEN_END_MILLIS: u64 = 3_600_000;

/// The event; `mine` where it is for whoever has the lease.
pub(crate) fn of(lease: &LeaseView, now: Time, host: &str, mine: bool) -> Event {
    let (begin, over) = (lease.begins(), lease.over());
    let end = over.or(lease.until).unwrap_or_else(|| now.max(begin).plus_millis(OPEN_END_MILLIS));
    let who = match (lease.holder, &lease.user, lease.run) {
        (HolderKind::Lab, Some(user), _) => format!("maintenance by {user}"),
        (HolderKind::Run, Some(user), Some(run)) => format!("run {run} of {user}"),
        (HolderKind::Run, None, Some(run)) => format!("run {run}"),
        (HolderKind::Person | HolderKind::Run | HolderKind::Lab, user, _) => {
            user.as_ref().map_or_else(|| "somebody".to_owned(), ToString::to_string)
        }
    };
    let why = if lease.reason.is_empty() { String::new() } else { format!(": {}", lease.reason) };
    let mut lines = vec![format!("lease {}", lease.id)];
    lines.extend(lease.series.as_ref().map(|series| series.told.clone()));
    lines.extend((!lease.note.is_empty()).then(|| lease.note.clone()));
    lines.extend(lease.waits_for.as_ref().map(|what| format!("waits for: {what}")));
    lines.extend(lease.maintenance.as_ref().map(|ahead| ahead.told.clone()));
    lines.extend(
        (over.is_none() && lease.until.is_none())
            .then(|| "its end is not known: it ends when it is given back".to_owned()),
    );
    Event {
        uid: format!("lease-{}.{}@{host}", lease.id, lease.asked.0),
        stamp: now,
        // Seconds since it was asked for: newer is higher, whatever was changed.
        sequence: now.millis_since(lease.asked) / 1_000,
        begin,
        end,
        summary: format!("{} ({who}){why}", lease.name),
        description: lines.join("\n"),
        location: lease.resources.join(", "),
        category: (lease.holder == HolderKind::Lab).then_some("maintenance"),
        certain: !matches!(lease.state, LeaseState::Waiting | LeaseState::Offered),
        busy: mine,
        alarm_millis: (mine && lease.state == LeaseState::Asked).then_some(ALARM_MILLIS),
    }
}
