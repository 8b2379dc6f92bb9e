//! The rules that decide verdicts.

use jackfield_protocol::verdict::{DecidedBy, Verdict};

use crate::{
    sample::{Family, Sample, variants},
    value::{ep, user},
};

variants!(DecidedBy {
    DecidedBy::ExitStatus { .. } => "exit_status",
    DecidedBy::Signal { .. } => "signal",
    DecidedBy::ProcessLost => "process_lost",
    DecidedBy::Declared => "declared",
    DecidedBy::Crash => "crash",
    DecidedBy::Refusal => "refusal",
    DecidedBy::Check { .. } => "check",
    DecidedBy::Step { .. } => "step",
    DecidedBy::Tests { .. } => "tests",
    DecidedBy::UnusableResults { .. } => "unusable_results",
    DecidedBy::NoTests { .. } => "no_tests",
    DecidedBy::ToolStatus { .. } => "tool_status",
    DecidedBy::PanicPattern { .. } => "panic_pattern",
    DecidedBy::TestLimit { .. } => "test_limit",
    DecidedBy::SuiteLimit { .. } => "suite_limit",
    DecidedBy::RunLimit => "run_limit",
    DecidedBy::ProcessLimit { .. } => "process_limit",
    DecidedBy::CgroupLimit { .. } => "cgroup_limit",
    DecidedBy::File => "file",
    DecidedBy::NoFile => "no_file",
    DecidedBy::NotRunnable => "not_runnable",
    DecidedBy::NotStarted => "not_started",
    DecidedBy::OtherTest { .. } => "other_test",
    DecidedBy::Stopped { .. } => "stopped",
    DecidedBy::Dequeued { .. } => "dequeued",
    DecidedBy::QueuedTooLate => "queued_too_late",
    DecidedBy::PreScript => "pre_script",
    DecidedBy::EpLost { .. } => "ep_lost",
    DecidedBy::EpRestarted => "ep_restarted",
    DecidedBy::EpStopped => "ep_stopped",
    DecidedBy::NotWanted => "not_wanted",
    DecidedBy::Pool { .. } => "pool",
    DecidedBy::Unknown => "unknown",
});

pub(crate) fn samples() -> Vec<Sample> {
    let text = str::to_owned;
    let file = || Some("r.xml".to_owned());
    let counts = || [(Verdict::Fail, 2), (Verdict::Pass, 3)].into();
    let tests = |file| DecidedBy::Tests { format: "JUnit".to_owned(), file, counts: counts() };
    let other = |test: &str| DecidedBy::OtherTest {
        says: "the setup file of suite S1 did not pass".to_owned(),
        test: test.to_owned(),
    };
    Family::new("decided_by")
        .one(DecidedBy::ExitStatus { status: -1 })
        .one(DecidedBy::Signal { number: 11 })
        .one(DecidedBy::Check { name: text("cpu load") })
        .both(DecidedBy::Step { name: text("ping") }, DecidedBy::Step { name: String::new() })
        .both(tests(file()), tests(None))
        .both(DecidedBy::UnusableResults { file: file() }, DecidedBy::UnusableResults { file: None })
        .both(DecidedBy::NoTests { file: file() }, DecidedBy::NoTests { file: None })
        .one(DecidedBy::ToolStatus { tool: text("pytest"), status: 4 })
        .one(DecidedBy::PanicPattern { pattern: text("kernel panic") })
        .one(DecidedBy::TestLimit { millis: 90_000 })
        .one(DecidedBy::SuiteLimit { suite: text("S1") })
        .one(DecidedBy::ProcessLimit { most: 4096 })
        .one(DecidedBy::CgroupLimit { setting: "memory".to_owned(), most: 1 << 30 })
        .both(other("init.py ended FAIL"), other(""))
        .one(DecidedBy::Stopped { by: user() })
        .one(DecidedBy::Dequeued { by: user() })
        .one(DecidedBy::EpLost { ep: ep() })
        .one(DecidedBy::Pool { owner: user() })
        .one(DecidedBy::ProcessLost)
        .one(DecidedBy::Declared)
        .one(DecidedBy::Crash)
        .one(DecidedBy::Refusal)
        .one(DecidedBy::RunLimit)
        .one(DecidedBy::File)
        .one(DecidedBy::NoFile)
        .one(DecidedBy::NotRunnable)
        .one(DecidedBy::NotStarted)
        .one(DecidedBy::QueuedTooLate)
        .one(DecidedBy::PreScript)
        .one(DecidedBy::EpRestarted)
        .one(DecidedBy::EpStopped)
        .one(DecidedBy::NotWanted)
        .one(DecidedBy::Unknown)
        .whole()
}
