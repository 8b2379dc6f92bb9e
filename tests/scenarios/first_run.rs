//! The first ten minutes: a project of one test, run and read through the command line.

use std::time::Duration;

use jackfield_protocol::{
    event::{Fact, RunState},
    verdict::{Cause, TestState, Verdict},
};
use jackfield_tests::Bench;

const PROJECT: &str = r#"<Root>
  <stoponfail>false</stoponfail>
  <TestSuite><tsName>first</tsName><ID>s1</ID>
    <TestCase><tcName>hello.py</tcName><ID>t1</ID></TestCase>
    <TestCase><tcName>goodbye.sh</tcName><ID>t2</ID></TestCase>
  </TestSuite>
</Root>"#;

fn bench() -> Bench {
    let mut bench = Bench::start("").unwrap();
    bench
        .write("tests/hello.py", "import sys\nprint('hello from', sys.argv[0].rsplit('/', 1)[-1])\n")
        .unwrap();
    bench.write("tests/goodbye.sh", "#!/bin/sh\necho goodbye\nexit 3\n").unwrap();
    bench.write("projects/first.xml", PROJECT).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    bench
}

#[test]
fn a_run_is_told_by_command_line_api_and_junit_alike() {
    let bench = bench();
    let junit = bench.path().join("junit.xml");
    let project = bench.lab().join("projects/first.xml");

    let output =
        bench.jackfield(&["run", project.to_str().unwrap(), "--junit", junit.to_str().unwrap()]).unwrap();
    let (out, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "one test failed: {out}{talk}");
    assert!(out.contains("1 PASS, 1 FAIL of 2 tests"), "{out}{talk}");

    let run =
        bench.api.get::<jackfield_protocol::api::Page<jackfield_protocol::api::RunSummary>>("/runs").unwrap();
    let run = run.items[0].id;
    let tests = bench.api.tests(run).unwrap();
    assert_eq!(tests[0].state, TestState::Ended(Verdict::Pass));
    assert_eq!(tests[1].state, TestState::Ended(Verdict::Fail));
    assert_eq!(tests[1].cause, Some(Cause::Product));
    assert_eq!(tests[0].ep.as_ref().unwrap().as_str(), "EP-1");
    let log = bench.api.log(tests[0].attempt.unwrap(), "cli").unwrap();
    assert_eq!(log, "hello from hello.py\n");

    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(junit.contains("failures=\"1\"") && junit.contains("hello.py"), "{junit}");

    let logs = bench.jackfield(&["runs", "logs", &format!("{run}.1")]).unwrap();
    assert_eq!(String::from_utf8_lossy(&logs.stdout), "goodbye\n");
    let again = bench.jackfield(&["runs", "wait", &run.to_string()]).unwrap();
    assert_eq!(again.status.code(), Some(1));
}

#[test]
fn events_are_numbered_without_gaps_and_tell_the_whole_story() {
    let bench = bench();
    let run = bench.api.submit("first", PROJECT).unwrap();
    let summary = bench.api.wait(run, Duration::from_secs(30)).unwrap();
    assert_eq!(summary.state, RunState::Completed);
    let events = bench.api.events(run).unwrap();
    for (seq, event) in (1..).zip(&events) {
        assert_eq!(event.seq, seq);
    }
    assert!(matches!(events.first().unwrap().fact, Fact::Submitted { tests: 2, .. }));
    assert!(matches!(events.last().unwrap().fact, Fact::Ended { .. }));
    let ended = events.iter().filter(|event| matches!(event.fact, Fact::TestEnded(_))).count();
    assert_eq!(ended, 2);
}

#[test]
fn a_person_without_a_token_is_told_so_and_gets_nothing() {
    let bench = Bench::start("").unwrap();
    let mut api = bench.api.clone();
    api.token = "wrong".to_owned();
    let (status, text) = api.request("GET", "/runs", None).unwrap();
    assert_eq!(status, 401, "{text}");
    assert!(text.contains("\"code\":\"unauthenticated\""), "{text}");
}

#[test]
fn an_engine_that_is_not_there_is_exit_code_three() {
    let output = std::process::Command::new(jackfield_tests::process::jackfield())
        .args(["runs", "list", "--engine", "http://127.0.0.1:9"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(talk.contains("cannot reach the engine at http://127.0.0.1:9"), "{talk}");
}

#[test]
fn a_project_goes_into_the_lab_and_comes_out_as_it_was() {
    let bench = bench();
    let file = bench.path().join("second.xml");
    std::fs::write(&file, PROJECT).unwrap();
    let imported = bench.jackfield(&["project", "import", file.to_str().unwrap()]).unwrap();
    assert_eq!(imported.status.code(), Some(0), "{}", String::from_utf8_lossy(&imported.stderr));
    let listed = bench.jackfield(&["project", "list"]).unwrap();
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "first\nsecond\n");
    let exported = bench.jackfield(&["project", "export", "second"]).unwrap();
    assert_eq!(String::from_utf8_lossy(&exported.stdout).trim_end(), PROJECT);

    std::fs::write(&file, "<Root><stoponfail>perhaps</stoponfail></Root>").unwrap();
    let refused = bench.jackfield(&["project", "import", file.to_str().unwrap()]).unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let again = bench.jackfield(&["project", "export", "second"]).unwrap();
    assert_eq!(String::from_utf8_lossy(&again.stdout).trim_end(), PROJECT, "the one that was good stays");
}
