//! Attempts: each try of a test, and each verdict that needed none; and the files they left.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use jackfield_protocol::{
    attempt::AttemptEnd,
    id::{AttemptId, BlobHash, EpName, RunId, TestIndex},
    link::Part,
    log::Stream,
    time::Time,
    verdict::{Outcome, Verdict},
};
use jackfield_scheduler::effect::{AttemptRow, AttemptState};
use serde::{Deserialize, Serialize};

use super::{
    StoreError, bulk,
    db::{Conn, Line, binds},
    json_opt,
};

const COLUMNS: &str = "test, attempt, state, ep, assigned, started, elapsed, outcome, facts";

/// What few attempts have, as one JSON text.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cleanups: Vec<Part>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variables: BTreeMap<Arc<str>, Arc<str>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    log_bytes: BTreeMap<Stream, u64>,
}

/// A file that an attempt left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Whose.
    pub attempt: AttemptId,
    /// As the test named it.
    pub name: Arc<str>,
    /// Its content.
    pub hash: BlobHash,
}

pub(super) async fn upsert(
    conn: &mut Conn,
    rows: impl Iterator<Item = AttemptRow>,
) -> Result<(), StoreError> {
    let rows = rows.map(|row| {
        let AttemptRow { attempt: id, ep, state, assigned, started, wanted, end } = row;
        let (elapsed_millis, outcome, facts) = match end {
            Some(end) => {
                let AttemptEnd { elapsed_millis, outcome, exit_code, parts, cleanups, variables, log_bytes } =
                    end;
                let facts = Facts { exit_code, parts, cleanups, variables, log_bytes };
                (elapsed_millis, Some(outcome), facts)
            }
            None => (0, None, Facts::default()),
        };
        let facts = (facts != Facts::default()).then_some(&facts);
        Ok(binds![
            id.run.0,
            id.test.0,
            id.attempt,
            number(state),
            outcome.as_ref().map(|outcome| outcome.verdict.as_str()),
            ep.as_ref().map(|ep| ep.as_str().to_owned()),
            assigned.0,
            started.map(|time| time.0),
            elapsed_millis,
            json_opt(outcome.as_ref().or(wanted.as_ref()))?,
            json_opt(facts)?,
        ])
    });
    let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
    let head = "INSERT INTO attempt \
                (run, test, attempt, state, verdict, ep, assigned, started, elapsed, outcome, facts)";
    let tail = "ON CONFLICT (run, test, attempt) DO UPDATE SET state = excluded.state, \
                verdict = excluded.verdict, ep = excluded.ep, assigned = excluded.assigned, \
                started = excluded.started, elapsed = excluded.elapsed, outcome = excluded.outcome, \
                facts = excluded.facts";
    bulk::insert(conn, head, 11, tail, rows).await
}

pub(super) async fn keep_artifacts(conn: &mut Conn, artifacts: &[Artifact]) -> Result<(), StoreError> {
    let sql = "INSERT INTO artifact (run, test, attempt, name, hash) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (run, test, attempt, name) DO UPDATE SET hash = excluded.hash";
    for Artifact { attempt: id, name, hash } in artifacts {
        let binds = binds![id.run.0, id.test.0, id.attempt, &**name, hash.to_string()];
        conn.run(sql, binds).await?;
    }
    Ok(())
}

/// The files an attempt left, by name.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn artifacts(conn: &mut Conn, attempt: AttemptId) -> Result<Vec<Artifact>, StoreError> {
    let sql = "SELECT name, hash FROM artifact WHERE run = $1 AND test = $2 AND attempt = $3 ORDER BY name";
    let lines = conn.rows(sql, binds![attempt.run.0, attempt.test.0, attempt.attempt]).await?;
    let read = lines.iter().map(|line| {
        let hash = line.text(1)?;
        let hash = hash.parse().map_err(|error| StoreError::corrupt(format!("an artifact: {error}")))?;
        Ok(Artifact { attempt, name: line.text(0)?.into(), hash })
    });
    read.collect()
}

/// One attempt.
///
/// # Errors
/// The store does not answer, or its row cannot be read.
pub async fn fetch(conn: &mut Conn, attempt: AttemptId) -> Result<Option<AttemptRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM attempt WHERE run = $1 AND test = $2 AND attempt = $3");
    let binds = binds![attempt.run.0, attempt.test.0, attempt.attempt];
    let line = conn.row(sqlx::AssertSqlSafe(sql), binds).await?;
    line.map(|line| read(attempt.run, &line)).transpose()
}

/// Every attempt of the tests in a range of a run, by test and number.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn of_tests(conn: &mut Conn, run: RunId, tests: Range<u32>) -> Result<Vec<AttemptRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM attempt WHERE run = $1 AND test >= $2 AND test < $3 ORDER BY test, attempt"
    );
    let lines = conn.rows(sqlx::AssertSqlSafe(sql), binds![run.0, tests.start, tests.end]).await?;
    lines.iter().map(|line| read(run, line)).collect()
}

/// How a test stands, without what only few ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// The test.
    pub test: TestIndex,
    /// The attempt that says most of it; 0 where none was sent to an EP.
    pub attempt: u32,
    /// Where it stands.
    pub state: AttemptState,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Where it was sent.
    pub ep: Option<String>,
    /// When it started.
    pub started: Option<Time>,
    /// How long it took.
    pub elapsed_millis: u64,
}

/// How the tests in a range of a run stand: the one attempt of each that says most, by test.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn briefs(conn: &mut Conn, run: RunId, tests: Range<u32>) -> Result<Vec<Brief>, StoreError> {
    let sql = "SELECT test, attempt, state, ep, started, elapsed, outcome FROM attempt \
               WHERE run = $1 AND test >= $2 AND test < $3 ORDER BY test, attempt";
    let lines = conn.rows(sql, binds![run.0, tests.start, tests.end]).await?;
    let mut briefs: Vec<Brief> = Vec::new();
    for line in &lines {
        let later = brief(line)?;
        match briefs.last_mut() {
            Some(known) if known.test == later.test => {
                if tells_more(later.state, known.state) {
                    *known = later;
                }
            }
            _ => briefs.push(later),
        }
    }
    Ok(briefs)
}

/// How the tests of a run ended that need a look first: what failed, in the order of the project, then the rest; of a
/// run that has ended, so that each test has one attempt that says how.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn foremost(conn: &mut Conn, run: RunId, limit: u32) -> Result<Vec<Brief>, StoreError> {
    let sql = "SELECT test, attempt, state, ep, started, elapsed, outcome FROM attempt \
               WHERE run = $1 AND state = 2 \
               ORDER BY CASE verdict WHEN 'FAIL' THEN 0 WHEN 'TIMEOUT' THEN 1 WHEN 'INVALID' THEN 2 \
               WHEN 'ABORTED' THEN 3 WHEN 'NOT_EXECUTED' THEN 4 WHEN 'SKIPPED' THEN 5 ELSE 6 END, test LIMIT $2";
    let lines = conn.rows(sql, binds![run.0, limit]).await?;
    lines.iter().map(brief).collect()
}

fn brief(line: &Line) -> Result<Brief, StoreError> {
    let state = state(line.int(2)?)?;
    // Of one that has not ended, it says how it would end if it were given back.
    let outcome: Option<Outcome> = line.json_opt(6)?;
    Ok(Brief {
        test: TestIndex(line.number(0)?),
        attempt: line.number(1)?,
        state,
        ep: line.text_opt(3)?,
        started: line.int_opt(4)?.map(Time),
        elapsed_millis: line.number(5)?,
        outcome: outcome.filter(|_| state == AttemptState::Ended),
    })
}

/// Whether a later row says more of a test than the one known: an end is final, else the newest try counts.
pub(super) fn tells_more(later: AttemptState, known: AttemptState) -> bool {
    match (known, later) {
        (AttemptState::Ended, _) => false,
        (_, AttemptState::Returned) => known == AttemptState::Returned,
        _ => true,
    }
}

/// The numbers of tests from `from` on whose attempt ended with a verdict, or, without one, runs now.
///
/// # Errors
/// The store does not answer.
pub async fn tests_in_state(
    conn: &mut Conn,
    run: RunId,
    verdict: Option<Verdict>,
    from: TestIndex,
    limit: u32,
) -> Result<Vec<TestIndex>, StoreError> {
    let lines = match verdict {
        Some(verdict) => {
            let sql = "SELECT DISTINCT test FROM attempt WHERE run = $1 AND test >= $2 AND verdict = $3 \
                       ORDER BY test LIMIT $4";
            conn.rows(sql, binds![run.0, from.0, verdict.as_str(), limit]).await?
        }
        None => {
            let sql = "SELECT DISTINCT test FROM attempt WHERE run = $1 AND test >= $2 AND state = 1 \
                       ORDER BY test LIMIT $3";
            conn.rows(sql, binds![run.0, from.0, limit]).await?
        }
    };
    lines.iter().map(|line| Ok(TestIndex(line.number(0)?))).collect()
}

fn read(run: RunId, line: &Line) -> Result<AttemptRow, StoreError> {
    let outcome: Option<Outcome> = line.json_opt(7)?;
    let Facts { exit_code, parts, cleanups, variables, log_bytes } = line.json_opt(8)?.unwrap_or_default();
    let state = state(line.int(2)?)?;
    let elapsed_millis = line.number(6)?;
    let (wanted, end) = match (state, outcome) {
        (AttemptState::Ended, Some(outcome)) => {
            let end =
                AttemptEnd { elapsed_millis, outcome, exit_code, parts, cleanups, variables, log_bytes };
            (None, Some(end))
        }
        (AttemptState::Ended, None) => {
            return Err(StoreError::corrupt("an attempt ended without an outcome"));
        }
        (AttemptState::Assigned | AttemptState::Started | AttemptState::Returned, wanted) => (wanted, None),
    };
    Ok(AttemptRow {
        attempt: AttemptId { run, test: TestIndex(line.number(0)?), attempt: line.number(1)? },
        ep: line.text_opt(3)?.map(Into::into),
        state,
        assigned: Time(line.int(4)?),
        started: line.int_opt(5)?.map(Time),
        wanted,
        end,
    })
}

fn number(state: AttemptState) -> i64 {
    match state {
        AttemptState::Assigned => 0,
        AttemptState::Started => 1,
        AttemptState::Ended => 2,
        AttemptState::Returned => 3,
    }
}

fn state(number: i64) -> Result<AttemptState, StoreError> {
    let all = [AttemptState::Assigned, AttemptState::Started, AttemptState::Ended, AttemptState::Returned];
    all.into_iter()
        .find(|state| self::number(*state) == number)
        .ok_or_else(|| StoreError::corrupt(format!("{number} is no state of an attempt")))
}

pub(super) fn verdict(word: &str) -> Result<Verdict, StoreError> {
    word.parse().map_err(|error| StoreError::corrupt(format!("an attempt: {error}")))
}

/// The EP that an attempt was given to; none where there is no such attempt, or the engine decided it.
///
/// # Errors
/// The store does not answer.
pub async fn ep_of(conn: &mut Conn, attempt: AttemptId) -> Result<Option<EpName>, StoreError> {
    let sql = "SELECT ep FROM attempt WHERE run = $1 AND test = $2 AND attempt = $3";
    let AttemptId { run, test, attempt } = attempt;
    let line = conn.row(sql, binds![run.0, test.0, attempt]).await?;
    Ok(line.map(|line| line.text_opt(0)).transpose()?.flatten().map(EpName::from))
}
