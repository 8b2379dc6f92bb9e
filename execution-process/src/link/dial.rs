//! Where the engine is, and how it is reached.

use std::{sync::Arc, time::Duration};

use jackfield_protocol::{
    link::{LINK_PATH, SUBPROTOCOL},
    secret::Secret,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_tungstenite::{
    Connector, connect_async_tls_with_config,
    tungstenite::{
        Error, client::IntoClientRequest, handshake::client::Request, http::HeaderValue,
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
        let connector = settings.ca.as_deref().map(trusting).transpose()?;
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

/// Trusts the authorities of a PEM file, and nobody else.
fn trusting(path: &std::path::Path) -> Result<Connector, EpError> {
    let bad = |reason: String| EpError::Authority { path: path.to_owned(), reason };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| bad(error.to_string()))? {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        roots.add(certificate).map_err(|error| bad(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Connector::Rustls(Arc::new(config)))
}
