//! What tests wrote: one file per attempt and stream, written at offsets, read by byte range.
//!
//! ```text
//! logs/<run>/<thousand>/<test>.<attempt>.<stream>        while the run goes on
//! logs/<run>/<thousand>/<test>.<attempt>.<stream>.zst    packed when it has ended, still readable by range
//! ```
//!
//! Writing the same bytes at the same offset again changes nothing, so an EP may repeat what it is not sure of. Bytes are
//! in the kernel's hands when [`Logs::write`] returns, and on the disk when [`Logs::sync`] does: an EP forgets none before.
//! A gap is filled with a line that says so. When the bytes came stands beside them ([`times`]).

mod file;
mod kept;
mod lines;
mod look;
mod packed;
mod scan;
mod search;
mod source;
mod times;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{AttemptId, RunId},
    log::Stream,
    time::Time,
};
use tokio::sync::watch;

use self::{file::LogFile, look::Indexes};
pub use self::{
    lines::{Line, LineWindow},
    look::Found,
    search::{Hit, Needle, PatternError, Progress, Wanted},
    times::Arrivals,
};
use crate::{clock, limits};

/// Why a log could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No room is left; what was written before stays.
    #[error("the disk of the engine's logs is full; free some space in {0}")]
    Full(PathBuf),
    /// The disk refused.
    #[error("log {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The thread that works on the disk ended.
    #[error("the work on a log was not finished")]
    Cancelled,
}

impl LogError {
    fn new(path: &Path, error: io::Error) -> Self {
        let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let path = path.to_owned();
        if full { Self::Full(path) } else { Self::Io { path, error } }
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        let told = error.to_string();
        Self::new(ErrorCode::Storage, told.clone()).because(told)
    }
}

/// A log: whose, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogKey {
    /// Whose.
    pub attempt: AttemptId,
    /// Which.
    pub stream: Stream,
}

/// Bytes of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSlice {
    /// Where they begin.
    pub from: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// How long the log is by now.
    pub size: u64,
}

/// The log store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Logs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    bytes_max: u64,
    open: Mutex<Open>,
    followed: Mutex<BTreeMap<LogKey, watch::Sender<u64>>>,
    indexes: Indexes,
}

#[derive(Debug, Default)]
struct Open {
    files: BTreeMap<LogKey, (u64, Arc<LogFile>)>,
    uses: u64,
}

impl Logs {
    /// The store in this folder, which is made if it is not there. Of each log at most so many bytes are kept; the rest
    /// is dropped, and a line at the end of the log says so.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>, bytes_max: u64) -> io::Result<Self> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder)?;
        Ok(Self(Arc::new(Inner {
            folder,
            bytes_max,
            open: Mutex::default(),
            followed: Mutex::default(),
            indexes: Indexes::default(),
        })))
    }

    fn files(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn followed(&self) -> MutexGuard<'_, BTreeMap<LogKey, watch::Sender<u64>>> {
        self.0.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run_folder(&self, run: RunId) -> PathBuf {
        self.0.folder.join(run.to_string())
    }

    fn path(&self, key: LogKey) -> PathBuf {
        let AttemptId { run, test, attempt } = key.attempt;
        // Folders of 100,000 files are slow to list and to delete.
        let thousand = (test.0 / 1_000).to_string();
        self.run_folder(run).join(thousand).join(format!("{test}.{attempt}.{}", key.stream.as_str()))
    }

    /// Writes bytes at an offset; the answer is how long the log is by now. Runs on a thread of its own: a disk that
    /// is busy stops no socket.
    ///
    /// # Errors
    /// The disk is full or refused; nothing or a part was written, and the same bytes may be sent again.
    pub async fn write(
        &self,
        attempt: AttemptId,
        stream: Stream,
        offset: u64,
        bytes: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<u64, LogError> {
        let logs = self.clone();
        let key = LogKey { attempt, stream };
        let now = clock::now();
        let size = blocking(move || logs.write_now(key, offset, bytes.as_ref(), now)).await?;
        if let Some(followed) = self.followed().get(&key) {
            followed.send_replace(size);
        }
        Ok(size)
    }

    fn write_now(&self, key: LogKey, offset: u64, bytes: &[u8], now: Time) -> Result<u64, LogError> {
        let path = self.path(key);
        let file = self.file(key).map_err(|error| LogError::new(&path, error))?;
        let size = file.write_at(offset, bytes, self.0.bytes_max, now);
        let size = size.map_err(|error| LogError::new(&path, error))?;
        self.0.indexes.written(key, offset);
        Ok(size)
    }

    /// The open file of a log; the one not used longest is closed when there are too many.
    fn file(&self, key: LogKey) -> io::Result<Arc<LogFile>> {
        let mut open = self.files();
        open.uses = open.uses.saturating_add(1);
        let now = open.uses;
        if let Some((used, file)) = open.files.get_mut(&key) {
            *used = now;
            return Ok(Arc::clone(file));
        }
        if open.files.len() >= limits::LOG_FILES_OPEN_MAX {
            let oldest = open.files.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key);
            oldest.and_then(|oldest| open.files.remove(&oldest));
        }
        let file = Arc::new(LogFile::open(&self.path(key))?);
        open.files.insert(key, (now, Arc::clone(&file)));
        Ok(file)
    }

    /// Puts what was written of these logs on the disk.
    ///
    /// # Errors
    /// The disk refused; what was written may be lost in a power cut.
    pub async fn sync(&self, keys: Vec<LogKey>) -> Result<(), LogError> {
        let logs = self.clone();
        blocking(move || {
            for key in keys {
                let path = logs.path(key);
                let open = logs.files().files.get(&key).map(|(_, file)| Arc::clone(file));
                let synced = match open {
                    Some(file) => file.sync(),
                    // Written, but its file was closed for others in the meantime, or packed, which puts it on the disk too.
                    None => file::sync_closed(&path),
                };
                synced.map_err(|error| LogError::new(&path, error))?;
            }
            Ok(())
        })
        .await
    }

    /// How long a log is; 0 where there is none.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn size(&self, key: LogKey) -> Result<u64, LogError> {
        self.read(key, 0, 0).await.map(|slice| slice.size)
    }

    /// How many bytes are still to come of a log of this size, of which its EP says that it has `told` bytes. Of one
    /// that is longer than what is kept, the rest is not waited for.
    #[must_use]
    pub fn missing(&self, size: u64, told: u64) -> u64 {
        told.min(self.0.bytes_max).saturating_sub(size)
    }

    /// The logs of an attempt that are not empty, with their sizes.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn list(&self, attempt: AttemptId) -> Result<BTreeMap<Stream, u64>, LogError> {
        let mut sizes = BTreeMap::new();
        for stream in Stream::ALL {
            let size = self.size(LogKey { attempt, stream }).await?;
            if size > 0 {
                sizes.insert(stream, size);
            }
        }
        Ok(sizes)
    }

    /// At most `limit` bytes of a log from `from` on; fewer at its end.
    ///
    /// # Errors
    /// The disk refused, or the packed log is damaged.
    pub async fn read(&self, key: LogKey, from: u64, limit: u64) -> Result<LogSlice, LogError> {
        let path = self.path(key);
        let limit = limit.min(limits::RANGE_BYTES_MAX);
        blocking(move || file::read(&path, from, limit).map_err(|error| LogError::new(&path, error))).await
    }

    /// When what is in a log came.
    ///
    /// # Errors
    /// The disk refused, or the packed times are damaged.
    pub async fn arrivals(&self, key: LogKey) -> Result<Arrivals, LogError> {
        let path = self.path(key);
        blocking(move || Arrivals::read(&path).map_err(|error| LogError::new(&path, error))).await
    }

    /// The end of a log, for reports.
    ///
    /// # Errors
    /// The disk refused, or the packed log is damaged.
    pub async fn tail(&self, key: LogKey, bytes: u64) -> Result<LogSlice, LogError> {
        let size = self.size(key).await?;
        self.read(key, size.saturating_sub(bytes), bytes).await
    }

    /// The same on the caller's thread, which it blocks.
    ///
    /// # Errors
    /// The disk refused, or the packed log is damaged.
    pub fn tail_now(&self, key: LogKey, bytes: u64) -> Result<LogSlice, LogError> {
        let path = self.path(key);
        let read = |from, limit| file::read(&path, from, limit).map_err(|error| LogError::new(&path, error));
        let size = read(0, 0)?.size;
        read(size.saturating_sub(bytes), bytes.min(limits::RANGE_BYTES_MAX))
    }

    /// Says how long a log is whenever it grows, until the receiver is dropped.
    pub fn follow(&self, key: LogKey) -> watch::Receiver<u64> {
        let mut followed = self.followed();
        followed.retain(|_, sender| sender.receiver_count() > 0);
        followed.entry(key).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    /// How many logs are followed now, for the metrics.
    pub fn followers(&self) -> usize {
        self.followed().values().filter(|sender| sender.receiver_count() > 0).count()
    }

    /// Removes the logs of a run that was deleted.
    ///
    /// # Errors
    /// The disk refused; some may be left.
    pub async fn delete(&self, run: RunId) -> Result<(), LogError> {
        self.files().files.retain(|key, _| key.attempt.run != run);
        let folder = self.run_folder(run);
        let gone = move || match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LogError::new(&folder, error)),
            Err(_) | Ok(()) => Ok(()),
        };
        blocking(gone).await
    }

    /// Packs the logs of a run that has ended. What is packed already stays as it is.
    ///
    /// # Errors
    /// The disk is full or refused; logs not yet packed stay as they are.
    pub async fn pack(&self, run: RunId) -> Result<(), LogError> {
        self.files().files.retain(|key, _| key.attempt.run != run);
        let folder = self.run_folder(run);
        blocking(move || packed::pack_folder(&folder).map_err(|error| LogError::new(&folder, error))).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(LogError::Cancelled))
}

#[cfg(test)]
mod tests;
