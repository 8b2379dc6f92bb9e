//! A session against devices that do, at random, what devices do: they echo or not, log unasked, pause anywhere for any time, draw their line
//! anew, show pages, print texts that look like their prompt, answer late or never, and ask questions.
//!
//! For every seed each answer is the right one, or an error that says what is not certain: never another command's answer, never a part of the
//! right one. Time is that of the test, so a day of pauses takes a second. `JACKFIELD_MODEL_SEEDS=FROM..TO` plays others than the usual seeds, and
//! `JACKFIELD_MODEL_TRACE=1` shows every byte.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::disallowed_methods, reason = "which seeds are played is said from outside")]
#![expect(clippy::print_stderr, reason = "a seed that fails must be seen")]

mod device;
mod dice;

use std::{fmt::Write as _, ops::Range, time::Duration};

use device::{Model, Traits};
use dice::Dice;
use jackfield_device::{
    channel::Raw,
    session::{Session, SessionError, SessionSettings},
    target::SessionTarget,
};
use serde_json::json;

/// Seeds of every run of the tests.
const SEEDS: Range<u64> = 0..400;
const COMMANDS: usize = 8;
const TIMEOUT: Duration = Duration::from_secs(40);

/// What a seed led to.
#[derive(Default)]
struct Played {
    right: u32,
    errors: u32,
    faults: Vec<String>,
}

fn seeds() -> Range<u64> {
    let chosen = std::env::var("JACKFIELD_MODEL_SEEDS").ok();
    let parsed = chosen.as_deref().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    parsed.unwrap_or(SEEDS)
}

async fn play(seed: u64) -> Played {
    let mut dice = Dice::new(seed);
    let traits = Traits::of(&mut dice);
    let (near, far) = tokio::io::duplex(256 * 1024);
    let model = Model::new(traits.clone(), dice.fork());
    let device = tokio::spawn(model.run(far));
    let folder = tempfile::tempdir().unwrap();
    let settings = SessionSettings::new(folder.path().join("known_hosts"));
    let properties = json!({
        "protocol": "tcp", "host": "model", "port": 1, "user": "lab", "password": "lab-secret-99",
        "profile": traits.profile,
    });
    let properties = properties.as_object().unwrap().clone().into_iter().collect();
    let target = SessionTarget::from_properties(&properties).unwrap();
    let mut played = Played::default();
    let opened = Session::over(Box::new(Raw::new(near)), target, &settings, TIMEOUT, Vec::new()).await;
    let mut session = match opened {
        Ok(session) => session,
        Err(error) => {
            played.faults.push(format!("no login: {error}"));
            return played;
        }
    };
    for number in 0..COMMANDS {
        let command = dice.pick(&traits.commands).clone();
        let command = command.replace('N', &number.to_string());
        let timeout = if dice.one_in(6) { Duration::from_millis(dice.below(900) + 50) } else { TIMEOUT };
        let wanted = device::answer(&traits, &command);
        match session.command(&command, timeout).await {
            Ok(answer) if answer == wanted => played.right += 1,
            Ok(answer) => played.faults.push(format!("`{command}`: {answer:?} is not {wanted:?}")),
            Err(error) => {
                played.errors += 1;
                let may_fail = timeout < TIMEOUT
                    || matches!(error, SessionError::Uncertain { .. })
                    || command.starts_with("ask");
                if !may_fail {
                    played.faults.push(format!("`{command}`: {error}"));
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(dice.below(3) * dice.below(2_000))).await;
    }
    drop(session);
    let typed = device.await.unwrap();
    if typed.iter().any(|line| line.contains("lab-secret")) {
        played.faults.push("the password was typed as a command".to_owned());
    }
    if let Some(answer) = typed.iter().find(|line| line.starts_with("answered ")) {
        played.faults.push(format!("a question was answered with `{answer}`"));
    }
    played
}

#[test]
fn every_answer_is_the_right_one_or_an_error() {
    let (mut right, mut errors, mut told) = (0, 0, String::new());
    for seed in seeds() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let played = runtime.unwrap().block_on(play(seed));
        right += played.right;
        errors += played.errors;
        for fault in played.faults {
            writeln!(told, "seed {seed}: {fault}").unwrap();
        }
    }
    eprintln!("model: {right} answers were right, {errors} were errors");
    assert!(
        told.is_empty(),
        "{} faults\n{}",
        told.lines().count(),
        told.lines().take(20).collect::<Vec<_>>().join("\n")
    );
    assert!(right > 3 * errors, "too few answers: {right} right, {errors} errors");
}
