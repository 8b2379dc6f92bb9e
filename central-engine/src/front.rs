//! The front of the engine: every connection is taken here, with TLS or without, before anything is served on it.
//!
//! ```text
//! connection ──▶ first byte ──▶ TLS: handshake ─────────────────────────▶ HTTP inside of it
//!                          └──▶ plain: from this machine, or allowed ───▶ HTTP
//!                                      from elsewhere ──▶ told where TLS is spoken, and closed
//! ```
//!
//! Nothing waits here without an end: a handshake has its time, and there is a limit to how many are not over.

mod plain;
mod waiting;
mod wire;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use actix_http::{HttpService, Protocol, error::DispatchError};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::{
    App as ActixApp, Error,
    body::MessageBody,
    dev::{AppConfig, Server, ServiceFactory, ServiceRequest, ServiceResponse},
};
use tokio::{io::BufReader, net::TcpStream};
use tokio_rustls::TlsAcceptor;

use self::{waiting::Waiting, wire::Wire};
use crate::{limits, tls::Tls};

/// A mark on a connection that nobody can read along: [`is_encrypted`] finds it.
#[derive(Clone, Copy, Debug)]
struct Encrypted;

/// How connections are taken.
#[derive(Clone)]
pub(crate) struct Front {
    acceptor: TlsAcceptor,
    /// Whether plain HTTP is answered to others, too.
    plain: bool,
    waiting: Arc<Waiting>,
}

/// What a connection begins with.
enum Begins {
    Tls,
    Plain,
}

/// The first byte of a TLS connection: a record of the handshake.
const HANDSHAKE_RECORD: u8 = 0x16;

impl Front {
    pub(crate) fn new(tls: &Tls, plain: bool) -> Self {
        let waiting = Arc::new(Waiting::new(limits::HANDSHAKES_MAX));
        Self { acceptor: TlsAcceptor::from(tls.server()), plain, waiting }
    }

    /// Takes a connection, or gives it up.
    async fn open(&self, stream: TcpStream) -> io::Result<(Wire, Protocol, Option<SocketAddr>)> {
        let peer = stream.peer_addr()?;
        // Words of a dialogue are short, and are waited for.
        stream.set_nodelay(true)?;
        let turn = self.waiting.enter(peer.ip().to_canonical());
        let opened = tokio::select! {
            opened = tokio::time::timeout(limits::HANDSHAKE_WAIT, self.shake(stream, peer)) => opened?,
            () = turn.lost() => Err(io::Error::other("too many handshakes are not over")),
        };
        opened.map(|wire| (wire, Protocol::Http1, Some(peer)))
    }

    async fn shake(&self, stream: TcpStream, peer: SocketAddr) -> io::Result<Wire> {
        match begins(&stream).await? {
            Begins::Tls => {
                // The library reads four kilobytes at a time, which is a system call for each of them.
                let stream = BufReader::with_capacity(limits::TLS_READ_BYTES, stream);
                Ok(Wire::Tls(Box::new(self.acceptor.accept(stream).await?)))
            }
            Begins::Plain if self.plain || peer.ip().to_canonical().is_loopback() => Ok(Wire::Plain(stream)),
            Begins::Plain => {
                plain::send_away(stream).await?;
                Err(io::Error::other("plain HTTP from another machine was sent away"))
            }
        }
    }
}

async fn begins(stream: &TcpStream) -> io::Result<Begins> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ if first == [HANDSHAKE_RECORD] => Ok(Begins::Tls),
        _ => Ok(Begins::Plain),
    }
}

/// Whether a request came by TLS.
pub(crate) fn is_encrypted(request: &actix_web::HttpRequest) -> bool {
    request.conn_data::<Encrypted>().is_some()
}

/// A server of the application that `make` makes, on what the front lets through.
///
/// # Errors
/// The listener cannot be used.
pub(crate) fn serve<T, B>(
    front: Front,
    listener: TcpListener,
    make: impl Fn() -> ActixApp<T> + Send + Clone + 'static,
) -> io::Result<Server>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let server = Server::build().workers(2).disable_signals().shutdown_timeout(2);
    let going_down = server.graceful_shutdown_signal();
    let server = server.listen("engine", listener, move || {
        let (front, going_down) = (front.clone(), going_down.clone());
        let app = make().into_factory().map_err(|error: Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let signal = going_down.clone();
                async move { signal.notified().await }
            })
            .client_request_timeout(limits::HEAD_WAIT)
            .keep_alive(limits::HEAD_WAIT)
            .client_disconnect_timeout(limits::REST_WAIT)
            // Who closes a live view does not look any more: it would be served, and counted, until the next word was written to it.
            .h1_allow_half_closed(false)
            .on_connect_ext(|wire: &Wire, extensions| {
                if wire.is_encrypted() {
                    extensions.insert(Encrypted);
                }
            })
            .finish(map_config(app, |()| AppConfig::default()));
        fn_service(move |stream: TcpStream| {
            let front = front.clone();
            async move { front.open(stream).await.map_err(DispatchError::Io) }
        })
        .and_then(http)
    })?;
    Ok(server.run())
}
