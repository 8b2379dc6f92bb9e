//! Sessions with devices: opened by a test, kept for its run, shared by name, recorded.
//!
//! A session outlives the test that opened it, so that a suite logs in once; it is closed when a test says so, or when
//! the engine closes the run. Each has a recording below `recordings/RUN/`, of which every test that used the
//! session keeps what there is when it ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jackfield_device::{
    channel::Window,
    record::{Recorder, Tap},
    session::{Session, SessionError, SessionSettings},
    target::SessionTarget,
};
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{AttemptId, RunId},
};

use crate::settings::folder_name;

/// Sessions of one run on one EP.
const SESSIONS_MAX: usize = 256;

/// Every open session of this EP.
#[derive(Clone, Debug)]
pub(crate) struct Sessions(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: SessionSettings,
    recordings: PathBuf,
    open: Mutex<BTreeMap<(RunId, String), Entry>>,
}

/// A session by its name; empty while it is being opened.
type Slot = Arc<tokio::sync::Mutex<Option<Session>>>;

#[derive(Debug)]
struct Entry {
    slot: Slot,
    recording: PathBuf,
    used_by: BTreeSet<AttemptId>,
}

impl Sessions {
    /// No session yet; host keys of devices are remembered in the work folder.
    pub(crate) fn new(work_dir: &std::path::Path) -> Self {
        let settings = SessionSettings::new(work_dir.join("known_hosts"));
        let recordings = work_dir.join("recordings");
        Self(Arc::new(Shared { settings, recordings, open: Mutex::default() }))
    }

    /// What every session shares.
    pub(crate) fn settings(&self) -> &SessionSettings {
        &self.0.settings
    }

    /// Joins the session of this name, or opens it.
    pub(crate) async fn open(
        &self,
        attempt: AttemptId,
        name: &str,
        target: SessionTarget,
        timeout: Duration,
    ) -> Result<(), Problem> {
        let (slot, recording) = self.enter(attempt, name)?;
        let mut session = slot.lock().await;
        if session.is_some() {
            return Ok(());
        }
        let taps = recorder(&recording, name, &target.secrets());
        match Session::open(target, &self.0.settings, timeout, taps).await {
            Ok(opened) => {
                *session = Some(opened);
                Ok(())
            }
            Err(error) => {
                drop(session);
                self.0.open().remove(&(attempt.run, name.to_owned()));
                Err(problem(&error))
            }
        }
    }

    /// The session of this name, for one who uses it.
    pub(crate) fn get(&self, attempt: AttemptId, name: &str) -> Result<Slot, Problem> {
        let mut open = self.0.open();
        let entry = open.get_mut(&(attempt.run, name.to_owned())).ok_or_else(|| not_open(name))?;
        entry.used_by.insert(attempt);
        Ok(Arc::clone(&entry.slot))
    }

    /// Closes the session of this name.
    pub(crate) async fn close(&self, run: RunId, name: &str) -> Result<(), Problem> {
        let entry = self.0.open().remove(&(run, name.to_owned())).ok_or_else(|| not_open(name))?;
        close(entry.slot).await;
        Ok(())
    }

    /// The names of a run's sessions.
    pub(crate) fn names(&self, run: RunId) -> Vec<String> {
        self.0.open().keys().filter(|(of, _)| *of == run).map(|(_, name)| name.clone()).collect()
    }

    /// The run is over here: closes its sessions and removes its recordings.
    pub(crate) async fn close_run(&self, run: RunId) {
        for name in self.names(run) {
            let _ = self.close(run, &name).await;
        }
        let folder = self.0.recordings.join(run.to_string());
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("`{}` cannot be removed: {error}", folder.display());
            }
            _ => {}
        }
    }

    /// Closes everything.
    pub(crate) async fn close_all(&self) {
        let all = std::mem::take(&mut *self.0.open());
        for entry in all.into_values() {
            close(entry.slot).await;
        }
    }

    /// The recordings of the sessions an attempt used, by the names under which they are kept.
    pub(crate) fn recordings(&self, attempt: AttemptId) -> Vec<(Arc<str>, PathBuf)> {
        let open = self.0.open();
        let used = open.iter().filter(|(_, entry)| entry.used_by.contains(&attempt));
        used.map(|((_, name), entry)| (file_name(name), entry.recording.clone())).collect()
    }

    /// A recording for a session that is not shared: its file, and the listener that writes it.
    pub(crate) fn private_recording(
        &self,
        attempt: AttemptId,
        name: &str,
        secrets: &[String],
    ) -> (PathBuf, Vec<Box<dyn Tap>>) {
        let file = format!("{attempt}-{}", file_name(name));
        let path = self.0.recordings.join(attempt.run.to_string()).join(file);
        let taps = recorder(&path, name, secrets);
        (path, taps)
    }

    fn enter(&self, attempt: AttemptId, name: &str) -> Result<(Slot, PathBuf), Problem> {
        let mut open = self.0.open();
        let of_run = open.keys().filter(|(run, _)| *run == attempt.run).count();
        let key = (attempt.run, name.to_owned());
        if of_run >= SESSIONS_MAX && !open.contains_key(&key) {
            let title = format!("run {} has {SESSIONS_MAX} open sessions; close some", attempt.run);
            return Err(Problem::new(ErrorCode::TooMany, title));
        }
        let folder = self.0.recordings.join(attempt.run.to_string());
        let entry = open.entry(key).or_insert_with(|| Entry {
            slot: Slot::default(),
            recording: folder.join(file_name(name).as_ref()),
            used_by: BTreeSet::new(),
        });
        entry.used_by.insert(attempt);
        Ok((Arc::clone(&entry.slot), entry.recording.clone()))
    }
}

impl Shared {
    fn open(&self) -> std::sync::MutexGuard<'_, BTreeMap<(RunId, String), Entry>> {
        // A panic between two statements of this module cannot leave the map half changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn close(slot: Slot) {
    if let Some(mut session) = slot.lock().await.take() {
        session.close().await;
    }
}

fn file_name(session: &str) -> Arc<str> {
    format!("{}.cast", folder_name(session.trim_start_matches('/'))).into()
}

/// A recording; a session whose recording cannot be written is held without one.
fn recorder(path: &std::path::Path, title: &str, secrets: &[String]) -> Vec<Box<dyn Tap>> {
    let file = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| File::options().create(true).append(true).open(path));
    match file {
        Ok(file) => vec![Box::new(Recorder::new(file, title, Window::default(), secrets))],
        Err(error) => {
            tracing::warn!("session `{title}` is not recorded: `{}`: {error}", path.display());
            Vec::new()
        }
    }
}

fn not_open(name: &str) -> Problem {
    let title = format!("there is no open session `{name}`; open it with session_open");
    Problem::new(ErrorCode::NotFound, title).field("session")
}

/// What went wrong with a device, for a test.
pub(crate) fn problem(error: &SessionError) -> Problem {
    use std::error::Error;
    let mut title = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        title = format!("{title}: {inner}");
        source = inner.source();
    }
    let code = if error.is_lab() {
        ErrorCode::Unavailable
    } else if error.is_test() {
        ErrorCode::BadRequest
    } else {
        ErrorCode::WrongState
    };
    Problem::new(code, title)
}
