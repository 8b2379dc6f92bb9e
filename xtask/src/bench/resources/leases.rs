//! Leases taken and given back: alone, and by 200 clients of 20 people with 2,000 resources, beside labgrid's coordinator.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{figure, flat, http::Asker, labgrid};
use crate::bench::{
    Measure,
    lab::{Lab, now},
    median,
};

/// Resources, and who takes them.
pub(super) const RESOURCES: usize = 2_000;
pub(super) const CLIENTS: usize = 200;
const PEOPLE: usize = 20;
const TIME: Duration = Duration::from_secs(5);
const ALONE: usize = 500;
const LISTS: usize = 20;

pub(super) fn measure(rounds: usize) -> Result<Vec<Measure>> {
    let lab = Lab::start_with("leases", &[("resources.json", flat(RESOURCES))])?;
    let people = Asker::people(&lab, PEOPLE)?;
    let alone = alone(&people)?;
    let list = list(&lab)?;
    let mut rates = Vec::new();
    let mut times = Vec::new();
    for _ in 0..rounds {
        let cycles = busy(&people)?;
        rates.push(figure(cycles.len()) / TIME.as_secs_f64());
        times.extend(cycles);
    }
    drop(lab);
    let theirs = labgrid::measure(RESOURCES, CLIENTS)?;
    let (rate, middle) = (median(rates), median(times));
    let beside = |measure: Measure, theirs: Option<f64>| match theirs {
        Some(theirs) => measure.against("labgrid", theirs),
        None => measure,
    };
    let their = |pick: fn(&labgrid::Figures) -> f64| theirs.as_ref().map(pick);
    let is_ahead = theirs.as_ref().is_none_or(|theirs| list * 10.0 <= theirs.list_millis);
    let own = Measure::own;
    Ok(vec![
        beside(
            own("200 clients, 2,000 resources: leases", rate, "1/s", "1,000/s"),
            their(|theirs| theirs.rate),
        )
        .holds(rate >= 1_000.0),
        // There are 200 at it: at 10 ms each this is 20,000 a second.
        beside(
            own("200 clients: a lease taken and given back, p50", middle, "ms", "for the reader"),
            their(|theirs| theirs.millis),
        ),
        beside(
            own("one client: a lease taken and given back, p50", alone, "ms", "under 2 ms"),
            their(|theirs| theirs.alone_millis),
        )
        .holds(alone < 2.0),
        beside(
            own("2,000 resources listed", list, "ms", "a tenth of labgrid"),
            their(|theirs| theirs.list_millis),
        )
        .holds(is_ahead),
    ])
}

fn alone(people: &[Asker]) -> Result<f64> {
    let mut connection = people.first().context("nobody is there")?.connect()?;
    let mut times = Vec::new();
    for number in 0..ALONE {
        let begin = now();
        let lease = connection.take(&format!("/p{}", number % RESOURCES), &json!({}))?;
        connection.release(lease)?;
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(median(times))
}

fn list(lab: &Lab) -> Result<f64> {
    let mut connection = Asker::admin(lab)?.connect()?;
    let mut times = Vec::new();
    for _ in 0..LISTS {
        let begin = now();
        let tree = connection.done("GET", "/resources/tree", &Value::Null)?;
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        let there = tree.get("children").and_then(Value::as_array).map_or(0, Vec::len);
        ensure!(there == RESOURCES, "the tree has {there} resources");
    }
    Ok(median(times))
}

/// Milliseconds of each cycle of all clients; each goes round among devices of its own.
fn busy(people: &[Asker]) -> Result<Vec<f64>> {
    let over = AtomicBool::new(false);
    let share = RESOURCES / CLIENTS;
    let connections = people.iter().cycle().take(CLIENTS).map(Asker::connect);
    let mut connections = connections.collect::<Result<Vec<_>>>()?;
    thread::scope(|scope| {
        let over = &over;
        let clients: Vec<_> = connections
            .iter_mut()
            .enumerate()
            .map(|(client, connection)| {
                scope.spawn(move || -> Result<Vec<f64>> {
                    let mut times = Vec::new();
                    while !over.load(Ordering::Relaxed) {
                        let device = client * share + times.len() % share;
                        let begin = now();
                        let lease = connection.take(&format!("/p{device}"), &json!({}))?;
                        connection.release(lease)?;
                        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
                    }
                    Ok(times)
                })
            })
            .collect();
        thread::sleep(TIME);
        over.store(true, Ordering::Relaxed);
        let cycles = clients.into_iter().map(|client| client.join().expect("no client panics"));
        Ok(cycles.collect::<Result<Vec<_>>>()?.concat())
    })
}
