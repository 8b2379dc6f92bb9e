//! What a test can say and ask on its socket.

use jackfield_protocol::{
    link::{Ask, EngineToEp},
    log::Stream,
    plan::{Iteration, IterationSave, IteratorValue},
    verdict::Verdict,
};
use serde_json::json;

use crate::{
    engine::Engine,
    fixture::{Ep, assign, bridge, id, order},
};

async fn ep(engine: &Engine) -> Ep {
    Ep::start_at(engine, |settings| settings.program = bridge()).await
}

/// A shell script in which `jf METHOD PARAMS` asks the EP.
fn script(lines: &str) -> String {
    format!("#!/bin/sh\njf() {{ \"$JACKFIELD_BIN\" call \"$@\"; }}\n{lines}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_test_says_is_in_its_report() {
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    let lines = r#"
echo kept > result.txt
jf part '{"name": "first", "verdict": "PASS", "elapsed_millis": 5}'
jf variable '{"name": "build", "value": "1.2"}'
jf artifact '{"name": "result.txt", "path": "result.txt"}'
jf log '{"log": "logTest", "text": "a line"}'
jf log '{"log": "myLog", "text": "another"}'
jf result '{"verdict": "skip", "reason": "not today"}'
exit 1"#;
    assign(&engine, order(&engine, 1, "t", &script(lines)));
    let ended = engine.ended(id(1)).await;
    assert_eq!(
        (ended.end.outcome.verdict, ended.end.outcome.reason.as_str()),
        (Verdict::Skipped, "not today")
    );
    assert_eq!(ended.end.exit_code, Some(1));
    assert_eq!(ended.end.parts[0].name, "first");
    assert_eq!(ended.end.variables["build"].as_ref(), "1.2");
    assert_eq!(engine.state().blobs[&ended.artifacts["result.txt"]], b"kept\n");
    assert_eq!(engine.log(id(1), Stream::Test).await, b"a line\n");
    assert_eq!(engine.log(id(1), Stream::Custom).await, b"myLog: another\n");
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn clean_ups_run_after_every_end_with_their_own_verdicts() {
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    let trace = ep.folder.path().join("trace");
    let lines = format!(
        r#"
jf cleanup '{{"name": "first", "command": ["sh", "-c", "echo first >> {trace}; test -d $JACKFIELD_WORK_DIR"]}}'
jf cleanup '{{"name": "second", "command": ["sh", "-c", "echo second >> {trace}; exit 4"]}}'
jf cleanup '{{"name": "third", "command": ["sleep", "600"], "timeout_millis": 200}}'
sleep 600"#,
        trace = trace.display()
    );
    let mut test = order(&engine, 1, "t", &script(&lines));
    // Long enough for a busy machine to register them all.
    test.timeout_millis = 3_000;
    assign(&engine, test);
    let ended = engine.ended(id(1)).await;
    assert_eq!(ended.end.outcome.verdict, Verdict::Timeout);
    let shown: Vec<_> = ended
        .end
        .cleanups
        .iter()
        .map(|part| (part.name.as_str(), part.verdict, part.reason.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("third", Verdict::Timeout, "it ran longer than its limit of 200 ms"),
            ("second", Verdict::Fail, "exit status: 4"),
            ("first", Verdict::Pass, "")
        ]
    );
    assert_eq!(std::fs::read_to_string(trace).unwrap(), "second\nfirst\n");
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_go_to_the_engine_and_survive_a_broken_connection() {
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    engine.set(|state| {
        state.answer("get_global", json!({"a": 1}));
        state.answer("get_binding", json!({"id": "0123456789", "path": "/router/port1"}));
    });
    let lines = r#"
jf get_global '{"path": "Level_A"}'
jf get_bind_name '{"component": "port"}'
jf get_bind_id '{"component": "port", "config": "c.xml"}'
jf interact '{"kind": "decide", "message": "go on?", "default": true}'"#;
    assign(&engine, order(&engine, 1, "t", &script(lines)));
    let is_question = |(_, ask): &(u64, Ask)| matches!(ask, Ask::Interact(_));
    engine.wait("the question", |state| state.asks.iter().any(is_question).then_some(())).await;
    engine.set(|state| state.asks.clear());
    engine.cut().await;
    let question = engine
        .wait("it again", |state| {
            state.asks.iter().find(|ask| is_question(ask)).map(|(question, _)| *question)
        })
        .await;
    engine.say(EngineToEp::Answer {
        id: question,
        result: jackfield_protocol::link::CallResult::Ok(json!("yes")),
    });
    let log = String::from_utf8(engine.log(id(1), Stream::Cli).await).unwrap();
    assert_eq!(log, "{\"a\":1}\n/router/port1\n0123456789\nyes\n");
    assert_eq!(engine.ended(id(1)).await.end.outcome.verdict, Verdict::Pass);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_answers_with_the_value_of_this_copy() {
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    let config = "<root><folder><fname>port</fname><fdesc/><param><name>speed</name><value>3, 1..3</value><type>iterator</type><desc/></param><param><name>duplex</name><value>full</value><type>string</type><desc/></param></folder></root>";
    let mut test = order(
        &engine,
        1,
        "t",
        &script(
            "jf get_config '{\"config\": \"c.xml\"}'; jf get_config '{\"config\": \"c.xml\", \"path\": \"port/speed\"}'; jf get_config '{\"config\": \"c.xml\", \"path\": \"port/none\"}'; jf get_config '{\"config\": \"d.xml\"}' || true",
        ),
    );
    test.test.configs = vec![("c.xml".into(), engine.blob(config.as_bytes()))];
    let value = IteratorValue {
        config: "c.xml".into(),
        component: "port".into(),
        name: "speed".into(),
        value: "2".into(),
    };
    test.test.iteration = Some(Iteration {
        group: 1,
        text: "c.xml#port#speed=2".into(),
        values: vec![value],
        stop_on_fail: false,
        save: IterationSave::All,
    });
    assign(&engine, test);
    let log = String::from_utf8(engine.log(id(1), Stream::Cli).await).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines[..3], ["{\"port\":{\"duplex\":\"full\",\"speed\":\"2\"}}", "2", "null"]);
    assert!(lines[3].contains("no configuration of this test; it has: c.xml"), "{log}");
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_shared_by_the_tests_of_a_run_and_recorded() {
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    let connect = r#"{"connect": {"protocol": "process", "command": ["/bin/sh"]}, "name": "box"}"#;
    let first = script(&format!(
        "jf session_open '{connect}'\njf session_send '{{\"session\": \"box\", \"text\": \"secret=$((6*7)); echo first$secret\"}}'\njf session_expect '{{\"session\": \"box\", \"patterns\": [{{\"exact\": \"first42\"}}]}}'"
    ));
    let second = script(&format!(
        "jf session_open '{connect}'\njf session_send '{{\"session\": \"box\", \"text\": \"echo it is $secret.\"}}'\njf session_expect '{{\"session\": \"box\", \"patterns\": [\"is ([0-9]+)[.]\"]}}'\njf session_list\njf session_close '{{\"session\": \"box\"}}'\njf session_list"
    ));
    assign(&engine, order(&engine, 1, "a", &first));
    assign(&engine, order(&engine, 2, "b", &second));
    let one = engine.ended(id(1)).await;
    assert_eq!(one.end.outcome.verdict, Verdict::Pass);
    let two = engine.ended(id(2)).await;
    let recording = |ended: &jackfield_protocol::link::Ended| {
        String::from_utf8(engine.state().blobs[&ended.artifacts["box.cast"]].clone()).unwrap()
    };
    assert!(recording(&one).contains("first42") && !recording(&one).contains("it is"));
    assert!(recording(&two).contains("it is 42.") && !recording(&two).contains("first42"));
    let log = String::from_utf8(engine.log(id(2), Stream::Cli).await).unwrap();
    assert_eq!(engine.ended(id(2)).await.end.outcome.verdict, Verdict::Pass, "{log}");
    assert!(
        log.contains("\"groups\":[\"42\"]") && log.contains("[\"box\"]") && log.ends_with("[]\n"),
        "{log}"
    );
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_and_a_wrong_request_are_refused_with_a_reason() {
    use std::io::{BufRead, Write};
    let engine = Engine::start().await;
    let ep = ep(&engine).await;
    let answers = tokio::task::spawn_blocking({
        let socket = ep.work().join("ep.sock");
        move || {
            let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
            let lines = [
                "no json",
                "[1]",
                r#"{"jsonrpc":"2.0","id":1,"method":"log","params":{}}"#,
                r#"{"jsonrpc":"2.0","id":2,"method":"hello","params":{"token":"guessed"}}"#,
            ];
            stream.write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
            let reader = std::io::BufReader::new(stream);
            reader.lines().take(lines.len()).map(Result::unwrap).collect::<Vec<String>>()
        }
    })
    .await
    .unwrap();
    insta::assert_snapshot!(answers.join("\n"));
    ep.stop().await.unwrap();
}
