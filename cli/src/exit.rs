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
    /// A test that was skipped on purpose does no harm; one that was skipped because its file was missing does.
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
        TestState::Ended(Verdict::Skipped) => matches!(test.cause, Some(Cause::Lab | Cause::Test)),
        TestState::Ended(_) | TestState::Pending | TestState::Waiting | TestState::Working => true,
    }
}
