//! `jackfield runs why`: what waits in a run and for what, and of a test that has ended, which rule decided it.

use anyhow::Result;
use jackfield_protocol::{
    api::{TestRow, Waiting},
    id::{RunId, TestIndex},
    verdict::TestState,
};

use super::{after, question};
use crate::{Context, exit::Exit};

/// What each waiting thing of a run waits for.
pub(crate) fn of_run(context: &Context, run: RunId) -> Result<Exit> {
    let waiting: Vec<Waiting> = context.client.get(&format!("/runs/{run}/why"))?;
    let after = after::lines(&context.client, run)?;
    let asks = question::of_run(context, run)?;
    context.output.list(&waiting, |waiting| {
        let waiting = waiting.iter().flat_map(wait);
        let asks = asks.iter().map(|ask| ask.waits(run));
        let lines: Vec<String> = asks.chain(waiting).chain(after).collect();
        if lines.is_empty() { format!("nothing of run {run} waits") } else { lines.join("\n") }
    })?;
    Ok(Exit::Done)
}

/// A wait in lines: what for, and who has it.
fn wait(entry: &Waiting) -> Vec<String> {
    let who = entry.blockers.iter().map(|blocker| format!("  {blocker}"));
    std::iter::once(format!("{} waits for {}", entry.what, entry.waits_for)).chain(who).collect()
}

/// Why one test is as it is.
pub(crate) fn of_test(context: &Context, run: RunId, test: TestIndex) -> Result<Exit> {
    let row: TestRow = context.client.get(&format!("/runs/{run}/tests/{test}"))?;
    let around = match row.state {
        // Its turn has not come: whatever the run waits for keeps it, too.
        TestState::Pending => context.client.get::<Vec<Waiting>>(&format!("/runs/{run}/why"))?,
        TestState::Waiting | TestState::Working | TestState::Ended(_) => Vec::new(),
    };
    context.output.print(&row, |row| told(run, row, &around).join("\n"))?;
    Ok(Exit::Done)
}

/// A test in lines: how it is, what decided it or what it waits for, and what in it did not pass.
fn told(run: RunId, row: &TestRow, around: &[Waiting]) -> Vec<String> {
    let mut lines = vec![format!("{run}.{} {} is {}", row.test, row.name, row.state)];
    lines.extend(row.decided_by.as_ref().map(|rule| format!("decided by: {rule}")));
    lines.extend(row.cause.map(|cause| format!("cause: {cause}")));
    if !row.reason.is_empty() {
        lines.push(format!("reason: {}", row.reason.trim_end().replace('\n', "\n  ")));
    }
    lines.extend(row.waits_for.as_ref().map(|what| format!("waits for {what}")));
    lines.extend(around.iter().flat_map(wait));
    for (what, parts) in [("part", &row.parts), ("clean-up", &row.cleanups)] {
        let bad = parts.iter().filter(|part| TestState::Ended(part.verdict).as_str() != "PASS");
        lines.extend(bad.map(|part| {
            let reason = if part.reason.is_empty() { "" } else { ": " };
            format!("{what} {} is {}{reason}{}", part.name, part.verdict, part.reason)
        }));
    }
    if let Some(attempt) = row.attempt {
        lines.push(format!("its log: jackfield runs logs {attempt}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::{
        id::AttemptId,
        link::Part,
        verdict::{Cause, DecidedBy, Verdict},
    };

    use super::*;

    fn row(state: TestState) -> TestRow {
        TestRow {
            test: TestIndex(3),
            id: "a".to_owned(),
            name: "login.py".to_owned(),
            file: "tests/login.py".to_owned(),
            suite: Vec::new(),
            state,
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
        }
    }

    #[test]
    fn a_test_that_has_ended_says_which_rule_decided_it() {
        let counts = [(Verdict::Fail, 1), (Verdict::Pass, 1)].into();
        let part = |name: &str, verdict, reason: &str| Part {
            name: name.to_owned(),
            verdict,
            reason: reason.to_owned(),
            elapsed_millis: 0,
            checks: Vec::new(),
        };
        let ended = TestRow {
            cause: Some(Cause::Product),
            reason: "1 of 2 tests failed: b: no route".to_owned(),
            decided_by: Some(Box::new(DecidedBy::Tests {
                format: "JUnit".to_owned(),
                file: Some("r.xml".to_owned()),
                counts,
            })),
            attempt: Some(AttemptId { run: RunId(41), test: TestIndex(3), attempt: 1 }),
            parts: vec![part("a", Verdict::Pass, ""), part("b", Verdict::Fail, "no route")],
            ..row(TestState::Ended(Verdict::Fail))
        };
        insta::assert_snapshot!(told(RunId(41), &ended, &[]).join("\n"));
        let around = [Waiting {
            what: "S1".to_owned(),
            waits_for: "EP-2, which is not connected".to_owned(),
            wants: None,
            blockers: Vec::new(),
        }];
        let lines = told(RunId(41), &row(TestState::Pending), &around);
        assert_eq!(lines, ["41.3 login.py is PENDING", "S1 waits for EP-2, which is not connected"]);
    }
}
