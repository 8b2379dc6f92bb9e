//! `jackfield calendar …`: devices for later, once or again and again; maintenance; and the same in one's own calendar.

mod feed;
mod told;

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Subcommand;
use jackfield_protocol::{
    calendar::{Booked, BookingCheck, ClockTime, Date, Every, Repeat, Scope, Weekday},
    id::LeaseId,
    lease::LeaseView,
    time::Time,
};
use serde_json::{Value, json};

use self::{
    feed::Feed,
    told::{CalendarPage, booked, checked, list},
};
use super::lease::{context_of, line_of, millis, now};
use crate::{Context, client::encoded, exit::Exit, output::span_of};

const DAY_MILLIS: u64 = 24 * 3_600_000;

/// Who has booked what for later.
#[derive(Subcommand)]
pub(crate) enum Calendar {
    /// What is held and booked in a time: the coming week, where nothing else is said.
    List {
        /// From then on: a date, or an instant such as 2026-11-20T06:00:00Z.
        #[arg(long, value_name = "WHEN")]
        from: Option<Instant>,
        /// Until then.
        #[arg(long, value_name = "WHEN")]
        to: Option<Instant>,
        /// So many days from `--from` on, instead.
        #[arg(long, value_name = "NUMBER", conflicts_with = "to", value_parser = clap::value_parser!(u16).range(1..=800))]
        days: Option<u16>,
        /// Only those of this person.
        #[arg(long, value_name = "USER")]
        owner: Option<String>,
        /// Only those on this resource, under it or over it.
        #[arg(long, value_name = "PATH")]
        resource: Option<String>,
    },
    /// Book devices: once, or again and again by the clocks of the lab.
    Book(Box<Book>),
    /// Give a booking, or a whole series, another time.
    Move(Move),
    /// Cancel a booking, or those of its series.
    Cancel {
        /// Its number.
        booking: LeaseId,
        /// Those of its series after it, too.
        #[arg(long)]
        following: bool,
        /// All of its series that has not begun.
        #[arg(long, conflicts_with = "following")]
        series: bool,
    },
    /// Secret addresses from which your own calendar reads what is booked.
    #[command(subcommand)]
    Feed(Feed),
}

/// A date, or an instant.
#[derive(Clone, Debug)]
pub(crate) enum Instant {
    Date(Date),
    Time(Time),
}

impl std::str::FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = |_| {
            format!("`{text}` is no date such as 2026-12-01, and no instant such as 2026-12-01T06:00:00Z")
        };
        text.parse().map(Self::Date).or_else(|_no_date| text.parse().map(Self::Time).map_err(refuse))
    }
}

/// When something comes again.
#[derive(clap::Args)]
pub(crate) struct Again {
    /// Each day.
    #[arg(long)]
    daily: bool,
    /// Each week, on these days: `mon,wed`, `mon-fri`; on that of the first, where none is named.
    #[arg(long, value_name = "DAYS", num_args = 0..=1, default_missing_value = "", conflicts_with = "daily")]
    weekly: Option<String>,
    /// Each second, third, … day or week.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    every: Option<u16>,
    /// The last date on which it may begin; a year after the first, where neither this nor `--times` is given.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// How many times.
    #[arg(long, value_name = "NUMBER", conflicts_with = "until", value_parser = clap::value_parser!(u32).range(1..))]
    times: Option<u32>,
}

impl Again {
    fn repeat(&self) -> Result<Option<Repeat>> {
        let (every, days) = match (self.daily, &self.weekly) {
            (true, _) => (Every::Day, Vec::new()),
            (false, Some(days)) => (Every::Week, days_of(days)?),
            (false, None) if self.every.is_some() || self.until.is_some() || self.times.is_some() => {
                bail!(
                    "say also --daily, or --weekly mon,wed: `--every`, `--until` and `--times` are of what comes again"
                )
            }
            (false, None) => return Ok(None),
        };
        let interval = self.every.unwrap_or(1);
        let days = days.into_iter().collect();
        Ok(Some(Repeat { every, interval, days, until: self.until, times: self.times }))
    }
}

/// `mon,wed`, `mon-fri`.
fn days_of(text: &str) -> Result<Vec<Weekday>> {
    let mut found = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (Weekday, Weekday) = (first.parse()?, last.parse()?);
        if first > last {
            bail!("`{part}` ends before it begins; weeks begin on Monday");
        }
        found.extend(Weekday::ALL.into_iter().filter(|day| (first..=last).contains(day)));
    }
    Ok(found)
}

/// What is booked, when, and on which terms.
#[derive(clap::Args)]
pub(crate) struct Book {
    /// Ids or paths; each with all that is under it.
    resource: Vec<String>,
    /// A SUT, with the resources that it links to; may be said several times.
    #[arg(long, value_name = "SUT")]
    sut: Vec<String>,
    /// Instead of names, what is needed: `2x kind=router, ports>=4`.
    #[arg(long, value_name = "NEEDS", conflicts_with_all = ["resource", "sut"])]
    needs: Option<String>,
    /// For how long: 90s, 10m, 2h.
    #[arg(long = "for", value_name = "TIME", value_parser = span_of)]
    length: Duration,
    /// The time of day at which it begins, by the clocks of the lab: 06:00.
    #[arg(long, value_name = "TIME")]
    at: Option<ClockTime>,
    /// The date, or that of the first; without it the next on which that time is still to come.
    #[arg(long, value_name = "DATE", requires = "at")]
    on: Option<Date>,
    /// The instant at which it begins, instead: 2026-11-20T06:00:00Z.
    #[arg(long, value_name = "INSTANT", conflicts_with_all = ["at", "on"])]
    begin: Option<Time>,
    #[command(flatten)]
    again: Again,
    /// Of what comes again, book what is free, and leave out what is taken.
    #[arg(long)]
    skip_taken: bool,
    /// Maintenance: it goes before all who have or have booked it, and lets those in who repair things. Without `--at` it begins at once. Needs
    /// the role `CHANGE_TESTBED`.
    #[arg(long)]
    maintenance: bool,
    /// Why; others read it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// What others should know.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Others may have it too, if they share it.
    #[arg(long)]
    shared: bool,
    /// A key for those who search, such as `build=417`; may be said several times.
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
    /// Book nothing: say what is free of it, and who has the rest.
    #[arg(long)]
    dry_run: bool,
}

/// Another time.
#[derive(clap::Args)]
pub(crate) struct Move {
    /// The number of the booking.
    booking: LeaseId,
    /// Another time of day, by the clocks of the lab: 07:30.
    #[arg(long, value_name = "TIME")]
    at: Option<ClockTime>,
    /// Another date; of a series, its first.
    #[arg(long, value_name = "DATE")]
    on: Option<Date>,
    /// Another instant, instead.
    #[arg(long, value_name = "INSTANT", conflicts_with_all = ["at", "on", "series"])]
    begin: Option<Time>,
    /// Another length: 90s, 10m, 2h.
    #[arg(long = "for", value_name = "TIME", value_parser = span_of)]
    length: Option<Duration>,
    /// All of its series that has not begun.
    #[arg(long)]
    series: bool,
    #[command(flatten)]
    again: Again,
    /// Of a series, keep what is free, and leave out what is taken.
    #[arg(long, requires = "series")]
    skip_taken: bool,
}

impl Calendar {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let client = &context.client;
        match self {
            Self::List { from, to, days, owner, resource } => {
                let mut query = Vec::new();
                let from = from.as_ref().map(Instant::time);
                let days = days.map(|days| u64::from(days).saturating_mul(DAY_MILLIS));
                let to = days
                    .map(|days| from.unwrap_or_else(now).plus_millis(days))
                    .or(to.as_ref().map(Instant::time));
                let mut add = |name: &str, value: Option<String>| {
                    query.extend(value.map(|value| format!("{name}={}", encoded(&value))));
                };
                add("from", from.map(|from| from.to_string()));
                add("to", to.map(|to| to.to_string()));
                add("user", owner.clone());
                add("resource", resource.clone());
                let page: CalendarPage = client.get(&format!("/calendar?{}", query.join("&")))?;
                context.output.print(&page, list)?;
            }
            Self::Book(book) => return book.run(context),
            Self::Move(moved) => moved.run(context)?,
            Self::Cancel { booking, following, series } => {
                let scope = match (following, series) {
                    (true, _) => Scope::Following,
                    (false, true) => Scope::Series,
                    (false, false) => Scope::One,
                };
                let path = format!("/calendar/{booking}/cancel");
                let view: LeaseView = client.post(&path, &json!({"scope": scope}))?;
                context.output.print(&view, |view| told::cancelled(view, scope))?;
            }
            Self::Feed(feed) => feed.run(context)?,
        }
        Ok(Exit::Done)
    }
}

impl Instant {
    /// A date begins at midnight in UTC; the list says what zone its instants are in.
    fn time(&self) -> Time {
        match self {
            Self::Date(date) => format!("{date}T00:00:00Z").parse().unwrap_or_default(),
            Self::Time(time) => *time,
        }
    }
}

impl Book {
    fn run(&self, context: &Context) -> Result<Exit> {
        let request = self.request()?;
        if self.dry_run {
            let check: BookingCheck = context.client.post("/calendar/check", &request)?;
            context.output.print(&check, checked)?;
            return Ok(Exit::Done);
        }
        let made: Booked = context.client.post("/calendar", &request)?;
        context.output.print(&made, |made| booked(made, "booked"))?;
        Ok(Exit::Done)
    }

    fn request(&self) -> Result<Value> {
        if self.resource.is_empty() && self.sut.is_empty() && self.needs.is_none() {
            bail!(
                "say what to book: a path such as /tb1/router1, --sut NAME, or --needs 'kind=router, ports>=4'"
            );
        }
        let repeat = self.again.repeat()?;
        if self.at.is_none() && (repeat.is_some() || (self.begin.is_none() && !self.maintenance)) {
            bail!(
                "say when: --at 06:00, with --on 2026-12-01 or --daily or --weekly mon,wed; or once, --begin INSTANT"
            );
        }
        if self.skip_taken && repeat.is_none() {
            bail!("--skip-taken is of what comes again: say also --daily, or --weekly mon,wed");
        }
        let mut request = json!({
            "resources": self.resource,
            "suts": self.sut,
            "shared": self.shared,
            "reason": self.reason,
            "note": self.note,
            "context": context_of(&self.context)?,
            "for_millis": millis(self.length),
            "skip_taken": self.skip_taken,
            "maintenance": self.maintenance,
        });
        let said = [
            ("needs", self.needs.as_ref().map(|needs| json!(needs))),
            ("begin", self.begin.map(|begin| json!(begin))),
            ("on", self.on.map(|on| json!(on))),
            ("at", self.at.map(|at| json!(at))),
            ("repeat", repeat.map(|repeat| json!(repeat))),
        ];
        add(&mut request, said);
        Ok(request)
    }
}

/// Adds what is said of a request.
fn add<const COUNT: usize>(request: &mut Value, said: [(&str, Option<Value>); COUNT]) {
    if let Some(request) = request.as_object_mut() {
        request.extend(said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
}

impl Move {
    fn run(&self, context: &Context) -> Result<()> {
        let repeat = self.again.repeat()?;
        if repeat.is_some() && !self.series {
            bail!("one booking comes once; say --series to change all of its series");
        }
        let mut request = json!({"series": self.series, "skip_taken": self.skip_taken});
        let said = [
            ("begin", self.begin.map(|begin| json!(begin))),
            ("on", self.on.map(|on| json!(on))),
            ("at", self.at.map(|at| json!(at))),
            ("for_millis", self.length.map(|length| json!(millis(length)))),
            ("repeat", repeat.map(|repeat| json!(repeat))),
        ];
        add(&mut request, said);
        let moved: Booked = context.client.post(&format!("/calendar/{}/move", self.booking), &request)?;
        context.output.print(&moved, |moved| match moved.bookings.as_slice() {
            [one] if !self.series => line_of(one),
            _ => booked(moved, "moved"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_people_write_them() {
        let days =
            |text: &str| days_of(text).unwrap().iter().map(|day| day.as_str()).collect::<Vec<_>>().join(" ");
        assert_eq!(days("mon,wed"), "mon wed");
        assert_eq!(days("mon-fri"), "mon tue wed thu fri");
        assert_eq!(days("Sat, sunday"), "sat sun");
        assert_eq!(days(""), "");
        assert!(days_of("fri-mon").unwrap_err().to_string().contains("weeks begin on Monday"));
        assert!(days_of("funday").unwrap_err().to_string().contains("mon, tue"));
    }
}
