//! The way to a device: connections that are logged in, each made through the one before, by whichever library its host is spoken to with.

use std::{
    io,
    path::Path,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use jackfield_config::profile::{Login, SshBackend};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::{SshError, by_russh, host_key::KeyCheck};
use crate::{
    beside::{Beside, Program, Start},
    channel::{Channel, Window},
    connect::Stage,
    target::{Address, Hop, SshTarget},
};

/// What is the same for every connection of an EP, and what the profile adds.
pub(crate) struct Terms<'a> {
    pub(crate) known_hosts: &'a Path,
    pub(crate) agent: Option<&'a Path>,
    pub(crate) legacy: bool,
    pub(crate) backend: Option<SshBackend>,
    pub(crate) terminal: &'a str,
    /// What is asked on the way in, and what it is answered.
    pub(crate) login: &'a Login,
    pub(crate) window: Window,
}

/// A connection that is logged in.
pub(super) trait Link: Beside {
    /// Has the host connect on, to the next.
    fn onward<'a>(&'a self, next: &'a Address) -> BoxFuture<'a, Result<Box<dyn Stream>, SshError>>;

    /// A shell in a terminal. Closing it ends the shell, not the connection.
    fn shell<'a>(
        &'a self,
        terminal: &'a str,
        window: Window,
    ) -> BoxFuture<'a, Result<Box<dyn Channel>, SshError>>;

    /// Says goodbye.
    fn leave(&self) -> BoxFuture<'_, ()>;
}

/// Anything that carries bytes both ways.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// What a connection is spoken on.
pub(super) enum Bearer {
    /// A connection to the first host on the way.
    Tcp(TcpStream),
    /// A channel of the host before.
    Through(Box<dyn Stream>),
}

/// A host that is about to be entered.
pub(super) struct Entry<'a> {
    pub(super) hop: &'a Hop,
    pub(super) keepalive: Duration,
    pub(super) own_agent: Option<&'a Path>,
    pub(super) login: &'a Login,
    pub(super) check: KeyCheck,
    pub(super) stage: &'a Stage,
    /// The host before it.
    #[cfg_attr(not(feature = "libssh2"), expect(dead_code, reason = "only libssh2 connects anew"))]
    pub(super) before: Option<&'a dyn Link>,
}

/// The way to a device, the nearest host first; the last one is the device.
pub(crate) struct Way {
    links: Vec<Box<dyn Link>>,
}

impl Way {
    /// Logs in to the device, on a connection that has just been made to the first host on the way.
    pub(crate) async fn open(
        stream: TcpStream,
        target: &SshTarget,
        terms: &Terms<'_>,
        stage: &Stage,
    ) -> Result<Self, SshError> {
        let mut way = Self { links: Vec::new() };
        let mut bearer = Bearer::Tcp(stream);
        for (index, jump) in target.jumps.iter().enumerate() {
            let next = target.jumps.get(index.saturating_add(1)).unwrap_or(&target.device);
            let passed = way.pass(bearer, jump, &next.address, (target.keepalive, terms, stage));
            bearer = Box::pin(passed).await.map_err(|source| SshError::Jump {
                jump: jump.address.to_string(),
                source: Box::new(source),
            })?;
        }
        let hop = Hop {
            legacy: target.device.legacy || terms.legacy,
            backend: target.device.backend.or(terms.backend),
            ..target.device.clone()
        };
        Box::pin(way.enter(bearer, &hop, target.keepalive, terms, stage)).await?;
        Ok(way)
    }

    /// Enters a host on the way and opens a stream to the next.
    async fn pass(
        &mut self,
        bearer: Bearer,
        jump: &Hop,
        next: &Address,
        (keepalive, terms, stage): (Duration, &Terms<'_>, &Stage),
    ) -> Result<Bearer, SshError> {
        let link = Box::pin(self.enter(bearer, jump, keepalive, terms, stage)).await?;
        stage.is(format!("waiting for {} to connect to {next}", jump.address));
        Ok(Bearer::Through(link.onward(next).await?))
    }

    async fn enter(
        &mut self,
        bearer: Bearer,
        hop: &Hop,
        keepalive: Duration,
        terms: &Terms<'_>,
        stage: &Stage,
    ) -> Result<&dyn Link, SshError> {
        let known_hosts = hop.known_hosts.clone().unwrap_or_else(|| terms.known_hosts.to_owned());
        let check = KeyCheck { address: hop.address.clone(), policy: hop.host_key.clone(), known_hosts };
        let before = self.links.last().map(AsRef::as_ref);
        let entry =
            Entry { hop, keepalive, own_agent: terms.agent, login: terms.login, check, stage, before };
        let link = match hop.backend.unwrap_or_default() {
            SshBackend::Russh => Box::pin(by_russh::enter(bearer, &entry)).await?,
            #[cfg(feature = "libssh2")]
            SshBackend::Libssh2 => Box::pin(super::by_libssh2::enter(bearer, &entry)).await?,
            #[cfg(not(feature = "libssh2"))]
            SshBackend::Libssh2 => return Err(SshError::NotBuilt),
        };
        Ok(&**self.links.push_mut(link))
    }

    fn device(&self) -> io::Result<&dyn Link> {
        self.links.last().map(AsRef::as_ref).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Beside for Way {
    fn start(&self, what: Start) -> BoxFuture<'_, io::Result<Box<dyn Program>>> {
        match self.device() {
            Ok(device) => device.start(what),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

/// What a server will not do, for whoever asked.
pub(super) fn refused(what: &Start) -> io::Error {
    let what = match what {
        Start::Command(command) => format!("run `{command}`"),
        Start::Subsystem(name) => format!("start its `{name}`"),
    };
    io::Error::new(io::ErrorKind::Unsupported, format!("the server refuses to {what}"))
}

/// A shell in a terminal at the other end of an SSH connection.
pub struct Ssh {
    shell: Box<dyn Channel>,
    way: Arc<Way>,
}

impl Ssh {
    /// Opens a shell at the end of a way.
    pub(crate) async fn shell(way: Way, terms: &Terms<'_>, stage: &Stage) -> Result<Self, SshError> {
        stage.is("logged in, waiting for a shell".to_owned());
        let device =
            way.device().map_err(|error| SshError::Protocol { why: error.to_string(), is_loss: true })?;
        let shell = device.shell(terms.terminal, terms.window).await?;
        Ok(Self { shell, way: Arc::new(way) })
    }
}

impl Channel for Ssh {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        self.shell.poll_read(cx, into)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.shell.poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shell.poll_flush(cx)
    }

    fn resize(&mut self, window: Window) -> BoxFuture<'_, io::Result<()>> {
        self.shell.resize(window)
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.shell.close().await;
            // Goodbye here, and then on the way back.
            for link in self.way.links.iter().rev() {
                link.leave().await;
            }
        })
    }

    fn remark(&self) -> Option<String> {
        self.shell.remark()
    }

    fn beside(&self) -> Option<Arc<dyn Beside>> {
        let way: Arc<dyn Beside> = self.way.clone();
        Some(way)
    }
}
