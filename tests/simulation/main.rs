//! Thousands of seeded days in a simulated lab against the scheduler's invariants and an independent oracle.
//!
//! EPs die, vanish and return, with or without what they held; messages are doubled, late, lost, or arrive over stale
//! connections; the engine dies and starts again from its rows; its clock jumps; people pause, stop, queue, drain, and
//! lease for themselves the devices that runs want.
//! A failing day prints its seed: `JACKFIELD_SEED=n cargo test -p jackfield-tests --test simulation` plays it again;
//! `JACKFIELD_DAYS=n` plays more of them.

#[cfg(test)]
mod day;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod plan;
#[cfg(test)]
#[cfg(test)]
mod store;

#[cfg(test)]
mod tests {
    use std::{
        panic::catch_unwind,
        sync::atomic::{AtomicU64, Ordering},
        thread,
    };

    /// Days played when nobody says otherwise.
    const DAYS: u64 = 10_000;

    #[expect(clippy::disallowed_methods, reason = "which days to play is said by whoever runs the test")]
    fn number(name: &str) -> Option<u64> {
        std::env::var(name).ok()?.parse().ok()
    }

    fn failure(seed: u64) -> Option<String> {
        match catch_unwind(|| crate::day::play(seed, false)) {
            Ok(Ok(())) => None,
            Ok(Err(sentence)) => Some(format!("day {seed}: {sentence}")),
            Err(_) => Some(format!("day {seed} panicked")),
        }
    }

    #[test]
    fn every_day_keeps_every_promise() {
        if let Some(seed) = number("JACKFIELD_SEED") {
            crate::day::play(seed, true).unwrap();
            return;
        }
        let days = number("JACKFIELD_DAYS").unwrap_or(DAYS);
        let next = AtomicU64::new(0);
        let workers = thread::available_parallelism().map_or(2, usize::from);
        let failures: Vec<String> = thread::scope(|scope| {
            let work = || {
                let seeds = std::iter::from_fn(|| {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    (seed < days).then_some(seed)
                });
                seeds.filter_map(failure).take(10).collect::<Vec<_>>()
            };
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        assert!(failures.is_empty(), "{} days failed:\n{}", failures.len(), failures.join("\n"));
    }
}
