//! The task that owns the log spool: takes bytes in from the tests, hands frames to the connection, hears what is stored.

use jackfield_protocol::{
    id::AttemptId,
    log::{LogFrame, Stream},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};

use crate::limits::{FAR, LOG_RETRY_PAUSE, LOG_STALL_LIMIT};
use crate::{
    capture::Chunk,
    event::{Event, Place},
    log_spool::LogSpool,
};

/// What the connection tells the pump.
#[derive(Debug)]
pub(crate) enum LogEvent {
    /// There is a connection: frames go here, and no more than the window is under way.
    Up { window_bytes: u64, frames: mpsc::Sender<Vec<u8>> },
    /// There is none any more.
    Down,
    /// The engine has stored this log up to here.
    Stored { attempt: AttemptId, stream: Stream, bytes: u64, place: Place },
    /// What is here is another engine's: forget it, and say when that is done. Nobody writes any more.
    Forget { done: oneshot::Sender<()> },
    /// The EP ends: say when everything is stored.
    Drain { done: oneshot::Sender<()> },
}

/// The pump.
#[derive(Debug)]
pub(crate) struct LogPump {
    pub(crate) spool: LogSpool,
    pub(crate) chunks: mpsc::Receiver<Chunk>,
    pub(crate) link: mpsc::UnboundedReceiver<LogEvent>,
    pub(crate) events: mpsc::UnboundedSender<Event>,
    /// The disk did not take the last chunk.
    pub(crate) troubled: bool,
}

struct Connection {
    window_bytes: u64,
    frames: mpsc::Sender<Vec<u8>>,
    /// When something was last stored, or nothing was under way.
    progress: Instant,
    /// A frame that the channel has no room for yet.
    next: Option<Vec<u8>>,
}

impl LogPump {
    /// Works until nobody writes any more and everything written was given to the disk.
    pub(crate) async fn run(mut self, clock: impl Fn() -> Instant) {
        let mut connection: Option<Connection> = None;
        let mut refused: Option<Chunk> = None;
        let mut draining: Option<oneshot::Sender<()>> = None;
        let mut retry_at = clock();
        loop {
            if let Some(up) = &mut connection {
                self.fill(up, &clock);
            }
            if self.spool.is_empty() && self.chunks.is_empty() && refused.is_none() {
                // Whoever waited may be gone.
                let _ = draining.take().map(|done| done.send(()));
            }
            let stalls_at = connection
                .as_ref()
                .filter(|_| self.spool.waits())
                .map_or_else(|| clock() + FAR, |up| up.progress + LOG_STALL_LIMIT);
            let waits_for_room =
                connection.as_ref().filter(|up| up.next.is_some()).map(|up| up.frames.clone());
            tokio::select! {
                biased;
                heard = self.link.recv() => match heard {
                    Some(LogEvent::Drain { done }) => draining = Some(done),
                    Some(LogEvent::Forget { done }) => {
                        while self.chunks.try_recv().is_ok() {}
                        refused = None;
                        self.spool.forget();
                        // Whoever waited may be gone.
                        let _ = done.send(());
                    }
                    Some(event) => self.hear(event, &mut connection, &clock),
                    None => return,
                },
                permit = room(waits_for_room) => if let Some(up) = &mut connection {
                    match (permit, up.next.take()) {
                        (Some(permit), Some(frame)) => {
                            permit.send(frame);
                        }
                        _ => connection = None,
                    }
                },
                chunk = self.chunks.recv(), if refused.is_none() && !self.spool.is_full() => match chunk {
                    Some(chunk) => {
                        refused = self.keep(chunk);
                        retry_at = clock() + LOG_RETRY_PAUSE;
                    }
                    None => return,
                },
                () = sleep_until(retry_at), if refused.is_some() => {
                    refused = refused.take().and_then(|chunk| self.keep(chunk));
                    retry_at = clock() + LOG_RETRY_PAUSE;
                }
                () = sleep_until(stalls_at) => {
                    self.give_up();
                    connection.iter_mut().for_each(|up| up.progress = clock());
                }
            }
        }
    }

    fn hear(&mut self, event: LogEvent, connection: &mut Option<Connection>, clock: &impl Fn() -> Instant) {
        match event {
            LogEvent::Up { window_bytes, frames } => {
                self.spool.disconnected();
                *connection = Some(Connection { window_bytes, frames, progress: clock(), next: None });
            }
            LogEvent::Down => {
                self.spool.disconnected();
                *connection = None;
            }
            LogEvent::Stored { attempt, stream, bytes, place } => {
                self.spool.stored(attempt, stream, bytes);
                drop(place);
                connection.iter_mut().for_each(|up| up.progress = clock());
            }
            // Heard where they are waited for.
            LogEvent::Drain { .. } | LogEvent::Forget { .. } => {}
        }
    }

    /// Hands over what the connection has room for.
    fn fill(&mut self, up: &mut Connection, clock: &impl Fn() -> Instant) {
        while up.next.is_none() {
            if !self.spool.waits() {
                up.progress = clock();
            }
            match self.spool.next(up.window_bytes) {
                Ok(Some(frame)) => {
                    if let Err(mpsc::error::TrySendError::Full(frame)) = up.frames.try_send(frame) {
                        up.next = Some(frame);
                    }
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(
                        "a log cannot be read back from the spool, and is sent no further: {error}"
                    );
                    return;
                }
            }
        }
    }

    /// Gives a chunk to the disk; back it comes when the disk does not take it.
    fn keep(&mut self, chunk: Chunk) -> Option<Chunk> {
        let frame = LogFrame {
            attempt: chunk.attempt,
            stream: chunk.stream,
            offset: chunk.offset,
            bytes: &chunk.bytes,
        };
        match self.spool.push(&frame) {
            Ok(()) => {
                if std::mem::take(&mut self.troubled) {
                    let _ = self.events.send(Event::LogSpool { trouble: None });
                }
                None
            }
            Err(error) => {
                let trouble = format!(
                    "cannot write its log spool, and tests that write wait; free disk space there: {error}"
                );
                tracing::error!("this execution process {trouble}");
                self.troubled = true;
                let _ = self.events.send(Event::LogSpool { trouble: Some(trouble) });
                Some(chunk)
            }
        }
    }

    fn give_up(&mut self) {
        for (attempt, bytes) in self.spool.abandon() {
            tracing::warn!("{bytes} log bytes of {attempt} are given up: the engine does not store them");
            let _ = self.events.send(Event::LogsAbandoned { attempt, bytes });
        }
    }
}

/// Waits for room in a channel; for ever where there is none to wait for.
async fn room(frames: Option<mpsc::Sender<Vec<u8>>>) -> Option<mpsc::OwnedPermit<Vec<u8>>> {
    match frames {
        Some(frames) => frames.reserve_owned().await.ok(),
        None => std::future::pending().await,
    }
}
