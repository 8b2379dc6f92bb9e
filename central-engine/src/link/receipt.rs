//! Receipts for log bytes: an EP forgets what it has one for, so none is given before the bytes are on the disk.
//!
//! Bytes of many frames share one flush: it begins when a share of the EP's window is written, or after a moment.

use std::{collections::BTreeMap, time::Duration};

use tokio::{task::JoinHandle, time::Instant};

use crate::logs::{LogError, LogKey, Logs};

/// Bytes that wait for a receipt wait no longer than this for company.
const PAUSE: Duration = Duration::from_millis(50);
/// The share of the window that is flushed at once: the EP sends the rest meanwhile.
const SHARES: u64 = 4;

/// How far each log is on the disk.
pub(super) type Stored = BTreeMap<LogKey, u64>;

/// What one EP is owed.
#[derive(Debug)]
pub(super) struct Receipts {
    logs: Logs,
    share_bytes: u64,
    owed: Stored,
    owed_bytes: u64,
    since: Instant,
    flush: Option<JoinHandle<Result<Stored, LogError>>>,
}

impl Receipts {
    pub(super) fn new(logs: Logs, window_bytes: u64) -> Self {
        let share_bytes = window_bytes.div_euclid(SHARES);
        Self { logs, share_bytes, owed: Stored::new(), owed_bytes: 0, since: Instant::now(), flush: None }
    }

    /// Bytes of a log up to `end` are written.
    pub(super) fn owe(&mut self, key: LogKey, end: u64, bytes: u64) {
        if self.owed.is_empty() {
            self.since = Instant::now();
        }
        let known = self.owed.entry(key).or_default();
        *known = end.max(*known);
        self.owed_bytes = self.owed_bytes.saturating_add(bytes);
    }

    /// Waits until some of it is on the disk, and says what. May be given up and begun again.
    ///
    /// # Errors
    /// The disk refused.
    pub(super) async fn settle(&mut self) -> Result<Stored, LogError> {
        if self.flush.is_none() {
            if self.owed.is_empty() {
                return std::future::pending().await;
            }
            if self.owed_bytes < self.share_bytes {
                tokio::time::sleep_until(self.since + PAUSE).await;
            }
            let (logs, owed) = (self.logs.clone(), std::mem::take(&mut self.owed));
            self.owed_bytes = 0;
            self.flush = Some(tokio::spawn(async move {
                logs.sync(owed.keys().copied().collect()).await?;
                Ok(owed)
            }));
        }
        let Some(flush) = &mut self.flush else { return std::future::pending().await };
        let settled = flush.await.unwrap_or(Err(LogError::Cancelled));
        self.flush = None;
        settled
    }
}
