//! What people count on, told one by one.

use jackfield_protocol::{
    error::ErrorCode,
    id::{LeaseId, RunId},
    time::Time,
};
use jackfield_resource_allocator::book::{
    Ask, Book, Ended, Holder, Leased, Set, Spot, State, Tie, Turn, Want, Who, Wish,
};

use crate::day::spots;

const HOUR: u64 = 3_600_000;
const NOW: Time = Time(1_000_000_000);

fn always(_: Turn) -> bool {
    true
}

/// Ana wants some of it for two hours, and does not wait.
pub(crate) fn ask(who: &str, spots: &[&Spot]) -> Ask {
    let set = Set { nodes: spots.iter().map(|spot| (*spot).clone()).collect(), ..Set::default() };
    let holder = Holder::Person(who.into());
    Ask { purpose: "bug 1234".to_owned(), length: Some(2 * HOUR), ..Ask::new(set, holder) }
}

/// Everybody who can begin does, and every run that waits has an EP.
pub(crate) fn settle(book: &mut Book, now: Time) {
    while let Some(woken) = book.pop_woken() {
        match woken.rank.turn {
            Turn::Ask(id) if book.may_begin(now, id, &always) => book.begin(now, id),
            Turn::Ask(_) | Turn::Part { .. } => book.passed(woken, true),
        }
    }
}

fn who(user: &str, manages: bool) -> Who {
    Who { user: user.into(), manages }
}

fn state(book: &Book, id: LeaseId) -> &'static str {
    book.lease(id).map_or("gone", |lease| lease.state.as_str())
}

#[test]
fn a_lease_covers_what_is_under_it_and_a_refusal_names_the_holder() {
    let [bed, router, card, other] = &spots(&["/tb1", "/tb1/r1", "/tb1/r1/card", "/tb1/r2"])[..] else {
        panic!()
    };
    let mut book = Book::default();
    let id = book.ask(NOW, ask("ana", &[router]), &always).unwrap();
    for (spot, free) in [(bed, false), (router, false), (card, false), (other, true)] {
        let answer = book.ask(NOW, ask("bob", &[spot]), &always);
        assert_eq!(answer.is_ok(), free, "{}: {answer:?}", spot.path);
        if let Err(refusal) = answer {
            assert_eq!(refusal.code(), ErrorCode::Held);
            assert_eq!(
                refusal.to_string(),
                "ana has /tb1/r1 until 1970-01-12T15:46:40.000Z (bug 1234); wait for it with --wait 30m, or ask them"
            );
        }
    }
    book.end(NOW, id, Ended::Holder);
    assert!(book.ask(NOW, ask("bob", &[card]), &always).is_ok());
}

#[test]
fn who_asks_for_two_gets_both_or_none_and_is_not_overtaken_for_longer_than_they_have_to_wait() {
    let [one, two] = &spots(&["/a", "/b"])[..] else { panic!() };
    let mut book = Book::default();
    let held = book.ask(NOW, ask("ana", &[one]), &always).unwrap();
    let both = book.ask(NOW, Ask { wait: None, ..ask("bob", &[one, two]) }, &always).unwrap();
    assert_eq!(state(&book, both), "waiting");
    // Two hours are what ana has left: who is back by then may have the other device meanwhile.
    assert!(book.ask(NOW, Ask { length: Some(3 * HOUR), ..ask("cho", &[two]) }, &always).is_err());
    let short = book.ask(NOW, ask("cho", &[two]), &always).unwrap();
    let later = NOW.plus_millis(3 * HOUR);
    let refusal =
        book.wish(NOW, short, &who("cho", false), Wish::Extend { until: later }, &always).unwrap_err();
    assert_eq!(refusal.to_string(), "bob (lease 2) asked before; wait behind them with --wait 30m");
    book.end(NOW, held, Ended::Holder);
    settle(&mut book, NOW);
    assert_eq!(state(&book, both), "waiting", "cho has the other");
    book.pass(NOW.plus_millis(2 * HOUR));
    settle(&mut book, NOW.plus_millis(2 * HOUR));
    assert_eq!(state(&book, both), "active");
}

#[test]
fn who_has_much_already_waits_behind_who_has_nothing() {
    let [one, two] = &spots(&["/a", "/b"])[..] else { panic!() };
    let mut book = Book::default();
    let held = book.ask(NOW, ask("dia", &[one]), &always).unwrap();
    book.ask(NOW, ask("ana", &[two]), &always).unwrap();
    let second = book.ask(NOW, Ask { wait: None, ..ask("ana", &[one]) }, &always).unwrap();
    let first = book.ask(NOW.plus_millis(1), Ask { wait: None, ..ask("bob", &[one]) }, &always).unwrap();
    book.end(NOW.plus_millis(2), held, Ended::Holder);
    settle(&mut book, NOW.plus_millis(2));
    assert_eq!((state(&book, first), state(&book, second)), ("active", "waiting"));
    // But not for ever: ten minutes for each lease.
    let third = NOW.plus_millis(601_000);
    let late = book.ask(third, Ask { wait: None, ..ask("cho", &[one]) }, &always).unwrap();
    book.end(third, first, Ended::Holder);
    settle(&mut book, third);
    assert_eq!((state(&book, second), state(&book, late)), ("active", "waiting"));
}

#[test]
fn a_booking_finds_its_device_free() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    let begin = NOW.plus_millis(3 * HOUR);
    let booking = book.ask(NOW, Ask { begin: Some(begin), ..ask("ana", &[one]) }, &always).unwrap();
    assert_eq!(state(&book, booking), "asked");
    let clash = Ask { begin: Some(begin.plus_millis(HOUR)), ..ask("bob", &[one]) };
    let refusal = book.ask(NOW, clash, &always).unwrap_err();
    assert!(refusal.to_string().starts_with("ana has booked /a from"), "{refusal}");
    assert!(book.ask(NOW, Ask { length: Some(4 * HOUR), ..ask("bob", &[one]) }, &always).is_err());
    let before = book.ask(NOW, ask("bob", &[one]), &always).unwrap();
    let longer = Wish::Extend { until: begin.plus_millis(1) };
    assert!(book.wish(NOW, before, &who("bob", false), longer, &always).is_err());
    book.pass(begin);
    settle(&mut book, begin);
    assert_eq!(state(&book, booking), "active");
    assert_eq!(book.lease(booking).unwrap().until, Some(begin.plus_millis(2 * HOUR)));
}

#[test]
fn a_run_with_no_ep_does_not_stand_in_the_way_and_one_with_an_ep_does() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    let set = Set { nodes: vec![one.clone()], ..Set::default() };
    let want = Want {
        set,
        holder: Holder::Run(RunId(1)),
        shared: false,
        inside: None,
        length: None,
        console: false,
    };
    book.enlist(RunId(1), 0, NOW, want);
    let later = NOW.plus_millis(1);
    let refusal = book.ask(later, ask("ana", &[one]), &always).unwrap_err();
    assert_eq!(refusal.to_string(), "run 1 asked before; wait behind them with --wait 30m");
    assert!(book.ask(later, ask("ana", &[one]), &|_| false).is_ok());
}

#[test]
fn a_run_keeps_its_lease_until_it_gives_it_back() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    let set = Set { nodes: vec![one.clone()], ..Set::default() };
    let id = book.give(NOW, RunId(1), Leased::Set(set), None);
    for wish in [Wish::Release, Wish::Force { reason: "now".to_owned(), grace: 0 }] {
        let refusal = book.wish(NOW, id, &who("ana", true), wish, &always).unwrap_err();
        assert_eq!(refusal.code(), ErrorCode::WrongState);
        assert!(
            refusal.to_string().ends_with("the lease ends with the run: `jackfield runs stop 1`"),
            "{refusal}"
        );
    }
}

#[test]
fn what_is_taken_away_leaves_time_and_says_by_whom() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    let id = book.ask(NOW, ask("ana", &[one]), &always).unwrap();
    let force = |grace| Wish::Force { reason: "the rack moves".to_owned(), grace };
    assert!(book.wish(NOW, id, &who("bob", false), force(0), &always).is_err());
    book.wish(NOW, id, &who("root", true), force(60_000), &always).unwrap();
    assert_eq!(state(&book, id), "ending");
    book.take_rows();
    book.pass(NOW.plus_millis(60_000));
    let row = book.take_rows().pop().unwrap();
    let how = Ended::Force { by: "root".into(), reason: "the rack moves".to_owned() };
    assert_eq!(row.state, State::Ended { at: NOW.plus_millis(60_000), how });
}

#[test]
fn a_client_that_is_silent_loses_its_lease_and_one_that_beats_does_not() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    let tied = Ask { tie: Tie::Beat { patience_millis: 15_000 }, length: None, ..ask("ana", &[one]) };
    let id = book.ask(NOW, tied, &always).unwrap();
    for tick in 1..100 {
        let now = NOW.plus_millis(tick * 10_000);
        book.pass(now);
        book.wish(now, id, &who("ana", false), Wish::Beat, &always).unwrap();
    }
    assert_eq!(state(&book, id), "active");
    book.pass(NOW.plus_millis(990_000 + 14_999));
    assert_eq!(state(&book, id), "active");
    book.pass(NOW.plus_millis(990_000 + 15_000));
    assert_eq!(state(&book, id), "gone");
    assert_eq!(book.deadline(), None);
}

#[test]
fn what_a_client_kept_alive_has_an_end_when_it_is_handed_over() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    let tied = Ask { tie: Tie::Beat { patience_millis: 15_000 }, length: None, ..ask("ana", &[one]) };
    let hers = book.ask(NOW, tied, &always).unwrap();
    let his = book.wish(NOW, hers, &who("ana", false), Wish::HandOver { to: "bob".into() }, &always).unwrap();
    let lease = book.lease(his).unwrap();
    assert_eq!((lease.tie, lease.until), (Tie::Free, Some(NOW.plus_millis(31 * 24 * HOUR))));
    book.pass(NOW.plus_millis(15_000));
    assert_eq!(state(&book, his), "active", "nobody has to be heard");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let [one] = &spots(&["/a"])[..] else { panic!() };
    let mut book = Book::default();
    for (wrong, says) in [
        (Ask { set: Set::default(), ..ask("ana", &[one]) }, "at least one resource"),
        (Ask { length: Some(0), ..ask("ana", &[one]) }, "longer than that"),
        (Ask { length: Some(u64::MAX), ..ask("ana", &[one]) }, "at most 31 days"),
        (Ask { begin: Some(Time(i64::MAX)), ..ask("ana", &[one]) }, "further ahead than two years"),
        (Ask { begin: Some(NOW.plus_millis(1)), length: None, ..ask("ana", &[one]) }, "needs an end"),
        (Ask { inside: Some(LeaseId(7)), ..ask("ana", &[one]) }, "no lease 7"),
    ] {
        let refusal = book.ask(NOW, wrong, &always).unwrap_err();
        assert!(refusal.to_string().contains(says), "{refusal}");
    }
    assert_eq!(book.leases().count(), 0);
    assert_eq!(book.last(), LeaseId(0));
}
