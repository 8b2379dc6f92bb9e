//! Twister's demo lab with its own database: the demo run lands in `results`, and all four reports of its `db.xml` open. Then the same lab with its file
//! adapted to PostgreSQL and to SQLite.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use jackfield_protocol::{event::RunState, id::RunId};
use jackfield_tests::{Bench, mariadb::MariaDb, present, wait};
use serde_json::Value;

use crate::twister::{home, samples};

const LIMIT: Duration = Duration::from_secs(90);

/// As the lab's `twister_demo.sql` makes it.
const TABLE: &str = "CREATE TABLE results (id SERIAL, run_nb INTEGER, username VARCHAR(32), ce_hostname VARCHAR(32), ce_ip VARCHAR(32), \
    ep_ip VARCHAR(32), ep_hostname VARCHAR(32), ep_name VARCHAR(32), suite_name VARCHAR(32), tc_name VARCHAR(32), tc_path VARCHAR(256), \
    tc_status VARCHAR(32), tc_time_elapsed VARCHAR(32), tc_date_started VARCHAR(32), tc_date_finished VARCHAR(32), tc_log TEXT)";

/// The demo lab, whose `db.xml` is what `adapt` makes of its own.
fn bench(samples: &Path, adapt: impl Fn(&str) -> String) -> Bench {
    let mut bench = Bench::start_in("", |bench| {
        home(bench, samples);
        let file = bench.lab().join("config/db.xml");
        let text = std::fs::read_to_string(&file)?;
        std::fs::write(&file, adapt(&text))?;
        Ok(None)
    })
    .unwrap();
    bench.start_ep("EP-1001", "").unwrap();
    bench
}

/// The file with another database.
fn with_url(text: &str, url: &str) -> String {
    let (before, rest) = text.split_once("<db_config>").expect("the demo names a database");
    let (_, after) = rest.split_once("</db_config>").expect("it ends");
    format!("{before}<db_config><url>{url}</url></db_config>{after}")
}

/// In the SQL that every database knows.
fn plain_sql(text: &str) -> String {
    text.replace("CONCAT('Run ',CAST(run_nb AS CHAR))", "'Run ' || CAST(run_nb AS TEXT)")
        .replace('`', "")
        .replace("AS 'Status'", "AS status")
        .replace("AS 'Count'", "AS tests")
        .replace("AS 'Nr of tests'", "AS tests")
        .replace("AS 'Success rate (%)'", "AS rate")
}

/// Runs the demo project, has it saved as a person does (`dbautosave` is `ask`), and opens each report.
fn run_and_read(bench: &Bench, kind: &str) {
    let xml = std::fs::read_to_string(bench.lab().join("config/projects/default.xml")).unwrap();
    let run: RunId = bench.api.submit("default", &xml).unwrap();
    assert_eq!(bench.api.wait(run, LIMIT).unwrap().state, RunState::Completed);
    let tests = bench.api.tests(run).unwrap().len();
    let asked = bench.jackfield(&["runs", "insert", &run.to_string()]).unwrap();
    assert!(asked.status.success(), "{kind}: {asked:?}");
    wait::until(LIMIT, "the demo run in the database", || {
        let run: Value = bench.api.get(&format!("/runs/{run}"))?;
        Ok(run.get("database").is_some_and(|state| state == "saved").then_some(()))
    })
    .unwrap();
    let get = |path: &str| -> Value {
        bench.api.get(&format!("/reports/{path}")).unwrap_or_else(|error| panic!("{kind} {path}: {error:#}"))
    };
    let numbers = |chart: &Value| -> Vec<f64> {
        let values = chart.pointer("/chart/series/0/values").and_then(Value::as_array).expect("a series");
        values.iter().filter_map(Value::as_f64).collect()
    };
    let rows = get("Details/rows?limit=1000");
    let rows = rows.get("rows").and_then(Value::as_array).unwrap();
    assert_eq!(rows.len(), tests, "{kind}: {rows:?}");
    let first = rows.first().and_then(Value::as_array).unwrap();
    assert!(
        first.iter().any(|cell| cell == "test01_connect.py") && first.iter().any(|cell| cell == "Suite_1"),
        "{kind}: {first:?}"
    );
    let summary = get("Summary/chart?field.Run_Number=1");
    let whole: f64 = numbers(&summary).iter().sum();
    assert!((whole - f64::from(u32::try_from(tests).unwrap())).abs() < 0.1, "{kind}: {summary}");
    let history = get("History%20(Nb%20Tests)/chart");
    assert_eq!(
        history.pointer("/chart/labels/0").and_then(Value::as_str),
        Some("Run 1"),
        "{kind}: {history}"
    );
    let rate = numbers(&get("History%20(Pass%20Rate)/chart"));
    assert!(matches!(&*rate, [rate] if (1.0..=100.0).contains(rate)), "{kind}: {rate:?}");
    let choices = get("Summary");
    assert_eq!(
        choices.pointer("/form/0/choices/0/value").and_then(Value::as_str),
        Some("1"),
        "{kind}: {choices}"
    );
}

#[test]
fn the_demo_lands_in_mariadb_by_its_own_files() {
    let Some(samples) = samples() else { return };
    if present::left_out("mariadb-server", "/usr/sbin/mariadbd") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = MariaDb::start(folder.path()).unwrap();
    let dump = std::fs::read_to_string(samples.join("installer/packages/twister_demo.sql")).unwrap();
    database.query("mysql", &dump).unwrap();
    let url = database.url().replace("/lab?", "/twister_demo?");
    let bench = bench(&samples, |text| with_url(text, &url));
    run_and_read(&bench, "mariadb");
}

#[test]
fn the_demo_lands_in_sqlite() {
    let Some(samples) = samples() else { return };
    let bench = bench(&samples, |text| plain_sql(&with_url(text, "sqlite:results.db")));
    let make = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute(sys.argv[2].replace('id SERIAL', 'id INTEGER PRIMARY KEY'))";
    let made = Command::new("python3")
        .args(["-c", make])
        .arg(bench.lab().join("results.db"))
        .arg(TABLE)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    run_and_read(&bench, "sqlite");
}

/// A PostgreSQL that goes with its standard input.
struct Postgres {
    shell: Child,
    socket: String,
}

impl Postgres {
    fn start() -> Self {
        let mut command = Command::new("runuser");
        command.args([
            "-u",
            "postgres",
            "--",
            "sh",
            "-c",
            include_str!("../harness/postgres.sh"),
            "postgres",
        ]);
        let mut shell =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/").spawn().unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.trim().is_empty(), "PostgreSQL did not start; `cargo xtask setup` installs it");
        Self { shell, socket: line.trim().to_owned() }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

#[test]
fn the_demo_lands_in_postgresql() {
    let Some(samples) = samples() else { return };
    if present::left_out("postgresql", "/usr/lib/postgresql") {
        return;
    }
    let server = Postgres::start();
    let made = Command::new("psql")
        .args(["-h", &server.socket, "-U", "postgres", "-c", TABLE, "lab"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let url = format!("postgres://postgres@localhost/lab?host={}", server.socket);
    let bench = bench(&samples, |text| plain_sql(&with_url(text, &url)));
    run_and_read(&bench, "postgres");
}
