//! Secret addresses from which calendars read what is booked, by the hash of their secret.

use jackfield_protocol::{calendar::FeedOf, id::UserName, time::Time};

use super::{
    StoreError, counter,
    db::{Conn, Line, binds},
    json,
};

/// A feed, without its secret: that was shown once and is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRow {
    /// Its number.
    pub id: u64,
    /// Who made it: it shows what they may see.
    pub owner: UserName,
    /// What it shows, by the name that was given.
    pub of: FeedOf,
    /// When it was made.
    pub created: Time,
    /// When it was last read, to the hour.
    pub used: Option<Time>,
}

/// Keeps a new feed; the answer is its number.
///
/// # Errors
/// The store does not answer.
pub async fn insert(conn: &mut Conn, hash: &str, feed: &FeedRow) -> Result<u64, StoreError> {
    let id = counter::take(conn, counter::CALENDAR_FEED, 1).await?;
    let FeedRow { id: _, owner, of, created, used: _ } = feed;
    let sql = "INSERT INTO calendar_feed (id, hash, owner, body, created) VALUES ($1, $2, $3, $4, $5)";
    conn.run(sql, binds![id, hash, owner.as_str(), json(of)?, created.0]).await?;
    Ok(id)
}

/// The feed with this hash.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn find(conn: &mut Conn, hash: &str) -> Result<Option<FeedRow>, StoreError> {
    let sql = "SELECT id, owner, body, created, used FROM calendar_feed WHERE hash = $1";
    conn.row(sql, binds![hash]).await?.as_ref().map(read).transpose()
}

/// The feeds of one user or of all, by number.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn list(conn: &mut Conn, owner: Option<&UserName>) -> Result<Vec<FeedRow>, StoreError> {
    let lines = match owner {
        Some(owner) => {
            let sql = "SELECT id, owner, body, created, used FROM calendar_feed WHERE owner = $1 ORDER BY id";
            conn.rows(sql, binds![owner.as_str()]).await?
        }
        None => {
            let sql = "SELECT id, owner, body, created, used FROM calendar_feed ORDER BY id";
            conn.rows(sql, vec![]).await?
        }
    };
    lines.iter().map(read).collect()
}

/// Notes that a feed was read.
///
/// # Errors
/// The store does not answer.
pub async fn touch(conn: &mut Conn, id: u64, now: Time) -> Result<(), StoreError> {
    conn.run("UPDATE calendar_feed SET used = $2 WHERE id = $1", binds![id, now.0]).await.map(drop)
}

/// Takes a feed back.
///
/// # Errors
/// The store does not answer.
pub async fn delete(conn: &mut Conn, id: u64) -> Result<(), StoreError> {
    conn.run("DELETE FROM calendar_feed WHERE id = $1", binds![id]).await.map(drop)
}

fn read(line: &Line) -> Result<FeedRow, StoreError> {
    Ok(FeedRow {
        id: line.number(0)?,
        owner: line.text(1)?.into(),
        of: line.json(2)?,
        created: Time(line.int(3)?),
        used: line.int_opt(4)?.map(Time),
    })
}
