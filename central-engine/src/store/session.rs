//! Browser sessions, by the hash of their secret.

use jackfield_protocol::{id::UserName, time::Time};
use serde::Serialize;

use super::{
    StoreError,
    db::{Conn, binds},
};

/// Opens a session, and forgets those that are over.
///
/// # Errors
/// The store does not answer.
pub async fn open(
    conn: &mut Conn,
    hash: &str,
    owner: &UserName,
    now: Time,
    expires: Time,
) -> Result<(), StoreError> {
    conn.run("DELETE FROM session WHERE expires <= $1", binds![now.0]).await?;
    let sql = "INSERT INTO session (hash, owner, created, expires) VALUES ($1, $2, $3, $4)";
    conn.run(sql, binds![hash, owner.as_str(), now.0, expires.0]).await.map(drop)
}

/// Whose session it is, if it is open.
///
/// # Errors
/// The store does not answer.
pub async fn owner(conn: &mut Conn, hash: &str, now: Time) -> Result<Option<UserName>, StoreError> {
    let sql = "SELECT owner FROM session WHERE hash = $1 AND expires > $2";
    let line = conn.row(sql, binds![hash, now.0]).await?;
    line.map(|line| Ok(line.text(0)?.into())).transpose()
}

/// A browser session, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SessionRow {
    /// Whose.
    pub user: UserName,
    /// Since when.
    pub since: Time,
    /// When it ends by itself.
    pub expires: Time,
}

/// Every session that is open, newest first.
///
/// # Errors
/// The store does not answer.
pub async fn list(conn: &mut Conn, now: Time) -> Result<Vec<SessionRow>, StoreError> {
    let sql = "SELECT owner, created, expires FROM session WHERE expires > $1 ORDER BY created DESC, owner LIMIT 1000";
    let lines = conn.rows(sql, binds![now.0]).await?;
    let read = lines.iter().map(|line| {
        let (since, expires) = (Time(line.int(1)?), Time(line.int(2)?));
        Ok(SessionRow { user: line.text(0)?.into(), since, expires })
    });
    read.collect()
}

/// Ends a session.
///
/// # Errors
/// The store does not answer.
pub async fn close(conn: &mut Conn, hash: &str) -> Result<(), StoreError> {
    conn.run("DELETE FROM session WHERE hash = $1", binds![hash]).await.map(drop)
}

/// Ends every session of a user: the password changed, or the account was closed.
///
/// # Errors
/// The store does not answer.
pub async fn close_all(conn: &mut Conn, owner: &UserName) -> Result<(), StoreError> {
    conn.run("DELETE FROM session WHERE owner = $1", binds![owner.as_str()]).await.map(drop)
}
