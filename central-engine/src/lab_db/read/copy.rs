//! PostgreSQL writes all rows of a query as CSV itself (`COPY … TO STDOUT`), three times as fast as they can be taken apart and put together
//! again here.
//!
//! COPY knows no places for values. Each value is bound to a setting of the transaction, which the query reads: nothing is pasted into the SQL
//! here either. Where the query does not take that, which the server says when it looks at it, its rows go the other way.

use futures_util::{StreamExt as _, stream::BoxStream};
use jackfield_reporting::insert::{Statement, Value};
use sqlx::{
    Column as _, Executor as _, PgConnection, SqlSafeStr as _, TypeInfo as _, postgres::PgColumn,
    query_scalar,
};
use tokio::sync::mpsc;

use super::{
    Conn, Interrupted, LabDbError, Query, Reader, View, in_time, safe,
    shape::{self, Words},
};

/// What the settings are called that hold the values.
const SETTING: &str = "jackfield.value";
/// Bytes that are handed over together.
const PIECE_BYTES: usize = 256 * 1024;

/// What a copy of a query is asked with.
#[derive(Clone, Debug)]
pub(super) struct Copied {
    /// The query, which reads its values from settings.
    sql: String,
    /// Columns that COPY writes as a text of them is written.
    as_they_are: Vec<bool>,
}

impl Copied {
    pub(super) fn of(statement: &Statement, types: &[Option<String>], columns: &[PgColumn]) -> Self {
        Self {
            sql: statement.sql_with_settings(SETTING, types),
            as_they_are: columns.iter().map(|column| is_written_alike(column.type_info().name())).collect(),
        }
    }
}

/// Types whose values COPY writes as a cast to text does. Of the others some differ: a truth is `t` there, an address lacks its length.
fn is_written_alike(name: &str) -> bool {
    matches!(
        name,
        "INT2"
            | "INT4"
            | "INT8"
            | "FLOAT4"
            | "FLOAT8"
            | "NUMERIC"
            | "TEXT"
            | "VARCHAR"
            | "DATE"
            | "TIME"
            | "TIMESTAMP"
            | "TIMESTAMPTZ"
            | "UUID"
            | "JSON"
            | "JSONB"
            | "BYTEA"
    )
}

/// A copy that the server has looked at, and will make.
#[derive(Debug)]
pub(in crate::lab_db) struct Copy(String);

impl Reader {
    /// What asks for all rows of a view as CSV; none where the database writes none, or not of this query.
    ///
    /// # Errors
    /// The database is gone, or refuses a value.
    pub(in crate::lab_db) async fn copy_of(
        &mut self,
        query: &Query,
        view: &View,
    ) -> Result<Option<Copy>, LabDbError> {
        let (Conn::Postgres(conn), Some(copied)) = (&mut self.conn, &query.copied) else { return Ok(None) };
        let (chosen, values) = shape::chosen(&Settings(copied), query, view)?;
        let Some(texts) = texts(&values) else { return Ok(None) };
        let sql = format!("SELECT {} FROM (\n{chosen}\n) AS jf", copied.columns());
        in_time(async {
            conn.execute("SAVEPOINT jf_copy").await?;
            match look(conn, &sql, texts).await.map_err(LabDbError::from) {
                Ok(()) => Ok(Some(Copy(format!("COPY (\n{sql}\n) TO STDOUT (FORMAT csv)")))),
                Err(LabDbError::Refused(_)) => {
                    conn.execute("ROLLBACK TO SAVEPOINT jf_copy").await?;
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Has the database write a copy, and hands it on behind a head in pieces; ends early where nobody takes them.
    ///
    /// # Errors
    /// The database refuses it, or it takes too long.
    pub(in crate::lab_db) async fn copy<E: Send>(
        &mut self,
        Copy(sql): &Copy,
        head: Vec<u8>,
        out: &mpsc::Sender<Result<Vec<u8>, E>>,
    ) -> Result<(), LabDbError> {
        let wait = self.wait;
        let Conn::Postgres(conn) = &mut self.conn else { return Ok(()) };
        let ended = async { send(conn.copy_out_raw(sql).await?, head, out).await };
        ended.await.map_err(|error| match Interrupted::from(error) {
            Interrupted::TooLong => LabDbError::Late(wait),
            Interrupted::Other(error) => error,
        })
    }
}

impl Copied {
    fn columns(&self) -> String {
        let column = |(at, is_alike): (usize, &bool)| {
            if *is_alike { format!("jf.c{at}") } else { format!("jf.c{at}::text") }
        };
        self.as_they_are.iter().enumerate().map(column).collect::<Vec<_>>().join(", ")
    }
}

/// Binds the values, and has the server look at the query.
async fn look(conn: &mut PgConnection, sql: &str, texts: Vec<String>) -> Result<(), sqlx::Error> {
    for (number, text) in (1_usize..).zip(texts) {
        let set =
            query_scalar("SELECT set_config($1, $2, true)").bind(format!("{SETTING}{number}")).bind(text);
        let _: String = set.fetch_one(&mut *conn).await?;
    }
    conn.prepare(safe(sql).into_sql_str()).await.map(drop)
}

/// The values as texts; none where one is no value, which no setting can hold.
fn texts(values: &[Value]) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
    };
    values.iter().map(text).collect()
}

/// Rows come one in a message; they end as those do that we write.
async fn send<E: Send>(
    mut rows: BoxStream<'_, Result<impl AsRef<[u8]>, sqlx::Error>>,
    mut piece: Vec<u8>,
    out: &mpsc::Sender<Result<Vec<u8>, E>>,
) -> Result<(), sqlx::Error> {
    while let Some(row) = rows.next().await {
        let row = row?;
        let row = row.as_ref();
        piece.extend_from_slice(row.strip_suffix(b"\n").unwrap_or(row));
        piece.extend_from_slice(b"\r\n");
        if piece.len() >= PIECE_BYTES {
            let full = std::mem::replace(&mut piece, Vec::with_capacity(PIECE_BYTES));
            if out.send(Ok(full)).await.is_err() {
                return Ok(());
            }
        }
    }
    if !piece.is_empty() {
        // Nobody who takes it is no failure of the database.
        drop(out.send(Ok(piece)).await);
    }
    Ok(())
}

/// A query around which values are settings.
struct Settings<'q>(&'q Copied);

impl Words for Settings<'_> {
    fn table(&self, query: &Query, _: &View) -> (String, String) {
        ("*".to_owned(), shape::named(&self.0.sql, query.columns.len()))
    }

    fn name(&self, _: &Query, column: usize) -> String {
        format!("jf.c{column}")
    }

    fn holds(&self, _: &Query, column: usize, before: usize) -> String {
        let number = before.saturating_add(1);
        format!("jf.c{column}::text ILIKE (SELECT current_setting('{SETTING}{number}')) ESCAPE '!'")
    }
}
