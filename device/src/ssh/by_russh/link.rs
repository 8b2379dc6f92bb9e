//! A connection that is logged in.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use russh::{
    Disconnect, client,
    keys::{Algorithm, PublicKey, PublicKeyOrCertificate},
};

use super::{
    super::{
        SshError,
        algorithms::preferred_of,
        fate::Fate,
        host_key::{HostKeyError, KeyCheck},
        way::{Bearer, Entry, Link, Stream, refused},
    },
    login,
    program::SshProgram,
    shell::Shell,
    words::{explain, words},
};
use crate::{
    beside::{Beside, Program, Start},
    channel::{Channel, Window},
    limits::KEEPALIVE_MAX,
    target::Address,
};

/// Logs in to a host.
pub(in super::super) async fn enter(bearer: Bearer, entry: &Entry<'_>) -> Result<Box<dyn Link>, SshError> {
    let hop = entry.hop;
    let stream: Box<dyn Stream> = match bearer {
        Bearer::Tcp(stream) => Box::new(stream),
        Bearer::Through(stream) => stream,
    };
    let config = config(hop.legacy, &entry.check.known_kinds(), entry.keepalive);
    entry.stage.is(format!("connected to {}, waiting for its SSH greeting and keys", hop.address));
    let (fate, refusal) = (Arc::<Fate>::default(), Refusal::default());
    let client =
        Client { check: entry.check.clone(), refusal: Arc::clone(&refusal), fate: Arc::clone(&fate) };
    let connecting = Box::pin(client::connect_stream(Arc::new(config), stream, client));
    let mut handle = match connecting.await {
        Ok(handle) => handle,
        Err(error) => {
            let refused = refusal.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Err(refused.map_or_else(|| explain(error, hop.legacy), SshError::HostKey));
        }
    };
    entry.stage.is(format!("logging in to {}", hop.address));
    Box::pin(login::log_in(&mut handle, entry)).await?;
    Ok(Box::new(RusshLink { handle, fate }))
}

/// How we speak.
fn config(legacy: bool, known: &[Algorithm], keepalive: Duration) -> client::Config {
    client::Config {
        preferred: preferred_of(legacy, known),
        keepalive_interval: (!keepalive.is_zero()).then_some(keepalive),
        keepalive_max: usize::try_from(KEEPALIVE_MAX).unwrap_or(usize::MAX),
        nodelay: true,
        ..client::Config::default()
    }
}

/// Why the host key was refused, if it was: the library only knows that it was.
type Refusal = Arc<Mutex<Option<Box<HostKeyError>>>>;

/// Answers the library's questions about the server.
pub(super) struct Client {
    check: KeyCheck,
    refusal: Refusal,
    fate: Arc<Fate>,
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let key = match offered {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.clone(),
            PublicKeyOrCertificate::Certificate(certificate) => {
                PublicKey::from(certificate.public_key().clone())
            }
        };
        match self.check.decide(&key) {
            Ok(()) => Ok(true),
            Err(error) => {
                *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Ok(false)
            }
        }
    }

    async fn disconnected(
        &mut self,
        reason: client::DisconnectReason<russh::Error>,
    ) -> Result<(), russh::Error> {
        match reason {
            client::DisconnectReason::ReceivedDisconnect(said) => {
                self.fate.part(&said.message);
                Ok(())
            }
            client::DisconnectReason::Error(error) => {
                self.fate.lose(words(&error));
                Err(error)
            }
        }
    }
}

struct RusshLink {
    handle: client::Handle<Client>,
    fate: Arc<Fate>,
}

impl Link for RusshLink {
    fn onward<'a>(&'a self, next: &'a Address) -> BoxFuture<'a, Result<Box<dyn Stream>, SshError>> {
        Box::pin(async {
            let port = u32::from(next.port);
            let onward = self.handle.channel_open_direct_tcpip(&next.host, port, "127.0.0.1", 0).await?;
            let onward: Box<dyn Stream> = Box::new(onward.into_stream());
            Ok(onward)
        })
    }

    fn shell<'a>(
        &'a self,
        terminal: &'a str,
        window: Window,
    ) -> BoxFuture<'a, Result<Box<dyn Channel>, SshError>> {
        Box::pin(async move {
            let channel = self.handle.channel_open_session().await?;
            let shell: Box<dyn Channel> =
                Box::new(Shell::begin(channel, &self.fate, terminal, window).await?);
            Ok(shell)
        })
    }

    fn leave(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Err(error) = self.handle.disconnect(Disconnect::ByApplication, "", "").await {
                tracing::debug!(%error, "an SSH connection was closed by its peer first");
            }
        })
    }
}

impl Beside for RusshLink {
    fn start(&self, what: Start) -> BoxFuture<'_, io::Result<Box<dyn Program>>> {
        Box::pin(async move {
            let failed = |error: russh::Error| io::Error::other(self.fate.told(words(&error)));
            let channel = self.handle.channel_open_session().await.map_err(failed)?;
            match &what {
                Start::Command(command) => channel.exec(true, command.as_str()).await.map_err(failed)?,
                Start::Subsystem(name) => {
                    channel.request_subsystem(true, name.as_str()).await.map_err(failed)?;
                }
            }
            let program = SshProgram::begin(channel, &self.fate, || refused(&what)).await?;
            let program: Box<dyn Program> = Box::new(program);
            Ok(program)
        })
    }
}
