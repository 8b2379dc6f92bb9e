//! What a test said about itself, and what verdict follows from all that is known: pure.

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::Arc,
};

use jackfield_protocol::{
    link::Part,
    log::Stream,
    verdict::{Cause, Outcome, Verdict},
};

use super::Exit;
use crate::{cleanup::Cleanup, runner::junit::Cases};

/// The exit status that says: skipped.
const SKIPPED_CODE: i32 = 77;
/// Things of one kind that one test may say; more are refused, and that is written in its log.
const KIND_MAX: usize = 20_000;
const ARTIFACTS_MAX: usize = 1_000;
/// Refusals that are remembered; a test dies of one of its last.
const REFUSALS_MAX: usize = 16;
/// What SDKs write before the text of an error that nobody caught.
const CRASHED: &str = "crashed: ";
/// Letters of a refusal that must stand in a reason: SDKs cut long ones.
const REFUSAL_CHARS: usize = 200;

/// What a test says on the local socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A line for one of its logs.
    Log { stream: Stream, text: String },
    /// How it ends.
    Result { verdict: Verdict, reason: String, crashed: bool },
    /// A result inside it.
    Part(Part),
    /// A value for SQL and mail.
    Variable { name: Arc<str>, value: Arc<str> },
    /// A file to keep.
    Artifact { name: Arc<str>, path: PathBuf },
    /// What is to be done after its end.
    Cleanup(Cleanup),
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
}

impl Story {
    /// Takes one thing in, or says why not. Logs and clean-ups are the caller's.
    pub(crate) fn take(&mut self, said: Said) -> Result<(), String> {
        let full = |kind: &str, most: usize| Err(format!("more than {most} {kind} of one test are not kept"));
        match said {
            Said::Result { verdict, reason, crashed } => {
                let outcome = Outcome { verdict, cause: cause(verdict, crashed), reason, crashed };
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
            Said::Log { .. } | Said::Cleanup(_) => {}
        }
        Ok(())
    }

    /// A test that failed because a device was not there, or did not do what it should, is no wrong test.
    fn blamed(&self, outcome: Outcome) -> Outcome {
        match self.refusal(&outcome.reason) {
            Some((title, cause)) if outcome.verdict == Verdict::Fail => {
                Outcome::not_pass(Verdict::Fail, *cause, said_plainly(outcome.reason, title))
            }
            _ => outcome,
        }
    }

    /// An exit status tells nothing by itself; what the test was refused last tells why, as far as anyone knows.
    fn after_refusal(&self, by_exit: Outcome) -> Outcome {
        match self.refusals.front() {
            Some((title, cause)) if by_exit.verdict == Verdict::Fail && !by_exit.crashed => {
                let reason = format!("{}; refused before: {title}", by_exit.reason);
                Outcome::not_pass(Verdict::Fail, *cause, reason)
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

/// The refusal alone, where its reason is no text of the test's own.
fn said_plainly(reason: String, title: &str) -> String {
    if reason.starts_with(CRASHED) { title.to_owned() } else { reason }
}

fn cause(verdict: Verdict, crashed: bool) -> Option<Cause> {
    match verdict {
        Verdict::Pass => None,
        Verdict::Fail if crashed => Some(Cause::Test),
        Verdict::Fail => Some(Cause::Product),
        // Whoever wrote the test decided so.
        Verdict::Skipped => Some(Cause::Person),
        Verdict::Aborted | Verdict::Invalid => Some(Cause::Test),
        Verdict::Timeout => Some(Cause::Time),
        Verdict::NotExecuted => Some(Cause::Unfinished),
    }
}

impl Story {
    /// Why a test that says it passed has not: the first check that does not hold.
    pub(crate) fn failed_check(&self) -> Option<Outcome> {
        let failed =
            self.parts.iter().find(|part| part.checks.iter().any(|check| check.verdict == Verdict::Fail))?;
        Some(Outcome::not_pass(Verdict::Fail, Cause::Product, failed.reason.clone()))
    }
}

/// The verdict of a test that was not ended from outside.
pub(crate) fn judge(story: &Story, cases: Option<&Cases>, exit: &Exit) -> Outcome {
    if let Exit::Lost(reason) = exit {
        return Outcome::not_pass(Verdict::Aborted, Cause::Lab, reason.clone());
    }
    if let Some(outcome) = &story.result {
        return outcome.clone();
    }
    let by_exit = story.after_refusal(by_exit(exit));
    match cases.and_then(Cases::outcome) {
        // Whoever ran the cases may know of a failure that is in none of them.
        Some(outcome) if outcome.verdict != Verdict::Fail && by_exit.verdict == Verdict::Fail => {
            let reason = format!("its tests passed, but {}", by_exit.reason);
            Outcome { reason, ..by_exit }
        }
        Some(outcome) => outcome,
        None => by_exit,
    }
}

fn by_exit(exit: &Exit) -> Outcome {
    let failed = |reason| Outcome::not_pass(Verdict::Fail, Cause::Product, reason);
    match exit {
        Exit::Code(0) => Outcome::pass(),
        Exit::Code(SKIPPED_CODE) => {
            Outcome::not_pass(Verdict::Skipped, Cause::Person, "it skipped itself (exit status 77)")
        }
        // What a shell leaves with, of its own or of its last command (POSIX, 2.8.2).
        Exit::Code(126) => {
            failed("exit status 126: a program in it is not executable; see its log".to_owned())
        }
        Exit::Code(127) => failed("exit status 127: a program in it was not found; see its log".to_owned()),
        Exit::Code(code) => failed(format!("exit status {code}")),
        Exit::Signal(number) => {
            let reason = format!("it was ended by signal {number}{}", signal_name(*number));
            Outcome { crashed: true, ..Outcome::not_pass(Verdict::Fail, Cause::Test, reason) }
        }
        Exit::Lost(reason) => Outcome::not_pass(Verdict::Aborted, Cause::Lab, reason.clone()),
        Exit::None => Outcome::not_pass(Verdict::Invalid, Cause::Lab, "it was not started"),
    }
}

fn signal_name(number: i32) -> &'static str {
    match number {
        2 => " (INT)",
        4 => " (ILL)",
        6 => " (ABRT)",
        7 => " (BUS)",
        8 => " (FPE)",
        9 => " (KILL)",
        11 => " (SEGV)",
        13 => " (PIPE)",
        15 => " (TERM)",
        24 => " (XCPU)",
        25 => " (XFSZ)",
        _ => "",
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
    fn the_exit_status_speaks_where_nothing_else_does() {
        for (exit, expect) in [
            (Exit::Code(0), "PASS - "),
            (Exit::Code(77), "SKIPPED person it skipped itself (exit status 77)"),
            (Exit::Code(1), "FAIL product exit status 1"),
            (Exit::Signal(11), "FAIL test it was ended by signal 11 (SEGV) crashed"),
            (Exit::Lost("gone".to_owned()), "ABORTED lab gone"),
        ] {
            assert_eq!(shown(&judge(&Story::default(), None, &exit)), expect);
        }
    }

    #[test]
    fn what_a_test_said_goes_before_how_it_exited() {
        let mut story = Story::default();
        let said = |verdict, crashed| Said::Result { verdict, reason: "so".to_owned(), crashed };
        story.take(said(Verdict::Pass, false)).unwrap();
        story.take(said(Verdict::Fail, true)).unwrap();
        assert_eq!(shown(&judge(&story, None, &Exit::Code(0))), "FAIL test so crashed");
        assert_eq!(shown(&judge(&story, None, &Exit::Lost("gone".to_owned()))), "ABORTED lab gone");
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
            story.take(Said::Result { verdict, reason: reason.to_owned(), crashed: true }).unwrap();
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
            (Verdict::Skipped, plain.to_owned(), format!("SKIPPED person {plain} crashed")),
        ] {
            assert_eq!(ends(verdict, &reason), end);
        }
    }

    #[test]
    fn an_exit_status_after_a_refusal_says_what_was_refused() {
        let mut story = Story::default();
        story.take(Said::Refused { title: "no router".to_owned(), cause: Cause::Lab }).unwrap();
        for (exit, expect) in [
            (Exit::Code(0), "PASS - "),
            (Exit::Code(1), "FAIL lab exit status 1; refused before: no router"),
            (Exit::Code(77), "SKIPPED person it skipped itself (exit status 77)"),
        ] {
            assert_eq!(shown(&judge(&story, None, &exit)), expect);
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
