//! Ten thousand tests into a database, each a transaction of its own: through the engine, and by a bare loop of the same statement.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::servers::{Kind, Server};
use crate::{
    bench::{
        Measure,
        lab::{Lab, now, project, wait},
        median,
    },
    command::{cargo, root, run},
};

const TESTS: usize = 10_000;
/// How long a run, or its inserts, may take before the measure is given up.
const LIMIT: Duration = Duration::from_secs(300);

const TABLE: &str = "CREATE TABLE results (run BIGINT, suite TEXT, test TEXT, status TEXT, seconds TEXT, finished TEXT, reason TEXT, number BIGINT)";
const COLUMNS: &str =
    "INSERT INTO results (run, suite, test, status, seconds, finished, reason, number) VALUES";
const VALUES: &str = "($jackfield_run, '$jackfield_suite_path', '$twister_tc_name', '$twister_tc_status', \
    '$twister_tc_time_elapsed', '$twister_tc_date_finished', '$twister_tc_reason', $jackfield_test)";

/// Builds the bare loop: the answer is its program.
pub(super) fn build_bare() -> Result<PathBuf> {
    let (manifest, target) = (root().join("xtask/peers/sqlx/Cargo.toml"), root().join("target/peers"));
    let mut build = cargo();
    build.args(["build", "--release", "--locked", "--manifest-path"]).arg(manifest).arg("--target-dir");
    run(build.arg(&target)).context("building the bare loop")?;
    Ok(target.join("release/jackfield-peer-sqlx"))
}

/// The rate of the engine beside a bare loop of transactions, and beside one of statements that commit themselves.
pub(super) fn measure(lab: &Lab, server: &Server, bare: &Path, rounds: usize) -> Result<Vec<Measure>> {
    server.execute(TABLE)?;
    lab.write("db.xml", db_xml(&server.url(), "end").as_bytes())?;
    let file = write_project(lab, "waits", "nosave", "EP-none")?;
    let (mut ours, mut theirs, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let number = stopped(lab, &file)?;
        let begin = now();
        lab.run(&["runs", "insert", &number], 0)?;
        wait_until_saved(lab, &number)?;
        ours.push(rate(begin.elapsed().as_secs_f64()));
        theirs.push(rate(by_hand(bare, server, "transaction")?));
        alone.push(rate(by_hand(bare, server, "alone")?));
    }
    server.execute("DROP TABLE results")?;
    let (ours, theirs) = (median(ours), median(theirs));
    let name = format!("{}: 10,000 tests inserted one by one", server.kind.name());
    let measure = Measure::own(name.clone(), ours, "1/s", "0.8 of a bare loop");
    // Where a statement commits itself, a lost answer leaves it open whether it was kept: that is no floor for what must know.
    let unsure =
        Measure::own(name, ours, "1/s", "for the reader").against("bare, each commits itself", median(alone));
    Ok(vec![measure.against("bare sqlx", theirs).holds(ours >= 0.8 * theirs), unsure])
}

fn rate(seconds: f64) -> f64 {
    f64::from(u32::try_from(TESTS).unwrap_or(u32::MAX)) / seconds
}

/// Seconds of the same statement by sqlx alone.
fn by_hand(bare: &Path, server: &Server, way: &str) -> Result<f64> {
    let places = match server.kind {
        Kind::MariaDb | Kind::Sqlite => "(?, ?, ?, ?, ?, ?, ?, ?)",
        Kind::Postgres => "($1, $2, $3, $4, $5, $6, $7, $8)",
    };
    let sql = format!("{COLUMNS} {places}");
    let output = Command::new(bare).args([&server.url(), &TESTS.to_string(), way, &sql]).output()?;
    if !output.status.success() {
        bail!("the bare loop: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Ten thousand tests that an EP has run: from the end of the run until the database has them all.
pub(super) fn after_a_run(lab: &mut Lab) -> Result<Vec<Measure>> {
    lab.start_ep("EP-1", "")?;
    let server = Server::start(Kind::MariaDb, lab.folder())?;
    server.execute(TABLE)?;
    let file = write_project(lab, "saved", "save", "EP-1")?;
    let mut measures = Vec::new();
    for (when, name) in [("end", "at the end"), ("live", "as they end")] {
        lab.write("db.xml", db_xml(&server.url(), when).as_bytes())?;
        let number = submit(lab, &file)?;
        wait(LIMIT, "the end of the run", || {
            (text(lab, &number, "state").ok()? == "completed").then_some(())
        })?;
        let begin = now();
        wait_until_saved(lab, &number)?;
        let seconds = begin.elapsed().as_secs_f64();
        let name = format!("a run of 10,000 tests, inserted {name}: in MariaDB after its end");
        measures.push(Measure::own(name, seconds, "s", "under 2 s").holds(seconds < 2.0));
    }
    Ok(measures)
}

fn db_xml(url: &str, when: &str) -> String {
    format!(
        "<root><db_config><url>{url}</url><insert>{when}</insert></db_config>\n<insert_section><sql_statement>{COLUMNS} {VALUES}</sql_statement></insert_section>\n\
         <reports_section>{}</reports_section></root>\n",
        super::tables::REPORTS
    )
}

fn write_project(lab: &Lab, name: &str, save: &str, ep: &str) -> Result<String> {
    let text = project(&[("suite", ep, vec!["t.sh".to_owned(); TESTS])]).replace("nosave", save);
    Ok(lab.write(&format!("projects/{name}.xml"), text.as_bytes())?.to_string_lossy().into_owned())
}

fn submit(lab: &Lab, file: &str) -> Result<String> {
    let submitted = lab.run(&["submit", file, "--json"], 0)?;
    let submitted: Value = serde_json::from_slice(&submitted.stdout)?;
    Ok(submitted.get("run").context("no number of the run")?.to_string())
}

/// A run whose tests nobody ran: they are inserted and told like others, and cost no time before.
pub(super) fn stopped(lab: &Lab, file: &str) -> Result<String> {
    let number = submit(lab, file)?;
    lab.run(&["runs", "stop", &number], 0)?;
    wait(LIMIT, "the end of the run", || (text(lab, &number, "state").ok()? == "stopped").then_some(()))?;
    // What else follows the end of a run is over before the clock starts.
    wait(LIMIT, "its reports", || {
        let jobs: Value = serde_json::from_slice(&lab.get(&format!("/runs/{number}/jobs")).ok()?).ok()?;
        jobs.as_array()?.is_empty().then_some(())
    })?;
    Ok(number)
}

fn wait_until_saved(lab: &Lab, number: &str) -> Result<()> {
    wait(LIMIT, "the rows", || (text(lab, number, "database").ok()? == "saved").then_some(()))
}

fn text(lab: &Lab, number: &str, key: &str) -> Result<String> {
    let run: Value = serde_json::from_slice(&lab.get(&format!("/runs/{number}"))?)?;
    Ok(run.get(key).and_then(Value::as_str).unwrap_or_default().to_owned())
}
