//! What people ask of the calendar. A field that nobody knows is refused: `day` for `days` would book other days.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{
    calendar::{ClockTime, Date, Every, Repeat, Scope, Weekday},
    time::Time,
};
use serde::Deserialize;

/// A booking to make (`POST /calendar`): once at `begin`, or `on` a date `at` a time of the lab's clocks, or again and again.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct BookingRequest {
    /// Ids or paths of resources; each with what is under it.
    #[serde(default)]
    pub(in crate::http) resources: Vec<String>,
    /// Names of SUTs; each with the resources that it links to.
    #[serde(default)]
    pub(in crate::http) suts: Vec<String>,
    /// Instead of names, what is needed; chosen for each time of a series by itself.
    #[serde(default)]
    pub(in crate::http) needs: Option<String>,
    /// Others may have it too, if they share it.
    #[serde(default)]
    pub(in crate::http) shared: bool,
    /// Why; others read it.
    #[serde(default)]
    pub(in crate::http) reason: String,
    /// What others should know.
    #[serde(default)]
    pub(in crate::http) note: String,
    /// Free keys: build, image, commit.
    #[serde(default)]
    pub(in crate::http) context: BTreeMap<String, String>,
    /// For how long.
    pub(in crate::http) for_millis: u64,
    /// Its beginning, where `at` does not say it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(in crate::http) begin: Option<Time>,
    /// The date of the first; without it the next day on which `at` is still to come.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(in crate::http) on: Option<Date>,
    /// Its beginning, by the clocks of the lab.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(in crate::http) at: Option<ClockTime>,
    /// When it comes again.
    #[serde(default)]
    pub(in crate::http) repeat: Option<RepeatRequest>,
    /// Of a series, book what is free, and leave out what is taken.
    #[serde(default)]
    pub(in crate::http) skip_taken: bool,
    /// Maintenance: from its beginning on nobody else has it, whoever had or has booked it. Takes the role `CHANGE_TESTBED`.
    #[serde(default)]
    pub(in crate::http) maintenance: bool,
}

/// When a booking comes again.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RepeatRequest {
    /// Days, or weeks.
    every: Every,
    /// Each second, third, … of them; each, where it is not given.
    #[serde(default)]
    interval: Option<u16>,
    /// On these days of the week; where none is named, on that of the first. Of weeks only.
    #[serde(default)]
    days: BTreeSet<Weekday>,
    /// The last date on which it may begin. Without it and `times`: a year after the first.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    until: Option<Date>,
    /// How many times.
    #[serde(default)]
    times: Option<u32>,
}

impl From<RepeatRequest> for Repeat {
    fn from(wanted: RepeatRequest) -> Self {
        let RepeatRequest { every, interval, days, until, times } = wanted;
        Self { every, interval: interval.unwrap_or(1), days, until, times }
    }
}

/// Another time for a booking, or for its whole series (`POST /calendar/{lease}/move`).
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct MoveBooking {
    /// The new beginning of this one. Not of a series.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(in crate::http) begin: Option<Time>,
    /// Another date; without it that of today's beginning, or the first that is still to come of a series.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(in crate::http) on: Option<Date>,
    /// Another time of day, by the clocks of the lab.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(in crate::http) at: Option<ClockTime>,
    /// Another length, in milliseconds.
    #[serde(default)]
    pub(in crate::http) for_millis: Option<u64>,
    /// Change the whole series, by a rule that is the old one but for what is given.
    #[serde(default)]
    pub(in crate::http) series: bool,
    /// When the series comes again from now on.
    #[serde(default)]
    pub(in crate::http) repeat: Option<RepeatRequest>,
    /// Of a series, keep what is free, and leave out what is taken.
    #[serde(default)]
    pub(in crate::http) skip_taken: bool,
}

/// Which bookings are cancelled.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CancelBooking {
    /// This one alone, it and those after it, or its whole series.
    #[serde(default)]
    pub(in crate::http) scope: Scope,
}
