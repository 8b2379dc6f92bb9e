//! The end of a run: its reports are written into the outbox, its logs packed, mail and inserts promised.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use jackfield_config::EngineSettings;
use jackfield_protocol::{id::RunId, plan::Save, verdict::Verdict};
use jackfield_reporting::{html, junit, results::Results};

use super::{End, results_of};
use crate::{app::App, limits, logs::LogKey, run::results::LogsOfEngine, store::job::Work};

pub(super) async fn run(app: &App, settings: &EngineSettings, run: RunId) -> Result<End> {
    let results = Arc::new(results_of(app, settings, run).await?);
    if results.plan.options.temporary {
        app.logs.pack(run).await?;
        return Ok(End::Done(Vec::new()));
    }
    rest_of_logs(app, &results).await?;
    let (shared, logs, outbox) =
        (Arc::clone(&results), LogsOfEngine(app.logs.clone()), settings.outbox.clone());
    tokio::task::spawn_blocking(move || write_reports(&shared, &logs, &outbox)).await??;
    app.logs.pack(run).await?;
    let mut next = vec![Work::MailRun { run }];
    if results.plan.options.save == Save::Save && post_allows(&results) {
        next.push(Work::SaveRun { run });
    }
    Ok(End::Done(next))
}

/// Waits for what is still to come of the run's logs, as long as it comes: ends of tests overtake their logs. Reports say
/// of each log what they did not get.
async fn rest_of_logs(app: &App, results: &Results) -> Result<()> {
    let attempts = results.tests.iter().flat_map(|test| &test.attempts);
    let told = attempts.flat_map(|result| {
        let key = move |stream| LogKey { attempt: result.attempt, stream };
        result.log_bytes.iter().map(move |(stream, told)| (key(*stream), *told))
    });
    let mut open: Vec<(LogKey, u64)> = told.collect();
    let mut before = u64::MAX;
    let mut quiet = Duration::ZERO;
    loop {
        let mut missing = 0_u64;
        let mut still = Vec::new();
        for (key, told) in open {
            let size = app.logs.size(key).await?;
            let lacks = app.logs.missing(size, told);
            missing = missing.saturating_add(lacks);
            if lacks > 0 {
                still.push((key, told));
            }
        }
        quiet = if missing < before { Duration::ZERO } else { quiet.saturating_add(limits::LOG_FOLLOW_LOOK) };
        if missing == 0 || quiet >= limits::LOG_REST_WAIT {
            return Ok(());
        }
        (open, before) = (still, missing);
        tokio::time::sleep(limits::LOG_FOLLOW_LOOK).await;
    }
}

/// A mandatory post script that failed keeps the run out of the lab's database.
fn post_allows(results: &Results) -> bool {
    let passed =
        results.post.as_ref().is_none_or(|post| matches!(post.verdict, Verdict::Pass | Verdict::Skipped));
    passed || !results.plan.options.pre_post_mandatory
}

fn write_reports(results: &Results, logs: &LogsOfEngine, outbox: &Path) -> Result<()> {
    std::fs::create_dir_all(outbox).with_context(|| format!("making the outbox {}", outbox.display()))?;
    write_whole(&file_of(results, outbox, "junit.xml"), |out| {
        junit::write(results, logs, junit::Options::default(), out)
    })?;
    write_whole(&file_of(results, outbox, "report.html"), |out| html::write(results, logs, out))
}

/// `outbox/run-41-default.junit.xml`.
pub(super) fn file_of(results: &Results, outbox: &Path, ending: &str) -> PathBuf {
    let letter =
        |letter: char| if letter.is_alphanumeric() || matches!(letter, '-' | '_') { letter } else { '_' };
    let project: String = results.run.project.chars().map(letter).take(80).collect();
    outbox.join(format!("run-{}-{project}.{ending}", results.run.id))
}

/// Writes a file that is either whole or not there: others watch the outbox.
pub(super) fn write_whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let unfinished = path.with_file_name(format!(".{name}.part"));
    let work = || {
        let mut out = BufWriter::new(File::create(&unfinished)?);
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&unfinished, path)
    };
    let done = work();
    if done.is_err() {
        drop(std::fs::remove_file(&unfinished));
    }
    done.with_context(|| format!("writing {}", path.display()))
}
