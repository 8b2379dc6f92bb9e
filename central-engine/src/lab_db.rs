//! The lab's own databases: MySQL, MariaDB, PostgreSQL, SQLite. Their tables are the lab's; only what `db.xml` says is executed
//! there, with bound values.

mod address;
pub mod check;
pub mod choices;
mod clock;
mod decode;
mod error;
pub mod export;
pub mod marker;
pub mod read;
pub mod report;
pub(crate) mod turns;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use jackfield_reporting::{
    chart::{Chart, svg},
    insert::{Statement, Value},
};
use sqlx::{
    AssertSqlSafe, Connection as _, Either, Executor as _, MySql, MySqlConnection, PgConnection, Postgres,
    Row as _, SqlSafeStr as _, Sqlite, SqliteConnection, Statement as _, TypeInfo as _, postgres::PgTypeInfo,
};

pub use self::{
    address::{Address, AddressError},
    error::LabDbError,
};
use self::{
    clock::{UnknownZone, connect_mysql, connect_postgres},
    error::in_time,
};
use crate::zone;

pub use jackfield_reporting::table::json_row;

/// A chart as a picture, for who has no page.
pub fn drawing(chart: &Chart, title: &str) -> String {
    svg::draw(chart, title, svg::Theme::Light)
}

/// Tables of MySQL whose engine knows no transactions.
const TABLES_THAT_KEEP: &str = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() \
    AND engine IN ('MyISAM', 'Aria', 'MEMORY', 'CSV', 'ARCHIVE', 'MRG_MyISAM')";
/// MySQL's `ER_WARNING_NOT_COMPLETE_ROLLBACK`.
const NOT_TAKEN_BACK: &str = "1196";

/// A connection to the lab's database, with one transaction at a time: dropped without [`LabDb::commit`], nothing of that one happened.
#[derive(Debug)]
pub struct LabDb {
    conn: Conn,
    /// Every table takes back what it was given, also when the connection is lost.
    takes_back: bool,
    /// Statements as PostgreSQL wants them, by themselves: cast to the types that it named when it looked at them.
    with_casts: BTreeMap<String, String>,
    /// Why the session does not have the zone of the clocks here, where it makes a difference.
    unknown_zone: Option<UnknownZone>,
    is_begun: bool,
}

#[derive(Debug)]
enum Conn {
    MySql(MySqlConnection),
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl LabDb {
    /// Connects, and begins. A SQLite file is made if it is not there: the tables are up to the lab.
    ///
    /// # Errors
    /// The database is not there, lets us not in, or is locked by others for too long.
    pub async fn open(address: &Address) -> Result<Self, LabDbError> {
        let mut db = Self::connect(address).await?;
        db.begin().await?;
        Ok(db)
    }

    /// The same for who only looks, and keeps nobody from writing.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn look(address: &Address) -> Result<Self, LabDbError> {
        let mut db = Self::connect(address).await?;
        db.begin_with("BEGIN").await?;
        Ok(db)
    }

    /// Connects; the transaction begins with [`Self::begin`].
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn connect(address: &Address) -> Result<Self, LabDbError> {
        in_time(async {
            let (mut takes_back, mut unknown_zone) = (true, None);
            let conn = match address {
                Address::MySql(options) => {
                    let (mut conn, unknown) = connect_mysql(options, &zone::here()).await?;
                    unknown_zone = unknown;
                    // What does not fit is refused, not cut. A transaction begins with the first statement: nobody needs to say so.
                    let session =
                        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), autocommit = 0";
                    conn.execute(session).await?;
                    let keeping: i64 = sqlx::query_scalar(TABLES_THAT_KEEP).fetch_one(&mut conn).await?;
                    takes_back = keeping == 0;
                    Conn::MySql(conn)
                }
                Address::Postgres(options) => {
                    Conn::Postgres(connect_postgres(options, &zone::names()).await?)
                }
                Address::Sqlite(options) => Conn::Sqlite(SqliteConnection::connect_with(options).await?),
            };
            Ok(Self { conn, takes_back, with_casts: BTreeMap::new(), unknown_zone, is_begun: false })
        })
        .await
    }

    /// Begins a transaction, where none is open.
    ///
    /// # Errors
    /// The database is gone, or is locked by others for too long.
    pub async fn begin(&mut self) -> Result<(), LabDbError> {
        self.begin_with("BEGIN IMMEDIATE").await
    }

    async fn begin_with(&mut self, of_sqlite: &'static str) -> Result<(), LabDbError> {
        if self.is_begun {
            return Ok(());
        }
        in_time(async {
            match &mut self.conn {
                Conn::MySql(_) => {}
                Conn::Postgres(conn) => {
                    conn.execute("BEGIN").await?;
                }
                Conn::Sqlite(conn) => {
                    conn.execute(of_sqlite).await?;
                }
            }
            Ok(())
        })
        .await?;
        self.is_begun = true;
        Ok(())
    }

    /// Whether all its tables take back what a transaction that was not kept gave them.
    pub fn takes_back(&self) -> bool {
        self.takes_back
    }

    /// Has the database look at a statement, and executes nothing; the answer is how many columns it gives.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn prepare(&mut self, statement: &Statement) -> Result<usize, LabDbError> {
        in_time(async {
            let sql = safe(&self.within(statement)?).into_sql_str();
            Ok(match &mut self.conn {
                Conn::MySql(conn) => conn.prepare(sql).await?.columns().len(),
                Conn::Sqlite(conn) => conn.prepare(sql).await?.columns().len(),
                Conn::Postgres(conn) => conn.prepare(sql).await?.columns().len(),
            })
        })
        .await
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// The database refused it.
    pub async fn run(&mut self, statement: &Statement, values: &[Value]) -> Result<(), LabDbError> {
        in_time(async {
            let sql = self.sql(statement).await?;
            match &mut self.conn {
                Conn::MySql(conn) => {
                    bind::<MySql>(&sql, values).execute(conn).await?;
                }
                Conn::Postgres(conn) => {
                    bind_texts(&sql, values).execute(conn).await?;
                }
                Conn::Sqlite(conn) => {
                    bind::<Sqlite>(&sql, values).execute(conn).await?;
                }
            }
            Ok(())
        })
        .await
    }

    /// The first column of the first row of a query, as text; none where there is no row, or it is NULL.
    ///
    /// # Errors
    /// The database refused it.
    pub async fn value(&mut self, query: &Statement, values: &[Value]) -> Result<Option<String>, LabDbError> {
        in_time(async {
            let sql = self.sql(query).await?;
            match &mut self.conn {
                Conn::MySql(conn) => {
                    let row = bind::<MySql>(&sql, values).fetch_optional(conn).await?;
                    row.map_or(Ok(None), |row| Ok(decode::mysql(&row, 0)?.into_text()))
                }
                Conn::Postgres(conn) => {
                    // The server knows better than we how each of its types is written.
                    let sql = format!("SELECT CAST(jf.first AS text) FROM ({sql}\n) AS jf(first) LIMIT 1");
                    let row = bind_texts(&sql, values).fetch_optional(conn).await?;
                    Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
                }
                Conn::Sqlite(conn) => {
                    let row = bind::<Sqlite>(&sql, values).fetch_optional(conn).await?;
                    row.map_or(Ok(None), |row| Ok(decode::sqlite(&row, 0)?.into_text()))
                }
            }
        })
        .await
    }

    /// The SQL that this database wants. PostgreSQL turns no text into a number or date by itself, and says only when it has looked at a
    /// statement what it wants: that is asked when the turn of the statement comes, since one before it may make its table.
    async fn sql(&mut self, statement: &Statement) -> Result<String, LabDbError> {
        let sql = self.within(statement)?;
        let Conn::Postgres(conn) = &mut self.conn else { return Ok(sql) };
        if let Some(known) = self.with_casts.get(&sql) {
            return Ok(known.clone());
        }
        let prepared = conn.prepare(safe(&sql).into_sql_str()).await?;
        let with_casts = statement.sql_with_casts(&casts(prepared.parameters()));
        self.with_casts.insert(sql, with_casts.clone());
        Ok(with_casts)
    }

    /// The SQL of a statement that stays within this database.
    fn within(&self, statement: &Statement) -> Result<String, LabDbError> {
        let sql = statement.sql();
        if matches!(self.conn, Conn::Sqlite(_)) {
            read::refuse_other_files(&sql)?;
        }
        Ok(sql)
    }

    /// Takes back everything of this transaction. Whether it did: tables of MySQL's older engines keep what they were given, and of a
    /// connection that is lost with such tables in the database nobody knows.
    pub async fn undo(&mut self) -> bool {
        self.is_begun = false;
        let undone = in_time(async {
            match &mut self.conn {
                Conn::MySql(conn) => {
                    conn.execute("ROLLBACK").await?;
                    let warnings = sqlx::raw_sql("SHOW WARNINGS").fetch_all(conn).await?;
                    let mut codes =
                        warnings.iter().filter_map(|row| row.try_get_unchecked::<String, _>(1).ok());
                    Ok(!codes.any(|code| code == NOT_TAKEN_BACK))
                }
                Conn::Postgres(conn) => {
                    conn.execute("ROLLBACK").await?;
                    Ok(true)
                }
                Conn::Sqlite(conn) => {
                    conn.execute("ROLLBACK").await?;
                    Ok(true)
                }
            }
        });
        // Transactions end with their connections.
        undone.await.unwrap_or(self.takes_back)
    }

    /// Makes everything of this transaction durable.
    ///
    /// # Errors
    /// [`LabDbError::is_certain`]: nothing of it happened. Any other: nobody knows.
    pub async fn commit(&mut self) -> Result<(), LabDbError> {
        let next = in_time(async {
            Ok(match &mut self.conn {
                Conn::MySql(conn) => {
                    conn.execute("COMMIT").await?;
                    false
                }
                // The next one begins with the same word: a round trip less for each of many.
                Conn::Postgres(conn) => {
                    conn.execute("COMMIT AND CHAIN").await?;
                    true
                }
                Conn::Sqlite(conn) => {
                    conn.execute("COMMIT").await?;
                    false
                }
            })
        });
        self.is_begun = next.await?;
        Ok(())
    }
}

fn safe(sql: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(sql.to_owned())
}

/// A query with its values bound as they are.
fn bind<'q, D>(sql: &str, values: &[Value]) -> sqlx::query::Query<'q, D, D::Arguments>
where
    D: sqlx::Database,
    Option<String>: sqlx::Encode<'q, D> + sqlx::Type<D>,
    String: sqlx::Encode<'q, D> + sqlx::Type<D>,
    i64: sqlx::Encode<'q, D> + sqlx::Type<D>,
{
    values.iter().fold(sqlx::query(safe(sql)), |query, value| match value {
        Value::Null => query.bind(None::<String>),
        Value::Text(text) => query.bind(text.clone()),
        Value::Integer(number) => query.bind(*number),
    })
}

/// The same for PostgreSQL, where [`Statement::sql_with_casts`] turns each text into what its column wants.
fn bind_texts<'q>(
    sql: &str,
    values: &[Value],
) -> sqlx::query::Query<'q, Postgres, sqlx::postgres::PgArguments> {
    values.iter().fold(sqlx::query(safe(sql)), |query, value| match value {
        Value::Null => query.bind(None::<String>),
        Value::Text(text) => query.bind(text.clone()),
        Value::Integer(number) => query.bind(number.to_string()),
    })
}

/// The types that texts are to be cast to for the parameters that PostgreSQL named.
fn casts(parameters: Option<Either<&[PgTypeInfo], usize>>) -> Vec<Option<String>> {
    match parameters {
        Some(Either::Left(types)) => types.iter().map(|kind| cast(kind.name())).collect(),
        Some(Either::Right(_)) | None => Vec::new(),
    }
}

/// The type that a text is to be cast to for a parameter of PostgreSQL; none where it can stay.
fn cast(kind: &str) -> Option<String> {
    (!matches!(kind, "TEXT" | "VARCHAR" | "UNKNOWN")).then(|| kind.to_owned())
}
