//! Makes written records durable, many at a time, on a thread of its own.

use std::{
    fs::File,
    io,
    sync::{Arc, mpsc},
};

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
            while let Ok(first) = inbox.recv() {
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
