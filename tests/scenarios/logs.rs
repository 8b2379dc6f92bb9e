//! A verdict does not wait for the log of its test; who reads the log does.

use std::time::Duration;

use jackfield_protocol::{
    event::RunState,
    id::RunId,
    verdict::{TestState, Verdict},
};
use jackfield_tests::Bench;

const PROJECT: &str = r#"<Root>
  <TestSuite><tsName>s</tsName><ID>s1</ID>
    <TestCase><tcName>loud.sh</tcName><ID>t1</ID></TestCase>
  </TestSuite>
</Root>"#;
const LINES: u32 = 2_000_000;

/// A lab with a test that fails after it has printed all numbers, which no two places of the log have in common.
fn bench() -> Bench {
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/loud.sh", &format!("#!/bin/sh\nseq 1 {LINES}\nexit 1\n")).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    bench
}

fn all_lines() -> Vec<u8> {
    let mut text = Vec::new();
    for number in 1..=LINES {
        text.extend_from_slice(number.to_string().as_bytes());
        text.push(b'\n');
    }
    text
}

fn run(bench: &Bench) -> RunId {
    let run = bench.api.submit("loud", PROJECT).unwrap();
    let summary = bench.api.wait(run, Duration::from_secs(120)).unwrap();
    assert_eq!(summary.state, RunState::Completed);
    run
}

#[test]
fn a_long_log_is_read_whole_right_after_its_verdict() {
    let bench = bench();
    let run = run(&bench);
    let output = bench.jackfield(&["runs", "logs", &format!("{run}.0")]).unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{talk}");
    assert!(output.stdout == all_lines(), "{} bytes came: {talk}", output.stdout.len());
    let state = bench.jackfield(&["runs", "logs", &format!("{run}.0"), "--json"]).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state.stdout).unwrap();
    let state = &state[0];
    assert_eq!(state["stored"], output.stdout.len());
    assert_eq!(state["expected"], state["stored"]);
    let stamped = bench.jackfield(&["runs", "logs", &format!("{run}.0"), "--timestamps"]).unwrap();
    let stamped = String::from_utf8(stamped.stdout).unwrap();
    let number = |line: &str| {
        let (time, number) = line.split_once(' ').unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z'), "{line}");
        number.to_owned() + "\n"
    };
    assert!(stamped.lines().map(number).collect::<String>().as_bytes() == all_lines());
}

#[test]
fn what_an_ep_had_not_sent_when_it_died_comes_when_it_is_back() {
    let mut bench = bench();
    let run = run(&bench);
    bench.kill_ep("EP-1");
    bench.start_ep("EP-1", "").unwrap();
    let output = bench.jackfield(&["runs", "logs", &format!("{run}.0")]).unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{talk}");
    assert!(output.stdout == all_lines(), "{} bytes came: {talk}", output.stdout.len());
    assert_eq!(bench.api.tests(run).unwrap()[0].state, TestState::Ended(Verdict::Fail));
}
