//! Leases: who holds what, so that a restart of the engine frees nothing and takes nothing.

use jackfield_protocol::{
    id::{EpName, LeaseId, RunId, SutName},
    time::Time,
};
use jackfield_scheduler::effect::{LeaseRow, Leased};
use serde::{Deserialize, Serialize};

use super::{
    StoreError, bulk,
    db::{Conn, binds},
    json,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredLeased {
    Lane(EpName, u16),
    Sut(SutName),
}

pub(super) async fn upsert(conn: &mut Conn, rows: impl Iterator<Item = LeaseRow>) -> Result<(), StoreError> {
    let rows = rows.map(|row| {
        let what = match row.what {
            Leased::Lane(ep, lane) => StoredLeased::Lane(ep, lane),
            Leased::Sut(sut) => StoredLeased::Sut(sut),
        };
        Ok(binds![row.lease.0, json(&what)?, row.run.0, row.since.0])
    });
    let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
    let head = "INSERT INTO lease (id, what, run, since)";
    let tail =
        "ON CONFLICT (id) DO UPDATE SET what = excluded.what, run = excluded.run, since = excluded.since";
    bulk::insert(conn, head, 4, tail, rows).await
}

pub(super) async fn delete(conn: &mut Conn, lease: LeaseId) -> Result<(), StoreError> {
    conn.run("DELETE FROM lease WHERE id = $1", binds![lease.0]).await.map(drop)
}

/// Every lease, by number.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn list(conn: &mut Conn) -> Result<Vec<LeaseRow>, StoreError> {
    let lines = conn.rows("SELECT id, what, run, since FROM lease ORDER BY id", vec![]).await?;
    let read = lines.iter().map(|line| {
        let what = match line.json(1)? {
            StoredLeased::Lane(ep, lane) => Leased::Lane(ep, lane),
            StoredLeased::Sut(sut) => Leased::Sut(sut),
        };
        let (lease, run) = (LeaseId(line.number(0)?), RunId(line.number(2)?));
        Ok(LeaseRow { lease, what, run, since: Time(line.int(3)?) })
    });
    read.collect()
}
