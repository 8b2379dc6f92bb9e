//! The tests of a run as people list them: what was planned, and what came of it.

use std::{collections::BTreeMap, ops::Range};

use jackfield_protocol::{
    api::{Page, TestRow},
    attempt::AttemptEnd,
    id::{RunId, TestIndex},
    plan::RunPlan,
    verdict::{Outcome, TestState},
};
use jackfield_scheduler::effect::{AttemptRow, AttemptState};

use super::{Store, StoreError, attempt, db::Conn};

/// A page of the tests of a run, in document order, from test `from` on; none for an unknown run.
///
/// With `state` only tests in that state; one that waits counts as pending here, since only the scheduler knows what
/// waits.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn page(
    store: &Store,
    run: RunId,
    from: TestIndex,
    limit: u32,
    state: Option<TestState>,
) -> Result<Option<Page<TestRow>>, StoreError> {
    let Some(plan) = store.plan(run).await? else { return Ok(None) };
    let count = u32::try_from(plan.tests.len()).unwrap_or(u32::MAX);
    let mut conn = store.read().await?;
    let mut items = Vec::new();
    let wanted = match state {
        Some(TestState::Ended(verdict)) => {
            Some(attempt::tests_in_state(&mut conn, run, Some(verdict), from, limit).await?)
        }
        Some(TestState::Working) => Some(attempt::tests_in_state(&mut conn, run, None, from, limit).await?),
        Some(TestState::Pending | TestState::Waiting) | None => None,
    };
    if let Some(wanted) = wanted {
        for index in wanted {
            let range = index.0..index.0.saturating_add(1);
            items.extend(
                rows(&mut conn, &plan, run, range).await?.into_iter().filter(|row| Some(row.state) == state),
            );
        }
    } else {
        let mut at = from.0;
        while at < count && !full(&items, limit) {
            let range = at..at.saturating_add(limit).min(count);
            at = range.end;
            let range = rows(&mut conn, &plan, run, range).await?;
            items.extend(range.into_iter().filter(|row| state.is_none() || row.state == TestState::Pending));
        }
        items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let last = items.last().map(|row| row.test.0.saturating_add(1));
    let next = last.filter(|next| *next < count && full(&items, limit)).map(|next| next.to_string());
    Ok(Some(Page { items, next }))
}

fn full(items: &[TestRow], limit: u32) -> bool {
    u32::try_from(items.len()).is_ok_and(|count| count >= limit)
}

/// The tests in a range of a run, in document order.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn rows(
    conn: &mut Conn,
    plan: &RunPlan,
    run: RunId,
    range: Range<u32>,
) -> Result<Vec<TestRow>, StoreError> {
    let mut tries: BTreeMap<TestIndex, AttemptRow> = BTreeMap::new();
    for attempt in attempt::of_tests(conn, run, range.clone()).await? {
        let test = attempt.attempt.test;
        if tries.get(&test).is_none_or(|known| attempt::tells_more(attempt.state, known.state)) {
            tries.insert(test, attempt);
        }
    }
    Ok(range.filter_map(|index| row(plan, TestIndex(index), tries.remove(&TestIndex(index)))).collect())
}

fn row(plan: &RunPlan, index: TestIndex, attempt: Option<AttemptRow>) -> Option<TestRow> {
    let test = plan.test(index)?;
    let mut suite: Vec<String> =
        plan.suite_chain(test.suite).map(|(_, suite)| suite.name.to_string()).collect();
    suite.reverse();
    let mut row = TestRow {
        test: index,
        id: test.id.to_string(),
        name: test.name.to_string(),
        file: test.file.to_string(),
        suite,
        state: TestState::Pending,
        waits_for: None,
        cause: None,
        reason: String::new(),
        crashed: false,
        decided_by: None,
        attempt: None,
        ep: None,
        started: None,
        elapsed_millis: 0,
        parts: Vec::new(),
        cleanups: Vec::new(),
    };
    if let Some(attempt) = attempt {
        fill(&mut row, attempt);
    }
    Some(row)
}

fn fill(row: &mut TestRow, attempt: AttemptRow) {
    row.state = match (&attempt.end, attempt.state) {
        (Some(end), _) => TestState::Ended(end.outcome.verdict),
        (None, AttemptState::Started) => TestState::Working,
        (None, AttemptState::Assigned | AttemptState::Ended | AttemptState::Returned) => TestState::Pending,
    };
    row.attempt = (attempt.attempt.attempt > 0).then_some(attempt.attempt);
    row.ep = attempt.ep;
    row.started = attempt.started;
    if let Some(end) = attempt.end {
        // What stands with the attempt alone: its exit status, variables and logs.
        let AttemptEnd { elapsed_millis, outcome, parts, cleanups, exit_code: _, variables: _, log_bytes: _ } =
            end;
        let Outcome { verdict: _, cause, reason, crashed, decided_by } = outcome;
        (row.cause, row.reason, row.crashed, row.decided_by) = (cause, reason, crashed, decided_by);
        (row.elapsed_millis, row.parts, row.cleanups) = (elapsed_millis, parts, cleanups);
    }
}
