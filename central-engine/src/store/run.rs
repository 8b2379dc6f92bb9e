//! Runs: one row each, changed until they end.

use std::collections::BTreeMap;

use jackfield_protocol::{
    api::{Page, RunSummary},
    event::{Fact, RunEvent, RunState},
    id::{RunId, UserName},
    time::Time,
    verdict::Verdict,
};
use jackfield_scheduler::effect::{Pause, RunRow, StopCause};
use serde::{Deserialize, Serialize};

use super::{
    StoreError,
    db::{Conn, Line, binds},
    json, json_opt,
};

const SUMMARY: &str =
    "id, project, owner, state, submitted, started, ended, tests, counts, temporary, kept, retry_of";

/// Verdicts that somebody has to look at.
const BAD: [Verdict; 5] =
    [Verdict::Fail, Verdict::Timeout, Verdict::Invalid, Verdict::Aborted, Verdict::NotExecuted];

/// Which runs a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this user.
    pub owner: Option<UserName>,
    /// Only of this project.
    pub project: Option<String>,
    /// Only those that have not ended (true), or have (false).
    pub open: Option<bool>,
    /// Only those that ended with a test that somebody has to look at.
    pub failed: bool,
    /// Only those whose project or number has this in it, in any case.
    pub text: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredStop {
    by: Option<UserName>,
    reason: String,
    at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_once: Option<UserName>,
}

/// Writes what changes of a run; its plan was written before.
pub(super) async fn update(conn: &mut Conn, row: &RunRow) -> Result<(), StoreError> {
    let stopped = row.stopped.as_ref().map(|stop| StoredStop {
        by: stop.by.clone(),
        reason: stop.reason.clone(),
        at: stop.at,
        at_once: stop.at_once.clone(),
    });
    let pauses: Vec<(Time, Option<Time>)> =
        row.pauses.iter().map(|pause| (pause.from, pause.until)).collect();
    let sql = "UPDATE run SET is_open = $2, state = $3, submitted = $4, started = $5, ended = $6, stopped = $7, \
               pre = $8, post = $9, seq = $10, pauses = $11 WHERE id = $1";
    let binds = binds![
        row.run.0,
        !row.state.is_final(),
        row.state.as_str(),
        row.submitted.0,
        row.started.map(|time| time.0),
        row.ended.map(|time| time.0),
        json_opt(stopped.as_ref())?,
        json_opt(row.pre.as_ref())?,
        json_opt(row.post.as_ref())?,
        row.seq,
        json_opt(Some(&pauses).filter(|pauses| !pauses.is_empty()))?,
    ];
    match conn.run(sql, binds).await? {
        0 => Err(StoreError::corrupt(format!("run {} has no plan", row.run))),
        _ => Ok(()),
    }
}

/// Keeps the final counts with the run, so that lists of old runs count nothing.
pub(super) async fn note_end(conn: &mut Conn, event: &RunEvent) -> Result<(), StoreError> {
    if let Fact::Ended { counts, .. } = &event.fact {
        conn.run("UPDATE run SET counts = $2 WHERE id = $1", binds![event.run.0, json(counts)?]).await?;
    }
    Ok(())
}

/// One run as lists show it; counts of a run that goes on are counted.
///
/// # Errors
/// The store does not answer, or its row cannot be read.
pub async fn summary(conn: &mut Conn, run: RunId) -> Result<Option<RunSummary>, StoreError> {
    let sql = format!("SELECT {SUMMARY} FROM run WHERE id = $1");
    let Some(line) = conn.row(sqlx::AssertSqlSafe(sql), binds![run.0]).await? else { return Ok(None) };
    let mut summary = read(&line)?;
    if line.text_opt(8)?.is_none() {
        summary.counts = counts(conn, run).await?;
    }
    Ok(Some(summary))
}

/// A page of runs, newest first; `after` is the number of the last one already seen. Runs that go on come without counts:
/// the scheduler has them at hand.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<RunId>,
    limit: u32,
) -> Result<Page<RunSummary>, StoreError> {
    let mut sql = format!("SELECT {SUMMARY} FROM run WHERE id < $1");
    let mut binds = binds![after.map_or(i64::MAX, |run| i64::try_from(run.0).unwrap_or(i64::MAX))];
    let mut narrow = |column: &str, bind| {
        binds.push(bind);
        sql.push_str(&format!(" AND {column} = ${}", binds.len()));
    };
    if let Some(owner) = &filter.owner {
        narrow("owner", owner.as_str().into());
    }
    if let Some(project) = &filter.project {
        narrow("project", project.as_str().into());
    }
    if let Some(open) = filter.open {
        narrow("is_open", open.into());
    }
    if filter.failed {
        // The counts are JSON of this build's own writing: a verdict is named where there was one.
        let fits = BAD.map(|verdict| format!("counts LIKE '%\"{verdict}\"%'"));
        sql.push_str(&format!(" AND ({})", fits.join(" OR ")));
    }
    if let Some(text) = &filter.text {
        binds.push(format!("%{}%", like(&text.to_lowercase())).into());
        let bind = binds.len();
        sql.push_str(&format!(
            " AND (LOWER(project) LIKE ${bind} ESCAPE '~' OR CAST(id AS TEXT) LIKE ${bind} ESCAPE '~')"
        ));
    }
    sql.push_str(&format!(" ORDER BY id DESC LIMIT {limit}"));
    let lines = conn.rows(sqlx::AssertSqlSafe(sql), binds).await?;
    let items = lines.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let full = u32::try_from(items.len()).is_ok_and(|count| count == limit);
    let next = items.last().filter(|_| full).map(|run: &RunSummary| run.id.to_string());
    Ok(Page { items, next })
}

/// The newest runs of each project, of this user or of all, by project, newest first.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn newest_of_each(
    conn: &mut Conn,
    owner: Option<&UserName>,
    each: u32,
) -> Result<Vec<RunSummary>, StoreError> {
    let (narrow, mut binds) = match owner {
        Some(owner) => ("WHERE owner = $2", binds![owner.as_str()]),
        None => ("", vec![]),
    };
    binds.insert(0, each.into());
    let sql = format!(
        "SELECT {SUMMARY} FROM (SELECT {SUMMARY}, ROW_NUMBER() OVER (PARTITION BY project ORDER BY id DESC) AS nth \
         FROM run {narrow}) AS ranked WHERE nth <= $1 ORDER BY project, id DESC"
    );
    conn.rows(sqlx::AssertSqlSafe(sql), binds).await?.iter().map(read).collect()
}

/// The runs that were started to run again what did not pass in this one, oldest first.
///
/// # Errors
/// The store does not answer.
pub async fn retries(conn: &mut Conn, run: RunId) -> Result<Vec<RunId>, StoreError> {
    let lines = conn.rows("SELECT id FROM run WHERE retry_of = $1 ORDER BY id", binds![run.0]).await?;
    lines.iter().map(|line| Ok(RunId(line.number(0)?))).collect()
}

/// How many there are.
///
/// # Errors
/// The store does not answer.
pub async fn count(conn: &mut Conn) -> Result<u64, StoreError> {
    conn.row("SELECT COUNT(*) FROM run", vec![]).await?.map_or(Ok(0), |line| line.number(0))
}

/// The runs that have not ended, oldest first.
pub(super) async fn open(conn: &mut Conn) -> Result<Vec<RunRow>, StoreError> {
    let sql = "SELECT id, state, submitted, started, ended, stopped, pre, post, seq, pauses FROM run \
               WHERE is_open = 1 ORDER BY id";
    conn.rows(sql, vec![]).await?.iter().map(restored).collect()
}

/// Everything of a run that changes.
///
/// # Errors
/// The store does not answer, or its row cannot be read.
pub async fn row(conn: &mut Conn, run: RunId) -> Result<Option<RunRow>, StoreError> {
    let sql =
        "SELECT id, state, submitted, started, ended, stopped, pre, post, seq, pauses FROM run WHERE id = $1";
    conn.row(sql, binds![run.0]).await?.as_ref().map(restored).transpose()
}

fn restored(line: &Line) -> Result<RunRow, StoreError> {
    let stopped: Option<StoredStop> = line.json_opt(5)?;
    let pauses: Vec<(Time, Option<Time>)> = line.json_opt(9)?.unwrap_or_default();
    Ok(RunRow {
        run: RunId(line.number(0)?),
        state: state(&line.text(1)?)?,
        submitted: Time(line.int(2)?),
        started: line.int_opt(3)?.map(Time),
        ended: line.int_opt(4)?.map(Time),
        stopped: stopped.map(|stop| {
            let StoredStop { by, reason, at, at_once } = stop;
            StopCause { by, reason, at, at_once }
        }),
        pauses: pauses.into_iter().map(|(from, until)| Pause { from, until }).collect(),
        pre: line.json_opt(6)?,
        post: line.json_opt(7)?,
        seq: line.number(8)?,
    })
}

/// A text that LIKE takes as it is.
pub(super) fn like(text: &str) -> String {
    text.replace('~', "~~").replace('%', "~%").replace('_', "~_")
}

fn read(line: &Line) -> Result<RunSummary, StoreError> {
    Ok(RunSummary {
        id: RunId(line.number(0)?),
        project: line.text(1)?,
        user: line.text(2)?.into(),
        state: state(&line.text(3)?)?,
        submitted: Time(line.int(4)?),
        started: line.int_opt(5)?.map(Time),
        ended: line.int_opt(6)?.map(Time),
        tests: line.number(7)?,
        counts: line.json_opt(8)?.unwrap_or_default(),
        temporary: line.flag(9)?,
        kept: line.flag(10)?,
        retry_of: line.int_opt(11)?.and_then(|run| u64::try_from(run).ok()).map(RunId),
        // The scheduler has it at hand, as long as there is anything to wait for.
        waits: None,
    })
}

async fn counts(conn: &mut Conn, run: RunId) -> Result<BTreeMap<Verdict, u32>, StoreError> {
    let sql = "SELECT verdict, COUNT(*) FROM attempt WHERE run = $1 AND verdict IS NOT NULL GROUP BY verdict";
    let mut counts = BTreeMap::new();
    for line in conn.rows(sql, binds![run.0]).await? {
        counts.insert(super::attempt::verdict(&line.text(0)?)?, line.number(1)?);
    }
    Ok(counts)
}

fn state(word: &str) -> Result<RunState, StoreError> {
    let all = [
        RunState::Queued,
        RunState::Running,
        RunState::Paused,
        RunState::Stopping,
        RunState::Completed,
        RunState::Stopped,
    ];
    all.into_iter()
        .find(|state| state.as_str() == word)
        .ok_or_else(|| StoreError::corrupt(format!("`{word}` is no state of a run")))
}

/// The last runs of a project that ended before this one and leave a trace, newest first.
///
/// # Errors
/// The store does not answer.
pub async fn before(
    conn: &mut Conn,
    run: RunId,
    project: &str,
    limit: u32,
) -> Result<Vec<(RunId, UserName)>, StoreError> {
    let sql = "SELECT id, owner FROM run WHERE project = $1 AND id < $2 AND is_open = 0 AND temporary = 0 ORDER BY id DESC LIMIT $3";
    let lines = conn.rows(sql, binds![project, run.0, limit]).await?;
    lines.iter().map(|line| Ok((RunId(line.number(0)?), UserName::from(line.text(1)?)))).collect()
}
