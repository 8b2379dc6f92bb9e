//! What nothing leads to any more.

use std::{fs, io, path::Path, time::Duration};

use jackfield_protocol::id::RunId;

use crate::{app::App, blobs::sweep::Swept, clock, jobs::report, limits, run::delete, store};

/// Takes up what was broken off when runs went.
pub(super) async fn half_gone(app: &App) -> anyhow::Result<()> {
    let runs = store::retention::half_gone(&mut app.store.read().await?).await?;
    for run in runs {
        delete::clear(app, run).await?;
    }
    Ok(())
}

/// Removes logs of runs of which there is no row. The folders are read first: a run has its row before it has logs.
pub(super) async fn logs_of_no_run(app: &App) -> anyhow::Result<()> {
    let with_logs = app.logs.runs().await?;
    let there = store::retention::there(&mut app.store.read().await?, &with_logs).await?;
    for run in with_logs.difference(&there) {
        app.logs.delete(*run).await?;
        tracing::info!(run.id = %run, "logs of a run that is gone are removed");
    }
    Ok(())
}

/// Removes files by content that no row names.
pub(super) async fn contents(app: &App) -> anyhow::Result<Swept> {
    let named = store::retention::named_contents(&app.store).await?;
    let blobs = app.blobs.clone();
    let sweep = move || blobs.sweep(&named, clock::of_files(), limits::BLOB_YOUNG);
    Ok(tokio::task::spawn_blocking(sweep).await??)
}

/// Removes old files of runs from the outbox; how many.
pub(super) async fn outbox(app: &App) -> anyhow::Result<u64> {
    let Some(millis) = app.retention.rules.outbox_millis else { return Ok(0) };
    let (outbox, age) = (app.jobs.outbox.clone(), Duration::from_millis(millis));
    let sweep = move || old_files(&outbox, age);
    Ok(tokio::task::spawn_blocking(sweep).await??)
}

fn old_files(outbox: &Path, age: Duration) -> io::Result<u64> {
    let entries = match fs::read_dir(outbox) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut removed = 0_u64;
    for entry in entries {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(is_of_a_run) || !entry.file_type()?.is_file() {
            continue;
        }
        let written = entry.metadata()?.modified()?;
        if clock::of_files().duration_since(written).is_ok_and(|old| old > age) {
            fs::remove_file(entry.path())?;
            removed = removed.saturating_add(1);
        }
    }
    Ok(removed)
}

/// Whether the engine wrote it: `run-41-default.junit.xml`. What others put there is theirs.
fn is_of_a_run(name: &str) -> bool {
    let number = name.strip_prefix("run-").and_then(|rest| rest.split('-').next());
    number.and_then(|number| number.parse().ok().map(RunId)).is_some()
        && report::ENDINGS.iter().any(|ending| name.ends_with(&format!(".{ending}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_engine_wrote_goes_from_the_outbox_and_only_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "run-1-a.junit.xml",
            "run-1-a.report.html",
            "run-2-b-c.eml",
            "run-3.txt",
            "notes.eml",
            "run-x-a.eml",
        ];
        for name in names {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(clock::of_files() - Duration::from_secs(100)).unwrap();
        }
        fs::File::create(folder.path().join("run-9-new.eml")).unwrap();
        assert_eq!(old_files(folder.path(), Duration::from_secs(1_000)).unwrap(), 0);
        assert_eq!(old_files(folder.path(), Duration::from_secs(50)).unwrap(), 3);
        let left = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut left: Vec<String> = left.collect();
        left.sort();
        assert_eq!(left, ["notes.eml", "run-3.txt", "run-9-new.eml", "run-x-a.eml"]);
        assert_eq!(old_files(&folder.path().join("none"), Duration::ZERO).unwrap(), 0);
    }
}
