//! The book of leases against a model that knows no index, over thousands of seeded days: persons, runs, consoles and
//! the lab fight for a few devices; they book, wait, extend, hand over and die; the engine is killed and restores the
//! book from its rows. After each event book and model must say the same, and nothing may be held twice.
//!
//! A failing day prints its seed: `JACKFIELD_SEED=n cargo test -p jackfield-resource-allocator --test book` plays it
//! again and tells it.
//!
//! Faults that were planted, one at a time, to see that they are found, with the first day that found them:
//!
//! | fault | found on day |
//! |---|---|
//! | a lease does not see what is held below it | 1 |
//! | a node stays among those below when nobody has it any more | 0 |
//! | somebody goes ahead of the first for longer than the first has to wait | 17 |
//! | a console outlives the lease that let it in | 17 |
//! | an offer that nobody accepted is not passed on | 2 |
//! | after a restart, clients must have been heard while there was no engine | 33 |
//! | something is booked over a booking that is late | 1 |
//! | a lease that went ahead is extended over the one it overtook | 224 |
//! | a lease that is handed over keeps its number | 6 |
//! | who waits for two things blocks the second for those who would be back in time | 58 |

#[cfg(test)]
mod day;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod model;
#[cfg(test)]
mod stories;

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
    fn every_day_the_book_says_what_the_model_says() {
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
                seeds.filter_map(failure).take(3).collect::<Vec<_>>()
            };
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        assert!(failures.is_empty(), "{} days failed:\n{}", failures.len(), failures.join("\n"));
    }
}
