//! All tests of a run for programs, a line or an object each: CSV for sheets, JSON for scripts, TAP for what reads TAP.
//!
//! They have the same facts under the same names ([`Line`]), and are written in one walk over the tests.

mod csv;
mod json;
mod tap;

use std::io::{self, Write};

use serde::Serialize;

use crate::results::{Results, Row};

/// What a list is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, with a line of names.
    Csv,
    /// One object: the run, and its tests.
    Json,
    /// The Test Anything Protocol, version 14.
    Tap,
}

/// Writes the tests of a run. The writer should be buffered.
///
/// # Errors
/// Those of the writer.
pub fn write(results: &Results, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Csv => csv::write(results, out),
        Format::Json => json::write(results, out),
        Format::Tap => tap::write(results, out),
    }
}

/// What is told of a test. Absent is what is not known: a test that no EP ran has no `ep`.
#[derive(Debug, Serialize)]
struct Line<'a> {
    /// Its number in the run.
    test: u32,
    suite: String,
    name: &'a str,
    file: &'a str,
    iteration: Option<&'a str>,
    /// Its verdict, or what it does instead.
    state: &'static str,
    cause: Option<&'static str>,
    reason: &'a str,
    /// The rule that decided it, in words.
    decided_by: Option<String>,
    ep: Option<&'a str>,
    started: Option<String>,
    finished: Option<String>,
    elapsed_millis: u64,
    /// How often it was tried.
    tries: usize,
    /// The last try, as commands name it.
    attempt: Option<String>,
    exit_code: Option<i32>,
}

impl<'a> Line<'a> {
    fn of(results: &'a Results, row: Row<'a>) -> Self {
        Self {
            test: row.index.0,
            suite: results.suite_path(row.test.suite).join("/"),
            name: &row.test.name,
            file: &row.test.file,
            iteration: row.test.iteration.as_ref().map(|iteration| &*iteration.text),
            state: row.state().as_str(),
            cause: row.cause().map(|cause| cause.as_str()),
            reason: row.reason(),
            decided_by: row.decided_by().map(ToString::to_string),
            ep: row.ep().map(|ep| ep.as_str()),
            started: row.started().map(|time| time.to_string()),
            finished: row.finished().map(|time| time.to_string()),
            elapsed_millis: row.elapsed_millis(),
            tries: row.result.attempts.len(),
            attempt: row.last().map(|last| last.attempt.to_string()),
            exit_code: row.last().and_then(|last| last.exit_code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn written(format: Format) -> String {
        let mut out = Vec::new();
        write(&fixture::demo(), format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_run_as_csv() {
        insta::assert_snapshot!(written(Format::Csv).replace('\r', ""));
    }

    #[test]
    fn a_run_as_json() {
        let whole: serde_json::Value = serde_json::from_str(&written(Format::Json)).unwrap();
        assert_eq!(whole["tests"].as_array().unwrap().len(), fixture::demo().plan.tests.len());
        insta::assert_snapshot!(written(Format::Json));
    }

    #[test]
    fn a_run_as_tap() {
        insta::assert_snapshot!(written(Format::Tap));
    }

    #[test]
    fn a_large_run_is_whole() {
        let results = fixture::large(100_000);
        let lines = |format| {
            let mut out = Vec::new();
            write(&results, format, &mut out).unwrap();
            String::from_utf8(out).unwrap().lines().count()
        };
        assert_eq!(lines(Format::Csv), 100_001);
        assert!(lines(Format::Json) >= 100_000 && lines(Format::Tap) >= 100_002);
    }
}
