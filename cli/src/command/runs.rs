//! `jackfield runs …`: what ran, what runs, and why something waits.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use jackfield_protocol::{
    api::{Page, RunSummary, Submitted, TestRow},
    id::{AttemptId, RunId, TestIndex},
    log::Stream,
};
use serde_json::{Value, json};

use crate::{
    Context,
    command::{
        after, artifacts, follow, log_search, logs, prune, question,
        reports::{Reports, Wanted},
        run, why,
    },
    exit::Exit,
    output::{self, say, span_of, table},
    signal,
};

/// What ran, what runs, and why something waits.
#[derive(Subcommand)]
pub(crate) enum Runs {
    /// The newest runs first.
    List {
        /// How many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// One run with its tests.
    Show {
        /// Its number.
        run: RunId,
    },
    /// What a test left to read, as it came: every log of it that has bytes. What is still on its way from the EP is
    /// waited for. With --json: how many bytes of each are stored, and expected.
    Logs {
        /// Run and test, such as 41.17, or an attempt, such as 41.17.1.
        test: String,
        /// Only this log: what it printed (cli), what it wrote with `log_msg` (running, debug, test, custom), what its EP
        /// says of it (ep).
        #[arg(long, value_parser = stream_parser())]
        stream: Option<Stream>,
        /// Go on while the test runs.
        #[arg(long)]
        follow: bool,
        /// Begin each line with the time at which it came to the engine.
        #[arg(long)]
        timestamps: bool,
    },
    /// Lines of a test's logs that fit a regular expression, found by the engine.
    Search {
        /// Run and test, such as 41.17, or an attempt, such as 41.17.1.
        test: String,
        /// What to look for, in each line by itself.
        pattern: String,
        /// Only in this log.
        #[arg(long, value_parser = stream_parser())]
        stream: Option<Stream>,
        /// Capital letters differ from small ones.
        #[arg(long)]
        case: bool,
    },
    /// The files that a test left: recordings, captures, what it kept. With --to they are fetched.
    Artifacts {
        /// Run and test, such as 41.17, or an attempt, such as 41.17.1.
        test: String,
        /// One of them, by its name or a part of it.
        name: Option<String>,
        /// Where to: a file or - for one of them, a folder for all.
        #[arg(long)]
        to: Option<std::path::PathBuf>,
    },
    /// Wait for its end; the exit code is its verdict.
    Wait {
        /// Its number.
        run: RunId,
        /// Wait no longer than this: 90s, 10m, 2h. The run goes on, and the exit code is 6.
        #[arg(long, value_name = "TIME", value_parser = span_of)]
        timeout: Option<Duration>,
    },
    /// Write its reports into files.
    Report {
        /// Its number.
        run: RunId,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// What the engine has still to do for runs that ended: reports, mail, webhooks, inserts; and why it failed.
    Jobs {
        /// Only for this run.
        run: Option<RunId>,
    },
    /// Delete runs that have ended: results, events and logs. What your database, outbox and mail have of them stays there.
    Delete {
        /// Their numbers.
        #[arg(required = true)]
        run: Vec<RunId>,
    },
    /// Have the runs removed now that the engine would remove by itself: `[retention]` of engine.toml says which.
    Prune {
        /// Only tell which.
        #[arg(long)]
        dry_run: bool,
    },
    /// Keep runs, whatever `[retention]` of engine.toml says.
    Keep {
        /// Their numbers.
        #[arg(required = true)]
        run: Vec<RunId>,
        /// No more: as it says.
        #[arg(long)]
        undo: bool,
    },
    /// Insert its results into the lab's database, as `db.xml` says: now, or what is not there yet. What is there is not inserted again.
    #[command(visible_alias = "save")]
    Insert {
        /// Its number.
        run: RunId,
        /// You have looked: the database has none of the rows of which it is not known.
        #[arg(long)]
        again: bool,
    },
    /// Start nothing more until it is resumed; what runs ends by itself.
    Pause {
        /// Its number.
        run: RunId,
    },
    /// Go on.
    Resume {
        /// Its number.
        run: RunId,
    },
    /// End it: what runs is ended, teardown and post script follow.
    Stop {
        /// Its number.
        run: RunId,
        /// Without teardown and post script; also ends those of a run that is being stopped.
        #[arg(long)]
        now: bool,
        /// Why, for those who read it tomorrow.
        #[arg(long, default_value = "stopped from the command line")]
        reason: String,
    },
    /// Start a new run of what did not pass.
    Retry {
        /// Its number.
        run: RunId,
    },
    /// What each waiting thing waits for; of one test, which rule decided its verdict, or what it waits for.
    Why {
        /// Its number.
        run: RunId,
        /// The number of a test in it.
        test: Option<u32>,
    },
    /// What tests ask, of one run or of all, with the number to answer.
    Questions {
        /// Only of this run.
        run: Option<RunId>,
    },
    /// Answer a test's question.
    Answer {
        /// The run.
        run: RunId,
        /// The number of the question.
        question: u64,
        /// The answer: text, or true or false for a decision; nothing at all for a message.
        answer: Option<String>,
    },
    /// Add tests at the end of a suite that has not ended, and print their numbers.
    Queue {
        /// The run.
        run: RunId,
        /// Tests of the run, by ID, name or file, to run once more; or test files of the lab.
        #[arg(required = true)]
        tests: Vec<String>,
        /// The suite, by name or ID; without it each goes to the end of its own.
        #[arg(long)]
        suite: Option<String>,
    },
    /// Take tests that have not started out of the run.
    Dequeue {
        /// The run.
        run: RunId,
        /// Their numbers.
        #[arg(required = true)]
        tests: Vec<TestIndex>,
    },
}

impl Runs {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        match self {
            Self::List { limit } => list(context, *limit),
            Self::Show { run } => show(context, *run),
            Self::Logs { test, stream, follow, timestamps } => {
                let shown = logs::Shown { follow: *follow, timestamps: *timestamps };
                logs::print(context, attempt(context, test)?, *stream, shown)
            }
            Self::Search { test, pattern, stream, case } => {
                log_search::print(context, attempt(context, test)?, *stream, pattern, *case)
            }
            Self::Artifacts { test, name, to } => {
                artifacts::run(context, test, name.as_deref(), to.as_deref())
            }
            Self::Wait { run, timeout } => wait(context, *run, *timeout),
            Self::Report { run, wanted } => {
                let reports = Reports::from(wanted);
                reports.look()?;
                reports.write(&context.client, *run)?;
                context.output.done("report", run, &format!("the reports of run {run} are written"))?;
                Ok(Exit::Done)
            }
            Self::Jobs { run } => jobs(context, *run),
            Self::Delete { run } => delete(context, run),
            Self::Prune { dry_run } => prune::run(context, *dry_run),
            Self::Keep { run, undo } => prune::keep(context, run, !undo),
            Self::Insert { run, again } => act(
                context,
                *run,
                "save",
                &json!({"again": again}),
                "goes into the database; `jackfield runs jobs` tells if that fails",
            ),
            Self::Pause { run } => {
                act(context, *run, "pause", &json!({}), "starts no further test; what runs ends by itself")
            }
            Self::Resume { run } => act(context, *run, "resume", &json!({}), "goes on"),
            Self::Stop { run, now, reason } => {
                let body = json!({"reason": reason, "now": now});
                act(context, *run, "stop", &body, "is being stopped; `jackfield runs wait` tells its end")
            }
            Self::Retry { run } => retry(context, *run),
            Self::Why { run, test: None } => why::of_run(context, *run),
            Self::Why { run, test: Some(test) } => why::of_test(context, *run, TestIndex(*test)),
            Self::Questions { run } => question::list(context, *run),
            Self::Answer { run, question, answer } => {
                question::answer(context, *run, *question, answer.as_deref())
            }
            Self::Queue { run, tests, suite } => queue(context, *run, tests, suite.as_deref()),
            Self::Dequeue { run, tests } => act(
                context,
                *run,
                "dequeue",
                &json!({"tests": tests}),
                "lets these tests out: they end SKIPPED",
            ),
        }
    }
}

fn list(context: &Context, limit: u32) -> Result<Exit> {
    let page: Page<RunSummary> = context.client.get(&format!("/runs?limit={limit}"))?;
    context.output.list(&page.items, |runs| {
        let mut rows = table(&["RUN", "PROJECT", "USER", "STATE", "SUBMITTED", "RESULT"]);
        for run in runs {
            let result: Vec<String> =
                run.counts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
            rows.add_row(vec![
                run.id.to_string(),
                run.project.clone(),
                run.user.to_string(),
                format!("{}{}", run.state, if run.kept { ", kept" } else { "" }),
                run.submitted.to_string(),
                format!("{} of {}", result.join(", "), run.tests),
            ]);
        }
        rows.trim_fmt()
    })?;
    Ok(Exit::Done)
}

fn show(context: &Context, run: RunId) -> Result<Exit> {
    let summary = follow::summary_of(&context.client, run)?;
    let tests = follow::tests_of(&context.client, run, "")?;
    let retried_by = after::detail(&context.client, run)?.retried_by;
    if context.output.json() {
        let told = json!({"run": summary, "retried_by": retried_by, "tests": tests});
        context.output.print(&told, |_| String::new())?;
    } else {
        say(&run::show(&summary, &tests))?;
        retries(&summary, &retried_by).iter().try_for_each(|line| say(line))?;
        after::lines(&context.client, run)?.iter().try_for_each(|line| say(line))?;
    }
    Ok(Exit::Done)
}

/// Which run it runs again, and which ran it again.
fn retries(summary: &RunSummary, by: &[RunId]) -> Vec<String> {
    let of =
        summary.retry_of.map(|old| format!("run {} runs again what did not pass in run {old}", summary.id));
    let by: Vec<String> = by.iter().map(ToString::to_string).collect();
    let by = (!by.is_empty()).then(|| format!("what did not pass was run again: run {}", by.join(", ")));
    of.into_iter().chain(by).collect()
}

fn jobs(context: &Context, run: Option<RunId>) -> Result<Exit> {
    let jobs = match run {
        Some(run) => after::jobs_of(&context.client, run)?,
        None => context.client.get::<Page<after::Job>>("/jobs?limit=1000")?.items,
    };
    context.output.list(&jobs, after::show)?;
    Ok(Exit::Done)
}

/// The words for logs, which a shell can complete.
fn stream_parser() -> impl TypedValueParser<Value = Stream> {
    PossibleValuesParser::new(Stream::ALL.map(Stream::as_str)).try_map(|word| word.parse())
}

/// An attempt by its number, or the newest of a test.
pub(crate) fn attempt(context: &Context, test: &str) -> Result<AttemptId> {
    test.parse().or_else(|_| latest_attempt(context, test))
}

/// `41.17` means the newest attempt of that test.
fn latest_attempt(context: &Context, test: &str) -> Result<AttemptId> {
    let numbers = test.split_once('.').and_then(|(run, test)| Some((run.parse().ok()?, test.parse().ok()?)));
    let Some((run, index)) = numbers else {
        if test.parse::<u64>().is_ok() {
            bail!(
                "name a test of run {test}, such as {test}.0; `jackfield runs show {test}` has their numbers"
            );
        }
        bail!("`{test}` is neither a test, such as 41.17, nor an attempt, such as 41.17.1");
    };
    let (run, index) = (RunId(run), TestIndex(index));
    let row: TestRow = context.client.get(&format!("/runs/{run}/tests/{index}"))?;
    row.attempt.ok_or_else(|| anyhow::anyhow!("test {test} has not been sent to any EP: it has no log"))
}

fn wait(context: &Context, run: RunId, timeout: Option<Duration>) -> Result<Exit> {
    let interrupts = signal::interrupts()?;
    match follow::watch(&context.client, run, &interrupts, timeout)? {
        follow::Watched::Ended => run::conclude(context, run, &Reports::none()),
        follow::Watched::TimeOver => {
            output::talk(&format!("the time to wait is over; run {run} goes on"));
            Ok(Exit::TimedOut)
        }
        follow::Watched::Interrupted => {
            output::talk(&format!("run {run} goes on without being watched"));
            Ok(Exit::Interrupted)
        }
    }
}

/// Asks for something, and says what comes of it.
fn act(context: &Context, run: RunId, what: &str, body: &Value, told: &str) -> Result<Exit> {
    let _done: Value = context.client.post(&format!("/runs/{run}/{what}"), body)?;
    context.output.done(what, run, &format!("run {run} {told}"))?;
    Ok(Exit::Done)
}

/// Deletes each; one that cannot be deleted ends it, and those before it are gone.
fn delete(context: &Context, runs: &[RunId]) -> Result<Exit> {
    let mut deleted = Vec::new();
    for run in runs {
        let told = |error: anyhow::Error| match deleted.len() {
            0 => error,
            count => error.context(format!("{count} runs are deleted, run {run} is not")),
        };
        context.client.delete(&format!("/runs/{run}")).map_err(told)?;
        deleted.push(*run);
    }
    let words: Vec<String> = deleted.iter().map(ToString::to_string).collect();
    context.output.done("deleted", &deleted, &format!("deleted: {}", words.join(", ")))?;
    Ok(Exit::Done)
}

fn queue(context: &Context, run: RunId, tests: &[String], suite: Option<&str>) -> Result<Exit> {
    let body = json!({"suite": suite, "files": tests});
    let queued: Value = context.client.post(&format!("/runs/{run}/queue"), &body)?;
    context.output.print(&queued, |queued| {
        let numbers = queued.get("tests").and_then(Value::as_array).into_iter().flatten();
        numbers.map(|number| format!("{run}.{number}")).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Exit::Done)
}

fn retry(context: &Context, run: RunId) -> Result<Exit> {
    let submitted: Submitted = context.client.post(&format!("/runs/{run}/retry"), &json!({}))?;
    context.output.print(&json!({"run": submitted.run}), |_| submitted.run.to_string())?;
    Ok(Exit::Done)
}
