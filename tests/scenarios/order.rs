//! What runs, where, in which order, and what a person can do meanwhile.

use std::{collections::BTreeMap, fs, time::Duration};

use jackfield_protocol::{
    api::{TestRow, Waiting},
    event::RunState,
    verdict::{Cause, TestState, Verdict},
};
use jackfield_tests::{Bench, wait};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(60);

/// A test of this name that ends with this status and says so in a file.
fn case(file: &str, id: &str, more: &str) -> String {
    format!("<TestCase><tcName>{file}</tcName><ID>{id}</ID>{more}</TestCase>\n")
}

fn property(name: &str, value: &str) -> String {
    format!("<Property><propName>{name}</propName><propValue>{value}</propValue></Property>")
}

fn bench(eps: &[&str]) -> Bench {
    let mut bench = Bench::start("").unwrap();
    let order = bench.path().join("order");
    for (name, end) in [("pass", "exit 0"), ("fail", "exit 1"), ("skip", "exit 77"), ("slow", "sleep 30")] {
        let text = format!("#!/bin/sh\necho $JACKFIELD_TEST_ID >> {}\n{end}\n", order.display());
        bench.write(&format!("tests/{name}.sh"), &text).unwrap();
    }
    for ep in eps {
        bench.start_ep(ep, "").unwrap();
    }
    bench
}

/// The IDs of the tests that really ran, in order, without the part that names the EP.
fn order(bench: &Bench) -> Vec<String> {
    let text = fs::read_to_string(bench.path().join("order")).unwrap_or_default();
    text.lines().map(|id| id.split('#').next().unwrap().to_owned()).collect()
}

fn states(tests: &[TestRow]) -> BTreeMap<String, TestState> {
    tests.iter().map(|test| (test.id.split('#').next().unwrap().to_owned(), test.state)).collect()
}

const PASS: TestState = TestState::Ended(Verdict::Pass);
const FAIL: TestState = TestState::Ended(Verdict::Fail);
const SKIPPED: TestState = TestState::Ended(Verdict::Skipped);
const NOT_EXECUTED: TestState = TestState::Ended(Verdict::NotExecuted);

#[test]
fn a_failed_setup_leaves_its_suite_out_and_teardown_still_runs() {
    let bench = bench(&["EP-1"]);
    let (setup, teardown) = (property("setup_file", "true"), property("teardown_file", "true"));
    let xml = format!(
        "<Root><TestSuite><tsName>a</tsName><ID>sa</ID>{}{}<TestSuite><tsName>inner</tsName><ID>si</ID>{}</TestSuite>{}</TestSuite>\
         <TestSuite><tsName>b</tsName><ID>sb</ID>{}</TestSuite></Root>",
        case("fail.sh", "setup", &setup),
        case("pass.sh", "left-out", ""),
        case("pass.sh", "inner-left-out", ""),
        case("pass.sh", "teardown", &teardown),
        case("pass.sh", "other", ""),
    );
    let run = bench.api.submit("setup", &xml).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let tests = bench.api.tests(run).unwrap();
    let states = states(&tests);
    assert_eq!(states["setup"], FAIL);
    assert_eq!(states["left-out"], NOT_EXECUTED);
    assert_eq!(states["inner-left-out"], NOT_EXECUTED);
    assert_eq!(states["teardown"], PASS);
    assert_eq!(states["other"], PASS);
    let reason = &tests.iter().find(|test| test.id.starts_with("left-out")).unwrap().reason;
    assert!(reason.contains("setup file") && reason.contains("fail.sh"), "{reason}");
}

#[test]
fn a_dependency_holds_across_eps_and_one_that_fails_skips() {
    let bench = bench(&["EP-1", "EP-2"]);
    let needs = |what: &str| format!("<Dependency>{what}</Dependency>");
    let xml = format!(
        "<Root><TestSuite><tsName>a</tsName><ID>sa</ID><EpId>EP-1</EpId>{}{}</TestSuite>\
         <TestSuite><tsName>b</tsName><ID>sb</ID><EpId>EP-2</EpId>{}{}{}</TestSuite></Root>",
        case("pass.sh", "first", ""),
        case("fail.sh", "broken", ""),
        case("pass.sh", "second", &needs("first:pass;")),
        case("pass.sh", "never", &needs("broken:pass;")),
        case("pass.sh", "after", &needs("broken:any;")),
    );
    let run = bench.api.submit("depends", &xml).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let tests = bench.api.tests(run).unwrap();
    let states = states(&tests);
    assert_eq!((states["first"], states["second"], states["after"]), (PASS, PASS, PASS));
    assert_eq!(states["never"], SKIPPED);
    let order = order(&bench);
    let place = |id: &str| order.iter().position(|ran| ran == id).unwrap();
    assert!(place("first") < place("second") && place("broken") < place("after"), "{order:?}");
    let eps: Vec<&str> = tests.iter().filter_map(|test| test.ep.as_ref()).map(|ep| ep.as_str()).collect();
    assert!(eps.contains(&"EP-1") && eps.contains(&"EP-2"));
}

#[test]
fn stop_on_fail_ends_the_part_and_optional_tests_do_no_harm() {
    let bench = bench(&["EP-1"]);
    let xml = format!(
        "<Root><stoponfail>true</stoponfail><TestSuite><tsName>a</tsName><ID>sa</ID>{}{}{}{}</TestSuite></Root>",
        case("fail.sh", "optional", &property("Optional", "true")),
        case("pass.sh", "runs", ""),
        case("fail.sh", "mandatory", ""),
        case("pass.sh", "left-out", ""),
    );
    let run = bench.api.submit("stop", &xml).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let states = states(&bench.api.tests(run).unwrap());
    assert_eq!((states["optional"], states["runs"], states["mandatory"]), (FAIL, PASS, FAIL));
    assert_eq!(states["left-out"], NOT_EXECUTED);
}

#[test]
fn an_iterator_makes_three_tests_in_the_order_of_its_values() {
    let bench = bench(&["EP-1"]);
    bench
        .write(
            "configs/speeds",
            "<root><folder><fname>port</fname><param><name>speed</name><value>3, 1..3</value><type>iterator</type></param></folder></root>",
        )
        .unwrap();
    bench.write("tests/speed.py", "print(ITERATION, FIRST_ITERATOR_VAL)\n").unwrap();
    let config = r#"<ConfigFiles><Config name="speeds" enabled="true"/></ConfigFiles>"#;
    let xml = format!(
        "<Root><TestSuite><tsName>a</tsName><ID>sa</ID>{}</TestSuite></Root>",
        case("speed.py", "speed", config)
    );
    let run = bench.api.submit("iterate", &xml).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let tests = bench.api.tests(run).unwrap();
    let said: Vec<String> =
        tests.iter().map(|test| bench.api.log(test.attempt.unwrap(), "cli").unwrap()).collect();
    assert_eq!(said, ["speeds#port#speed=3 3\n", "speeds#port#speed=1 1\n", "speeds#port#speed=2 2\n"]);
}

#[test]
fn pause_stop_and_time_limits_end_in_true_verdicts() {
    let bench = bench(&["EP-1"]);
    let teardown = property("teardown_file", "true");
    let xml = format!(
        "<Root><TestSuite><tsName>a</tsName><ID>sa</ID>{}{}{}{}{}</TestSuite></Root>",
        case("slow.sh", "too-slow", "<Timeout>1</Timeout>"),
        case("pass.sh", "fine", ""),
        case("slow.sh", "stopped", ""),
        case("pass.sh", "left-out", ""),
        case("pass.sh", "teardown", &teardown),
    );
    let run = bench.api.submit("limits", &xml).unwrap();
    wait::until(LIMIT, "the test that will be stopped to run", || {
        Ok(order(&bench).iter().any(|id| id == "stopped").then_some(()))
    })
    .unwrap();
    bench.api.post::<serde_json::Value>(&format!("/runs/{run}/pause"), &json!({})).unwrap();
    assert_eq!(bench.api.run(run).unwrap().state, RunState::Paused);
    bench.api.post::<serde_json::Value>(&format!("/runs/{run}/resume"), &json!({})).unwrap();
    bench
        .api
        .post::<serde_json::Value>(&format!("/runs/{run}/stop"), &json!({"reason": "seen enough"}))
        .unwrap();
    let summary = bench.api.wait(run, LIMIT).unwrap();
    assert_eq!(summary.state, RunState::Stopped);
    let tests = bench.api.tests(run).unwrap();
    let by_id = |id: &str| tests.iter().find(|test| test.id.starts_with(id)).unwrap();
    assert_eq!(by_id("too-slow").state, TestState::Ended(Verdict::Timeout));
    assert_eq!(by_id("too-slow").cause, Some(Cause::Time));
    assert_eq!(by_id("fine").state, PASS);
    assert_eq!(by_id("stopped").state, TestState::Ended(Verdict::Aborted));
    assert_eq!(by_id("stopped").cause, Some(Cause::Person));
    assert!(by_id("stopped").reason.contains("seen enough"), "{}", by_id("stopped").reason);
    assert_eq!(by_id("left-out").state, NOT_EXECUTED);
    assert_eq!(by_id("teardown").state, PASS);
}

#[test]
fn a_run_that_waits_says_for_what() {
    let bench = bench(&[]);
    let xml = format!(
        "<Root><TestSuite><tsName>a</tsName><ID>sa</ID><EpId>EP-9</EpId>{}</TestSuite></Root>",
        case("pass.sh", "one", "")
    );
    let run = bench.api.submit("waits", &xml).unwrap();
    let why: Vec<Waiting> = bench.api.get(&format!("/runs/{run}/why")).unwrap();
    assert!(why.iter().any(|waiting| waiting.waits_for.contains("EP-9")), "{why:?}");
    let said = bench.jackfield(&["runs", "why", &run.to_string()]).unwrap();
    assert!(String::from_utf8_lossy(&said.stdout).contains("EP-9"));
}

#[test]
fn a_test_asks_a_person_and_gets_the_answer() {
    let bench = bench(&["EP-1"]);
    let ask = "\
               answer = interact('options', 'which LED is lit?', 30, {'options': ['green', 'red'], 'default': 'red'})\n\
               print('it is', answer)\n";
    bench.write("tests/ask.py", ask).unwrap();
    let xml = format!(
        "<Root><TestSuite><tsName>a</tsName><ID>sa</ID>{}</TestSuite></Root>",
        case("ask.py", "ask", "")
    );
    let run = bench.api.submit("ask", &xml).unwrap();
    let question = wait::until(LIMIT, "the question", || {
        Ok(bench.api.events(run)?.iter().find_map(|event| match &event.fact {
            jackfield_protocol::event::Fact::Asked { question, .. } => Some(*question),
            _ => None,
        }))
    })
    .unwrap();
    let wrong =
        bench.jackfield(&["runs", "answer", &run.to_string(), &question.to_string(), "blue"]).unwrap();
    assert_eq!(wrong.status.code(), Some(2), "{}", String::from_utf8_lossy(&wrong.stderr));
    let right =
        bench.jackfield(&["runs", "answer", &run.to_string(), &question.to_string(), "green"]).unwrap();
    assert_eq!(right.status.code(), Some(0), "{}", String::from_utf8_lossy(&right.stderr));
    bench.api.wait(run, LIMIT).unwrap();
    let tests = bench.api.tests(run).unwrap();
    assert_eq!(tests[0].state, PASS, "{}", tests[0].reason);
    assert_eq!(bench.api.log(tests[0].attempt.unwrap(), "cli").unwrap(), "it is green\n");
}
