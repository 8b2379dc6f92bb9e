//! A run is stopped, and stopped at once; a run is paused for longer than its time limit.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use jackfield_protocol::{
    api::{EpState, Page, RunSummary, TestRow},
    event::RunState,
    id::RunId,
    verdict::{Cause, TestState, Verdict},
};
use jackfield_tests::{
    Bench,
    process::{Process, jackfield},
    wait,
};
use rustix::process::Signal;

const LIMIT: Duration = Duration::from_secs(60);
const ABORTED: TestState = TestState::Ended(Verdict::Aborted);
const NOT_EXECUTED: TestState = TestState::Ended(Verdict::NotExecuted);

/// A test that takes long, one behind it, a teardown file that takes long, and a post script.
const PROJECT: &str = "<Root><ScriptPost>post.sh</ScriptPost><TestSuite><tsName>a</tsName>\
    <TestCase><tcName>slow.sh</tcName></TestCase><TestCase><tcName>pass.sh</tcName></TestCase>\
    <TestCase><tcName>undo.sh</tcName><Property><propName>teardown_file</propName><propValue>true</propValue></Property></TestCase>\
    </TestSuite></Root>";

fn bench() -> Bench {
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/slow.sh", "#!/bin/sh\nsleep 60\n").unwrap();
    bench.write("tests/undo.sh", "#!/bin/sh\nsleep 60\n").unwrap();
    bench.write("tests/pass.sh", "#!/bin/sh\nexit 0\n").unwrap();
    bench.write("post.sh", "#!/bin/sh\ntouch post-was-here\n").unwrap();
    bench.write("projects/long.xml", PROJECT).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    bench
}

fn test(bench: &Bench, run: RunId, name: &str) -> TestRow {
    let tests = bench.api.tests(run).unwrap();
    tests.into_iter().find(|test| test.name == name).unwrap()
}

fn wait_until_works(bench: &Bench, run: RunId, name: &str) {
    let works = || Ok((test(bench, run, name).state == TestState::Working).then_some(()));
    wait::until(LIMIT, &format!("{name} to run"), works).unwrap();
}

#[test]
fn a_stop_at_once_ends_teardown_and_leaves_the_post_script_out() {
    let bench = bench();
    let run = bench.api.submit("long", PROJECT).unwrap();
    let number = run.to_string();
    let stop = |more: &[&str]| {
        let output = bench.jackfield(&[&["runs", "stop", &number], more].concat()).unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    wait_until_works(&bench, run, "slow.sh");
    assert_eq!(stop(&["--reason", "wrong build"]).0, Some(0));
    wait_until_works(&bench, run, "undo.sh");
    let (code, said) = stop(&[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("cleans up") && said.contains("--now"), "{said}");
    assert_eq!(test(&bench, run, "undo.sh").state, TestState::Working);
    assert_eq!(stop(&["--now"]).0, Some(0));
    assert_eq!(bench.api.wait(run, LIMIT).unwrap().state, RunState::Stopped);
    let undo = test(&bench, run, "undo.sh");
    assert_eq!((undo.state, undo.cause), (ABORTED, Some(Cause::Person)));
    assert_eq!(undo.reason, "stopped by admin: wrong build; ended at once by admin");
    assert_eq!(test(&bench, run, "slow.sh").reason, "stopped by admin: wrong build");
    assert_eq!(test(&bench, run, "pass.sh").state, NOT_EXECUTED);
    assert!(!bench.lab().join("post-was-here").is_file(), "the post script was run");
    let (_, report) = bench.api.request("GET", &format!("/runs/{run}/report.html"), None).unwrap();
    assert!(report.contains("ended at once by admin"), "{report}");
    assert!(stop(&["--now"]).1.contains("is over"));
}

#[test]
fn a_second_interrupt_ends_the_clean_up_of_the_first() {
    let bench = bench();
    let project = bench.lab().join("projects/long.xml");
    let mut command = Command::new(jackfield());
    command
        .arg("run")
        .arg(project)
        .env("JACKFIELD_ENGINE", &bench.api.url)
        .env("JACKFIELD_API_TOKEN", &bench.api.token);
    let mut running =
        Process::start("jackfield run", &mut command, &bench.path().join("log/run.log")).unwrap();
    let run = wait::until(LIMIT, "the run to be there", || {
        let page: Page<RunSummary> = bench.api.get("/runs")?;
        Ok(page.items.first().map(|run| run.id))
    })
    .unwrap();
    wait_until_works(&bench, run, "slow.sh");
    running.signal(Signal::INT);
    wait_until_works(&bench, run, "undo.sh");
    running.signal(Signal::INT);
    let status = wait::until(LIMIT, "the command to end", || Ok(running.ended())).unwrap();
    assert_eq!(status.code(), Some(130), "{}", running.output());
    assert_eq!(bench.api.run(run).unwrap().state, RunState::Stopped);
    assert_eq!(test(&bench, run, "undo.sh").state, ABORTED, "{}", running.output());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the story is about time that really passes")]
fn time_limits_do_not_count_a_pause_not_even_over_a_restart() {
    let limit = Duration::from_secs(8);
    let mut bench = bench();
    let go = bench.path().join("go");
    bench
        .write("tests/gate.sh", &format!("#!/bin/sh\nwhile [ ! -e {} ]; do sleep 0.1; done\n", go.display()))
        .unwrap();
    let began = Instant::now();
    let xml = "<Root><Timeout>8</Timeout><TestSuite><tsName>a</tsName><Timeout>8</Timeout>\
        <TestCase><tcName>gate.sh</tcName></TestCase><TestCase><tcName>pass.sh</tcName></TestCase></TestSuite></Root>";
    let run = bench.api.submit("limited", xml).unwrap();
    let number = run.to_string();
    wait_until_works(&bench, run, "gate.sh");
    bench.jackfield(&["runs", "pause", &number]).unwrap();
    std::fs::write(&go, "").unwrap();
    bench.kill_engine();
    bench.start_engine().unwrap();
    bench.wait_for_ep("EP-1", |state| state != EpState::Offline).unwrap();
    wait::until(LIMIT, "the time to be over", || Ok((began.elapsed() > limit).then_some(()))).unwrap();
    assert_eq!(bench.api.run(run).unwrap().state, RunState::Paused);
    bench.jackfield(&["runs", "resume", &number]).unwrap();
    let summary = bench.api.wait(run, LIMIT).unwrap();
    assert_eq!(summary.state, RunState::Completed);
    assert_eq!(summary.counts, [(Verdict::Pass, 2)].into());
}
