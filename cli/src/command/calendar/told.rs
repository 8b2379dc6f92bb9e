//! The calendar as a person reads it.

use jackfield_protocol::{
    calendar::{Booked, BookingCheck, BookingTime, Scope},
    lease::LeaseView,
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::super::lease::{line_of, state_of, who_of};
use crate::output::table;

/// Times that are named of a series.
const TIMES_TOLD_MAX: usize = 10;

/// What is in the calendar.
#[derive(Serialize, Deserialize)]
pub(super) struct CalendarPage {
    zone: String,
    from: Time,
    to: Time,
    items: Vec<LeaseView>,
}

pub(super) fn list(page: &CalendarPage) -> String {
    let CalendarPage { zone, from, to, items } = page;
    if items.is_empty() {
        return format!("nobody has or has booked anything from {from} to {to}");
    }
    let mut rows = table(&["ID", "FROM", "TO", "STATE", "WHAT", "WHO", "WHY"]);
    for view in items {
        let end = view.over().or(view.until).map_or_else(|| "open".to_owned(), |end| end.to_string());
        let series = view.series.as_ref().map(|series| series.told.clone());
        let why: Vec<String> =
            [Some(view.reason.clone()).filter(|why| !why.is_empty()), series].into_iter().flatten().collect();
        rows.add_row([
            view.id.to_string(),
            view.begins().to_string(),
            end,
            state_of(view).to_owned(),
            view.name.clone(),
            who_of(view),
            why.join("; "),
        ]);
    }
    format!("{rows}\ntimes are in UTC; the clocks of the lab are those of {zone}")
}

/// What came of a booking: a line for each of a few, the first and the last of many.
pub(super) fn booked(made: &Booked, word: &str) -> String {
    let mut lines = Vec::new();
    match made.bookings.as_slice() {
        [] => lines.push(format!("nothing was {word}")),
        [one] => lines.push(line_of(one)),
        [first, .., last] => {
            let series = first.series.as_ref();
            let told = series.map_or_else(String::new, |series| format!(": {}", series.told));
            let count = made.bookings.len();
            lines.push(format!("{} is {word} {count} times{told}", first.name));
            lines.push(format!("  the first is lease {} at {}", first.id, first.begins()));
            lines.push(format!("  the last is lease {} at {}", last.id, last.begins()));
        }
    }
    if !made.skipped.is_empty() {
        lines.push(format!("left out, because it is taken then ({}):", made.skipped.len()));
        lines.extend(times(&made.skipped));
    }
    if !made.drains.is_empty() {
        lines.push(format!("others have or have booked it ({}), and lose it then:", made.drains.len()));
        lines.extend(made.drains.iter().map(|view| format!("  {}", line_of(view))));
    }
    lines.join("\n")
}

pub(super) fn checked(check: &BookingCheck) -> String {
    let taken: Vec<&BookingTime> = check.times.iter().filter(|time| time.taken.is_some()).collect();
    let all = check.times.len();
    let what = check.told.as_ref().map_or_else(String::new, |told| format!(" ({told})"));
    if taken.is_empty() {
        let times = if all == 1 { "it".to_owned() } else { format!("each of {all} times") };
        return format!("{times} can be booked{what}");
    }
    let mut lines = vec![format!("{} of {all} times cannot be booked{what}:", taken.len())];
    lines.extend(times(&check.times));
    lines.join("\n")
}

/// Those that are taken, with who is in the way and what is free instead.
fn times(all: &[BookingTime]) -> Vec<String> {
    let taken: Vec<&BookingTime> = all.iter().filter(|time| time.taken.is_some()).collect();
    let mut lines: Vec<String> =
        taken.iter().take(TIMES_TOLD_MAX).map(|time| format!("  {}", told(time))).collect();
    let rest = taken.len().saturating_sub(TIMES_TOLD_MAX);
    if rest > 0 {
        lines.push(format!("  and {rest} more"));
    }
    lines
}

fn told(time: &BookingTime) -> String {
    let taken = time.taken.as_deref().unwrap_or("free");
    let parts: Vec<String> = time.free.iter().map(|part| format!("{} to {}", part.begin, part.end)).collect();
    let parts =
        if parts.is_empty() { String::new() } else { format!("; free of that time is {}", parts.join(", ")) };
    let next = time.next.map_or_else(String::new, |next| format!("; for as long it is free from {next}"));
    format!("{} to {}: {taken}{parts}{next}", time.begin, time.end)
}

pub(super) fn cancelled(view: &LeaseView, scope: Scope) -> String {
    let series = view.series.as_ref().map_or_else(String::new, |series| format!(" ({})", series.told));
    match scope {
        Scope::One => format!("lease {} of {} is cancelled", view.id, view.name),
        Scope::Following => {
            format!("lease {} of {} and those after it{series} are cancelled", view.id, view.name)
        }
        Scope::Series => format!("all that was still to come of {}{series} is cancelled", view.name),
    }
}
