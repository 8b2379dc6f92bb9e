//! The recording of a shared session: each test that uses it gets the piece of the dialogue that is its own.

use std::{
    collections::BTreeMap,
    fs::File,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_device::{
    channel::Window,
    record::{Recorder, Tap, typed::Typed},
};
use jackfield_protocol::{id::AttemptId, secret::Secret};

/// One session's recordings, one for each test that uses it.
#[derive(Clone)]
pub(super) struct Recording(Arc<Mutex<Pieces>>);

struct Pieces {
    title: String,
    secrets: Vec<Secret>,
    /// Secrets that were typed, in the device's encoding.
    learned: Vec<Vec<u8>>,
    /// What is typed from the first piece to the last: a secret of one is a secret of all.
    typed: Typed,
    /// The test that spoke last: what the device says is for it.
    current: Option<AttemptId>,
    recorders: BTreeMap<AttemptId, Recorder<File>>,
}

impl Recording {
    pub(super) fn new(title: &str) -> Self {
        let (title, secrets, typed) = (title.to_owned(), Vec::new(), Typed::default());
        let learned = Vec::new();
        let pieces = Pieces { title, secrets, learned, typed, current: None, recorders: BTreeMap::new() };
        Self(Arc::new(Mutex::new(pieces)))
    }

    /// What must not reach the disk; said before the session is opened.
    pub(super) fn hide(&self, secrets: Vec<Secret>) {
        self.pieces().secrets = secrets;
    }

    /// From now on the dialogue is this test's; true where it is so for the first time.
    pub(super) fn turn_to(&self, attempt: AttemptId, path: &Path) -> bool {
        let mut pieces = self.pieces();
        pieces.current = Some(attempt);
        if pieces.recorders.contains_key(&attempt) {
            return false;
        }
        let mut recorder = recorder(path, &pieces.title, &pieces.secrets);
        if let Some(recorder) = &mut recorder {
            recorder.hide(&pieces.learned);
        }
        let begun = recorder.is_some();
        pieces.recorders.extend(recorder.map(|recorder| (attempt, recorder)));
        begun
    }

    /// A mark in the piece of one test, whoever speaks.
    pub(super) fn mark_piece(&self, attempt: AttemptId, label: &str) {
        if let Some(recorder) = self.pieces().recorders.get_mut(&attempt) {
            recorder.mark(label);
        }
    }

    /// The test has ended.
    pub(super) fn leave(&self, attempt: AttemptId) {
        let mut pieces = self.pieces();
        if let Some(mut recorder) = pieces.recorders.remove(&attempt) {
            recorder.end();
        }
    }

    fn pieces(&self) -> MutexGuard<'_, Pieces> {
        // A panic between two statements of this module cannot leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, tell: impl FnOnce(&mut Recorder<File>)) {
        self.pieces().tell(tell);
    }
}

impl Pieces {
    fn tell(&mut self, tell: impl FnOnce(&mut Recorder<File>)) {
        if let Some(recorder) = self.current.and_then(|attempt| self.recorders.get_mut(&attempt)) {
            tell(recorder);
        }
    }
}

impl Tap for Recording {
    fn output(&mut self, bytes: &[u8]) {
        let mut pieces = self.pieces();
        pieces.typed.said(bytes);
        pieces.tell(|recorder| recorder.output(bytes));
    }

    fn input(&mut self, bytes: &[u8]) {
        let mut pieces = self.pieces();
        let shown = pieces.typed.shown(bytes);
        pieces.tell(|recorder| {
            if shown != bytes {
                recorder.secret(bytes);
            }
            recorder.input(shown);
        });
        if let Some(secret) = pieces.typed.take_secret() {
            pieces.recorders.values_mut().for_each(|recorder| recorder.hide(std::slice::from_ref(&secret)));
            pieces.learned.push(secret);
        }
    }

    fn secret(&mut self, bytes: &[u8]) {
        let mut pieces = self.pieces();
        pieces.typed.hide(bytes);
        pieces.tell(|recorder| recorder.secret(bytes));
    }

    fn resize(&mut self, window: Window) {
        self.tell(|recorder| recorder.resize(window));
    }

    fn mark(&mut self, label: &str) {
        self.tell(|recorder| recorder.mark(label));
    }

    fn end(&mut self) {
        self.tell(|recorder| recorder.end());
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("title", &self.pieces().title).finish_non_exhaustive()
    }
}

/// A recording in a file; a session whose recording cannot be written is held without one.
pub(super) fn recorder(path: &Path, title: &str, secrets: &[Secret]) -> Option<Recorder<File>> {
    match path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| File::create(path)) {
        Ok(file) => Some(Recorder::new(file, title, Window::default(), secrets)),
        Err(error) => {
            tracing::warn!("session `{title}` is not recorded: `{}`: {error}", path.display());
            None
        }
    }
}
