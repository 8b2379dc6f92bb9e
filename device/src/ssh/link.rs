//! An SSH connection that is logged in: to the device, through every host on the way.

use std::{io, path::Path, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use russh::{Disconnect, client};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::{SshError, algorithms, fate::Fate, host_key::KeyCheck, login, program::SshProgram};
use crate::{
    beside::{Beside, Program, Start},
    channel::Window,
    connect::Stage,
    target::{Address, Hop, SshTarget},
};

/// What is the same for every connection of an EP, and what the profile adds.
pub(crate) struct Terms<'a> {
    pub(crate) known_hosts: &'a Path,
    pub(crate) agent: Option<&'a Path>,
    pub(crate) legacy: bool,
    pub(crate) terminal: &'a str,
    pub(crate) window: Window,
}

/// Answers the library's questions about the server.
pub(super) struct Client {
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
    pub(super) handle: client::Handle<Client>,
    pub(super) fate: Arc<Fate>,
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
        next: &Address,
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
    pub(super) async fn leave(&self) {
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
            let program = SshProgram::begin(channel, &self.fate, &what_told).await?;
            let program: Box<dyn Program> = Box::new(program);
            Ok(program)
        })
    }
}

/// Anything that carries bytes both ways.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}
