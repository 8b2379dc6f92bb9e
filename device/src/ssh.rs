//! SSH over russh: a shell in a terminal, programs beside it, through other hosts where that is the way.

pub mod algorithms;
mod fate;
pub mod host_key;
mod known_hosts;
mod login;
mod program;

use std::{
    future::Future,
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::future::BoxFuture;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect, client};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{Sleep, sleep},
};

use self::{
    fate::{Fate, words},
    host_key::{HostKeyError, KeyCheck},
};
use crate::{
    beside::{Beside, Program, Start},
    channel::{Channel, Window},
    connect::Stage,
    limits::SSH_LAST_WORDS,
    target::{Hop, SshTarget},
};

/// Why there is no shell.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// The host key is not trusted.
    #[error(transparent)]
    HostKey(#[from] Box<HostKeyError>),
    /// Nothing that the device offers is what we may use.
    #[error("the device offers no {what} that is safe by today's measure (it offers {offered}): {remedy}")]
    Algorithms {
        /// Key exchange, cipher, …
        what: String,
        /// What it does offer.
        offered: String,
        /// What to do.
        remedy: &'static str,
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
    /// Nothing that proves who we are.
    #[error(
        "nothing to log in with as `{user}`: add `password`, `key` or `agent` to the resource; the device offers: {offered}"
    )]
    NoMeans {
        /// Who.
        user: String,
        /// What it would take.
        offered: String,
    },
    /// The key cannot be used.
    #[error("{key} cannot be used: {why}")]
    Key {
        /// Which.
        key: String,
        /// Why.
        why: String,
    },
    /// The agent does not help.
    #[error("the SSH agent cannot be used: {why}")]
    Agent {
        /// Why.
        why: String,
    },
    /// A host on the way did not let us through.
    #[error("jump host {jump}: {source}")]
    Jump {
        /// Which.
        jump: String,
        /// Why.
        source: Box<SshError>,
    },
    /// The device ended it, or does not speak SSH.
    #[error("the SSH dialogue failed: {}", words(.0))]
    Protocol(russh::Error),
}

impl From<russh::Error> for SshError {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error)
    }
}

impl SshError {
    /// Whether another try may go better: the connection broke, rather than that we are not wanted.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Protocol(error) => fate::is_loss(error),
            Self::Jump { source, .. } => source.may_pass(),
            Self::HostKey(_)
            | Self::Algorithms { .. }
            | Self::Refused { .. }
            | Self::Missing(_)
            | Self::NoMeans { .. }
            | Self::Key { .. }
            | Self::Agent { .. } => false,
        }
    }
}

/// What is the same for every connection of an EP, and what the profile adds.
pub(crate) struct Terms<'a> {
    pub(crate) known_hosts: &'a Path,
    pub(crate) agent: Option<&'a Path>,
    pub(crate) legacy: bool,
    pub(crate) terminal: &'a str,
    pub(crate) window: Window,
}

/// Answers the library's questions about the server.
pub(crate) struct Client {
    check: KeyCheck,
    fate: Arc<Fate>,
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
                self.fate.refuse(error);
                Ok(false)
            }
        }
    }

    async fn disconnected(
        &mut self,
        reason: client::DisconnectReason<russh::Error>,
    ) -> Result<(), russh::Error> {
        self.fate.end(&reason);
        match reason {
            client::DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            client::DisconnectReason::Error(error) => Err(error),
        }
    }
}

/// A connection to the device, and those it goes through: they end when it is dropped.
pub(crate) struct Link {
    handle: client::Handle<Client>,
    fate: Arc<Fate>,
    through: Option<Box<Link>>,
}

impl Link {
    /// Logs in to the device, on a connection that has just been made to the first host on the way.
    pub(crate) async fn open(
        stream: TcpStream,
        target: &SshTarget,
        terms: &Terms<'_>,
        stage: &Stage,
    ) -> Result<Self, SshError> {
        let mut at: Option<Box<Self>> = None;
        let mut stream: Box<dyn Stream> = Box::new(stream);
        for (index, jump) in target.jumps.iter().enumerate() {
            let next = target.jumps.get(index.saturating_add(1)).unwrap_or(&target.device);
            let passed = Self::pass(stream, at.take(), jump, &next.address, (target.keepalive, terms, stage));
            let (link, onward) = Box::pin(passed).await.map_err(|source| SshError::Jump {
                jump: jump.address.to_string(),
                source: Box::new(source),
            })?;
            (at, stream) = (Some(Box::new(link)), onward);
        }
        let hop = Hop { legacy: target.device.legacy || terms.legacy, ..target.device.clone() };
        Box::pin(Self::enter(stream, at, &hop, target.keepalive, terms, stage)).await
    }

    /// Enters a host on the way and opens a stream to the next.
    async fn pass(
        stream: Box<dyn Stream>,
        through: Option<Box<Self>>,
        jump: &Hop,
        next: &crate::target::Address,
        (keepalive, terms, stage): (Duration, &Terms<'_>, &Stage),
    ) -> Result<(Self, Box<dyn Stream>), SshError> {
        let link = Self::enter(stream, through, jump, keepalive, terms, stage).await?;
        stage.is(format!("waiting for {} to connect to {next}", jump.address));
        let port = u32::from(next.port);
        let onward = link.handle.channel_open_direct_tcpip(&next.host, port, "127.0.0.1", 0).await?;
        Ok((link, Box::new(onward.into_stream())))
    }

    async fn enter(
        stream: Box<dyn Stream>,
        through: Option<Box<Self>>,
        hop: &Hop,
        keepalive: Duration,
        terms: &Terms<'_>,
        stage: &Stage,
    ) -> Result<Self, SshError> {
        let fate = Arc::new(Fate::default());
        let known_hosts = hop.known_hosts.clone().unwrap_or_else(|| terms.known_hosts.to_owned());
        let check = KeyCheck { address: hop.address.clone(), policy: hop.host_key.clone(), known_hosts };
        let config = algorithms::client_config(hop.legacy, &check.known_kinds(), keepalive);
        stage.is(format!("connected to {}, waiting for its SSH greeting and keys", hop.address));
        let client = Client { check, fate: Arc::clone(&fate) };
        let mut handle = match client::connect_stream(Arc::new(config), stream, client).await {
            Ok(handle) => handle,
            Err(error) => {
                return Err(fate
                    .refusal()
                    .map_or_else(|| algorithms::explain(error, hop.legacy), SshError::HostKey));
            }
        };
        stage.is(format!("logging in to {}", hop.address));
        login::log_in(&mut handle, hop, terms.agent).await?;
        Ok(Self { handle, fate, through })
    }

    /// Says goodbye here, and then on the way back.
    async fn leave(&self) {
        let mut at = Some(self);
        while let Some(link) = at {
            if let Err(error) = link.handle.disconnect(Disconnect::ByApplication, "", "").await {
                tracing::debug!(%error, "an SSH connection was closed by its peer first");
            }
            at = link.through.as_deref();
        }
    }
}

impl Beside for Link {
    fn start(&self, what: Start) -> BoxFuture<'_, io::Result<Box<dyn Program>>> {
        Box::pin(async move {
            let failed = |error: russh::Error| io::Error::other(self.fate.told(&error));
            let channel = self.handle.channel_open_session().await.map_err(failed)?;
            let what_told = match what {
                Start::Command(command) => {
                    channel.exec(true, command.as_str()).await.map_err(failed)?;
                    format!("run `{command}`")
                }
                Start::Subsystem(name) => {
                    channel.request_subsystem(true, name.as_str()).await.map_err(failed)?;
                    format!("start its `{name}`")
                }
            };
            let program = program::SshProgram::begin(channel, &self.fate, &what_told).await?;
            let program: Box<dyn Program> = Box::new(program);
            Ok(program)
        })
    }
}

/// Anything that carries bytes both ways.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A shell in a terminal at the other end of an SSH connection.
pub struct Ssh {
    link: Arc<Link>,
    reader: ChannelReadHalf,
    control: ChannelWriteHalf<client::Msg>,
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    /// The device said that the shell is over, and may still tell how it ended.
    over: bool,
    last_words: Option<Pin<Box<Sleep>>>,
    remark: Option<String>,
}

impl Ssh {
    /// Opens a shell on a connection.
    pub(crate) async fn shell(link: Link, terms: &Terms<'_>, stage: &Stage) -> Result<Self, SshError> {
        stage.is("logged in, waiting for a shell".to_owned());
        let channel = link.handle.channel_open_session().await?;
        let (columns, rows) = (u32::from(terms.window.columns), u32::from(terms.window.rows));
        channel.request_pty(false, terms.terminal, columns, rows, 0, 0, &[]).await?;
        channel.request_shell(true).await?;
        let (reader, control) = channel.split();
        let writer = Box::pin(control.make_writer());
        Ok(Self {
            link: Arc::new(link),
            reader,
            control,
            writer,
            over: false,
            last_words: None,
            remark: None,
        })
    }

    /// The channel has nothing more: the device ended the dialogue, or the connection was lost.
    fn end(&mut self) -> Poll<io::Result<usize>> {
        if self.over || self.link.fate.said_goodbye() {
            return Poll::Ready(Ok(0));
        }
        Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, self.link.fate.loss())))
    }
}

impl Channel for Ssh {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        loop {
            // `wait` takes one message off a queue: nothing is lost when it is polled anew.
            let message = match std::pin::pin!(self.reader.wait()).poll(cx) {
                Poll::Ready(message) => message,
                Poll::Pending => {
                    let Some(last_words) = &mut self.last_words else { return Poll::Pending };
                    ready!(last_words.as_mut().poll(cx));
                    return Poll::Ready(Ok(0));
                }
            };
            match message {
                None => return self.end(),
                Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => {
                    if !data.is_empty() {
                        into.extend_from_slice(&data);
                        return Poll::Ready(Ok(data.len()));
                    }
                }
                Some(ChannelMsg::Failure) => {
                    return Poll::Ready(Err(io::Error::other("the device refused to open a shell")));
                }
                // The exit status may come between the end of the text and the end of the channel, which some devices never tell.
                Some(ChannelMsg::Eof) => {
                    self.over = true;
                    self.last_words = Some(Box::pin(sleep(SSH_LAST_WORDS)));
                }
                Some(ChannelMsg::Close) => {
                    self.over = true;
                    return Poll::Ready(Ok(0));
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    self.remark = Some(format!("the shell ended with status {exit_status}"));
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    self.remark = Some(format!("the shell was ended by signal {signal_name:?}"));
                }
                // Window sizes and the like say nothing that a dialogue shows.
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
            self.link.leave().await;
        })
    }

    fn remark(&self) -> Option<String> {
        self.remark.clone()
    }

    fn beside(&self) -> Option<Arc<dyn Beside>> {
        let link: Arc<dyn Beside> = self.link.clone();
        Some(link)
    }
}
