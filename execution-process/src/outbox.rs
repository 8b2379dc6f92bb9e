//! Files of ended tests that the engine could not take at once: on disk until it has them, also across a restart of this EP.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use jackfield_protocol::id::BlobHash;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::blobs::{Blobs, PutError, copy_in};
use crate::limits::{OUTBOX_PAUSE, OUTBOX_PAUSE_MAX};

/// The files that wait.
#[derive(Clone, Debug)]
pub(crate) struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    blobs: Blobs,
    /// Held while the folder's list of files changes or is read.
    turn: Mutex<()>,
    more: Notify,
}

impl Outbox {
    /// Opens the folder; what a crash left half written is removed.
    pub(crate) fn open(folder: &Path, blobs: Blobs) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if hash_of(&entry.path()).is_none() {
                std::fs::remove_file(entry.path())?;
            }
        }
        let (turn, more) = (Mutex::default(), Notify::new());
        let outbox = Self(Arc::new(Shared { folder: folder.to_owned(), blobs, turn, more }));
        outbox.0.more.notify_one();
        Ok(outbox)
    }

    /// Copies a file in; it is on disk when its name comes back.
    pub(crate) async fn keep(&self, path: PathBuf) -> io::Result<BlobHash> {
        let shared = Arc::clone(&self.0);
        let kept = tokio::task::spawn_blocking(move || {
            let _turn = shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let hash = copy_in(&path, &shared.folder)?;
            File::open(&shared.folder)?.sync_all()?;
            Ok(hash)
        });
        let hash = kept.await.map_err(io::Error::other).and_then(|kept| kept)?;
        self.0.more.notify_one();
        Ok(hash)
    }

    /// Forgets what waits: it is another engine's.
    pub(crate) fn forget(&self) {
        for path in self.files() {
            let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!("`{}` cannot be removed: {error}", path.display());
            }
        }
    }

    /// Sends what is there, and what comes, until `shutdown`; for as long as it takes.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut pause = OUTBOX_PAUSE;
        loop {
            let is_empty = self.send_all().await;
            let waiting = async {
                if is_empty {
                    self.0.more.notified().await;
                } else {
                    tokio::time::sleep(pause).await;
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = waiting => {}
            }
            pause = if is_empty { OUTBOX_PAUSE } else { pause.saturating_mul(2).min(OUTBOX_PAUSE_MAX) };
        }
    }

    /// Whether nothing waits any more.
    async fn send_all(&self) -> bool {
        for path in self.files() {
            if let Err(PutError::Engine(reason)) = self.send(&path).await {
                tracing::debug!("a file of a test waits: {reason}");
                return false;
            }
        }
        true
    }

    /// Sends one file, and forgets it: also one that the engine will never take.
    async fn send(&self, path: &Path) -> Result<(), PutError> {
        let sent = self.0.blobs.put(path.to_owned()).await;
        if matches!(sent, Err(PutError::Engine(_))) {
            return sent.map(drop);
        }
        if let Err(PutError::Refused(reason)) = sent {
            tracing::warn!("a file of a test is given up: {reason}");
        }
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        std::fs::remove_file(path).map_err(|error| PutError::Engine(format!("`{}`: {error}", path.display())))
    }

    fn files(&self) -> Vec<PathBuf> {
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = std::fs::read_dir(&self.0.folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| hash_of(path).is_some()).collect()
    }
}

fn hash_of(path: &Path) -> Option<BlobHash> {
    path.file_name()?.to_str()?.parse().ok()
}
