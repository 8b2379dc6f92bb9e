//! Leases as a person reads them: a line, a table, all of one.

use jackfield_protocol::{
    lease::{HolderKind, LeaseForecast, LeaseState, LeaseView},
    time::Time,
};

use crate::output::{span, table};

#[expect(clippy::disallowed_methods, reason = "a person is told how much time is left by their own clock")]
pub(crate) fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Who has it: `ana`, `run 41 of ana`.
pub(crate) fn who(view: &LeaseView) -> String {
    let user = view.user.as_ref().map_or_else(|| "somebody".to_owned(), ToString::to_string);
    match (view.holder, view.run) {
        (HolderKind::Run, Some(run)) if view.user.is_some() => format!("run {run} of {user}"),
        (HolderKind::Run, Some(run)) => format!("run {run}"),
        (HolderKind::Lab, _) => format!("maintenance by {user}"),
        (HolderKind::Person | HolderKind::Run, _) => user,
    }
}

/// When it is over, and how long that is: `until 18:00 …, 1 h 12 min left`.
fn end(view: &LeaseView, now: Time) -> String {
    let left = |until: Time| format!("{until} ({} left)", span(until.millis_since(now)));
    match (view.state, view.until, view.decide_by) {
        (LeaseState::Asked, Some(until), _) => {
            format!("{} to {until}", view.begin.map(|begin| begin.to_string()).unwrap_or_default())
        }
        (LeaseState::Waiting, _, Some(by)) => format!("gives up {}", left(by)),
        (LeaseState::Offered | LeaseState::Ending, _, Some(by)) => left(by),
        (LeaseState::Active, Some(until), _) => left(until),
        (LeaseState::Ended, ..) => view.ended.as_ref().map(|end| end.at.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}

pub(crate) fn state(view: &LeaseView) -> &'static str {
    match view.state {
        LeaseState::Asked => "booked",
        LeaseState::Waiting => "waiting",
        LeaseState::Offered => "offered",
        LeaseState::Active => "active",
        LeaseState::Ending => "ending",
        LeaseState::Ended => "ended",
    }
}

/// The same, by one's own clock.
pub(crate) fn line_of(view: &LeaseView) -> String {
    line(view, now())
}

/// One lease as a sentence.
pub(super) fn line(view: &LeaseView, now: Time) -> String {
    let end = end(view, now);
    let when = match view.state {
        LeaseState::Asked => format!(" from {end}"),
        LeaseState::Active | LeaseState::Ending if !end.is_empty() => format!(" until {end}"),
        LeaseState::Offered => format!("; take it with `jackfield lease accept {}` until {end}", view.id),
        LeaseState::Ended => format!(" since {end}"),
        LeaseState::Waiting => {
            view.waits_for.as_ref().map(|what| format!(" for: {what}")).unwrap_or_default()
        }
        LeaseState::Active | LeaseState::Ending => String::new(),
    };
    let why = view.ended.as_ref().and_then(|end| Some((end.by.as_ref()?, &end.reason)));
    let why = why.map(|(by, reason)| format!("; {by} took it away: {reason}")).unwrap_or_default();
    let unfit = view.unfit.as_ref().map(|unfit| format!("; but {unfit}")).unwrap_or_default();
    let ahead = view.maintenance.as_ref();
    let ahead =
        ahead.map(|ahead| format!("; but it ends for maintenance: {}", ahead.told)).unwrap_or_default();
    format!("lease {} of {} ({}) is {}{when}{why}{unfit}{ahead}", view.id, view.name, who(view), state(view))
}

/// What would come of a wish: when, with what, after whom.
pub(super) fn forecast(forecast: &LeaseForecast, now: Time) -> String {
    let after = forecast.after.as_ref().map(|lease| format!(", after this: {lease}")).unwrap_or_default();
    let what = forecast.resources.join(", ");
    let of = if what.is_empty() { String::new() } else { format!(": {what}") };
    match forecast.at {
        _ if forecast.free => format!("free now{of}"),
        Some(at) => format!("free at {at} (in {}){after}{of}", span(at.millis_since(now))),
        None => format!("nobody can tell when it is free{after}{of}"),
    }
}

/// Why somebody has it, and what is to be known of it.
fn why(view: &LeaseView) -> String {
    let ahead = view.maintenance.as_ref().map(|ahead| format!("maintenance from {}", ahead.begin));
    let reason = Some(view.reason.clone()).filter(|reason| !reason.is_empty());
    [reason, view.unfit.clone(), ahead].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

pub(super) fn list(leases: &[LeaseView], now: Time) -> String {
    if leases.is_empty() {
        return "nobody has, wants or has booked anything".to_owned();
    }
    let mut rows = table(&["ID", "STATE", "WHAT", "WHO", "UNTIL", "WHY"]);
    for view in leases {
        rows.add_row([
            view.id.to_string(),
            state(view).to_owned(),
            view.name.clone(),
            who(view),
            end(view, now),
            why(view),
        ]);
    }
    rows.to_string()
}

pub(super) fn show(view: &LeaseView, now: Time) -> String {
    let mut lines = vec![line(view, now)];
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("  {name}: {value}"));
        }
    };
    add("needs", view.needs.clone().unwrap_or_default());
    if view.given.is_empty() {
        add("resources", view.resources.join(", "));
    }
    view.given.iter().for_each(|(name, paths)| add(name, paths.join(", ")));
    add("reason", view.reason.clone());
    add("note", view.note.clone());
    add("series", view.series.as_ref().map(|series| series.told.clone()).unwrap_or_default());
    add("guests", view.guests.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    add("shared", if view.shared { "yes".to_owned() } else { String::new() });
    add(
        "context",
        view.context.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", "),
    );
    add("asked", view.asked.to_string());
    add("since", view.since.map(|since| since.to_string()).unwrap_or_default());
    add("place in the queue", view.place.map(|place| place.to_string()).unwrap_or_default());
    lines.join("\n")
}
