//! The JUnit XML that CI servers read.
//!
//! The dialect: `testsuites` with totals; one flat `testsuite` for each suite of the plan that holds tests of its own, named by
//! its path; one `testcase` for each test with `classname`, `name`, `time` and `file`. SKIPPED is `skipped`; everything else
//! that is not PASS is `failure` where the product is to blame (or a plain FAIL blames nobody), and `error` where the lab, the
//! test, a person or time is: nothing that did not run to a PASS counts as passed. A test without an end is an `error` too.
//!
//! Values that a test checked are properties of its case, as CI servers draw them: `check.NAME` is the value, `check.NAME.limits` what had
//! to hold, `check.NAME.verdict` whether it did.
//!
//! Tests inside a test (parts) are lines of its `system-out`, not cases: so the numbers of the CI server are those of the run,
//! and a repeated or crashed script is one case however far it came. Earlier tries are Surefire's elements: `flakyFailure` and
//! `flakyError` when a later try passed, `rerunFailure` and `rerunError` when none did.

mod kind;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write},
};

use jackfield_protocol::{id::SuiteIndex, link::Check, log::Stream, plan::PlannedSuite, verdict::Verdict};

use kind::{Kind, Tally, kind, message, outcome_type};

use crate::{
    excerpt::Logs,
    results::{AttemptResult, Results, Row},
    text::{attribute, escaped, one_line, seconds},
};

/// Most checked values of a test in it.
const CHECKS_MAX: usize = 500;

/// What of the logs goes into the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Most bytes of a test's log; 0 for none.
    pub log_bytes_max: usize,
    /// Also logs of tests that passed.
    pub passed_logs: bool,
    /// Most bytes of all logs together, so that a night of failures stays readable; later tests only say where their log is.
    pub all_logs_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { log_bytes_max: 16 * 1024, passed_logs: false, all_logs_bytes_max: 64 * 1024 * 1024 }
    }
}

/// Writes the report. The writer should be buffered.
///
/// # Errors
/// Those of the writer.
pub fn write(results: &Results, logs: &dyn Logs, options: Options, out: &mut dyn Write) -> io::Result<()> {
    let suites = suites(results);
    let totals = suites.iter().fold(Tally::default(), |sum, suite| sum.plus(suite.tally));
    let run = &results.run;
    let name = format!("{} run {}", run.project, run.id);
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    write!(
        out,
        "<testsuites name=\"{}\"{totals} time=\"{}\"",
        attribute(&name),
        seconds(results.elapsed_millis())
    )?;
    writeln!(out, " timestamp=\"{}\">", run.started.unwrap_or(run.submitted))?;
    let mut report =
        Report { results, logs, options, logs_left: options.all_logs_bytes_max, names: BTreeMap::new() };
    for (id, suite) in suites.iter().enumerate() {
        report.suite(id, suite, out)?;
    }
    writeln!(out, "</testsuites>")
}

/// A suite with its own tests.
struct Suite<'a> {
    planned: Option<&'a PlannedSuite>,
    path: Vec<&'a str>,
    rows: Vec<Row<'a>>,
    tally: Tally,
    elapsed_millis: u64,
}

/// The suites that hold tests of their own, in document order, each with its tests in order.
fn suites(results: &Results) -> Vec<Suite<'_>> {
    let mut suites: BTreeMap<SuiteIndex, Suite<'_>> = BTreeMap::new();
    for row in results.rows() {
        let suite = suites.entry(row.test.suite).or_insert_with(|| Suite {
            planned: results.plan.suite(row.test.suite),
            path: results.suite_path(row.test.suite),
            rows: Vec::new(),
            tally: Tally::default(),
            elapsed_millis: 0,
        });
        suite.rows.push(row);
        suite.tally = suite.tally.plus(Tally::of(kind(row.result.outcome.as_ref(), row.started().is_some())));
        suite.elapsed_millis = suite.elapsed_millis.saturating_add(row.elapsed_millis());
    }
    suites.into_values().collect()
}

struct Report<'r> {
    results: &'r Results,
    logs: &'r dyn Logs,
    options: Options,
    logs_left: usize,
    /// How many cases of a class have a name: GitLab keeps the first of those that it cannot tell apart, and suites that differ by their EP
    /// or SUT alone have one class.
    names: BTreeMap<(String, &'r str), u32>,
}

impl<'r> Report<'r> {
    /// Two suites of one name that began at one moment are the same to Jenkins, which drops the second, but for their ids.
    fn suite(&mut self, id: usize, suite: &Suite<'r>, out: &mut dyn Write) -> io::Result<()> {
        let first = suite.rows.iter().filter_map(Row::started).min();
        let name = suite.path.join("/");
        write!(
            out,
            "  <testsuite id=\"{id}\" name=\"{}\"{} time=\"{}\"",
            attribute(&name),
            suite.tally,
            seconds(suite.elapsed_millis)
        )?;
        if let Some(first) = first {
            write!(out, " timestamp=\"{first}\"")?;
        }
        if let Some(host) = self.hostname(suite) {
            write!(out, " hostname=\"{}\"", attribute(host))?;
        }
        writeln!(out, ">")?;
        self.suite_properties(suite, out)?;
        let class = class_name(&self.results.run.project, &suite.path);
        for row in &suite.rows {
            let count = self.names.entry((class.clone(), &*row.test.name)).or_default();
            *count = count.saturating_add(1);
            let name = match *count {
                1 => row.test.name.to_string(),
                again => format!("{} ({again})", row.test.name),
            };
            self.case(*row, &class, &name, out)?;
        }
        writeln!(out, "  </testsuite>")
    }

    /// The machine, where all tests of the suite ran on one.
    fn hostname(&self, suite: &Suite<'_>) -> Option<&str> {
        let mut eps = suite.rows.iter().filter_map(Row::ep);
        let first = eps.next()?;
        eps.all(|ep| ep == first).then_some(())?;
        self.results.hosts.get(first).map(|host| &*host.name)
    }

    fn suite_properties(&self, suite: &Suite<'_>, out: &mut dyn Write) -> io::Result<()> {
        let run = &self.results.run;
        writeln!(out, "    <properties>")?;
        property(out, 6, "jackfield.run", &run.id.to_string())?;
        property(out, 6, "jackfield.state", run.state.as_str())?;
        property(out, 6, "jackfield.user", run.user.as_str())?;
        property(out, 6, "jackfield.project", &self.results.plan.source)?;
        property(out, 6, "jackfield.engine", &self.results.engine.software)?;
        if let Some(stopped) = &self.results.stopped {
            property(out, 6, "jackfield.stopped", stopped)?;
        }
        let Some(planned) = suite.planned else { return writeln!(out, "    </properties>") };
        property(out, 6, "jackfield.suite", &planned.id)?;
        if let Some(sut) = &planned.sut {
            property(out, 6, "jackfield.sut", sut.as_str())?;
        }
        for (name, value) in self.results.plan.options.user_defined.iter().chain(&planned.user_defined) {
            property(out, 6, name, value)?;
        }
        writeln!(out, "    </properties>")
    }

    fn case(&mut self, row: Row<'_>, class: &str, name: &str, out: &mut dyn Write) -> io::Result<()> {
        let (class, name) = (attribute(class), attribute(name));
        write!(
            out,
            "    <testcase classname=\"{class}\" name=\"{name}\" time=\"{}\"",
            seconds(row.elapsed_millis())
        )?;
        write!(out, " file=\"{}\"", attribute(&row.test.file))?;
        if let Some(started) = row.started() {
            write!(out, " timestamp=\"{started}\"")?;
        }
        writeln!(out, ">")?;
        self.case_properties(row, out)?;
        end(row, out)?;
        earlier_tries(row, out)?;
        let said = self.system_out(row);
        if !said.is_empty() {
            writeln!(out, "      <system-out>{}</system-out>", escaped(&said))?;
        }
        writeln!(out, "    </testcase>")
    }

    fn case_properties(&self, row: Row<'_>, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "      <properties>")?;
        property(out, 8, "jackfield.test", &row.test.id)?;
        property(out, 8, "jackfield.verdict", row.state().as_str())?;
        if let Some(cause) = row.cause() {
            property(out, 8, "jackfield.cause", cause.as_str())?;
        }
        if let Some(rule) = row.decided_by() {
            property(out, 8, "jackfield.decided_by", &rule.to_string())?;
        }
        if let Some(last) = row.last() {
            property(out, 8, "jackfield.attempt", &last.attempt.to_string())?;
            property(out, 8, "jackfield.ep", last.ep.as_str())?;
            if let Some(code) = last.exit_code() {
                property(out, 8, "jackfield.exit_code", &code.to_string())?;
            }
            for (name, value) in last.variables() {
                property(out, 8, name, value)?;
            }
            checks(last, out)?;
        }
        if let Some(iteration) = &row.test.iteration {
            property(out, 8, "jackfield.iteration", &iteration.text)?;
        }
        writeln!(out, "      </properties>")
    }

    /// Parts, clean-ups, and the end of the log.
    fn system_out(&mut self, row: Row<'_>) -> String {
        let mut text = String::new();
        let Some(last) = row.last() else { return text };
        for (what, parts) in [("part", last.parts()), ("clean-up", last.cleanups())] {
            for part in parts {
                let reason = if part.reason.is_empty() {
                    String::new()
                } else {
                    format!(": {}", one_line(&part.reason))
                };
                let time = seconds(part.elapsed_millis);
                let _ = writeln!(text, "{what} {} {} ({time} s){reason}", part.verdict, one_line(&part.name));
            }
        }
        if row.verdict() != Some(Verdict::Pass) || self.options.passed_logs {
            text.push_str(&self.log(last));
        }
        text
    }

    fn log(&mut self, last: &AttemptResult) -> String {
        let bytes_max = self.options.log_bytes_max.min(self.logs_left);
        if bytes_max == 0 {
            return if self.options.log_bytes_max == 0 {
                String::new()
            } else {
                format!(
                    "[log left out, this file is long; it is here: jackfield runs logs {}]\n",
                    last.attempt
                )
            };
        }
        let Some(excerpt) = self.logs.tail(last, Stream::Cli, bytes_max) else {
            return String::new();
        };
        self.logs_left = self.logs_left.saturating_sub(excerpt.text.len());
        excerpt.shown(last.attempt)
    }
}

/// The values that a test checked.
fn checks(last: &AttemptResult, out: &mut dyn Write) -> io::Result<()> {
    let all: Vec<&Check> = last.parts().iter().flat_map(|part| &part.checks).collect();
    let mut names: BTreeMap<&str, u32> = BTreeMap::new();
    for check in all.iter().take(CHECKS_MAX) {
        let count = names.entry(&check.name).or_default();
        *count = count.saturating_add(1);
        let again = if *count > 1 { format!(" ({count})") } else { String::new() };
        let name = format!("check.{}{again}", one_line(&check.name));
        property(out, 8, &name, &one_line(&check.shown()))?;
        if !check.limits.is_empty() {
            property(out, 8, &format!("{name}.limits"), &one_line(&check.shown_limits()))?;
            property(out, 8, &format!("{name}.verdict"), check.verdict.as_str())?;
        }
    }
    let left = all.len().saturating_sub(CHECKS_MAX);
    if left > 0 {
        property(out, 8, "jackfield.checks_left_out", &left.to_string())?;
    }
    Ok(())
}

fn property(out: &mut dyn Write, indent: usize, name: &str, value: &str) -> io::Result<()> {
    writeln!(out, "{:indent$}<property name=\"{}\" value=\"{}\"/>", "", attribute(name), attribute(value))
}

/// The element that says how the case ended.
fn end(row: Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    let element = match kind(row.result.outcome.as_ref(), row.started().is_some()) {
        Kind::Passed => return Ok(()),
        Kind::Skipped => {
            return writeln!(out, "      <skipped message=\"{}\"/>", attribute(row.reason()));
        }
        Kind::Failure => "failure",
        Kind::Error => "error",
    };
    let (kind, message) = match &row.result.outcome {
        Some(outcome) => (outcome_type(outcome), message(outcome)),
        None => (row.state().as_str().to_owned(), "it has not ended".to_owned()),
    };
    writeln!(
        out,
        "      <{element} type=\"{}\" message=\"{}\">{}</{element}>",
        attribute(&kind),
        attribute(&message),
        // GitLab shows what stands inside, and nothing where that is nothing.
        escaped(if row.reason().is_empty() { &message } else { row.reason() })
    )
}

/// Tries before the last, as Surefire writes them.
fn earlier_tries(row: Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Some((_last, earlier)) = row.result.attempts.split_last() else { return Ok(()) };
    let passed = row.verdict() == Some(Verdict::Pass);
    for attempt in earlier {
        let element = match (kind(attempt.outcome(), true), passed) {
            (Kind::Passed | Kind::Skipped, _) => continue,
            (Kind::Failure, true) => "flakyFailure",
            (Kind::Error, true) => "flakyError",
            (Kind::Failure, false) => "rerunFailure",
            (Kind::Error, false) => "rerunError",
        };
        let (kind, message, reason) = match attempt.outcome() {
            Some(outcome) => (outcome_type(outcome), message(outcome), &*outcome.reason),
            None => ("ABORTED".to_owned(), "it never reported an end".to_owned(), ""),
        };
        let place = format!("try {} on {}", attempt.attempt, attempt.ep);
        writeln!(
            out,
            "      <{element} type=\"{}\" message=\"{}\"><stackTrace>{}</stackTrace><system-out>{}</system-out></{element}>",
            attribute(&kind),
            attribute(&message),
            escaped(reason),
            escaped(&place)
        )?;
    }
    Ok(())
}

/// `project.S1.S-11`: CI servers group by it, so dots inside names become underscores.
fn class_name(project: &str, path: &[&str]) -> String {
    let names = std::iter::once(project).chain(path.iter().copied());
    names.map(|name| name.replace('.', "_")).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::{excerpt::NoLogs, fixture};

    fn report(results: &Results, logs: &dyn Logs, options: Options) -> String {
        let mut out = Vec::new();
        write(results, logs, options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_dialect() {
        let options = Options { log_bytes_max: 80, ..Options::default() };
        insta::assert_snapshot!(report(&fixture::demo(), &fixture::logs(), options));
    }

    #[test]
    fn totals_are_the_sums_and_nothing_unfinished_passes() {
        let text = report(&fixture::demo(), &NoLogs, Options::default());
        let document = roxmltree::Document::parse(&text).unwrap();
        let root = document.root_element();
        let cases: Vec<_> = root.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        assert_eq!(root.attribute("tests").unwrap(), cases.len().to_string());
        for (name, element) in [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")] {
            let count = cases.iter().filter(|case| case.children().any(|c| c.has_tag_name(element))).count();
            assert_eq!(root.attribute(name).unwrap(), count.to_string(), "{name}");
        }
        let passed = |case: &&roxmltree::Node<'_, '_>| {
            !case.children().any(|c| ["failure", "error", "skipped"].iter().any(|e| c.has_tag_name(*e)))
        };
        let expected = fixture::demo().rows().filter(|row| row.verdict() == Some(Verdict::Pass)).count();
        assert_eq!(cases.iter().filter(passed).count(), expected);
    }

    #[test]
    fn suites_that_differ_by_their_ep_alone_stay_apart() {
        let mut results = fixture::demo();
        let mut plan = (*results.plan).clone();
        for suite in &mut plan.suites {
            (suite.name, suite.parent) = ("same".into(), None);
        }
        for test in &mut plan.tests {
            test.name = "t".into();
        }
        results.plan = Arc::new(plan);
        let text = report(&results, &NoLogs, Options::default());
        let document = roxmltree::Document::parse(&text).unwrap();
        let all = |name: &'static str| document.descendants().filter(move |node| node.has_tag_name(name));
        let cases: std::collections::BTreeSet<_> =
            all("testcase").map(|case| (case.attribute("classname"), case.attribute("name"))).collect();
        assert_eq!(cases.len(), all("testcase").count(), "no case hides another");
        let ids: std::collections::BTreeSet<_> =
            all("testsuite").map(|suite| suite.attribute("id")).collect();
        assert!(ids.len() > 1 && ids.len() == all("testsuite").count(), "{ids:?}");
    }

    #[test]
    fn a_hundred_thousand_tests_are_quick_and_lean() {
        let results = fixture::large(100_000);
        let text = report(&results, &NoLogs, Options::default());
        assert_eq!(text.matches("<testcase ").count(), 100_000);
        assert!(text.len() < 70_000_000, "{} bytes", text.len());
    }

    #[test]
    fn logs_together_have_a_limit_that_is_said() {
        let options = Options { all_logs_bytes_max: 10, ..Options::default() };
        let text = report(&fixture::demo(), &fixture::logs(), options);
        assert!(text.contains("log left out, this file is long"));
    }

    proptest! {
        /// Whatever tests are called and say, a strict parser reads the file, and finds as many cases as there are tests.
        #[test]
        fn any_text_makes_a_file_that_parsers_read(text in prop::collection::vec(any::<char>(), 0..40), log in prop::collection::vec(any::<u8>(), 0..200)) {
            let text: String = text.into_iter().collect();
            let mut results = fixture::demo();
            let mut plan = (*results.plan).clone();
            plan.project.clone_from(&text);
            for test in &mut plan.tests {
                test.name = text.as_str().into();
            }
            for suite in &mut plan.suites {
                suite.name = text.as_str().into();
            }
            results.plan = Arc::new(plan);
            results.run.project.clone_from(&text);
            for attempt in results.tests.iter_mut().flat_map(|test| &mut test.attempts) {
                attempt.end.as_mut().unwrap().variables.insert(text.as_str().into(), text.as_str().into());
            }
            for outcome in results.tests.iter_mut().filter_map(|test| test.outcome.as_mut()) {
                outcome.reason.clone_from(&text);
            }
            let logs = BTreeMap::from([((fixture::attempt_id(4, 1), Stream::Cli), log)]);
            let file = report(&results, &logs, Options { log_bytes_max: 100, ..Options::default() });
            let document = roxmltree::Document::parse(&file).unwrap();
            prop_assert_eq!(document.descendants().filter(|node| node.has_tag_name("testcase")).count(), 13);
        }
    }
}
