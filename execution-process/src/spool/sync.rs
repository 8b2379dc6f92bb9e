//! Makes written records durable, many at a time, on a thread of its own.
//!
//! A record that comes after a pause is flushed at once. While they come faster than [`PACE_MILLIS`], one flush covers all that
//! came in that time: a flush costs as much as a short test, and what is reported together is also stored together.

use std::{
    fs::File,
    io,
    sync::{Arc, mpsc},
};

use crate::clock::{self, Moment};

/// Least time between the beginnings of two flushes, and so the most that a report waits for its own.
const PACE_MILLIS: u64 = 10;

/// What has become of written reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Synced {
    /// Everything up to this report is on the disk.
    UpTo(u64),
    /// The disk failed.
    Failed(String),
}

struct Request {
    file: Arc<File>,
    seq: u64,
}

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct SyncThread {
    requests: mpsc::Sender<Request>,
}

impl SyncThread {
    pub(crate) fn start(synced: impl Fn(Synced) + Send + 'static) -> io::Result<Self> {
        let (requests, inbox) = mpsc::channel::<Request>();
        let work = move || {
            let mut last: Option<Moment> = None;
            while let Ok(first) = inbox.recv() {
                if let Some(last) = last {
                    std::thread::sleep(last.plus_millis(PACE_MILLIS).after(clock::moment()));
                }
                last = Some(clock::moment());
                // All that waits is covered by one flush: the busier, the cheaper.
                let newest = inbox.try_iter().last().unwrap_or(first);
                synced(match newest.file.sync_data() {
                    Ok(()) => Synced::UpTo(newest.seq),
                    Err(error) => Synced::Failed(format!("the spool cannot be made durable: {error}")),
                });
            }
        };
        std::thread::Builder::new().name("spool-sync".to_owned()).spawn(work)?;
        Ok(Self { requests })
    }

    pub(crate) fn request(&self, file: &Arc<File>, seq: u64) {
        // The thread lives as long as its sender; were it gone, nothing would be sent, which is the safe side.
        let _ = self.requests.send(Request { file: Arc::clone(file), seq });
    }
}
