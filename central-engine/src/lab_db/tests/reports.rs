//! Reports of the three databases: what is asked is what comes out, and nothing is ever written.

use std::time::Duration;

use jackfield_config::{Databases, LabDatabase, db::DbFile};
use jackfield_reporting::{chart::Axis, table::Row};

use super::*;
use crate::lab_db::{
    export::{self, Format},
    read::View,
    report::{self, Opened, ReportError, Values},
};

const WAIT: Duration = Duration::from_secs(60);

/// The reports of Twister's demo, in each database's own words.
fn demo(kind: &str, url: &str) -> String {
    let run = match kind {
        "mariadb" => "CONCAT('Run ',CAST(run_nb AS CHAR))",
        _ => "'Run ' || CAST(run_nb AS TEXT)",
    };
    format!(
        "<root><db_config><url>{}</url></db_config><reports_section>\n\
         <field ID=\"Run_Number\" Label=\"Select build\" Type=\"UserSelect\" SQLQuery=\"SELECT DISTINCT run_nb FROM results ORDER BY run_nb\"/>\n\
         <report ID=\"Summary\" Type=\"PieChart\" SQLQuery=\"SELECT tc_status AS Status, COUNT(tc_status) AS Number FROM results WHERE run_nb = '@Run_Number@' GROUP BY tc_status ORDER BY tc_status\"/>\n\
         <report ID=\"Details\" Type=\"Table\" Folder=\"All\" SQLQuery=\"SELECT id, run_nb, tc_name, tc_status, tc_log FROM results ORDER BY id\"/>\n\
         <report ID=\"History\" Type=\"BarChart\" SQLQuery=\"SELECT {run} AS Run_Number, COUNT(tc_status) AS Tests FROM results GROUP BY run_nb ORDER BY run_nb\"/>\n\
         <report ID=\"Rate\" Type=\"LineChart\" SQLQuery=\"SELECT {run} AS Run_Number, COUNT(tc_status) AS Rate FROM results WHERE tc_status = 'PASS' GROUP BY run_nb\"\n\
           SQLTotal=\"SELECT {run} AS Run_Number, COUNT(tc_status) AS Rate FROM results GROUP BY run_nb ORDER BY run_nb\"/>\n\
         <report ID=\"Both\" Type=\"Table\" SQLQuery=\"SELECT tc_name FROM results WHERE run_nb = 1 ORDER BY id\" SQLCompare=\"SELECT tc_name FROM results WHERE run_nb = 2 ORDER BY id\"/>\n\
         <report ID=\"Like\" Type=\"Table\" SQLQuery=\"SELECT tc_name FROM results WHERE tc_name LIKE '@Run_Number@%' ORDER BY id\"/>\n\
         <report ID=\"Evil\" Type=\"Table\" SQLQuery=\"DELETE FROM results\"/>\n\
         <report ID=\"Twins\" Type=\"Table\" SQLQuery=\"SELECT tc_name, tc_name FROM results ORDER BY id DESC\"/>\n\
         <redirect ID=\"goto\" Path=\"http://example.com\"/>\n\
         </reports_section></root>",
        url.replace('&', "&amp;")
    )
}

struct Bench {
    kind: &'static str,
    databases: Databases,
    client: Client,
    folder: tempfile::TempDir,
}

async fn benches() -> Vec<Bench> {
    let mut benches = Vec::new();
    for (kind, url) in kinds().await {
        let folder = tempfile::tempdir().unwrap();
        let client = Client::new(&url, folder.path());
        client
            .run("CREATE TABLE results (id INTEGER, run_nb INTEGER, tc_name VARCHAR(99), tc_status VARCHAR(32), tc_log TEXT)")
            .await;
        client
            .run(
                "INSERT INTO results VALUES (1, 1, 'a.py', 'PASS', 'one'), (2, 1, 'b.py', 'FAIL', NULL), (3, 1, 'c%.py', 'PASS', 'two\nlines'), \
                 (4, 2, 'a.py', 'FAIL', ''), (5, 10, 'a.py', 'PASS', '=1+1')",
            )
            .await;
        let read = DbFile::read(&Arc::new(Source::new("db.xml", demo(kind, &url))));
        assert_eq!(read.problems, []);
        let sections = read.value.unwrap().sections.into_iter();
        let reports = sections.map(|config| LabDatabase { file: "db.xml".to_owned(), config }).collect();
        benches.push(Bench {
            kind,
            databases: Databases { reports, ..Databases::default() },
            client,
            folder,
        });
    }
    benches
}

fn told(rows: &[Row]) -> Vec<String> {
    let text = |cell: &Cell| cell.text().unwrap_or("NULL").to_owned();
    rows.iter().map(|row| row.iter().map(text).collect::<Vec<_>>().join("|")).collect()
}

fn values(run: &str) -> Values {
    [("Run_Number".to_owned(), run.to_owned())].into()
}

impl Bench {
    async fn open(&self, name: &str, values: &Values) -> Result<Opened, ReportError> {
        report::find(&self.databases, name)?.open(self.folder.path(), values, WAIT).await
    }

    async fn rows(&self, name: &str, values: &Values, view: &View) -> Vec<String> {
        let mut opened = self.open(name, values).await.unwrap();
        told(&opened.page(view).await.unwrap().rows)
    }

    async fn chart(&self, name: &str, values: &Values) -> jackfield_reporting::chart::Chart {
        let mut opened = self.open(name, values).await.unwrap();
        opened.chart().await.unwrap()
    }
}

#[tokio::test]
async fn the_reports_of_the_demo_open_in_every_database() {
    for bench in benches().await {
        let kind = bench.kind;
        let (all, none) = (View::default(), Values::new());
        assert_eq!(bench.rows("Summary", &values("1"), &all).await, ["FAIL|1", "PASS|2"], "{kind}");
        assert_eq!(bench.rows("History", &none, &all).await, ["Run 1|3", "Run 2|1", "Run 10|1"], "{kind}");
        assert_eq!(
            bench.rows("Rate", &none, &all).await,
            ["Run 1|66.67", "Run 2|0.00", "Run 10|100.00"],
            "{kind}"
        );
        assert_eq!(bench.rows("Both", &none, &all).await, ["a.py|a.py", "b.py|NULL", "c%.py|NULL"], "{kind}");
        assert_eq!(bench.rows("Details", &none, &all).await.len(), 5, "{kind}");
        let rate = bench.chart("Rate", &none).await;
        assert_eq!((rate.axis, rate.labels.len(), rate.series.len()), (Axis::Names, 3, 1), "{kind}");
        assert_eq!(
            bench.chart("Summary", &values("1")).await.series[0].values,
            [Some(1.0), Some(2.0)],
            "{kind}"
        );
    }
}

#[tokio::test]
async fn values_of_fields_are_values_whatever_is_in_them() {
    for bench in benches().await {
        let all = View::default();
        // A server that compares it with a number may also refuse it.
        if let Ok(mut opened) = bench.open("Summary", &values("' OR 1=1 --")).await
            && let Ok(page) = opened.page(&all).await
        {
            assert_eq!(told(&page.rows), [""; 0], "{}", bench.kind);
        }
        assert_eq!(bench.rows("Like", &values("' OR '1'='1"), &all).await, [""; 0], "{}", bench.kind);
        assert_eq!(bench.rows("Like", &values("a"), &all).await, ["a.py"; 3], "{}", bench.kind);
        let missing = bench.open("Like", &Values::new()).await.unwrap_err().to_string();
        assert_eq!(
            missing, "report `Like` needs a value for `Run_Number`; one of: 1, 2, 10",
            "{}",
            bench.kind
        );
        let other = [("Run_Numbr".to_owned(), "1".to_owned())].into();
        let other = bench.open("Like", &other).await.unwrap_err().to_string();
        assert_eq!(other, "no field of these reports is `Run_Numbr`; do you mean `Run_Number`?");
        let unknown = bench.open("Sumary", &Values::new()).await.unwrap_err().to_string();
        assert_eq!(unknown, "there is no report `Sumary`; do you mean `Summary`?");
    }
}

#[tokio::test]
async fn a_report_writes_nothing() {
    for bench in benches().await {
        let refused = async {
            let mut opened = bench.open("Evil", &Values::new()).await?;
            opened.page(&View::default()).await
        };
        let said = refused.await.unwrap_err().to_string();
        assert!(said.starts_with("SQLQuery: the database refused"), "{}: {said}", bench.kind);
        // Also where it looks like a query, or where nobody looks.
        let address = &bench.client.0;
        let mut reader = read::Reader::open(address, WAIT).await.unwrap();
        for sql in [
            "DELETE FROM results RETURNING id",
            "WITH x AS (SELECT 1) DELETE FROM results",
            "DROP TABLE results",
            "CREATE TABLE other (x INTEGER)",
        ] {
            let Ok(query) = Statement::parse(1, sql, address.dialect(), &Known::default()) else { continue };
            assert!(reader.first(&query, &[], 10).await.is_err(), "{}: {sql}", bench.kind);
            reader = read::Reader::open(address, WAIT).await.unwrap();
        }
        assert_eq!(bench.client.rows("SELECT COUNT(*) FROM results").await, [["5"]], "{}", bench.kind);
    }
}

#[tokio::test]
async fn the_database_sorts_filters_counts_and_pages() {
    for bench in benches().await {
        let kind = bench.kind;
        let none = Values::new();
        let ids = async |view: View| -> Vec<String> {
            let rows = bench.rows("Details", &none, &view).await;
            rows.iter().map(|row| row.split('|').next().unwrap().to_owned()).collect()
        };
        let page = |offset, limit| View { offset, limit: Some(limit), ..View::default() };
        assert_eq!(ids(page(0, 2)).await, ["1", "2"], "{kind}");
        assert_eq!(ids(page(3, 2)).await, ["4", "5"], "{kind}");
        assert_eq!(ids(page(5, 2)).await, [""; 0], "{kind}");
        assert_eq!(ids(View { sort: Some((1, true)), ..page(0, 2) }).await, ["5", "4"], "{kind}: as numbers");
        assert_eq!(ids(View { filters: vec![(2, "C%".into())], ..View::default() }).await, ["3"], "{kind}");
        assert_eq!(
            ids(View { filters: vec![(2, "a.py".into()), (3, "pass".into())], ..View::default() }).await,
            ["1", "5"],
            "{kind}"
        );
        assert_eq!(ids(View { search: "LINES".into(), ..View::default() }).await, ["3"], "{kind}");
        let mut opened = bench.open("Details", &none).await.unwrap();
        assert_eq!(opened.count(&View::default()).await.unwrap(), 5, "{kind}");
        assert_eq!(
            opened.count(&View { search: "a.py".into(), ..View::default() }).await.unwrap(),
            3,
            "{kind}"
        );
        let no_column = bench
            .open("Details", &none)
            .await
            .unwrap()
            .page(&View { sort: Some((7, false)), ..View::default() })
            .await;
        assert!(
            no_column.unwrap_err().to_string().contains("there is no column 8: the report has 5"),
            "{kind}"
        );
        assert_eq!(
            bench.rows("Twins", &none, &page(0, 1)).await,
            ["a.py|a.py"],
            "{kind}: two columns of one name"
        );
    }
}

/// What each database is asked for, and how it writes that.
const OF_MARIADB: &[(&str, &str)] = &[
    ("CAST(18446744073709551615 AS UNSIGNED)", "18446744073709551615"),
    ("CAST('12345678901234567890.120' AS DECIMAL(30,3))", "12345678901234567890.120"),
    ("DATE'2026-11-30'", "2026-11-30"),
    ("CAST('2026-11-30 03:04:05' AS DATETIME)", "2026-11-30 03:04:05"),
    ("CAST('-26:03:04' AS TIME)", "-26:03:04"),
    ("TRUE", "1"),
    ("NULL", "NULL"),
    ("x'00ff'", "\\x00ff"),
    ("CAST('{\"a\": 1}' AS CHAR)", "{\"a\": 1}"),
    ("'caf\u{e9} \u{1f600}'", "caf\u{e9} \u{1f600}"),
    ("1e100", "1e100"),
    ("0.1e0", "0.1"),
    ("b'101'", "\\x05"),
    ("INET6_ATON('::1')", "\\x00000000000000000000000000000001"),
    ("YEAR('2026-01-01')", "2026"),
    ("CAST('2026-11-30 03:04:05.25' AS DATETIME(3))", "2026-11-30 03:04:05.250000"),
    ("_latin1 x'e9'", "\u{e9}"),
    ("CAST(NULL AS DATE)", "NULL"),
    ("JSON_ARRAY(1, 'x')", "[1, \"x\"]"),
    ("GEOMETRYCOLLECTION(POINT(1, 2)) IS NULL", "0"),
];
pub(super) const OF_POSTGRES: &[(&str, &str)] = &[
    ("9223372036854775807", "9223372036854775807"),
    ("12345678901234567890.120::numeric", "12345678901234567890.120"),
    ("DATE '2026-11-30'", "2026-11-30"),
    ("TIMESTAMP '2026-11-30 03:04:05'", "2026-11-30 03:04:05"),
    ("INTERVAL '1 day 02:03:04'", "1 day 02:03:04"),
    ("true", "true"),
    ("NULL::text", "NULL"),
    ("'\\x00ff'::bytea", "\\x00ff"),
    ("'{\"a\": 1}'::jsonb", "{\"a\": 1}"),
    ("'caf\u{e9} \u{1f600}'", "caf\u{e9} \u{1f600}"),
    ("ARRAY[1,2]", "{1,2}"),
    ("'::1'::inet", "::1/128"),
    ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("12.5::money", "$12.50"),
    ("B'101'", "101"),
    ("'NaN'::float8", "NaN"),
    ("ROW(1,'x')", "(1,x)"),
    ("'infinity'::timestamptz", "infinity"),
    ("DATE '0044-03-15 BC'", "0044-03-15 BC"),
    ("'null'::jsonb", "null"),
    ("1e-20::numeric", "0.00000000000000000001"),
    ("'-infinity'::float8", "-Infinity"),
    ("INTERVAL '-1 month 3 days'", "-1 mons +3 days"),
    ("'10.0.0.0/8'::cidr", "10.0.0.0/8"),
];
const OF_SQLITE: &[(&str, &str)] = &[
    ("9223372036854775807", "9223372036854775807"),
    ("1.5", "1.5"),
    ("'x'", "x"),
    ("NULL", "NULL"),
    ("x'00ff'", "\\x00ff"),
    ("1e100", "1e100"),
    ("'caf\u{e9} \u{1f600}'", "caf\u{e9} \u{1f600}"),
    ("CAST('x' AS BLOB)", "x"),
    ("CAST(x'63ff' AS TEXT)", "\\x63ff"),
    ("'a' || char(7) || 'b'", "a\u{7}b"),
    ("date('2026-11-30')", "2026-11-30"),
    ("-9.5e-7", "-0.00000095"),
    ("9e999", "inf"),
];

#[tokio::test]
async fn every_type_comes_out_as_the_database_writes_it() {
    for bench in benches().await {
        let types = match bench.kind {
            "mariadb" => OF_MARIADB,
            "postgres" => OF_POSTGRES,
            _ => OF_SQLITE,
        };
        let named: Vec<String> =
            types.iter().enumerate().map(|(at, (value, _))| format!("{value} AS c{at}")).collect();
        let rows = bench.client.rows(&format!("SELECT {}", named.join(", "))).await;
        let wanted: Vec<&str> = types.iter().map(|(_, written)| *written).collect();
        assert_eq!(rows, [wanted], "{}", bench.kind);
    }
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_ended_by_the_database() {
    for bench in benches().await {
        let sql = match bench.kind {
            "mariadb" => {
                "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c"
            }
            "postgres" => "SELECT COUNT(*) FROM generate_series(1, 1000000000)",
            _ => {
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000) SELECT COUNT(*) FROM n"
            }
        };
        let address = &bench.client.0;
        let query = Statement::parse(1, sql, address.dialect(), &Known::default()).unwrap();
        let mut reader = read::Reader::open(address, Duration::from_millis(200)).await.unwrap();
        let said = reader.first(&query, &[], 1).await.unwrap_err().to_string();
        assert_eq!(said, "the database did not answer within 200ms", "{}", bench.kind);
    }
}

#[tokio::test]
async fn what_is_refused_among_the_rows_is_told_in_the_words_of_the_database() {
    // The others divide by zero, and give NULL.
    for bench in benches().await.into_iter().filter(|bench| bench.kind == "postgres") {
        let address = &bench.client.0;
        let sql = "SELECT 1 / COUNT(*) FROM results WHERE id < 0";
        let query = Statement::parse(1, sql, address.dialect(), &Known::default()).unwrap();
        let mut reader = read::Reader::open(address, WAIT).await.unwrap();
        let said = reader.first(&query, &[], 10).await.unwrap_err().to_string();
        assert_eq!(said, "the database refused: division by zero");
    }
}

#[tokio::test]
async fn a_whole_report_becomes_a_file() {
    for bench in benches().await {
        let export = async |name: &str, format| {
            let opened = bench.open(name, &Values::new()).await.unwrap();
            let mut pieces = export::pieces(opened, View::default(), format);
            let mut whole = Vec::new();
            while let Some(piece) = pieces.recv().await {
                whole.extend(piece.unwrap());
            }
            whole
        };
        let csv = String::from_utf8(export("Details", Format::Csv).await).unwrap();
        assert_eq!(
            csv,
            "id,run_nb,tc_name,tc_status,tc_log\r\n1,1,a.py,PASS,one\r\n2,1,b.py,FAIL,\r\n3,1,c%.py,PASS,\"two\nlines\"\r\n4,2,a.py,FAIL,\"\"\r\n5,10,a.py,PASS,=1+1\r\n",
            "{}",
            bench.kind
        );
        let json: serde_json::Value = serde_json::from_slice(&export("Details", Format::Json).await).unwrap();
        assert_eq!(
            (json["rows"].as_array().unwrap().len(), &json["rows"][1][4]),
            (5, &serde_json::Value::Null)
        );
        let shares = String::from_utf8(export("Rate", Format::Csv).await).unwrap();
        assert!(shares.contains("Run 1,66.67\r\n"), "{shares}");
        let book = export("Details", Format::Xlsx).await;
        assert!(book.starts_with(b"PK"), "{}", bench.kind);
    }
}
