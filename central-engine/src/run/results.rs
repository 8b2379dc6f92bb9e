//! A run as reports want it: the plan, and how each test ended, gathered from the store.

use std::{collections::BTreeSet, time::Duration};

use jackfield_protocol::{
    id::{EpName, RunId},
    log::Stream,
};
use jackfield_reporting::{
    excerpt::{Excerpt, Logs as ReportLogs},
    results::{AttemptResult, EngineFacts, Results, TestResult},
};
use jackfield_scheduler::effect::{AttemptRow, AttemptState, StopCause};

use crate::{
    limits,
    logs::{LogError, LogKey, Logs},
    store::{self, Store, StoreError},
    zone,
};

/// Tests whose attempts are read at once: rows of the database take several times the room of what is kept of them.
const PIECE: usize = 1_000;

/// Everything of a run that a report can say; none for an unknown run.
///
/// # Errors
/// The store does not answer, or holds rows that cannot be read.
pub(crate) async fn gather(
    store: &Store,
    run: RunId,
    engine: EngineFacts,
) -> Result<Option<Results>, StoreError> {
    let Some(plan) = store.plan(run).await? else { return Ok(None) };
    let mut conn = store.read().await?;
    let (Some(summary), Some(row)) =
        (store::run::summary(&mut conn, run).await?, store::run::row(&mut conn, run).await?)
    else {
        return Ok(None);
    };
    let seen = store::ep::seen(&mut conn).await?;
    let mut tests = vec![TestResult::default(); plan.tests.len()];
    for (first, some) in (0_u32..).step_by(PIECE).zip(tests.chunks_mut(PIECE)) {
        let count = u32::try_from(some.len()).unwrap_or(u32::MAX);
        for row in store::attempt::of_tests(&mut conn, run, first..first.saturating_add(count)).await? {
            let at = row.attempt.test.0.checked_sub(first).and_then(|at| usize::try_from(at).ok());
            if let Some(test) = at.and_then(|at| some.get_mut(at)) {
                add(test, row);
            }
        }
    }
    let ran: BTreeSet<&EpName> =
        tests.iter().flat_map(|test| &test.attempts).map(|attempt| &attempt.ep).collect();
    let hosts =
        seen.into_iter().filter(|(ep, _)| ran.contains(ep)).map(|(ep, seen)| (ep, seen.host)).collect();
    let stopped = row.stopped.as_ref().map(sentence);
    let (timezone, utc_offset_secs) = zone::at(summary.started.unwrap_or(summary.submitted));
    let engine = EngineFacts { timezone, utc_offset_secs, ..engine };
    Ok(Some(Results { run: summary, plan, tests, hosts, engine, stopped, pre: row.pre, post: row.post }))
}

fn add(test: &mut TestResult, row: AttemptRow) {
    if row.state == AttemptState::Returned {
        return;
    }
    if let Some(end) = &row.end {
        test.outcome = Some(end.outcome.clone());
    }
    match row.ep {
        Some(ep) if row.attempt.attempt > 0 => {
            test.attempts.push(AttemptResult { attempt: row.attempt, ep, started: row.started, end: row.end })
        }
        Some(_) | None => test.decided = Some(row.assigned),
    }
}

/// `stopped by ana: wrong branch`.
fn sentence(stop: &StopCause) -> String {
    let begun = match &stop.by {
        Some(by) => format!("stopped by {by}: {}", stop.reason),
        None => stop.reason.clone(),
    };
    match &stop.at_once {
        Some(by) => format!("{begun}; ended at once by {by}"),
        None => begun,
    }
}

/// Waits for what is still to come of a run's logs, as long as it comes: ends of tests overtake their logs. Reports say of
/// each log what they did not get.
///
/// # Errors
/// The logs cannot be read.
pub(crate) async fn rest_of_logs(logs: &Logs, results: &Results) -> Result<(), LogError> {
    let attempts = results.tests.iter().flat_map(|test| &test.attempts);
    let told = attempts.flat_map(|result| {
        let key = move |stream| LogKey { attempt: result.attempt, stream };
        let told = result.end.iter().flat_map(|end| &end.log_bytes);
        told.map(move |(stream, told)| (key(*stream), *told))
    });
    let mut open: Vec<(LogKey, u64)> = told.collect();
    let mut before = u64::MAX;
    let mut quiet = Duration::ZERO;
    loop {
        let mut missing = 0_u64;
        let mut still = Vec::new();
        for (key, told) in open {
            let size = logs.size(key).await?;
            let lacks = logs.missing(size, told);
            missing = missing.saturating_add(lacks);
            if lacks > 0 {
                still.push((key, told));
            }
        }
        quiet = if missing < before { Duration::ZERO } else { quiet.saturating_add(limits::LOG_REST_LOOK) };
        if missing == 0 || quiet >= limits::LOG_REST_WAIT {
            return Ok(());
        }
        (open, before) = (still, missing);
        tokio::time::sleep(limits::LOG_REST_LOOK).await;
    }
}

/// The engine's logs as reports read them. Blocks on the disk.
#[derive(Clone, Debug)]
pub(crate) struct LogsOfEngine(pub(crate) Logs);

impl ReportLogs for LogsOfEngine {
    fn tail(&self, attempt: &AttemptResult, stream: Stream, bytes_max: usize) -> Option<Excerpt> {
        let wanted = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        match self.0.tail_now(LogKey { attempt: attempt.attempt, stream }, wanted) {
            Ok(slice) => {
                let size = usize::try_from(slice.size).unwrap_or(usize::MAX);
                let told = attempt.log_bytes(stream).unwrap_or(0);
                Excerpt::of_tail(&slice.bytes, size).with_missing(self.0.missing(slice.size, told))
            }
            Err(error) => Some(Excerpt { text: format!("[{error}]"), ..Excerpt::default() }),
        }
    }
}
