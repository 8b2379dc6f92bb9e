//! What an outcome is to a CI server, which knows only passed, failure, error and skipped.

use std::fmt::Write;

use jackfield_protocol::verdict::{Cause, Outcome, Verdict};

/// What a case is to a CI server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Passed,
    Failure,
    Error,
    Skipped,
}

/// What an outcome, or its absence, is to a CI server. A test that was skipped before it started because something of it
/// is missing is an error: a pipeline must see that it did not run.
pub(super) fn kind(outcome: Option<&Outcome>, started: bool) -> Kind {
    let Some(outcome) = outcome else { return Kind::Error };
    match (outcome.verdict, outcome.cause) {
        (Verdict::Pass, _) => Kind::Passed,
        (Verdict::Skipped, Some(Cause::Test | Cause::Lab)) if !started => Kind::Error,
        (Verdict::Skipped, _) => Kind::Skipped,
        (_, Some(Cause::Product)) | (Verdict::Fail, None | Some(Cause::Person)) => Kind::Failure,
        (
            Verdict::Fail | Verdict::Aborted | Verdict::NotExecuted | Verdict::Timeout | Verdict::Invalid,
            _,
        ) => Kind::Error,
    }
}

/// The numbers of a suite as a CI server counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
}

impl Tally {
    pub(super) fn of(kind: Kind) -> Self {
        let is = |wanted| u64::from(kind == wanted);
        Self { tests: 1, failures: is(Kind::Failure), errors: is(Kind::Error), skipped: is(Kind::Skipped) }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            tests: self.tests.saturating_add(other.tests),
            failures: self.failures.saturating_add(other.failures),
            errors: self.errors.saturating_add(other.errors),
            skipped: self.skipped.saturating_add(other.skipped),
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tests, failures, errors, skipped } = self;
        write!(f, " tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
    }
}

/// `FAIL.product`, `ABORTED.lab`, `FAIL.test.crashed`.
pub(super) fn outcome_type(outcome: &Outcome) -> String {
    let mut text = outcome.verdict.as_str().to_owned();
    if let Some(cause) = outcome.cause {
        let _ = write!(text, ".{cause}");
    }
    if outcome.crashed {
        text.push_str(".crashed");
    }
    text
}

/// The first line of its reason, or its verdict.
pub(super) fn message(outcome: &Outcome) -> String {
    match outcome.reason.lines().next() {
        Some(line) => line.to_owned(),
        None => outcome.verdict.as_str().to_owned(),
    }
}
