//! What a test said about itself: pure.

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::Arc,
};

use jackfield_protocol::{
    link::Part,
    log::Stream,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use tokio::sync::oneshot;

use crate::cleanup::Cleanup;
use crate::limits::{ARTIFACTS_MAX, KIND_MAX, REFUSALS_MAX, STORY_BYTES_MAX};

/// What SDKs write before the text of an error that nobody caught.
const CRASHED: &str = "crashed: ";
/// Letters of a refusal that must stand in a reason: SDKs cut long ones.
const REFUSAL_CHARS: usize = 200;

/// What a test says on the local socket.
#[derive(Debug)]
pub(crate) enum Said {
    /// A line for one of its logs.
    Log { stream: Stream, text: String },
    /// How it ends.
    Result { verdict: Verdict, reason: String, by: DecidedBy },
    /// A result inside it.
    Part(Part),
    /// A value for SQL and mail.
    Variable { name: Arc<str>, value: Arc<str> },
    /// A file to keep.
    Artifact { name: Arc<str>, path: PathBuf },
    /// What is to be done after its end; the test waits until that is kept.
    Cleanup { cleanup: Cleanup, kept: oneshot::Sender<()> },
    /// A device did not do what the test asked for; whose fault that is, if the test dies of it.
    Refused { title: String, cause: Cause },
}

/// All a test said, in one place.
#[derive(Debug, Default)]
pub(crate) struct Story {
    pub(crate) result: Option<Outcome>,
    pub(crate) parts: Vec<Part>,
    pub(crate) variables: BTreeMap<Arc<str>, Arc<str>>,
    pub(crate) artifacts: Vec<(Arc<str>, PathBuf)>,
    pub(crate) cleanups: Vec<Cleanup>,
    refusals: VecDeque<(String, Cause)>,
    /// What parts, variables and names of files have, together.
    bytes: usize,
}

impl Story {
    /// Takes one thing in, or says why not. Logs and clean-ups are the caller's.
    pub(crate) fn take(&mut self, said: Said) -> Result<(), String> {
        let full = |kind: &str, most: usize| Err(format!("more than {most} {kind} of one test are not kept"));
        let bytes = self.bytes.saturating_add(length(&said));
        if bytes > STORY_BYTES_MAX {
            return Err(format!("more than {} MB of what one test says are not kept", STORY_BYTES_MAX >> 20));
        }
        self.bytes = bytes;
        match said {
            Said::Result { verdict, reason, by } => {
                let crashed = by == DecidedBy::Crash;
                let decided_by = Some(Box::new(by));
                let outcome =
                    Outcome { verdict, cause: cause(verdict, crashed), reason, crashed, decided_by };
                self.result = Some(self.blamed(outcome));
            }
            Said::Part(_) if self.parts.len() >= KIND_MAX => return full("parts", KIND_MAX),
            Said::Part(part) => {
                let reason = match self.refusal(&part.reason) {
                    Some((title, _)) => said_plainly(part.reason, title),
                    None => part.reason,
                };
                self.parts.push(Part { reason, ..part });
            }
            Said::Variable { .. } if self.variables.len() >= KIND_MAX => return full("variables", KIND_MAX),
            Said::Variable { name, value } => {
                self.variables.insert(name, value);
            }
            Said::Artifact { .. } if self.artifacts.len() >= ARTIFACTS_MAX => {
                return full("artifacts", ARTIFACTS_MAX);
            }
            Said::Artifact { name, path } => self.artifacts.push((name, path)),
            Said::Refused { title, cause } => {
                self.refusals.truncate(REFUSALS_MAX.saturating_sub(1));
                self.refusals.push_front((title, cause));
            }
            Said::Log { .. } | Said::Cleanup { .. } => {}
        }
        Ok(())
    }

    /// A test that failed because a device was not there, or did not do what it should, is no wrong test.
    pub(super) fn blamed(&self, outcome: Outcome) -> Outcome {
        match self.refusal(&outcome.reason) {
            Some((title, cause)) if outcome.verdict == Verdict::Fail => {
                let reason = said_plainly(outcome.reason, title);
                Outcome::not_pass(Verdict::Fail, *cause, DecidedBy::Refusal, reason)
            }
            _ => outcome,
        }
    }

    /// An exit status tells nothing by itself; what the test was refused last tells why, as far as anyone knows.
    pub(super) fn after_refusal(&self, by_exit: Outcome) -> Outcome {
        match self.refusals.front() {
            Some((title, cause)) if by_exit.verdict == Verdict::Fail && !by_exit.crashed => {
                // Its last words may have told it already.
                let is_told = by_exit.reason.contains(title.as_str());
                let reason = if is_told {
                    by_exit.reason
                } else {
                    format!("{}; refused before: {title}", by_exit.reason)
                };
                Outcome::not_pass(Verdict::Fail, *cause, DecidedBy::Refusal, reason)
            }
            _ => by_exit,
        }
    }

    /// The latest refusal that a reason tells of.
    fn refusal(&self, reason: &str) -> Option<&(String, Cause)> {
        self.refusals.iter().find(|(title, _)| {
            let end = title.char_indices().nth(REFUSAL_CHARS).map_or(title.len(), |(end, _)| end);
            title.get(..end).is_some_and(|begin| reason.contains(begin))
        })
    }
}

/// What is kept of it until the test ends.
fn length(said: &Said) -> usize {
    match said {
        Said::Part(part) => {
            let checks = part.checks.iter().map(|check| check.name.len().saturating_add(check.value.len()));
            checks.fold(part.name.len().saturating_add(part.reason.len()), usize::saturating_add)
        }
        Said::Variable { name, value } => name.len().saturating_add(value.len()),
        Said::Artifact { name, path } => name.len().saturating_add(path.as_os_str().len()),
        Said::Log { .. } | Said::Result { .. } | Said::Cleanup { .. } | Said::Refused { .. } => 0,
    }
}

/// The refusal alone, where its reason is no text of the test's own.
fn said_plainly(reason: String, title: &str) -> String {
    if reason.starts_with(CRASHED) { title.to_owned() } else { reason }
}

fn cause(verdict: Verdict, crashed: bool) -> Option<Cause> {
    match verdict {
        Verdict::Pass => None,
        Verdict::Fail if crashed => Some(Cause::Test),
        Verdict::Fail => Some(Cause::Product),
        // The test's own word; a person is to blame for what a person did in this run.
        Verdict::Skipped | Verdict::Aborted | Verdict::Invalid => Some(Cause::Test),
        Verdict::Timeout => Some(Cause::Time),
        Verdict::NotExecuted => Some(Cause::Unfinished),
    }
}

impl Story {
    /// Why a test that says it passed has not: the first check that does not hold.
    pub(crate) fn failed_check(&self) -> Option<Outcome> {
        let failed =
            self.parts.iter().find(|part| part.checks.iter().any(|check| check.verdict == Verdict::Fail))?;
        let by = DecidedBy::Check { name: failed.name.clone() };
        Some(Outcome::not_pass(Verdict::Fail, Cause::Product, by, failed.reason.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(outcome: &Outcome) -> String {
        let cause = outcome.cause.map_or("-", Cause::as_str);
        format!(
            "{} {cause} {}{}",
            outcome.verdict,
            outcome.reason,
            if outcome.crashed { " crashed" } else { "" }
        )
    }

    #[test]
    fn a_device_that_is_not_there_is_not_the_fault_of_its_test() {
        let ends = |verdict, reason: &str| {
            let mut story = Story::default();
            for n in 0..REFUSALS_MAX {
                story.take(Said::Refused { title: format!("no {n}"), cause: Cause::Product }).unwrap();
            }
            let title = "tcp r1:23 cannot be reached: nobody listens".to_owned();
            story.take(Said::Refused { title, cause: Cause::Lab }).unwrap();
            story.take(Said::Result { verdict, reason: reason.to_owned(), by: DecidedBy::Crash }).unwrap();
            shown(&story.result.unwrap())
        };
        let plain = "tcp r1:23 cannot be reached: nobody listens";
        for (verdict, reason, end) in [
            (
                Verdict::Fail,
                format!("crashed: JackfieldError: {plain} [unavailable]"),
                format!("FAIL lab {plain}"),
            ),
            (Verdict::Fail, format!("no router: {plain}"), format!("FAIL lab no router: {plain}")),
            (Verdict::Fail, "crashed: E: no 15".to_owned(), "FAIL product no 15".to_owned()),
            (Verdict::Fail, "crashed: E: no 0".to_owned(), "FAIL test crashed: E: no 0 crashed".to_owned()),
            (Verdict::Skipped, plain.to_owned(), format!("SKIPPED test {plain} crashed")),
        ] {
            assert_eq!(ends(verdict, &reason), end);
        }
    }

    #[test]
    fn a_check_that_does_not_hold_is_a_reason_whatever_was_caught() {
        let mut story = Story::default();
        let mut check = |value: &str| {
            let limits = [(jackfield_config::steps::Relation::AtMost, "80".to_owned())];
            let (check, reason) =
                jackfield_device::steps::check::measure("load", value, "%", &limits).unwrap();
            let (verdict, reason) = (check.verdict, reason.unwrap_or_default());
            let part =
                Part { name: "load".to_owned(), verdict, reason, elapsed_millis: 0, checks: vec![check] };
            story.take(Said::Part(part)).unwrap();
            story.failed_check().map(|outcome| shown(&outcome))
        };
        assert_eq!(check("79"), None);
        let expect = "FAIL product `load` is more than `80`; it is: `95 %`";
        assert_eq!(check("95").as_deref(), Some(expect));
        assert_eq!(check("99").as_deref(), Some(expect));
    }

    #[test]
    fn what_a_test_says_too_often_is_refused() {
        let mut story = Story::default();
        let said = || Said::Artifact { name: "a".into(), path: PathBuf::new() };
        (0..ARTIFACTS_MAX).for_each(|_| story.take(said()).unwrap());
        assert!(story.take(said()).unwrap_err().contains("1000"));
    }
}
