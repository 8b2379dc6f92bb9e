//! The Unix socket on which tests talk to their EP (`docs/local-api.md`): JSON-RPC 2.0, one object a line.
//!
//! A task for each connection answers its requests in order. It knows its test from the secret in `hello`; what the test
//! says goes to its attempt, what it asks goes through the daemon to the engine, and sessions are kept for its run.

use std::{
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{
    net::UnixListener,
    sync::{Semaphore, mpsc},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::limits::{CALLS_LARGE_MAX, CONNECTIONS_MAX};
use crate::{event::Event, station::Station};

mod beside_methods;
mod checks;
mod configs;
mod connection;
mod hello;
mod line;
mod methods;
mod params;
mod rpc;
mod seats;
mod session_answers;
mod session_commands;
mod session_methods;
mod session_screens;

/// The longest path a Unix socket can have.
const SOCKET_PATH_MAX: usize = 107;

/// The socket, and what its connections need.
#[derive(Debug)]
pub(crate) struct LocalApi {
    pub(crate) listener: UnixListener,
    pub(crate) desk: Arc<Desk>,
    pub(crate) shutdown: CancellationToken,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) station: Arc<Station>,
    pub(crate) events: mpsc::UnboundedSender<Event>,
    seats: seats::Seats,
    lobby: seats::Lobby,
    /// Places for large requests.
    large: Arc<Semaphore>,
}

impl Desk {
    pub(crate) fn new(station: Arc<Station>, events: mpsc::UnboundedSender<Event>) -> Self {
        let large = Arc::new(Semaphore::new(CALLS_LARGE_MAX));
        Self { station, events, seats: seats::Seats::default(), lobby: seats::Lobby::default(), large }
    }
}

/// Where the socket of an EP with this work folder is: in it, or, where that path is too long for a socket, in the
/// system's folder for temporary files under a name made from it.
pub(crate) fn socket_path(work_dir: &Path) -> PathBuf {
    let plain = work_dir.join("ep.sock");
    if plain.as_os_str().len() <= SOCKET_PATH_MAX {
        return plain;
    }
    let hash = blake3::hash(work_dir.as_os_str().as_encoded_bytes()).to_hex();
    std::env::temp_dir().join(format!("jackfield-{}.sock", hash.chars().take(16).collect::<String>()))
}

/// Opens the socket, for this user alone.
pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

impl LocalApi {
    /// Serves until `shutdown`, and then ends every connection.
    pub(crate) async fn run(self) {
        let (tasks, places) = (TaskTracker::new(), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
            let stream = tokio::select! {
                () = self.shutdown.cancelled() => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!("a connection of a test was not accepted: {error}");
                        continue;
                    }
                },
            };
            let (desk, shutdown) = (Arc::clone(&self.desk), self.shutdown.clone());
            tasks.spawn(async move {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = connection::serve(stream, desk) => {}
                }
                drop(place);
            });
        }
        tasks.close();
        tasks.wait().await;
    }
}
