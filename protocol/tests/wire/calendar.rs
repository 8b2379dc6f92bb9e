//! The calendar: series, what came of a booking, and feeds.

use jackfield_protocol::{
    calendar::{
        Booked, BookingCheck, BookingTime, CalendarFeedView, Every, FeedKind, FeedOf, MaintenanceAhead,
        Recurrence, Repeat, SeriesView, Span, Weekday,
    },
    id::LeaseId,
    lease::LeaseView,
};

use crate::{
    sample::Sample,
    value::{at, user},
};

pub(crate) fn samples(lease: &LeaseView, bare: &LeaseView) -> Vec<Sample> {
    vec![
        Sample::with_bare("api/booked", booked(lease, true), booked(bare, false)),
        Sample::with_bare("api/booking_check", check(true), check(false)),
        Sample::with_bare("api/calendar_feed", feed(true), feed(false)),
    ]
}

pub(crate) fn series() -> SeriesView {
    let repeat = Repeat {
        every: Every::Week,
        interval: 2,
        days: [Weekday::Mon, Weekday::Thu].into(),
        until: Some("2027-02-01".parse().unwrap()),
        times: Some(5),
    };
    let rule = Recurrence {
        from: "2026-12-01".parse().unwrap(),
        at: "06:00".parse().unwrap(),
        zone: "Europe/Bucharest".to_owned(),
        repeat,
    };
    SeriesView { id: LeaseId(7), told: rule.to_string(), rule, slot: at() }
}

pub(crate) fn maintenance() -> MaintenanceAhead {
    let told = "the lab (by ana) has booked /tb1".to_owned();
    MaintenanceAhead { lease: LeaseId(9), begin: at(), end: at().plus_millis(1), told }
}

fn booked(lease: &LeaseView, full: bool) -> Booked {
    let beside = || full.then(|| lease.clone()).into_iter().collect();
    let skipped = full.then(|| time(true)).into_iter().collect();
    Booked { bookings: vec![lease.clone()], skipped, drains: beside() }
}

fn time(full: bool) -> BookingTime {
    let span = Span { begin: at(), end: at().plus_millis(1) };
    BookingTime {
        begin: at(),
        end: at().plus_millis(2),
        taken: full.then(|| "bob has booked /tb1".to_owned()),
        lease: full.then_some(LeaseId(8)),
        user: full.then(user),
        free: full.then_some(span).into_iter().collect(),
        next: full.then(at),
    }
}

fn check(full: bool) -> BookingCheck {
    BookingCheck { free: true, times: vec![time(full)], told: full.then(|| "each Monday".to_owned()) }
}

fn feed(full: bool) -> CalendarFeedView {
    let of = FeedOf { kind: FeedKind::Group, name: "lab".to_owned() };
    CalendarFeedView { id: 3, owner: user(), of, created: at(), last_used: full.then(at) }
}
