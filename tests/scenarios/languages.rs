//! Tests in every language, the tests inside a test, libraries, scripts around a run, and breakpoints.

use std::{collections::BTreeMap, path::Path, time::Duration};

use jackfield_protocol::{
    api::TestRow,
    error::Problem,
    event::Fact,
    id::RunId,
    verdict::{Cause, TestState, Verdict},
};
use jackfield_tests::{Bench, wait};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(120);
const PASS: TestState = TestState::Ended(Verdict::Pass);
const FAIL: TestState = TestState::Ended(Verdict::Fail);

/// An EP whose Python has pytest and Robot Framework (`cargo xtask setup` makes it), and a language of the lab's own.
fn bench() -> Bench {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/python");
    assert!(python.is_file(), "{} is missing: run `cargo xtask setup`", python.display());
    let settings = format!(
        "[interpreters]\npython = {python:?}\n[runners.words]\nkind = \"command\"\ncommand = [\"grep\", \"-q\", \"good\"]\n"
    );
    let mut bench = Bench::start("").unwrap();
    bench.start_ep("EP-1", &settings).unwrap();
    bench
}

fn project(head: &str, files: &[&str]) -> String {
    let cases: String = files
        .iter()
        .map(|file| format!("<TestCase><tcName>{file}</tcName><ID>{file}</ID></TestCase>\n"))
        .collect();
    format!("<Root>{head}<TestSuite><tsName>all</tsName><ID>all</ID>\n{cases}</TestSuite></Root>")
}

fn run(bench: &Bench, head: &str, files: &[&str]) -> (RunId, Vec<TestRow>) {
    let run = bench.api.submit("languages", &project(head, files)).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    (run, bench.api.tests(run).unwrap())
}

#[test]
fn every_language_passes_and_fails_with_its_reason() {
    let bench = bench();
    let tests = [
        ("pass.py", "import sys\nassert sys.argv[0].endswith('pass.py')\nprint(EP, SUITE_NAME)\n", PASS),
        ("fail.py", "assert 1 + 1 == 3, 'arithmetic is broken'\n", FAIL),
        ("twister.py", "_RESULT, _REASON = 'SKIP', 'not today'\n", TestState::Ended(Verdict::Skipped)),
        ("python2.py", "print 'hello'\n", TestState::Ended(Verdict::Invalid)),
        ("pass.tcl", "logMessage logRunning hello\nset _RESULT PASS\n", PASS),
        ("fail.tcl", "error {no carrier}\n", FAIL),
        ("pass.exp", "spawn echo hello\nexpect hello\nset _RESULT PASS\n", PASS),
        ("pass.plx", "print \"ok\\n\";\n", PASS),
        ("fail.pl", "die \"no such port\\n\";\n", FAIL),
        ("pass.sh", "jf_log logRunning hello\n", PASS),
        ("fail.sh", "exit 4\n", FAIL),
        ("program", "#!/bin/sh\necho I am a program\n", PASS),
        ("own.words", "good\n", PASS),
        ("bad.words", "poor\n", FAIL),
    ];
    for (file, text, _) in tests {
        bench.write(&format!("tests/{file}"), text).unwrap();
    }
    let files: Vec<&str> = tests.iter().map(|(file, ..)| *file).collect();
    let (_, rows) = run(&bench, "", &files);
    for (row, (file, _, expected)) in rows.iter().zip(&tests) {
        let log =
            row.attempt.map(|attempt| bench.api.log(attempt, "cli").unwrap_or_default()).unwrap_or_default();
        assert_eq!(row.state, *expected, "{file}: {}\n{log}", row.reason);
    }
    let reason = |file: &str| rows.iter().find(|row| row.name == file).unwrap().reason.clone();
    assert!(reason("fail.py").contains("arithmetic is broken"), "{}", reason("fail.py"));
    assert!(reason("twister.py").contains("not today"));
    assert!(reason("python2.py").contains("Python 2"), "{}", reason("python2.py"));
    assert!(reason("fail.tcl").contains("no carrier"), "{}", reason("fail.tcl"));
    assert!(reason("fail.pl").contains("no such port"), "{}", reason("fail.pl"));
    let log = bench.api.log(rows[0].attempt.unwrap(), "cli").unwrap();
    assert_eq!(log, "EP-1 all\n");
}

#[test]
fn the_tests_inside_pytest_and_robot_are_seen() {
    let bench = bench();
    let pytest =
        "def test_one():\n    assert True\n\ndef test_two():\n    assert 2 == 3, 'two is not three'\n";
    bench.write("tests/ports_pytest.py", pytest).unwrap();
    let robot =
        "*** Test Cases ***\nOne\n    Should Be Equal    a    a\nTwo\n    Should Be Equal    a    a\n";
    bench.write("tests/ports.robot", robot).unwrap();
    let (_, rows) = run(&bench, "", &["ports_pytest.py", "ports.robot"]);
    let parts = |row: &TestRow| row.parts.iter().map(|part| part.verdict).collect::<Vec<_>>();
    assert_eq!(rows[0].state, FAIL, "{}", rows[0].reason);
    assert_eq!(parts(&rows[0]), [Verdict::Pass, Verdict::Fail]);
    assert!(rows[0].parts[1].reason.contains("two is not three"), "{:?}", rows[0].parts);
    assert_eq!(rows[1].state, PASS, "{}", rows[1].reason);
    assert_eq!(parts(&rows[1]), [Verdict::Pass, Verdict::Pass]);
}

#[test]
fn what_a_tool_would_only_go_through_is_never_passed() {
    let bench = bench();
    let failing = "def test_one():\n    assert 0\n";
    for option in ["--setup-plan", "--setup-only", "--collect-only"] {
        bench.write(&format!("tests/{option}/ports_pytest.py"), failing).unwrap();
        let settings = format!("[pytest]\naddopts = {option}\n");
        bench.write(&format!("tests/{option}/pytest.ini"), &settings).unwrap();
    }
    bench.write("tests/ports.robot", "*** Test Cases ***\nOne\n    Fail    no carrier\n").unwrap();
    bench.write("tests/options.txt", "--dryrun\n").unwrap();
    let mut project = project(
        "",
        &[
            "--setup-plan/ports_pytest.py",
            "--setup-only/ports_pytest.py",
            "--collect-only/ports_pytest.py",
            "ports.robot",
        ],
    );
    let options = bench.lab().join("tests/options.txt");
    let argument = format!(
        "<Property><propName>param</propName><propValue>--argumentfile,{}</propValue></Property>",
        options.display()
    );
    project = project.replace("<ID>ports.robot</ID>", &format!("<ID>ports.robot</ID>{argument}"));
    let run = bench.api.submit("through", &project).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let rows = bench.api.tests(run).unwrap();
    let [plan, only, collect, robot] = &*rows else { panic!("{rows:?}") };
    for (row, option) in [(plan, "--setup-plan"), (only, "--setup-only"), (collect, "--collect-only")] {
        assert_eq!(row.state, TestState::Ended(Verdict::Invalid), "{}", row.reason);
        assert!(
            row.reason.contains(&format!("with `{option}` nothing in it would be run")),
            "{}",
            row.reason
        );
    }
    assert_eq!(robot.state, FAIL, "it is run: {}", robot.reason);
    assert!(robot.reason.contains("no carrier"), "{}", robot.reason);
}

#[test]
fn java_tests_are_compiled_and_each_test_inside_is_seen() {
    let bench = bench();
    bench.write("libs/Ports.java", "public class Ports { public static int count() { return 3; } }").unwrap();
    let four = "import org.junit.*;\npublic class PortsTest {\n\
        @Test public void counts() { Assert.assertEquals(3, Ports.count()); }\n\
        @Test public void wrong() { Assert.assertEquals(\"up\", \"down\"); }\n\
        @Ignore(\"no licence\") @Test public void later() {}\n}\n";
    let five = "package lab;\nimport org.junit.jupiter.api.*;\nclass LinkTest {\n\
        @Test void up() {}\n@RepeatedTest(2) void flaps() {}\n}\n";
    let plain = "import jackfield.Jackfield;\npublic class Plain {\npublic static void main(String[] arguments) {\n\
        Jackfield.setGlobal(\"/java\", \"hot \\\"air\\\" \\u00e9\");\n\
        Jackfield.logMsg(\"logRunning\", Jackfield.getGlobal(\"/java\"));\n\
        Jackfield.result(\"PASS\", \"said so\");\n}\n}\n";
    let broken = "public class Broken {\n    int ports = \"three\";\n}\n";
    let crash = "public class Crash {\npublic static void main(String[] a) { throw new IllegalStateException(\"no carrier\"); }\n}\n";
    let files = [
        ("PortsTest.java", four),
        ("LinkTest.java", five),
        ("Plain.java", plain),
        ("Broken.java", broken),
        ("Crash.java", crash),
    ];
    for (file, text) in files {
        bench.write(&format!("tests/{file}"), text).unwrap();
    }
    let (_, rows) = run(&bench, "<libraries>Ports.java</libraries>", &files.map(|(file, _)| file));
    let parts = |row: &TestRow| {
        row.parts.iter().map(|part| (part.name.clone(), part.verdict)).collect::<BTreeMap<_, _>>()
    };
    let log = |row: &TestRow| bench.api.log(row.attempt.unwrap(), "cli").unwrap_or_default();
    assert_eq!(
        parts(&rows[0]),
        BTreeMap::from([
            ("PortsTest.counts".to_owned(), Verdict::Pass),
            ("PortsTest.wrong".to_owned(), Verdict::Fail),
            ("PortsTest.later".to_owned(), Verdict::Skipped)
        ]),
        "{}\n{}",
        rows[0].reason,
        log(&rows[0])
    );
    assert_eq!(rows[0].state, FAIL);
    assert_eq!(rows[1].state, PASS, "{}\n{}", rows[1].reason, log(&rows[1]));
    assert_eq!(rows[1].parts.len(), 3, "{:?}", rows[1].parts);
    assert_eq!((rows[2].state, rows[2].reason.as_str()), (PASS, "said so"), "{}", log(&rows[2]));
    assert_eq!(bench.api.log(rows[2].attempt.unwrap(), "running").unwrap(), "hot \"air\" \u{e9}\n");
    assert_eq!(rows[3].state, FAIL);
    assert!(rows[3].reason.contains("Broken.java:2: incompatible types"), "{}", rows[3].reason);
    assert_eq!(rows[4].state, FAIL);
    assert!(rows[4].reason.contains("no carrier"), "{}", rows[4].reason);
}

#[test]
fn libraries_reach_the_test_flat_and_deep() {
    let bench = bench();
    bench.write("libs/cards.py", "def count():\n    return 3\n").unwrap();
    bench.write("libs/lines/ports.py", "def name(n):\n    return f'ge0/{n}'\n").unwrap();
    bench
        .write("tests/flat.py", "import cards, ports\nassert ports.name(cards.count()) == 'ge0/3'\n")
        .unwrap();
    bench
        .write("tests/deep.py", "import cards\nfrom lines import ports\nassert ports.name(1) == 'ge0/1'\n")
        .unwrap();
    for (layout, file) in [("flat", "flat.py"), ("deep", "deep.py")] {
        let head =
            format!("<DownloadLibraries>{layout}</DownloadLibraries><libraries>cards.py;lines;</libraries>");
        let (_, rows) = run(&bench, &head, &[file]);
        let log = bench.api.log(rows[0].attempt.unwrap(), "cli").unwrap_or_default();
        assert_eq!(rows[0].state, PASS, "{layout}: {}\n{log}", rows[0].reason);
    }
}

#[test]
fn what_a_test_does_to_the_files_beside_it_reaches_no_later_run() {
    let bench = bench();
    bench.write("tests/pack/.beside", "").unwrap();
    bench.write("tests/pack/rates.py", "RATE = 10\n").unwrap();
    for number in 0..10 {
        bench.write(&format!("tests/pack/table{number}.txt"), "a row\n").unwrap();
    }
    let look = "import os, rates\nassert rates.RATE == 10\n\
                for n in range(10):\n    assert open(f'{os.path.dirname(__file__)}/table{n}.txt').read() == 'a row\\n', n\n";
    let spoil = "import os\nhere = os.path.dirname(__file__)\n\
                 for name in ('rates.py', 'table3.txt'):\n    os.chmod(f'{here}/{name}', 0o644)\n    open(f'{here}/{name}', 'w').write('RATE = 7\\n')\n\
                 open(f'{here}/json.py', 'w').write('raise SystemExit(9)\\n')\n";
    bench.write("tests/pack/look.py", look).unwrap();
    bench.write("tests/pack/spoil.py", spoil).unwrap();
    let (look, spoil) = ("pack/look.py", "pack/spoil.py");
    for files in [&[look][..], &[look, spoil, look], &[look], &[spoil], &[look]] {
        let (_, rows) = run(&bench, "", files);
        for row in rows {
            let log = bench.api.log(row.attempt.unwrap(), "cli").unwrap_or_default();
            assert_eq!(row.state, PASS, "{files:?}: {}\n{log}", row.reason);
        }
    }
}

#[test]
fn scripts_around_a_run_are_run_and_a_mandatory_one_that_fails_cancels_it() {
    let bench = bench();
    let trace = bench.path().join("trace");
    for (name, end) in [("pre.sh", "exit 0"), ("post.sh", "exit 0"), ("refuse.sh", "exit 1")] {
        bench
            .write(
                &format!("tests/{name}"),
                &format!("#!/bin/sh\necho {name} >> {}\n{end}\n", trace.display()),
            )
            .unwrap();
    }
    bench.write("tests/middle.sh", &format!("#!/bin/sh\necho middle >> {}\n", trace.display())).unwrap();
    let script = |name: &str| bench.lab().join("tests").join(name).display().to_string();
    let head =
        format!("<ScriptPre>{}</ScriptPre><ScriptPost>{}</ScriptPost>", script("pre.sh"), script("post.sh"));
    run(&bench, &head, &["middle.sh"]);
    assert_eq!(std::fs::read_to_string(&trace).unwrap(), "pre.sh\nmiddle\npost.sh\n");
    let head =
        format!("<PrePostMandatory>true</PrePostMandatory><ScriptPre>{}</ScriptPre>", script("refuse.sh"));
    let (_, rows) = run(&bench, &head, &["middle.sh"]);
    assert_eq!(rows[0].state, TestState::Ended(Verdict::NotExecuted), "{}", rows[0].reason);
}

#[test]
fn a_breakpoint_holds_a_test_until_a_person_lets_it_go_on() {
    let bench = bench();
    bench.write("tests/stops.py", "speed = 100\nbreakpoint()\nprint('on it goes')\n").unwrap();
    let run = bench.api.submit("stops", &project("", &["stops.py"])).unwrap();
    let question = wait::until(LIMIT, "the breakpoint", || {
        Ok(bench.api.events(run)?.iter().find_map(|event| match &event.fact {
            Fact::Asked { question, interact, .. } if interact.message.contains("speed = 100") => {
                Some(*question)
            }
            _ => None,
        }))
    })
    .unwrap();
    bench
        .api
        .post::<serde_json::Value>(&format!("/runs/{run}/questions/{question}"), &json!({"answer": null}))
        .unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let rows = bench.api.tests(run).unwrap();
    assert_eq!(rows[0].state, PASS, "{}", rows[0].reason);
    assert_eq!(bench.api.log(rows[0].attempt.unwrap(), "cli").unwrap(), "on it goes\n");
}

/// Says half of what is watched for, a moment later the other half, and would then go on for long.
const PANICS: &str = "import sys, time
for half in ('Kernel pa', 'nic - not syncing\\n'):
    sys.stdout.write(half)
    sys.stdout.flush()
    time.sleep(0.3)
time.sleep(600)
";

#[test]
fn a_panic_pattern_split_over_two_chunks_ends_the_test() {
    let bench = bench();
    let patterns = r#"{"admin": {"1": {"expression": "Kernel p[a]nic", "enabled": "true"}}, "bob": {"2": {"expression": "(", "enabled": true}}}"#;
    bench.write("PanicDetectData.json", patterns).unwrap();
    bench.write("tests/panics.py", PANICS).unwrap();
    bench.write("tests/after.sh", "#!/bin/sh\nexit 0\n").unwrap();
    let suite = |detect: &str| {
        project("", &["panics.py", "after.sh"])
            .replace("</tsName>", &format!("</tsName><PanicDetect>{detect}</PanicDetect>"))
    };
    let run = bench.api.submit("panics", &suite("true")).unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    let rows = bench.api.tests(run).unwrap();
    assert_eq!((rows[0].state, rows[1].state), (FAIL, PASS), "{}", rows[0].reason);
    assert_eq!(rows[0].cause, Some(Cause::Product));
    assert!(rows[0].reason.contains("Kernel p[a]nic"), "{}", rows[0].reason);
}

#[test]
fn a_panic_pattern_that_is_none_is_told_with_its_place_before_anything_runs() {
    let bench = Bench::start("").unwrap();
    bench
        .write(
            "PanicDetectData.json",
            "{\n  \"admin\": {\n    \"1\": {\"expression\": \"Oops (\", \"enabled\": \"true\"}}}",
        )
        .unwrap();
    bench.write("tests/a.sh", "#!/bin/sh\nexit 0\n").unwrap();
    let plain = project("", &["a.sh"]);
    let watched = plain.replace("</tsName>", "</tsName><PanicDetect>true</PanicDetect>");
    let (status, text) =
        bench.api.request("POST", "/runs", Some(&json!({"project": "p.xml", "xml": watched}))).unwrap();
    assert_eq!(status, 422, "{text}");
    let problem: Problem = serde_json::from_str(&text).unwrap();
    let at: Vec<_> = problem.problems.iter().filter(|problem| problem.line == 3).collect();
    assert!(at.iter().any(|problem| problem.file.ends_with("PanicDetectData.json")), "{text}");
    bench.write("projects/watched.xml", &watched).unwrap();
    let file = bench.lab().join("projects/watched.xml");
    let output = bench.jackfield(&["project", "check", file.to_str().unwrap()]).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("PanicDetectData.json:3:") && told.contains("Oops ("), "{told}");
    // Nobody watches: it is nobody's problem.
    let (status, text) =
        bench.api.request("POST", "/runs", Some(&json!({"project": "p.xml", "xml": plain}))).unwrap();
    assert_eq!(status, 201, "{text}");
}
