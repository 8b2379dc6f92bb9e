//! Many connections at once, each of which asks once a second, as pages and scripts do.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};

use super::{figure, http::Asker, lab_of, quantile};
use crate::bench::{
    Measure,
    lab::{Lab, now},
};

const TIME: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_secs(1);
/// A client does nearly nothing, and there are thousands.
const STACK: usize = 128 * 1024;

pub(super) fn measure() -> Result<Vec<Measure>> {
    let lab = Lab::start_with("connections", &[("resources.json", lab_of(1_100))])?;
    let asker = Asker::admin(&lab)?;
    let mut measures = Vec::new();
    for (count, name, goal) in [
        (750, "750 connections that ask each second, p99", "under 50 ms"),
        (5_000, "5,000 connections that ask each second, p99", "for the reader"),
    ] {
        let (times, errors) = at_once(&asker, count)?;
        let late = quantile(times, 0.99);
        let measure = Measure::own(name, late, "ms", goal);
        measures.push(if count == 750 { measure.holds(late < 50.0) } else { measure });
        let name = format!("errors of {count}");
        measures.push(Measure::own(name, figure(errors), "", "none").holds(errors == 0));
    }
    Ok(measures)
}

/// Milliseconds of each answer, and how many did not come.
fn at_once(asker: &Asker, count: usize) -> Result<(Vec<f64>, usize)> {
    let over = AtomicBool::new(false);
    let mut connections = (0..count).map(|_| asker.connect()).collect::<Result<Vec<_>>>()?;
    thread::scope(|scope| {
        let over = &over;
        let mut clients = Vec::new();
        for (number, connection) in connections.iter_mut().enumerate() {
            // They do not come in step.
            let first = PAUSE.mul_f64(figure(number) / figure(count));
            let client = move || {
                let (mut times, mut errors) = (Vec::new(), 0_usize);
                thread::sleep(first);
                while !over.load(Ordering::Relaxed) {
                    let begin = now();
                    match connection.ask("GET", &format!("/resources?query=/tb{}/d1", number % 100), "") {
                        Ok((200, _)) => times.push(begin.elapsed().as_secs_f64() * 1_000.0),
                        Ok(_) | Err(_) => errors += 1,
                    }
                    thread::sleep(PAUSE);
                }
                (times, errors)
            };
            clients.push(
                thread::Builder::new().stack_size(STACK).spawn_scoped(scope, client).context("a thread")?,
            );
        }
        thread::sleep(TIME);
        over.store(true, Ordering::Relaxed);
        let (mut times, mut errors) = (Vec::new(), 0);
        for client in clients {
            let (its, of_it) = client.join().expect("no client panics");
            times.extend(its);
            errors += of_it;
        }
        Ok((times, errors))
    })
}
