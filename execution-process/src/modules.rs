//! Which modules the Python of tests has: asked of that Python when the engine wants to know, and remembered while neither it nor a folder in which it
//! looks for modules has changed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use jackfield_protocol::link::{EpToEngine, MODULES_MAX};
use serde::Deserialize;
use tokio::{io::AsyncWriteExt, sync::mpsc};

use crate::{
    event::Event,
    host,
    limits::{MODULES_KEPT_MAX, MODULES_LIMIT},
    station::Station,
};

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct Modules(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The interpreter and the folders in which it looks, with the time of their last change.
    places: Vec<(PathBuf, Option<SystemTime>)>,
    /// Whether it has a module.
    has: BTreeMap<Arc<str>, bool>,
}

/// What the Python says.
#[derive(Debug, Deserialize)]
struct Told {
    missing: Vec<Arc<str>>,
    path: Vec<PathBuf>,
}

/// Answers the engine, in its own time.
pub(crate) async fn answer(
    station: Arc<Station>,
    id: u64,
    wanted: Vec<Arc<str>>,
    events: mpsc::UnboundedSender<Event>,
) {
    let wanted: Vec<Arc<str>> = wanted.into_iter().take(MODULES_MAX).collect();
    let missing = match tokio::time::timeout(MODULES_LIMIT, station.modules.missing(&station, &wanted)).await
    {
        Ok(Ok(missing)) => Some(missing),
        Ok(Err(error)) => {
            tracing::warn!("which modules its Python has cannot be told: {error}");
            None
        }
        Err(_) => {
            tracing::warn!("its Python did not say within {MODULES_LIMIT:?} which modules it has");
            None
        }
    };
    // The daemon outlives what it has begun.
    let _ = events.send(Event::Say(EpToEngine::Modules { id, missing }));
}

impl Modules {
    async fn missing(&self, station: &Station, wanted: &[Arc<str>]) -> std::io::Result<Vec<Arc<str>>> {
        let name = station.settings.languages.interpreter("python");
        let python = host::find_program(name)
            .ok_or_else(|| std::io::Error::other(format!("`{name}` is not installed on this EP")))?;
        if let Some(missing) = self.remembered(wanted) {
            return Ok(missing);
        }
        let told = ask(station, &python, wanted).await?;
        self.remember(&python, wanted, &told);
        Ok(told.missing)
    }

    /// The answer, where every module of the question was asked for before, and nothing has changed since.
    fn remembered(&self, wanted: &[Arc<str>]) -> Option<Vec<Arc<str>>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.places.iter().any(|(place, changed)| last_change(place) != *changed) {
            *known = Known::default();
        }
        let mut missing = Vec::new();
        for module in wanted {
            if !*known.has.get(module)? {
                missing.push(Arc::clone(module));
            }
        }
        Some(missing)
    }

    fn remember(&self, python: &Path, wanted: &[Arc<str>], told: &Told) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let places = std::iter::once(python).chain(told.path.iter().map(PathBuf::as_path));
        let places: Vec<_> = places.map(|place| (place.to_owned(), last_change(place))).collect();
        if places != known.places || known.has.len() > MODULES_KEPT_MAX {
            *known = Known { places, has: BTreeMap::new() };
        }
        known.has.extend(wanted.iter().map(|module| (Arc::clone(module), !told.missing.contains(module))));
    }
}

fn last_change(place: &Path) -> Option<SystemTime> {
    std::fs::metadata(place).and_then(|place| place.modified()).ok()
}

/// Asks an interpreter of its own, with what a test would find in its environment: what it imports while it looks stays in no other.
async fn ask(station: &Station, python: &Path, wanted: &[Arc<str>]) -> std::io::Result<Told> {
    let mut child = tokio::process::Command::new(python)
        .arg(station.sdk.join("python/known.py"))
        .current_dir(&station.settings.work_dir)
        .env_clear()
        .envs(&station.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(&serde_json::to_vec(wanted)?).await?;
    }
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        return Err(std::io::Error::other(format!("`{}` ended with {}", python.display(), output.status)));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_until_a_folder_of_modules_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (python, site) = (folder.path().join("python3"), folder.path().join("site"));
        std::fs::write(&python, "").unwrap();
        std::fs::create_dir(&site).unwrap();
        let modules = Modules::default();
        let names: [Arc<str>; 2] = ["serial".into(), "yaml".into()];
        let told = Told { missing: vec!["yaml".into()], path: vec![site.clone()] };
        modules.remember(&python, &names, &told);
        assert_eq!(modules.remembered(&names), Some(vec!["yaml".into()]));
        assert_eq!(modules.remembered(&["other".into()]), None, "it was not asked for");
        let later = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(5);
        std::fs::File::open(&site).unwrap().set_modified(later).unwrap();
        assert_eq!(modules.remembered(&names), None, "something was installed");
    }
}
