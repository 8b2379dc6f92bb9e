//! The lab's own database on bad days: whatever dies, each row is there once.

use std::{fmt::Write as _, time::Duration};

use jackfield_protocol::{event::RunState, id::RunId};
use jackfield_tests::{Bench, mariadb::MariaDb, present, wait};

const LIMIT: Duration = Duration::from_secs(600);

/// Tests of the run. More of them by `JACKFIELD_INSERTS`.
#[expect(clippy::disallowed_methods, reason = "how large it is, is told to a test by its environment")]
fn tests() -> usize {
    std::env::var("JACKFIELD_INSERTS").ok().and_then(|count| count.parse().ok()).unwrap_or(400)
}

/// Two statements for each test, slow enough that things can happen in the middle.
fn db_xml(url: &str) -> String {
    format!(
        "<root><db_config><url>{url}</url><marker>jackfield_saved</marker></db_config>\n<insert_section>\n\
         <field ID=\"Run\" Type=\"DbSelect\" Level=\"Project\" SQLQuery=\"SELECT COALESCE(MAX(run), 0) + 1 FROM results\"/>\n\
         <sql_statement>INSERT INTO results SELECT @Run@, $jackfield_test, SLEEP(0.003)</sql_statement>\n\
         <sql_statement>INSERT INTO notes (run, test, name) VALUES (@Run@, $jackfield_test, '$twister_tc_name')</sql_statement>\n\
         </insert_section></root>\n"
    )
}

fn project(tests: usize) -> String {
    let mut cases = String::new();
    for _ in 0..tests {
        cases.push_str("<TestCase><tcName>step.sh</tcName></TestCase>\n");
    }
    let mut project = String::new();
    let _ = write!(
        project,
        "<Root><dbautosave>save</dbautosave>\n<TestSuite><tsName>many</tsName>\n{cases}</TestSuite></Root>"
    );
    project
}

fn rows(database: &MariaDb) -> usize {
    database.query("lab", "SELECT COUNT(*) FROM results").unwrap().parse().unwrap()
}

fn wait_for_rows(database: &MariaDb, count: usize) {
    wait::until(LIMIT, "rows in the lab's database", || Ok((rows(database) >= count).then_some(()))).unwrap();
}

fn wait_until_saved(bench: &Bench, run: RunId) {
    let saved = || {
        let run: serde_json::Value = bench.api.get(&format!("/runs/{run}"))?;
        Ok(run.get("database").is_some_and(|state| state == "saved").then_some(()))
    };
    wait::until(LIMIT, "the run to be in the lab's database", saved).unwrap();
}

#[test]
fn each_row_is_there_once_whatever_dies_while_it_is_inserted() {
    if present::left_out("mariadb-server", "/usr/sbin/mariadbd") {
        return;
    }
    let mut bench = Bench::start("").unwrap();
    let folder = bench.path().join("mariadb");
    std::fs::create_dir(&folder).unwrap();
    let mut database = MariaDb::start(&folder).unwrap();
    database
        .query(
            "lab",
            "CREATE TABLE results (run INTEGER, test INTEGER, slept INTEGER); \
             CREATE TABLE notes (run INTEGER, test INTEGER, name VARCHAR(99))",
        )
        .unwrap();
    bench.write("db.xml", &db_xml(&database.url())).unwrap();
    bench.write("tests/step.sh", "#!/bin/sh\n").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let count = tests();
    let run = bench.api.submit("many", &project(count)).unwrap();
    assert_eq!(bench.api.wait(run, LIMIT).unwrap().state, RunState::Completed);
    let part = count / 8;
    // The engine dies with a question on its way to a frozen database, which answers it when nobody listens any more. Twice.
    for blow in [1, 2] {
        wait_for_rows(&database, blow * part);
        database.freeze();
        bench.kill_engine();
        database.thaw();
        bench.start_engine().unwrap();
    }
    for blow in [3, 4] {
        wait_for_rows(&database, blow * part);
        database.kill();
        database.restart().unwrap();
    }
    wait_for_rows(&database, 5 * part);
    bench.kill_engine();
    bench.start_engine().unwrap();
    wait_until_saved(&bench, run);
    for table in ["results", "notes"] {
        let sql = format!("SELECT COUNT(*), COUNT(DISTINCT test), MIN(run), MAX(run) FROM {table}");
        let told = database.query("lab", &sql).unwrap();
        assert_eq!(told, format!("{count}\t{count}\t1\t1"), "{table}");
    }
    let again = bench.jackfield(&["runs", "insert", &run.to_string()]).unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).contains("are in the database already"), "{again:?}");
}

#[test]
fn tests_are_inserted_as_they_end_where_the_lab_wants_it() {
    if present::left_out("mariadb-server", "/usr/sbin/mariadbd") {
        return;
    }
    let mut bench = Bench::start("").unwrap();
    let folder = bench.path().join("mariadb");
    std::fs::create_dir(&folder).unwrap();
    let database = MariaDb::start(&folder).unwrap();
    database.query("lab", "CREATE TABLE results (run INTEGER, test INTEGER)").unwrap();
    let db = format!(
        "<root><db_config><url>{}</url><insert>live</insert></db_config>\n<insert_section>\
         <sql_statement>INSERT INTO results VALUES ($jackfield_run, $jackfield_test)</sql_statement></insert_section></root>\n",
        database.url()
    );
    bench.write("db.xml", &db).unwrap();
    bench.write("tests/step.sh", "#!/bin/sh\n").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let go = bench.path().join("go");
    bench
        .write("tests/long.sh", &format!("#!/bin/sh\nuntil test -e {}; do sleep 0.05; done\n", go.display()))
        .unwrap();
    let project =
        project(3).replace("</TestSuite>", "<TestCase><tcName>long.sh</tcName></TestCase></TestSuite>");
    let run = bench.api.submit("live", &project).unwrap();
    wait_for_rows(&database, 3);
    assert!(!bench.api.run(run).unwrap().state.is_final(), "they are there while the run goes on");
    std::fs::write(&go, "").unwrap();
    assert_eq!(bench.api.wait(run, LIMIT).unwrap().state, RunState::Completed);
    wait_until_saved(&bench, run);
    let told = database.query("lab", "SELECT COUNT(*), COUNT(DISTINCT test) FROM results").unwrap();
    assert_eq!(told, "4\t4");
}
