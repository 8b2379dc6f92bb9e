//! The connection to the engine: what a terminal sends and shows, and the words between.

use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::{SinkExt, StreamExt};
use jackfield_protocol::{
    console::{CONSOLE_SUBPROTOCOL, EpToPerson, PersonToEp},
    error::{ErrorCode, Problem},
    id::BlobHash,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderValue, Response},
    },
};

use super::way::Came;
use crate::client::{Client, Stranger};

/// How long the engine may take to find the device's EP.
const OPEN_LIMIT: Duration = Duration::from_secs(30);
/// How long the end of a console is waited for: a device is logged out of, a recording kept.
const LEAVE_LIMIT: Duration = Duration::from_secs(12);
/// The engine asks whether we live more often than this.
const SILENCE: Duration = Duration::from_secs(120);

pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    client: Client,
}

impl Socket {
    /// Opens a console.
    ///
    /// # Errors
    /// What the engine says against it, or that it does not answer.
    pub(super) async fn open(client: &Client, path: &str) -> Result<Self> {
        let engine = client.engine();
        let address = match engine.split_once("://") {
            Some(("https", rest)) => format!("wss://{rest}{path}"),
            Some((_, rest)) => format!("ws://{rest}{path}"),
            None => format!("ws://{engine}{path}"),
        };
        let mut request = address
            .into_client_request()
            .with_context(|| format!("`{engine}` is no address of an engine"))?;
        let headers = request.headers_mut();
        headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_static(CONSOLE_SUBPROTOCOL));
        if let Some(token) = client.token() {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.expose_for_login()))
                .context("the token is no token")?;
            headers.insert("Authorization", value);
        }
        let connector = client.way().tls().map(Connector::Rustls);
        let connect = connect_async_tls_with_config(request, None, true, connector);
        match timeout(OPEN_LIMIT, connect).await {
            Ok(Ok((stream, _))) => Ok(Self { stream, client: client.clone() }),
            Ok(Err(Error::Http(response))) => Err(refused(&response).into()),
            Ok(Err(error)) => Err(Stranger::of(&error).map_or_else(|| client.lost(error), Into::into)),
            Err(_) => Err(client.lost(format!("no answer within {} s", OPEN_LIMIT.as_secs()))),
        }
    }

    /// The engine.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What comes next; nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// The connection broke before the console was over.
    pub(super) async fn next(&mut self) -> Result<Came> {
        loop {
            let message = match timeout(SILENCE, self.stream.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(error))) => return Err(self.broke(&error.to_string())),
                Ok(None) => return Err(self.broke("it was closed without a word")),
                Err(_) => return Err(self.broke("the engine was not heard")),
            };
            match message {
                Message::Binary(bytes) => return Ok(Came::Shown(bytes.to_vec())),
                // A word of a later version is nothing that we could show.
                Message::Text(text) => {
                    if let Ok(said) = serde_json::from_str(&text) {
                        return Ok(Came::Said(said));
                    }
                }
                Message::Close(_) => return Err(self.broke("it was closed without a word")),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    fn broke(&self, why: &str) -> anyhow::Error {
        self.client.lost(format!("the console's connection broke: {why}"))
    }

    pub(super) async fn type_in(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.send(Message::binary(bytes)).await
    }

    pub(super) async fn say(&mut self, said: PersonToEp) -> Result<()> {
        self.send(Message::text(serde_json::to_string(&said)?)).await
    }

    async fn send(&mut self, message: Message) -> Result<()> {
        let sent = self.stream.send(message).await;
        sent.map_err(|error| self.broke(&error.to_string()))
    }

    /// Leaves, and waits a while for the EP to let go; the recording that it made.
    pub(super) async fn leave(mut self) -> Option<BlobHash> {
        let leaving = async {
            self.say(PersonToEp::Leave).await.ok()?;
            loop {
                if let Came::Said(EpToPerson::End { recording, .. }) = self.next().await.ok()? {
                    return recording;
                }
            }
        };
        timeout(LEAVE_LIMIT, leaving).await.ok().flatten()
    }
}

/// What the engine says against a console.
fn refused(response: &Response<Option<Vec<u8>>>) -> Problem {
    let body = response.body().as_deref().unwrap_or_default();
    serde_json::from_slice(body).unwrap_or_else(|_not_ours| {
        let text = String::from_utf8_lossy(body);
        Problem::new(
            ErrorCode::Internal,
            format!("the engine answered {}: {}", response.status(), text.trim()),
        )
    })
}
