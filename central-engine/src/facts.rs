//! What reports say of this engine: gathered once, when it starts.

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    process::Stdio,
};

use jackfield_config::{Lab, load::first_there};
use jackfield_reporting::results::EngineFacts;
use tokio::process::Command;

use crate::{
    limits,
    settings::{Listen, Server},
};

/// Facts of an engine that listens at `bound`. The zone is that of each run's own time.
pub(crate) async fn gather(lab: &Lab, listen: &Listen, server: &Server, bound: SocketAddr) -> EngineFacts {
    let names = rustix::system::uname();
    let text = |value: &std::ffi::CStr| value.to_string_lossy().into_owned();
    let hostname = text(names.nodename());
    let resources = first_there(&lab.layout().resources);
    EngineFacts {
        software: format!("jackfield {}", env!("CARGO_PKG_VERSION")),
        server_type: server.kind.as_str().to_owned(),
        location: server.location.clone(),
        os: format!("{} {}", text(names.sysname()), text(names.release())),
        url: listen.url(bound, &hostname),
        hostname,
        ip: address(bound).to_string(),
        python: python().await,
        resources_file: resources.map(|file| file.display().to_string()).unwrap_or_default(),
        ..EngineFacts::default()
    }
}

/// Where others reach this machine: where it listens, else where its packets would leave from. Nothing is sent.
fn address(bound: SocketAddr) -> IpAddr {
    if !bound.ip().is_unspecified() {
        return bound.ip();
    }
    let probe = || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        // An address of a network for documentation: nobody has it.
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    };
    probe().map_or(bound.ip(), |from| from.ip())
}

/// The version of the Python on this machine; empty where there is none.
async fn python() -> String {
    let mut command = Command::new("python3");
    command.arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let said = tokio::time::timeout(limits::PYTHON_VERSION_WAIT, command.output()).await;
    let said = said.ok().and_then(Result::ok).map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&said).trim().trim_start_matches("Python ").to_owned()
}
