//! The command line as scripts and shells meet it: one JSON document whatever happens, all that a test wrote, questions
//! that nobody watches, names behind Tab.

use std::{
    process::{Command, Output},
    time::Duration,
};

use jackfield_protocol::{error::Problem, id::RunId};
use jackfield_tests::{Bench, process::jackfield, wait};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

const PROJECT: &str = r#"<Root><TestSuite><tsName>A</tsName>
  <TestCase><tcName>said.py</tcName></TestCase><TestCase><tcName>skips.sh</tcName></TestCase>
</TestSuite></Root>"#;
const ASKING: &str =
    "<Root><TestSuite><tsName>A</tsName><TestCase><tcName>asks.py</tcName></TestCase></TestSuite></Root>";

fn bench() -> Bench {
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/said.py", "log_msg('logRunning', 'written')\nprint('printed')\n").unwrap();
    bench.write("tests/skips.sh", "#!/bin/sh\nexit 77\n").unwrap();
    bench.write("tests/asks.py", "assert interact('input', 'which port?', 600) == ''\n").unwrap();
    bench.write("projects/first.xml", PROJECT).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    bench
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What came, where it ended as it should.
fn run(bench: &Bench, line: &str, code: i32) -> Output {
    let output = bench.jackfield(&line.split(' ').collect::<Vec<_>>()).unwrap();
    let told = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "jackfield {line}: {told:?}");
    output
}

#[test]
fn json_is_one_document_in_one_shape() {
    let bench = bench();
    run(&bench, "run first", 0);
    for list in [
        "runs list",
        "runs jobs",
        "runs questions",
        "runs why 1",
        "runs logs 1.0",
        "runs artifacts 1.0",
        "eps list",
        "project list",
        "sut list",
        "user list",
        "group list",
        "token list",
        "audit",
        "console list",
        "doctor",
        "session list 1.0",
    ] {
        let output = run(&bench, &format!("{list} --json"), 0);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(document.is_array(), "{list}: {document}");
    }
    for (deed, word) in [
        ("eps drain EP-1", "drained"),
        ("eps drain EP-1 --undo", "undrained"),
        ("group set g --role none", "set"),
        ("group delete g", "deleted"),
        ("runs delete 1", "deleted"),
    ] {
        let output = run(&bench, &format!("{deed} --json"), 0);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["done"], word, "{deed}: {document}");
    }
    for (wrong, code, exit) in [
        ("runs show 99", "not_found", 2),
        ("runs lisst", "bad_request", 2),
        ("eps show nobody", "bad_request", 2),
        ("sut delete nobody.system", "not_found", 2),
        ("runs logs 99.0", "not_found", 2),
        ("--token no eps list", "unauthenticated", 2),
        ("--engine http://127.0.0.1:1 eps list", "unavailable", 3),
        ("run nowhere", "not_found", 2),
    ] {
        let output = run(&bench, &format!("{wrong} --json"), exit);
        let problem: Problem = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(serde_json::to_value(problem.code).unwrap(), code, "{wrong}: {problem}");
        assert!(text(&output.stderr).contains("error:"), "{wrong}: a person reads it as well");
    }
}

#[test]
fn all_that_a_test_wrote_is_shown() {
    let bench = bench();
    let output = run(&bench, "run first", 0);
    assert!(text(&output.stdout).contains("1 PASS, 1 SKIPPED of 2 tests"), "a test may skip itself");
    let logs = run(&bench, "runs logs 1.0", 0);
    assert_eq!(text(&logs.stdout), "==> cli <==\nprinted\n==> running <==\nwritten\n");
    assert_eq!(text(&run(&bench, "runs logs 1.0 --stream running", 0).stdout), "written\n");
    let found = run(&bench, "runs search 1.0 PRINT|WRIT", 0);
    assert_eq!(text(&found.stdout), "cli:1: printed\nrunning:1: written\n");
    let none = run(&bench, "runs search 1.0 PRINT --case", 0);
    assert!(none.stdout.is_empty() && text(&none.stderr).contains("no line"), "{none:?}");
    let wrong = run(&bench, "runs search 1.0 ( --json", 2);
    assert!(serde_json::from_slice::<Problem>(&wrong.stdout).is_ok(), "{wrong:?}");
    let silent = run(&bench, "runs logs 1.1", 0);
    assert_eq!(
        (text(&silent.stdout).as_str(), text(&silent.stderr).as_str()),
        ("", "1.1.1 has written nothing\n")
    );
}

#[test]
fn what_a_test_asks_is_found_and_answered_by_who_does_not_watch() {
    let bench = bench();
    let asking = bench.api.submit("asking", ASKING).unwrap();
    let question = wait::until(LIMIT, "the test to ask", || {
        let output = bench.jackfield(&["runs", "questions", "--json"])?;
        let document: Value = serde_json::from_slice(&output.stdout)?;
        Ok(document.get(0).cloned())
    });
    let question = question.unwrap();
    assert_eq!(
        (&question["run"], &question["interact"]["message"]),
        (&asking.0.into(), &"which port?".into())
    );
    let why = text(&run(&bench, &format!("runs why {asking}"), 0).stdout);
    assert!(why.contains("waits for an answer to: which port?"), "{why}");
    let wrong = run(&bench, &format!("runs answer {asking} 99 x"), 2);
    assert!(text(&wrong.stderr).contains(&format!("there are {}", question["question"])), "{wrong:?}");
    // An empty text is an answer.
    run(&bench, &format!("runs answer {asking} {}", question["question"]), 0);
    run(&bench, &format!("runs wait {asking}"), 0);
    assert!(text(&run(&bench, "runs questions", 0).stdout).contains("no test asks anything"));
}

#[test]
fn a_shell_completes_the_names_of_the_lab() {
    let bench = bench();
    let run: RunId = bench.api.submit("first", PROJECT).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let script = "PATH=$(dirname \"$1\"):$PATH; source <(jackfield completions bash); shift\n\
                  COMP_WORDS=(jackfield \"$@\"); COMP_CWORD=$#; _jackfield; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let offered = |words: &[&str]| {
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", script, "bash"]).arg(jackfield()).args(words);
        bash.env("JACKFIELD_ENGINE", &bench.api.url).env("JACKFIELD_API_TOKEN", &bench.api.token);
        text(&bash.output().unwrap().stdout)
    };
    for (words, some) in [
        (&["ru"][..], "runs"),
        (&["runs", "lo"], "logs"),
        (&["runs", "logs", "1."], "1.0"),
        (&["run", "--ep", ""], "EP-1"),
        (&["run", "--ep", "=", "E"], "EP-1"),
        (&["run", "fir"], "first"),
        (&["runs", "logs", "1.0", "--stream", "run"], "running"),
    ] {
        assert!(offered(words).lines().any(|line| line == some), "{words:?}: {}", offered(words));
    }
}

#[test]
fn what_is_set_to_nothing_is_not_set() {
    let ask = |engine: &str| {
        let mut command = Command::new(jackfield());
        command.args(["runs", "list"]).env("JACKFIELD_ENGINE", engine).env("JACKFIELD_API_TOKEN", "");
        text(&command.env("HOME", "/nonexistent").output().unwrap().stderr)
    };
    assert!(!ask("").contains("scheme"), "{}", ask(""));
    assert!(ask("lab:8000").contains("write http://lab:8000"), "{}", ask("lab:8000"));
    let folder = tempfile::tempdir().unwrap();
    let mut fingerprint = Command::new(jackfield());
    fingerprint.args(["engine", "fingerprint"]).env("JACKFIELD_LAB", "").current_dir(folder.path());
    let told = text(&fingerprint.output().unwrap().stderr);
    assert!(told.contains("no lab folder lab"), "{told}");
    let bench = Bench::start("").unwrap();
    assert!(ask(&bench.api.url).contains("you are not logged in"), "{}", ask(&bench.api.url));
}

#[test]
fn a_token_among_the_arguments_does_not_stay_in_the_list_of_processes() {
    use std::{io::Read as _, net::TcpListener};

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let engine = format!("http://{}", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "planted-in-a-file\n").unwrap();
    let file = file.display().to_string();
    for (arguments, token, is_told) in [
        (["--token", "planted-word"], "planted-word", true),
        (["--token=planted-again", "--json"], "planted-again", true),
        (["--token-file", &file], "planted-in-a-file", false),
    ] {
        let mut command = std::process::Command::new(jackfield_tests::process::jackfield());
        command.args(["runs", "list", "--engine", &engine]).args(arguments);
        command.env_remove("JACKFIELD_API_TOKEN").stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It has asked, and waits for an answer that never comes.
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = String::new();
        while !asked.contains("\r\n\r\n") {
            let mut bytes = [0; 1024];
            let count = stream.read(&mut bytes).unwrap();
            assert!(count > 0, "{asked}");
            asked.push_str(&String::from_utf8_lossy(bytes.get(..count).unwrap()));
        }
        assert!(asked.contains(token), "{asked}");
        let seen = std::fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap();
        assert!(
            seen.contains("runs\0list") && !seen.contains("planted-word") && !seen.contains("planted-again")
        );
        child.kill().unwrap();
        let said = text(&child.wait_with_output().unwrap().stderr);
        assert_eq!(said.contains("use --token-file or JACKFIELD_API_TOKEN instead"), is_told, "{said}");
    }
}
