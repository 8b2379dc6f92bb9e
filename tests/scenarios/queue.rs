//! Tests that join a run while it runs, and leave it.

use std::{fs, time::Duration};

use jackfield_protocol::{
    api::TestRow,
    id::RunId,
    verdict::{Cause, TestState, Verdict},
};
use jackfield_tests::{Bench, wait};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);

/// Two suites on one EP; the first test of the first runs until [`go`] is called.
fn gated(bench: &mut Bench) -> RunId {
    let go = bench.path().join("go");
    bench
        .write("tests/gate.sh", &format!("#!/bin/sh\nwhile [ ! -e {} ]; do sleep 0.1; done\n", go.display()))
        .unwrap();
    bench.write("tests/pass.sh", "#!/bin/sh\nexit 0\n").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let suite = |name: &str, files: &[&str]| {
        let cases = files.iter().map(|file| format!("<TestCase><tcName>{file}</tcName></TestCase>"));
        let cases: String = cases.collect();
        format!("<TestSuite><tsName>{name}</tsName><EpId>EP-1</EpId>{cases}</TestSuite>")
    };
    let xml = format!("<Root>{}{}</Root>", suite("first", &["gate.sh"]), suite("second", &["pass.sh"]));
    let run = bench.api.submit("gated", &xml).unwrap();
    wait::until(LIMIT, "the gate to run", || {
        let tests = bench.api.tests(run)?;
        Ok(tests.first().filter(|test| test.state == TestState::Working).map(|_| ()))
    })
    .unwrap();
    run
}

fn go(bench: &Bench) {
    fs::write(bench.path().join("go"), "").unwrap();
}

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

fn named<'t>(tests: &'t [TestRow], name: &str) -> &'t TestRow {
    tests.iter().find(|test| test.name == name).unwrap()
}

#[test]
fn a_new_file_joins_a_suite_and_survives_the_engine() {
    let mut bench = Bench::start("").unwrap();
    let run = gated(&mut bench);
    bench.write("tests/late.sh", "#!/bin/sh\necho as it was\n").unwrap();
    bench.write("tests/more.sh", "#!/bin/sh\nexit 1\n").unwrap();
    let number = run.to_string();
    let queued = bench.jackfield(&["runs", "queue", &number, "late.sh", "--suite", "second"]).unwrap();
    assert_eq!(queued.status.code(), Some(0), "{}", said(&queued));
    assert_eq!(String::from_utf8_lossy(&queued.stdout).trim(), format!("{run}.2"));
    let more: Value = bench
        .api
        .post(&format!("/runs/{run}/queue"), &json!({"suite": "second", "files": ["more.sh"]}))
        .unwrap();
    assert_eq!(more["tests"], json!([3]));
    // What is edited after it was queued changes nothing.
    bench.write("tests/late.sh", "#!/bin/sh\necho edited\nexit 1\n").unwrap();
    bench.kill_engine();
    bench.start_engine().unwrap();
    bench.wait_for_ep("EP-1", |state| state != jackfield_protocol::api::EpState::Offline).unwrap();
    let out = bench.jackfield(&["runs", "dequeue", &number, "3"]).unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    go(&bench);
    let summary = bench.api.wait(run, LIMIT).unwrap();
    assert_eq!(summary.tests, 4);
    let tests = bench.api.tests(run).unwrap();
    let late = named(&tests, "late.sh");
    assert_eq!(late.state, TestState::Ended(Verdict::Pass), "{}", late.reason);
    assert_eq!(late.suite, ["second"]);
    assert_eq!(bench.api.log(late.attempt.unwrap(), "cli").unwrap(), "as it was\n");
    let more = named(&tests, "more.sh");
    assert_eq!((more.state, more.cause), (TestState::Ended(Verdict::Skipped), Some(Cause::Person)));
    assert_eq!(more.reason, "taken out of the run by admin");
    for file in ["junit.xml", "report.html"] {
        let (status, text) = bench.api.request("GET", &format!("/runs/{run}/{file}"), None).unwrap();
        assert_eq!(status, 200, "{text}");
        assert!(
            text.contains("late.sh") && text.contains("taken out of the run by admin"),
            "{file}:\n{text}"
        );
    }
    let shown = bench.jackfield(&["runs", "show", &number]).unwrap();
    assert!(said(&shown).contains("late.sh"), "{}", said(&shown));
}

#[test]
fn what_cannot_be_queued_says_why_and_what_to_do() {
    let mut bench = Bench::start("").unwrap();
    let run = gated(&mut bench);
    bench.write("tests/late.sh", "#!/bin/sh\nexit 0\n").unwrap();
    let number = run.to_string();
    let refused = |words: &[&str], told: &[&str]| {
        let output = bench.jackfield(&[&["runs"], words].concat()).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {}", said(&output));
        told.iter().for_each(|told| assert!(said(&output).contains(told), "{words:?}: {}", said(&output)));
    };
    refused(
        &["queue", &number, "absent.sh", "--suite", "second"],
        &["`absent.sh` is no test of the run", "is not in", "put the file there"],
    );
    refused(
        &["queue", &number, "../engine.toml/../../secret", "--suite", "second"],
        &["is outside of the lab"],
    );
    refused(&["queue", &number, "late.sh", "--suite", "third"], &["no suite `third`", "first, second"]);
    refused(&["queue", &number, "late.sh"], &["say with `suite` where to put it: first, second"]);
    refused(&["dequeue", &number, "0"], &["runs already"]);
    refused(&["dequeue", &number, "9"], &["has no test 9", "jackfield runs show"]);
    let body = json!({"name": "bob", "password": "correct horse", "groups": ["tester"]});
    bench.api.post::<Value>("/users", &body).unwrap();
    let login = json!({"user": "bob", "password": "correct horse", "token": "t"});
    let bob: Value = bench.api.post("/login", &login).unwrap();
    let mut others = bench.api.clone();
    bob["token"].as_str().unwrap().clone_into(&mut others.token);
    let body = json!({"suite": "second", "files": ["late.sh"]});
    let (status, text) = others.request("POST", &format!("/runs/{run}/queue"), Some(&body)).unwrap();
    assert_eq!(status, 403, "{text}");
    assert!(text.contains("is admin's") && text.contains("CHANGE_SERVICES"), "{text}");
    go(&bench);
    bench.api.wait(run, LIMIT).unwrap();
    refused(&["queue", &number, "late.sh", "--suite", "second"], &["has ended", "start a new one"]);
    refused(&["dequeue", &number, "0"], &["has ended"]);
}
