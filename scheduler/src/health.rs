//! What tests say of the resources that their run has, and what runs that check a resource say of it in the end.

use jackfield_protocol::{
    time::Time,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use jackfield_resource_allocator::book::{Checked, Fitness, Used};

use crate::{Scheduler, run::Run};

/// What the end of a test says of what it used. Trouble of the EP, or with the test's file, says nothing of devices.
pub(crate) fn used(name: &str, started: bool, outcome: &Outcome) -> Used {
    if !started {
        return Used::Unknown;
    }
    let told = || format!("{name} {}: {}", outcome.verdict, outcome.reason);
    let Some(by) = &outcome.decided_by else { return Used::Unknown };
    match &**by {
        DecidedBy::EpLost { .. }
        | DecidedBy::EpRestarted
        | DecidedBy::EpStopped
        | DecidedBy::NotWanted
        | DecidedBy::ProcessLost
        | DecidedBy::ProcessLimit { .. }
        | DecidedBy::CgroupLimit { .. }
        | DecidedBy::Stopped { .. }
        | DecidedBy::TestLimit { .. }
        | DecidedBy::SuiteLimit { .. }
        | DecidedBy::RunLimit => Used::Left(told()),
        DecidedBy::NotStarted
        | DecidedBy::File
        | DecidedBy::NoFile
        | DecidedBy::NotRunnable
        | DecidedBy::OtherTest { .. }
        | DecidedBy::QueuedTooLate
        | DecidedBy::PreScript
        | DecidedBy::Pool { .. }
        | DecidedBy::Dequeued { .. }
        | DecidedBy::Unknown => Used::Unknown,
        DecidedBy::ExitStatus { .. }
        | DecidedBy::Signal { .. }
        | DecidedBy::Declared
        | DecidedBy::Crash
        | DecidedBy::Refusal
        | DecidedBy::Check { .. }
        | DecidedBy::Step { .. }
        | DecidedBy::Tests { .. }
        | DecidedBy::UnusableResults { .. }
        | DecidedBy::NoTests { .. }
        | DecidedBy::ToolStatus { .. }
        | DecidedBy::PanicPattern { .. } => match outcome.verdict {
            _ if outcome.cause == Some(Cause::Lab) => Used::Spoiled(told()),
            Verdict::Pass | Verdict::Fail => Used::Sound,
            Verdict::Skipped
            | Verdict::Aborted
            | Verdict::NotExecuted
            | Verdict::Timeout
            | Verdict::Invalid => Used::Unknown,
        },
    }
}

/// What a run that checks a resource says of it.
pub(crate) fn checked(run: &Run) -> Checked {
    let count = |verdict| run.counts.get(&verdict).copied().unwrap_or(0);
    if count(Verdict::Fail) > 0 || count(Verdict::Timeout) > 0 {
        let told: Vec<_> = run.counts.iter().filter(|(_, count)| **count > 0).collect();
        let told: Vec<_> = told.into_iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        return Checked::Failed(told.join(", "));
    }
    if let Some(stopped) = run.stopped() {
        return Checked::Fruitless { by: stopped.by.clone() };
    }
    let lost = [Verdict::Aborted, Verdict::NotExecuted, Verdict::Invalid];
    let is_whole = lost.into_iter().all(|verdict| count(verdict) == 0);
    if count(Verdict::Pass) > 0 && is_whole { Checked::Passed } else { Checked::Fruitless { by: None } }
}

impl Scheduler {
    /// A check whose run is not there any more came to no result.
    pub(crate) fn end_lost_checks(&mut self, now: Time) {
        let checks = self.bench.book.health().filter_map(|health| match health.fitness {
            Fitness::UnderCheck { run, .. } => Some(run),
            Fitness::Fit | Fitness::Dirty { .. } | Fitness::Out { .. } => None,
        });
        let lost: Vec<_> = checks.filter(|run| !self.runs.contains_key(run)).collect();
        for run in lost {
            self.bench.book.checked(now, run, &Checked::Fruitless { by: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_was_ended_in_the_middle_left_what_it_used_as_it_was() {
        for by in [
            DecidedBy::TestLimit { millis: 5 },
            DecidedBy::ProcessLimit { most: 5 },
            DecidedBy::CgroupLimit { setting: "memory".to_owned(), most: 5 },
        ] {
            let outcome = Outcome::not_pass(Verdict::Fail, Cause::Test, by, "too much");
            assert_eq!(used("a.py", true, &outcome), Used::Left("a.py FAIL: too much".to_owned()));
            assert_eq!(used("a.py", false, &outcome), Used::Unknown);
        }
    }
}
