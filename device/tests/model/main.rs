//! A session against devices that do, at random, what devices do: they echo or not, log unasked in the middle of everything, pause anywhere for
//! any time, draw their line anew, show pages, print texts that look like their prompt or like a question, ask questions, answer late or never,
//! hang up, and are started anew; on a console, over a connection of its own, and behind SSH, which has let us in already.
//!
//! For every seed each answer is the right one, or an error that says what is not certain: never another command's answer, never a part of the
//! right one. No question is answered but as the test said, no secret reaches a command line, and what was logged unasked can be read. Time is
//! that of the test, so a day of pauses takes a second. `JACKFIELD_MODEL_SEEDS=FROM..TO` plays others than the usual seeds, and
//! `JACKFIELD_MODEL_TRACE=1` shows every byte.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::disallowed_methods, reason = "which seeds are played is said from outside")]
#![expect(clippy::print_stderr, reason = "a seed that fails must be seen")]

mod book;
mod device;
mod pagers;
mod play;
mod traits;
mod wire;

use std::{fmt::Write as _, ops::Range};

/// Seeds of every run of the tests.
const SEEDS: Range<u64> = 0..600;
/// Faults after which no more seeds are played.
const FAULTS_MAX: usize = 12;

fn seeds() -> Range<u64> {
    let chosen = std::env::var("JACKFIELD_MODEL_SEEDS").ok();
    let parsed = chosen.as_deref().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    parsed.unwrap_or(SEEDS)
}

#[test]
fn every_answer_is_the_right_one_or_an_error() {
    let (mut right, mut errors, mut told) = (0, 0, String::new());
    for seed in seeds() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let played = runtime.unwrap().block_on(play::play(seed));
        right += played.right;
        errors += played.errors;
        for fault in played.faults {
            writeln!(told, "seed {seed}: {fault}").unwrap();
        }
        if told.lines().count() >= FAULTS_MAX {
            break;
        }
    }
    eprintln!("model: {right} answers were right, {errors} were errors");
    assert!(told.is_empty(), "{} faults\n{told}", told.lines().count());
    // A few may be devices of which nothing works.
    assert!(seeds() != SEEDS || right > 3 * errors, "too few answers: {right} right, {errors} errors");
}
