//! What a decision costs, and that it costs the same however many wait. Bounds are far above what is measured, so that a
//! busy machine does not fail them; the figures are printed (`-- --nocapture`).

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jackfield_protocol::{id::LeaseId, time::Time};
use jackfield_resource_allocator::{
    ResourceId, Tree,
    book::{Ask, Book, Ended, Set, Spot, State, Turn},
    needs::Needs,
    selector::{Selector, Sight},
};
use serde_json::json;

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

/// A hundred racks with ten routers and switches each, and a hundred ports on each of these: 101,100 nodes.
fn large() -> Tree {
    let mut tree = Tree::new();
    let mut number = 0;
    let mut put = |tree: &mut Tree, parent: &str, name: &str, properties: serde_json::Value| {
        number += 1;
        let serde_json::Value::Object(properties) = properties else { panic!() };
        let properties: BTreeMap<_, _> = properties.into_iter().collect();
        tree.set(name, parent, properties, ResourceId::from_number(number)).unwrap();
    };
    for rack in 0..100 {
        put(&mut tree, "/", &format!("rack{rack}"), json!({"site": format!("site{}", rack % 7)}));
        for device in 0..10 {
            let (parent, name) = (format!("/rack{rack}"), format!("d{device}"));
            let kind = if device % 2 == 0 { "router" } else { "switch" };
            let model = format!("m{}", (rack + device) % 40);
            put(
                &mut tree,
                &parent,
                &name,
                json!({"kind": kind, "ports": 100, "model": model, "ip": format!("10.0.{rack}.{device}")}),
            );
            for port in 0..100 {
                let speed = [1, 10, 100][port % 3];
                put(
                    &mut tree,
                    &format!("{parent}/{name}"),
                    &format!("p{port}"),
                    json!({"kind": "port", "speed": speed, "vlan": port}),
                );
            }
        }
    }
    tree
}

#[test]
fn a_selector_over_a_hundred_thousand_nodes_looks_at_few() {
    let tree = large();
    let begun = now();
    tree.select(&Selector::parse("kind=none").unwrap(), Sight::All, &ResourceId::root(), None, 100).unwrap();
    println!("the first selector, which makes the columns: {:?}", begun.elapsed());
    for text in [
        "kind=router",
        "kind=router, ports>=4, model=m7",
        "model in (m1, m2), !broken",
        "kind=port, speed>=100, vlan<30",
        "kind=port",
        "kind=router, child(speed=100, vlan=2)",
        "parent(site=site3), kind=switch",
        "name=d3",
        "ip=10.0.50.5",
    ] {
        let selector = Selector::parse(text).unwrap();
        let mut costs: Vec<Duration> = (0..21)
            .map(|_| {
                let begun = now();
                let page = tree.select(&selector, Sight::All, &ResourceId::root(), None, 100).unwrap();
                assert!(!page.nodes.is_empty(), "{text}");
                begun.elapsed()
            })
            .collect();
        costs.sort();
        println!("{text}: {:?}", costs[costs.len() / 2]);
        assert!(costs[costs.len() / 2] < Duration::from_millis(500), "{text}: {costs:?}");
    }
}

#[test]
fn whatever_fits_of_two_thousand_costs_the_same_however_many_wait() {
    let tree = large();
    let needs = Needs::parse("2x kind=router; same site").unwrap();
    let begun = now();
    let choice = Arc::new(needs.fit_ever(&tree).unwrap());
    println!("what fits of 100,000 nodes: {:?}", begun.elapsed());
    let any = |user: usize| {
        let spot = &choice.candidates[0].spot;
        Ask { set: Set::default(), choice: Some(Arc::clone(&choice)), ..ask(user, spot) }
    };
    for waiters in [100, 1_000] {
        let mut book = Book::default();
        for number in 0..250 + waiters {
            book.ask(Time(1), any(number), &always).unwrap();
        }
        let full = book.leases().filter(|lease| lease.holds()).count();
        let mut costs: Vec<Duration> = (0..20)
            .map(|_| {
                let held = book.leases().find(|lease| lease.state == State::Active).unwrap().id;
                let begun = now();
                book.end(Time(2), held, Ended::Holder);
                stories::settle(&mut book, Time(2));
                let cost = begun.elapsed();
                assert_eq!(book.leases().filter(|lease| lease.holds()).count(), full);
                cost
            })
            .collect();
        costs.sort();
        println!("{waiters} wait for two of 500: {:?}", costs[costs.len() / 2]);
    }
}
