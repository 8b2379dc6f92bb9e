//! Events of runs, as people and files read them.

use jackfield_protocol::{
    event::{Fact, RunEvent},
    id::RunId,
    time::Time,
};

use super::{
    StoreError, bulk,
    db::{Conn, Line, binds},
    json,
};

pub(super) async fn insert(conn: &mut Conn, events: &[RunEvent]) -> Result<(), StoreError> {
    let rows = events.iter().map(|event| Ok(binds![event.run.0, event.seq, event.at.0, json(&event.fact)?]));
    let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
    bulk::insert(conn, "INSERT INTO event (run, seq, at, fact)", 4, "", rows).await?;
    for event in events {
        super::run::note_end(conn, event).await?;
    }
    Ok(())
}

/// Adds a fact to the events of a run that has ended; none where it has not: the loop numbers the events of those.
///
/// # Errors
/// The store does not answer.
pub async fn append(
    conn: &mut Conn,
    run: RunId,
    at: Time,
    fact: Fact,
) -> Result<Option<RunEvent>, StoreError> {
    let sql = "UPDATE run SET seq = seq + 1 WHERE id = $1 AND is_open = 0 RETURNING seq";
    let Some(line) = conn.row(sql, binds![run.0]).await? else { return Ok(None) };
    let event = RunEvent { run, seq: line.number(0)?, at, fact };
    insert(conn, std::slice::from_ref(&event)).await?;
    Ok(Some(event))
}

/// Events of a run that came after one that is known (0: all), in order, at most so many.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn after(conn: &mut Conn, run: RunId, seq: u64, limit: u32) -> Result<Vec<RunEvent>, StoreError> {
    let sql = "SELECT seq, at, fact FROM event WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    let lines = conn.rows(sql, binds![run.0, seq, limit]).await?;
    lines.iter().map(|line| read(run, line)).collect()
}

/// What tests of a run asked people, and what they answered.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn dialogue(conn: &mut Conn, run: RunId) -> Result<Vec<RunEvent>, StoreError> {
    // The tag is the first thing in the text of a fact.
    let sql = r#"SELECT seq, at, fact FROM event WHERE run = $1
                 AND (fact LIKE '{"fact":"asked",%' OR fact LIKE '{"fact":"answered",%') ORDER BY seq"#;
    conn.rows(sql, binds![run.0]).await?.iter().map(|line| read(run, line)).collect()
}

/// Like [`after`], but only facts of these names.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn of_facts(
    conn: &mut Conn,
    run: RunId,
    seq: u64,
    limit: u32,
    facts: &[&str],
) -> Result<Vec<RunEvent>, StoreError> {
    let mut binds = binds![run.0, seq, limit];
    let mut fits = Vec::new();
    for fact in facts {
        // The tag is the first thing in the text of a fact; what is no name of one fits nothing.
        let name: String = fact.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').collect();
        binds.push(format!("{{\"fact\":\"{name}\"%").into());
        fits.push(format!("fact LIKE ${}", binds.len()));
    }
    let sql = format!(
        "SELECT seq, at, fact FROM event WHERE run = $1 AND seq > $2 AND ({}) ORDER BY seq LIMIT $3",
        fits.join(" OR ")
    );
    conn.rows(sqlx::AssertSqlSafe(sql), binds).await?.iter().map(|line| read(run, line)).collect()
}

fn read(run: RunId, line: &Line) -> Result<RunEvent, StoreError> {
    let fact: Fact = line.json(2)?;
    Ok(RunEvent { run, seq: line.number(0)?, at: Time(line.int(1)?), fact })
}
