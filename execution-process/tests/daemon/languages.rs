//! Each language an EP runs, with its SDK, its libraries and its own results.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    link::{EngineToEp, RunContext},
    log::Stream,
    plan::{Library, LibraryKind, LibraryLayout},
    verdict::{DecidedBy, Outcome, Verdict},
};

use crate::{
    engine::Engine,
    fixture::{Ep, assign, bridge, context, id, order},
};

async fn ep(engine: &Engine) -> Ep {
    Ep::start_at(engine, |settings| settings.program = bridge()).await
}

async fn outcome(engine: &Engine, test: u32, file: &str, content: &str) -> Outcome {
    assign(engine, order(engine, test, file, content));
    engine.ended(id(test)).await.end.outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn python_tests_run_in_children_of_a_warm_interpreter() {
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    let cases = [
        ("print('hi', FILE_NAME, SUITE_NAME)", Verdict::Pass, ""),
        ("import sys\nsys.exit(77)", Verdict::Skipped, "it skipped itself (exit status 77)"),
        ("assert 1 == 2, 'one is not two'", Verdict::Fail, "one is not two"),
        ("_RESULT = ('ABORTED', 'as I said')", Verdict::Aborted, "as I said"),
        ("import os\nos.kill(os.getpid(), 9)", Verdict::Fail, "it was ended by signal 9 (KILL)"),
    ];
    for (test, (content, verdict, reason)) in (1..).zip(cases) {
        let outcome = outcome(&engine, test, "t.py", content).await;
        assert_eq!((outcome.verdict, outcome.reason.as_str()), (verdict, reason), "{content}");
    }
    assert_eq!(engine.log(id(1), Stream::Cli).await, b"hi t.py Suite\n");
    let two = outcome(&engine, 9, "two.py", "print 'hello'\n").await;
    assert_eq!(two.verdict, Verdict::Invalid);
    assert!(two.reason.contains("Python 2") && two.reason.contains("2to3"), "{}", two.reason);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_test_is_ended_with_its_forks_and_the_next_one_runs() {
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    let content = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n    print(os.getpid(), flush=True)\n    time.sleep(600)\ntime.sleep(600)\n";
    let mut long = order(&engine, 1, "long.py", content);
    long.timeout_millis = 800;
    assign(&engine, long);
    assert_eq!(engine.ended(id(1)).await.end.outcome.verdict, Verdict::Timeout);
    let pid = String::from_utf8(engine.log(id(1), Stream::Cli).await).unwrap();
    assert!(!pid.is_empty() && !crate::fixture::lives(&pid), "process {pid} is still there");
    assert_eq!(outcome(&engine, 2, "next.py", "pass").await.verdict, Verdict::Pass);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_interpreter_that_dies_is_started_again() {
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    let killer =
        outcome(&engine, 1, "killer.py", "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(600)\n")
            .await;
    assert_eq!(killer.verdict, Verdict::Aborted);
    assert!(killer.reason.contains("warm Python interpreter died"), "{}", killer.reason);
    assert_eq!(
        outcome(&engine, 2, "next.py", "pass").await,
        Outcome::pass(DecidedBy::ExitStatus { status: 0 })
    );
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tcl_expect_perl_and_shell_tests_are_run_with_their_sdk() {
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    let cases = [
        ("t.tcl", "logMsg logTest \"from tcl\"\nset _RESULT \"FAIL\"\n", Verdict::Fail, "from tcl"),
        (
            "t.exp",
            "spawn echo spawned\nexpect spawned\nlogMsg logTest \"from expect\"\nset _RESULT PASS\n",
            Verdict::Pass,
            "from expect",
        ),
        (
            "t.pl",
            "use Jackfield; log_msg('logTest', 'from perl'); die \"no carrier\\n\";\n",
            Verdict::Fail,
            "from perl",
        ),
        (
            "t.sh",
            ". jackfield.sh\njf_log logTest 'from shell'\njf_skip 'no lab today'\n",
            Verdict::Skipped,
            "from shell",
        ),
    ];
    for (test, (file, content, verdict, line)) in (1..).zip(cases) {
        let outcome = outcome(&engine, test, file, content).await;
        let log = String::from_utf8(engine.log(id(test), Stream::Test).await).unwrap();
        let output = String::from_utf8_lossy(&engine.log(id(test), Stream::Cli).await).into_owned();
        assert_eq!((outcome.verdict, log.trim()), (verdict, line), "{file}: {} {output}", outcome.reason);
    }
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tests_of_a_junit_producer_are_parts() {
    let engine = Engine::start().await;
    let ep = Ep::start_with(&engine, |settings| {
        let runner = jackfield_config::ep::Runner {
            kind: jackfield_config::ep::RunnerKind::Command,
            command: vec!["{shell}".to_owned(), "{file}".to_owned()],
            results: Some("out.xml".to_owned()),
            output: jackfield_config::ep::RunnerOutput::Text,
            classpath: Vec::new(),
        };
        settings.languages.runners.insert("mine".into(), runner);
    })
    .await;
    let xml = "<testsuite><testcase name=\"one\" time=\"0.5\"/><testcase name=\"two\"><failure message=\"no link\"/></testcase></testsuite>";
    let script = format!("echo '{xml}' > \"$JACKFIELD_WORK_DIR/out.xml\"; exit 1\n");
    assign(&engine, order(&engine, 1, "a.mine", &script));
    let ended = engine.ended(id(1)).await;
    assert_eq!(ended.end.outcome.reason, "1 of 2 tests failed: two: no link");
    let parts: Vec<_> =
        ended.end.parts.iter().map(|part| (part.name.as_str(), part.verdict, part.elapsed_millis)).collect();
    assert_eq!(parts, [("one", Verdict::Pass, 500), ("two", Verdict::Fail, 0)]);
    let empty = outcome(&engine, 2, "b.mine", "echo '<testsuite/>' > out.xml\n").await;
    assert_eq!((empty.verdict, empty.reason.as_str()), (Verdict::Invalid, "command found no tests in it"));
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pytest_tests_are_parts_where_pytest_is_installed() {
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    let mut test = order(
        &engine,
        1,
        "test_x.py",
        "import pytest\ndef test_a(): pass\ndef test_b(): assert 0\n@pytest.mark.skip\ndef test_c(): pass\n",
    );
    test.test.properties = BTreeMap::from([("runner".into(), "pytest".into())]);
    assign(&engine, test);
    let ended = engine.ended(id(1)).await;
    if ended.end.outcome.verdict == Verdict::Invalid {
        // The remedy is named where the tool is missing.
        assert!(ended.end.outcome.reason.contains("no module pytest"), "{}", ended.end.outcome.reason);
    } else {
        assert_eq!(ended.end.outcome.reason, "1 of 3 tests failed: test_x.test_b: assert 0");
        assert_eq!(
            ended.end.parts.iter().map(|part| part.verdict).collect::<Vec<_>>(),
            [Verdict::Pass, Verdict::Fail, Verdict::Skipped]
        );
    }
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_test_talks_to_a_device_in_the_ep_itself() {
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    let steps = r#"
title = "a shell is a device too"
[sessions.box]
connect = { protocol = "process", command = ["/bin/sh"], profile = "generic" }
[[steps]]
session = "box"
send = "echo six times seven is $((6*7))"
[[steps]]
session = "box"
expect = "is ([0-9]+)"
"#;
    assign(&engine, order(&engine, 1, "box.steps.toml", steps));
    let ended = engine.ended(id(1)).await;
    let log = String::from_utf8_lossy(&engine.log(id(1), Stream::Cli).await).into_owned();
    assert_eq!(ended.end.outcome.verdict, Verdict::Pass, "{log}");
    assert_eq!(ended.end.parts.len(), 2, "{:?}", ended.end.parts);
    let recording = engine.state().blobs[&ended.artifacts["box.cast"]].clone();
    assert!(String::from_utf8(recording).unwrap().contains("42"));
    let bad = outcome(&engine, 2, "bad.steps.toml", "titel = 3\n").await;
    assert_eq!(bad.verdict, Verdict::Invalid);
    assert!(bad.reason.contains("bad.steps.toml:1"), "{}", bad.reason);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn libraries_are_laid_out_as_the_project_says() {
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    let file = |path: &str, text: &str| (Arc::<str>::from(path), engine.blob(text.as_bytes()));
    let folder = |files: Vec<_>| Library { kind: LibraryKind::Folder, files: files.into_iter().collect() };
    let shared = folder(vec![file("one.py", "who = 'shared'"), file("sub/two.py", "two = 2")]);
    let own = Library { kind: LibraryKind::File, files: [file("one.py", "who = 'suite'")].into() };
    let libraries = BTreeMap::from([(Arc::from("shared"), shared), (Arc::from("own/one.py"), own)]);
    engine.say(EngineToEp::OpenRun(Box::new(RunContext { libraries: libraries.clone(), ..context() })));
    let mut flat = order(&engine, 1, "flat.py", "import one, two\nprint(one.who, two.two)");
    flat.test.libraries = vec!["shared".into(), "own/one.py".into()];
    assign(&engine, flat.clone());
    assert_eq!(engine.log(id(1), Stream::Cli).await, b"suite 2\n");
    let layout = LibraryLayout::Deep;
    engine.say(EngineToEp::OpenRun(Box::new(RunContext { libraries, library_layout: layout, ..context() })));
    let mut deep = order(
        &engine,
        2,
        "deep.py",
        "import one\nfrom shared import one as inner\nfrom shared.sub.two import two\nprint(one.who, inner.who, two)",
    );
    deep.test.libraries = flat.test.libraries;
    assign(&engine, deep);
    assert_eq!(engine.log(id(2), Stream::Cli).await, b"suite shared 2\n");
    let mut missing = order(&engine, 3, "m.py", "pass");
    missing.test.libraries = vec!["nowhere".into()];
    assign(&engine, missing);
    assert_eq!(
        engine.ended(id(3)).await.end.outcome.reason,
        "library `nowhere` was not there when the run began"
    );
    ep.stop().await.unwrap();
}
