//! Runs that have ended, as the lab's rules for old runs look at them; how they go, and which files by content are still named.
//!
//! A run goes in two steps: its own row first, with which it is gone for everybody, then what lies behind it, a little at a time, so that the loop
//! can commit between. A plan without a run is one whose second step was broken off, so the plan goes last.

use std::collections::BTreeSet;

use jackfield_protocol::{
    id::{BlobHash, RunId, UserName},
    time::Time,
};

use super::{
    Store, StoreError,
    db::{Conn, binds},
    plan,
};
use crate::limits;

/// A run that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRun {
    /// Which.
    pub run: RunId,
    /// The project's name.
    pub project: String,
    /// Who started it.
    pub user: UserName,
    /// When it ended.
    pub ended: Time,
    /// Whether somebody wants it kept.
    pub kept: bool,
    /// Whether something is still to be done for it, or its results did not get into the lab's database.
    pub wanted: bool,
}

/// The runs that have ended, oldest first.
///
/// # Errors
/// The store does not answer.
pub async fn ended(conn: &mut Conn) -> Result<Vec<EndedRun>, StoreError> {
    let sql = "SELECT id, project, owner, ended, kept, (SELECT COUNT(*) FROM job WHERE job.run = run.id \
               AND (job.due IS NOT NULL OR job.kind = 'save')) FROM run WHERE is_open = 0 ORDER BY id";
    let read = conn.rows(sql, vec![]).await?.into_iter().map(|line| {
        Ok(EndedRun {
            run: RunId(line.number(0)?),
            project: line.text(1)?,
            user: line.text(2)?.into(),
            // One without an end is of an early build: nobody knows how old it is.
            ended: Time(line.int_opt(3)?.unwrap_or(i64::MAX)),
            kept: line.flag(4)?,
            wanted: line.int(5)? > 0,
        })
    });
    read.collect()
}

/// Whether a run may go: it has ended, nobody wants it kept, and nothing is left to do for it.
///
/// # Errors
/// The store does not answer.
pub async fn may_go(conn: &mut Conn, run: RunId) -> Result<bool, StoreError> {
    let sql = "SELECT COUNT(*) FROM run WHERE id = $1 AND is_open = 0 AND kept = 0 AND NOT EXISTS \
               (SELECT 1 FROM job WHERE job.run = run.id AND (job.due IS NOT NULL OR job.kind = 'save'))";
    let found: u64 = conn.row(sql, binds![run.0]).await?.map_or(Ok(0), |line| line.number(0))?;
    Ok(found > 0)
}

/// Marks a run as one that stays, or no more; false where there is none.
///
/// # Errors
/// The store does not answer.
pub async fn keep(conn: &mut Conn, run: RunId, kept: bool) -> Result<bool, StoreError> {
    Ok(conn.run("UPDATE run SET kept = $2 WHERE id = $1", binds![run.0, kept]).await? > 0)
}

/// The first step: nobody finds the run any more, and nothing is done for it. Its number is not used again.
///
/// # Errors
/// The store does not answer.
pub async fn forget(conn: &mut Conn, run: RunId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM submission WHERE run = $1",
        "DELETE FROM job WHERE run = $1",
        "DELETE FROM saved WHERE run = $1",
        "DELETE FROM saving WHERE run = $1",
        "DELETE FROM lease WHERE run = $1",
        "DELETE FROM run WHERE id = $1",
    ] {
        conn.run(sql, binds![run.0]).await?;
    }
    Ok(())
}

/// The second step, a part of it; false when nothing is left.
///
/// # Errors
/// The store does not answer.
pub async fn clear_some(conn: &mut Conn, run: RunId) -> Result<bool, StoreError> {
    let most = limits::ROWS_CLEARED_MAX;
    for sql in [
        "DELETE FROM event WHERE run = $1 AND seq IN (SELECT seq FROM event WHERE run = $1 ORDER BY seq LIMIT $2)",
        "DELETE FROM artifact WHERE run = $1 AND test IN \
         (SELECT DISTINCT test FROM artifact WHERE run = $1 ORDER BY test LIMIT $2)",
        "DELETE FROM attempt WHERE run = $1 AND test IN \
         (SELECT DISTINCT test FROM attempt WHERE run = $1 ORDER BY test LIMIT $2)",
    ] {
        if conn.run(sql, binds![run.0, most]).await? > 0 {
            return Ok(true);
        }
    }
    for sql in [
        "DELETE FROM part WHERE run = $1",
        "DELETE FROM queued WHERE run = $1",
        "DELETE FROM plan WHERE run = $1",
    ] {
        conn.run(sql, binds![run.0]).await?;
    }
    Ok(false)
}

/// Runs that are gone, and of which something is left: the engine was killed in the middle.
///
/// # Errors
/// The store does not answer.
pub async fn half_gone(conn: &mut Conn) -> Result<Vec<RunId>, StoreError> {
    let sql = "SELECT plan.run FROM plan WHERE NOT EXISTS (SELECT 1 FROM run WHERE run.id = plan.run) ORDER BY plan.run";
    conn.rows(sql, vec![]).await?.iter().map(|line| Ok(RunId(line.number(0)?))).collect()
}

/// Which of these runs have a row.
///
/// # Errors
/// The store does not answer.
pub async fn there(conn: &mut Conn, runs: &BTreeSet<RunId>) -> Result<BTreeSet<RunId>, StoreError> {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return Ok(BTreeSet::new()) };
    let lines = conn.rows("SELECT id FROM run WHERE id BETWEEN $1 AND $2", binds![first.0, last.0]).await?;
    let there: Result<BTreeSet<RunId>, StoreError> =
        lines.iter().map(|line| Ok(RunId(line.number(0)?))).collect();
    Ok(there?.intersection(runs).copied().collect())
}

/// The newest moment that the store knows of, from before another one.
///
/// # Errors
/// The store does not answer.
pub async fn newest_moment(conn: &mut Conn, before: Time) -> Result<Option<Time>, StoreError> {
    let mut newest = None;
    for sql in [
        "SELECT MAX(submitted) FROM run WHERE submitted < $1",
        "SELECT MAX(ended) FROM run WHERE ended < $1",
        "SELECT MAX(at) FROM audit WHERE at < $1",
        // Not the present one, whose clock it is.
        "SELECT MAX(started) FROM life WHERE started < $1 AND number < (SELECT MAX(number) FROM life)",
    ] {
        let line = conn.row(sql, binds![before.0]).await?;
        newest = newest.max(line.map(|line| line.int_opt(0)).transpose()?.flatten());
    }
    Ok(newest.map(Time))
}

/// The artifacts of a run.
///
/// # Errors
/// The store does not answer.
pub async fn artifacts(conn: &mut Conn, run: RunId) -> Result<BTreeSet<BlobHash>, StoreError> {
    let lines = conn.rows("SELECT DISTINCT hash FROM artifact WHERE run = $1", binds![run.0]).await?;
    let mut found = BTreeSet::new();
    for line in lines {
        collect(line.text(0)?.as_bytes(), &mut found);
    }
    Ok(found)
}

/// Files by content that some row names. Whatever looks like such a name counts as one: a file that is kept for nothing costs room, one that
/// is missing costs a run.
///
/// # Errors
/// The store does not answer, or a plan cannot be read; then nothing is known.
pub async fn named_contents(store: &Store) -> Result<BTreeSet<BlobHash>, StoreError> {
    let mut found = BTreeSet::new();
    let lines = store.read().await?.rows("SELECT run FROM plan ORDER BY run", vec![]).await?;
    for line in lines {
        let run = RunId(line.number(0)?);
        // A connection for each run: others want one, too.
        let mut conn = store.read().await?;
        plan::texts(&mut conn, run).await?.iter().for_each(|text| collect(text, &mut found));
        for sql in [
            "SELECT hash FROM artifact WHERE run = $1",
            "SELECT fact FROM event WHERE run = $1 AND fact LIKE '%recording%'",
            "SELECT facts FROM attempt WHERE run = $1 AND facts IS NOT NULL",
        ] {
            for line in conn.rows(sql, binds![run.0]).await? {
                collect(line.text(0)?.as_bytes(), &mut found);
            }
        }
    }
    // What people typed at consoles is kept by the line of the audit log that tells of it.
    let mut conn = store.read().await?;
    for sql in ["SELECT detail FROM audit WHERE detail LIKE '%recording %'", "SELECT body FROM job"] {
        for line in conn.rows(sql, vec![]).await? {
            collect(line.text(0)?.as_bytes(), &mut found);
        }
    }
    Ok(found)
}

/// The names of files by content in a text: 64 hexadecimal digits, not more.
pub(crate) fn collect(text: &[u8], found: &mut BTreeSet<BlobHash>) {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let words = text.split(|byte| !is_digit(byte)).filter(|word| word.len() == 64);
    found.extend(words.filter_map(|word| std::str::from_utf8(word).ok()?.parse::<BlobHash>().ok()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_contents_are_found_wherever_they_stand() {
        let (one, two) = ("ab".repeat(32), "0".repeat(64));
        let text = format!("{{\"content\":\"{one}\"}}; recording {two}, {one}0 {}", "A".repeat(64));
        let mut found = BTreeSet::new();
        collect(text.as_bytes(), &mut found);
        assert_eq!(found, BTreeSet::from([BlobHash([0xab; 32]), BlobHash([0; 32])]));
    }
}
