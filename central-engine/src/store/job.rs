//! Work that was promised in a commit, kept until it is done.

use jackfield_protocol::{event::Hook, id::RunId, time::Time};
use jackfield_scheduler::effect::Job;
use serde::{Deserialize, Serialize};

use super::{
    StoreError,
    db::{Conn, Line, binds},
    json,
};

/// What a job does; the scheduler's jobs and those of other parts of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Work {
    /// Run a script around a run.
    RunHook {
        /// Which run.
        run: RunId,
        /// Before or after it.
        hook: Hook,
        /// The script: a path on the engine's host.
        path: String,
    },
    /// Write the files of a run that ended, and compress its logs.
    FinishRun {
        /// Which run.
        run: RunId,
    },
    /// Insert the results of a run into the lab's database.
    SaveRun {
        /// Which run.
        run: RunId,
    },
    /// Send the summary mail of a run.
    MailRun {
        /// Which run.
        run: RunId,
    },
}

/// A job with how often it was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Its number.
    pub id: u64,
    /// What to do.
    pub work: Work,
    /// How often it was tried and failed.
    pub tries: u32,
    /// When to try it next; none when it was given up.
    pub due: Option<Time>,
    /// Why it failed last.
    pub error: String,
}

impl Work {
    /// The run it belongs to.
    pub fn run(&self) -> RunId {
        match self {
            Self::RunHook { run, .. }
            | Self::FinishRun { run }
            | Self::SaveRun { run }
            | Self::MailRun { run } => *run,
        }
    }
}

impl Work {
    /// What it does, as one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunHook { .. } => "hook",
            Self::FinishRun { .. } => "finish",
            Self::SaveRun { .. } => "save",
            Self::MailRun { .. } => "mail",
        }
    }
}

impl From<Job> for Work {
    fn from(job: Job) -> Self {
        match job {
            Job::RunHook { run, hook, path } => Self::RunHook { run, hook, path: path.to_string() },
            Job::FinishRun { run } => Self::FinishRun { run },
        }
    }
}

/// Promises work; a part of the transaction that led to it.
///
/// # Errors
/// The store does not answer.
pub async fn enqueue(conn: &mut Conn, now: Time, work: &[Work]) -> Result<(), StoreError> {
    if work.is_empty() {
        return Ok(());
    }
    let count = u64::try_from(work.len()).unwrap_or(u64::MAX);
    let first = super::counter::take(conn, super::counter::JOB, count).await?;
    let sql = "INSERT INTO job (id, run, body, tries, due, error) VALUES ($1, $2, $3, 0, $4, '')";
    for (id, work) in (first..).zip(work) {
        conn.run(sql, binds![id, work.run().0, json(work)?, now.0]).await?;
    }
    Ok(())
}

/// Every job that is not done, in the order in which they were promised.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn list(conn: &mut Conn) -> Result<Vec<JobRow>, StoreError> {
    let lines = conn.rows("SELECT id, body, tries, due, error FROM job ORDER BY id", vec![]).await?;
    lines.iter().map(read).collect()
}

/// The jobs of one run that are not done.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn of_run(conn: &mut Conn, run: RunId) -> Result<Vec<JobRow>, StoreError> {
    let sql = "SELECT id, body, tries, due, error FROM job WHERE run = $1 ORDER BY id";
    conn.rows(sql, binds![run.0]).await?.iter().map(read).collect()
}

/// The next jobs whose time has come, oldest first.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn due(conn: &mut Conn, now: Time, limit: u32) -> Result<Vec<JobRow>, StoreError> {
    let sql = "SELECT id, body, tries, due, error FROM job WHERE due <= $1 ORDER BY id LIMIT $2";
    conn.rows(sql, binds![now.0, limit]).await?.iter().map(read).collect()
}

/// When the earliest job is due of those that are not due yet.
///
/// # Errors
/// The store does not answer.
pub async fn next_due(conn: &mut Conn, now: Time) -> Result<Option<Time>, StoreError> {
    let line = conn.row("SELECT MIN(due) FROM job WHERE due > $1", binds![now.0]).await?;
    Ok(line.map(|line| line.int_opt(0)).transpose()?.flatten().map(Time))
}

/// It is done.
///
/// # Errors
/// The store does not answer.
pub async fn done(conn: &mut Conn, id: u64) -> Result<(), StoreError> {
    conn.run("DELETE FROM job WHERE id = $1", binds![id]).await.map(drop)
}

/// It failed: to be tried again at `due`, or given up.
///
/// # Errors
/// The store does not answer.
pub async fn failed(conn: &mut Conn, id: u64, due: Option<Time>, error: &str) -> Result<(), StoreError> {
    let sql = "UPDATE job SET tries = tries + 1, due = $2, error = $3 WHERE id = $1";
    conn.run(sql, binds![id, due.map(|time| time.0), error]).await.map(drop)
}

fn read(line: &Line) -> Result<JobRow, StoreError> {
    Ok(JobRow {
        id: line.number(0)?,
        work: line.json(1)?,
        tries: line.number(2)?,
        due: line.int_opt(3)?.map(Time),
        error: line.text(4)?,
    })
}
