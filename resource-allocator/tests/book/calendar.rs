//! Bookings that recur, and maintenance, told one by one.

use std::{collections::BTreeSet, sync::Arc};

use jackfield_protocol::{
    calendar::{Every, Recurrence, Repeat, Scope},
    error::ErrorCode,
    id::LeaseId,
    time::Time,
};
use jackfield_resource_allocator::book::{
    Ask, Book, Ended, Holder, Lease, Refusal, Reminder, Reschedule, Series, Spot, State, Turn, Wish,
};

use crate::{
    day::spots,
    stories::{ask, settle, who},
};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
const NOW: Time = Time(1_000_000_000);

fn always(_: Turn) -> bool {
    true
}

fn rule() -> Arc<Recurrence> {
    let repeat =
        Repeat { every: Every::Day, interval: 1, days: BTreeSet::new(), until: None, times: Some(3) };
    let (from, at) = ("1970-01-13".parse().unwrap(), "06:00".parse().unwrap());
    Arc::new(Recurrence { from, at, zone: "UTC".to_owned(), repeat })
}

fn days(from: u64, count: u64) -> Vec<Time> {
    (0..count).map(|day| NOW.plus_millis((from + day) * DAY)).collect()
}

fn series(user: &str, spot: &Spot, begins: Vec<Time>) -> Series {
    Series { ask: ask(user, &[spot]), begins, rule: Some(rule()), partly: false }
}

fn maintenance(spot: &Spot, begin: Time) -> Series {
    let ask =
        Ask { holder: Holder::Lab("rack".into()), purpose: "new PSU".to_owned(), ..ask("rack", &[spot]) };
    Series { ask, begins: vec![begin], rule: None, partly: false }
}

fn wish(book: &mut Book, user: &str, id: LeaseId, wish: Wish) -> Result<LeaseId, Refusal> {
    book.wish(NOW, id, &who(user, user == "rack"), wish, &always)
}

fn booked(book: &mut Book, series: Series) -> Result<LeaseId, Refusal> {
    wish(book, "ana", LeaseId(0), Wish::Book(Box::new(series)))
}

fn begins(book: &Book) -> Vec<(u64, u64)> {
    let found = book.leases().filter_map(|lease| Some((lease.id.0, lease.booked_for()?)));
    found.map(|(id, begin)| (id, begin.millis_since(NOW) / DAY)).collect()
}

fn at(book: &mut Book, days: u64) -> Time {
    let now = NOW.plus_millis(days * DAY);
    book.pass(now);
    settle(book, now);
    now
}

#[test]
fn all_of_a_series_is_booked_or_nothing_or_what_is_free() {
    let [one, two] = &spots(&["/a", "/b"])[..] else { panic!() };
    let mut book = Book::default();
    let begin = NOW.plus_millis(2 * DAY + HOUR);
    book.ask(NOW, Ask { begin: Some(begin), ..ask("bob", &[one]) }, &always).unwrap();
    let refusal = booked(&mut book, series("ana", one, days(1, 3))).unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::Held);
    assert_eq!(
        refusal.to_string(),
        "1 of 3 times are taken: bob has booked /a from 1970-01-14T14:46:40.000Z until 1970-01-14T16:46:40.000Z \
         (bug 1234); choose another time, or book the other 2 with --skip-taken"
    );
    assert_eq!(begins(&book), [(1, 2)]);
    let first = booked(&mut book, Series { partly: true, ..series("ana", one, days(1, 3)) }).unwrap();
    assert_eq!((first, begins(&book)), (LeaseId(2), vec![(1, 2), (2, 1), (3, 3)]));
    let other = booked(&mut book, series("ana", two, days(1, 3))).unwrap();
    let of_it: Vec<_> =
        book.leases().filter(|lease| lease.series() == Some(other)).map(|lease| lease.id.0).collect();
    assert_eq!(of_it, [4, 5, 6]);
}

#[test]
fn a_clash_names_who_is_in_the_way_and_offers_what_is_free() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    let begin = NOW.plus_millis(10 * HOUR);
    book.ask(NOW, Ask { begin: Some(begin), ..ask("bob", &[one]) }, &always).unwrap();
    let later = NOW.plus_millis(13 * HOUR);
    book.ask(NOW, Ask { begin: Some(later), ..ask("cho", &[one]) }, &always).unwrap();
    let long = Ask { length: Some(5 * HOUR), ..ask("ana", &[one]) };
    let wanted = Series { ask: long, begins: vec![NOW.plus_millis(9 * HOUR)], rule: None, partly: false };
    let refusal = booked(&mut book, wanted).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "bob has booked /a from 1970-01-12T23:46:40.000Z until 1970-01-13T01:46:40.000Z (bug 1234); free of that time \
         is 1970-01-12T22:46:40.000Z to 1970-01-12T23:46:40.000Z, 1970-01-13T01:46:40.000Z to \
         1970-01-13T02:46:40.000Z; for as long it is free from 1970-01-13T04:46:40.000Z"
    );
}

#[test]
fn one_of_a_series_is_moved_and_the_others_stay() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    booked(&mut book, series("ana", one, days(1, 3))).unwrap();
    let to =
        |day: u64, hours: u64| Wish::Move { begin: NOW.plus_millis(day * DAY + hours * HOUR), length: None };
    // It may overlap itself, and not its neighbour; nobody else moves it; and the past is past.
    wish(&mut book, "ana", LeaseId(2), to(2, 1)).unwrap();
    assert!(matches!(wish(&mut book, "ana", LeaseId(2), to(3, 1)), Err(Refusal::Clash { .. })));
    assert!(matches!(wish(&mut book, "bob", LeaseId(2), to(5, 0)), Err(Refusal::NotTheirs { .. })));
    let past = Wish::Move { begin: Time(NOW.0 - 1), length: None };
    assert!(matches!(wish(&mut book, "ana", LeaseId(2), past), Err(Refusal::Past { .. })));
    let nothing = Wish::Move { begin: NOW.plus_millis(9 * DAY), length: Some(0) };
    assert!(matches!(wish(&mut book, "ana", LeaseId(2), nothing), Err(Refusal::NoTime)));
    wish(&mut book, "rack", LeaseId(2), to(7, 0)).unwrap();
    assert_eq!(begins(&book), [(1, 1), (2, 7), (3, 3)]);
    let moved = book.lease(LeaseId(2)).unwrap();
    assert_eq!(moved.occurrence.as_ref().unwrap().slot, NOW.plus_millis(2 * DAY), "where its rule has it");
    let now = at(&mut book, 1);
    let begun = book.wish(now, LeaseId(1), &who("ana", false), to(8, 0), &always).unwrap_err();
    assert_eq!(
        begun.to_string(),
        "lease 1 is active, and only what has not begun can be moved; `jackfield lease extend 1` changes its end"
    );
}

#[test]
fn a_series_is_changed_with_its_numbers_and_cancelled_from_one_on() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    booked(&mut book, series("ana", one, days(1, 3))).unwrap();
    let change = |begins: Vec<Time>| {
        Wish::Reschedule(Box::new(Reschedule { begins, rule: rule(), length: Some(HOUR), partly: false }))
    };
    wish(&mut book, "ana", LeaseId(3), change(days(2, 5))).unwrap();
    assert_eq!(begins(&book), [(1, 2), (2, 3), (3, 4), (4, 5), (5, 6)]);
    assert!(book.leases().all(|lease| lease.series() == Some(LeaseId(1)) && lease.length == Some(HOUR)));
    wish(&mut book, "ana", LeaseId(3), change(days(10, 2))).unwrap();
    assert_eq!(begins(&book), [(1, 10), (2, 11)]);
    wish(&mut book, "ana", LeaseId(2), Wish::Cancel(Scope::Following)).unwrap();
    assert_eq!(begins(&book), [(1, 10)]);
    // What has begun goes on.
    at(&mut book, 10);
    assert!(matches!(
        wish(&mut book, "ana", LeaseId(1), Wish::Cancel(Scope::Series)),
        Err(Refusal::NoSeries { .. })
    ));
    assert_eq!(book.lease(LeaseId(1)).unwrap().state, State::Active);
}

#[test]
fn what_is_changed_was_asked_for_when_it_was() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    booked(&mut book, series("ana", one, days(1, 3))).unwrap();
    let now = at(&mut book, 1);
    let wanted = Reschedule { begins: days(5, 3), rule: rule(), length: None, partly: false };
    let change = Wish::Reschedule(Box::new(wanted));
    book.wish(now, LeaseId(2), &who("ana", false), change, &always).unwrap();
    assert_eq!(begins(&book), [(2, 5), (3, 6), (4, 7)]);
    let asked = |id: u64| book.lease(LeaseId(id)).unwrap().asked;
    assert_eq!([asked(2), asked(3), asked(4)], [NOW, NOW, now]);
}

#[test]
fn who_is_handed_one_of_a_series_has_that_one_alone() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    booked(&mut book, series("ana", one, days(1, 3))).unwrap();
    let now = at(&mut book, 1);
    let to = Wish::HandOver { to: "bob".into() };
    let his = book.wish(now, LeaseId(1), &who("ana", false), to, &always).unwrap();
    let cancelled = book.wish(now, his, &who("bob", false), Wish::Cancel(Scope::Series), &always);
    assert!(matches!(cancelled, Err(Refusal::NoSeries { .. })));
    assert_eq!(begins(&book), [(2, 2), (3, 3)], "the others are hers");
}

#[test]
fn a_series_that_is_changed_has_no_more_times_than_one_may_book() {
    let mut book = Book::default();
    for spot in &spots(&["/a", "/b", "/c", "/d", "/e"]) {
        booked(&mut book, series("ana", spot, days(1, 400))).unwrap();
    }
    let change = |begins: Vec<Time>| {
        Wish::Reschedule(Box::new(Reschedule { begins, rule: rule(), length: None, partly: false }))
    };
    let more = wish(&mut book, "ana", LeaseId(1), change(days(2, 401)));
    assert!(matches!(more, Err(Refusal::TooManyBooked { .. })));
    wish(&mut book, "ana", LeaseId(1), change(days(2, 400))).unwrap();
}

#[test]
fn a_booking_that_still_waits_was_to_begin_when_it_was_booked_for() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    book.ask(NOW, Ask { length: None, ..ask("dia", &[one]) }, &always).unwrap();
    let begin = NOW.plus_millis(DAY);
    let hers = book.ask(NOW, Ask { begin: Some(begin), ..ask("ana", &[one]) }, &always).unwrap();
    at(&mut book, 1);
    let hers = book.lease(hers).unwrap();
    assert!(hers.is_waiting());
    assert_eq!(hers.should_begin(), Some(begin));
}

#[test]
fn what_is_booked_again_and_again_puts_nobody_back_in_the_queue() {
    let [one, two] = &spots(&["/a", "/b"])[..] else { panic!() };
    let mut book = Book::default();
    booked(&mut book, series("ana", two, days(1, 3))).unwrap();
    let held = book.ask(NOW, ask("dia", &[one]), &always).unwrap();
    let first = book.ask(NOW, Ask { wait: None, ..ask("ana", &[one]) }, &always).unwrap();
    book.ask(NOW.plus_millis(1), Ask { wait: None, ..ask("bob", &[one]) }, &always).unwrap();
    book.end(NOW, held, Ended::Holder);
    settle(&mut book, NOW);
    assert_eq!(book.lease(first).unwrap().state, State::Active);
}

#[test]
fn maintenance_drains_a_rack_and_lets_runs_finish() {
    let [rack, router, phone] = &spots(&["/tb1", "/tb1/r1", "/tb1/ph1"])[..] else { panic!() };
    let mut book = Book::default();
    let begin = NOW.plus_millis(HOUR);
    let hers = book.ask(NOW, ask("ana", &[router]), &always).unwrap();
    let set = maintenance(phone, begin).ask.set;
    let run = book.give(
        NOW,
        jackfield_protocol::id::RunId(4),
        jackfield_resource_allocator::book::Leased::Set(set),
        None,
    );
    let booked_before =
        Ask { begin: Some(NOW.plus_millis(2 * HOUR)), length: Some(HOUR / 2), ..ask("bob", &[router]) };
    let bobs = book.ask(NOW, booked_before, &always).unwrap();
    let lab = booked(&mut book, maintenance(rack, begin)).unwrap();
    let maintenance_of =
        |book: &Book, id: LeaseId| book.lease(id).and_then(|lease| book.maintained(lease).map(|lab| lab.id));
    assert_eq!((maintenance_of(&book, hers), maintenance_of(&book, bobs)), (Some(lab), Some(lab)));
    let drained: Vec<_> = book.drained(book.lease(lab).unwrap()).iter().map(|lease| lease.id).collect();
    assert_eq!(drained, [hers, bobs]);
    // Who comes now has to be gone by then, and nobody stays longer.
    let refusal = book.ask(NOW, ask("cho", &[phone]), &always).unwrap_err();
    assert!(refusal.to_string().starts_with("run 4 has"), "{refusal}");
    let longer = Wish::Extend { until: NOW.plus_millis(3 * HOUR) };
    let refusal = wish(&mut book, "ana", hers, longer).unwrap_err();
    assert!(refusal.to_string().contains("the lab (by rack) has booked /tb1 from"), "{refusal}");
    assert!(matches!(wish(&mut book, "bob", lab, Wish::Cancel(Scope::One)), Err(Refusal::NotTheirs { .. })));
    // A second maintenance of the same is a clash.
    assert!(matches!(booked(&mut book, maintenance(router, begin)), Err(Refusal::Clash { .. })));
    book.pass(begin);
    settle(&mut book, begin);
    assert!(book.lease(hers).is_none(), "she is out");
    assert_eq!(book.lease(lab).unwrap().state.as_str(), "waiting", "for the run");
    assert!(book.ask(begin, ask("cho", &[router]), &always).is_err(), "and before everybody else");
    book.end(begin, run, Ended::RunEnd);
    settle(&mut book, begin);
    let lease: &Lease = book.lease(lab).unwrap();
    assert_eq!((lease.state.as_str(), lease.until), ("active", Some(begin.plus_millis(2 * HOUR))));
    assert!(lease.admits(&"rack".into()) && !lease.admits(&"ana".into()));
    let rows = book.take_rows();
    let ended = rows.iter().rev().find(|row| row.id == hers).unwrap();
    let how = Ended::Force { by: "rack".into(), reason: "maintenance: new PSU".to_owned() };
    assert!(matches!(&ended.state, State::Ended { how: found, .. } if *found == how), "{ended:?}");
}

#[test]
fn what_was_booked_before_maintenance_begins_and_is_cut_short() {
    let [rack, router] = &spots(&["/tb1", "/tb1/r1"])[..] else { panic!() };
    let mut book = Book::default();
    let hers =
        book.ask(NOW, Ask { begin: Some(NOW.plus_millis(HOUR)), ..ask("ana", &[router]) }, &always).unwrap();
    let begin = NOW.plus_millis(2 * HOUR);
    let lab = booked(&mut book, maintenance(rack, begin)).unwrap();
    book.pass(NOW.plus_millis(HOUR));
    settle(&mut book, NOW.plus_millis(HOUR));
    assert_eq!(book.lease(hers).unwrap().state, State::Active);
    book.pass(begin);
    settle(&mut book, begin);
    assert!(book.lease(hers).is_none());
    assert_eq!(book.lease(lab).unwrap().state, State::Active);
}

#[test]
fn holders_are_reminded_once_of_each_beginning_and_each_end() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    let quarter = HOUR / 4;
    booked(&mut book, series("ana", one, days(1, 2))).unwrap();
    let due = |book: &Book, now: Time| {
        book.to_remind(now, quarter).into_iter().map(|(lease, what)| (lease.id.0, what)).collect::<Vec<_>>()
    };
    let begin = NOW.plus_millis(DAY);
    let before = Time(begin.0 - 1);
    assert_eq!(due(&book, NOW), []);
    assert_eq!(due(&book, before), [(1, Reminder::Begins(begin))]);
    wish(&mut book, "rack", LeaseId(1), Wish::Reminded { of: begin }).unwrap();
    assert_eq!(due(&book, before), []);
    at(&mut book, 1);
    let end = begin.plus_millis(2 * HOUR);
    assert_eq!(due(&book, Time(end.0 - 1)), [(1, Reminder::Ends(end))]);
    // It knows no more when it is extended: that is another end.
    wish(&mut book, "rack", LeaseId(1), Wish::Reminded { of: end }).unwrap();
    let longer = end.plus_millis(HOUR);
    book.wish(begin, LeaseId(1), &who("ana", false), Wish::Extend { until: longer }, &always).unwrap();
    assert_eq!(due(&book, Time(longer.0 - 1)), [(1, Reminder::Ends(longer))]);
    // Half an hour is not worth a mail.
    let mut short = Book::default();
    short.ask(NOW, Ask { length: Some(HOUR / 2), ..ask("ana", &[one]) }, &always).unwrap();
    assert_eq!(due(&short, NOW.plus_millis(quarter + 1)), []);
}

#[test]
fn a_series_makes_sense() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    let refused = |book: &mut Book, begins: Vec<Time>, length: u64| {
        let mut wanted = series("ana", one, begins);
        wanted.ask.length = Some(length);
        booked(book, wanted).unwrap_err()
    };
    assert!(matches!(refused(&mut book, Vec::new(), HOUR), Refusal::NoTime));
    assert!(matches!(refused(&mut book, days(1, 2), DAY + 1), Refusal::Overlap { .. }));
    assert!(matches!(refused(&mut book, vec![Time(NOW.0 - 1)], HOUR), Refusal::Past { .. }));
    assert!(matches!(refused(&mut book, days(740, 1), HOUR), Refusal::TooFar));
    assert!(matches!(refused(&mut book, days(1, 1), 32 * DAY), Refusal::TooLong { .. }));
    assert!(
        booked(
            &mut book,
            Series { ask: Ask { length: Some(DAY), ..ask("ana", &[one]) }, ..series("ana", one, days(1, 2)) }
        )
        .is_ok()
    );
}
