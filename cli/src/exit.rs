//! Exit codes: few, documented, and the same for every command.

use std::process::ExitCode;

use jackfield_protocol::{
    api::{RunSummary, TestRow},
    event::RunState,
    verdict::{Cause, TestState, Verdict},
};

/// How a command ends. The table of `docs/cli.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; for runs: every test that was to run passed.
    Done = 0,
    /// At least one test did not pass.
    NotPassed = 1,
    /// Bad input or usage.
    BadInput = 2,
    /// The engine cannot be reached.
    EngineUnreachable = 3,
    /// The lab or its infrastructure is to blame, for everything that did not pass.
    LabFault = 4,
    /// Nothing ran.
    NothingRan = 5,
    /// The time was over.
    TimedOut = 6,
    /// A person interrupted it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

impl Exit {
    /// The number the shell sees.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NotPassed => 1,
            Self::BadInput => 2,
            Self::EngineUnreachable => 3,
            Self::LabFault => 4,
            Self::NothingRan => 5,
            Self::TimedOut => 6,
            Self::Interrupted => 130,
        }
    }

    /// The verdict of a run that has ended, given those of its tests that have a cause.
    ///
    /// A test that was skipped on purpose, by a person or by itself, does no harm; one that was skipped because its file
    /// was missing does.
    pub(crate) fn of_run(run: &RunSummary, not_passed: &[TestRow]) -> Self {
        let harm: Vec<&TestRow> = not_passed.iter().filter(|test| does_harm(test)).collect();
        let ran = |verdict: &Verdict| {
            matches!(verdict, Verdict::Pass | Verdict::Fail | Verdict::Timeout | Verdict::Aborted)
        };
        let any_ran = run.counts.iter().any(|(verdict, count)| ran(verdict) && *count > 0);
        let is_of = |cause: Cause| !harm.is_empty() && harm.iter().all(|test| test.cause == Some(cause));
        if run.state == RunState::Stopped && is_of(Cause::Time) {
            return Self::TimedOut;
        }
        if is_of(Cause::Lab) {
            return Self::LabFault;
        }
        match (any_ran, harm.is_empty()) {
            (false, _) => Self::NothingRan,
            (true, true) => Self::Done,
            (true, false) => Self::NotPassed,
        }
    }
}

fn does_harm(test: &TestRow) -> bool {
    match test.state {
        TestState::Ended(Verdict::Pass) => false,
        // One that started and skipped itself is as good as its word.
        TestState::Ended(Verdict::Skipped) => {
            test.started.is_none() && matches!(test.cause, Some(Cause::Lab | Cause::Test))
        }
        TestState::Ended(_) | TestState::Pending | TestState::Waiting | TestState::Working => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn exit(tests: &[(&str, Option<&str>, bool)]) -> Exit {
        let row = |(state, cause, started): &(&str, Option<&str>, bool)| -> TestRow {
            let started = started.then_some("2026-11-20T10:00:00.000Z");
            let row = json!({"test": 0, "id": "t", "name": "t", "file": "t", "suite": [], "state": state, "cause": cause, "started": started});
            serde_json::from_value(row).unwrap()
        };
        let mut counts = std::collections::BTreeMap::new();
        tests.iter().for_each(|(state, ..)| *counts.entry(state.to_owned()).or_insert(0) += 1);
        let run = json!({"id": 1, "project": "p", "user": "u", "state": "completed", "submitted": "2026-11-20T10:00:00.000Z",
            "tests": tests.len(), "counts": counts, "temporary": false});
        let rows: Vec<TestRow> = tests.iter().map(row).collect();
        Exit::of_run(&serde_json::from_value(run).unwrap(), &rows)
    }

    #[test]
    fn a_verdict_is_told_by_the_exit_code() {
        let (pass, test, lab) = (("PASS", None, true), Some("test"), Some("lab"));
        assert_eq!(exit(&[pass]), Exit::Done);
        assert_eq!(exit(&[pass, ("SKIPPED", test, true)]), Exit::Done, "it skipped itself");
        assert_eq!(exit(&[pass, ("SKIPPED", Some("person"), false)]), Exit::Done);
        assert_eq!(exit(&[pass, ("SKIPPED", test, false)]), Exit::NotPassed, "its file was missing");
        assert_eq!(exit(&[("SKIPPED", test, true)]), Exit::NothingRan);
        assert_eq!(exit(&[pass, ("FAIL", Some("product"), true)]), Exit::NotPassed);
        assert_eq!(exit(&[pass, ("ABORTED", lab, true)]), Exit::LabFault);
        assert_eq!(exit(&[("ABORTED", lab, true), ("FAIL", None, true)]), Exit::NotPassed);
    }
}
