//! How tests end, and what is left of them.

use std::collections::BTreeMap;

use jackfield_protocol::{
    guard::{Guard, Latch, Raise},
    link::EngineToEp,
    log::Stream,
    verdict::{Cause, DecidedBy, Outcome, Verdict, VerdictSet},
};

use crate::{
    engine::Engine,
    fixture::{Ep, assign, id, lives, order, shell},
};

fn shown(outcome: &Outcome) -> String {
    let cause = outcome.cause.map_or("-", Cause::as_str);
    format!("{} {cause} {}{}", outcome.verdict, outcome.reason, if outcome.crashed { " crashed" } else { "" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_ends_and_its_status_is_the_verdict() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let cases = [
        ("exit 0", "PASS - "),
        ("exit 77", "SKIPPED test it skipped itself (exit status 77)"),
        ("exit 3", "FAIL product exit status 3"),
        ("kill -SEGV $$", "FAIL test it was ended by signal 11 (SEGV) crashed"),
        (
            "exec /nonexistent/program",
            "FAIL test exit status 127: a program in it was not found; it said: SELF: 2: exec: /nonexistent/program: not found",
        ),
    ];
    for (test, (script, _)) in (1..).zip(cases) {
        shell(&engine, test, script);
    }
    for (test, (script, expect)) in (1..).zip(cases) {
        let outcome = shown(&engine.ended(id(test)).await.end.outcome);
        let own_path = outcome.split_whitespace().find(|word| word.starts_with('/') && word.ends_with("/t:"));
        let outcome = own_path.map_or(outcome.clone(), |path| outcome.replace(path, "SELF:"));
        assert_eq!(outcome, expect, "{script}");
    }
    assert_eq!(std::fs::read_dir(ep.work().join("work")).unwrap().count(), 0);
    ep.stop().await.unwrap();
    assert_eq!(engine.state().goodbyes, 1);
    let seqs: Vec<u64> = engine.state().reports.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(seqs, (1..=10).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_run_says_why_and_what_to_do() {
    let engine = Engine::start().await;
    let ep = Ep::start_with(&engine, |settings| {
        settings.languages.interpreters.insert("tcl".into(), "no-such-tclsh".into());
    })
    .await;
    let mut gone = order(&engine, 3, "gone.sh", "exit 0");
    gone.test.content = None;
    let mut off = order(&engine, 4, "off.sh", "exit 0");
    off.test.runnable = false;
    let mut unknown = order(&engine, 5, "unknown.sh", "never given to the engine");
    let hash = unknown.test.content.unwrap();
    engine.set(|state| {
        state.blobs.remove(&hash);
    });
    unknown.test.name = "unknown".into();
    assign(&engine, order(&engine, 1, "noise", "this is no program"));
    assign(&engine, order(&engine, 2, "x.tcl", "puts hi"));
    for order in [gone, off, unknown, order(&engine, 6, "bang", "#!/no/such/interpreter\n")] {
        assign(&engine, order);
    }
    let mut all = Vec::new();
    for test in 1..=6 {
        all.push(shown(&engine.ended(id(test)).await.end.outcome).replace(&hash.to_string(), "HASH"));
    }
    insta::assert_snapshot!(all.join("\n"));
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_runs_too_long_is_ended_with_all_it_started() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    // A child, a grandchild in a session of its own whose parent is gone, and deaf ears for TERM.
    let script = "trap '' TERM\nsleep 600 & echo $!\nsetsid sh -c 'sleep 601 & echo $!'\nsetsid -f sleep 602\npgrep -f 'sleep 60[2]'\nwait; wait; sleep 603";
    let mut long = order(&engine, 1, "long", &format!("#!/bin/sh\n{script}\n"));
    long.timeout_millis = 700;
    assign(&engine, long);
    let ended = engine.ended(id(1)).await;
    assert_eq!(shown(&ended.end.outcome), "TIMEOUT time it ran longer than its limit of 700ms");
    assert_eq!(ended.end.exit_code, None);
    let log = String::from_utf8(engine.log(id(1), Stream::Cli).await).unwrap();
    let pids: Vec<&str> = log.lines().collect();
    assert!(pids.len() >= 3, "{log}");
    for pid in pids {
        assert!(!lives(pid), "process {pid} is still there");
    }
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_forks_without_end_is_ended() {
    let engine = Engine::start().await;
    // Root, whom the kernel's limit does not bind, is bound too.
    let ep = Ep::start_with(&engine, |settings| settings.limits.processes = 30).await;
    let script = "i=0; while [ $i -lt 40 ]; do sleep 600 & i=$((i+1)); done; echo all; wait";
    assign(&engine, order(&engine, 1, "bomb", &format!("#!/bin/sh\n{script}\n")));
    let ended = engine.ended(id(1)).await;
    let log = String::from_utf8(engine.log(id(1), Stream::Cli).await).unwrap();
    let by_kernel = log.contains("fork");
    let counted = ended.end.outcome.reason == "it had 41 processes; limits.processes of ep.toml is 30";
    assert!(by_kernel || counted, "{:?}\n{log}", ended.end.outcome);
    assert_eq!(ended.end.outcome.verdict, Verdict::Fail);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_test_leaves_running_is_ended_after_it() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    shell(
        &engine,
        1,
        "sleep 600 & echo $!\nsetsid -f sh -c 'echo $$; exec sleep 601'\nuntil [ -n \"$(pgrep -f 'sleep 60[1]')\" ]; do :; done",
    );
    let ended = engine.ended(id(1)).await;
    assert_eq!(ended.end.outcome.verdict, Verdict::Pass);
    let log = String::from_utf8(engine.log(id(1), Stream::Cli).await).unwrap();
    assert_eq!(log.lines().count(), 2, "{log}");
    log.lines().for_each(|pid| assert!(!lives(pid), "process {pid} is still there"));
    let said = String::from_utf8(engine.log(id(1), Stream::Ep).await).unwrap();
    assert!(said.contains("left running by the test"), "{said}");
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_ends_a_running_test_and_one_that_waits() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    shell(&engine, 1, "sleep 600");
    shell(&engine, 2, "exit 0");
    shell(&engine, 3, "exit 0");
    engine.started(id(1)).await;
    let outcome =
        Outcome::not_pass(Verdict::Aborted, Cause::Person, DecidedBy::Declared, "ana stopped the run");
    engine.say(EngineToEp::Stop { attempts: vec![id(1), id(2)], outcome: outcome.clone() });
    assert_eq!(engine.ended(id(1)).await.end.outcome, outcome);
    assert_eq!(engine.ended(id(2)).await.end.outcome, outcome);
    assert_eq!(engine.ended(id(3)).await.end.outcome.verdict, Verdict::Pass);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_between_tests_holds_without_the_engine() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let mut setup = order(&engine, 1, "setup", "#!/bin/sh\nexit 1\n");
    setup.raises = vec![Raise { latch: Latch(1), when: VerdictSet::all_but(Verdict::Pass) }];
    let mut guarded = order(&engine, 2, "guarded", "#!/bin/sh\nexit 0\n");
    guarded.guards = vec![Guard {
        unless: Latch(1),
        verdict: Verdict::NotExecuted,
        cause: Cause::Unfinished,
        reason: "the setup file of suite S did not pass".to_owned(),
    }];
    assign(&engine, setup);
    assign(&engine, guarded);
    shell(&engine, 3, "exit 0");
    let reason = "NOT_EXECUTED unfinished the setup file of suite S did not pass: setup ended FAIL";
    assert_eq!(shown(&engine.ended(id(2)).await.end.outcome), reason);
    assert_eq!(engine.ended(id(3)).await.end.outcome.verdict, Verdict::Pass);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_pattern_ends_the_test_that_shows_it() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let mut panics = order(&engine, 1, "panics", "#!/bin/sh\nprintf 'Kernel p'\nprintf 'anic'\nsleep 600\n");
    panics.test.panic_detect = true;
    assign(&engine, panics);
    let outcome = engine.ended(id(1)).await.end.outcome;
    assert_eq!(shown(&outcome), "FAIL product panic pattern `Kernel p[a]nic` was found in its output");
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_finds_what_the_book_promises() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let script = "#!/bin/sh\nenv | grep ^JACKFIELD_ | grep -v _TOKEN | grep -v _SOCKET | grep -v _DIR | sort; [ \"$PWD\" = \"$JACKFIELD_WORK_DIR\" ] && ls -A && echo \"args: $*\"\n";
    let mut test = order(&engine, 1, "env", script);
    test.test.params = vec!["a b".into(), "c".into()];
    test.test.properties = BTreeMap::from([("Colour".into(), "red".into())]);
    test.test.sut = Some("router.ana".into());
    assign(&engine, test);
    let log = String::from_utf8(engine.log(id(1), Stream::Cli).await).unwrap();
    insta::assert_snapshot!(log);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ep_that_is_stopped_ends_its_test_and_says_goodbye() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    shell(&engine, 1, "seq 100000; sleep 600");
    engine.wait("some of the log", |state| (state.log_frames > 0).then_some(())).await;
    ep.stop().await.unwrap();
    let ended = engine.state().ended(id(1)).unwrap();
    assert_eq!(shown(&ended.end.outcome), "ABORTED person its execution process was stopped");
    let stored = engine.state().logs[&(id(1), Stream::Cli)].len();
    assert_eq!(u64::try_from(stored).unwrap(), ended.end.log_bytes[&Stream::Cli], "a log was left behind");
    assert_eq!(engine.state().goodbyes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_closed_and_opened_again_begins_anew() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let mut setup = order(&engine, 1, "setup", "#!/bin/sh\nexit 1\n");
    setup.raises = vec![Raise { latch: Latch(1), when: VerdictSet::all_but(Verdict::Pass) }];
    assign(&engine, setup);
    engine.ended(id(1)).await;
    engine.say(EngineToEp::CloseRun { run: id(1).run });
    engine.say(EngineToEp::OpenRun(Box::new(crate::fixture::context())));
    for test in 2..12 {
        let mut guarded = order(&engine, test, "again", "#!/bin/sh\nexit 0\n");
        guarded.guards = vec![Guard {
            unless: Latch(1),
            verdict: Verdict::NotExecuted,
            cause: Cause::Unfinished,
            reason: String::new(),
        }];
        assign(&engine, guarded);
    }
    for test in 2..12 {
        assert_eq!(engine.ended(id(test)).await.end.outcome.verdict, Verdict::Pass);
    }
    ep.stop().await.unwrap();
}
