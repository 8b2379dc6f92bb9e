//! SSH: a shell in a terminal, over russh.

pub mod algorithms;
pub mod host_key;
mod login;

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect, client};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use self::host_key::{HostKeyError, KeyCheck};
use crate::{
    channel::{Channel, Window},
    target::Secret,
};

/// Why there is no shell.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// The host key is not trusted.
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
    /// Nothing that the device offers is what we may use.
    #[error(
        "the device offers no {what} that is safe by today's measure (it offers {offered}): set legacy = true on the resource if it can offer nothing better"
    )]
    Algorithms {
        /// Key exchange, cipher, …
        what: String,
        /// What it does offer.
        offered: String,
    },
    /// User, password or key were not accepted.
    #[error("the device did not accept {tried} for user `{user}`; it offers: {offered}")]
    Refused {
        /// Who.
        user: String,
        /// What was tried.
        tried: String,
        /// What it would take.
        offered: String,
    },
    /// Nothing to log in with.
    #[error("the resource has no `{0}`: an SSH login needs it")]
    Missing(&'static str),
    /// The key file cannot be used.
    #[error("key file `{file}` cannot be used: {why}")]
    Key {
        /// Which.
        file: String,
        /// Why.
        why: String,
    },
    /// The device ended it, or does not speak SSH.
    #[error("the SSH dialogue failed: {0}")]
    Protocol(#[from] russh::Error),
}

/// What a login needs to know.
pub(crate) struct Access<'a> {
    pub(crate) user: Option<&'a str>,
    pub(crate) password: Option<&'a Secret>,
    pub(crate) key: Option<&'a std::path::Path>,
    pub(crate) legacy: bool,
    pub(crate) terminal: &'a str,
    pub(crate) window: Window,
}

/// Answers the library's questions about the server.
pub(crate) struct Client {
    check: KeyCheck,
    refused: Arc<Mutex<Option<HostKeyError>>>,
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        match self.check.decide(key) {
            Ok(()) => Ok(true),
            Err(error) => {
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Ok(false)
            }
        }
    }
}

/// A shell in a terminal at the other end of an SSH connection.
pub struct Ssh {
    handle: client::Handle<Client>,
    reader: ChannelReadHalf,
    control: ChannelWriteHalf<client::Msg>,
    writer: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Ssh {
    /// Logs in and opens a shell on a connection that has just been made.
    pub(crate) async fn open(
        stream: TcpStream,
        check: KeyCheck,
        access: Access<'_>,
    ) -> Result<Self, SshError> {
        let refused = Arc::new(Mutex::new(None));
        let config = Arc::new(algorithms::client_config(access.legacy, &check.known_kinds()));
        let client = Client { check, refused: Arc::clone(&refused) };
        let mut handle = match client::connect_stream(config, stream, client).await {
            Ok(handle) => handle,
            Err(error) => {
                let refusal = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
                return Err(refusal.map_or_else(|| algorithms::explain(error), SshError::HostKey));
            }
        };
        login::log_in(&mut handle, &access).await?;
        let channel = handle.channel_open_session().await?;
        let (columns, rows) = (u32::from(access.window.columns), u32::from(access.window.rows));
        channel.request_pty(false, access.terminal, columns, rows, 0, 0, &[]).await?;
        channel.request_shell(true).await?;
        let (reader, control) = channel.split();
        let writer = Box::pin(control.make_writer());
        Ok(Self { handle, reader, control, writer })
    }
}

impl Channel for Ssh {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        loop {
            // `wait` takes one message off a queue: nothing is lost when it is polled anew.
            let message = ready!(std::pin::pin!(self.reader.wait()).poll(cx));
            match message {
                None => return Poll::Ready(Ok(0)),
                Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => {
                    if !data.is_empty() {
                        into.extend_from_slice(&data);
                        return Poll::Ready(Ok(data.len()));
                    }
                }
                Some(ChannelMsg::Failure) => {
                    return Poll::Ready(Err(io::Error::other("the device refused to open a shell")));
                }
                Some(ChannelMsg::Eof | ChannelMsg::Close) => return Poll::Ready(Ok(0)),
                // Window sizes, exit status and the like say nothing that a dialogue shows.
                Some(_) => {}
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writer.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_flush(cx)
    }

    fn resize(&mut self, window: Window) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            let (columns, rows) = (u32::from(window.columns), u32::from(window.rows));
            self.control.window_change(columns, rows, 0, 0).await.map_err(io::Error::other)
        })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Err(error) = self.writer.shutdown().await {
                tracing::debug!(%error, "an SSH channel was closed by its peer first");
            }
            if let Err(error) = self.handle.disconnect(Disconnect::ByApplication, "", "").await {
                tracing::debug!(%error, "an SSH connection was closed by its peer first");
            }
        })
    }
}
