//! Links that open one report without an account, by the hash of their secret.

use std::collections::BTreeMap;

use jackfield_protocol::{id::UserName, time::Time};

use super::{
    StoreError, counter,
    db::{Conn, Line, binds},
    json,
};

/// A link, without its secret: that was shown once and is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareRow {
    /// Its number.
    pub id: u64,
    /// Who gave it away: it shows what they may see.
    pub owner: UserName,
    /// The report.
    pub report: String,
    /// The values of its fields.
    pub given: BTreeMap<String, String>,
    /// When it was made.
    pub created: Time,
    /// When it ends.
    pub expires: Time,
    /// When it was last used, to the hour.
    pub used: Option<Time>,
}

/// Keeps a new link, and forgets those that have ended; the answer is its number.
///
/// # Errors
/// The store does not answer.
pub async fn insert(conn: &mut Conn, hash: &str, share: &ShareRow) -> Result<u64, StoreError> {
    conn.run("DELETE FROM share WHERE expires <= $1", binds![share.created.0]).await?;
    let id = counter::take(conn, counter::SHARE, 1).await?;
    let sql = "INSERT INTO share (id, hash, owner, report, given, created, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let ShareRow { id: _, owner, report, given, created, expires, used: _ } = share;
    let binds = binds![id, hash, owner.as_str(), report.as_str(), json(given)?, created.0, expires.0];
    conn.run(sql, binds).await?;
    Ok(id)
}

/// The link with this hash, if it has not ended.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn find(conn: &mut Conn, hash: &str, now: Time) -> Result<Option<ShareRow>, StoreError> {
    let sql = "SELECT id, owner, report, given, created, expires, used FROM share \
               WHERE hash = $1 AND expires > $2";
    conn.row(sql, binds![hash, now.0]).await?.as_ref().map(read).transpose()
}

/// The links that have not ended, of one user or of all, by number.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn list(conn: &mut Conn, owner: Option<&UserName>, now: Time) -> Result<Vec<ShareRow>, StoreError> {
    let lines = match owner {
        Some(owner) => {
            let sql = "SELECT id, owner, report, given, created, expires, used FROM share \
                       WHERE owner = $1 AND expires > $2 ORDER BY id";
            conn.rows(sql, binds![owner.as_str(), now.0]).await?
        }
        None => {
            let sql = "SELECT id, owner, report, given, created, expires, used FROM share \
                       WHERE expires > $1 ORDER BY id";
            conn.rows(sql, binds![now.0]).await?
        }
    };
    lines.iter().map(read).collect()
}

/// Notes that a link was used.
///
/// # Errors
/// The store does not answer.
pub async fn touch(conn: &mut Conn, id: u64, now: Time) -> Result<(), StoreError> {
    conn.run("UPDATE share SET used = $2 WHERE id = $1", binds![id, now.0]).await.map(drop)
}

/// Ends a link; false where there is none of this number.
///
/// # Errors
/// The store does not answer.
pub async fn delete(conn: &mut Conn, id: u64) -> Result<bool, StoreError> {
    Ok(conn.run("DELETE FROM share WHERE id = $1", binds![id]).await? > 0)
}

fn read(line: &Line) -> Result<ShareRow, StoreError> {
    Ok(ShareRow {
        id: line.number(0)?,
        owner: line.text(1)?.into(),
        report: line.text(2)?,
        given: line.json(3)?,
        created: Time(line.int(4)?),
        expires: Time(line.int(5)?),
        used: line.int_opt(6)?.map(Time),
    })
}
