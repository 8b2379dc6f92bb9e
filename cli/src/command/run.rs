//! `jackfield run` and `jackfield submit`: from a project file to a verdict.

use std::{path::PathBuf, sync::mpsc, time::Duration};

use anyhow::{Context as _, Result, bail};
use jackfield_config::{limits::PROJECT_BYTES_MAX, load::read_source};
use jackfield_protocol::{
    api::{RunSummary, SubmitRun, Submitted, TestRow},
    error::{ErrorCode, Problem},
    id::{LeaseId, RunId},
    verdict::{TestState, Verdict},
};
use serde_json::json;

use crate::{
    Context,
    client::{Client, Unreachable},
    command::{
        after,
        follow::{self, Watched, labels},
        name_and_value,
        reports::Reports,
    },
    exit::Exit,
    names::Names,
    output::{self, say, span, span_of, state_cell, table, tests_of},
    signal,
};

/// What is to be run, and how.
#[derive(clap::Args)]
pub(crate) struct Submission {
    /// A project file, or the name of a project in the engine's lab folder.
    project: PathBuf,
    /// Run only tests whose file, name or ID is, or ends with, this; may be given several times.
    #[arg(long, value_name = "TEST")]
    only: Vec<String>,
    /// Leave no trace in statistics, database or mail.
    #[arg(long)]
    temporary: bool,
    /// Run on this EP instead of those that the project and its SUTs name.
    #[arg(long, value_name = "EP")]
    ep: Option<String>,
    /// Use this SUT instead of those that the project names.
    #[arg(long, value_name = "SUT")]
    sut: Option<String>,
    /// Stop the run after this time, waiting for an EP included: 90s, 10m, 2h.
    #[arg(long, value_name = "TIME", value_parser = span_of)]
    timeout: Option<Duration>,
    /// Stop the run if it has not begun within this time.
    #[arg(long, value_name = "TIME", value_parser = span_of)]
    wait_for_ep: Option<Duration>,
    /// Give a field of `db.xml`, or another one that the project defines, this value; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    field: Vec<(String, String)>,
    /// Only EPs that carry this label are given suites that name none; `NAME=` takes any value.
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    label: Vec<(String, String)>,
    /// The lease that lets the run use what you have; else `JACKFIELD_LEASE`, which `jackfield lease take … -- COMMAND` sets.
    #[arg(long, value_name = "LEASE")]
    lease: Option<LeaseId>,
}

/// Times the submission is sent again when its answer was lost.
const SUBMITS_MAX: u32 = 5;

impl Submission {
    /// A file that can be read is sent as it is; anything else is a name for the engine.
    fn request(&self) -> Result<SubmitRun> {
        let text = self.project.to_string_lossy().into_owned();
        let absent = !self.project.try_exists().unwrap_or(true);
        let xml = match read_source(&self.project, PROJECT_BYTES_MAX) {
            Ok(source) => Some(source.text().to_owned()),
            Err(_) if absent && !text.contains('/') => None,
            Err(problem) => bail!("{problem}"),
        };
        Ok(SubmitRun {
            project: Some(text),
            xml,
            temporary: self.temporary,
            only: self.only.clone(),
            ep: self.ep.as_deref().map(Into::into),
            sut: self.sut.clone(),
            timeout_millis: self.timeout.map(millis).transpose()?,
            wait_millis: self.wait_for_ep.map(millis).transpose()?,
            fields: self.field.iter().cloned().collect(),
            labels: self.label.iter().cloned().collect(),
            lease: self.lease()?,
            idempotency_key: Some(fresh_key()?),
        })
    }

    fn lease(&self) -> Result<Option<LeaseId>> {
        match (self.lease, crate::set("JACKFIELD_LEASE")) {
            (Some(lease), _) => Ok(Some(lease)),
            (None, Some(text)) => Ok(Some(text.trim().parse().context("`JACKFIELD_LEASE` is wrong")?)),
            (None, None) => Ok(None),
        }
    }

    /// Starts it once, also where the first answer is lost: the key of the request tells the engine that it comes again.
    fn submit(&self, client: &Client) -> Result<RunId> {
        let request = self.request()?;
        let mut tries = 1;
        let submitted: Submitted = loop {
            match client.post("/runs", &request) {
                Err(error) if error.is::<Unreachable>() && tries < SUBMITS_MAX && client.answers() => {
                    tries += 1
                }
                answer => break Names::Projects.or_known(answer, client, &self.project.to_string_lossy())?,
            }
        };
        submitted.warnings.iter().for_each(|warning| output::talk(&warning.to_string()));
        Ok(submitted.run)
    }
}

fn millis(span: Duration) -> Result<u64> {
    Ok(u64::try_from(span.as_millis())?)
}

/// A key that no other submission has.
fn fresh_key() -> Result<String> {
    let key = std::fs::read_to_string("/proc/sys/kernel/random/uuid").context("drawing a key for the run")?;
    Ok(key.trim().to_owned())
}

/// Queue a project and print the number of its run.
#[derive(clap::Args)]
pub(crate) struct Submit {
    #[command(flatten)]
    submission: Submission,
}

impl Submit {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let run = self.submission.submit(&context.client)?;
        context.output.print(&json!({"run": run}), |_| run.to_string())?;
        Ok(Exit::Done)
    }
}

/// Start a project, show it, wait for its end; the exit code is its verdict.
#[derive(clap::Args)]
pub(crate) struct Run {
    #[command(flatten)]
    submission: Submission,
    /// Write the results as JUnit XML to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the report to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Run {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let client = &context.client;
        let interrupts = signal::interrupts()?;
        let reports = Reports::new(self.junit.clone(), self.html.clone());
        reports.look()?;
        let run = self.submission.submit(client)?;
        output::talk(&format!("run {run}: {}/runs/{run}", client.engine()));
        let watched = follow::watch(client, run, &interrupts, None)?;
        if matches!(watched, Watched::Interrupted) {
            stop(client, run, &interrupts)?;
        }
        let exit = conclude(context, run, &reports)?;
        Ok(if matches!(watched, Watched::Interrupted) { Exit::Interrupted } else { exit })
    }
}

/// Stops the run that a person interrupted, and waits for what a stop still does. A second Ctrl-C ends that too, a
/// third leaves at once.
fn stop(client: &Client, run: RunId, interrupts: &mpsc::Receiver<()>) -> Result<()> {
    let again = [
        (false, "stopping; teardown and post script follow; Ctrl-C again ends these too"),
        (true, "ending it at once; Ctrl-C again leaves without waiting"),
    ];
    for (now, word) in again {
        output::talk(&format!("run {run}: {word}"));
        ask_to_stop(client, run, now)?;
        loop {
            if follow::summary_of(client, run)?.state.is_final() {
                return Ok(());
            }
            if interrupts.recv_timeout(Duration::from_millis(200)).is_ok() {
                break;
            }
        }
    }
    Ok(())
}

/// A run that has ended meanwhile, or that somebody else stops, is as good as stopped.
fn ask_to_stop(client: &Client, run: RunId, now: bool) -> Result<()> {
    let body = json!({"reason": "interrupted", "now": now});
    match client.post::<serde_json::Value>(&format!("/runs/{run}/stop"), &body) {
        Err(error)
            if error
                .downcast_ref::<Problem>()
                .is_none_or(|problem| problem.code != ErrorCode::WrongState) =>
        {
            Err(error)
        }
        Err(_) | Ok(_) => Ok(()),
    }
}

/// Prints the result of a run that has ended, writes the files that were asked for, and gives its exit code.
pub(crate) fn conclude(context: &Context, run: RunId, reports: &Reports) -> Result<Exit> {
    let client = &context.client;
    let summary = follow::summary_of(client, run)?;
    let tests = follow::tests_of(client, run, "")?;
    let written = reports.write(client, run);
    if context.output.json() {
        context.output.print(&json!({"run": summary, "tests": tests}), |_| String::new())?;
    } else {
        say(&show(&summary, &tests))?;
    }
    after::tell(client, run)?;
    written?;
    let not_passed: Vec<TestRow> =
        tests.into_iter().filter(|test| test.state != TestState::Ended(Verdict::Pass)).collect();
    Ok(Exit::of_run(&summary, &not_passed))
}

/// The table of a run, by the numbers that `runs logs` takes, and its sum.
pub(crate) fn show(summary: &RunSummary, tests: &[TestRow]) -> String {
    let mut rows = table(&["NO", "TEST", "VERDICT", "EP", "TIME", "CAUSE", "REASON"]);
    for (test, label) in tests.iter().zip(labels(tests)) {
        rows.add_row(vec![
            format!("{}.{}", summary.id, test.test).into(),
            label.into(),
            state_cell(test.state),
            test.ep.as_ref().map_or("", |ep| ep.as_str()).into(),
            span(test.elapsed_millis).into(),
            cause(test).into(),
            first_line(test.waits_for.as_deref().unwrap_or(&test.reason)).into(),
        ]);
    }
    format!("{}\n\n{}", rows.trim_fmt(), sum(summary))
}

/// Who is to blame, and by which rule: `product: exit status 1`.
fn cause(test: &TestRow) -> String {
    match (test.cause, &test.decided_by) {
        (Some(cause), Some(rule)) => format!("{cause}: {rule}"),
        (Some(cause), None) => cause.to_string(),
        (None, _) => String::new(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// `run 41 completed: 12 PASS, 1 SKIPPED of 13 tests in 4.2 s`.
pub(crate) fn sum(summary: &RunSummary) -> String {
    let counts: Vec<String> = summary
        .counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(verdict, count)| format!("{count} {verdict}"))
        .collect();
    let counts = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
    let mut text = format!("run {} {}: {counts} of {}", summary.id, summary.state, tests_of(summary.tests));
    if let (Some(started), Some(ended)) = (summary.started, summary.ended) {
        text.push_str(&format!(" in {}", span(ended.millis_since(started))));
    }
    text
}
