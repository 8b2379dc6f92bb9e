//! Which runs' results are in the lab's database.
//!
//! ```text
//! (nothing) ──begin──▶ begun ──done──▶ saved
//!                       │  └─undone──▶ (nothing)
//!                       └─ the engine died in between: nobody knows; a person looks and decides
//! ```

use jackfield_protocol::{id::RunId, time::Time};

use super::{
    StoreError,
    db::{Conn, binds},
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

/// The database has taken nothing, for certain.
///
/// # Errors
/// The store does not answer.
pub async fn undone(conn: &mut Conn, run: RunId) -> Result<(), StoreError> {
    conn.run("DELETE FROM saved WHERE run = $1", binds![run.0]).await.map(drop)
}

async fn put(conn: &mut Conn, run: RunId, state: &str, now: Time) -> Result<(), StoreError> {
    let sql = "INSERT INTO saved (run, state, at) VALUES ($1, $2, $3) \
               ON CONFLICT (run) DO UPDATE SET state = excluded.state, at = excluded.at";
    conn.run(sql, binds![run.0, state, now.0]).await.map(drop)
}
