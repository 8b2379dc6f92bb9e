//! Tests that would hurt their EP: they are told, or ended, and the next test runs.

use jackfield_protocol::{
    link::{Ended, EngineToEp},
    log::Stream,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use crate::{
    engine::Engine,
    fixture::{Ep, assign, bridge, id, order, shell},
};

fn python(engine: &Engine, test: u32, content: &str) {
    assign(engine, order(engine, test, "t.py", content));
}

fn cleanups(ended: &Ended) -> Vec<(&str, Verdict, &str)> {
    ended.end.cleanups.iter().map(|part| (part.name.as_str(), part.verdict, part.reason.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_told_to_the_test_that_says_it() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let calls = r#"
import jackfield
def told(method, **params):
    try:
        jackfield.call(method, **params)
        print(method, "is taken")
    except jackfield.JackfieldError as error:
        print(method, str(error)[:90])
told("variable", name="v", value="x" * 2_000_000)
told("variable", name="n" * 2_000, value="x")
told("part", name="n" * 2_000, verdict="PASS")
told("set_global", path="g", value="x" * 5_000_000)
told("breakpoint", locals="x" * 600_000)
told("cleanup", name="c", command=["/bin/true"], timeout_millis=10**15)
told("cleanup", name="c", command=["/bin/true", "x" * 20_000])
"#;
    python(&engine, 1, calls);
    let log = String::from_utf8(engine.log(id(1), Stream::Cli).await).unwrap();
    insta::assert_snapshot!(log);
    assert_eq!(engine.ended(id(1)).await.end.outcome.verdict, Verdict::Pass);
    shell(&engine, 2, "exit 0");
    assert_eq!(engine.ended(id(2)).await.end.outcome.verdict, Verdict::Pass);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_too_large_is_cut_and_says_so() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let much = r#"
import jackfield
for n in range(20):
    jackfield.variable("v%d" % n, "x" * 900_000)
jackfield.call("part", name="the one", verdict="PASS", reason="kept")
"#;
    python(&engine, 1, much);
    let ended = engine.ended(id(1)).await;
    assert_eq!(ended.end.outcome.verdict, Verdict::Pass);
    let told = "its report was larger than 4 MB: 18 variables were cut to 4096 bytes";
    assert_eq!(ended.end.outcome.reason, told);
    let log = String::from_utf8(engine.log(id(1), Stream::Ep).await).unwrap();
    assert!(log.contains(told), "{log}");
    assert!(log.contains("more than 16 MB of what one test says are not kept"), "{log}");
    assert_eq!(ended.end.parts[0].name, "the one");
    shell(&engine, 2, "exit 0");
    assert_eq!(engine.ended(id(2)).await.end.outcome.verdict, Verdict::Pass);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_clean_ups_that_run() {
    let engine = Engine::start().await;
    let ep = Ep::start_at(&engine, |settings| settings.program = bridge()).await;
    let begun = ep.folder.path().join("begun");
    let script = format!(
        r#"call() {{ "$JACKFIELD_BIN" call "$@"; }}
call cleanup '{{"name": "left", "command": ["true"]}}'
call cleanup '{{"name": "long", "command": ["sh", "-c", "touch {}; exec sleep 600"], "timeout_millis": 3600000}}'"#,
        begun.display()
    );
    shell(&engine, 1, &script);
    while !begun.try_exists().unwrap() {
        tokio::task::yield_now().await;
    }
    let outcome = Outcome::not_pass(
        Verdict::Aborted,
        Cause::Person,
        DecidedBy::Stopped { by: "ana".into() },
        "stopped by ana",
    );
    engine.say(EngineToEp::Stop { attempts: vec![id(1)], outcome });
    let ended = engine.ended(id(1)).await;
    let expect = [
        ("long", Verdict::Aborted, "an end at once was asked for while it ran"),
        ("left", Verdict::NotExecuted, "an end at once was asked for before it began"),
    ];
    assert_eq!(cleanups(&ended), expect);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interpreter_that_stands_still_is_replaced() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    // The interpreter has told of the start by then; without that it has a minute.
    let stop = "import os, signal, time\ntime.sleep(0.3)\nos.kill(os.getppid(), signal.SIGSTOP)\n";
    let mut test = order(&engine, 1, "t.py", stop);
    test.timeout_millis = 500;
    assign(&engine, test);
    let ended = engine.ended(id(1)).await;
    assert_eq!(ended.end.outcome.verdict, Verdict::Timeout);
    let log = String::from_utf8(engine.log(id(1), Stream::Ep).await).unwrap();
    assert!(log.contains("the warm Python interpreter stood still"), "{log}");
    python(&engine, 2, "print('here')\n");
    assert_eq!(engine.ended(id(2)).await.end.outcome.verdict, Verdict::Pass);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_of_himself_gets_little() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let stranger = r#"
import json, os, socket
def connect():
    link = socket.socket(socket.AF_UNIX)
    link.connect(os.environ["JACKFIELD_SOCKET"])
    return link, link.makefile("rwb")
link, file = connect()
link.sendall(b"a" * 10_000)
print(json.loads(file.readline())["error"]["message"])
held = [connect() for _ in range(600)]
hello = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"token": os.environ["JACKFIELD_TOKEN"]}}).encode() + b"\n"
greeted = []
for n in range(300):
    link, file = connect()
    link.sendall(hello)
    answer = json.loads(file.readline())
    greeted.append((link, file))
    if "error" in answer:
        print(n, answer["error"]["message"])
        break
"#;
    python(&engine, 1, stranger);
    let log = String::from_utf8(engine.log(id(1), Stream::Cli).await).unwrap();
    assert_eq!(
        log,
        "a request is longer than 4096 bytes before hello\n256 this test has 256 connections, which are the most; close some\n"
    );
    assert_eq!(engine.ended(id(1)).await.end.outcome.verdict, Verdict::Pass);
    ep.stop().await.unwrap();
}
