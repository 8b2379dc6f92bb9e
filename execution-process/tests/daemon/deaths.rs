//! An EP that is killed, and starts again: what it ran is reported, and nothing of it is left.

use std::{path::Path, process::Stdio};

use jackfield_protocol::{
    link::{EngineToEp, Held, HeldState, Report},
    log::Stream,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use tokio_util::sync::CancellationToken;

use crate::{
    engine::Engine,
    fixture::{assign, context, id, lives, order, settings, shell},
};

const ENGINE: &str = "JACKFIELD_TRIAL_ENGINE";
const FOLDER: &str = "JACKFIELD_TRIAL_FOLDER";

/// An EP in a process of its own, for the tests below, which start this very program with this name; alone it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_ep_to_kill() {
    let (Some(engine), Some(folder)) = (std::env::var_os(ENGINE), std::env::var_os(FOLDER)) else { return };
    let settings = settings(engine.to_str().unwrap(), Path::new(&folder));
    jackfield_execution_process::run(settings, CancellationToken::new()).await.unwrap();
}

fn start(engine: &Engine, folder: &Path) -> tokio::process::Child {
    tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "deaths::an_ep_to_kill"])
        .env(ENGINE, &engine.url)
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_ep_comes_back_with_nothing_lost_doubled_or_left_running() {
    let engine = Engine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let mut ep = start(&engine, folder.path());
    engine.connected().await;
    engine.say(EngineToEp::OpenRun(Box::new(context())));
    engine.set(|state| state.mute = true);
    let gate = folder.path().join("cleaned");
    shell(&engine, 1, "exit 0");
    let script = format!(
        "echo $$ > {pids}; setsid -f sh -c 'echo $$ >> {pids}; exec sleep 600'; until [ $(wc -l < {pids}) = 2 ]; do :; done; touch {gate}; exec sleep 600",
        pids = pids.display(),
        gate = gate.display()
    );
    shell(&engine, 2, &script);
    shell(&engine, 3, "exit 0");
    engine.ended(id(1)).await;
    engine.started(id(2)).await;
    while !gate.try_exists().unwrap() {
        tokio::task::yield_now().await;
    }
    ep.start_kill().unwrap();
    ep.wait().await.unwrap();
    engine.wait("the end of the connection", |state| (!state.connected).then_some(())).await;
    let before = engine.state().reports.clone();
    engine.set(|state| {
        state.mute = false;
        state.reports.clear();
    });

    let mut ep = start(&engine, folder.path());
    let ended = engine.ended(id(2)).await;
    assert_eq!((ended.end.outcome.verdict, ended.end.outcome.cause), (Verdict::Aborted, Some(Cause::Lab)));
    assert_eq!(ended.end.outcome.reason, "its execution process died and was started again while it ran");
    let text = std::fs::read_to_string(&pids).unwrap();
    text.lines().for_each(|pid| assert!(!lives(pid), "process {pid} is still there"));
    // The first test's reports were not acknowledged: they come again, as they were.
    let after = engine.state().reports.clone();
    assert_eq!(after[..before.len()], before[..]);
    assert!(engine.state().ended(id(3)).is_none(), "what was not begun is the engine's to give again");
    ep.start_kill().unwrap();
    ep.wait().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_eps_do_not_share_a_folder() {
    let engine = Engine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let first = CancellationToken::new();
    let running =
        tokio::spawn(jackfield_execution_process::run(settings(&engine.url, folder.path()), first.clone()));
    engine.connected().await;
    let second =
        jackfield_execution_process::run(settings(&engine.url, folder.path()), CancellationToken::new())
            .await;
    assert!(second.unwrap_err().to_string().contains("in use by another execution process"));
    first.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ep_connects_before_it_cleans_up_after_an_earlier_life() {
    let engine = Engine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut ep = start(&engine, folder.path());
    engine.connected().await;
    engine.say(EngineToEp::OpenRun(Box::new(context())));
    let (gate, begun) = (folder.path().join("gate"), folder.path().join("begun"));
    let test = format!(
        "import jackfield, time\njackfield.cleanup('long', ['sh', '-c', 'touch {}; exec sleep 600'], timeout=3600)\nopen({:?}, 'w')\ntime.sleep(600)\n",
        begun.display(),
        gate.display().to_string()
    );
    assign(&engine, order(&engine, 1, "t.py", &test));
    while !gate.try_exists().unwrap() {
        tokio::task::yield_now().await;
    }
    ep.start_kill().unwrap();
    ep.wait().await.unwrap();
    engine.wait("the end of the connection", |state| (!state.connected).then_some(())).await;
    engine.set(|state| state.hellos.clear());

    let mut ep = start(&engine, folder.path());
    engine.connected().await;
    let held = engine.state().hellos[0].held.clone();
    assert_eq!(held, [Held { attempt: id(1), state: HeldState::Running }]);
    while !begun.try_exists().unwrap() {
        tokio::task::yield_now().await;
    }
    engine.say(EngineToEp::OpenRun(Box::new(context())));
    shell(&engine, 2, "exit 0");
    let outcome = Outcome::not_pass(
        Verdict::Aborted,
        Cause::Person,
        DecidedBy::Stopped { by: "ana".into() },
        "stopped by ana",
    );
    engine.say(EngineToEp::Stop { attempts: vec![id(1)], outcome });
    let ended = engine.ended(id(1)).await;
    assert_eq!(ended.end.outcome.reason, "its execution process died and was started again while it ran");
    assert_eq!(ended.end.cleanups[0].verdict, Verdict::Aborted);
    assert_eq!(engine.ended(id(2)).await.end.outcome.verdict, Verdict::Pass, "then the next test runs");
    let reports = engine.state().reports.clone();
    let place = |is: &dyn Fn(&Report) -> bool| reports.iter().position(|(_, report)| is(report)).unwrap();
    let cleaned = place(&|report| matches!(report, Report::Ended(ended) if ended.attempt == id(1)));
    let begun = place(&|report| matches!(report, Report::Started { attempt, .. } if *attempt == id(2)));
    assert!(cleaned < begun, "and not before: its devices may be the same");
    ep.start_kill().unwrap();
    ep.wait().await.unwrap();
}

/// A step test that waits for what never comes; its clean-up uses what it learned.
const STEPS: &str = r#"
title = "Left in the middle"
[sessions.box]
connect = { protocol = "process", command = ["/bin/sh"], profile = "generic" }
[[steps]]
session = "box"
send = "echo number $((40+7)); touch GATE"
[[steps]]
session = "box"
expect = "number (?<number>[0-9]+)"
[[steps]]
session = "box"
expect = "what never comes"
timeout = "10m"
[[cleanup]]
session = "box"
send = "echo undo ${number} >> DONE"
[[cleanup]]
session = "box"
send = "echo all $((1+1))"
[[cleanup]]
session = "box"
expect = "all 2"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_clean_up_of_a_step_test_is_done_by_the_next_life() {
    let engine = Engine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (gate, done) = (folder.path().join("gate"), folder.path().join("done"));
    let mut ep = start(&engine, folder.path());
    engine.connected().await;
    engine.say(EngineToEp::OpenRun(Box::new(context())));
    let steps = STEPS.replace("GATE", &gate.display().to_string());
    let steps = steps.replace("DONE", &done.display().to_string());
    assign(&engine, order(&engine, 1, "left.steps.toml", &steps));
    shell(&engine, 2, &format!("test -e {}", done.display()));
    engine.started(id(1)).await;
    // Its second step has learned the number when its log says so.
    engine
        .wait("what it learns", |state| {
            let log = state.logs.get(&(id(1), Stream::Cli)).cloned().unwrap_or_default();
            String::from_utf8_lossy(&log).contains("never comes").then_some(())
        })
        .await;
    ep.start_kill().unwrap();
    ep.wait().await.unwrap();
    engine.wait("the end of the connection", |state| (!state.connected).then_some(())).await;
    assert!(!done.try_exists().unwrap());

    let mut ep = start(&engine, folder.path());
    let ended = engine.ended(id(1)).await.end;
    assert_eq!((ended.outcome.verdict, ended.outcome.cause), (Verdict::Aborted, Some(Cause::Lab)));
    assert_eq!(ended.outcome.reason, "its execution process died and was started again while it ran");
    assert_eq!(ended.outcome.decided_by.as_deref(), Some(&DecidedBy::EpRestarted));
    let cleanups: Vec<Verdict> = ended.cleanups.iter().map(|part| part.verdict).collect();
    assert_eq!(cleanups, [Verdict::Pass; 3], "{:?}", ended.cleanups);
    assert_eq!(std::fs::read_to_string(&done).unwrap(), "undo 47\n");
    let hello = engine.state().hellos.last().cloned().unwrap();
    assert!(hello.held.iter().any(|held| held.attempt == id(1)), "the engine waits for it: {:?}", hello.held);
    ep.start_kill().unwrap();
    ep.wait().await.unwrap();
}
