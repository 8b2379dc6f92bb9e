//! The connection of one console: dialled to the engine, which joins it to the person's.

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use jackfield_protocol::console::{
    CONSOLE_PATH, CONSOLE_SECRET, CONSOLE_SUBPROTOCOL, ConsoleOrder, EpToPerson, PersonToEp,
};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

use crate::limits::{CONSOLE_SILENCE, END_LIMIT, SHOW_LIMIT};
use crate::{EpError, Settings, link::Dialer};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    #[error(transparent)]
    Address(#[from] EpError),
    #[error("the engine did not take the connection: {0}")]
    Socket(#[from] Box<tokio_tungstenite::tungstenite::Error>),
}

/// The person is not there any more.
#[derive(Debug)]
pub(super) struct Gone;

/// What came from the person.
#[derive(Debug)]
pub(super) enum Heard {
    /// They typed this.
    Typed(Vec<u8>),
    /// Their terminal says this.
    Said(PersonToEp),
    /// Nothing more comes.
    Gone,
}

/// An open connection.
pub(super) struct Line {
    sink: SplitSink<Socket, Message>,
    stream: SplitStream<Socket>,
    heard: Instant,
}

impl Line {
    pub(super) async fn dial(settings: &Settings, order: &ConsoleOrder) -> Result<Self, DialError> {
        let path = format!("{CONSOLE_PATH}/{}", order.console);
        let token = settings.token.map(|token| format!("Bearer {token}"));
        let secret = [(CONSOLE_SECRET, order.secret.clone()), ("Authorization", token)];
        let dialer = Dialer::to(settings, &path, CONSOLE_SUBPROTOCOL, &secret)?;
        let (sink, stream) = dialer.dial().await.map_err(Box::new)?.split();
        Ok(Self { sink, stream, heard: Instant::now() })
    }

    /// What comes next; nothing is lost when the wait is given up.
    pub(super) async fn hear(&mut self) -> Heard {
        loop {
            let Ok(Some(Ok(message))) = timeout_at(self.heard + CONSOLE_SILENCE, self.stream.next()).await
            else {
                return Heard::Gone;
            };
            self.heard = Instant::now();
            match message {
                Message::Binary(bytes) => return Heard::Typed(bytes.to_vec()),
                Message::Text(text) => match serde_json::from_str(&text) {
                    Ok(said) => return Heard::Said(said),
                    // A word of a later version asks for something that this one cannot do.
                    Err(error) => tracing::debug!(%error, "a console said something that is not understood"),
                },
                Message::Close(_) => return Heard::Gone,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Shows what the device said.
    pub(super) async fn show(&mut self, bytes: Vec<u8>) -> Result<(), Gone> {
        self.send(Message::binary(bytes)).await
    }

    pub(super) async fn say(&mut self, message: &EpToPerson) -> Result<(), Gone> {
        match serde_json::to_string(message) {
            Ok(text) => self.send(Message::text(text)).await,
            Err(_) => Err(Gone),
        }
    }

    pub(super) async fn notice(&mut self, text: impl Into<String>) -> Result<(), Gone> {
        self.say(&EpToPerson::Notice { text: text.into() }).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(SHOW_LIMIT, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    /// Says why it is over, and closes.
    pub(super) async fn end(mut self, message: &EpToPerson) {
        let close = async {
            if self.say(message).await.is_ok() && self.sink.close().await.is_ok() {
                // Dropped with something unread it would be reset, and the last words lost with it.
                while matches!(self.stream.next().await, Some(Ok(_))) {}
            }
        };
        let _ = timeout(END_LIMIT, close).await;
    }
}
