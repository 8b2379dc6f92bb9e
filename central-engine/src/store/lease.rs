//! Leases: who holds what, so that a restart of the engine frees nothing and takes nothing; and who had what.

use jackfield_protocol::{
    id::{EpName, LeaseId, RunId, SutName},
    time::Time,
};
use jackfield_resource_allocator::book::{Lease, Leased, Set, State};
use serde::Deserialize;

use super::{
    StoreError, bulk, counter,
    db::{Conn, Line, binds},
    json,
};

/// What a lease was for, in rows that have no body.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EarlierLeased {
    Lane(EpName, u16),
    Sut(SutName),
}

/// Writes leases as they are now. Of lanes nothing is kept when they are over: attempts tell who had which EP.
pub(super) async fn write(conn: &mut Conn, leases: Vec<Lease>) -> Result<(), StoreError> {
    let Some(highest) = leases.iter().map(|lease| lease.id.0).max() else { return Ok(()) };
    counter::raise(conn, counter::LEASE, highest).await?;
    let mut rows = Vec::new();
    for lease in leases {
        if lease.is_over() && matches!(lease.what, Leased::Lane(..)) {
            conn.run("DELETE FROM lease WHERE id = $1", binds![lease.id.0]).await?;
            continue;
        }
        let run = lease.holder.run().map_or(0, |run| run.0);
        let ended = if let State::Ended { at, .. } = lease.state { Some(at.0) } else { None };
        let since = lease.since.unwrap_or(lease.asked);
        rows.push(binds![lease.id.0, json(&lease.what)?, run, since.0, json(&lease)?, ended]);
    }
    let head = "INSERT INTO lease (id, what, run, since, body, ended)";
    let tail =
        "ON CONFLICT (id) DO UPDATE SET since = excluded.since, body = excluded.body, ended = excluded.ended";
    bulk::insert(conn, head, 6, tail, rows).await
}

/// Every lease that is not over, by number.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn open(conn: &mut Conn) -> Result<Vec<Lease>, StoreError> {
    let sql = "SELECT id, what, run, since, body FROM lease WHERE ended IS NULL ORDER BY id";
    conn.rows(sql, vec![]).await?.iter().map(read).collect()
}

/// Leases that are over of runs that are not, by number: what those were given for their needs.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn given(conn: &mut Conn) -> Result<Vec<Lease>, StoreError> {
    let sql = "SELECT id, what, run, since, body FROM lease WHERE ended IS NOT NULL \
               AND run IN (SELECT id FROM run WHERE is_open = 1) ORDER BY id";
    let all: Vec<Lease> = conn.rows(sql, vec![]).await?.iter().map(read).collect::<Result<_, _>>()?;
    Ok(all.into_iter().filter(|lease| lease.needs.is_some()).collect())
}

/// The highest number ever given.
///
/// # Errors
/// The store does not answer.
pub async fn last(conn: &mut Conn) -> Result<LeaseId, StoreError> {
    counter::last(conn, counter::LEASE).await.map(LeaseId)
}

/// Leases that are over, those that ended last first.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn ended(conn: &mut Conn, limit: u32) -> Result<Vec<Lease>, StoreError> {
    let sql = "SELECT id, what, run, since, body FROM lease WHERE ended IS NOT NULL \
               ORDER BY ended DESC, id DESC LIMIT $1";
    conn.rows(sql, binds![limit]).await?.iter().map(read).collect()
}

/// Leases that ended in a time, those that ended last first.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn ended_between(
    conn: &mut Conn,
    (from, to): (Time, Time),
    limit: u32,
) -> Result<Vec<Lease>, StoreError> {
    let sql = "SELECT id, what, run, since, body FROM lease WHERE ended >= $1 AND since < $2 \
               ORDER BY ended DESC, id DESC LIMIT $3";
    conn.rows(sql, binds![from.0, to.0, limit]).await?.iter().map(read).collect()
}

/// Deletes leases that were over before then, but for those of runs that are still there; how many went.
///
/// # Errors
/// The store does not answer.
pub async fn forget(conn: &mut Conn, before: Time) -> Result<u64, StoreError> {
    let sql = "DELETE FROM lease WHERE ended IS NOT NULL AND ended < $1 \
               AND (run = 0 OR run NOT IN (SELECT id FROM run))";
    conn.run(sql, binds![before.0]).await
}

/// One lease, over or not.
///
/// # Errors
/// The store does not answer, or the row cannot be read.
pub async fn find(conn: &mut Conn, id: LeaseId) -> Result<Option<Lease>, StoreError> {
    let sql = "SELECT id, what, run, since, body FROM lease WHERE id = $1";
    conn.row(sql, binds![id.0]).await?.as_ref().map(read).transpose()
}

fn read(line: &Line) -> Result<Lease, StoreError> {
    if let Some(body) = line.text_opt(4)? {
        return super::from_json(&body);
    }
    let what = match line.json(1)? {
        EarlierLeased::Lane(ep, lane) => Leased::Lane(ep, lane),
        EarlierLeased::Sut(sut) => Leased::Set(Set { suts: [sut].into(), nodes: Vec::new() }),
    };
    let since = Time(line.int(3)?);
    Ok(Lease::of_run(LeaseId(line.number(0)?), RunId(line.number(2)?), what, None, since))
}
