//! The conversation with the engine: dial, say hello, talk until it breaks, dial again.
//!
//! ```text
//!  ┌────────────────────────────── backoff ◀───────────────────────────┐
//!  ▼                                                                    │
//! dial ──▶ greet (Hello → Welcome) ──▶ talk (read ∥ write) ──▶ broken, silent, or closed
//!  ▲           ├──▶ refused for good: the EP ends
//!  └── forget ◀┘ what is held is another engine's
//! ```
//!
//! Control messages go before log frames; log frames come from the log pump, which keeps the window.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::Epoch,
    link::{EngineToEp, EpToEngine, Hello, MESSAGE_BYTES_MAX, Welcome},
};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, mpsc, oneshot},
    time::{Interval, MissedTickBehavior, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use crate::limits::{CLOSE_LIMIT, CONTROL_MAX, FRAMES_MAX, GREETING_LIMIT};
use crate::{
    EpError, event::Event, identity::Identity, limits::HEARD_MAX, log_pump::LogEvent, station::Station,
};

mod dial;
mod hello;

pub(crate) use dial::Dialer;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("{0}")]
    Socket(#[from] tokio_tungstenite::tungstenite::Error),
    #[error("{0}")]
    Unknown(EpError),
    #[error("the engine was not heard for {0} ms")]
    Silent(u64),
    #[error("the engine closed the connection")]
    Closed,
    #[error("the engine said something that is no message: {0}")]
    NoMessage(#[from] serde_json::Error),
    #[error("the engine did not answer the greeting")]
    NoGreeting,
    #[error("the engine refused: {0}")]
    Refused(Problem),
    #[error("the execution process ends")]
    Ending,
    #[error(
        "what this execution process holds was given out by another engine, or is lost with a restored backup; it is forgotten"
    )]
    Foreign,
    #[error("whose orders this execution process holds cannot be written down: {0}")]
    Identity(std::io::Error),
}

/// The link and what it needs.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) station: Arc<Station>,
    pub(crate) identity: Identity,
    pub(crate) events: mpsc::UnboundedSender<Event>,
    pub(crate) logs: mpsc::UnboundedSender<LogEvent>,
    pub(crate) shutdown: CancellationToken,
    /// An engine has welcomed it in this life: a name that is taken now was taken from it.
    pub(crate) was_welcome: bool,
}

impl Link {
    /// Keeps a connection to the engine until `shutdown`.
    ///
    /// # Errors
    /// The engine refused for a reason that no further try will change, or its address cannot be read.
    pub(crate) async fn run(mut self) -> Result<(), EpError> {
        let dialer = Dialer::new(&self.station.settings)?;
        let mut tries = 0;
        while !self.shutdown.is_cancelled() {
            let broken = tokio::select! {
                () = self.shutdown.cancelled() => break,
                socket = dialer.dial() => match socket {
                    Ok(socket) => self.converse(socket, &mut tries).await,
                    Err(error) => dial::not_ours(&error).map_or(Broken::Socket(error), Broken::Unknown),
                },
            };
            let _ = self.logs.send(LogEvent::Down);
            let _ = self.events.send(Event::LinkDown);
            if self.events.is_closed() {
                break;
            }
            let broken = self.unless_final(broken)?;
            if matches!(broken, Broken::Foreign) {
                tracing::warn!(ep.name = %self.station.settings.name, "{broken}");
                self.forget().await;
            } else {
                self.pause(&dialer, tries, &broken).await;
                tries = tries.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Waits before the next try, longer each time.
    async fn pause(&self, dialer: &Dialer, tries: u32, broken: &Broken) {
        if tries == 0 || tries % 20 == 19 {
            tracing::warn!(ep.name = %self.station.settings.name, "no connection to the engine: {broken}; trying again");
        }
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = tokio::time::sleep(dialer.backoff(tries)) => {}
        }
    }

    /// Ends what runs and forgets all that is held: it is another engine's. Nothing is held when this returns.
    async fn forget(&mut self) {
        let (done, forgotten) = oneshot::channel();
        let _ = self.events.send(Event::Forget { done });
        // The daemon ends with this EP, and then there is nobody to wait for.
        if forgotten.await.is_err() {
            return;
        }
        let (done, forgotten) = oneshot::channel();
        let _ = self.logs.send(LogEvent::Forget { done });
        let _ = forgotten.await;
        self.station.outbox.forget();
        if let Err(error) = self.identity.belong_to("") {
            tracing::error!("{}", Broken::Identity(error));
        }
    }

    async fn converse(&mut self, mut socket: Socket, tries: &mut u32) -> Broken {
        let welcome = match timeout(GREETING_LIMIT, self.greet(&mut socket)).await {
            Ok(Ok(welcome)) => welcome,
            Ok(Err(broken)) => return broken,
            Err(_) => return Broken::NoGreeting,
        };
        if welcome.foreign {
            return Broken::Foreign;
        }
        if let Err(error) = self.identity.belong_to(&welcome.life) {
            return Broken::Identity(error);
        }
        self.was_welcome = true;
        *tries = 0;
        tracing::info!(ep.name = %self.station.settings.name, "connected to {}", welcome.engine);
        let silence = Duration::from_millis(welcome.silence_millis.max(1));
        let beat = Duration::from_millis(welcome.heartbeat_millis.max(1));
        let epoch = welcome.epoch;
        let (control, control_inbox) = mpsc::channel(CONTROL_MAX);
        let (frames, frames_inbox) = mpsc::channel(FRAMES_MAX);
        let _ = self.logs.send(LogEvent::Up { window_bytes: welcome.log_window_bytes, frames });
        let _ = self.events.send(Event::LinkUp { welcome: Box::new(welcome), control });
        let (sink, mut stream) = socket.split();
        let mut outgoing =
            Outgoing { sink, control: control_inbox, frames: frames_inbox, beat: heartbeat(beat) };
        let broken = tokio::select! {
            broken = self.read(&mut stream, silence, epoch) => broken,
            broken = outgoing.write() => broken,
        };
        let close = async {
            let closed = outgoing.sink.close().await;
            // A connection that is dropped with something unread is reset, and what was said last may be lost with it.
            let parts = closed.is_ok() && matches!(broken, Broken::Ending);
            while parts && matches!(stream.next().await, Some(Ok(heard)) if !heard.is_close()) {}
        };
        let _ = timeout(CLOSE_LIMIT, close).await;
        broken
    }

    async fn greet(&self, socket: &mut Socket) -> Result<Welcome, Broken> {
        let (answer, possession) = oneshot::channel();
        let _ = self.events.send(Event::LinkGreets { answer });
        let Ok(possession) = possession.await else { return Err(Broken::Ending) };
        let hello: Hello =
            hello::hello(&self.station, &self.identity, local_address(socket), possession).await;
        socket.send(text(&EpToEngine::Hello(Box::new(hello)))?).await?;
        loop {
            let message = socket.next().await.ok_or(Broken::Closed)??;
            let Message::Text(text) = message else { continue };
            let answer: EngineToEp = serde_json::from_str(&text)?;
            if let EngineToEp::Welcome(welcome) = answer {
                return Ok(welcome);
            }
            let EngineToEp::Refused(problem) = answer else { return Err(Broken::NoGreeting) };
            return Err(Broken::Refused(problem));
        }
    }

    /// What is tried again; an error where that cannot help.
    fn unless_final(&self, broken: Broken) -> Result<Broken, EpError> {
        if let Broken::Refused(problem) = &broken
            && self.is_final(problem.code)
        {
            return Err(EpError::Refused(problem.clone()));
        }
        if let Broken::Unknown(error) = broken {
            // One that an engine has welcomed has tests to report, and waits for that engine to come back.
            let stays = !self.was_welcome && error.stays();
            return if stays { Err(error) } else { Ok(Broken::Unknown(error)) };
        }
        Ok(broken)
    }

    /// Whether trying again cannot help. One whose name was taken while it was away still has tests to report, and waits for the other to go.
    fn is_final(&self, code: ErrorCode) -> bool {
        let is_newcomer = code == ErrorCode::NameTaken && !self.was_welcome;
        is_newcomer
            || matches!(code, ErrorCode::Unauthenticated | ErrorCode::Forbidden | ErrorCode::ProtocolVersion)
    }

    async fn read(&self, stream: &mut SplitStream<Socket>, silence: Duration, epoch: Epoch) -> Broken {
        let places = Arc::new(Semaphore::new(HEARD_MAX));
        loop {
            // Nobody closes it.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return Broken::Ending };
            let message = match timeout(silence, stream.next()).await {
                Err(_) => return Broken::Silent(u64::try_from(silence.as_millis()).unwrap_or(u64::MAX)),
                Ok(None) => return Broken::Closed,
                Ok(Some(Err(error))) => return Broken::Socket(error),
                Ok(Some(Ok(message))) => message,
            };
            let Message::Text(text) = message else { continue };
            match serde_json::from_str(&text) {
                Ok(EngineToEp::LogStored { attempt, stream, bytes }) => {
                    let _ = self.logs.send(LogEvent::Stored { attempt, stream, bytes, place });
                }
                Ok(message) => {
                    let _ = self.events.send(Event::LinkHeard { epoch, message: Box::new(message), place });
                }
                Err(error) => return Broken::NoMessage(error),
            }
        }
    }
}

/// The writing side of a connection.
struct Outgoing {
    sink: SplitSink<Socket, Message>,
    control: mpsc::Receiver<EpToEngine>,
    frames: mpsc::Receiver<Vec<u8>>,
    beat: Interval,
}

impl Outgoing {
    async fn write(&mut self) -> Broken {
        loop {
            let step = tokio::select! {
                biased;
                message = self.control.recv() => match message {
                    Some(message) => self.send_control(message).await,
                    None => return Broken::Ending,
                },
                _ = self.beat.tick() => self.send_control(EpToEngine::Heartbeat).await,
                Some(frame) = self.frames.recv() => self.sink.send(Message::binary(frame)).await.map_err(Broken::from),
            };
            if let Err(broken) = step {
                return broken;
            }
        }
    }

    /// Sends a message and all that wait behind it, with one flush.
    async fn send_control(&mut self, first: EpToEngine) -> Result<(), Broken> {
        let mut next = Some(first);
        while let Some(message) = next {
            let text = text(&message)?;
            if text.len() <= MESSAGE_BYTES_MAX {
                self.sink.feed(text).await?;
            } else {
                // The engine would close the connection for it, and again for ever. What tests say was measured where they said it.
                tracing::error!(
                    "a message of {} bytes is too long for the engine, and is not said",
                    text.len()
                );
            }
            next = self.control.try_recv().ok();
        }
        self.sink.flush().await?;
        Ok(())
    }
}

fn heartbeat(every: Duration) -> Interval {
    let mut interval = tokio::time::interval(every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn text(message: &EpToEngine) -> Result<Message, serde_json::Error> {
    serde_json::to_string(message).map(Message::text)
}

fn local_address(socket: &Socket) -> String {
    let address = match socket.get_ref() {
        MaybeTlsStream::Plain(stream) => stream.local_addr(),
        MaybeTlsStream::Rustls(stream) => stream.get_ref().0.local_addr(),
        _ => return String::new(),
    };
    address.map(|address| address.ip().to_string()).unwrap_or_default()
}
