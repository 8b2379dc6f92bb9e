//! One way to speak to SQLite and PostgreSQL: placeholders `$1`, and columns of three kinds (whole number, text, bytes).
//!
//! Keeping to three kinds is what lets one set of SQL serve both databases. Everything richer is JSON in a text column.

use std::{borrow::Cow, sync::Arc};

use sqlx::{
    PgPool, Postgres, Row as _, SqlSafeStr, Sqlite, SqlitePool, Transaction, pool::PoolConnection,
    postgres::PgRow, sqlite::SqliteRow,
};

pub(super) use super::bind::{Bind, binds};
use super::{
    StoreError,
    damage::Damage,
    faults::{Faults, Point},
    seal::Seal,
};

/// The pools of one store, and what may go wrong there.
#[derive(Clone, Debug)]
pub(super) struct Db {
    pools: Pools,
    seal: Arc<Seal>,
    pub(super) faults: Faults,
    pub(super) damage: Damage,
}

/// The pools of one store.
#[derive(Clone, Debug)]
pub(super) enum Pools {
    /// SQLite: one connection writes, others read beside it.
    Lite {
        /// Exactly one connection.
        write: SqlitePool,
        /// Several, read-only.
        read: SqlitePool,
    },
    /// PostgreSQL.
    Pg(PgPool),
}

/// A connection to run statements on; a write connection is one transaction.
#[derive(Debug)]
pub struct Conn {
    inner: Inner,
    seal: Arc<Seal>,
    faults: Faults,
    damage: Damage,
}

#[derive(Debug)]
enum Inner {
    Lite(PoolConnection<Sqlite>),
    Pg(PoolConnection<Postgres>),
    LiteWrite(Transaction<'static, Sqlite>),
    PgWrite(Transaction<'static, Postgres>),
}

/// A row of an answer; columns are asked for by position.
#[derive(Debug)]
pub(super) enum Line {
    Lite(SqliteRow),
    Pg(PgRow),
}

impl Db {
    pub(super) fn new(pools: Pools, seal: Seal) -> Self {
        Self { pools, seal: Arc::new(seal), faults: Faults::default(), damage: Damage::default() }
    }

    fn conn(&self, inner: Inner) -> Conn {
        Conn { inner, seal: Arc::clone(&self.seal), faults: self.faults.clone(), damage: self.damage.clone() }
    }

    pub(super) async fn read(&self) -> Result<Conn, StoreError> {
        self.damage.see(self.acquire().await)
    }

    async fn acquire(&self) -> Result<Conn, StoreError> {
        self.faults.at(Point::Look).await?;
        Ok(self.conn(match &self.pools {
            Pools::Lite { read, .. } => Inner::Lite(read.acquire().await?),
            Pools::Pg(pool) => Inner::Pg(pool.acquire().await?),
        }))
    }

    pub(super) async fn write(&self) -> Result<Conn, StoreError> {
        self.damage.see(self.begin().await)
    }

    async fn begin(&self) -> Result<Conn, StoreError> {
        self.faults.at(Point::Begin).await?;
        Ok(self.conn(match &self.pools {
            Pools::Lite { write, .. } => Inner::LiteWrite(begin(write).await?),
            Pools::Pg(pool) => Inner::PgWrite(pool.begin().await?),
        }))
    }

    /// A transaction, if nobody else writes now.
    pub(super) async fn try_write(&self) -> Result<Option<Conn>, StoreError> {
        let begun = match &self.pools {
            Pools::Lite { write, .. } => write.try_begin_with("BEGIN IMMEDIATE").await?.map(Inner::LiteWrite),
            Pools::Pg(pool) => pool.try_begin().await?.map(Inner::PgWrite),
        };
        Ok(begun.map(|inner| self.conn(inner)))
    }

    /// Writes the database anew, so that nothing of what was deleted or replaced is left in it.
    pub(super) async fn compact(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Lite { write, .. } => {
                sqlx::query("VACUUM").execute(write).await?;
                sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(write).await?;
            }
            Pools::Pg(pool) => {
                sqlx::query("VACUUM FULL").execute(pool).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn close(&self) {
        match &self.pools {
            Pools::Lite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Pools::Pg(pool) => pool.close().await,
        }
    }
}

/// Begins to write. SQLite ends a transaction by itself when the disk is full, and the pool's connection does not notice:
/// it refuses to begin ever after, so it is closed and a new one takes its place.
async fn begin(pool: &SqlitePool) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    // IMMEDIATE takes the write lock at once: a backup tool that reads beside us cannot make the commit fail.
    const BEGIN: &str = "BEGIN IMMEDIATE";
    match pool.begin_with(BEGIN).await {
        Err(sqlx::Error::InvalidSavePointStatement) => {
            pool.acquire().await?.close().await?;
            pool.begin_with(BEGIN).await
        }
        begun => begun,
    }
}

impl Conn {
    /// Makes what was written durable; dropped without this, it never happened.
    ///
    /// # Errors
    /// The database could not commit (disk full, connection lost).
    pub async fn commit(self) -> Result<(), StoreError> {
        let damage = self.damage.clone();
        damage.see(self.commit_now().await)
    }

    async fn commit_now(self) -> Result<(), StoreError> {
        let Self { inner, seal: _, faults, damage: _ } = self;
        faults.at(Point::Commit).await?;
        {
            let _busy = faults.busy();
            match inner {
                Inner::LiteWrite(transaction) => transaction.commit().await?,
                Inner::PgWrite(transaction) => transaction.commit().await?,
                Inner::Lite(_) | Inner::Pg(_) => {}
            }
        }
        faults.at(Point::Committed).await
    }

    /// The keys of the store.
    pub(super) fn seal(&self) -> &Seal {
        &self.seal
    }

    pub(super) fn is_postgres(&self) -> bool {
        match self.inner {
            Inner::Pg(_) | Inner::PgWrite(_) => true,
            Inner::Lite(_) | Inner::LiteWrite(_) => false,
        }
    }

    /// Runs a statement; the answer is the number of rows it touched.
    pub(super) async fn run(
        &mut self,
        sql: impl SqlSafeStr,
        binds: Vec<Bind<'_>>,
    ) -> Result<u64, StoreError> {
        let done = self.run_now(sql, binds).await;
        self.damage.see(done)
    }

    async fn run_now(&mut self, sql: impl SqlSafeStr, binds: Vec<Bind<'_>>) -> Result<u64, StoreError> {
        self.faults.at(Point::Statement).await?;
        let _busy = self.faults.busy();
        Ok(match &mut self.inner {
            Inner::Lite(on) => lite(sql, binds).execute(&mut **on).await?.rows_affected(),
            Inner::LiteWrite(on) => lite(sql, binds).execute(&mut **on).await?.rows_affected(),
            Inner::Pg(on) => pg(sql, binds).execute(&mut **on).await?.rows_affected(),
            Inner::PgWrite(on) => pg(sql, binds).execute(&mut **on).await?.rows_affected(),
        })
    }

    /// All rows of an answer.
    pub(super) async fn rows(
        &mut self,
        sql: impl SqlSafeStr,
        binds: Vec<Bind<'_>>,
    ) -> Result<Vec<Line>, StoreError> {
        let lines = self.rows_now(sql, binds).await;
        self.damage.see(lines)
    }

    async fn rows_now(
        &mut self,
        sql: impl SqlSafeStr,
        binds: Vec<Bind<'_>>,
    ) -> Result<Vec<Line>, StoreError> {
        let lines = {
            let _busy = self.faults.busy();
            match &mut self.inner {
                Inner::Lite(on) => wrap(lite(sql, binds).fetch_all(&mut **on).await?, Line::Lite),
                Inner::LiteWrite(on) => wrap(lite(sql, binds).fetch_all(&mut **on).await?, Line::Lite),
                Inner::Pg(on) => wrap(pg(sql, binds).fetch_all(&mut **on).await?, Line::Pg),
                Inner::PgWrite(on) => wrap(pg(sql, binds).fetch_all(&mut **on).await?, Line::Pg),
            }
        };
        self.faults.at(Point::Rows).await?;
        Ok(lines)
    }

    /// The first row of an answer.
    pub(super) async fn row(
        &mut self,
        sql: impl SqlSafeStr,
        binds: Vec<Bind<'_>>,
    ) -> Result<Option<Line>, StoreError> {
        Ok(self.rows(sql, binds).await?.into_iter().next())
    }

    /// Several statements without placeholders, as a migration has them.
    pub(super) async fn script(&mut self, sql: String) -> Result<(), StoreError> {
        let script = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
        match &mut self.inner {
            Inner::Lite(on) => script.execute(&mut **on).await.map(drop)?,
            Inner::LiteWrite(on) => script.execute(&mut **on).await.map(drop)?,
            Inner::Pg(on) => script.execute(&mut **on).await.map(drop)?,
            Inner::PgWrite(on) => script.execute(&mut **on).await.map(drop)?,
        }
        Ok(())
    }
}

fn wrap<T>(rows: Vec<T>, line: fn(T) -> Line) -> Vec<Line> {
    rows.into_iter().map(line).collect()
}

fn lite<'q>(
    sql: impl SqlSafeStr,
    binds: Vec<Bind<'_>>,
) -> sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments> {
    binds.into_iter().fold(sqlx::query(sql), |query, bind| match bind {
        Bind::Int(value) => query.bind(value),
        Bind::Text(value) => query.bind(value.map(Cow::into_owned)),
        Bind::Bytes(value) => query.bind(value.into_owned()),
    })
}

fn pg<'q>(
    sql: impl SqlSafeStr,
    binds: Vec<Bind<'_>>,
) -> sqlx::query::Query<'q, Postgres, sqlx::postgres::PgArguments> {
    binds.into_iter().fold(sqlx::query(sql), |query, bind| match bind {
        Bind::Int(value) => query.bind(value),
        Bind::Text(value) => query.bind(value.map(Cow::into_owned)),
        Bind::Bytes(value) => query.bind(value.into_owned()),
    })
}

impl Line {
    pub(super) fn int_opt(&self, column: usize) -> Result<Option<i64>, StoreError> {
        Ok(match self {
            Self::Lite(row) => row.try_get(column)?,
            Self::Pg(row) => row.try_get(column)?,
        })
    }

    pub(super) fn text_opt(&self, column: usize) -> Result<Option<String>, StoreError> {
        Ok(match self {
            Self::Lite(row) => row.try_get(column)?,
            Self::Pg(row) => row.try_get(column)?,
        })
    }

    pub(super) fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        Ok(match self {
            Self::Lite(row) => row.try_get(column)?,
            Self::Pg(row) => row.try_get(column)?,
        })
    }

    pub(super) fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.int_opt(column)?.ok_or_else(|| StoreError::corrupt(format!("column {column} is empty")))
    }

    pub(super) fn text(&self, column: usize) -> Result<String, StoreError> {
        self.text_opt(column)?.ok_or_else(|| StoreError::corrupt(format!("column {column} is empty")))
    }

    /// A whole number of a narrower or unsigned type.
    pub(super) fn number<T: TryFrom<i64>>(&self, column: usize) -> Result<T, StoreError> {
        let value = self.int(column)?;
        T::try_from(value).ok().ok_or_else(|| StoreError::corrupt(format!("column {column} holds {value}")))
    }

    pub(super) fn flag(&self, column: usize) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    /// A value that was stored as JSON.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, column: usize) -> Result<T, StoreError> {
        super::from_json(&self.text(column)?)
    }

    /// A value that was stored as JSON, where there is one.
    pub(super) fn json_opt<T: serde::de::DeserializeOwned>(
        &self,
        column: usize,
    ) -> Result<Option<T>, StoreError> {
        self.text_opt(column)?.map(|text| super::from_json(&text)).transpose()
    }
}
