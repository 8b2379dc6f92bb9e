//! GoogleTest's JSON (`--gtest_output=json:FILE`).

use std::io::Read;

use serde::Deserialize;

use super::{
    Cases, Habits, Told,
    case::{Case, Mark, seconds},
    first_line,
};

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    tests: u64,
    #[serde(default)]
    failures: u64,
    #[serde(default)]
    errors: u64,
    testsuites: Vec<Suite>,
}

#[derive(Deserialize)]
struct Suite {
    #[serde(default)]
    testsuite: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    #[serde(default)]
    name: String,
    #[serde(default)]
    classname: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    result: String,
    #[serde(default)]
    time: String,
    #[serde(default)]
    failures: Vec<Failure>,
    #[serde(default)]
    skipped: Vec<Skipped>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    failure: String,
}

#[derive(Deserialize)]
struct Skipped {
    #[serde(default)]
    message: String,
}

/// Reads a report.
///
/// # Errors
/// JSON that ends early, or is something else.
pub(super) fn read(source: impl Read, habits: Habits) -> Result<Cases, String> {
    let report: Report = serde_json::from_reader(source)
        .map_err(|error| format!("they are no whole JSON of GoogleTest, nor of `go test -json`: {error}"))?;
    let mut cases = Cases::new("GoogleTest", habits);
    for test in report.testsuites.into_iter().flat_map(|suite| suite.testsuite) {
        cases.add(case(&test));
    }
    let failed = report.failures.saturating_add(report.errors);
    let shown = cases.shown();
    cases.compare(Told { total: report.tests, failed }, shown, "testsuites");
    cases.compare_counts(report.tests, shown.total, "testsuites");
    Ok(cases)
}

fn case(test: &Test) -> Case {
    let name = format!("{}.{}", test.classname, test.name);
    let mut case = Case::new(name.trim_matches('.').to_owned()).lasted(seconds(&test.time));
    case.mark(Mark::of_word(&test.status), "");
    case.mark(Mark::of_word(&test.result), "");
    // `RUN` without `COMPLETED` began and did not end.
    if case.has_passed() && test.failures.is_empty() && !test.result.eq_ignore_ascii_case("completed") {
        case.mark(Mark::Unfinished, "");
    }
    for failure in &test.failures {
        case.mark(Mark::Failed, first_line(&failure.failure));
    }
    for skipped in &test.skipped {
        case.explain(&skipped.message);
    }
    case
}
