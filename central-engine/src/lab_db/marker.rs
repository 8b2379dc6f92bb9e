//! A table of ours in the lab's database, where the lab allows it: one row for each statement that was kept, written in the same
//! transaction. So it is known after any failure, also one in which the answer to a commit was lost, what the database has.

use std::collections::BTreeSet;

use sqlx::Row as _;

use super::{
    Conn, LabDb,
    error::{LabDbError, in_time},
    safe,
};

/// Rows of one INSERT.
const ROWS_AT_ONCE: usize = 200;

/// Whose rows of the table are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The table: a plain name.
    pub table: String,
    /// Which engine: several may share a database, and numbers of runs begin anew with a new store.
    pub engine: String,
    /// The run.
    pub run: u64,
    /// The database's place among those of the lab.
    pub section: u32,
}

/// A test of the run, and a statement of `db.xml` (from 1).
pub type Slot = (u32, u32);

impl Marker {
    /// The table as it is made where it is not there.
    pub fn definition(table: &str, of_mysql: bool) -> String {
        let engine = if of_mysql { " ENGINE=InnoDB" } else { "" };
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (engine VARCHAR(32) NOT NULL, run BIGINT NOT NULL, section INTEGER NOT NULL, \
             test BIGINT NOT NULL, statement INTEGER NOT NULL, PRIMARY KEY (engine, run, section, test, statement)){engine}"
        )
    }
}

impl LabDb {
    /// Makes the table where it is not there. Outside of a transaction.
    ///
    /// # Errors
    /// The database refuses it, or is gone.
    pub async fn make_marker(&mut self, marker: &Marker) -> Result<(), LabDbError> {
        let probe = format!("SELECT 1 FROM {} WHERE run = -1", marker.table);
        let is_there = self.execute(&probe).await;
        self.undo().await;
        match is_there {
            Err(LabDbError::Refused(_)) => {}
            known => return known,
        }
        let of_mysql = matches!(self.conn, Conn::MySql(_));
        let made = match self.execute(&Marker::definition(&marker.table, of_mysql)).await {
            Ok(()) => self.end().await,
            failed => failed,
        };
        self.undo().await;
        made.map_err(|error| match &error {
            LabDbError::Refused(words) => LabDbError::Refused(format!(
                "{words}; the table of <marker> cannot be made: have it made with `{}`",
                Marker::definition(&marker.table, of_mysql)
            )),
            LabDbError::Busy(_) | LabDbError::Lost(_) | LabDbError::Late(_) | LabDbError::Unreadable(_) => {
                error
            }
        })
    }

    /// What is marked of the run.
    ///
    /// # Errors
    /// The database refuses it, or is gone.
    pub async fn marked(&mut self, marker: &Marker) -> Result<BTreeSet<Slot>, LabDbError> {
        let Marker { table, run, section, .. } = marker;
        let place = self.place();
        let sql = format!(
            "SELECT test, statement FROM {table} WHERE engine = {place} AND run = {run} AND section = {section}"
        );
        let slot = |test: i64, statement: i32| u32::try_from(test).ok().zip(u32::try_from(statement).ok());
        in_time(async {
            let mut slots = BTreeSet::new();
            match &mut self.conn {
                Conn::MySql(conn) => {
                    for row in sqlx::query(safe(&sql)).bind(&marker.engine).fetch_all(conn).await? {
                        slots.extend(slot(row.try_get(0)?, row.try_get(1)?));
                    }
                }
                Conn::Postgres(conn) => {
                    for row in sqlx::query(safe(&sql)).bind(&marker.engine).fetch_all(conn).await? {
                        slots.extend(slot(row.try_get(0)?, row.try_get(1)?));
                    }
                }
                Conn::Sqlite(conn) => {
                    for row in sqlx::query(safe(&sql)).bind(&marker.engine).fetch_all(conn).await? {
                        slots.extend(slot(row.try_get(0)?, row.try_get(1)?));
                    }
                }
            }
            Ok(slots)
        })
        .await
    }

    /// Marks these in the open transaction; false where one of them is marked already, and the transaction is of no use any more.
    ///
    /// # Errors
    /// The database refuses it, or is gone.
    pub async fn mark(&mut self, marker: &Marker, slots: &[Slot]) -> Result<bool, LabDbError> {
        let Marker { table, engine, run, section } = marker;
        for some in slots.chunks(ROWS_AT_ONCE) {
            let place = self.place();
            let row = |(test, statement): &Slot| format!("({place}, {run}, {section}, {test}, {statement})");
            let rows: Vec<String> = some.iter().map(row).collect();
            let sql = format!(
                "INSERT INTO {table} (engine, run, section, test, statement) VALUES {}",
                rows.join(", ")
            );
            let inserted = in_time(async {
                let done = match &mut self.conn {
                    // Each of its places is filled by itself.
                    Conn::MySql(conn) => {
                        let all = some.iter().fold(sqlx::query(safe(&sql)), |query, _| query.bind(engine));
                        all.execute(conn).await.map(drop)
                    }
                    Conn::Postgres(conn) => {
                        sqlx::query(safe(&sql)).bind(engine).execute(conn).await.map(drop)
                    }
                    Conn::Sqlite(conn) => sqlx::query(safe(&sql)).bind(engine).execute(conn).await.map(drop),
                };
                match done {
                    Ok(()) => Ok(true),
                    Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
                    Err(error) => Err(error.into()),
                }
            });
            if !inserted.await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where the engine stands in a statement.
    fn place(&self) -> &'static str {
        match self.conn {
            Conn::MySql(_) => "?",
            Conn::Postgres(_) | Conn::Sqlite(_) => "$1",
        }
    }

    /// Ends what MySQL begins by itself; the other two are in no transaction here.
    async fn end(&mut self) -> Result<(), LabDbError> {
        match self.conn {
            Conn::MySql(_) => self.execute("COMMIT").await,
            Conn::Postgres(_) | Conn::Sqlite(_) => Ok(()),
        }
    }

    async fn execute(&mut self, sql: &str) -> Result<(), LabDbError> {
        use sqlx::Executor as _;
        in_time(async {
            match &mut self.conn {
                Conn::MySql(conn) => conn.execute(safe(sql)).await.map(drop)?,
                Conn::Postgres(conn) => conn.execute(safe(sql)).await.map(drop)?,
                Conn::Sqlite(conn) => conn.execute(safe(sql)).await.map(drop)?,
            }
            Ok(())
        })
        .await
    }
}
