//! Reports of a table of a million rows, and ten million rows as a file: beside the database's own client.

use std::io;

use anyhow::Result;

use super::servers::{Kind, Server};
use crate::bench::{
    Measure,
    lab::{Lab, now, peak_megabytes},
    median,
};

/// The reports that are measured, as they stand in `db.xml`.
pub(super) const REPORTS: &str = "<report ID=\"million\" Type=\"Table\" SQLQuery=\"SELECT * FROM million\"/>\
    <report ID=\"all\" Type=\"Table\" SQLQuery=\"SELECT * FROM rows10m\"/>";
const ROWS: u32 = 10_000_000;
/// Rows of a page.
const PAGE: u32 = 100;

pub(super) fn measure(lab: &Lab, server: &Server, rounds: usize) -> Result<Vec<Measure>> {
    server.execute(&filled(server.kind, "rows10m", ROWS))?;
    server.execute("CREATE TABLE million AS SELECT * FROM rows10m WHERE id <= 1000000")?;
    let kind = server.kind.name();
    let mut measures = Vec::new();
    for (what, query, order, offset) in [
        ("first page of a million rows", "", "", ""),
        ("the same, sorted", "&sort=-5", " ORDER BY millis DESC", ""),
        ("the page at row 900,000", "&offset=900000", "", " OFFSET 900000"),
    ] {
        let path = format!("/reports/million/rows?limit={PAGE}{query}");
        // MySQL and PostgreSQL both read `LIMIT … OFFSET …`.
        let sql = format!("SELECT * FROM million{order} LIMIT {PAGE}{offset}");
        let (mut ours, mut own) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let begin = now();
            lab.get(&path)?;
            ours.push(begin.elapsed().as_secs_f64() * 1000.0);
            own.extend(server.seconds(&sql)?.map(|seconds| seconds * 1000.0));
        }
        let ours = median(ours);
        let measure = Measure::own(format!("{kind}: {what}"), ours, "ms", "100 ms more than its own");
        measures.push(if own.is_empty() {
            measure
        } else {
            let own = median(own);
            measure.against("its own client", own).holds(ours < own + 100.0)
        });
    }
    measures.extend(export(lab, server)?);
    server.execute("DROP TABLE million")?;
    server.execute("DROP TABLE rows10m")?;
    Ok(measures)
}

/// All rows through the engine, and by the database's own client; once, since it takes long.
fn export(lab: &Lab, server: &Server) -> Result<Vec<Measure>> {
    let before = peak_megabytes(lab.engine_pid())?;
    let begin = now();
    let bytes = io::copy(&mut lab.stream("/reports/all/export/csv")?, &mut io::sink())?;
    let ours = begin.elapsed().as_secs_f64();
    let grew = peak_megabytes(lab.engine_pid())? - before;
    let kind = server.kind.name();
    let rate = |seconds: f64| f64::from(ROWS) / seconds / 1e6;
    let mut measures = Vec::new();
    let own = match server.kind {
        Kind::MariaDb => server.seconds("SELECT * FROM rows10m")?,
        Kind::Postgres => server.seconds("\\copy (SELECT * FROM rows10m) TO STDOUT WITH CSV HEADER")?,
        Kind::Sqlite => None,
    };
    let name = format!("{kind}: 10,000,000 rows as CSV ({} MB)", bytes / 1_000_000);
    let measure = Measure::own(name, rate(ours), "M/s", "0.5 of its own client");
    measures.push(match own {
        Some(own) => measure.against("its own client", rate(own)).holds(ours <= 2.0 * own),
        None => measure,
    });
    let name = format!("{kind}: engine's memory grew by");
    measures.push(Measure::own(name, grew, "MB", "under 32 MB").holds(grew < 32.0));
    Ok(measures)
}

/// A table of results, made by the database itself.
fn filled(kind: Kind, table: &str, rows: u32) -> String {
    let columns = |number: &str, name: &str| {
        format!(
            "CREATE TABLE {table} AS SELECT {number} AS id, {number} / 10000 AS run, {name} AS test, \
             CASE WHEN {number} % 17 = 0 THEN 'FAIL' ELSE 'PASS' END AS status, ({number} * 7919) % 100003 AS millis"
        )
    };
    match kind {
        Kind::MariaDb => {
            format!("{} FROM seq_1_to_{rows}", columns("seq", "CONCAT('suite/test_', seq % 1000, '.py')"))
        }
        Kind::Postgres => format!(
            "{} FROM generate_series(1, {rows}) AS n",
            columns("n::bigint", "'suite/test_' || (n % 1000) || '.py'")
        ),
        Kind::Sqlite => format!(
            "{} FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {rows}) SELECT n FROM c)",
            columns("n", "'suite/test_' || (n % 1000) || '.py'")
        ),
    }
}
