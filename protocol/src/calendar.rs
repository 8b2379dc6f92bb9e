//! The calendar as it travels: bookings of leases, alone or again and again, and what stands in their way.
//!
//! A booking that recurs goes by the clocks of the lab: at six in the morning it is six in summer and in winter.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    id::{LeaseId, UserName},
    lease::LeaseView,
    time::Time,
};

/// A date, whatever the zone: `2026-12-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = Date))]
pub struct Date(pub jiff::civil::Date);

/// What a clock on the wall shows: `06:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct ClockTime(pub jiff::civil::Time);

/// A text that is no date, or no time of a clock.
#[derive(Debug, thiserror::Error)]
pub enum CalendarTextError {
    /// No date.
    #[error("`{0}` is no date such as 2026-12-01")]
    Date(String),
    /// No time of a clock.
    #[error("`{0}` is no time of day such as 06:00")]
    ClockTime(String),
    /// No day of the week.
    #[error("`{0}` is no day of the week; write mon, tue, wed, thu, fri, sat or sun")]
    Weekday(String),
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Date {
    type Err = CalendarTextError;

    fn from_str(text: &str) -> Result<Self, CalendarTextError> {
        let refuse = || CalendarTextError::Date(text.to_owned());
        // Jiff also takes `2026-12-01T06:00`, and would forget the rest.
        let is_plain = text.len() == "2026-12-01".len();
        is_plain.then(|| text.parse().ok()).flatten().map(Self).ok_or_else(refuse)
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl FromStr for ClockTime {
    type Err = CalendarTextError;

    fn from_str(text: &str) -> Result<Self, CalendarTextError> {
        let two = |text: &str| (text.len() <= 2).then(|| text.parse::<i8>().ok()).flatten();
        let read = || {
            let (hour, minute) = text.split_once(':')?;
            let minute = if minute.len() == 2 { two(minute)? } else { return None };
            jiff::civil::Time::new(two(hour)?, minute, 0, 0).ok()
        };
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
        let time = if plain { read() } else { None };
        time.map(Self).ok_or_else(|| CalendarTextError::ClockTime(text.to_owned()))
    }
}

macro_rules! travels_as_text {
    ($($name:ident)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

travels_as_text!(Date ClockTime);

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// All of them, Monday first.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }

    /// As people say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mon => "Monday",
            Self::Tue => "Tuesday",
            Self::Wed => "Wednesday",
            Self::Thu => "Thursday",
            Self::Fri => "Friday",
            Self::Sat => "Saturday",
            Self::Sun => "Sunday",
        }
    }

    /// The one that a date is.
    pub fn of(date: Date) -> Self {
        let days = usize::try_from(date.0.weekday().to_monday_zero_offset()).unwrap_or_default();
        Self::ALL.into_iter().nth(days).unwrap_or(Self::Sun)
    }
}

impl FromStr for Weekday {
    type Err = CalendarTextError;

    fn from_str(text: &str) -> Result<Self, CalendarTextError> {
        let word = text.to_ascii_lowercase();
        let found =
            Self::ALL.into_iter().find(|day| word == day.as_str() || word == day.name().to_lowercase());
        found.ok_or_else(|| CalendarTextError::Weekday(text.to_owned()))
    }
}

/// How often something recurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// On days.
    Day,
    /// On days of weeks.
    Week,
}

/// When a booking comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Repeat {
    /// Days, or weeks.
    pub every: Every,
    /// Each second, third, … of them; each, where it is not given.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub interval: u16,
    /// On these days of the week; where none is named, on that of the first. Of weeks only.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub days: BTreeSet<Weekday>,
    /// The last date on which it may begin. Without it and `times`: a year after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// How many times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

fn one() -> u16 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields by reference")]
fn is_one(number: &u16) -> bool {
    *number == 1
}

/// A series of bookings as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recurrence {
    /// The first date.
    pub from: Date,
    /// Its beginning, by the clocks of the lab.
    pub at: ClockTime,
    /// The zone of the lab when it was asked for.
    pub zone: String,
    /// When it comes again.
    pub repeat: Repeat,
}

impl fmt::Display for Recurrence {
    /// `each Monday and Thursday at 06:00 (Europe/Bucharest), from 2026-12-01 until 2027-02-01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, at, zone, repeat } = self;
        let interval = match repeat.interval {
            1 => String::new(),
            2 => "second ".to_owned(),
            3 => "third ".to_owned(),
            many => format!("{many}{} ", ending(many)),
        };
        match repeat.every {
            Every::Day => write!(f, "each {interval}day")?,
            Every::Week => {
                let own = BTreeSet::from([Weekday::of(*from)]);
                let days = if repeat.days.is_empty() { &own } else { &repeat.days };
                let names: Vec<_> = days.iter().map(|day| day.name()).collect();
                let (last, others) = names.split_last().unwrap_or((&"", &[]));
                let days = if others.is_empty() {
                    (*last).to_owned()
                } else {
                    format!("{} and {last}", others.join(", "))
                };
                if repeat.interval == 1 {
                    write!(f, "each {days}")?;
                } else {
                    write!(f, "each {interval}week on {days}")?;
                }
            }
        }
        write!(f, " at {at} ({zone}), from {from}")?;
        match (repeat.until, repeat.times) {
            (Some(until), _) => write!(f, " until {until}"),
            (None, Some(times)) => write!(f, ", {times} times"),
            (None, None) => write!(f, " for a year"),
        }
    }
}

/// What stands behind a number in the 21st, the 22nd.
fn ending(number: u16) -> &'static str {
    match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}

/// Of a lease that is one of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesView {
    /// The series: the number of the first lease that was made for it.
    pub id: LeaseId,
    /// As it was asked for.
    pub rule: Recurrence,
    /// The same in words.
    pub told: String,
    /// When it would begin by that; another instant than its beginning where it was moved.
    pub slot: Time,
}

/// Maintenance that will end a lease, or keep it from beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MaintenanceAhead {
    /// Its lease.
    pub lease: LeaseId,
    /// Its beginning.
    pub begin: Time,
    /// Its end.
    pub end: Time,
    /// Whose, of what, from when until when, why.
    pub told: String,
}

/// What came of a booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Booked {
    /// The bookings that were made or changed, the earliest first.
    pub bookings: Vec<LeaseView>,
    /// Times of a series that were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<BookingTime>,
    /// Leases of others that maintenance will end, or keep from beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drains: Vec<LeaseView>,
}

/// A time that somebody wants to book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BookingTime {
    /// Its beginning.
    pub begin: Time,
    /// Its end.
    pub end: Time,
    /// Why it cannot be booked: who has it, from when until when, why. None: it can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// The lease in its way, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseId>,
    /// Whose that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserName>,
    /// The parts of the time that are free.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub free: Vec<Span>,
    /// When it is free for as long, where it is not free at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
}

/// From an instant until another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Span {
    /// Its beginning.
    pub begin: Time,
    /// Its end.
    pub end: Time,
}

/// What would come of a booking, which is not made (`POST /calendar/check`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BookingCheck {
    /// All of it can be booked.
    pub free: bool,
    /// Each time, the earliest first.
    pub times: Vec<BookingTime>,
    /// The series in words, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<String>,
}

/// Which bookings of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// This one alone.
    #[default]
    One,
    /// This one and those after it.
    Following,
    /// All that have not begun.
    Series,
}

/// A secret address from which calendars read what is booked (`GET /calendar/feeds`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CalendarFeedView {
    /// Its number.
    pub id: u64,
    /// Who made it.
    pub owner: UserName,
    /// What it shows.
    pub of: FeedOf,
    /// When it was made.
    pub created: Time,
    /// When it was last read, to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Time>,
}

/// What a feed shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedOf {
    /// Whose leases and bookings, or those of what.
    pub kind: FeedKind,
    /// The name of the person or the group; the path or the id of the resource.
    pub name: String,
}

impl fmt::Display for FeedOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FeedKind::User | FeedKind::Resource => f.write_str(&self.name),
            FeedKind::Group => write!(f, "group {}", self.name),
        }
    }
}

/// Whose leases and bookings a feed shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum FeedKind {
    /// Those of a person.
    User,
    /// Those of everybody in a group.
    Group,
    /// All of a resource, with what is in it and around it.
    Resource,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_read_as_they_are_written_and_nothing_else_is() {
        for good in ["2026-12-01", "2028-02-29"] {
            assert_eq!(good.parse::<Date>().unwrap().to_string(), good);
        }
        for bad in ["2027-02-29", "2026-12-01T06:00", "1.12.2026", "2026-13-01", "", "tomorrow", "20261201"] {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
        for (text, shown) in [("06:00", "06:00"), ("6:00", "06:00"), ("23:59", "23:59"), ("0:00", "00:00")] {
            assert_eq!(text.parse::<ClockTime>().unwrap().to_string(), shown);
        }
        for bad in ["24:00", "6", "06:60", "06:0", "-6:00", "+6:00", "06:00:00", "6am", ""] {
            assert!(bad.parse::<ClockTime>().is_err(), "{bad}");
        }
        assert_eq!("Monday".parse::<Weekday>().unwrap(), Weekday::Mon);
        assert!("montag".parse::<Weekday>().is_err());
    }

    #[test]
    fn a_series_is_told_in_words() {
        let rule = |text: &str| serde_json::from_str::<Recurrence>(text).unwrap().to_string();
        let of = |repeat: &str| {
            rule(&format!(r#"{{"from":"2026-12-01","at":"06:00","zone":"UTC","repeat":{repeat}}}"#))
        };
        let told = [
            (r#"{"every":"day"}"#, "each day at 06:00 (UTC), from 2026-12-01 for a year"),
            (
                r#"{"every":"day","interval":2,"times":5}"#,
                "each second day at 06:00 (UTC), from 2026-12-01, 5 times",
            ),
            (
                r#"{"every":"day","interval":21,"times":5}"#,
                "each 21st day at 06:00 (UTC), from 2026-12-01, 5 times",
            ),
            (r#"{"every":"week"}"#, "each Tuesday at 06:00 (UTC), from 2026-12-01 for a year"),
            (
                r#"{"every":"week","days":["thu","mon","sat"],"until":"2027-02-01"}"#,
                "each Monday, Thursday and Saturday at 06:00 (UTC), from 2026-12-01 until 2027-02-01",
            ),
            (
                r#"{"every":"week","interval":4,"days":["mon"],"times":3}"#,
                "each 4th week on Monday at 06:00 (UTC), from 2026-12-01, 3 times",
            ),
        ];
        for (repeat, words) in told {
            assert_eq!(of(repeat), words);
        }
    }
}
