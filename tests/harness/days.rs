//! Seeded days of a simulation: thousands of them, on all processors, and one alone that tells what happens.

use std::{
    fmt::Debug,
    panic::{RefUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

/// Days played when nobody says otherwise.
const DAYS: u64 = 10_000;
/// Failing days after which a processor plays no more.
const FAILURES_MAX: usize = 10;

/// Plays days by their seeds: `JACKFIELD_DAYS` of them, or the one of `JACKFIELD_SEED`, which is told aloud (the second argument of `day`).
///
/// # Panics
/// A day failed, or panicked; the message has its seed.
pub fn play<E: Debug + ToString>(day: impl Fn(u64, bool) -> Result<(), E> + Sync + RefUnwindSafe) {
    if let Some(seed) = number("JACKFIELD_SEED") {
        day(seed, true).expect("the day keeps every promise");
        return;
    }
    let days = number("JACKFIELD_DAYS").unwrap_or(DAYS);
    let failure = |seed: u64| match catch_unwind(|| day(seed, false)) {
        Ok(Ok(())) => None,
        Ok(Err(sentence)) => Some(format!("day {seed}: {}", sentence.to_string())),
        Err(_) => Some(format!("day {seed} panicked")),
    };
    let next = AtomicU64::new(0);
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let failures: Vec<String> = thread::scope(|scope| {
        let work = || {
            let seeds = std::iter::from_fn(|| {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                (seed < days).then_some(seed)
            });
            seeds.filter_map(failure).take(FAILURES_MAX).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("panics of days are caught")).collect()
    });
    assert!(failures.is_empty(), "{} days failed:\n{}", failures.len(), failures.join("\n"));
}

#[expect(clippy::disallowed_methods, reason = "which days to play is said by whoever runs the test")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
