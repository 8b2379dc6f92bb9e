//! The runs this EP has a part in: what holds for them, and their files.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield_protocol::{id::RunId, link::RunContext};
use tokio::sync::Mutex;

use super::{Daemon, Run};
use crate::library::{RunFiles, run_folder};

impl Daemon {
    /// What the engine says ends a run here: its files go, its rules are forgotten. The run may be opened again at once.
    pub(super) fn close_run(&mut self, run: RunId) {
        self.jobs.close_run(run);
        // Where something of the run is still left, its files are not kept.
        let files = self.runs.remove(&run).and_then(|run| Arc::into_inner(run.files)).map(Mutex::into_inner);
        self.station.templates.close_run(run);
        let sessions = &self.station.sessions;
        let recorded = [sessions.recordings_folder(run), self.station.captures.run_folder(run)];
        self.tasks.spawn(sessions.close_run(run));
        self.discard(run_folder(&self.station.settings.work_dir, run), move |folder| {
            files.into_iter().for_each(|files| files.leave(folder));
        });
        recorded.into_iter().for_each(|folder| self.discard(folder, |_| {}));
    }

    /// Takes a folder out of the way at once, and removes it in a while, when somebody has had a look at it.
    fn discard(&mut self, folder: PathBuf, look: impl FnOnce(&Path) + Send + 'static) {
        self.discarded = self.discarded.saturating_add(1);
        let trash = self.station.trash_folder().join(self.discarded.to_string());
        match std::fs::rename(&folder, &trash) {
            Ok(()) => {
                self.tasks.spawn_blocking(move || {
                    look(&trash);
                    if let Err(error) = std::fs::remove_dir_all(&trash) {
                        tracing::warn!("`{}` cannot be removed: {error}", trash.display());
                    }
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!("`{}` cannot be removed: {error}", folder.display()),
        }
    }

    pub(super) fn open_run(&mut self, context: RunContext) {
        let known = self.runs.get(&context.run).is_some_and(|run| *run.context == context);
        if known {
            return;
        }
        self.station.sessions.open_run(context.run, &context.profiles);
        self.station.templates.open_run(context.run, context.templates);
        let context = Arc::new(context);
        let (blobs, kept) = (self.station.blobs.clone(), Arc::clone(&self.station.kept_folders));
        let files = RunFiles::new(&self.station.settings.work_dir, Arc::clone(&context), blobs, kept);
        self.runs.insert(context.run, Run { context, files: Arc::new(Mutex::new(files)) });
    }
}
