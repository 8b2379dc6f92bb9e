//! Every SDK says the same things: one test in each language makes every call there is, against a simulated router, a real OpenSSH server and
//! a real serial line, and what came of it is the same.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use jackfield_protocol::{
    api::TestRow,
    event::Fact,
    id::RunId,
    link::InteractKind,
    verdict::{Cause, TestState, Verdict},
};
use jackfield_tests::{Bench, process::Process, wait};
use serde_json::{Value, json};

use crate::{beside, cleanup, serial};

const LIMIT: Duration = Duration::from_secs(240);
/// A test that makes every call, in each language, in the order of the columns of the documentation.
const TESTS: [(&str, &str); 5] = [
    ("all.py", include_str!("sdks/all.py")),
    ("all.tcl", include_str!("sdks/all.tcl")),
    ("all.pl", include_str!("sdks/all.pl")),
    ("all.sh", include_str!("sdks/all.sh")),
    ("All.java", include_str!("sdks/All.java")),
];
const CONFIG: &str = "<root><folder><fname>line</fname><param><name>speed</name><value>9600</value><desc/><type>string</type></param></folder></root>";
const BINDINGS: &str = r#"<root><binding><name>default_binding</name><bind config="comp" sut="/bench.system/wan"/></binding></root>"#;
const SUT: &str = r#"{"path": ["bench.system"], "id": "5d00000001", "meta": {}, "children": {
    "wan": {"path": ["bench.system", "wan"], "id": "5d00000002", "meta": {"colour": "blue"}, "children": {}}}}"#;
/// An outlet that is a file.
const OUTLET: &str = "#!/bin/sh\nfile=$(dirname \"$0\")/outlet.state\n[ \"$1\" = status ] || echo \"$1\" >\"$file\"\ncat \"$file\"\n";

struct Lab {
    bench: Bench,
    _router: Process,
    /// Each is served once, and gone when its session is closed.
    _lines: Vec<(Process, tempfile::TempDir)>,
    _host: tempfile::TempDir,
    files: std::path::PathBuf,
}

impl Lab {
    fn start() -> Self {
        let host = tempfile::tempdir().unwrap();
        let port = beside::serve(host.path());
        let mut bench = Bench::start_in("", |bench| {
            bench.write("configs/speeds", CONFIG)?;
            bench.write("bindings.xml", BINDINGS)?;
            bench.write("sut/bench.json", SUT)?;
            Ok(None)
        })
        .unwrap();
        let files = host.path().join("files");
        fs::create_dir(&files).unwrap();
        let key = host.path().join("id").display().to_string();
        let way = json!({
            "profile": "linux", "host": "127.0.0.1", "port": port, "user": "root", "key": key, "host_key": "accept-new",
        });
        for (name, text) in TESTS {
            let text =
                text.replace("@FOLDER@", &files.display().to_string()).replace("@WAY@", &way.to_string());
            let text =
                text.replace("@NAME@", name).replace("@PORT@", &port.to_string()).replace("@KEY@", &key);
            bench.write(&format!("tests/{name}"), &text).unwrap();
        }
        let router = cleanup::router(&mut bench);
        let mut lab = Self { bench, _router: router, _lines: Vec::new(), files, _host: host };
        lab.fill_in();
        lab
    }

    /// What the router needs beyond the way to it, and the lines.
    fn fill_in(&mut self) {
        let outlet = self.bench.path().join("lab/outlet");
        self.bench.write("outlet", OUTLET).unwrap();
        let act = |word: &str| json!([outlet, word]);
        let power = json!({"command": {"on": act("on"), "off": act("off"), "status": act("status")}, "off_millis": 1});
        let more =
            json!({"power": power, "level": "user", "profile_settings": {"reboot": {"pause": "10ms"}}});
        self.bench.api.set_resource("/lab", "router", &more).unwrap();
        for (name, _) in TESTS {
            let folder = tempfile::tempdir().unwrap();
            let (line, device) = (serial::plug_in(folder.path()), folder.path().join("tty"));
            let way = json!({
                "protocol": "serial", "device": device, "speed": 115_200, "profile": "linux", "user": "ana", "password": "secret",
            });
            self.bench.api.set_resource("/lab", &format!("box-{name}"), &way).unwrap();
            self._lines.push((line, folder));
        }
    }

    /// Runs these tests, and answers what they ask.
    fn run(&self, files: &[&str]) -> Vec<TestRow> {
        let config = r#"<ConfigFiles><Config name="speeds" enabled="true"/></ConfigFiles>"#;
        let cases: String = files
            .iter()
            .map(|file| format!("<TestCase><tcName>{file}</tcName>{config}</TestCase>"))
            .collect();
        let suite = format!("<tsName>all</tsName><SutName>bench(system)</SutName>{cases}");
        let xml = format!("<Root><TestSuite>{suite}</TestSuite></Root>");
        let run = self.bench.api.submit("sdks", &xml).unwrap();
        let mut answered = BTreeSet::new();
        wait::until(LIMIT, "the run to end", || {
            self.answer(run, &mut answered)?;
            Ok(self.bench.api.run(run)?.state.is_final().then_some(()))
        })
        .unwrap();
        self.bench.api.tests(run).unwrap()
    }

    fn answer(&self, run: RunId, answered: &mut BTreeSet<u64>) -> anyhow::Result<()> {
        for event in self.bench.api.events(run)? {
            if let Fact::Asked { question, interact, .. } = event.fact
                && answered.insert(question)
            {
                let answer = if interact.kind == InteractKind::Input { json!("ana") } else { Value::Null };
                let path = format!("/runs/{run}/questions/{question}");
                self.bench.api.post::<Value>(&path, &json!({ "answer": answer }))?;
            }
        }
        Ok(())
    }

    fn log(&self, row: &TestRow, stream: &str) -> String {
        row.attempt.map(|attempt| self.bench.api.log(attempt, stream).unwrap_or_default()).unwrap_or_default()
    }
}

#[test]
fn one_test_in_each_language_makes_every_call() {
    let lab = Lab::start();
    let rows = lab.run(&TESTS.map(|(name, _)| name));
    for row in &rows {
        // Each says that it passed; the check that it went on after says otherwise.
        let told = format!("{}: {}\n{}", row.name, row.reason, lab.log(row, "cli"));
        assert_eq!((row.state, row.cause), (TestState::Ended(Verdict::Fail), Some(Cause::Product)), "{told}");
        assert_eq!(row.reason, "`delay` is not below `10 ms`; it is: `12 ms`", "{told}");
        let parts: Vec<String> =
            row.parts.iter().map(|part| format!("{} {}", part.name, part.verdict)).collect();
        let expect = ["login PASS", "cpu load PASS", "delay FAIL", "build PASS", "figures PASS"];
        assert_eq!(parts, expect, "{told}");
        let load = &row.parts[1].checks[0];
        assert_eq!((load.shown().as_str(), load.shown_limits().as_str()), ("12.5 %", "at_most 80"), "{told}");
        assert!(lab.log(row, "test").starts_with("hello from "), "{told}");
        left(&lab, row);
    }
    let folder = |name: &str| lab.files.join(name);
    for name in ["py", "tcl", "pl", "sh", "java"] {
        assert_eq!(fs::read_to_string(folder(name)).unwrap(), "kept", "{name}");
        assert!(folder(&format!("{name}.cleaned")).is_file(), "{name}");
    }
}

/// A file, packets, and a recording with marks.
fn left(lab: &Lab, row: &TestRow) {
    let attempt: Value = lab.bench.api.get(&format!("/attempts/{}", row.attempt.unwrap())).unwrap();
    assert_eq!(attempt.pointer("/variables/build"), Some(&json!("7")), "{}", row.name);
    let artifacts = attempt.get("artifacts").and_then(Value::as_object).unwrap();
    let hash = |end: &str| {
        let found = artifacts.iter().find(|(name, _)| name.ends_with(end));
        found
            .unwrap_or_else(|| panic!("{}: no {end} in {artifacts:?}", row.name))
            .1
            .pointer("/hash")
            .and_then(Value::as_str)
            .unwrap()
            .to_owned()
    };
    assert_eq!(lab.bench.api.blob(&hash("note.txt")).unwrap(), b"kept");
    assert!(lab.bench.api.blob(&hash(".pcap")).unwrap().len() > 24);
    let recording = String::from_utf8(lab.bench.api.blob(&hash("host.cast")).unwrap()).unwrap();
    assert!(recording.contains(r#""m","after the figures""#), "{}: {recording}", row.name);
    // A secret that answered a question is stars there, and in no log.
    assert!(recording.contains("Password: "), "{}: {recording}", row.name);
    let logs = ["cli", "running", "debug", "test"].map(|stream| lab.log(row, stream)).concat();
    for text in [&recording, &logs] {
        assert!(!text.contains("geheim-wort"), "{}: {text}", row.name);
    }
    assert_eq!(lab.bench.api.blob(&hash("numbers.txt")).unwrap().len(), 588_895);
}

/// The names in the tables of calls in the documentation: for each column its words in quotes.
fn documented() -> Vec<Vec<String>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/writing-tests.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, tables) = page.split_once("<!-- calls -->").unwrap();
    let (tables, _) = tables.split_once("<!-- /calls -->").unwrap();
    let rows = tables.lines().filter(|line| line.starts_with("| ") && line.contains("| `"));
    rows.map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

#[test]
fn the_tests_make_every_call_that_the_documentation_names() {
    let rows = documented();
    assert!(rows.len() > 40, "{} rows", rows.len());
    for (column, (name, text)) in (3..).zip(TESTS) {
        for row in &rows {
            let words = row[column].split('`').skip(1).step_by(2);
            for word in words {
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let used = text.split(|c| !is_word(c)).any(|used| used == word);
                assert!(used, "tests/scenarios/sdks/{name} does not call `{word}`");
            }
        }
    }
}

/// What goes wrong first for somebody new: a name that is not there, an answer that does not come, a device that has gone.
const WRONG: [(&str, &str); 5] = [
    ("wrong.py", include_str!("sdks/wrong.py")),
    ("wrong.tcl", include_str!("sdks/wrong.tcl")),
    ("wrong.pl", include_str!("sdks/wrong.pl")),
    ("wrong.sh", include_str!("sdks/wrong.sh")),
    ("Wrong.java", include_str!("sdks/Wrong.java")),
];

#[test]
fn what_goes_wrong_is_told_alike_in_every_language() {
    let mut bench = Bench::start("").unwrap();
    let _router = cleanup::router(&mut bench);
    for (name, text) in WRONG {
        bench.write(&format!("tests/{name}"), text).unwrap();
    }
    let rows = bench.api.run_files(&WRONG.map(|(name, _)| name), LIMIT).unwrap();
    let told: Vec<String> = rows
        .iter()
        .map(|row| {
            let log = bench.api.log(row.attempt.unwrap(), "cli").unwrap_or_default();
            assert_eq!(row.state, TestState::Ended(Verdict::Pass), "{}: {}\n{log}", row.name, row.reason);
            log.lines().map(plain).collect::<Vec<_>>().join("\n")
        })
        .collect();
    for (row, told_here) in rows.iter().zip(&told) {
        assert_eq!(*told_here, told[0], "{} tells it otherwise than {}", row.name, rows[0].name);
    }
    insta::assert_snapshot!(told[0]);
}

/// Without what differs from run to run, and the code that shell leaves to the exit status.
fn plain(line: &str) -> String {
    let line = line.split(" [").next().unwrap_or_default();
    let line = line.split(" (parameter").next().unwrap_or_default();
    let words = line.split(' ').map(|word| {
        let is_time = word.ends_with("µs") || (word.ends_with("ms") && word != "500.0ms");
        if is_time {
            "…"
        } else if word.starts_with("127.0.0.1:") {
            "127.0.0.1"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_example_in_java_runs_as_it_is() {
    let mut bench = Bench::start("").unwrap();
    let _router = cleanup::router(&mut bench);
    let text = include_str!("../../examples/demo/tests/java/VersionTest.java");
    bench.write("tests/VersionTest.java", text).unwrap();
    let rows = bench.api.pass_files(&["VersionTest.java"], LIMIT).unwrap();
    let parts: BTreeSet<&str> = rows[0].parts.iter().map(|part| part.name.as_str()).collect();
    let tests = ["VersionTest.everyInterfaceHasTheUsualMtu", "VersionTest.thereIsMemoryLeft", "memory"];
    assert_eq!(parts, BTreeSet::from(tests));
}
