//! Reading the lab's database for reports: a session of its own, in which the database itself refuses to write, and ends what takes too
//! long. Rows come one by one: what is exported never stands in memory.

use std::{collections::BTreeSet, ops::ControlFlow, pin::Pin, time::Duration};

use futures_util::TryStreamExt as _;
use jackfield_reporting::{
    insert::{Dialect, Statement, Value},
    table::{Cell, Column, ColumnKind, Row},
};
use sqlx::{
    Column as _, Connection as _, Executor as _, MySql, MySqlConnection, Row as _, SqlSafeStr as _, Sqlite,
    SqliteConnection, Statement as _, TypeInfo as _, mysql::MySqlRow, postgres::PgRow, sqlite::SqliteRow,
};
use tokio::{sync::mpsc, time::Instant};

use super::{
    Address, Conn, LabDbError, bind, bind_texts, casts,
    clock::{UnknownZone, connect_mysql, connect_postgres},
    decode,
    error::{Interrupted, in_time},
    safe,
};
use crate::zone;

/// Rows that are handed over together.
const ROWS_TOGETHER: usize = 500;
/// Steps of SQLite's machine between two looks at the clock: some thousandths of a second.
const STEPS_BETWEEN_LOOKS: i32 = 100_000;

/// Which rows of a query are wanted, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// By this column (from 0), the largest first or last.
    pub sort: Option<(usize, bool)>,
    /// Columns and texts that are to be in them; letters may be large or small.
    pub filters: Vec<(usize, String)>,
    /// A text that is to be in some column.
    pub search: String,
    /// So many rows are passed over.
    pub offset: u64,
    /// Most rows; none: all.
    pub limit: Option<u64>,
}

impl View {
    /// Whether the rows are not those of the query as it is.
    fn shapes(&self) -> bool {
        self.sort.is_some() || !self.filters.is_empty() || !self.search.is_empty()
    }
}

/// A session that reads.
#[derive(Debug)]
pub struct Reader {
    conn: Conn,
    wait: Duration,
    pub(super) unknown_zone: Option<UnknownZone>,
}

/// A query that is ready to be asked.
#[derive(Clone, Debug)]
pub struct Query {
    /// The query, with its places cast as PostgreSQL wants it.
    sql: String,
    values: Vec<Value>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Whether a column keeps instants, which the session shows in its zone.
    has_instants: bool,
    /// What a copy of all its rows is asked with, where the database writes one.
    copied: Option<copy::Copied>,
}

impl Query {
    /// Whether two columns have one name; in MySQL letters may be large or small.
    fn has_names_twice(&self) -> bool {
        let mut seen = BTreeSet::new();
        self.columns.iter().any(|column| !seen.insert(column.name.to_lowercase()))
    }
}

impl Reader {
    /// Opens a session in which no query takes longer than `wait`.
    ///
    /// # Errors
    /// The database is not there, lets us not in, or cannot be made to refuse writing.
    pub async fn open(address: &Address, wait: Duration) -> Result<Self, LabDbError> {
        let mut unknown_zone = None;
        let conn = in_time(async {
            Ok(match address {
                Address::MySql(options) => {
                    let (conn, unknown) = open_mysql(options, wait).await?;
                    unknown_zone = unknown;
                    Conn::MySql(conn)
                }
                Address::Postgres(options) => {
                    let mut conn = connect_postgres(options, &zone::names()).await?;
                    let millis = wait.as_millis();
                    let limits =
                        format!("SET statement_timeout = {millis}; SET default_transaction_read_only = on");
                    conn.execute(sqlx::raw_sql(safe(&limits))).await?;
                    conn.execute("BEGIN READ ONLY").await?;
                    Conn::Postgres(conn)
                }
                Address::Sqlite(options) => Conn::Sqlite(open_sqlite(options, wait).await?),
            })
        })
        .await?;
        Ok(Self { conn, wait, unknown_zone })
    }

    /// Which SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        match self.conn {
            Conn::MySql(_) => Dialect::MySql,
            Conn::Postgres(_) => Dialect::Postgres,
            Conn::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Has the database look at a query.
    ///
    /// # Errors
    /// It refuses it.
    pub async fn prepare(&mut self, statement: &Statement, values: Vec<Value>) -> Result<Query, LabDbError> {
        in_time(async {
            let plain = statement.sql();
            let mut has_instants = false;
            let (sql, columns, copied) = match &mut self.conn {
                Conn::MySql(conn) => {
                    refuse_files(&plain)?;
                    let looked = conn.prepare(safe(&plain).into_sql_str()).await?;
                    has_instants =
                        looked.columns().iter().any(|column| column.type_info().name() == "TIMESTAMP");
                    (plain, columns_of(looked.columns()), None)
                }
                Conn::Postgres(conn) => {
                    let looked = conn.prepare(safe(&plain).into_sql_str()).await?;
                    let types = casts(looked.parameters());
                    let copied = copy::Copied::of(statement, &types, looked.columns());
                    (statement.sql_with_casts(&types), columns_of(looked.columns()), Some(copied))
                }
                Conn::Sqlite(conn) => {
                    refuse_other_files(&plain)?;
                    let looked = conn.prepare(safe(&plain).into_sql_str()).await?;
                    (plain, columns_of(looked.columns()), None)
                }
            };
            if columns.is_empty() {
                return Err(LabDbError::Refused("this is no query: it gives no columns".to_owned()));
            }
            Ok(Query { sql, values, columns, has_instants, copied })
        })
        .await
    }

    /// What a reader of this query has to know of its times.
    pub(super) fn notice(&self, query: &Query) -> Option<String> {
        self.unknown_zone.as_ref().filter(|_| query.has_instants).map(UnknownZone::told)
    }

    /// The first rows of a query.
    ///
    /// # Errors
    /// The database refuses it, or it takes too long.
    pub async fn first(
        &mut self,
        statement: &Statement,
        values: &[Value],
        rows_max: usize,
    ) -> Result<Vec<Row>, LabDbError> {
        let query = self.prepare(statement, values.to_vec()).await?;
        let view = View { limit: u64::try_from(rows_max).ok(), ..View::default() };
        self.rows(&query, &view).await
    }

    /// The rows of a view that has a limit.
    ///
    /// # Errors
    /// As [`Self::first`].
    pub async fn rows(&mut self, query: &Query, view: &View) -> Result<Vec<Row>, LabDbError> {
        let mut sink = Sink::Kept(Vec::new());
        self.ask(query, view, &mut sink).await?;
        match sink {
            Sink::Kept(rows) => Ok(rows),
            Sink::Sent { .. } => Ok(Vec::new()),
        }
    }

    /// Sends the rows of a view as they come; ends early where nobody takes them.
    ///
    /// # Errors
    /// As [`Self::first`].
    pub async fn send(
        &mut self,
        query: &Query,
        view: &View,
        pieces: mpsc::Sender<Vec<Row>>,
    ) -> Result<(), LabDbError> {
        let mut sink = Sink::Sent { pieces, waiting: Vec::new(), is_begun: false };
        self.ask(query, view, &mut sink).await?;
        // Nobody who takes them is no failure of the database.
        let _ = sink.flush().await;
        Ok(())
    }

    /// How many rows a view has, without its limit.
    ///
    /// # Errors
    /// As [`Self::first`].
    pub async fn count(&mut self, query: &Query, view: &View) -> Result<u64, LabDbError> {
        let whole = View { sort: None, offset: 0, limit: None, ..view.clone() };
        let (inner, values) = shape::whole(&self.conn, query, &whole)?;
        let sql = shape::counted(&inner);
        let mut sink = Sink::Kept(Vec::new());
        self.run((&sql, &values, &[]), (0, Some(1)), &mut sink).await?;
        let Sink::Kept(rows) = sink else { return Ok(0) };
        let number = rows.into_iter().flatten().next().and_then(Cell::into_text);
        number
            .and_then(|digits| digits.trim().parse().ok())
            .ok_or_else(|| LabDbError::Unreadable("a count".to_owned()))
    }

    async fn ask(&mut self, query: &Query, view: &View, sink: &mut Sink) -> Result<(), LabDbError> {
        let shaped = shape::page(&self.conn, query, view)?;
        match self.run((&shaped.sql, &shaped.values, &query.columns), shaped.cut, sink).await {
            // What may not stand inside another query (PRAGMA, EXPLAIN) is asked as it is. Only of SQLite: MySQL was asked so
            // before, and PostgreSQL hears nothing more in a transaction in which it has refused something.
            Err(LabDbError::Refused(_))
                if matches!(self.conn, Conn::Sqlite(_)) && !view.shapes() && sink.is_empty() =>
            {
                self.run((&query.sql, &query.values, &query.columns), (view.offset, view.limit), sink).await
            }
            Err(LabDbError::Refused(words)) if view.shapes() && query.has_names_twice() => {
                Err(LabDbError::Refused(format!(
                    "{words}; to be sorted and filtered, a report needs columns with different names"
                )))
            }
            ended => ended,
        }
    }

    /// Asks, passes over some rows, and hands on the others up to the limit.
    async fn run(
        &mut self,
        (sql, values, columns): (&str, &[Value], &[Column]),
        cut: (u64, Option<u64>),
        sink: &mut Sink,
    ) -> Result<(), LabDbError> {
        let wait = self.wait;
        let numbers: Vec<bool> = columns.iter().map(|column| column.kind == ColumnKind::Number).collect();
        let ended = match &mut self.conn {
            Conn::MySql(conn) => {
                let rows = bind::<MySql>(sql, values).fetch(conn);
                drain(rows, |row: &MySqlRow| each(row.len(), |at| decode::mysql(row, at)), cut, sink).await
            }
            Conn::Postgres(conn) => {
                let rows = bind_texts(sql, values).fetch(conn);
                drain(rows, |row: &PgRow| postgres(row, &numbers), cut, sink).await
            }
            Conn::Sqlite(conn) => {
                let rows = bind::<Sqlite>(sql, values).fetch(conn);
                drain(rows, |row: &SqliteRow| each(row.len(), |at| decode::sqlite(row, at)), cut, sink).await
            }
        };
        ended.map_err(|error| match error {
            Interrupted::TooLong => LabDbError::Late(wait),
            Interrupted::Other(error) => error,
        })
    }
}

type Rows<'r, R> = Pin<Box<dyn futures_util::Stream<Item = Result<R, sqlx::Error>> + Send + 'r>>;

async fn drain<R>(
    mut rows: Rows<'_, R>,
    read: impl Fn(&R) -> Result<Row, LabDbError>,
    (mut offset, limit): (u64, Option<u64>),
    sink: &mut Sink,
) -> Result<(), Interrupted> {
    let mut left = limit.unwrap_or(u64::MAX);
    while left > 0
        && let Some(row) = rows.try_next().await?
    {
        if offset > 0 {
            offset = offset.saturating_sub(1);
            continue;
        }
        left = left.saturating_sub(1);
        if sink.take(read(&row)?).await.is_break() {
            break;
        }
    }
    Ok(())
}

fn each(count: usize, cell: impl Fn(usize) -> Result<Cell, LabDbError>) -> Result<Row, LabDbError> {
    (0..count).map(cell).collect()
}

/// Every column of PostgreSQL comes as it writes it; which are numbers is known from the query.
fn postgres(row: &PgRow, numbers: &[bool]) -> Result<Row, LabDbError> {
    each(row.len(), |at| {
        let text: Option<String> = row.try_get_unchecked(at)?;
        let is_number = numbers.get(at).copied().unwrap_or(false);
        Ok(text.map_or(Cell::Null, if is_number { Cell::Number } else { Cell::Text }))
    })
}

/// Where rows go.
enum Sink {
    Kept(Vec<Row>),
    Sent { pieces: mpsc::Sender<Vec<Row>>, waiting: Vec<Row>, is_begun: bool },
}

impl Sink {
    async fn take(&mut self, row: Row) -> ControlFlow<()> {
        match self {
            Self::Kept(rows) => rows.push(row),
            Self::Sent { waiting, is_begun, .. } => {
                *is_begun = true;
                waiting.push(row);
                if waiting.len() >= ROWS_TOGETHER {
                    return self.flush().await;
                }
            }
        }
        ControlFlow::Continue(())
    }

    async fn flush(&mut self) -> ControlFlow<()> {
        match self {
            Self::Sent { pieces, waiting, .. } if !waiting.is_empty() => {
                match pieces.send(std::mem::take(waiting)).await {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_nobody_listens) => ControlFlow::Break(()),
                }
            }
            Self::Kept(_) | Self::Sent { .. } => ControlFlow::Continue(()),
        }
    }

    /// Whether no row has come yet.
    fn is_empty(&self) -> bool {
        match self {
            Self::Kept(rows) => rows.is_empty(),
            Self::Sent { is_begun, .. } => !is_begun,
        }
    }
}

async fn open_mysql(
    options: &sqlx::mysql::MySqlConnectOptions,
    wait: Duration,
) -> Result<(MySqlConnection, Option<UnknownZone>), LabDbError> {
    let (mut conn, unknown) = connect_mysql(options, &zone::here()).await?;
    // MariaDB and MySQL have a limit each, of another name and unit.
    let of_mariadb = format!("SET SESSION max_statement_time = {:.3}", wait.as_secs_f64());
    if conn.execute(safe(&of_mariadb)).await.is_err() {
        conn.execute(safe(&format!("SET SESSION max_execution_time = {}", wait.as_millis()))).await?;
    }
    conn.execute("SET SESSION TRANSACTION READ ONLY").await?;
    conn.execute("START TRANSACTION READ ONLY").await?;
    Ok((conn, unknown))
}

async fn open_sqlite(
    options: &sqlx::sqlite::SqliteConnectOptions,
    wait: Duration,
) -> Result<SqliteConnection, LabDbError> {
    let options = options.clone().create_if_missing(false).read_only(true);
    let mut conn = SqliteConnection::connect_with(&options).await?;
    conn.execute("PRAGMA query_only = ON").await?;
    let until = Instant::now().checked_add(wait);
    let mut handle = conn.lock_handle().await?;
    handle
        .set_progress_handler(STEPS_BETWEEN_LOOKS, move || until.is_none_or(|until| Instant::now() < until));
    drop(handle);
    Ok(conn)
}

/// In a session that only reads MySQL still writes files of its host for whoever has that right.
fn refuse_files(sql: &str) -> Result<(), LabDbError> {
    // Comments may stand between the two words, and a version before one of them: `/*!50000INTO*/`.
    let mut words =
        shape::words(sql).map(|word| word.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    let is_into = |word: &str| word.eq_ignore_ascii_case("INTO");
    let is_file = |word: &str| ["OUTFILE", "DUMPFILE"].iter().any(|file| word.eq_ignore_ascii_case(file));
    if words.any(is_into) && words.any(is_file) {
        Err(LabDbError::Refused("a report writes no files (INTO OUTFILE)".to_owned()))
    } else {
        Ok(())
    }
}

/// SQLite opens any file that the engine may open, also in a session that only reads, and the engine's own store is one.
pub(super) fn refuse_other_files(sql: &str) -> Result<(), LabDbError> {
    let has_many = sql.trim_end().trim_end_matches(';').contains(';');
    let begin = sql.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}');
    let is_commented = begin.starts_with("--") || begin.starts_with("/*");
    let opens = |word: &str| ["ATTACH", "VACUUM"].iter().any(|opens| word.eq_ignore_ascii_case(opens));
    let mut words = shape::words(sql).filter(|word| !word.is_empty());
    if words.next().is_some_and(opens) || ((has_many || is_commented) && words.any(opens)) {
        Err(LabDbError::Refused(
            "db.xml names one database, and its SQL opens no other file (ATTACH, VACUUM INTO)".to_owned(),
        ))
    } else {
        Ok(())
    }
}

fn columns_of<C: sqlx::Column>(columns: &[C]) -> Vec<Column> {
    let column =
        |column: &C| Column { name: column.name().to_owned(), kind: kind_of(column.type_info().name()) };
    columns.iter().map(column).collect()
}

/// By the name that the driver gives the type. It is the whole name that counts: `INT4[]`, `INT4RANGE` and types of the lab's own are text.
fn kind_of(name: &str) -> ColumnKind {
    let name = name.to_ascii_uppercase();
    match name.strip_suffix(" UNSIGNED").unwrap_or(&name) {
        "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" | "INTEGER" | "INT2" | "INT4" | "INT8"
        | "FLOAT" | "FLOAT4" | "FLOAT8" | "DOUBLE" | "REAL" | "DECIMAL" | "NUMERIC" | "BIT" | "YEAR"
        | "BOOLEAN" => ColumnKind::Number,
        "DATE" | "DATETIME" | "TIMESTAMP" | "TIMESTAMPTZ" => ColumnKind::Date,
        _ => ColumnKind::Text,
    }
}

pub(super) mod copy;
pub(crate) mod memory;
mod shape;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_report_of_mysql_writes_a_file() {
        for sql in [
            "SELECT 1 INTO OUTFILE '/x'",
            "SELECT 1 into/**/dumpfile '/x'",
            "SELECT 1 INTO /* a */ OUTFILE '/x'",
            "SELECT 1 /*!50000INTO*/ OUTFILE '/x'",
        ] {
            assert!(refuse_files(sql).is_err(), "{sql}");
        }
        for sql in ["SELECT outfile FROM results", "SELECT 'into' FROM files", "SELECT into_outfile FROM x"] {
            assert!(refuse_files(sql).is_ok(), "{sql}");
        }
    }

    #[test]
    fn no_other_file_is_opened() {
        for sql in [
            "ATTACH 'x' AS y",
            "attach database '.jackfield/store' as s; SELECT * FROM s.token",
            "SELECT 1; ATTACH 'x' AS y;",
            "VACUUM INTO 'x'",
            " -- of last year\nATTACH 'x' AS y",
            "/* of last year */ ATTACH 'x' AS y",
        ] {
            assert!(refuse_other_files(sql).is_err(), "{sql}");
        }
        for sql in ["SELECT attach FROM t", "SELECT attach FROM t;", "SELECT 'a; b' FROM vacuums"] {
            assert!(refuse_other_files(sql).is_ok(), "{sql}");
        }
    }

    #[test]
    fn what_is_made_of_numbers_is_text() {
        for (name, kind) in [
            ("BIGINT UNSIGNED", ColumnKind::Number),
            ("INT4", ColumnKind::Number),
            ("INTEGER", ColumnKind::Number),
            ("INT4[]", ColumnKind::Text),
            ("INT4RANGE", ColumnKind::Text),
            ("INTERVAL", ColumnKind::Text),
            ("integration_state", ColumnKind::Text),
            ("TIMESTAMPTZ", ColumnKind::Date),
            ("DATE[]", ColumnKind::Text),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }
}
