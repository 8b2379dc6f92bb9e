//! A simulated device's SSH server: password or questions for the login, a shell, a host key that lives as long as the device.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use russh::{
    Channel, ChannelId, Pty,
    keys::{Algorithm, HashAlg, PrivateKey, key::safe_rng},
    server::{self, Auth, ChannelOpenHandle, Config, Handler, Msg, Response, Session},
};
use tokio::net::TcpStream;

use super::{Host, questions::Rounds};
use crate::{channel::Raw, ssh::algorithms::server_preferred};

/// The host key, and how it is known.
#[derive(Clone)]
pub(super) struct Keys {
    config: Arc<Config>,
    pub(super) fingerprint: String,
}

impl Keys {
    pub(super) fn new() -> Result<Self, russh::keys::ssh_key::Error> {
        let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519)?;
        let fingerprint = key.public_key().fingerprint(HashAlg::Sha256).to_string();
        let config = Config {
            keys: vec![key],
            preferred: server_preferred(),
            // A simulated device has nothing to hide by being slow.
            auth_rejection_time: Duration::ZERO,
            nodelay: true,
            ..Config::default()
        };
        Ok(Self { config: Arc::new(config), fingerprint })
    }
}

pub(super) async fn serve(stream: TcpStream, keys: Keys, host: Host) {
    let stop = host.stop.clone();
    let connection = Connection { host, channels: BTreeMap::new(), rounds: Rounds::default() };
    let running = match server::run_stream(keys.config, stream, connection).await {
        Ok(running) => running,
        Err(error) => return over(&error),
    };
    let handle = running.handle();
    tokio::select! {
        ended = running => {
            if let Err(error) = ended {
                over(&error);
            }
        }
        () = stop.cancelled() => {
            // One that is gone already needs no goodbye.
            drop(handle.disconnect(russh::Disconnect::ByApplication, String::new(), String::new()).await);
        }
    }
}

fn over(why: &(dyn std::error::Error + 'static)) {
    tracing::debug!(error = why, "an SSH connection to a simulated device ended");
}

struct Connection {
    host: Host,
    channels: BTreeMap<ChannelId, Channel<Msg>>,
    rounds: Rounds,
}

impl Connection {
    fn judge(&self, user: &str, password: &str) -> Auth {
        match &self.host.device.model().login {
            Some(login) if login.user != user || login.password != password => Auth::reject(),
            _ => Auth::Accept,
        }
    }
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        let only_questions = self.host.device.model().login.as_ref().is_some_and(|login| login.questions);
        Ok(if only_questions { Auth::UnsupportedMethod } else { self.judge(user, password) })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let answer = response.map(|mut response| response.next().unwrap_or_default());
        let login = self.host.device.model().login.as_ref();
        Ok(self.rounds.next(login, user, answer.as_deref()))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    // Every request is answered: some clients wait for it.
    async fn pty_request(
        &mut self,
        id: ChannelId,
        _terminal: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_success(id)
    }

    async fn env_request(
        &mut self,
        id: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(id)
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        _command: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(id)
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(id)
    }

    async fn shell_request(&mut self, id: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        let Some(channel) = self.channels.remove(&id) else {
            return session.channel_failure(id);
        };
        session.channel_success(id)?;
        let host = self.host.clone();
        let handle = session.handle();
        self.host.tasks.spawn(async move {
            let stop = host.stop.clone();
            let shell = Box::new(Raw::new(channel.into_stream()));
            tokio::select! {
                () = stop.cancelled() => {}
                () = host.talk(shell, false) => {}
            }
            // The shell is over, and with it the connection, as on a device.
            // One that is gone already needs no goodbye.
            drop(handle.disconnect(russh::Disconnect::ByApplication, String::new(), String::new()).await);
        });
        Ok(())
    }
}
