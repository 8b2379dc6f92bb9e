//! The engine's own state: SQLite in its data folder, or PostgreSQL by URL, with one set of SQL.
//!
//! [`Store::commit`] is the only way for the engine loop to change it: everything that several events led to, in one
//! transaction. [`Store::load`] gives back what a restarted engine needs. All else reads through [`Store::read`], one
//! module per table.

pub mod account;
pub mod attempt;
pub mod audit;
mod batch;
mod bind;
mod bulk;
pub mod calendar_feed;
mod counter;
mod damage;
mod db;
pub mod edit;
pub mod ep;
pub mod event;
#[cfg(test)]
pub(crate) mod faults;
#[cfg(not(test))]
mod faults;
pub mod global;
pub mod health;
pub mod job;
pub mod lease;
pub mod life;
mod part;
pub mod plan;
pub mod report_view;
mod reseal;
pub mod resource;
pub mod retention;
pub mod run;
pub mod saved;
mod schema;
pub mod seal;
pub mod session;
pub mod share;
pub mod submission;
pub mod sut;
pub mod taken;
pub mod test;
pub mod token;

#[cfg(test)]
pub(crate) mod tests;

use std::{
    path::Path,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{LeaseId, RunId},
    plan::RunPlan,
    time::Time,
};
use jackfield_scheduler::effect::Row;
use sqlx::{
    Connection as _, PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Notify;

pub use self::{batch::Batch, db::Conn, seal::Seal};
use crate::limits;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused, or is not there.
    #[error("the store did not answer")]
    Database(#[source] sqlx::Error),
    /// No room is left; nothing was written.
    #[error("the disk of the engine's store is full; free some space")]
    Full(#[source] sqlx::Error),
    /// Somebody else wrote the same thing first; nothing was written.
    #[error("somebody else has just done the same; look how it is now, and try again")]
    Conflict(#[source] sqlx::Error),
    /// The file of the store is damaged: no retry mends it.
    #[error(
        "the file of the store is damaged; stop the engine, keep a copy of the file, and restore a backup, or what `sqlite3 engine.sqlite .recover` still reads of it"
    )]
    Damaged(#[source] sqlx::Error),
    /// A row is not what this build writes.
    #[error("the store holds something unreadable: {0}; restore it from a backup, or report this")]
    Corrupt(String),
    /// A later build has changed the tables.
    #[error(
        "the store is at schema {store}, this build knows {build}; use the newer build, or a backup from before"
    )]
    Newer {
        /// The newest step the store has taken.
        store: i64,
        /// The newest step of this build.
        build: i64,
    },
    /// It is sealed with a key that is not there.
    #[error("the store is sealed with key {0}, which the key file does not have")]
    Key(seal::KeyName),
    /// The URL is of no database we speak.
    #[error("`{0}` is no store; give a file path, sqlite://PATH or postgres://USER@HOST/DATABASE")]
    Url(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // 13 is SQLite's SQLITE_FULL, 53100 PostgreSQL's disk_full.
        let database = error.as_database_error();
        if database.is_some_and(sqlx::error::DatabaseError::is_unique_violation) {
            return Self::Conflict(error);
        }
        let code = database.and_then(sqlx::error::DatabaseError::code);
        let code = code.as_deref();
        // Of SQLite's codes the lowest byte is the kind: 11 is SQLITE_CORRUPT, 26 SQLITE_NOTADB. PostgreSQL's are XX001 and XX002.
        let kind = code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
        let is_damaged = database
            .is_some_and(|database| database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some())
            && kind.is_some_and(|kind| kind == 11 || kind == 26);
        if is_damaged || code.is_some_and(|code| code == "XX001" || code == "XX002") {
            return Self::Damaged(error);
        }
        if code.is_some_and(|code| code == "13" || code == "53100") {
            Self::Full(error)
        } else {
            Self::Database(error)
        }
    }
}

impl StoreError {
    /// The error with all its causes, for the log.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }
}

impl StoreError {
    /// What a client is told that it is.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            StoreError::Database(_) | StoreError::Full(_) => ErrorCode::Storage,
            StoreError::Conflict(_) => ErrorCode::WrongState,
            StoreError::Damaged(_)
            | StoreError::Corrupt(_)
            | StoreError::Newer { .. }
            | StoreError::Key(_)
            | StoreError::Url(_) => ErrorCode::Internal,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::new(error.code(), error.to_string()).because(error.chain())
    }
}

/// The engine's own state. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    db: db::Db,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    plans: plan::Plans,
    last_run: AtomicU64,
    work_added: Notify,
}

/// What a restarted engine needs.
#[derive(Debug, Default)]
pub struct Restored {
    /// The rows of every run that has not ended (plan, run, queued tests, parts, attempts), every lease, every EP.
    pub rows: Vec<Row>,
    /// The highest number that a lease ever had.
    pub last_lease: LeaseId,
}

impl Store {
    /// Opens a store, makes it if it is not there, and brings its tables up to this build.
    ///
    /// `url` is a file path, `sqlite://PATH`, or `postgres://…`; what holds secrets is sealed with the newest key of `seal`.
    ///
    /// # Errors
    /// The database cannot be reached, or a later build has been at it.
    pub async fn open_sealed(url: &str, seal: Seal, now: Time) -> Result<Self, StoreError> {
        let db = match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => {
                db::Db::new(db::Pools::Pg(open_postgres(url).await?), seal)
            }
            Some(("sqlite", path)) => open_sqlite(path, seal).await?,
            None => open_sqlite(url, seal).await?,
            Some(_) => return Err(StoreError::Url(url.to_owned())),
        };
        let mut conn = db.write().await?;
        schema::migrate(&mut conn, now).await?;
        conn.commit().await?;
        let last = counter::last(&mut db.read().await?, counter::RUN).await?;
        let shared = Shared {
            plans: plan::Plans::default(),
            last_run: AtomicU64::new(last),
            work_added: Notify::new(),
        };
        Ok(Self { db, shared: Arc::new(shared) })
    }

    /// Opens a store as an engine does: with a key, and all sealed.
    #[cfg(test)]
    pub(crate) async fn open(url: &str, now: Time) -> Result<Self, StoreError> {
        let store = Self::open_sealed(url, Seal::fixed(), now).await?;
        store.check_seal().await?;
        store.seal_all().await?;
        Ok(store)
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// None is free in time, or the database is gone.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        self.db.read().await
    }

    /// Waits until anybody finds that the file of the store is damaged: what it is, with what to do.
    pub async fn damaged(&self) -> String {
        self.db.damage.found().await
    }

    /// A transaction; nothing of it happened unless [`Conn::commit`] says so.
    ///
    /// # Errors
    /// The database is gone, or another writer takes too long.
    pub async fn write(&self) -> Result<Conn, StoreError> {
        self.db.write().await
    }

    /// A transaction for what can wait, if nobody else writes now.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn try_write(&self) -> Result<Option<Conn>, StoreError> {
        self.db.try_write().await
    }

    /// The number of the next run. One that is never committed is used again after a restart.
    pub fn next_run(&self) -> RunId {
        RunId(self.shared.last_run.fetch_add(1, Ordering::Relaxed).saturating_add(1))
    }

    /// Makes everything in the batch durable at once.
    ///
    /// # Errors
    /// Nothing was written: the disk is full, the database is gone.
    pub async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let changed = batch.changed_plans();
        let work = !batch.jobs.is_empty();
        let mut conn = self.write().await?;
        batch::write(&mut conn, batch).await?;
        let committed = conn.commit().await;
        for (run, plan) in changed {
            // A store may have committed though its answer was lost; then the next look tells.
            self.shared.plans.changed(run, plan.filter(|_| committed.is_ok()));
        }
        committed?;
        if work {
            self.shared.work_added.notify_one();
        }
        Ok(())
    }

    /// What a restarted engine needs, all runs that ended left out.
    ///
    /// # Errors
    /// The store does not answer, or holds a row that cannot be read.
    pub async fn load(&self) -> Result<Restored, StoreError> {
        batch::load(&mut self.read().await?).await
    }

    /// A run's plan with all its tests; from memory where it was wanted lately.
    ///
    /// # Errors
    /// The store does not answer, or the plan cannot be read.
    pub async fn plan(&self, run: RunId) -> Result<Option<Arc<RunPlan>>, StoreError> {
        if let Some(plan) = self.shared.plans.get(run) {
            return Ok(Some(plan));
        }
        let generation = self.shared.plans.generation();
        let Some(plan) = plan::whole(&mut self.read().await?, run).await? else { return Ok(None) };
        let plan = Arc::new(plan);
        self.shared.plans.put_read(run, Arc::clone(&plan), generation);
        Ok(Some(plan))
    }

    /// Forgets the plan of a run that was deleted.
    pub(crate) fn forget_plan(&self, run: RunId) {
        self.shared.plans.changed(run, None);
    }

    /// What is to go wrong.
    #[cfg(test)]
    pub(crate) fn faults(&self) -> &faults::Faults {
        &self.db.faults
    }

    /// Said after each commit that promised work.
    pub(crate) fn work_added(&self) -> &Notify {
        &self.shared.work_added
    }

    /// Says that work was promised outside of [`Self::commit`].
    pub fn wake_jobs(&self) {
        self.shared.work_added.notify_one();
    }

    /// Whether the store answers; for the health page.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read().await?.row("SELECT 1", vec![]).await.map(drop)
    }

    /// Closes every connection; SQLite folds its log into its file.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

async fn open_sqlite(path: &str, seal: Seal) -> Result<db::Db, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: a commit that was answered survives a power cut, which is what the whole design rests on.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(limits::STORE_WAIT);
    let pool = SqlitePoolOptions::new().acquire_timeout(limits::STORE_WAIT).test_before_acquire(false);
    let write: SqlitePool = pool.clone().max_connections(1).connect_with(options.clone()).await?;
    let read = pool.max_connections(limits::STORE_READERS_MAX);
    let read = read.connect_with(options.create_if_missing(false).read_only(true)).await?;
    Ok(db::Db::new(db::Pools::Lite { write, read }, seal))
}

/// Copies the file of an SQLite store as it is at one moment, also while an engine writes to it.
///
/// # Errors
/// It cannot be read, or the place not written.
pub(crate) async fn copy_sqlite(from: &Path, to: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().filename(from).read_only(true).busy_timeout(limits::STORE_WAIT);
    let mut conn = sqlx::SqliteConnection::connect_with(&options).await?;
    sqlx::query("VACUUM INTO ?").bind(to.to_string_lossy().into_owned()).execute(&mut conn).await?;
    conn.close().await?;
    Ok(())
}

async fn open_postgres(url: &str) -> Result<PgPool, StoreError> {
    let options = sqlx::postgres::PgConnectOptions::from_str(url)?;
    let pool = PgPoolOptions::new()
        .acquire_timeout(limits::STORE_WAIT)
        .max_connections(limits::STORE_READERS_MAX.saturating_add(2));
    Ok(pool.connect_with(options).await?)
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::corrupt(format!("a value cannot be written: {error}")))
}

fn json_opt<T: serde::Serialize>(value: Option<&T>) -> Result<Option<String>, StoreError> {
    value.map(json).transpose()
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt(error.to_string()))
}
