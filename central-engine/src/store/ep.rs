//! EPs: what the scheduler remembers of each, and what each said of itself.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    id::{EpName, Epoch, UserName},
    link::Host,
    time::Time,
};
use jackfield_scheduler::{effect::EpRow, event::EpOffer};
use serde::{Deserialize, Serialize};

use super::{
    StoreError,
    db::{Conn, binds},
    json,
};

#[derive(Serialize, Deserialize)]
struct StoredOffer {
    labels: BTreeMap<Arc<str>, Arc<str>>,
    capabilities: Vec<Arc<str>>,
    lanes: u16,
    pool: Option<UserName>,
}

/// What an EP said when it connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpSeen {
    /// Which.
    pub ep: EpName,
    /// When.
    pub at: Time,
    /// Its machine.
    pub host: Host,
    /// Its build.
    pub software: String,
}

/// An EP that was never heard since it was made known still has a row: drained before it ever connected.
pub(super) async fn upsert(conn: &mut Conn, row: &EpRow) -> Result<(), StoreError> {
    let EpOffer { labels, capabilities, lanes, pool } = row.offer.clone();
    let offer = json(&StoredOffer { labels, capabilities, lanes, pool })?;
    let sql = "INSERT INTO ep (name, epoch, offer, drained, gone, drained_by) VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, offer = excluded.offer, \
               drained = excluded.drained, gone = excluded.gone, drained_by = excluded.drained_by";
    let by = row.drained_by.as_ref().map(UserName::as_str);
    let binds = binds![row.ep.as_str(), row.epoch.0, offer, row.drained, row.gone.map(|time| time.0), by];
    conn.run(sql, binds).await.map(drop)
}

pub(super) async fn see(conn: &mut Conn, seen: &EpSeen) -> Result<(), StoreError> {
    let sql = "UPDATE ep SET seen = $2, host = $3, software = $4 WHERE name = $1";
    let binds = binds![seen.ep.as_str(), seen.at.0, json(&seen.host)?, seen.software.as_str()];
    conn.run(sql, binds).await.map(drop)
}

/// What each EP said of itself when it last connected, by name.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn seen(conn: &mut Conn) -> Result<BTreeMap<EpName, EpSeen>, StoreError> {
    let sql = "SELECT name, seen, host, software FROM ep WHERE host IS NOT NULL ORDER BY name";
    let lines = conn.rows(sql, vec![]).await?;
    let read = lines.iter().map(|line| {
        let ep = EpName::from(line.text(0)?);
        let software = line.text_opt(3)?.unwrap_or_default();
        Ok((ep.clone(), EpSeen { ep, at: Time(line.int(1)?), host: line.json(2)?, software }))
    });
    read.collect()
}

/// What the scheduler remembers of each EP, by name.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn list(conn: &mut Conn) -> Result<Vec<EpRow>, StoreError> {
    let sql = "SELECT name, epoch, offer, drained, gone, drained_by FROM ep ORDER BY name";
    let lines = conn.rows(sql, vec![]).await?;
    let read = lines.iter().map(|line| {
        let StoredOffer { labels, capabilities, lanes, pool } = line.json(2)?;
        Ok(EpRow {
            ep: line.text(0)?.into(),
            epoch: Epoch(line.number(1)?),
            offer: EpOffer { labels, capabilities, lanes, pool },
            drained: line.flag(3)?,
            gone: line.int_opt(4)?.map(Time),
            drained_by: line.text_opt(5)?.map(UserName::from),
        })
    });
    read.collect()
}
