//! Which rule made a verdict what it is: so that nobody has to guess it from a sentence, and a program need not read one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::id::{EpName, UserName};

/// The rule that decided a verdict. In words: its `Display`.
///
/// A reader that is older than the writer reads a rule that it does not know as [`Self::Unknown`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum DecidedBy {
    /// The exit status of its process.
    ExitStatus {
        /// Which.
        status: i32,
    },
    /// Its process was ended by a signal.
    Signal {
        /// Which.
        number: i32,
    },
    /// Nobody knows how its process ended.
    ProcessLost,
    /// It said so itself.
    Declared,
    /// An error that it did not catch.
    Crash,
    /// A device, or the lab, refused what it asked for, and it ended with that.
    Refusal,
    /// A value that it looked at.
    Check {
        /// Whose value.
        name: String,
    },
    /// A step of a step test.
    Step {
        /// Its title; empty where every step held.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
    },
    /// The tests inside it.
    Tests {
        /// What told of them: `JUnit`, `TAP`.
        format: String,
        /// The file they stood in; none where they were printed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
        /// How many ended how; verdicts that none has are left out.
        counts: std::collections::BTreeMap<Verdict, u64>,
    },
    /// Results that cannot be believed, or not to their end.
    UnusableResults {
        /// The file they stood in; none where they were printed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
    },
    /// No test was told of where some had to be.
    NoTests {
        /// The file they were to stand in; none where they were to be printed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
    },
    /// The exit status of the tool that ran it, which has a meaning of its own.
    ToolStatus {
        /// The tool: `pytest`, `robot`.
        tool: String,
        /// Its status.
        status: i32,
    },
    /// A panic pattern stood in its output.
    PanicPattern {
        /// Which.
        pattern: String,
    },
    /// Its own time limit.
    TestLimit {
        /// How long it was.
        millis: u64,
    },
    /// The time limit of a suite around it.
    SuiteLimit {
        /// The suite's name.
        suite: String,
    },
    /// The time limit of the run, or of its waiting to begin.
    RunLimit,
    /// `limits.processes` of its EP.
    ProcessLimit {
        /// How many there may be.
        most: u64,
    },
    /// A limit of `[cgroup]` of its EP, for all of its processes together.
    CgroupLimit {
        /// Which: `memory`, `processes`.
        setting: String,
        /// What it allows.
        most: u64,
    },
    /// What stands in its file: it cannot be run as it is.
    File,
    /// Its file was not there when the run began.
    NoFile,
    /// It is marked not runnable.
    NotRunnable,
    /// Its EP could not start it.
    NotStarted,
    /// A rule between tests: setup, prerequisite, stop on fail, iteration, dependency.
    OtherTest {
        /// What the rule says: `the setup file of suite S1 did not pass`.
        says: String,
        /// The test that set it off; empty where there never was one.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        test: String,
    },
    /// A person stopped the run.
    Stopped {
        /// Who.
        by: UserName,
    },
    /// A person took it out of the run.
    Dequeued {
        /// Who.
        by: UserName,
    },
    /// It was queued when its suite was over.
    QueuedTooLate,
    /// The script before the run failed.
    PreScript,
    /// Its EP was not heard for too long.
    EpLost {
        /// Which.
        ep: EpName,
    },
    /// Its EP died, or was started again, while it ran.
    EpRestarted,
    /// Its EP was stopped by a person.
    EpStopped,
    /// Its EP belongs to another engine now, or its engine did not want it any more.
    NotWanted,
    /// The EP takes only the work of somebody else.
    Pool {
        /// Whose.
        owner: UserName,
    },
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

impl fmt::Display for DecidedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExitStatus { status } => write!(f, "exit status {status}"),
            Self::Signal { number } => write!(f, "signal {number}{}", signal_name(*number)),
            Self::ProcessLost => f.write_str("its process was lost"),
            Self::Declared => f.write_str("its own word"),
            Self::Crash => f.write_str("an error that it did not catch"),
            Self::Refusal => f.write_str("it was refused what it asked for"),
            Self::Check { name } => write!(f, "check: {name}"),
            Self::Step { name } if name.is_empty() => f.write_str("its steps"),
            Self::Step { name } => write!(f, "step: {name}"),
            Self::Tests { format, file, counts } => {
                write!(f, "{format}: {}{}", counted(counts), place(file.as_deref()))
            }
            Self::UnusableResults { file } => {
                write!(f, "results that cannot be used{}", place(file.as_deref()))
            }
            Self::NoTests { file } => write!(f, "no test told of{}", place(file.as_deref())),
            Self::ToolStatus { tool, status } => write!(f, "exit status {status} of {tool}"),
            Self::PanicPattern { pattern } => write!(f, "panic pattern `{pattern}` in its output"),
            Self::TestLimit { millis } => write!(f, "time limit of the test: {}", span(*millis)),
            Self::SuiteLimit { suite } => write!(f, "time limit of suite {suite}"),
            Self::RunLimit => f.write_str("time limit of the run"),
            Self::ProcessLimit { most } => write!(f, "limits.processes of the EP: {most}"),
            Self::CgroupLimit { setting, most } => write!(f, "cgroup.{setting} of the EP: {most}"),
            Self::File => f.write_str("what stands in its file"),
            Self::NoFile => f.write_str("its file was not there"),
            Self::NotRunnable => f.write_str("marked not runnable"),
            Self::NotStarted => f.write_str("its EP could not start it"),
            Self::OtherTest { says, test } if test.is_empty() => write!(f, "rule between tests: {says}"),
            Self::OtherTest { says, test } => write!(f, "rule between tests: {says} ({test})"),
            Self::Stopped { by } => write!(f, "the run was stopped by {by}"),
            Self::Dequeued { by } => write!(f, "taken out of the run by {by}"),
            Self::QueuedTooLate => f.write_str("queued when its suite was over"),
            Self::PreScript => f.write_str("the pre script of the run"),
            Self::EpLost { ep } => write!(f, "EP lost: {ep}"),
            Self::EpRestarted => f.write_str("EP restarted while it ran"),
            Self::EpStopped => f.write_str("EP stopped"),
            Self::NotWanted => f.write_str("its engine did not want it any more"),
            Self::Pool { owner } => write!(f, "the EP takes only work of {owner}"),
            Self::Unknown => f.write_str("a rule that this version does not know"),
        }
    }
}

/// `2 failures, 1 skipped, 3 passed`: what was bad first.
fn counted(counts: &std::collections::BTreeMap<Verdict, u64>) -> String {
    let order = [
        Verdict::Fail,
        Verdict::Aborted,
        Verdict::Timeout,
        Verdict::Invalid,
        Verdict::NotExecuted,
        Verdict::Skipped,
        Verdict::Pass,
    ];
    let said = order.into_iter().filter_map(|verdict| {
        let count = counts.get(&verdict).copied().filter(|count| *count > 0)?;
        let word = match verdict {
            Verdict::Fail if count == 1 => "failure",
            Verdict::Fail => "failures",
            Verdict::Aborted => "did not end",
            Verdict::Timeout => "out of time",
            Verdict::Invalid => "invalid",
            Verdict::NotExecuted => "not executed",
            Verdict::Skipped => "skipped",
            Verdict::Pass => "passed",
        };
        Some(format!("{count} {word}"))
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { "no test".to_owned() } else { said.join(", ") }
}

fn place(file: Option<&str>) -> String {
    file.map_or_else(String::new, |file| format!(" in {file}"))
}

/// `1500 ms`, `90 s`
fn span(millis: u64) -> String {
    if millis.is_multiple_of(1000) { format!("{} s", millis / 1000) } else { format!("{millis} ms") }
}

/// The name of a signal, in brackets and with a blank before it; empty where it has none that people know.
pub fn signal_name(number: i32) -> &'static str {
    match number {
        1 => " (HUP)",
        2 => " (INT)",
        3 => " (QUIT)",
        4 => " (ILL)",
        5 => " (TRAP)",
        6 => " (ABRT)",
        7 => " (BUS)",
        8 => " (FPE)",
        9 => " (KILL)",
        10 => " (USR1)",
        11 => " (SEGV)",
        12 => " (USR2)",
        13 => " (PIPE)",
        14 => " (ALRM)",
        15 => " (TERM)",
        24 => " (XCPU)",
        25 => " (XFSZ)",
        31 => " (SYS)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_rule_is_said_in_words() {
        let tests = |file: Option<&str>, counts: &[(Verdict, u64)]| DecidedBy::Tests {
            format: "JUnit".to_owned(),
            file: file.map(str::to_owned),
            counts: counts.iter().copied().collect(),
        };
        for (rule, words) in [
            (DecidedBy::ExitStatus { status: 1 }, "exit status 1"),
            (DecidedBy::Signal { number: 11 }, "signal 11 (SEGV)"),
            (
                tests(Some("r.xml"), &[(Verdict::Fail, 2), (Verdict::Pass, 3)]),
                "JUnit: 2 failures, 3 passed in r.xml",
            ),
            (tests(None, &[(Verdict::Fail, 1), (Verdict::Skipped, 1)]), "JUnit: 1 failure, 1 skipped"),
            (tests(None, &[]), "JUnit: no test"),
            (DecidedBy::EpLost { ep: "EP-2".into() }, "EP lost: EP-2"),
            (DecidedBy::TestLimit { millis: 90_000 }, "time limit of the test: 90 s"),
            (DecidedBy::Step { name: String::new() }, "its steps"),
        ] {
            assert_eq!(rule.to_string(), words);
        }
    }

    #[test]
    fn a_rule_of_a_later_version_is_no_error() {
        let read: DecidedBy = serde_json::from_str(r#"{"rule": "moon_phase", "phase": 3}"#).unwrap();
        assert_eq!(read, DecidedBy::Unknown);
        let counts = BTreeMap::from([(Verdict::Fail, 2)]);
        let rule = DecidedBy::Tests { format: "TAP".to_owned(), file: None, counts };
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(text, r#"{"rule":"tests","format":"TAP","counts":{"FAIL":2}}"#);
        assert_eq!(serde_json::from_str::<DecidedBy>(&text).unwrap(), rule);
    }
}
