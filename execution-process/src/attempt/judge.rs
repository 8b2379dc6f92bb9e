//! What verdict follows from all that is known of a test that nobody ended from outside: pure.
//!
//! In this order: what watched it is gone; what it declared, unless that is PASS; what its tests came to; its exit status; and a PASS
//! that it declared only where none of these says otherwise. Nothing that did not run to its end becomes a PASS.

use jackfield_config::ep::RunnerKind;
use jackfield_protocol::verdict::{Cause, DecidedBy, Outcome, Verdict, signal_name};

use super::{plain::plain, story::Story};
use crate::{process::Exit, results::Cases};

/// The exit status that says: skipped.
const SKIPPED_CODE: i32 = 77;
/// A file of results, or what came of it.
const PYTEST_NOTHING_COLLECTED: i32 = 5;
/// Of the last words of a test, what fits into a reason.
const LAST_WORDS_CHARS: usize = 200;
/// Lines from the end, among which one that tells more than the last is looked for.
const LAST_LINES: usize = 30;
/// What stands in a line that says why a program gave up.
const TELLING: &[&str] = &[
    "error",
    "fail",
    "not found",
    "no such",
    "cannot",
    "can't",
    "could not",
    "denied",
    "refused",
    "unknown",
    "invalid",
    "missing",
    "fatal",
    "panic",
    "exception",
    "usage:",
    "unbound",
    "timed out",
    "unreachable",
    "abort",
];

/// Where the tests inside a test were to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Nowhere.
    Nothing,
    /// In a file of this name, by this tool.
    File(RunnerKind, String),
    /// In what it prints.
    Printed,
}

/// All that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence<'a> {
    pub(super) story: &'a Story,
    pub(super) expected: &'a Expected,
    pub(super) cases: Option<&'a Cases>,
    pub(super) exit: &'a Exit,
    /// The end of what it printed.
    pub(super) last_words: &'a str,
}

/// The verdict.
pub(super) fn judge(evidence: Evidence<'_>) -> Outcome {
    if let Exit::Lost(reason) = evidence.exit {
        return Outcome::not_pass(Verdict::Aborted, Cause::Lab, DecidedBy::ProcessLost, reason.clone());
    }
    let outcome = match (&evidence.story.result, evidence.exit) {
        (Some(declared), _) if declared.verdict != Verdict::Pass => return declared.clone(),
        // A step test has no process that could say otherwise.
        (Some(declared), Exit::None) => declared.clone(),
        (Some(declared), _) => {
            let seen = seen(evidence);
            if seen.verdict == Verdict::Pass { declared.clone() } else { seen }
        }
        (None, _) => seen(evidence),
    };
    evidence.story.failed_check().filter(|_| outcome.verdict == Verdict::Pass).unwrap_or(outcome)
}

/// Why a test that was ended from outside had, by its own word, failed already.
pub(super) fn with_declared(forced: Outcome, story: &Story) -> Outcome {
    match &story.result {
        Some(declared) if declared.verdict != Verdict::Pass => {
            let reason = format!(
                "{}; before that it had said {}: {}",
                forced.reason, declared.verdict, declared.reason
            );
            Outcome { reason, ..forced }
        }
        _ => forced,
    }
}

/// What its tests and its exit status say.
fn seen(evidence: Evidence<'_>) -> Outcome {
    let by_exit = evidence.story.after_refusal(by_exit(evidence.exit, evidence.last_words));
    let Some(cases) = evidence.cases.filter(|cases| !cases.is_empty()) else {
        return without_cases(evidence, by_exit);
    };
    let Some(outcome) = cases.outcome() else { return without_cases(evidence, by_exit) };
    match outcome.verdict {
        Verdict::Pass | Verdict::Skipped => {}
        Verdict::Invalid => return cut_off(evidence, outcome),
        Verdict::Fail | Verdict::Aborted | Verdict::NotExecuted | Verdict::Timeout => {
            return evidence.story.blamed(outcome);
        }
    }
    let nothing_collected = *evidence.exit == Exit::Code(PYTEST_NOTHING_COLLECTED)
        && matches!(evidence.expected, Expected::File(RunnerKind::Pytest, _));
    match (outcome.verdict, by_exit.verdict) {
        (_, Verdict::Pass) | (Verdict::Skipped, Verdict::Skipped) => outcome,
        (Verdict::Skipped, _) if nothing_collected => outcome,
        // Whoever ran the tests may know of a failure that is in none of them.
        (_, Verdict::Fail) => {
            let reason = format!("its tests passed, but {}", by_exit.reason);
            Outcome { reason, ..by_exit }
        }
        _ => by_exit,
    }
}

/// Results that end early: often because what ran the tests did.
fn cut_off(evidence: Evidence<'_>, outcome: Outcome) -> Outcome {
    match (evidence.expected, evidence.exit) {
        (Expected::File(RunnerKind::Java, _), Exit::Code(code)) => {
            let reason = format!(
                "the Java machine ended (exit status {code}) before all of its tests were done; {}",
                outcome.reason
            );
            Outcome { reason, ..outcome }
        }
        (_, Exit::Signal(_)) => {
            let by_exit = by_exit(evidence.exit, evidence.last_words);
            let reason = format!("{}; {}", by_exit.reason, outcome.reason);
            Outcome { reason, ..by_exit }
        }
        _ => outcome,
    }
}

/// No test inside it was told of, and something else has to say how it was.
fn without_cases(evidence: Evidence<'_>, by_exit: Outcome) -> Outcome {
    let by = |file: Option<&str>| DecidedBy::NoTests { file: file.map(str::to_owned) };
    let invalid = |file, reason| Outcome::not_pass(Verdict::Invalid, Cause::Test, by(file), reason);
    let is_there = evidence.cases.is_some();
    match (evidence.expected, evidence.exit) {
        (Expected::Nothing, _) | (_, Exit::Signal(_) | Exit::Lost(_) | Exit::None) => by_exit,
        (Expected::File(RunnerKind::Pytest, _), Exit::Code(code)) => {
            by_pytest(*code, is_there, evidence.last_words)
        }
        (Expected::File(RunnerKind::Robot, _), Exit::Code(code)) => {
            by_robot(*code, is_there, evidence.last_words)
        }
        // Java leaves a file only where there are JUnit tests; a class with a `main` is judged by its end.
        (Expected::File(RunnerKind::Java, _), _) if !is_there => by_exit,
        // It failed or skipped itself: that says enough.
        (Expected::File(..), _) if !is_there && by_exit.verdict != Verdict::Pass => by_exit,
        (Expected::File(tool, file), _) if is_there => {
            invalid(Some(file), format!("{} found no tests in it", tool.as_str()))
        }
        (Expected::File(_, file), _) => {
            let reason = format!(
                "it left no file of results: `{file}` is not there, so nothing shows that a test ran"
            );
            invalid(Some(file), reason)
        }
        (Expected::Printed, _) if by_exit.verdict == Verdict::Pass => {
            invalid(None, "it printed no test, so nothing shows that one ran".to_owned())
        }
        (Expected::Printed, _) => by_exit,
    }
}

/// pytest told of no test; what its exit status means (`pytest.ExitCode`).
fn by_pytest(code: i32, is_there: bool, last_words: &str) -> Outcome {
    let by = DecidedBy::ToolStatus { tool: "pytest".to_owned(), status: code };
    let invalid = |reason: String| {
        let reason = with_last_words(reason, last_words);
        Outcome::not_pass(Verdict::Invalid, Cause::Test, by.clone(), reason)
    };
    let nothing =
        || Outcome::not_pass(Verdict::Invalid, Cause::Test, by.clone(), "pytest found no tests in it");
    match code {
        _ if last_words.contains("No module named pytest") => {
            not_installed("pytest", "pytest", "python3-pytest")
        }
        2 => {
            let reason = with_last_words("pytest was interrupted before a test ended".to_owned(), last_words);
            Outcome::not_pass(Verdict::Aborted, Cause::Unfinished, by, reason)
        }
        3 => invalid("pytest itself broke (exit status 3)".to_owned()),
        4 => invalid("pytest was called wrongly (exit status 4)".to_owned()),
        PYTEST_NOTHING_COLLECTED => nothing(),
        _ if is_there => nothing(),
        code => invalid(format!("pytest ended with status {code} and left no results")),
    }
}

/// Robot Framework told of no test; what its exit status means (its user guide, 3.1.3).
fn by_robot(code: i32, is_there: bool, last_words: &str) -> Outcome {
    let by = DecidedBy::ToolStatus { tool: "robot".to_owned(), status: code };
    let invalid = |reason: String| {
        let reason = with_last_words(reason, last_words);
        Outcome::not_pass(Verdict::Invalid, Cause::Test, by.clone(), reason)
    };
    match code {
        _ if last_words.contains("No module named robot") => {
            not_installed("robot", "robot", "robotframework, by pip")
        }
        251 | 252 => invalid(format!("robot found no tests in it, or was called wrongly ({code})")),
        253 => {
            let reason = with_last_words("robot was interrupted before a test ended".to_owned(), last_words);
            Outcome::not_pass(Verdict::Aborted, Cause::Unfinished, by, reason)
        }
        255 => invalid("robot itself broke (255)".to_owned()),
        _ if is_there => invalid("robot found no tests in it".to_owned()),
        code => invalid(format!("robot ended with status {code} and left no results")),
    }
}

fn not_installed(tool: &str, module: &str, package: &str) -> Outcome {
    let reason = format!(
        "{tool} cannot be started: the python of ep.toml has no module {module}; install it ({package}), or name another in [interpreters]"
    );
    Outcome::not_pass(Verdict::Invalid, Cause::Lab, DecidedBy::NotStarted, reason)
}

fn by_exit(exit: &Exit, last_words: &str) -> Outcome {
    let by_status = |status| DecidedBy::ExitStatus { status };
    let failed = |code, cause, reason| {
        Outcome::not_pass(Verdict::Fail, cause, by_status(code), with_last_words(reason, last_words))
    };
    match exit {
        Exit::Code(0) => Outcome::pass(by_status(0)),
        Exit::Code(SKIPPED_CODE) => {
            let reason = "it skipped itself (exit status 77)";
            Outcome::not_pass(Verdict::Skipped, Cause::Test, by_status(SKIPPED_CODE), reason)
        }
        // What a shell leaves with, of its own or of its last command (POSIX, 2.8.2).
        Exit::Code(126) => {
            failed(126, Cause::Test, "exit status 126: a program in it is not executable".to_owned())
        }
        Exit::Code(127) => {
            failed(127, Cause::Test, "exit status 127: a program in it was not found".to_owned())
        }
        Exit::Code(2) if last_words.to_ascii_lowercase().contains("syntax error") => {
            failed(2, Cause::Test, "exit status 2: it cannot be read to its end".to_owned())
        }
        Exit::Code(code) if names_no_variable(last_words) => {
            failed(*code, Cause::Test, format!("exit status {code}: a variable in it is not set"))
        }
        Exit::Code(code) => failed(*code, Cause::Product, format!("exit status {code}")),
        Exit::Signal(number) => {
            let reason = format!("it was ended by signal {number}{}", signal_name(*number));
            let by = DecidedBy::Signal { number: *number };
            Outcome { crashed: true, ..Outcome::not_pass(Verdict::Fail, Cause::Test, by, reason) }
        }
        Exit::Lost(reason) => {
            Outcome::not_pass(Verdict::Aborted, Cause::Lab, DecidedBy::ProcessLost, reason.clone())
        }
        Exit::None => {
            Outcome::not_pass(Verdict::Invalid, Cause::Lab, DecidedBy::NotStarted, "it was not started")
        }
    }
}

/// What a shell under `set -u` says last (dash, bash, ksh).
fn names_no_variable(last_words: &str) -> bool {
    let last = last_words.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    ["parameter not set", "unbound variable"].iter().any(|end| last.ends_with(end))
}

/// A status alone tells little; what a program printed last often tells why.
fn with_last_words(reason: String, last_words: &str) -> String {
    match telling_line(&plain(last_words)) {
        Some(line) => {
            let short: String = line.chars().take(LAST_WORDS_CHARS).collect();
            format!("{reason}; it said: {short}")
        }
        None => reason,
    }
}

/// The last line that sounds like a reason; else the last that says anything.
fn telling_line(last_words: &str) -> Option<&str> {
    let lines = || {
        last_words
            .lines()
            .rev()
            .map(str::trim)
            .filter(|line| line.chars().any(char::is_alphanumeric))
            .take(LAST_LINES)
    };
    let tells = |line: &&str| {
        let lower = line.to_ascii_lowercase();
        TELLING.iter().any(|word| lower.contains(word))
    };
    lines().find(tells).or_else(|| lines().next())
}

#[cfg(test)]
mod tests;
