//! Where the engine is, and how it is reached.

use std::time::Duration;

use jackfield_protocol::{
    link::{LINK_PATH, SUBPROTOCOL},
    secret::Secret,
};
use jackfield_tls::Refused;
use tokio_tungstenite::{
    Connector, connect_async_tls_with_config,
    tungstenite::{
        Error,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{HeaderValue, StatusCode},
        protocol::WebSocketConfig,
    },
};

use super::Socket;
use crate::limits::{BACKOFF_MAX, BACKOFF_MIN, DIAL_LIMIT, LINK_MESSAGE_BYTES_MAX};
use crate::{EpError, Settings, clock};

/// Dials the engine.
pub(crate) struct Dialer {
    request: Request,
    connector: Option<Connector>,
}

impl Dialer {
    pub(super) fn new(settings: &Settings) -> Result<Self, EpError> {
        Self::to(settings, LINK_PATH, SUBPROTOCOL, &[])
    }

    /// Another address of the engine, with headers of its own beside the EP's token.
    pub(crate) fn to(
        settings: &Settings,
        path: &str,
        subprotocol: &'static str,
        headers: &[(&'static str, Secret)],
    ) -> Result<Self, EpError> {
        let engine = &settings.engine;
        let bad = || EpError::EngineAddress(engine.clone());
        let (scheme, rest) = engine.trim_end_matches('/').split_once("://").ok_or_else(bad)?;
        let scheme = match scheme {
            "http" => "ws",
            "https" => "wss",
            _ => return Err(bad()),
        };
        let url = format!("{scheme}://{rest}{path}");
        let mut request = url.into_client_request().ok().ok_or_else(bad)?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(subprotocol));
        for (name, value) in headers {
            let mut value = HeaderValue::from_str(value.expose_for_login()).ok().ok_or_else(bad)?;
            value.set_sensitive(true);
            request.headers_mut().insert(*name, value);
        }
        let connector = settings.tls.clone().map(Connector::Rustls);
        Ok(Self { request, connector })
    }

    pub(crate) async fn dial(&self) -> Result<Socket, Error> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(LINK_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(LINK_MESSAGE_BYTES_MAX));
        let dial =
            connect_async_tls_with_config(self.request.clone(), Some(config), true, self.connector.clone());
        match tokio::time::timeout(DIAL_LIMIT, dial).await {
            Ok(connected) => connected.map(|(socket, _)| socket),
            Err(_) => Err(Error::Io(std::io::ErrorKind::TimedOut.into())),
        }
    }

    /// How long to wait before the next try: longer each time, and not the same for each EP of a lab.
    pub(super) fn backoff(&self, tries: u32) -> Duration {
        let full = BACKOFF_MIN.saturating_mul(2_u32.saturating_pow(tries.min(16))).min(BACKOFF_MAX);
        let hash = blake3::hash(&clock::wall().0.to_be_bytes());
        let share = u32::from(*hash.as_bytes().first().unwrap_or(&0));
        // Between half and all of it.
        full.saturating_mul(256_u32.saturating_add(share)) / 512
    }
}

/// Whether it was not the engine that we know, or not in the way that it wants.
pub(super) fn not_ours(error: &Error) -> Option<EpError> {
    if let Error::Http(answer) = error
        && answer.status() == StatusCode::UPGRADE_REQUIRED
    {
        return Some(EpError::SpeaksTls);
    }
    Refused::of(error).cloned().map(|refused| EpError::Stranger { refused })
}
