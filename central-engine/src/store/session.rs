//! Browser sessions, by the hash of their secret.

use jackfield_protocol::{id::UserName, time::Time};

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

/// A session that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Whose.
    pub owner: UserName,
    /// When it was last used, as far as that was written down.
    pub used: Time,
    /// After how long without use it is over.
    pub idle_millis: Option<u64>,
    /// When it ends by itself.
    pub expires: Time,
}

/// The session with this hash, if it is open: neither over its time nor left alone for too long.
///
/// # Errors
/// The store does not answer.
pub async fn find(conn: &mut Conn, hash: &str, now: Time) -> Result<Option<Open>, StoreError> {
    let sql = "SELECT session.owner, COALESCE(session.used, session.created), account.idle, session.expires FROM session \
               LEFT JOIN account ON account.name = session.owner WHERE session.hash = $1 AND session.expires > $2";
    let Some(line) = conn.row(sql, binds![hash, now.0]).await? else { return Ok(None) };
    let (owner, used, expires) = (line.text(0)?.into(), Time(line.int(1)?), Time(line.int(3)?));
    let idle_millis = line.int_opt(2)?.map(|millis| u64::try_from(millis).unwrap_or(0));
    let is_left = idle_millis.is_some_and(|idle| now.millis_since(used) >= idle);
    Ok((!is_left).then_some(Open { owner, used, idle_millis, expires }))
}

/// Writes down that a session was used.
///
/// # Errors
/// The store does not answer.
pub async fn touch(conn: &mut Conn, hash: &str, now: Time) -> Result<(), StoreError> {
    conn.run("UPDATE session SET used = $2 WHERE hash = $1", binds![hash, now.0]).await.map(drop)
}

/// A browser session, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// The hash of its secret.
    pub hash: String,
    /// Whose.
    pub user: UserName,
    /// Since when.
    pub since: Time,
    /// When it ends by itself.
    pub expires: Time,
}

/// Every session that is open, of this user or of all, newest first.
///
/// # Errors
/// The store does not answer.
pub async fn list(conn: &mut Conn, now: Time, of: Option<&UserName>) -> Result<Vec<SessionRow>, StoreError> {
    let sql = "SELECT session.owner, session.created, session.expires, session.hash FROM session \
               LEFT JOIN account ON account.name = session.owner WHERE session.expires > $1 \
               AND (account.idle IS NULL OR COALESCE(session.used, session.created) + account.idle > $1) \
               AND ($2 = '' OR session.owner = $2) ORDER BY session.created DESC, session.owner LIMIT 1000";
    let lines = conn.rows(sql, binds![now.0, of.map_or("", UserName::as_str)]).await?;
    let read = lines.iter().map(|line| {
        let (since, expires) = (Time(line.int(1)?), Time(line.int(2)?));
        Ok(SessionRow { hash: line.text(3)?, user: line.text(0)?.into(), since, expires })
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
