//! Parts of runs: the suites that stay together on one EP.

use jackfield_protocol::id::RunId;
use jackfield_scheduler::effect::PartRow;

use super::{
    StoreError, bulk,
    db::{Conn, binds},
    json,
};

pub(super) async fn upsert(conn: &mut Conn, rows: impl Iterator<Item = PartRow>) -> Result<(), StoreError> {
    let rows = rows.map(|row| {
        let (ep, lane) = row.place.unzip();
        let ep = ep.map(|ep| ep.as_str().to_owned());
        Ok(binds![row.run.0, row.part, json(&row.suites)?, ep, lane.map(i64::from), row.ended])
    });
    let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
    let head = "INSERT INTO part (run, part, suites, ep, lane, is_ended)";
    let tail = "ON CONFLICT (run, part) DO UPDATE SET suites = excluded.suites, ep = excluded.ep, \
                lane = excluded.lane, is_ended = excluded.is_ended";
    bulk::insert(conn, head, 6, tail, rows).await
}

/// The parts of a run, in order.
pub(super) async fn of_run(conn: &mut Conn, run: RunId) -> Result<Vec<PartRow>, StoreError> {
    let sql = "SELECT part, suites, ep, lane, is_ended FROM part WHERE run = $1 ORDER BY part";
    let lines = conn.rows(sql, binds![run.0]).await?;
    let read = lines.iter().map(|line| {
        let place = match line.text_opt(2)? {
            Some(ep) => Some((ep.into(), line.number(3)?)),
            None => None,
        };
        Ok(PartRow { run, part: line.number(0)?, suites: line.json(1)?, place, ended: line.flag(4)? })
    });
    read.collect()
}
