//! Which runs' results are in the lab's databases, and how far each of them is.
//!
//! ```text
//! (nothing) ──begin──▶ begun, with a part for each database ──done──▶ saved
//! ```
//!
//! A run that has begun and has no parts is of an earlier build, which knew no more: a person looks and decides.

pub(crate) mod progress;

use std::collections::BTreeMap;

use jackfield_protocol::{id::RunId, time::Time};

pub(crate) use self::progress::Progress;
use super::{
    StoreError,
    db::{Conn, binds},
    json,
};

/// How far the insert of a run's results is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// Begun, and not heard of since.
    Begun,
    /// The database has them.
    Done,
}

/// How far the insert of a run's results is; none where it was never begun, or was undone.
///
/// # Errors
/// The store does not answer.
pub async fn state(conn: &mut Conn, run: RunId) -> Result<Option<Saved>, StoreError> {
    let line = conn.row("SELECT state FROM saved WHERE run = $1", binds![run.0]).await?;
    let state = line.map(|line| line.text(0)).transpose()?;
    match state.as_deref() {
        None => Ok(None),
        Some("begun") => Ok(Some(Saved::Begun)),
        Some("done") => Ok(Some(Saved::Done)),
        Some(other) => Err(StoreError::corrupt(format!("`{other}` is no state of an insert"))),
    }
}

/// Whether the database has them for certain.
///
/// # Errors
/// The store does not answer.
pub async fn is_saved(conn: &mut Conn, run: RunId) -> Result<bool, StoreError> {
    Ok(state(conn, run).await? == Some(Saved::Done))
}

/// It begins now.
///
/// # Errors
/// The store does not answer.
pub async fn begin(conn: &mut Conn, run: RunId, now: Time) -> Result<(), StoreError> {
    put(conn, run, "begun", now).await
}

/// The database has committed.
///
/// # Errors
/// The store does not answer.
pub async fn done(conn: &mut Conn, run: RunId, now: Time) -> Result<(), StoreError> {
    put(conn, run, "done", now).await
}

/// A person has looked: the database has nothing of it.
///
/// # Errors
/// The store does not answer.
pub async fn undone(conn: &mut Conn, run: RunId) -> Result<(), StoreError> {
    conn.run("DELETE FROM saving WHERE run = $1", binds![run.0]).await?;
    conn.run("DELETE FROM saved WHERE run = $1", binds![run.0]).await.map(drop)
}

/// How far the inserts of a run are, by the number of the database.
///
/// # Errors
/// The store does not answer, or has something that cannot be read.
pub(crate) async fn parts(conn: &mut Conn, run: RunId) -> Result<BTreeMap<u32, Progress>, StoreError> {
    let lines = conn.rows("SELECT section, body FROM saving WHERE run = $1", binds![run.0]).await?;
    lines.iter().map(|line| Ok((line.number(0)?, line.json(1)?))).collect()
}

/// How far the inserts into one of the databases are now.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn put_part(
    conn: &mut Conn,
    run: RunId,
    section: u32,
    part: &Progress,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO saving (run, section, body) VALUES ($1, $2, $3) \
               ON CONFLICT (run, section) DO UPDATE SET body = excluded.body";
    conn.run(sql, binds![run.0, section, json(part)?]).await.map(drop)
}

async fn put(conn: &mut Conn, run: RunId, state: &str, now: Time) -> Result<(), StoreError> {
    let sql = "INSERT INTO saved (run, state, at) VALUES ($1, $2, $3) \
               ON CONFLICT (run) DO UPDATE SET state = excluded.state, at = excluded.at";
    conn.run(sql, binds![run.0, state, now.0]).await.map(drop)
}
