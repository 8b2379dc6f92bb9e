//! Devices that are not there: a model served over telnet and SSH, to many at once, with one state.
//!
//! [`device`] decides what a line does, without a socket or a clock; [`terminal`] is a person's end of it, byte by byte; this file and
//! [`ssh`] carry the bytes.

pub mod device;
mod power;
mod questions;
mod replay;
mod ssh;
mod terminal;

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc};

use jackfield_config::simulated::DeviceModel;
use serde_json::{Map, Value};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    device::{Device, ModelError},
    power::Power,
    replay::Script,
    terminal::Terminal,
};
use crate::{
    channel::{Channel, Window},
    limits::SIMULATED_CONNECTIONS_MAX,
    record::cast::Cast,
    telnet::{Codec, Role, Telnet},
};

pub use self::replay::WITHOUT_KEYS;

/// Where to listen; none: not at all. Port 0 finds a free one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// For telnet.
    pub telnet: Option<SocketAddr>,
    /// For SSH.
    pub ssh: Option<SocketAddr>,
}

impl Default for Listen {
    /// Both, on free ports of this machine.
    fn default() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { telnet: Some(any), ssh: Some(any) }
    }
}

/// Why a device cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A template of the model is wrong.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A port is taken, or may not be used.
    #[error("cannot listen on {address}: {source}; choose another port, or 0 for a free one")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The device around a recording could not be made.
    #[error("the recording cannot be served: {0}")]
    Recording(String),
    /// No host key could be made.
    #[error("no host key could be made: {0}")]
    HostKey(String),
}

/// A simulated device that answers. Stop it; dropped, it stops by itself.
pub struct Running {
    /// Its name.
    pub name: String,
    /// Where it speaks telnet.
    pub telnet: Option<SocketAddr>,
    /// Where it speaks SSH.
    pub ssh: Option<SocketAddr>,
    /// The fingerprint of its SSH host key, which is new each time.
    pub ssh_fingerprint: String,
    device: Arc<Device>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    /// The state as commands have left it.
    pub fn state(&self) -> Map<String, Value> {
        self.device.state()
    }

    /// Properties for a resource that leads here: with `ssh` or `telnet`.
    pub fn properties(&self, protocol: &str) -> BTreeMap<String, Value> {
        let mut properties = BTreeMap::new();
        let address = if protocol == "ssh" { self.ssh } else { self.telnet };
        let mut put = |key: &str, value: Value| drop(properties.insert(key.to_owned(), value));
        put("protocol", protocol.into());
        put("host", address.map(|address| address.ip().to_string()).into());
        put("port", address.map(|address| address.port()).into());
        if let Some(login) = &self.device.model().login {
            put("user", login.user.clone().into());
            put("password", login.password.clone().into());
        } else if protocol == "ssh" {
            put("user", "lab".into());
            put("password", "lab".into());
        }
        if protocol == "ssh" {
            put("host_key", self.ssh_fingerprint.clone().into());
        }
        properties
    }

    /// Ends every connection and stops to listen.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Serves a device until it is stopped.
///
/// # Errors
/// A template of the model is wrong, or a port cannot be had.
pub async fn serve(model: DeviceModel, listen: Listen) -> Result<Running, SimulateError> {
    serve_as(model, None, listen).await
}

/// Serves a recording as if it were the device, until it is stopped: to each connection from its beginning.
///
/// # Errors
/// A port cannot be had.
pub async fn serve_recording(name: &str, cast: &Cast, listen: Listen) -> Result<Running, SimulateError> {
    // The login of the recording is in the recording: the device around it asks nobody.
    let text = "name = 'recording'\nstart = 'replay'\n[modes.replay]\nprompt = ''\n";
    let mut model = DeviceModel::parse("recording", text).map_err(|problems| {
        SimulateError::Recording(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })?;
    name.clone_into(&mut model.name);
    serve_as(model, Some(Arc::new(Script::new(cast))), listen).await
}

async fn serve_as(
    model: DeviceModel,
    script: Option<Arc<Script>>,
    listen: Listen,
) -> Result<Running, SimulateError> {
    let name = model.name.clone();
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let device = Arc::new(Device::new(model)?);
    let power = Arc::default();
    let host = Host { device: Arc::clone(&device), stop: stop.clone(), tasks: tasks.clone(), power, script };
    let mut running =
        Running { name, telnet: None, ssh: None, ssh_fingerprint: String::new(), device, stop, tasks };
    if let Some(address) = listen.telnet {
        let (listener, address) = bind(address).await?;
        running.telnet = Some(address);
        running.tasks.spawn(host.clone().accept(listener, Carrier::Telnet));
    }
    if let Some(address) = listen.ssh {
        let keys = ssh::Keys::new().map_err(|error| SimulateError::HostKey(error.to_string()))?;
        running.ssh_fingerprint.clone_from(&keys.fingerprint);
        let (listener, address) = bind(address).await?;
        running.ssh = Some(address);
        running.tasks.spawn(host.accept(listener, Carrier::Ssh(keys)));
    }
    Ok(running)
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SimulateError> {
    let refused = |source| SimulateError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

#[derive(Clone)]
enum Carrier {
    Telnet,
    Ssh(ssh::Keys),
}

/// What every connection of a device shares.
#[derive(Clone)]
struct Host {
    device: Arc<Device>,
    stop: CancellationToken,
    tasks: TaskTracker,
    power: Arc<Power>,
    /// A recording that is played instead of the model.
    script: Option<Arc<Script>>,
}

impl Host {
    async fn accept(self, listener: TcpListener, carrier: Carrier) {
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok(_) if self.power.is_down() => {}
                Ok((stream, _)) if self.tasks.len() <= SIMULATED_CONNECTIONS_MAX => {
                    self.tasks.spawn(self.clone().connection(stream, carrier.clone()));
                }
                Ok(_) => {
                    tracing::warn!(device = self.device.model().name, "too many connections: one is refused")
                }
                Err(error) => {
                    // Out of sockets, most likely: those that are open go on, and some will close.
                    tracing::warn!(%error, "a simulated device could not take a connection");
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    async fn connection(self, stream: TcpStream, carrier: Carrier) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone at once");
        }
        let (stop, running) = (self.stop.clone(), self.power.running());
        let served = async {
            match carrier {
                Carrier::Telnet => {
                    let codec = Codec::new(Role::Server, Window::default(), "");
                    self.talk(Box::new(Telnet::new(stream, codec, Role::Server)), true).await;
                }
                Carrier::Ssh(keys) => ssh::serve(stream, keys, self.clone()).await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = running.cancelled() => {}
            () = served => {}
        }
    }

    /// Speaks with whoever is at the other end, until they or the device have enough.
    async fn talk(&self, mut channel: Box<dyn Channel>, ask_login: bool) {
        if let Some(script) = &self.script {
            if let Err(error) = script.play(channel.as_mut()).await {
                tracing::debug!(%error, "a connection to a recording ended");
            }
            return;
        }
        let terminal = Terminal::new(
            channel,
            Arc::clone(&self.device),
            self.tasks.clone(),
            self.stop.clone(),
            Arc::clone(&self.power),
        );
        if let Err(error) = terminal.run(ask_login).await {
            tracing::debug!(%error, "a connection to a simulated device ended");
        }
    }
}
