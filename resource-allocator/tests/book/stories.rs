//! What people count on, told one by one.

use jackfield_protocol::{
    error::ErrorCode,
    id::{LeaseId, RunId},
    time::Time,
};
use jackfield_resource_allocator::book::{
    Alternative, Ask, Book, Candidate, Choice, Ended, Holder, Leased, Options, Rank, Set, Spot, State, Tie,
    Turn, Want, Who, Wish,
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
            Turn::Ask(id) if book.try_begin(now, id, &always) => {}
            Turn::Ask(_) | Turn::Part { .. } => book.passed(woken, true),
        }
    }
}

pub(crate) fn who(user: &str, manages: bool) -> Who {
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
        repairs: false,
    };
    book.enlist(RunId(1), 0, NOW, want, None);
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

/// Two routers on one bed and one on another, of which some are wanted.
fn any(spots: &[Spot], wanted: &[(&str, usize, &[usize])], by_bed: bool) -> std::sync::Arc<Choice> {
    let same =
        |spot: &Spot| vec![Some(by_bed.then(|| spot.path.chars().take(4).collect()).into_iter().collect())];
    let candidates = spots.iter().map(|spot| Candidate { spot: spot.clone(), same: same(spot) }).collect();
    let needs = wanted.iter().map(|(name, count, fits)| {
        let alternative = Alternative { text: format!("kind={name}"), count: *count, fits: fits.to_vec() };
        Options { name: (*name).into(), scope: 0, alternatives: vec![alternative] }
    });
    std::sync::Arc::new(Choice { text: format!("{wanted:?}").into(), candidates, needs: needs.collect() })
}

fn ask_any(who: &str, choice: &std::sync::Arc<Choice>) -> Ask {
    Ask { set: Set::default(), choice: Some(choice.clone()), ..ask(who, &[]) }
}

fn has(book: &Book, id: LeaseId) -> String {
    book.lease(id).map_or_else(|| "nothing".to_owned(), |lease| lease.what.to_string())
}

#[test]
fn whatever_fits_is_given_and_wear_spreads() {
    let spots = &spots(&["/tb1", "/tb1/r1", "/tb1/r2", "/tb2", "/tb2/r3"]);
    let routers: Vec<Spot> = [1, 2, 4].map(|place| spots[place].clone()).to_vec();
    let mut book = Book::default();
    let one = any(&routers, &[("router", 1, &[0, 1, 2])], false);
    let used: Vec<_> = (0..6)
        .map(|_| {
            let id = book.ask(NOW, ask_any("ana", &one), &always).unwrap();
            let used = has(&book, id);
            book.end(NOW, id, Ended::Holder);
            used
        })
        .collect();
    assert_eq!(used, ["/tb1/r1", "/tb1/r2", "/tb2/r3", "/tb1/r1", "/tb1/r2", "/tb2/r3"]);
    // One that only r1 can be is given r1, although the other is written before it.
    let two = any(&routers, &[("any", 1, &[0, 1]), ("big", 1, &[0])], false);
    let id = book.ask(NOW, ask_any("ana", &two), &always).unwrap();
    assert_eq!(book.lease(id).unwrap().given["any"], ["/tb1/r2"]);
    assert_eq!(book.lease(id).unwrap().given["big"], ["/tb1/r1"]);
    let refusal = book.ask(NOW, ask_any("bob", &two), &always).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "0 of 2 that fit `kind=any` are free; 0 of 1 that fit `kind=big` are free: \
         ana has /tb1/r1, /tb1/r2 until 1970-01-12T15:46:40.000Z (bug 1234); wait for it with --wait 30m"
    );
}

#[test]
fn who_waits_for_two_of_what_fits_gets_them_and_keeps_nobody_from_the_rest() {
    let spots = &spots(&["/tb1", "/tb1/r1", "/tb1/r2", "/tb1/r3"]);
    let [_, r1, r2, r3] = &spots[..] else { panic!() };
    let routers = &spots[1..];
    let mut book = Book::default();
    let long = book.ask(NOW, Ask { length: Some(9 * HOUR), ..ask("ana", &[r1]) }, &always).unwrap();
    let first = book.ask(NOW, ask("ana", &[r2]), &always).unwrap();
    let last = book.ask(NOW, Ask { length: Some(3 * HOUR), ..ask("ana", &[r3]) }, &always).unwrap();
    let two = any(routers, &[("router", 2, &[0, 1, 2])], false);
    let both = book.ask(NOW, Ask { wait: None, ..ask_any("bob", &two) }, &always).unwrap();
    assert_eq!(book.lease(both).unwrap().what.to_string(), "/tb1/r2, /tb1/r3", "they are free soonest");
    // When r2 is free, it is kept for bob; who is back before r3 is may have it meanwhile.
    book.end(NOW, first, Ended::Holder);
    settle(&mut book, NOW);
    assert!(book.ask(NOW, Ask { length: Some(4 * HOUR), ..ask("cho", &[r2]) }, &always).is_err());
    assert_eq!(state(&book, both), "waiting");
    // r1 is free before it was promised: bob takes it, and r3 is not kept for him any more.
    book.end(NOW, long, Ended::Holder);
    settle(&mut book, NOW);
    assert_eq!((state(&book, both), has(&book, both).as_str()), ("active", "/tb1/r1, /tb1/r2"));
    book.end(NOW, last, Ended::Holder);
    assert!(book.ask(NOW, ask("cho", &[r3]), &always).is_ok());
}

#[test]
fn all_that_is_given_is_of_one_bed_where_that_is_wanted_and_a_booking_is_chosen_at_once() {
    let spots = &spots(&["/tb1", "/tb1/r1", "/tb1/p1", "/tb2", "/tb2/r2", "/tb2/p2"]);
    let devices: Vec<Spot> = [1, 2, 4, 5].map(|place| spots[place].clone()).to_vec();
    let mut book = Book::default();
    let pair = any(&devices, &[("router", 1, &[0, 2]), ("phone", 1, &[1, 3])], true);
    book.ask(NOW, ask("ana", &[&devices[0]]), &always).unwrap();
    let id = book.ask(NOW, ask_any("bob", &pair), &always).unwrap();
    assert_eq!(has(&book, id), "/tb2/p2, /tb2/r2");
    let begin = NOW.plus_millis(HOUR);
    assert!(book.ask(NOW, Ask { begin: Some(begin), ..ask_any("cho", &pair) }, &always).is_err());
    let begin = NOW.plus_millis(2 * HOUR);
    let booked = book.ask(NOW, Ask { begin: Some(begin), ..ask_any("cho", &pair) }, &always).unwrap();
    assert_eq!((state(&book, booked), has(&book, booked).as_str()), ("asked", "/tb1/p1, /tb1/r1"));
    book.pass(begin);
    settle(&mut book, begin);
    assert_eq!((state(&book, booked), has(&book, booked).as_str()), ("active", "/tb1/p1, /tb1/r1"));
}

#[test]
fn what_fits_no_more_is_promised_no_more() {
    let spots = &spots(&["/tb1", "/tb1/r1", "/tb1/r2"]);
    let mut book = Book::default();
    book.ask(NOW, ask("ana", &[&spots[0]]), &always).unwrap();
    let one = any(&spots[1..], &[("router", 1, &[0, 1])], false);
    let id = book.ask(NOW, Ask { wait: None, ..ask_any("bob", &one) }, &always).unwrap();
    assert_eq!(has(&book, id), "/tb1/r1");
    let only =
        Choice { text: one.text.clone(), ..(*any(&spots[2..], &[("router", 1, &[0])], false)).clone() };
    book.set_choices([std::sync::Arc::new(only)]);
    assert_eq!(has(&book, id), "/tb1/r2");
    let none = Choice { text: one.text.clone(), ..(*any(&[], &[("router", 1, &[])], false)).clone() };
    book.set_choices([std::sync::Arc::new(none)]);
    assert_eq!((state(&book, id), has(&book, id).as_str()), ("waiting", ""));
    book.check().unwrap();
}

#[test]
fn when_it_would_be_free_is_told_without_asking_for_it() {
    let spots = &spots(&["/tb1", "/tb1/r1", "/tb1/r2"]);
    let [_, r1, r2] = &spots[..] else { panic!() };
    let mut book = Book::default();
    let short = book.ask(NOW, ask("ana", &[r1]), &always).unwrap();
    book.ask(NOW, Ask { length: Some(5 * HOUR), ..ask("ana", &[r2]) }, &always).unwrap();
    book.ask(NOW, Ask { wait: None, length: Some(HOUR), ..ask("bob", &[r1]) }, &always).unwrap();
    let before = book.clone();
    let one = any(&spots[1..], &[("router", 1, &[0, 1])], false);
    let forecast = book.forecast(NOW, ask_any("cho", &one), &always).unwrap();
    assert_eq!(book, before);
    // After ana, bob has r1 for an hour.
    assert_eq!(
        (forecast.at, forecast.lease.what.to_string().as_str()),
        (Some(NOW.plus_millis(3 * HOUR)), "/tb1/r1")
    );
    let both = book.forecast(NOW, ask("cho", &[r1, r2]), &always).unwrap();
    assert_eq!(both.at, Some(NOW.plus_millis(5 * HOUR)));
    let unsaid = Ask { length: None, ..ask("dia", &[r1]) };
    book.end(NOW, short, Ended::Holder);
    settle(&mut book, NOW);
    let id = book.leases().find(|lease| lease.what.to_string() == "/tb1/r1").unwrap().id;
    book.end(NOW, id, Ended::Holder);
    let forever = book.ask(NOW, unsaid, &always).unwrap();
    let forecast = book.forecast(NOW, ask("cho", &[r1]), &always).unwrap();
    assert_eq!((forecast.at, forecast.after.map(|lease| lease.id)), (None, Some(forever)));
    let now = book.forecast(NOW, ask("cho", &[&spots[0]]), &always).unwrap();
    assert_eq!(now.at, None);
}

#[test]
fn needs_that_are_met_together_each_have_their_own_bed_and_their_own_devices() {
    let spots = &spots(&["/tb1", "/tb1/r1", "/tb1/p1", "/tb2", "/tb2/r2", "/tb2/p2", "/tb2/r3"]);
    let devices: Vec<Spot> = [1, 2, 4, 5, 6].map(|place| spots[place].clone()).to_vec();
    let book = Book::default();
    let whole = any(&devices, &[("router", 1, &[0, 2, 4]), ("phone", 1, &[1, 3])], true);
    let suite = any(&devices, &[("router", 1, &[0])], false);
    let all = Choice::together(&[whole, suite]);
    assert!(all.can_be_met());
    let want = Want {
        set: Set::default(),
        holder: Holder::Run(RunId(1)),
        shared: false,
        inside: None,
        length: None,
        console: false,
        repairs: false,
    };
    let rank = Rank::new(0, NOW, Turn::Part { run: RunId(1), part: 0 });
    let picked = book.pick(NOW, &want, &rank, &all, &always).unwrap();
    let told: Vec<_> = picked.iter().map(|(set, given)| format!("{set}: {given:?}")).collect();
    assert_eq!(
        told,
        [
            "/tb2/p2, /tb2/r2: {\"phone\": [\"/tb2/p2\"], \"router\": [\"/tb2/r2\"]}",
            "/tb1/r1: {\"router\": [\"/tb1/r1\"]}"
        ]
    );
}
