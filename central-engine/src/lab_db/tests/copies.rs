//! What PostgreSQL writes by itself is what we would have written.

use jackfield_reporting::table::csv_row;
use tokio::sync::mpsc;

use super::{reports::OF_POSTGRES, *};
use crate::lab_db::read::{Query, Reader, View};

type Piece = Result<Vec<u8>, std::convert::Infallible>;

async fn reader() -> Option<Reader> {
    let (_, url) = kinds().await.into_iter().find(|(kind, _)| *kind == "postgres")?;
    Some(Reader::open(&address(&url, Path::new("/")), crate::limits::REPORT_WAIT).await.unwrap())
}

/// A query with values for its fields.
async fn query(reader: &mut Reader, sql: &str, values: &[(&str, &str)]) -> Query {
    let fields = values.iter().map(|(name, _)| (*name).to_owned()).collect();
    let known = Known { fields, ..Known::default() };
    let statement = Statement::parse(1, sql, reader.dialect(), &known).unwrap();
    let value = |field: &str| {
        let found = values.iter().find(|(name, _)| *name == field);
        found.map(|(_, value)| (*value).to_owned())
    };
    let values = statement.values(&|_| None, &value);
    reader.prepare(&statement, values).await.unwrap()
}

async fn copied(reader: &mut Reader, query: &Query, view: &View) -> Option<String> {
    let copy = reader.copy_of(query, view).await.unwrap()?;
    let (out, mut pieces) = mpsc::channel::<Piece>(4);
    let written = async {
        reader.copy(&copy, Vec::new(), &out).await.unwrap();
        drop(out);
    };
    let read = async {
        let mut whole = Vec::new();
        while let Some(Ok(piece)) = pieces.recv().await {
            whole.extend(piece);
        }
        whole
    };
    Some(String::from_utf8(tokio::join!(written, read).1).unwrap())
}

async fn refusal(reader: &mut Reader, query: &Query) -> String {
    let copy = reader.copy_of(query, &View::default()).await.unwrap().unwrap();
    let (out, _pieces) = mpsc::channel::<Piece>(4);
    reader.copy(&copy, Vec::new(), &out).await.unwrap_err().to_string()
}

async fn by_rows(reader: &mut Reader, query: &Query, view: &View) -> String {
    let mut whole = Vec::new();
    for row in reader.rows(query, view).await.unwrap() {
        csv_row(&mut whole, &row);
    }
    String::from_utf8(whole).unwrap()
}

const TEXTS_OF_CSV: &str = r#"SELECT n, t FROM (VALUES (1, 'plain'), (2, ''), (3, NULL), (4, 'a,b'), (5, 'say "yes"'),
    (6, E'two\nlines'), (7, E'cr\r'), (8, 'back\slash'), (9, 'café 😀')) AS v(n, t)"#;
/// Types whose text is not what COPY writes, beside those of the other tests.
const MORE_TYPES: &str = r#"false, 'ab '::char(5), 'x'::name, 'y'::"char", 1e300, TIMESTAMPTZ '2026-07-01 12:00:00+02',
    TIME '03:04:05', '{"a": [1]}'::json, '(1,2)'::point, int4range(1, 5)"#;

#[tokio::test]
async fn a_copy_is_what_the_rows_are() {
    let Some(mut reader) = reader().await else { return };
    let typed: Vec<String> =
        OF_POSTGRES.iter().enumerate().map(|(at, (value, _))| format!("{value} AS c{at}")).collect();
    let typed = format!("SELECT {}, {MORE_TYPES}", typed.join(", "));
    let hostile = "%_!' OR 1=1 --";
    let all = View::default();
    let filtered = View {
        sort: Some((0, true)),
        filters: vec![(0, "1".to_owned())],
        search: hostile.to_owned(),
        ..View::default()
    };
    for (sql, view) in [
        (typed.as_str(), all.clone()),
        (TEXTS_OF_CSV, all.clone()),
        (TEXTS_OF_CSV, View { sort: Some((0, true)), filters: vec![(1, "S".to_owned())], ..View::default() }),
        ("SELECT n::text || '%_!'' OR 1=1 --' AS t FROM generate_series(1, 30) AS n", filtered),
        ("SELECT 1 AS a, 2 AS a -- with a comment", all),
        ("SELECT n FROM generate_series(1, 3) AS n ORDER BY n DESC OFFSET 1", View::default()),
    ] {
        let query = query(&mut reader, sql, &[]).await;
        let copied = copied(&mut reader, &query, &view).await.unwrap();
        // A limit that is never reached makes the rows come as a page.
        let page = View { limit: Some(1_000), ..view };
        assert_eq!(copied, by_rows(&mut reader, &query, &page).await, "{sql}");
        assert!(!copied.is_empty(), "{sql}");
    }
}

const BOUND: &str = "SELECT n, '@Text@' AS t, '$1' AS literal FROM generate_series(1, 9) AS n \
    WHERE n >= '@From@' AND n < '@To@'::int AND 'abc' LIKE '@Like@%'";

#[tokio::test]
async fn a_copy_has_its_values_bound() {
    let Some(mut reader) = reader().await else { return };
    for text in TEXTS {
        let values = [("Text", text), ("From", "3"), ("To", "6"), ("Like", "a")];
        let query = query(&mut reader, BOUND, &values).await;
        let page = View { limit: Some(1_000), ..View::default() };
        let rows = by_rows(&mut reader, &query, &page).await;
        assert_eq!(copied(&mut reader, &query, &View::default()).await.unwrap(), rows, "{text}");
        let literals = rows.matches("$1").count() - text.matches("$1").count() * 3;
        assert_eq!(literals, 3, "what looks like a place in a text is text: {rows}");
    }
    let wrong = [("Text", ""), ("From", "x"), ("To", "6"), ("Like", "a")];
    let wrong = query(&mut reader, BOUND, &wrong).await;
    let said = refusal(&mut reader, &wrong).await;
    assert_eq!(said, "the database refused: invalid input syntax for type integer: \"x\"");
}

#[tokio::test]
async fn what_no_setting_can_hold_goes_by_rows() {
    let Some(mut reader) = reader().await else { return };
    let known = Known { fields: ["A".to_owned()].into(), ..Known::default() };
    let statement = Statement::parse(1, "SELECT @A@::text", reader.dialect(), &known).unwrap();
    let query = reader.prepare(&statement, vec![Value::Null]).await.unwrap();
    assert!(copied(&mut reader, &query, &View::default()).await.is_none());
    assert_eq!(by_rows(&mut reader, &query, &View::default()).await, "\r\n");
}

#[tokio::test]
async fn a_copy_that_takes_too_long_is_ended_by_the_database() {
    let Some((_, url)) = kinds().await.into_iter().find(|(kind, _)| *kind == "postgres") else { return };
    let wait = std::time::Duration::from_millis(200);
    let mut reader = Reader::open(&address(&url, Path::new("/")), wait).await.unwrap();
    let long = query(&mut reader, "SELECT COUNT(*) FROM generate_series(1, 1000000000)", &[]).await;
    assert_eq!(refusal(&mut reader, &long).await, "the database did not answer within 200ms");
}
