//! Connections that break, engines that go away, tests that are taken back.

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    link::{EngineToEp, HeldState},
    verdict::Verdict,
};

use crate::{
    engine::Engine,
    fixture::{Ep, context, id, lives, shell},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_ep_says_who_it_is_and_what_it_can() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let hello = engine.state().hellos[0].clone();
    assert_eq!((hello.ep.as_str(), hello.token.expose_for_login(), hello.lanes), ("EP-1", "secret", 1));
    assert!(hello.host.python.starts_with("3."), "{:?}", hello.host);
    for capability in ["python", "shell", "steps", "telnet", "ssh"] {
        assert!(hello.capabilities.iter().any(|have| have.as_ref() == capability), "{capability}");
    }
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_however_often_the_connection_breaks() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    for test in 1..=40 {
        shell(&engine, test, "echo hi");
    }
    for round in 1..=4 {
        let seen = round * 8;
        engine.wait("some ends", |state| (state.all_ended().count() >= seen).then_some(())).await;
        engine.cut().await;
        engine.connected().await;
        engine.say(EngineToEp::OpenRun(Box::new(context())));
    }
    for test in 1..=40 {
        assert_eq!(engine.ended(id(test)).await.end.outcome.verdict, Verdict::Pass);
    }
    let distinct: std::collections::BTreeSet<u64> =
        engine.state().reports.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(distinct, (1..=80).collect(), "two reports for each test, each with its own number");
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_test_goes_on_while_the_engine_is_away_but_no_other_starts() {
    let engine = Engine::start_with(1 << 20, 600).await;
    let ep = Ep::start(&engine).await;
    let gate = ep.folder.path().join("gate");
    shell(&engine, 1, &format!("until [ -e {} ]; do sleep 0.02; done; exit 0", gate.display()));
    shell(&engine, 2, "exit 0");
    engine.started(id(1)).await;
    engine.set(|state| state.away = true);
    engine.cut().await;
    // Once the silence limit has passed the first may end, but the second may not begin: another EP could have it.
    let silence = std::time::Duration::from_millis(700);
    tokio::time::timeout(silence, std::future::pending::<()>()).await.unwrap_err();
    std::fs::write(&gate, "").unwrap();
    let reports = ep.work().join("reports");
    let ended = || std::fs::read(&reports).unwrap().windows(7).any(|seven| seven == b"\"ended\"");
    while !ended() {
        tokio::task::yield_now().await;
    }
    assert_eq!(std::fs::read_dir(ep.work().join("work")).unwrap().count(), 0);
    engine.set(|state| {
        state.away = false;
        state.unwanted.insert(id(2));
    });
    assert_eq!(engine.ended(id(1)).await.end.outcome.verdict, Verdict::Pass);
    let hello = engine.state().hellos.last().unwrap().clone();
    let held: Vec<_> = hello.held.iter().map(|held| (held.attempt, held.state)).collect();
    assert_eq!(held, [(id(2), HeldState::Queued), (id(1), HeldState::Ended)]);
    // What the engine does not keep is not run, and not reported.
    engine.say(EngineToEp::OpenRun(Box::new(context())));
    shell(&engine, 3, "exit 0");
    engine.ended(id(3)).await;
    assert!(engine.state().ended(id(2)).is_none());
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_test_that_is_not_wanted_any_more_is_ended_without_a_report() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let pid_file = ep.folder.path().join("pid");
    shell(&engine, 1, &format!("echo $$ > {}; sleep 600", pid_file.display()));
    engine.started(id(1)).await;
    engine.set(|state| {
        state.unwanted.insert(id(1));
    });
    engine.cut().await;
    engine.connected().await;
    engine.say(EngineToEp::OpenRun(Box::new(context())));
    shell(&engine, 2, "exit 0");
    engine.ended(id(2)).await;
    assert!(engine.state().ended(id(1)).is_none());
    assert!(!lives(&std::fs::read_to_string(pid_file).unwrap()));
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_that_wait_are_taken_back_and_the_running_one_is_not() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let gate = ep.folder.path().join("gate");
    shell(&engine, 1, &format!("until [ -e {} ]; do sleep 0.02; done; exit 0", gate.display()));
    shell(&engine, 2, "exit 0");
    shell(&engine, 3, "exit 0");
    engine.started(id(1)).await;
    engine.say(EngineToEp::TakeBack { attempts: vec![id(1), id(2), id(3)] });
    engine.wait("two returned", |state| (state.returned.len() >= 2).then_some(())).await;
    std::fs::write(&gate, "").unwrap();
    assert_eq!(engine.ended(id(1)).await.end.outcome.verdict, Verdict::Pass);
    assert_eq!(engine.state().returned, [id(2), id(3)]);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_falls_silent_is_dialled_again() {
    let engine = Engine::start_with(1 << 20, 400).await;
    engine.set(|state| state.silent = true);
    let ep = Ep::start(&engine).await;
    engine.wait("a second hello", |state| (state.hellos.len() >= 2).then_some(())).await;
    engine.set(|state| state.silent = false);
    engine.connected().await;
    engine.say(EngineToEp::OpenRun(Box::new(context())));
    shell(&engine, 1, "exit 0");
    assert_eq!(engine.ended(id(1)).await.end.outcome.verdict, Verdict::Pass);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ep_whose_token_is_refused_ends_and_says_so() {
    let engine = Engine::start().await;
    let problem = Problem::new(ErrorCode::Unauthenticated, "this token is not known; make one");
    engine.set(|state| state.refusal = Some(problem));
    let folder = tempfile::tempdir().unwrap();
    let settings = crate::fixture::settings(&engine.url, folder.path());
    let ended = jackfield_execution_process::run(settings, tokio_util::sync::CancellationToken::new()).await;
    let error = ended.unwrap_err().to_string();
    assert_eq!(error, "the engine refused this execution process: this token is not known; make one");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_engine_gave_out_is_ended_and_never_told_to_this_one() {
    let engine = Engine::start().await;
    engine.set(|state| state.life = "first".to_owned());
    let ep = Ep::start(&engine).await;
    // The first engine stores nothing more: a report and a log stay behind, and a test runs on.
    engine.set(|state| state.mute = true);
    shell(&engine, 1, "echo of the first lab; exit 0");
    let log = ep.folder.path().join("pid");
    shell(
        &engine,
        2,
        &format!("echo $$ > {0}.new; mv {0}.new {0}; echo of the first lab; exec sleep 600", log.display()),
    );
    engine.ended(id(1)).await;
    engine.started(id(2)).await;
    while !log.try_exists().unwrap() {
        tokio::task::yield_now().await;
    }
    let first = engine.state().hellos.last().unwrap().clone();
    assert_eq!((first.instance.len(), first.life.as_str()), (32, ""));
    // Another lab listens at the same address.
    engine.set(|state| {
        state.life = "second".to_owned();
        state.mute = false;
        state.reports.clear();
        state.logs.clear();
        state.acked = 0;
        state.connected = false;
    });
    engine.cut().await;
    let is_new = |state: &crate::engine::State| {
        let hello = state.hellos.last()?;
        (hello.life.is_empty() && state.hellos.len() > 2).then(|| hello.clone())
    };
    let second = engine.wait("a new beginning", is_new).await;
    assert_eq!((second.instance, second.held.len(), second.runs.len()), (first.instance, 0, 0));
    assert!(!lives(&std::fs::read_to_string(&log).unwrap()), "the test of the first lab still runs");
    engine.connected().await;
    engine.say(EngineToEp::OpenRun(Box::new(context())));
    shell(&engine, 3, "echo of the second lab");
    engine.log(id(3), jackfield_protocol::log::Stream::Cli).await;
    {
        let state = engine.state();
        let told: Vec<_> = state.all_ended().map(|ended| ended.attempt).collect();
        assert_eq!(told, [id(3)], "{:?}", state.reports);
        let of_others = state.logs.keys().filter(|(attempt, _)| *attempt != id(3)).count();
        assert_eq!(of_others, 0, "{:?}", state.logs);
    }
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_ends_the_newcomer_and_not_who_had_it() {
    let engine = Engine::start().await;
    let taken = || Problem::new(ErrorCode::NameTaken, "an EP of this name is connected from lab-pc-1");
    let ep = Ep::start(&engine).await;
    engine.set(|state| state.refusal = Some(taken()));
    engine.cut().await;
    let again = engine.state().hellos.len() + 1;
    engine.wait("another try", |state| (state.hellos.len() > again).then_some(())).await;
    engine.set(|state| state.refusal = None);
    engine.connected().await;
    ep.stop().await.unwrap();
    engine.set(|state| state.refusal = Some(taken()));
    let folder = tempfile::tempdir().unwrap();
    let settings = crate::fixture::settings(&engine.url, folder.path());
    let error = jackfield_execution_process::run(settings, tokio_util::sync::CancellationToken::new())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("connected from lab-pc-1"), "{error}");
}
