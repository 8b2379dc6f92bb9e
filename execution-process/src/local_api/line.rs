//! A request is a line, and lines have sizes: a small one before anybody said who they are, and a large one only while there is a place for it.

use std::sync::Arc;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    net::unix::OwnedReadHalf,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::limits::{CALL_BYTES_MAX, CALL_BYTES_SMALL, CALL_COMES_LIMIT, HELLO_BYTES_MAX, HELLO_LIMIT};

/// The reading side of a connection.
pub(super) struct Lines {
    read: BufReader<OwnedReadHalf>,
    large: Arc<Semaphore>,
}

/// What came.
pub(super) enum Line {
    /// A request, with the place that a large one has until it is answered.
    Whole(Vec<u8>, Option<OwnedSemaphorePermit>),
    /// Longer than this many bytes; nothing can be read behind it.
    TooLong(u64),
    /// It did not come whole in time, or the other side is gone.
    Over,
}

impl Lines {
    pub(super) fn new(read: OwnedReadHalf, large: Arc<Semaphore>) -> Self {
        Self { read: BufReader::new(read), large }
    }

    /// The first request: somebody says who they are, soon and in few words.
    pub(super) async fn hello(&mut self) -> Line {
        let mut line = Vec::new();
        match timeout(HELLO_LIMIT, self.fill(&mut line, HELLO_BYTES_MAX)).await {
            Ok(true) if is_cut(&line, HELLO_BYTES_MAX) => Line::TooLong(HELLO_BYTES_MAX),
            Ok(true) => Line::Whole(line, None),
            Ok(false) | Err(_) => Line::Over,
        }
    }

    /// A further request; waits for a place where it is a large one, and then not long for the rest of it.
    pub(super) async fn next(&mut self) -> Line {
        let mut line = Vec::new();
        if !self.fill(&mut line, CALL_BYTES_SMALL).await {
            return Line::Over;
        }
        if !is_cut(&line, CALL_BYTES_SMALL) {
            return Line::Whole(line, None);
        }
        // Nobody closes it.
        let Ok(place) = Arc::clone(&self.large).acquire_owned().await else { return Line::Over };
        let rest = CALL_BYTES_MAX.saturating_sub(CALL_BYTES_SMALL);
        match timeout(CALL_COMES_LIMIT, self.fill(&mut line, rest)).await {
            Ok(true) if is_cut(&line, CALL_BYTES_MAX) => Line::TooLong(CALL_BYTES_MAX),
            Ok(true) => Line::Whole(line, Some(place)),
            Ok(false) | Err(_) => Line::Over,
        }
    }

    /// Reads on, up to the end of the line or so many bytes; false where nothing came.
    async fn fill(&mut self, line: &mut Vec<u8>, most: u64) -> bool {
        matches!((&mut self.read).take(most).read_until(b'\n', line).await, Ok(count) if count > 0)
    }
}

/// Whether a line goes on behind its limit; the last one of a connection may do without its end.
fn is_cut(line: &[u8], most: u64) -> bool {
    u64::try_from(line.len()).unwrap_or(u64::MAX) >= most && line.last() != Some(&b'\n')
}
