//! The three databases, as they are.

mod checks;
mod clocks;
mod copies;
pub(crate) mod mariadb;
mod reports;

use std::{path::Path, sync::Arc};

use jackfield_config::{db::Connection, source::Source};
use jackfield_protocol::secret::Secret;
use jackfield_reporting::{insert::Known, table::Cell};
use sqlx::sqlite::SqliteConnectOptions;

use super::*;
use crate::store::tests::both::postgres_database;

/// Does something to `results.db` of a folder, by SQLite's own client.
pub(crate) async fn execute(folder: &Path, sql: &str) {
    results_db(folder).await.execute(safe(sql)).await.unwrap();
}

/// Asks `results.db` of a folder for a text.
pub(crate) async fn text(folder: &Path, sql: &str) -> Option<String> {
    sqlx::query_scalar(safe(sql)).fetch_one(&mut results_db(folder).await).await.unwrap()
}

async fn results_db(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("results.db")).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// What must arrive as it was, wherever texts can hold it.
const TEXTS: [&str; 8] = [
    "plain",
    "it's \"quoted\" `so`",
    "' OR 1=1 --",
    "back\\slash \\' and \\n",
    "two\nlines\r\nand a\ttab",
    "caf\u{e9} \u{1f600} \u{202e}txet",
    "$1 ? :name @field@ %s",
    "",
];

pub(crate) fn address(url: &str, root: &Path) -> Address {
    let url = jackfield_config::source::At::new(Secret::new(url), Default::default());
    Address::of(Some(&Connection { url: Some(url), ..Connection::default() }), root).unwrap()
}

/// The address of an empty database of each kind.
pub(crate) async fn urls() -> Vec<String> {
    kinds().await.into_iter().map(|(_, url)| url).collect()
}

/// The lab's own client of a database: it asks whatever it likes.
pub(crate) struct Client(Address);

impl std::fmt::Display for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Client {
    pub(crate) fn new(url: &str, root: &Path) -> Self {
        Self(address(url, root))
    }

    pub(crate) async fn run(&self, sql: &str) {
        match &self.0 {
            Address::MySql(options) => {
                let mut conn = MySqlConnection::connect_with(options).await.unwrap();
                sqlx::raw_sql(safe(sql)).execute(&mut conn).await.unwrap();
            }
            Address::Postgres(options) => {
                let mut conn = PgConnection::connect_with(options).await.unwrap();
                sqlx::raw_sql(safe(sql)).execute(&mut conn).await.unwrap();
            }
            Address::Sqlite(options) => {
                let mut conn = SqliteConnection::connect_with(options).await.unwrap();
                sqlx::raw_sql(safe(sql)).execute(&mut conn).await.unwrap();
            }
        }
    }

    /// All rows of a query, as text.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let query = Statement::parse(1, sql, self.0.dialect(), &Known::default()).unwrap();
        let mut reader = read::Reader::open(&self.0, crate::limits::REPORT_WAIT).await.unwrap();
        let rows = reader.first(&query, &[], 1_000_000).await.unwrap();
        let text = |cell: Cell| cell.into_text().unwrap_or_else(|| "NULL".to_owned());
        rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect()
    }
}

/// The same, with the name of the kind.
async fn kinds() -> Vec<(&'static str, String)> {
    let mut found = vec![("sqlite", "sqlite:results.db".to_owned())];
    found.extend(mariadb::database().await.map(|url| ("mariadb", url)));
    found.extend(postgres_database().await.map(|url| ("postgres", url)));
    found
}

async fn each(root: &Path) -> Vec<(&'static str, Address)> {
    kinds().await.into_iter().map(|(kind, url)| (kind, address(&url, root))).collect()
}

/// A transaction, with statements that are made at once.
pub(crate) struct Lab {
    pub(crate) db: LabDb,
    dialect: jackfield_reporting::insert::Dialect,
}

impl Lab {
    pub(crate) async fn open(address: &Address) -> Self {
        Self { db: LabDb::open(address).await.unwrap(), dialect: address.dialect() }
    }

    fn statement(&self, template: &str) -> Statement {
        let known = Known { variables: ["x", "n"].map(Arc::from).into(), ..Known::default() };
        Statement::parse(1, template, self.dialect, &known).unwrap()
    }

    /// Runs a statement in which `$x` is a text and `$n` another.
    pub(crate) async fn run(&mut self, template: &str, x: Option<&str>, n: &str) -> Result<(), LabDbError> {
        let statement = self.statement(template);
        let variable = |name: &str| if name == "x" { x.map(str::to_owned) } else { Some(n.to_owned()) };
        self.db.run(&statement, &statement.values(&variable, &|_| None)).await
    }

    pub(crate) async fn value(&mut self, query: &str) -> Option<String> {
        self.db.value(&self.statement(query), &[]).await.unwrap()
    }
}

#[tokio::test]
async fn every_database_takes_values_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, address) in each(folder.path()).await {
        let mut lab = Lab::open(&address).await;
        let text = if kind == "mariadb" { "LONGTEXT" } else { "TEXT" };
        let table = format!("CREATE TABLE t (n INTEGER, day DATE, x {text})");
        lab.run(&table, None, "").await.unwrap();
        let insert = "INSERT INTO t (n, day, x) VALUES ('$n', '2026-11-30', '$x')";
        for (place, text) in TEXTS.iter().enumerate() {
            lab.run(insert, Some(text), &place.to_string()).await.unwrap();
            let kept = lab.value(&format!("SELECT x FROM t WHERE n = {place}")).await;
            assert_eq!(kept.as_deref(), Some(*text), "{kind}");
        }
        lab.run("INSERT INTO t (n, x) VALUES ($n, $x)", None, "99").await.unwrap();
        assert_eq!(lab.value("SELECT x FROM t WHERE n = 99").await, None, "{kind}");
        let many = "a".repeat(3 << 20);
        lab.run("INSERT INTO t (n, x) VALUES ($n, 'log: $x')", Some(&many), "100").await.unwrap();
        assert_eq!(
            lab.value("SELECT length(x) FROM t WHERE n = 100").await.as_deref(),
            Some("3145733"),
            "{kind}"
        );
        lab.db.commit().await.unwrap();
        let mut lab = Lab::open(&address).await;
        assert_eq!(lab.value("SELECT COUNT(*) FROM t").await.as_deref(), Some("10"), "{kind}");
        assert_eq!(lab.value("SELECT day FROM t WHERE n = 1").await.as_deref(), Some("2026-11-30"), "{kind}");
        assert_eq!(lab.value("SELECT n FROM t WHERE n > 1000").await, None, "{kind}");
    }
}

#[tokio::test]
async fn what_a_column_cannot_hold_is_refused_and_not_cut() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, address) in each(folder.path()).await {
        if kind == "sqlite" {
            // Its columns hold anything.
            continue;
        }
        for (insert, x) in [
            ("INSERT INTO t (short) VALUES ('$x')", "longer than three"),
            ("INSERT INTO t (n) VALUES ('$x')", "seven"),
            ("INSERT INTO t (n) VALUES ($x)", "99999999999999999999"),
            ("INSERT INTO t (day) VALUES ('$x')", "2026-13-41"),
            ("INSERT INTO t (must) VALUES ($x)", ""),
        ] {
            let mut lab = Lab::open(&address).await;
            lab.run("CREATE TABLE IF NOT EXISTS t (short VARCHAR(3), n INTEGER, day DATE, must INTEGER NOT NULL DEFAULT 0)", None, "")
                .await
                .unwrap();
            let x = Some(x).filter(|x| !x.is_empty());
            let refused = lab.run(insert, x, "").await.unwrap_err();
            assert!(matches!(refused, LabDbError::Refused(_)), "{kind}: {insert}: {refused}");
        }
    }
}

#[tokio::test]
async fn what_is_not_committed_has_not_happened() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, address) in each(folder.path()).await {
        let mut lab = Lab::open(&address).await;
        lab.run("CREATE TABLE t (x VARCHAR(9))", None, "").await.unwrap();
        lab.db.commit().await.unwrap();
        let mut lab = Lab::open(&address).await;
        lab.run("INSERT INTO t VALUES ('$x')", Some("lost"), "").await.unwrap();
        drop(lab);
        let mut lab = Lab::open(&address).await;
        assert_eq!(lab.value("SELECT COUNT(*) FROM t").await.as_deref(), Some("0"), "{kind}");
    }
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, address) in each(folder.path()).await {
        for (options, is_whole) in [("", true), (" ENGINE=MyISAM", false)] {
            if kind != "mariadb" && !is_whole {
                continue;
            }
            let mut lab = Lab::open(&address).await;
            lab.run("DROP TABLE IF EXISTS t", None, "").await.unwrap();
            lab.run(&format!("CREATE TABLE t (n INTEGER){options}"), None, "").await.unwrap();
            lab.db.commit().await.unwrap();
            let mut lab = Lab::open(&address).await;
            lab.run("INSERT INTO t VALUES (1)", None, "").await.unwrap();
            assert_eq!(lab.db.undo().await, is_whole, "{kind}{options}");
        }
    }
}

#[tokio::test]
async fn values_of_every_type_are_read_as_the_database_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, address) in each(folder.path()).await {
        let of_all =
            [("SELECT 7", "7"), ("SELECT -7", "-7"), ("SELECT 'text'", "text"), ("SELECT 1.5", "1.5")];
        let of_one: &[(&str, &str)] = match kind {
            "mariadb" => &[
                ("SELECT CAST(18446744073709551615 AS UNSIGNED)", "18446744073709551615"),
                ("SELECT CAST('12345678901234567890.123' AS DECIMAL(30,3))", "12345678901234567890.123"),
                ("SELECT CAST('2026-11-30 03:04:05.25' AS DATETIME(2))", "2026-11-30 03:04:05.250000"),
                ("SELECT CAST('-26:03:04' AS TIME)", "-26:03:04"),
                ("SELECT TRUE", "1"),
                ("SELECT 1 || 0", "1"),
            ],
            "postgres" => &[
                ("SELECT 12345678901234567890.123::numeric", "12345678901234567890.123"),
                ("SELECT '2026-11-30 03:04:05.25'::timestamp", "2026-11-30 03:04:05.25"),
                ("SELECT '1 day'::interval", "1 day"),
                ("SELECT true", "true"),
                ("SELECT '{\"a\": 1}'::jsonb", "{\"a\": 1}"),
                ("SELECT ARRAY[1,2]", "{1,2}"),
            ],
            _ => &[("SELECT 9007199254740993", "9007199254740993")],
        };
        let mut lab = Lab::open(&address).await;
        for (query, text) in of_all.iter().chain(of_one) {
            assert_eq!(lab.value(query).await.as_deref(), Some(*text), "{kind}: {query}");
        }
        assert_eq!(lab.value("SELECT NULL").await, None, "{kind}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_without_the_password() {
    let root = tempfile::tempdir().unwrap();
    for url in ["mysql://ana:hunter2@127.0.0.1:1/lab", "postgres://ana:hunter2@127.0.0.1:1/lab"] {
        let address = address(url, root.path());
        let error = LabDb::open(&address).await.unwrap_err();
        let said = format!("{address} {address:?} {error} {error:?}");
        assert!(matches!(error, LabDbError::Lost(_)), "{said}");
        assert!(said.contains("ana@127.0.0.1:1/lab") && !said.contains("hunter2"), "{said}");
    }
}

/// Where `URL` is to be the database's.
const DB: &str = "<root>
<db_config><url>URL</url></db_config>
<insert_section>
<field ID=\"Next\" Type=\"DbSelect\" SQLQuery=\"SELECT MAX(run_nb) + 1 FROM results\"/>
<sql_statement>INSERT INTO results (run_nb, name) VALUES (@Next@, '$build $twister_tc_name')</sql_statement>
<sql_statement>INSERT INTO $table (name) VALUES ('$twister_tc_name')</sql_statement>
<sql_statement>
INSERT INTO nowhere (name) VALUES ('$twister_tc_name')</sql_statement>
<sql_statement>INSERT INTO results (name) VALUES ('$twister_tc_name')</sql_statement>
</insert_section>
<reports_section>
<field ID=\"Run\" Type=\"UserSelect\" SQLQuery=\"SELECT DISTINCT run_nb FROM results\"/>
<report ID=\"Right\" Type=\"Table\" SQLQuery=\"SELECT name FROM results WHERE run_nb = '@Run@'\"/>
<report ID=\"Wrong\" Type=\"Table\" SQLQuery=\"SELECT nobody FROM results\"/>
</reports_section>
</root>
";

#[tokio::test]
async fn a_file_is_tried_before_any_run() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, url) in kinds().await {
        let mut lab = Lab::open(&address(&url, folder.path())).await;
        lab.run("CREATE TABLE results (run_nb INTEGER, name TEXT)", None, "").await.unwrap();
        lab.db.commit().await.unwrap();
        let text = DB.replace("URL", &url.replace('&', "&amp;"));
        let checked = check::check(&Arc::new(Source::new("db.xml", text)), folder.path()).await;
        let told: Vec<String> = checked
            .problems
            .iter()
            .map(|one| format!("{}:{} {:?} {}", one.line, one.column, one.severity, one.message))
            .map(|told| told.split(": ").next().unwrap().to_owned())
            .collect();
        let wanted = [
            "5:67 Warning statement 1",
            "6:28 Warning statement 2",
            "6:28 Error statement 2",
            "8:1 Error statement 3",
            "14:43 Error the query of report `Wrong`",
        ];
        assert_eq!(told, wanted, "{kind}: {:#?}", checked.problems);
        assert_eq!(checked.tried, 7, "{kind}");
        let mut lab = Lab::open(&address(&url, folder.path())).await;
        assert_eq!(lab.value("SELECT COUNT(*) FROM results").await.as_deref(), Some("0"), "{kind}");
    }
}

/// A file like the demo's, whose first statement makes the table of the others.
const MAKING: &str = "<root>
<db_config><url>sqlite:made.db</url></db_config>
<insert_section>
<sql_statement>CREATE TABLE IF NOT EXISTS made (name TEXT)</sql_statement>
<sql_statement>INSERT INTO made (name) VALUES ('$twister_tc_name')</sql_statement>
</insert_section>
</root>
";

#[tokio::test]
async fn what_an_earlier_statement_may_make_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let told = async |text: &str| {
        let checked = check::check(&Arc::new(Source::new("db.xml", text)), folder.path()).await;
        checked
            .problems
            .iter()
            .map(|one| format!("{}:{} {:?}", one.line, one.column, one.severity))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(MAKING).await, ["2:17 Warning"], "the file is not there yet");
    drop(LabDb::open(&address("sqlite:made.db", folder.path())).await.unwrap());
    assert_eq!(told(MAKING).await, ["5:16 Warning"]);
    assert_eq!(
        told(&MAKING.replace("CREATE TABLE IF NOT EXISTS made (name TEXT)", "SELECT 1")).await,
        ["5:16 Error"]
    );
}

#[tokio::test]
async fn who_insists_on_encryption_is_not_served_without() {
    let folder = tempfile::tempdir().unwrap();
    let of_kinds = [
        (mariadb::database().await, "ssl-mode=REQUIRED"),
        (mariadb::database().await, "ssl-mode=VERIFY_IDENTITY&ssl-ca=/nowhere/ca.pem"),
        (postgres_database().await, "sslmode=require"),
        (postgres_database().await, "sslmode=verify-full&sslrootcert=/nowhere/ca.pem"),
    ];
    for (url, insists) in of_kinds {
        let Some(url) = url else { continue };
        LabDb::look(&address(&url, folder.path())).await.unwrap();
        let refused = LabDb::look(&address(&format!("{url}&{insists}"), folder.path())).await;
        assert!(matches!(refused, Err(LabDbError::Lost(_))), "{insists}: {refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_that_does_not_answer_is_given_up() {
    let late = error::in_time(std::future::pending::<Result<(), LabDbError>>()).await.unwrap_err();
    assert_eq!(late.to_string(), "the database did not answer within 60s");
}
