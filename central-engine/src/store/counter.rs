//! Numbers that only grow, whatever is deleted.

use super::{
    StoreError,
    db::{Conn, binds},
};

/// Runs.
pub(super) const RUN: &str = "run";
/// Jobs.
pub(super) const JOB: &str = "job";
/// Tokens.
pub(super) const TOKEN: &str = "token";
/// Links to reports.
pub(super) const SHARE: &str = "share";
/// Addresses of calendars.
pub(super) const CALENDAR_FEED: &str = "calendar_feed";
/// Lines of the audit log.
pub(super) const AUDIT: &str = "audit";
/// Leases.
pub(super) const LEASE: &str = "lease";
/// Edits of the resource tree.
pub(super) const RESOURCE: &str = "resource";

/// Takes the next `count` numbers; the answer is the first of them.
pub(super) async fn take(conn: &mut Conn, name: &str, count: u64) -> Result<u64, StoreError> {
    let sql = "INSERT INTO counter (name, value) VALUES ($1, $2) \
               ON CONFLICT (name) DO UPDATE SET value = counter.value + $2 RETURNING value";
    let line = conn.row(sql, binds![name, count]).await?;
    let last: u64 = line.ok_or_else(|| StoreError::corrupt("a counter gave no number"))?.number(0)?;
    Ok(last.saturating_sub(count).saturating_add(1))
}

/// Makes sure that the number is never given out again.
pub(super) async fn raise(conn: &mut Conn, name: &str, value: u64) -> Result<(), StoreError> {
    let sql = "INSERT INTO counter (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE \
               SET value = CASE WHEN counter.value < $2 THEN $2 ELSE counter.value END";
    conn.run(sql, binds![name, value]).await.map(drop)
}

/// The last number given out.
pub(super) async fn last(conn: &mut Conn, name: &str) -> Result<u64, StoreError> {
    let line = conn.row("SELECT value FROM counter WHERE name = $1", binds![name]).await?;
    line.map_or(Ok(0), |line| line.number(0))
}
