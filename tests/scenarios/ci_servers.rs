//! The JUnit file of a run with everything in it that readers stumble over, read as a library, Jenkins and GitLab read it: each of them counts
//! what the run counts, and drops nothing.

use std::{path::Path, process::Command, time::Duration};

use jackfield_protocol::{
    event::RunState,
    id::RunId,
    verdict::{TestState, Verdict},
};
use jackfield_tests::{Bench, present};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(90);
const READ: &str = include_str!("ci_servers/read.py");

const TESTS: [(&str, &str); 6] = [
    ("good.sh", "#!/bin/sh\necho fine\n"),
    ("silent.sh", "#!/bin/sh\nexit 1\n"),
    ("skips.sh", "#!/bin/sh\nexit 77\n"),
    ("slow.sh", "#!/bin/sh\nexec sleep 1000\n"),
    (
        "loud.sh",
        "#!/bin/sh\nprintf 'bell \\007 null \\000 \\377 ]]> <b>&amp; \\360\\237\\230\\200\\n'\nexit 3\n",
    ),
    ("dies.py", "raise RuntimeError('\\x1b[31mred\\x1b[0m \\u202e \\ud83d ]]> & <failure/>')\n"),
];

/// One suite on two EPs, so that all of it is there twice under one name; the same test three times; a name with dots; a file that is missing.
fn project() -> String {
    let case = |file: &str, more: &str| format!("<TestCase><tcName>{file}</tcName>{more}</TestCase>");
    let all: String =
        TESTS.iter().filter(|(name, _)| *name != "slow.sh").map(|(name, _)| case(name, "")).collect();
    let slow = case("slow.sh", "<Timeout>1</Timeout>");
    let again = case("good.sh", "").repeat(2);
    format!(
        "<Root><TestSuite><tsName>v1.2/\u{e9} &lt;&amp;</tsName><EpId>EP-1;EP-2</EpId>{all}{slow}{again}\
         <TestSuite><tsName>inner</tsName>{}</TestSuite></TestSuite></Root>",
        case("good.sh", "")
    )
}

fn read(file: &Path) -> Value {
    let output = Command::new("/usr/bin/python3").args(["-c", READ]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn written(bench: &Bench, run: RunId) -> Value {
    let file = bench.path().join("junit.xml");
    let output =
        bench.jackfield(&["runs", "report", &run.to_string(), "--junit", file.to_str().unwrap()]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    read(&file)
}

#[test]
fn ci_servers_count_what_the_run_counts() {
    if present::left_out("python3-junitparser", "/usr/lib/python3/dist-packages/junitparser") {
        return;
    }
    let mut bench = Bench::start("").unwrap();
    for (name, text) in TESTS {
        bench.write(&format!("tests/{name}"), text).unwrap();
    }
    for ep in ["EP-1", "EP-2"] {
        bench.start_ep(ep, "").unwrap();
    }
    let run = bench.api.submit("release 4.2", &project()).unwrap();
    let open = written(&bench, run);
    for reader in ["junitparser", "jenkins", "gitlab"] {
        assert_eq!(open[reader]["faults"], json!([]), "{reader}, while the run goes on");
        assert_eq!(open[reader]["tests"], 18, "{reader}");
    }
    assert_eq!(bench.api.wait(run, LIMIT).unwrap().state, RunState::Completed);
    let tests = bench.api.tests(run).unwrap();
    let count = |verdicts: &[Verdict]| {
        tests
            .iter()
            .filter(|test| verdicts.iter().any(|verdict| test.state == TestState::Ended(*verdict)))
            .count()
    };
    let read = written(&bench, run);
    for reader in ["junitparser", "jenkins", "gitlab"] {
        let found = &read[reader];
        assert_eq!(found["faults"], json!([]), "{reader}");
        assert_eq!(
            (&found["tests"], &found["skipped"]),
            (&json!(18), &json!(count(&[Verdict::Skipped]))),
            "{reader}"
        );
        let number = |kind: &str| found[kind].as_u64().unwrap();
        let bad = number("failure") + number("error");
        let others = count(&[Verdict::Pass, Verdict::Skipped]);
        assert_eq!(bad, u64::try_from(tests.len() - others).unwrap(), "{reader}: nothing else passes");
    }
}
