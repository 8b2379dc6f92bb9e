//! The reports of a run, as files in the outbox: others watch the folder, and mail is put there that is not sent.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use jackfield_protocol::id::RunId;
use jackfield_reporting::{html, junit, results::Results};

use super::{End, Tried, results_of};
use crate::{app::App, run::results::LogsOfEngine};

const JUNIT: &str = "junit.xml";
const HTML: &str = "report.html";
pub(super) const MAIL: &str = "eml";
/// Endings of the files that the engine puts into the outbox: those that go by rule.
pub(super) const ENDINGS: [&str; 3] = [JUNIT, HTML, MAIL];

pub(super) async fn run(app: &App, run: RunId) -> Tried {
    let results = Arc::new(results_of(app, run).await?);
    let (logs, outbox) = (LogsOfEngine(app.logs.clone()), app.jobs.outbox.clone());
    let written = tokio::task::spawn_blocking(move || write(&results, &logs, &outbox)).await?;
    match written {
        // The lab folder is mounted for reading only, which the engine said when it started: reports are had on demand.
        Err(error) if is_read_only(&error) => Ok(End::done()),
        written => written.map(|()| End::done()),
    }
}

fn write(results: &Results, logs: &LogsOfEngine, outbox: &Path) -> Result<()> {
    make(outbox)?;
    write_whole(&file_of(results, outbox, JUNIT), |out| {
        junit::write(results, logs, junit::Options::default(), out)
    })?;
    write_whole(&file_of(results, outbox, HTML), |out| html::write(results, logs, out))
}

/// Makes the outbox where it is not there.
pub(super) fn make(outbox: &Path) -> Result<()> {
    std::fs::create_dir_all(outbox).with_context(|| format!("making the outbox {}", outbox.display()))
}

fn is_read_only(error: &anyhow::Error) -> bool {
    let kind = error.root_cause().downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::ReadOnlyFilesystem)
}

/// What whoever starts the engine should know: that reports cannot be kept.
pub(crate) fn outbox_notice(app: &App) -> Option<String> {
    let outbox = &app.jobs.outbox;
    let probe = outbox.join(".writable");
    let tried = make(outbox).and_then(|()| {
        File::create(&probe).with_context(|| format!("writing into the outbox {}", outbox.display()))?;
        std::fs::remove_file(&probe).map_err(anyhow::Error::from)
    });
    tried.err().map(|error| {
        format!(
            "no reports are kept and no mail is left in the outbox: {error:#}; set `mail.outbox` of engine.toml to a folder \
             that can be written to. Runs go on, and `--junit` and `--html` work all the same"
        )
    })
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
