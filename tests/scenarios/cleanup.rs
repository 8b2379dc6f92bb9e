//! A device is left as it was found, however the test on it ends.

use std::{path::Path, process::Command, time::Duration};

use jackfield_protocol::{
    api::{EpState, TestRow},
    id::RunId,
    verdict::{Cause, TestState, Verdict},
};
use jackfield_tests::{
    Bench,
    process::{Process, jackfield},
    wait,
};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(90);

/// Adds a route, sees it, and then hangs on the device.
const HANG: &str = r#"
title = "hangs with a route set"
[sessions.router]
resource = "/lab/router"
[[steps]]
config = ["ip route 10.80.0.0/16 192.0.2.7"]
[[steps]]
command = "show ip route"
check = { contains = "10.80.0.0" }
[[steps]]
name = "the hang"
command = "debug hang"
timeout = "1h"
[[steps]]
name = "after it"
command = "show version"
[[cleanup]]
name = "take the route away"
config = ["no ip route 10.80.0.0/16"]
"#;

const GONE: &str = r#"
title = "the route is not there"
[sessions.router]
resource = "/lab/router"
[[steps]]
command = "show ip route"
check = { not_contains = "10.80.0.0" }
"#;

/// A simulated router that the lab's `/lab/router` is.
pub(crate) fn router(bench: &mut Bench) -> Process {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lab-model/router.toml");
    let mut command = Command::new(jackfield());
    command.args(["--json", "simulate"]).arg(model);
    let simulator = Process::start("the simulator", &mut command, &bench.path().join("log/sim.log")).unwrap();
    let said = wait::until(LIMIT, "the simulator to listen", || {
        let text = simulator.output();
        Ok(text.find('[').and_then(|at| serde_json::from_str::<Value>(text.get(at..)?.trim()).ok()))
    })
    .unwrap();
    let telnet = said.pointer("/0/telnet").and_then(Value::as_object).unwrap().clone();
    let more = [("profile", "ios"), ("level", "privileged"), ("enable_password", "lab-enable")];
    let properties: Value =
        telnet.into_iter().chain(more.map(|(key, value)| (key.to_owned(), value.into()))).collect();
    for (name, parent, properties) in [("lab", "/", json!({})), ("router", "/lab", properties)] {
        let body = json!({"parent": parent, "name": name, "properties": properties});
        bench.api.put::<Value>("/resources", &body).unwrap();
    }
    bench.write("tests/hang.steps.toml", HANG).unwrap();
    bench.write("tests/gone.steps.toml", GONE).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    simulator
}

fn project(tests: &[(&str, &str)]) -> String {
    let case = |(file, more): &(&str, &str)| format!("<TestCase><tcName>{file}</tcName>{more}</TestCase>");
    let cases: String = tests.iter().map(case).collect();
    format!("<Root><TestSuite><tsName>a</tsName>{cases}</TestSuite></Root>")
}

/// Waits until the first test of a run hangs, having set its route.
pub(crate) fn wait_until_it_hangs(bench: &Bench, run: RunId) {
    wait::until(LIMIT, "the device to hang", || {
        let attempt = bench.api.tests(run)?.first().and_then(|test| test.attempt);
        let log = attempt.and_then(|attempt| bench.api.log(attempt, "cli").ok()).unwrap_or_default();
        Ok(log.contains("## the hang").then_some(()))
    })
    .unwrap();
}

fn assert_cleaned(test: &TestRow) {
    let parts: Vec<_> = test.parts.iter().map(|part| part.verdict).collect();
    assert_eq!(parts, [Verdict::Pass, Verdict::Pass], "{test:?}");
    let cleanups: Vec<_> = test.cleanups.iter().map(|part| (part.name.as_str(), part.verdict)).collect();
    assert_eq!(cleanups, [("take the route away", Verdict::Pass)], "{test:?}");
}

fn assert_route_gone(bench: &Bench) {
    let run = bench.api.submit("gone", &project(&[("gone.steps.toml", "")])).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let tests = bench.api.tests(run).unwrap();
    let gone = tests.first().is_some_and(|test| test.state == TestState::Ended(Verdict::Pass));
    assert!(gone, "{tests:?}");
}

/// Whether a file below a folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return holds(&path, bytes);
        }
        // A pipe would not end.
        let text = Some(&path).filter(|path| path.is_file()).and_then(|path| std::fs::read(path).ok());
        text.is_some_and(|text| text.windows(bytes.len()).any(|found| found == bytes))
    })
}

#[test]
fn a_step_test_that_is_stopped_leaves_the_device_as_it_was() {
    let mut bench = Bench::start("").unwrap();
    let _router = router(&mut bench);
    let run = bench.api.submit("hang", &project(&[("hang.steps.toml", "")])).unwrap();
    wait_until_it_hangs(&bench, run);
    bench.jackfield(&["runs", "stop", &run.to_string(), "--now", "--reason", "enough"]).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let tests = bench.api.tests(run).unwrap();
    assert_eq!(tests[0].state, TestState::Ended(Verdict::Aborted));
    assert!(tests[0].reason.contains("enough"), "{}", tests[0].reason);
    assert_cleaned(&tests[0]);
    assert_route_gone(&bench);
}

#[test]
fn a_step_test_out_of_time_is_cleaned_up_even_without_its_engine() {
    let mut bench = Bench::start("").unwrap();
    let _router = router(&mut bench);
    let limited = [("hang.steps.toml", "<Timeout>10</Timeout>"), ("gone.steps.toml", "")];
    let run = bench.api.submit("hang", &project(&limited)).unwrap();
    wait_until_it_hangs(&bench, run);
    // Its time passes while nobody answers what the test could ask.
    bench.kill_engine();
    wait::until(LIMIT, "the EP to clean up", || {
        // What the test logs waits in the EP's spool.
        Ok(holds(&bench.path().join("eps/EP-1/work"), b"## take the route away").then_some(()))
    })
    .unwrap();
    bench.start_engine().unwrap();
    bench.wait_for_ep("EP-1", |state| state != EpState::Offline).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let tests = bench.api.tests(run).unwrap();
    assert_eq!((tests[0].state, tests[0].cause), (TestState::Ended(Verdict::Timeout), Some(Cause::Time)));
    assert_cleaned(&tests[0]);
    assert_eq!(tests[1].state, TestState::Ended(Verdict::Pass), "{}", tests[1].reason);
}

#[test]
fn what_a_test_registered_is_run_after_the_kill_of_its_process() {
    let mut bench = Bench::start("").unwrap();
    let safe = bench.path().join("safe");
    let text = format!(
        "import os\nfrom jackfield import cleanup\n\
         cleanup('off', ['sh', '-c', 'echo off >> {0}'])\n\
         cleanup('open', ['sh', '-c', 'echo open >> {0}; exit 3'])\n\
         os.kill(os.getpid(), 9)\n",
        safe.display()
    );
    bench.write("tests/killed.py", &text).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let run = bench.api.submit("killed", &project(&[("killed.py", "")])).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let tests = bench.api.tests(run).unwrap();
    assert_eq!(tests[0].state, TestState::Ended(Verdict::Fail));
    assert!(tests[0].crashed && tests[0].reason.contains("KILL"), "{}", tests[0].reason);
    assert_eq!(std::fs::read_to_string(&safe).unwrap(), "open\noff\n");
    let cleanups: Vec<_> = tests[0].cleanups.iter().map(|part| (part.name.as_str(), part.verdict)).collect();
    assert_eq!(cleanups, [("open", Verdict::Fail), ("off", Verdict::Pass)]);
}
