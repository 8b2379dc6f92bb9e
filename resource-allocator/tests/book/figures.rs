//! What a decision costs, and that it costs the same however many wait. Bounds are far above what is measured, so that a
//! busy machine does not fail them; the figures are printed (`-- --nocapture`).

use std::time::{Duration, Instant};

use jackfield_protocol::{id::LeaseId, time::Time};
use jackfield_resource_allocator::book::{Ask, Book, Ended, Spot, State, Turn};

use crate::{day::spots, stories};

const HOUR: u64 = 3_600_000;

fn always(_: Turn) -> bool {
    true
}

#[expect(clippy::disallowed_methods, reason = "this is a measure")]
fn now() -> Instant {
    Instant::now()
}

fn ask(number: usize, spot: &Spot) -> Ask {
    let user = format!("user{}", number % 500);
    Ask { length: Some(HOUR), wait: None, ..stories::ask(&user, &[spot]) }
}

fn devices(count: usize) -> Vec<Spot> {
    let names: Vec<String> = std::iter::once("/lab".to_owned())
        .chain((0..count).map(|number| format!("/lab/d{number}")))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    spots(&names).split_off(1)
}

/// The median of what it costs to give something back and have the next begin, with so many who wait.
fn decision(waiters: usize, devices: &[Spot]) -> Duration {
    let mut book = Book::default();
    let mut time = Time(0);
    for number in 0..devices.len() + waiters {
        time = time.plus_millis(1);
        book.ask(time, ask(number, &devices[number % devices.len()]), &always).unwrap();
    }
    stories::settle(&mut book, time);
    let mut costs: Vec<Duration> = (0..50)
        .map(|_| {
            let held = book.leases().find(|lease| lease.state == State::Active).unwrap().id;
            let begun = now();
            book.end(time, held, Ended::Holder);
            stories::settle(&mut book, time);
            let cost = begun.elapsed();
            assert_eq!(book.leases().filter(|lease| lease.holds()).count(), devices.len());
            cost
        })
        .collect();
    costs.sort();
    costs[costs.len() / 2]
}

#[test]
fn a_decision_costs_the_same_however_many_wait() {
    for (name, devices) in [("one device", devices(1)), ("200 devices", devices(200))] {
        let few = (0..5).map(|_| decision(100, &devices)).min().unwrap();
        let many = (0..5).map(|_| decision(10_000, &devices)).min().unwrap();
        println!("{name}: a decision costs {few:?} with 100 who wait, {many:?} with 10,000");
        assert!(many < few * 4 + Duration::from_micros(20), "{name}: {few:?} with 100, {many:?} with 10,000");
        assert!(many < Duration::from_millis(5), "{many:?}");
    }
}

#[test]
fn five_thousand_leases_and_five_hundred_bookings_are_restored_at_once() {
    let devices = devices(5_500);
    let mut book = Book::default();
    for (number, spot) in devices.iter().enumerate() {
        let begin = (number >= 5_000).then_some(Time(1_000_000));
        book.ask(Time(1), Ask { begin, ..ask(number, spot) }, &always).unwrap();
    }
    let rows = book.take_rows();
    let begun = now();
    let restored = Book::restore(Time(2), LeaseId(5_500), rows);
    let cost = begun.elapsed();
    println!("5,000 leases and 500 bookings are restored in {cost:?}");
    assert!(restored.leases().eq(book.leases()));
    assert!(cost < Duration::from_secs(1), "{cost:?}");
}
