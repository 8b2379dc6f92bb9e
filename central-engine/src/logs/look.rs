//! Looking into a log for a person: a window of lines, how long it is, what it holds. What was counted is kept for the next look.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_protocol::error::{ErrorCode, Problem};
use tokio::sync::{Semaphore, mpsc};

use super::{
    Hit, LineWindow, LogError, LogKey, Logs, Needle, Progress, blocking,
    lines::LineIndex,
    scan::{self, Listener},
    source::Source,
};
use crate::limits;

/// Where lines are, in the logs that people look at.
#[derive(Debug)]
pub(super) struct Indexes {
    known: Mutex<Known>,
    /// Who may search now.
    searches: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Known {
    by_log: BTreeMap<LogKey, (u64, Arc<Mutex<LineIndex>>)>,
    uses: u64,
}

impl Default for Indexes {
    fn default() -> Self {
        Self { known: Mutex::default(), searches: Arc::new(Semaphore::new(limits::LOG_SEARCHES_MAX)) }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is half counted is counted on from where it was: an index is right after each of its statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Indexes {
    /// Something was written: what was counted behind it may have changed.
    pub(super) fn written(&self, key: LogKey, offset: u64) {
        let index = locked(&self.known).by_log.get(&key).map(|(_, index)| Arc::clone(index));
        if let Some(index) = index {
            locked(&index).forget(offset);
        }
    }

    fn of(&self, key: LogKey) -> Arc<Mutex<LineIndex>> {
        let mut known = locked(&self.known);
        known.uses = known.uses.saturating_add(1);
        let now = known.uses;
        if let Some((used, index)) = known.by_log.get_mut(&key) {
            *used = now;
            return Arc::clone(index);
        }
        if known.by_log.len() >= limits::LOG_INDEXES_MAX {
            let oldest = known.by_log.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key);
            oldest.and_then(|oldest| known.by_log.remove(&oldest));
        }
        let index = Arc::default();
        known.by_log.insert(key, (now, Arc::clone(&index)));
        index
    }
}

/// What a search says.
#[derive(Debug)]
pub enum Found {
    /// A line.
    Hit(Hit),
    /// How far it is.
    Progress(Progress),
    /// The log could not be read; nothing follows.
    Failed(LogError),
}

impl Logs {
    /// At most so many lines from a number on, counted from 1; with 0 lines, only how many there are. A log that is not there is empty.
    ///
    /// # Errors
    /// The disk refused, or the packed log is damaged.
    pub async fn lines(&self, key: LogKey, from: u64, wanted: u64) -> Result<LineWindow, LogError> {
        let logs = self.clone();
        blocking(move || {
            let path = logs.path(key);
            let told = |error| LogError::new(&path, error);
            let Some(source) = Source::open(&path).map_err(told)? else { return Ok(LineWindow::default()) };
            let index = logs.0.indexes.of(key);
            let mut index = locked(&index);
            index.extend(&source).map_err(told)?;
            // Others may look while this one reads: the counts are few.
            let counted = index.clone();
            drop(index);
            counted.window(&source, from, wanted).map_err(told)
        })
        .await
    }

    /// Searches a log from a line on, on a thread of its own, which ends when the answer is dropped. The last word is the progress at the
    /// end of the log, where all of it was searched.
    ///
    /// # Errors
    /// Too many are searching.
    pub fn search(&self, key: LogKey, needle: Needle, from: u64) -> Result<mpsc::Receiver<Found>, Problem> {
        let Ok(permit) = Arc::clone(&self.0.indexes.searches).try_acquire_owned() else {
            let title = format!("{} searches in logs are under way; try again", limits::LOG_SEARCHES_MAX);
            return Err(Problem::new(ErrorCode::TooMany, title));
        };
        let (said, heard) = mpsc::channel(limits::LOG_SEARCH_QUEUE);
        let logs = self.clone();
        tokio::task::spawn_blocking(move || {
            let searched = logs.search_now(key, &needle, from, &mut Teller(&said));
            if let Err(error) = searched {
                // Nobody may be there to be told.
                let _ = said.blocking_send(Found::Failed(LogError::new(&logs.path(key), error)));
            }
            drop(permit);
        });
        Ok(heard)
    }

    fn search_now(&self, key: LogKey, needle: &Needle, from: u64, teller: &mut Teller<'_>) -> io::Result<()> {
        let begin = match Source::open(&self.path(key))? {
            Some(source) if from <= 1 => Some((source, 0)),
            Some(source) => {
                let index = self.0.indexes.of(key);
                let mut index = locked(&index);
                index.extend(&source)?;
                let begin = index.begin_of(from, &source)?;
                begin.map(|begin| (source, begin))
            }
            None => None,
        };
        match begin {
            Some((source, begin)) => scan::search(&source, needle, (from.max(1), begin), teller),
            None => {
                teller.progress(Progress::default());
                Ok(())
            }
        }
    }
}

struct Teller<'channel>(&'channel mpsc::Sender<Found>);

impl Listener for Teller<'_> {
    fn hit(&mut self, hit: Hit) -> bool {
        self.0.blocking_send(Found::Hit(hit)).is_ok()
    }

    fn progress(&mut self, progress: Progress) -> bool {
        self.0.blocking_send(Found::Progress(progress)).is_ok()
    }
}
