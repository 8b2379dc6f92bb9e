//! The lab's own vocabulary: what `$twister_tc_status` and its like stand for, in the statements of `db.xml` and in mail.
//!
//! A name is looked up in this order: the names of [`RUN_NAMES`], [`EP_NAMES`] and [`TEST_NAMES`]; fields the shell has
//! evaluated; custom variables that the test set; its properties; what its suites define, innermost first; what the project
//! defines. Only names that are asked for cost anything, so a log is read only where a statement wants it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::{id::EpName, log::Stream, time::Time, verdict::Verdict};

use crate::{
    excerpt::Logs,
    results::{Results, Row},
    text::local,
};

/// The same for all tests of a run.
pub const RUN_NAMES: [&str; 15] = [
    "twister_user",
    "twister_ce_type",
    "twister_server_location",
    "twister_ce_os",
    "twister_ce_timezone",
    "twister_ce_hostname",
    "twister_ce_ip",
    "twister_ce_python_revision",
    "twister_rf_fname",
    "twister_pf_fname",
    "jackfield_run",
    "jackfield_project",
    "jackfield_state",
    "jackfield_software",
    "jackfield_stopped",
];

/// Of the EP that ran a test.
pub const EP_NAMES: [&str; 5] = [
    "twister_ep_name",
    "twister_ep_os",
    "twister_ep_hostname",
    "twister_ep_ip",
    "twister_ep_python_revision",
];

/// Of one test.
pub const TEST_NAMES: [&str; 26] = [
    "twister_suite_id",
    "twister_suite_name",
    "twister_tc_id",
    "twister_tc_name",
    "twister_tc_full_path",
    "twister_tc_title",
    "twister_tc_description",
    "twister_tc_revision",
    "twister_tc_status",
    "twister_tc_reason",
    "twister_tc_iteration",
    "twister_tc_crash_detected",
    "twister_tc_time_elapsed",
    "twister_tc_date_started",
    "twister_tc_date_finished",
    "twister_tc_log",
    "twister_tc_log_running",
    "twister_tc_log_debug",
    "twister_tc_log_test",
    "jackfield_test",
    "jackfield_attempt",
    "jackfield_verdict",
    "jackfield_cause",
    "jackfield_sut",
    "jackfield_suite_path",
    "jackfield_elapsed_millis",
];

/// What a log variable says where the test has no such log.
const NO_LOG: &str = "*no log*";

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// What stands for a line end in a log: Twister's `<br>`, which its report pages show as one.
    pub line_end: &'static str,
    /// Most bytes of a log in one value.
    pub log_bytes_max: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { line_end: "<br>", log_bytes_max: 1024 * 1024 }
    }
}

/// The variables of one test.
#[derive(Clone, Copy)]
pub struct Variables<'a> {
    /// The run.
    pub results: &'a Results,
    /// The test.
    pub row: Row<'a>,
    /// Where log variables come from.
    pub logs: &'a dyn Logs,
    /// Fields of `db.xml` that the shell has evaluated for this test: the output of a `UserScript`.
    pub fields: &'a BTreeMap<String, String>,
    /// How values are written.
    pub style: Style,
}

impl Variables<'_> {
    /// The value of a name; none where it has none here, or the name is unknown ([`known_names`] tells which).
    pub fn get(&self, name: &str) -> Option<String> {
        if RUN_NAMES.contains(&name) {
            return run_value(self.results, name);
        }
        if EP_NAMES.contains(&name) {
            return ep_value(self.results, self.row.ep()?, name);
        }
        if let Some(stream) = log_stream(name) {
            return Some(self.log(stream));
        }
        if TEST_NAMES.contains(&name) {
            return test_value(self.results, self.row, name);
        }
        self.fields.get(name).cloned().or_else(|| defined(self.results, self.row, name).map(str::to_owned))
    }

    fn log(&self, stream: Stream) -> String {
        let excerpt = self.row.last().and_then(|last| {
            let excerpt = self.logs.tail(last, stream, self.style.log_bytes_max)?;
            Some(excerpt.shown(last.attempt))
        });
        let Some(text) = excerpt else { return NO_LOG.to_owned() };
        text.trim_end().replace("\r\n", "\n").replace('\n', self.style.line_end)
    }
}

/// The names that every run has.
pub fn fixed_names() -> impl Iterator<Item = Arc<str>> {
    RUN_NAMES.iter().chain(&EP_NAMES).chain(&TEST_NAMES).map(|name| Arc::from(*name))
}

/// Every name that may stand in a statement or message of this run, beside the fields of `db.xml`.
pub fn known_names(results: &Results) -> BTreeSet<Arc<str>> {
    let mut names: BTreeSet<Arc<str>> = fixed_names().collect();
    names.extend(results.plan.options.user_defined.keys().cloned());
    names.extend(results.plan.suites.iter().flat_map(|suite| suite.user_defined.keys().cloned()));
    for row in results.rows() {
        let custom = row.last().into_iter().flat_map(|last| last.variables().keys());
        for name in row.test.properties.keys().chain(custom) {
            if !names.contains(name) {
                names.insert(name.clone());
            }
        }
    }
    names
}

/// What a name stands for in the mail of a whole run: once where all tests agree; EPs and suites without repeats in a row;
/// otherwise all values in order, up to `values_max`, with how many more there are.
pub fn merged(results: &Results, logs: &dyn Logs, name: &str, values_max: usize) -> Option<String> {
    let fields = BTreeMap::new();
    if RUN_NAMES.contains(&name) {
        return run_value(results, name);
    }
    let style = Style { line_end: "\n", log_bytes_max: 4096 };
    let runs_only = EP_NAMES.contains(&name) || name.starts_with("twister_suite_");
    let mut values: Vec<String> = Vec::new();
    let mut more = 0_u64;
    let mut agree = true;
    for row in results.rows() {
        let Some(value) = (Variables { results, row, logs, fields: &fields, style }).get(name) else {
            continue;
        };
        agree = agree && values.first().is_none_or(|first| *first == value);
        if runs_only && values.last() == Some(&value) {
            continue;
        }
        if values.len() < values_max { values.push(value) } else { more = more.saturating_add(1) }
    }
    if agree {
        return values.into_iter().next();
    }
    let list = values.join(", ");
    Some(if more > 0 { format!("{list}, … and {more} more") } else { list })
}

fn run_value(results: &Results, name: &str) -> Option<String> {
    let engine = &results.engine;
    let text = match name {
        "twister_user" => results.run.user.to_string(),
        "twister_ce_type" => engine.server_type.clone(),
        "twister_server_location" => engine.location.clone(),
        "twister_ce_os" => engine.os.clone(),
        "twister_ce_timezone" => engine.timezone.clone(),
        "twister_ce_hostname" => engine.hostname.clone(),
        "twister_ce_ip" => engine.ip.clone(),
        "twister_ce_python_revision" => engine.python.clone(),
        "twister_rf_fname" => engine.resources_file.clone(),
        "twister_pf_fname" => results.plan.source.clone(),
        "jackfield_run" => results.run.id.to_string(),
        "jackfield_project" => results.run.project.clone(),
        "jackfield_state" => results.run.state.as_str().to_owned(),
        "jackfield_software" => engine.software.clone(),
        "jackfield_stopped" => results.stopped.clone().unwrap_or_default(),
        _ => return None,
    };
    Some(text)
}

fn ep_value(results: &Results, ep: &EpName, name: &str) -> Option<String> {
    let host = results.hosts.get(ep);
    match name {
        "twister_ep_name" => Some(ep.to_string()),
        "twister_ep_os" => host.map(|host| host.os.clone()),
        "twister_ep_hostname" => host.map(|host| host.name.clone()),
        "twister_ep_ip" => host.map(|host| host.ip.clone()),
        "twister_ep_python_revision" => host.map(|host| host.python.clone()),
        _ => None,
    }
}

fn log_stream(name: &str) -> Option<Stream> {
    match name {
        "twister_tc_log" => Some(Stream::Cli),
        "twister_tc_log_running" => Some(Stream::Running),
        "twister_tc_log_debug" => Some(Stream::Debug),
        "twister_tc_log_test" => Some(Stream::Test),
        _ => None,
    }
}

fn test_value(results: &Results, row: Row<'_>, name: &str) -> Option<String> {
    let test = row.test;
    let suite = || results.suite_of(row);
    let tag = |name: &str| row.result.tags.get(name).map(|value| value.to_string());
    match name {
        "twister_suite_id" => suite().map(|suite| suite.id.to_string()),
        "twister_suite_name" => suite().map(|suite| suite.name.to_string()),
        "twister_tc_id" => Some(test.id.to_string()),
        "twister_tc_name" => Some(file_name(&test.file).to_owned()),
        "twister_tc_full_path" => Some(test.file.to_string()),
        "twister_tc_title" => Some(tag("title").unwrap_or_default()),
        "twister_tc_description" => Some(tag("description").unwrap_or_default()),
        "twister_tc_revision" => Some(tag("revision").unwrap_or_else(|| "-1".to_owned())),
        "twister_tc_status" => row.verdict().map(|verdict| twister_word(verdict).to_owned()),
        "twister_tc_reason" => Some(row.reason().to_owned()),
        "twister_tc_iteration" => {
            Some(test.iteration.as_ref().map_or_else(String::new, |iteration| iteration.text.to_string()))
        }
        "twister_tc_crash_detected" => {
            let crashed = row.result.outcome.as_ref().is_some_and(|outcome| outcome.crashed);
            Some(u8::from(crashed).to_string())
        }
        "twister_tc_time_elapsed" => Some((row.elapsed_millis() / 1000).to_string()),
        "twister_tc_date_started" => row.started().map(|time| date(results, time)),
        "twister_tc_date_finished" => row.finished().map(|time| date(results, time)),
        "jackfield_test" => Some(row.index.to_string()),
        "jackfield_attempt" => row.last().map(|last| last.attempt.to_string()),
        "jackfield_verdict" => row.verdict().map(|verdict| verdict.to_string()),
        "jackfield_cause" => row.cause().map(|cause| cause.to_string()),
        "jackfield_sut" => {
            let mut chain = results.plan.suite_chain(test.suite);
            chain.find_map(|(_, suite)| suite.sut.as_ref()).map(ToString::to_string)
        }
        "jackfield_suite_path" => Some(results.suite_path(test.suite).join("/")),
        "jackfield_elapsed_millis" => Some(row.elapsed_millis().to_string()),
        _ => None,
    }
}

/// What people defined: by the test, for the test, its suites, or the project.
fn defined<'a>(results: &'a Results, row: Row<'a>, name: &str) -> Option<&'a str> {
    let custom = row.last().and_then(|last| last.variables().get(name));
    let of_suites = || {
        let mut chain = results.plan.suite_chain(row.test.suite);
        chain.find_map(|(_, suite)| suite.user_defined.get(name))
    };
    custom
        .or_else(|| row.test.properties.get(name))
        .or_else(of_suites)
        .or_else(|| results.plan.options.user_defined.get(name))
        .map(|value| &**value)
}

/// `2026-11-21T01:00:02`: the engine's local time without a zone, which every database reads.
pub(crate) fn date(results: &Results, time: Time) -> String {
    local(time, results.engine.utc_offset_secs, "%Y-%m-%dT%H:%M:%S")
}

/// The word that Twister stored, which the lab's own reports ask for.
pub fn twister_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotExecuted => "NO EXEC",
        Verdict::Pass
        | Verdict::Fail
        | Verdict::Skipped
        | Verdict::Aborted
        | Verdict::Timeout
        | Verdict::Invalid => verdict.as_str(),
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::{excerpt::NoLogs, fixture};

    fn values(test: usize) -> String {
        let (results, logs) = (fixture::demo(), fixture::logs());
        let row = results.rows().nth(test).unwrap();
        let fields = BTreeMap::from([("build".to_owned(), "evaluated".to_owned())]);
        let variables =
            Variables { results: &results, row, logs: &logs, fields: &fields, style: Style::default() };
        known_names(&results).into_iter().fold(String::new(), |mut text, name| {
            match variables.get(&name) {
                Some(value) => writeln!(text, "{name} = {value}").unwrap(),
                None => writeln!(text, "{name} is NULL").unwrap(),
            }
            text
        })
    }

    #[test]
    fn every_variable_of_a_test() {
        insta::assert_snapshot!("an_iteration_that_failed", values(3));
        insta::assert_snapshot!("a_crash", values(6));
        insta::assert_snapshot!("never_executed", values(11));
    }

    #[test]
    fn every_fixed_name_means_something() {
        let results = fixture::demo();
        let row = results.rows().nth(4).unwrap();
        let fields = BTreeMap::new();
        let variables =
            Variables { results: &results, row, logs: &NoLogs, fields: &fields, style: Style::default() };
        for name in RUN_NAMES.iter().chain(&EP_NAMES).chain(&TEST_NAMES) {
            assert!(variables.get(name).is_some(), "{name}");
        }
        assert_eq!(variables.get("throughput").unwrap(), "94.1 Mbit/s");
        assert_eq!(variables.get("twister_tc_log").unwrap(), "*no log*");
        assert_eq!(variables.get("nothing"), None);
    }

    #[test]
    fn values_of_many_tests_become_one() {
        let results = fixture::demo();
        let merged = |name, max| merged(&results, &NoLogs, name, max).unwrap();
        assert_eq!(merged("twister_user", 9), "ana");
        assert_eq!(merged("build", 9), "7");
        assert_eq!(merged("twister_suite_name", 9), "Routing, VLAN v1.2, Routing, Calls");
        assert_eq!(merged("twister_tc_name", 3), "init.py, login.py, vlan.tcl, … and 10 more");
        assert_eq!(super::merged(&results, &NoLogs, "nothing", 3), None);
    }
}
