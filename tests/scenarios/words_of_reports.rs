//! Every word that the page of reports promises, asked of the engine: what it puts into the lab's database of a run that really was, beside what this
//! machine says of itself.

use std::{collections::BTreeMap, path::Path, process::Command, time::Duration};

use jackfield_protocol::{
    api::RunSummary,
    event::RunState,
    id::RunId,
    verdict::{TestState, Verdict},
};
use jackfield_tests::{Bench, wait};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
const PAGE: &str = include_str!("../../docs/reports.md");

const GOOD: &str = "\
# <title>All speeds</title>
# <description>One port,
#   at each speed</description>
# <revision>7.3</revision>
log_msg('logRunning', 'it runs')
log_msg('logDebug', 'a detail\\nof two lines')
log_msg('logTest', 'it is tested')
print('printed')
import jackfield
jackfield.variable('serial', 'X-17')
_RESULT, _REASON = 'PASS', 'all is well'
";
const PROJECT: &str = r#"<Root><dbautosave>save</dbautosave>
  <UserDefined><propName>release</propName><propValue>4.2</propValue></UserDefined>
  <TestSuite><tsName>outer</tsName><ID>s-outer</ID><SutName>bench(system)</SutName>
    <UserDefined><propName>room</propName><propValue>12</propValue></UserDefined>
    <TestSuite><tsName>inner</tsName><ID>s-inner</ID>
      <TestCase><tcName>good.py</tcName><ID>t-good</ID>
        <ConfigFiles><Config name="speeds" enabled="true"/></ConfigFiles>
        <Property><propName>board</propName><propValue>b1</propValue></Property></TestCase>
      <TestCase><tcName>crash.sh</tcName><ID>t-crash</ID></TestCase>
      <TestCase><tcName>gone.py</tcName><ID>t-gone</ID></TestCase>
    </TestSuite>
  </TestSuite></Root>"#;

/// The words of the tables below this sentence.
fn words() -> Vec<&'static str> {
    let (_, tables) =
        PAGE.split_once("What a name can stand for, first found first:").expect("the page has its tables");
    let (tables, _) = tables.split_once("\n## ").expect("a chapter follows");
    let cells =
        tables.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

/// A row for each word, beside what tests, suites and projects define, and a field of a script.
fn db_xml(words: &[&str]) -> String {
    let mut statements = String::new();
    for word in words.iter().chain(&["serial", "board", "room", "release", "Rack"]) {
        statements.push_str(&format!(
            "<sql_statement>INSERT INTO words VALUES ('$twister_tc_id', '{word}', ${word})</sql_statement>\n"
        ));
    }
    format!(
        "<root><db_config><url>sqlite:results.db</url></db_config><insert_section>\n\
         <field ID=\"Rack\" Type=\"UserScript\" Level=\"Project\"/>\n{statements}</insert_section>\n\
         <reports_section><field ID=\"Word\" Type=\"UserText\" Label=\"Word\"/>\n\
         <report ID=\"Of a word\" Type=\"Table\" SQLQuery=\"SELECT test, value FROM words WHERE word = '@Word@' ORDER BY test\"/>\n\
         </reports_section></root>"
    )
}

fn python(code: &str, argument: &Path) -> String {
    let done = Command::new("python3").args(["-c", code]).arg(argument).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// What a command of this machine says, without the line's end.
fn said(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn bench(words: &[&str]) -> Bench {
    let mut bench = Bench::start_in("[server]\nkind = \"production\"\nlocation = \"Cluj, 2\"\n", |bench| {
        bench.write("resources.json", r#"{"path": [""], "meta": {}, "id": "0000000001", "children": {}}"#)?;
        Ok(None)
    })
    .unwrap();
    bench.write("db.xml", &db_xml(words)).unwrap();
    let speeds = "<root><folder><fname>port</fname><param><name>speed</name><value>10</value><type>iterator</type></param></folder></root>";
    bench.write("configs/speeds", speeds).unwrap();
    // The mail shows what the run has just left in the database.
    let email = "<Root><Enabled>false</Enabled><Subject>$jackfield_project</Subject></Root>";
    bench.write("email.xml", email).unwrap();
    let chart = "[[chart]]\nreport = \"Of a word\"\nfields = [\"Word=jackfield_run\"]\n";
    bench.write("mail.toml", chart).unwrap();
    bench.write("tests/good.py", GOOD).unwrap();
    bench.write("tests/crash.sh", "#!/bin/sh\nkill -SEGV $$\n").unwrap();
    bench.write("tests/rack.sh", "#!/bin/sh\necho rack 4\n").unwrap();
    bench.api.set_resource("/", "lab", &Value::Object(serde_json::Map::new())).unwrap();
    bench.api.set_sut("bench.system", "router", "/lab").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    python(
        "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE words (test, word, value)')",
        &bench.lab().join("results.db"),
    );
    bench
}

/// What is in the table, by test and word; none is NULL.
fn kept(bench: &Bench) -> BTreeMap<(String, String), Option<String>> {
    let code = "import json, sqlite3, sys; print(json.dumps([[t, w, None if v is None else str(v)] for t, w, v in sqlite3.connect(sys.argv[1]).execute('SELECT * FROM words')]))";
    let rows: Vec<(String, String, Option<String>)> =
        serde_json::from_str(&python(code, &bench.lab().join("results.db"))).unwrap();
    rows.into_iter().map(|(test, word, value)| ((test, word), value)).collect()
}

fn run(bench: &Bench) -> RunId {
    std::fs::create_dir_all(bench.lab().join("projects")).unwrap();
    bench.write("projects/words.xml", PROJECT).unwrap();
    let done = bench.jackfield(&["submit", "words", "--field", "Rack=rack.sh"]).unwrap();
    assert!(done.status.success(), "{done:?}");
    let run: RunId = String::from_utf8_lossy(&done.stdout).trim().parse().unwrap();
    assert_eq!(bench.api.wait(run, LIMIT).unwrap().state, RunState::Completed);
    wait::until(LIMIT, "the run to be in the lab's database", || {
        let run: Value = bench.api.get(&format!("/runs/{run}"))?;
        Ok(run.get("database").is_some_and(|state| state == "saved").then_some(()))
    })
    .unwrap();
    run
}

/// A moment as the clocks on this machine's wall have it.
fn on_the_wall(millis: i64) -> String {
    said("date", &["-d", &format!("@{}", millis.div_euclid(1_000)), "+%Y-%m-%dT%H:%M:%S"])
}

/// What is known beforehand of every test, whatever became of it.
fn of_the_run(bench: &Bench, run: RunId) -> BTreeMap<&'static str, String> {
    let host = said("uname", &["-n"]);
    let system = said("uname", &["-sr"]);
    let interpreter = said("python3", &["--version"]).replace("Python ", "");
    let lab = |file: &str| bench.lab().join(file).display().to_string();
    BTreeMap::from([
        ("twister_user", "admin".to_owned()),
        ("twister_pf_fname", lab("projects/words.xml")),
        ("twister_rf_fname", lab("resources.json")),
        ("twister_ce_type", "production".to_owned()),
        ("twister_server_location", "Cluj, 2".to_owned()),
        ("twister_ce_os", system),
        ("twister_ce_hostname", host),
        ("twister_ce_ip", "127.0.0.1".to_owned()),
        ("twister_ce_python_revision", interpreter),
        ("jackfield_run", run.to_string()),
        ("jackfield_project", "words".to_owned()),
        ("jackfield_state", "completed".to_owned()),
        ("jackfield_stopped", String::new()),
        (
            "jackfield_software",
            said(&jackfield_tests::process::jackfield().display().to_string(), &["--version"]),
        ),
        ("release", "4.2".to_owned()),
        ("room", "12".to_owned()),
        ("Rack", "rack 4".to_owned()),
    ])
}

fn of_good() -> BTreeMap<&'static str, String> {
    let text = |text: &str| text.to_owned();
    BTreeMap::from([
        ("twister_ep_name", text("EP-1")),
        ("twister_ep_hostname", said("uname", &["-n"])),
        ("twister_ep_ip", text("127.0.0.1")),
        ("twister_ep_python_revision", said("python3", &["--version"]).replace("Python ", "")),
        ("twister_suite_id", text("s-inner")),
        ("twister_suite_name", text("inner")),
        ("jackfield_suite_path", text("outer/inner")),
        ("twister_tc_id", text("t-good")),
        ("twister_tc_name", text("good.py")),
        ("twister_tc_full_path", text("good.py")),
        ("twister_tc_title", text("All speeds")),
        ("twister_tc_description", text("One port, at each speed")),
        ("twister_tc_revision", text("7.3")),
        ("twister_tc_status", text("PASS")),
        ("twister_tc_reason", text("all is well")),
        ("twister_tc_iteration", text("speeds#port#speed=10")),
        ("twister_tc_crash_detected", text("0")),
        ("twister_tc_log", text("printed")),
        ("twister_tc_log_running", text("it runs")),
        ("twister_tc_log_debug", text("a detail<br>of two lines")),
        ("twister_tc_log_test", text("it is tested")),
        ("jackfield_test", text("0")),
        ("jackfield_attempt", text("1.0.1")),
        ("jackfield_verdict", text("PASS")),
        ("jackfield_sut", text("bench.system")),
        ("serial", text("X-17")),
        ("board", text("b1")),
    ])
}

#[test]
fn every_word_of_the_page_is_filled_by_the_engine() {
    let words = words();
    assert!(words.len() >= 46, "the page has its tables: {words:?}");
    let bench = bench(&words);
    let run = run(&bench);
    let (kept, rows) = (kept(&bench), bench.api.tests(run).unwrap());
    let value = |test: &str, word: &str| {
        kept.get(&(test.to_owned(), word.to_owned()))
            .cloned()
            .unwrap_or_else(|| panic!("no row of {word} for {test}"))
    };
    let summary: RunSummary = bench.api.run(run).unwrap();
    let [good, crash, gone] = &*rows else { panic!("{rows:?}") };
    let (of_run, mut of_good) = (of_the_run(&bench, run), of_good());
    let seconds = good.elapsed_millis / 1_000;
    let started = good.started.unwrap().0;
    of_good.extend([
        ("twister_tc_time_elapsed", seconds.to_string()),
        ("jackfield_elapsed_millis", good.elapsed_millis.to_string()),
        ("twister_tc_date_started", on_the_wall(started)),
        ("twister_tc_date_finished", on_the_wall(started + i64::try_from(good.elapsed_millis).unwrap())),
    ]);
    for word in &words {
        match (of_run.get(word), of_good.get(word)) {
            (Some(wanted), _) => {
                for test in ["t-good", "t-crash", "t-gone"] {
                    assert_eq!(value(test, word).as_ref(), Some(wanted), "{word} of {test}");
                }
            }
            (None, Some(wanted)) => assert_eq!(value("t-good", word).as_ref(), Some(wanted), "{word}"),
            // Whoever has no name for the zone here asks the clocks, which the dates above were compared with.
            (None, None) if *word == "twister_ce_timezone" => {
                assert!(value("t-gone", word).is_some_and(|zone| !zone.is_empty()))
            }
            // The name of the distribution stands before it.
            (None, None) if *word == "twister_ep_os" => {
                let system = said("uname", &["-sr"]);
                assert!(value("t-good", word).is_some_and(|os| os.contains(&system)), "{word}");
            }
            (None, None) if *word == "jackfield_cause" => assert_eq!(value("t-good", word), None),
            (None, None) => panic!("the page has `{word}`, and nothing here knows what it should be"),
        }
    }
    for word in ["serial", "board", "room", "release", "Rack"] {
        let wanted = of_run.get(word).or_else(|| of_good.get(word));
        assert_eq!(value("t-good", word).as_ref(), wanted, "{word}");
    }
    // What a crash and a test without an EP leave.
    for (test, word, wanted) in [
        ("t-crash", "twister_tc_crash_detected", Some("1")),
        ("t-crash", "twister_tc_revision", Some("-1")),
        ("t-crash", "twister_tc_title", Some("")),
        ("t-crash", "twister_tc_log_debug", Some("*no log*")),
        ("t-crash", "serial", None),
        ("t-gone", "twister_ep_name", None),
        ("t-gone", "twister_ep_ip", None),
        ("t-gone", "twister_tc_status", Some("SKIPPED")),
        ("t-gone", "jackfield_attempt", None),
        ("t-gone", "twister_tc_log", Some("*no log*")),
        ("t-gone", "room", Some("12")),
    ] {
        assert_eq!(value(test, word).as_deref(), wanted, "{word} of {test}");
    }
    assert_eq!(value("t-crash", "jackfield_cause").unwrap(), crash.cause.unwrap().to_string());
    assert_eq!(gone.state, TestState::Ended(Verdict::Skipped));
    assert_eq!(summary.tests, 3);
    let mail = bench.lab().join("outbox/run-1-words.eml");
    let mail = wait::until(LIMIT, "the mail", || Ok(std::fs::read_to_string(&mail).ok())).unwrap();
    assert!(mail.contains("Of a word:\r\n  t-crash: 1\r\n  t-gone: 1\r\n  t-good: 1\r\n"), "{mail}");
    shared(&bench);
}

/// The same rows for somebody without an account, by a link that the command line makes.
fn shared(bench: &Bench) {
    let typed = |line: &[&str]| {
        let done = bench.jackfield(line).unwrap();
        (
            done.status.code(),
            String::from_utf8_lossy(&done.stdout).trim().to_owned(),
            String::from_utf8_lossy(&done.stderr).into_owned(),
        )
    };
    let (code, link, talk) = typed(&["share", "create", "Of a word", "--field", "Word=room", "--days", "2"]);
    assert_eq!(code, Some(0), "{talk}");
    let address = link.replace("/shared/", "/api/v1/shared/");
    let fetch = |address: &str| said("curl", &["--silent", address]);
    assert_eq!(fetch(&format!("{address}/export/csv")), "test,value\r\nt-crash,12\r\nt-gone,12\r\nt-good,12");
    let (code, list, _) = typed(&["share", "list"]);
    assert!(code == Some(0) && list.contains("Word=room") && list.contains("admin"), "{list}");
    let secret = link.rsplit('/').next().unwrap();
    assert!(!list.contains(secret), "it is shown once");
    for (line, told) in [
        (&["share", "create", "Of a wort", "--field", "Word=room"][..], "do you mean `Of a word`?"),
        (&["share", "create", "Of a word"], "needs a value for `Word`"),
        (&["share", "create", "Of a word", "--field", "Wort=room"], "do you mean `Word`?"),
        (&["share", "create", "Of a word", "--field", "Word=room", "--days", "400"], "1 to 365 days"),
        (&["share", "revoke", "77"], "link 77"),
    ] {
        let (code, _, talk) = typed(line);
        assert!(code == Some(2) && talk.contains(told), "{line:?}: {code:?} {talk}");
    }
    assert_eq!(typed(&["share", "revoke", "1"]).1, "link 1 opens nothing any more");
    assert!(fetch(&format!("{address}/export/csv")).contains("not_found"), "{}", fetch(&address));
}
