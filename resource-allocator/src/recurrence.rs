//! When a booking that recurs begins: from a rule in the clocks of the lab to instants.
//!
//! A day has its own offset from UTC, so each beginning is worked out from its own date: six in the morning is six after the
//! clocks were changed, too. A time that the clocks leave out (02:30 on a night in March) is as much later as they are set
//! forward; of one that they show twice, the first is meant. Both are what calendars do (RFC 5545, 3.3.5).

use jackfield_protocol::{
    calendar::{Every, Recurrence, Weekday},
    time::Time,
};
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// Beginnings of one series.
pub const TIMES_MAX: usize = 400;

/// How far a series reaches that does not say how far.
const YEAR_DAYS: i32 = 365;

/// Further ahead than anything is booked.
const FAR_MILLIS: u64 = 3 * 366 * 24 * 3_600_000;

/// A rule that says nothing that could be booked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecurrenceError {
    /// Each zeroth day.
    #[error("`interval` is 1 for each, 2 for each second, and so on; it cannot be 0")]
    Interval,
    /// No times.
    #[error("`times` is how many times it comes; it cannot be 0")]
    Times,
    /// Both ends.
    #[error("give either the last date (`until`) or how many `times`, not both")]
    TwoEnds,
    /// Days of the week of something that comes by days.
    #[error(
        "days of the week go with `week`; for each working day write each week on mon, tue, wed, thu, fri"
    )]
    DaysOfDays,
    /// It ends before it begins, or all of it is over.
    #[error("there is no such time from {from} on that is still to come{until}")]
    None {
        /// The first date.
        from: String,
        /// ` until …`, if it says so.
        until: String,
    },
    /// Too many.
    #[error("a series has at most {TIMES_MAX} times; say an earlier end (`until`), or less `times`")]
    TooMany,
}

/// When something begins that is said by the clocks of the lab; none where no calendar has that.
pub fn instant(zone: &TimeZone, at: DateTime) -> Option<Time> {
    let instant = zone.to_ambiguous_timestamp(at).compatible().ok()?;
    Some(Time(instant.as_millisecond()))
}

/// What the clocks of the lab show at an instant; none where no calendar has that.
pub fn here(zone: &TimeZone, at: Time) -> Option<DateTime> {
    let instant = jiff::Timestamp::from_millisecond(at.0).ok()?;
    Some(zone.to_datetime(instant))
}

/// The date in the lab at an instant.
pub fn date(zone: &TimeZone, at: Time) -> Option<Date> {
    here(zone, at).map(DateTime::date)
}

/// All beginnings of a series that are still to come, in order.
///
/// # Errors
/// It makes no sense, has none, or too many.
pub fn beginnings(rule: &Recurrence, zone: &TimeZone, now: Time) -> Result<Vec<Time>, RecurrenceError> {
    let repeat = &rule.repeat;
    match (repeat.until, repeat.times) {
        (Some(_), Some(_)) => return Err(RecurrenceError::TwoEnds),
        (_, Some(0)) => return Err(RecurrenceError::Times),
        (Some(_) | None, _) => {}
    }
    if repeat.interval == 0 {
        return Err(RecurrenceError::Interval);
    }
    if repeat.every == Every::Day && !repeat.days.is_empty() {
        return Err(RecurrenceError::DaysOfDays);
    }
    let times = repeat.times.map_or(usize::MAX, |times| usize::try_from(times).unwrap_or(usize::MAX));
    let mut found: Vec<Time> = Vec::new();
    let mut last = repeat.until.map(|until| until.0);
    for date in dates(rule) {
        // Without an end it is a year from the first that comes.
        if last.is_some_and(|last| date > last) || found.len() >= times {
            break;
        }
        let Some(begin) = instant(zone, date.to_datetime(rule.at.0)).filter(|begin| *begin > now) else {
            continue;
        };
        if last.is_none() && repeat.times.is_none() {
            last = date.checked_add(YEAR_DAYS.days()).ok();
        }
        if found.len() >= TIMES_MAX {
            return Err(RecurrenceError::TooMany);
        }
        found.push(begin);
        // Nothing is booked so far ahead: the book refuses this one, and the rest need not be worked out.
        if begin.millis_since(now) > FAR_MILLIS {
            break;
        }
    }
    if found.is_empty() {
        let until = repeat.until.map_or_else(String::new, |until| format!(" until {until}"));
        return Err(RecurrenceError::None { from: rule.from.to_string(), until });
    }
    Ok(found)
}

/// The dates of a rule, for as long as there are calendars.
fn dates(rule: &Recurrence) -> impl Iterator<Item = Date> {
    let (from, repeat) = (rule.from.0, rule.repeat.clone());
    let own = Weekday::of(rule.from);
    let monday = from.checked_sub(i32::from(from.weekday().to_monday_zero_offset()).days()).unwrap_or(from);
    let fits = move |date: &Date| {
        let days = |since: Date| i64::from(since.until(*date).map_or(0, |span| span.get_days()));
        let interval = i64::from(repeat.interval.max(1));
        match repeat.every {
            Every::Day => days(from).rem_euclid(interval) == 0,
            Every::Week => {
                let weekday = Weekday::of(jackfield_protocol::calendar::Date(*date));
                let is_day =
                    if repeat.days.is_empty() { weekday == own } else { repeat.days.contains(&weekday) };
                is_day && days(monday).div_euclid(7).rem_euclid(interval) == 0
            }
        }
    };
    std::iter::successors(Some(from), |date| date.tomorrow().ok()).filter(fits)
}

#[cfg(test)]
mod tests;
