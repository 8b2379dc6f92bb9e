//! Days of the whole shell: the real loop and the real jobs on a real store that refuses, stalls, loses its answer or fails
//! between two statements, with a mail server that hangs and refuses, scripts that hang, clients that ask twice, readers
//! in between, and an EP that is cut off whenever the loop begins anew. The scheduler's own days are elsewhere; here it is
//! about what stands around it.
//!
//! Time is virtual and goes on only when the day says so. What goes wrong falls by seeded dice; threads of the database
//! and sockets keep some freedom, so a seed finds a kind of fault rather than one certain step of it.

mod day;
mod ep;
mod mail;

use self::day::Day;

/// Days without faults of the store: nothing may be lost, be done twice, or begin anew, whatever clients do at once.
#[tokio::test(start_paused = true)]
async fn nothing_that_clients_do_troubles_the_loop() {
    for seed in 0..8 {
        let mut day = Day::begin(seed).await;
        day.store().faults().begin(seed, true);
        day.work(40).await;
        day.store().faults().end();
        day.end().await;
        assert_eq!(day.ep_lost(), 0, "seed {seed}: the loop began anew, though the store took everything");
    }
}

/// Days on which the store fails.
#[tokio::test(start_paused = true)]
async fn a_store_that_fails_loses_nothing_and_repeats_nothing() {
    for seed in 100..112 {
        let mut day = Day::begin(seed).await;
        day.store().faults().begin(seed, false);
        day.work(60).await;
        day.store().faults().end();
        day.end().await;
        assert!(day.store().faults().count() > 0, "seed {seed} is no such day");
    }
}
