//! Where a session goes: what a resource's properties say about reaching the device.

mod confined;
mod jumps;
mod properties;
mod reader;

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, time::Duration};

use jackfield_config::profile::{ScreenSize, SshBackend};
pub use jackfield_protocol::secret::Secret;
use serde_json::{Map, Value};

use crate::{
    limits::{CONNECT_RETRIES, CONNECT_TIMEOUT},
    line::Line,
    totp::Totp,
};

pub use confined::{foreign_file, says_where};
pub use jumps::{jump_resources, put_jump_resources};

/// How a device is reached, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionTarget {
    /// How.
    pub connect: Connect,
    /// How often and how long it is tried.
    pub patience: Patience,
    /// The user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// What takes the password's place where the device wants it changed; none: nobody changes it.
    pub new_password: Option<Secret>,
    /// What higher privilege levels ask for; the password where there is none.
    pub enable_password: Option<Secret>,
    /// Makes the one-time codes that a console asks for.
    pub totp: Option<Totp>,
    /// The profile's name.
    pub profile: String,
    /// What templates call this kind of device, where the profile does not say it right.
    pub platform: Option<String>,
    /// Keys of the profile that this resource writes anew.
    pub profile_settings: Map<String, Value>,
    /// The size of the screen, where the device's programs fill one.
    pub screen: Option<ScreenSize>,
    /// Log in, and wait for a prompt; where not, all that the device shows is left to whoever talks to it.
    pub login: bool,
    /// The privilege level to work at; none: the one the login leads to.
    pub level: Option<String>,
}

/// How often and how long a connection is tried, and what happens when it is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The limit of one try.
    pub connect_timeout: Duration,
    /// Tries after the first, where the device cannot be reached.
    pub retries: u32,
    /// A session whose connection was lost connects and logs in again before its next command.
    pub reconnect: bool,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect_timeout: CONNECT_TIMEOUT, retries: CONNECT_RETRIES, reconnect: false }
    }
}

/// A way to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connect {
    /// Telnet.
    Telnet(Address),
    /// A serial line behind a terminal server that speaks RFC 2217.
    Rfc2217 {
        /// The terminal server's port for the line.
        address: Address,
        /// How the line is set; none: as it is.
        line: Option<Line>,
    },
    /// A TCP connection that carries nothing but the dialogue, as terminal servers offer.
    Tcp(Address),
    /// SSH.
    Ssh(Box<SshTarget>),
    /// A serial line of this machine.
    Serial {
        /// The device file.
        device: PathBuf,
        /// How the line is set.
        line: Line,
    },
    /// A local command in a terminal: program and arguments.
    Process(Vec<String>),
}

/// A device that speaks SSH, and the way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshTarget {
    /// Hosts that are passed through, the nearest first.
    pub jumps: Vec<Hop>,
    /// The device itself.
    pub device: Hop,
    /// Silence after which the device is asked whether it lives; zero: never.
    pub keepalive: Duration,
}

/// One host that lets us in by SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Where.
    pub address: Address,
    /// Who we are there.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The user's private key.
    pub key: Option<Key>,
    /// What opens the key; the password where there is none.
    pub passphrase: Option<Secret>,
    /// Makes the one-time codes that it asks for.
    pub totp: Option<Totp>,
    /// What takes the password's place where it must be changed.
    pub new_password: Option<Secret>,
    /// Which agent has keys for us.
    pub agent: Agent,
    /// Which host keys are trusted.
    pub host_key: HostKey,
    /// The file of known keys; none: the EP's own.
    pub known_hosts: Option<PathBuf>,
    /// Also offer algorithms that are unsafe by today's measure.
    pub legacy: bool,
    /// The library that speaks with it; none: the profile's, or the usual one.
    pub backend: Option<SshBackend>,
}

/// A private key, in OpenSSH's or PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// In a file.
    File(PathBuf),
    /// Itself.
    Text(Secret),
}

/// Which agent has keys for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agent {
    /// The EP's own, where there is neither key nor password.
    LastResort,
    /// The EP's own, first.
    Own,
    /// The one behind this socket, first.
    At(PathBuf),
    /// None.
    Never,
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Telnet(address) => write!(f, "telnet {address}"),
            Self::Rfc2217 { address, .. } => write!(f, "rfc2217 {address}"),
            Self::Tcp(address) => write!(f, "tcp {address}"),
            Self::Ssh(ssh) => {
                write!(f, "ssh {}", ssh.device.address)?;
                ssh.jumps.iter().try_for_each(|jump| write!(f, " through {}", jump.address))
            }
            Self::Serial { device, line } => write!(f, "serial {} at {line}", device.display()),
            Self::Process(command) => write!(f, "command `{}`", command.join(" ")),
        }
    }
}

/// Which host keys are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostKey {
    /// Only those in the known hosts file.
    Strict,
    /// Those in the file; an unknown host's key is taken in at the first connection, a changed one is refused.
    AcceptNew,
    /// The one with this fingerprint: `SHA256:…`.
    Pinned(String),
}

/// Properties that do not say how to reach a device.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TargetError {
    /// A property that is needed is not there.
    #[error("the resource has no `{property}`: add the property to it ({example})")]
    Missing {
        /// Which.
        property: &'static str,
        /// What it could be.
        example: &'static str,
    },
    /// A property says something that is not understood.
    #[error("property `{property}` is `{value}`: {remedy}")]
    Wrong {
        /// Which.
        property: String,
        /// What it says.
        value: String,
        /// What it should say.
        remedy: String,
    },
}

impl SessionTarget {
    /// Reads what a resource's properties say. Names are read whatever their case; `IP`, `address` and `host` are the same.
    ///
    /// # Errors
    /// A property is missing or not understood; the error names it and what to write.
    pub fn from_properties(properties: &BTreeMap<String, Value>) -> Result<Self, TargetError> {
        properties::read(properties)
    }

    /// The same without any agent's keys: where it goes is said by somebody who may not use them.
    #[must_use]
    pub fn without_agents(mut self) -> Self {
        if let Connect::Ssh(ssh) = &mut self.connect {
            ssh.jumps.iter_mut().chain([&mut ssh.device]).for_each(|hop| hop.agent = Agent::Never);
        }
        self
    }

    /// Every secret of it, so that recordings can strike them out.
    pub fn secrets(&self) -> Vec<Secret> {
        let hops: Vec<&Hop> = match &self.connect {
            Connect::Ssh(ssh) => ssh.jumps.iter().chain([&ssh.device]).collect(),
            Connect::Telnet(_)
            | Connect::Rfc2217 { .. }
            | Connect::Tcp(_)
            | Connect::Serial { .. }
            | Connect::Process(_) => Vec::new(),
        };
        let codes = hops.iter().filter_map(|hop| hop.totp.as_ref()).chain(&self.totp);
        let codes = codes.flat_map(Totp::written).cloned();
        let of_hops = hops.iter().flat_map(|hop| [&hop.password, &hop.passphrase]);
        let mut secrets: Vec<Secret> = [&self.password, &self.new_password, &self.enable_password]
            .into_iter()
            .chain(of_hops)
            .flatten()
            .cloned()
            .chain(codes)
            .collect();
        secrets.sort_unstable();
        secrets.dedup();
        secrets
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(properties: Value) -> Result<SessionTarget, TargetError> {
        SessionTarget::from_properties(&serde_json::from_value(properties).unwrap())
    }

    #[test]
    fn properties_say_how_to_connect() {
        let telnet =
            target(json!({"protocol": "telnet", "IP": "10.0.0.1", "Port": "2023", "password": "x"})).unwrap();
        assert_eq!(telnet.connect.to_string(), "telnet 10.0.0.1:2023");
        assert_eq!(format!("{:?}", telnet.password), "Some(********)");
        let ssh = target(json!({"host": "fe80::1", "host_key": "accept-new"})).unwrap();
        assert_eq!(ssh.connect.to_string(), "ssh [fe80::1]:22");
        assert_eq!(ssh.profile, "generic");
        let jumped = target(json!({"host": "pbx", "user": "ana", "jump": "gate, root@inner:2222"})).unwrap();
        assert_eq!(jumped.connect.to_string(), "ssh pbx:22 through gate:22 through inner:2222");
        let serial = target(json!({"device": "/dev/ttyUSB0", "speed": 115_200, "framing": "7E1"})).unwrap();
        assert_eq!(serial.connect.to_string(), "serial /dev/ttyUSB0 at 115200 7E1");
        let local = target(json!({"command": ["vtysh", "-N", "r1"]})).unwrap();
        assert_eq!(local.connect, Connect::Process(vec!["vtysh".into(), "-N".into(), "r1".into()]));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let told = |properties| target(properties).unwrap_err().to_string();
        insta::assert_snapshot!(told(json!({"protocol": "telnet"})), @"the resource has no `host`: add the property to it (host = 192.0.2.1)");
        insta::assert_snapshot!(told(json!({"protocol": "smoke"})), @"property `protocol` is `smoke`: use telnet, ssh, serial, rfc2217, tcp or process");
        insta::assert_snapshot!(told(json!({"host": "h", "port": 70000})), @"property `port` is `70000`: write a number from 1 to 65535");
        insta::assert_snapshot!(told(json!({"host": "h", "host_key": "off"})), @"property `host_key` is `off`: use strict, accept-new, or a fingerprint SHA256:…");
        insta::assert_snapshot!(told(json!({"host": "h", "screen": "wide"})), @"property `screen` is `wide`: write columns and rows, like 80x24, at most 1000x500");
        insta::assert_snapshot!(told(json!({"host": "h", "ssh_backend": "putty"})), @"property `ssh_backend` is `putty`: use russh or libssh2");
        // A secret that is none may be one that is written wrong: it is not told.
        insta::assert_snapshot!(told(json!({"host": "h", "totp_secret": "GEZDGNBVGY3TQ0JQ"})), @"property `totp_secret` is `a text of 16 letters`: write it in base32 (A to Z, 2 to 7), as the enrolment shows it, or as an address otpauth://totp/…?secret=…");
        insta::assert_snapshot!(told(json!({"protocol": "tcp", "host": "h"})), @"the resource has no `port`: add the property to it (port = 2001)");
    }

    #[test]
    fn the_way_of_an_ssh_session_is_read_whole() {
        let jumps = json!([
            {"host": "gate", "user": "g", "password": "gp", "host_key": "SHA256:x", "ssh_backend": "russh"}, "inner",
        ]);
        let properties = json!({
            "host": "pbx", "user": "ana", "password": "p", "key": "/k", "passphrase": "pp", "agent": true,
            "totp_secret": "GEZDGNBVGY3TQOJQ", "jump": jumps, "known_hosts": "/kh", "keepalive": "5s", "retries": 0, "reconnect": true,
            "ssh_backend": "libssh2",
        });
        let target = target(properties).unwrap();
        assert_eq!(target.secrets(), ["GEZDGNBVGY3TQOJQ", "gp", "p", "pp"].map(Secret::new));
        assert_eq!(target.patience, Patience { retries: 0, reconnect: true, ..Patience::default() });
        let Connect::Ssh(ssh) = target.connect else { panic!("no SSH") };
        assert_eq!((ssh.keepalive, &ssh.device.agent), (Duration::from_secs(5), &Agent::Own));
        let gate = &ssh.jumps[0];
        assert_eq!((gate.user.as_deref(), &gate.host_key), (Some("g"), &HostKey::Pinned("SHA256:x".into())));
        // What a hop does not say is as for the device.
        let inner = &ssh.jumps[1];
        assert_eq!((inner.user.as_deref(), &inner.key), (Some("ana"), &ssh.device.key));
        assert_eq!(inner.known_hosts, Some("/kh".into()));
        let backends = [gate, inner, &ssh.device].map(|hop| hop.backend);
        let (russh, libssh2) = (Some(SshBackend::Russh), Some(SshBackend::Libssh2));
        assert_eq!(backends, [russh, libssh2, libssh2]);
    }

    #[test]
    fn what_a_line_cannot_be_is_named() {
        let told = |properties| target(properties).unwrap_err().to_string();
        insta::assert_snapshot!(told(json!({"protocol": "serial"})), @"the resource has no `device`: add the property to it (device = /dev/ttyUSB0)");
        insta::assert_snapshot!(told(json!({"device": "/d", "framing": "8X1"})), @"property `framing` is `8X1`: write data bits, parity and stop bits, like 8N1 or 7E2");
        insta::assert_snapshot!(told(json!({"device": "/d", "speed": "fast"})), @"property `speed` is `fast`: write bits per second, like 115200");
        insta::assert_snapshot!(told(json!({"host": "h", "keepalive": "soon"})), @"property `keepalive` is `soon`: write a time like 20s or 500ms");
        insta::assert_snapshot!(told(json!({"host": "h", "jump": [7]})), @"property `jump` is `7`: write host, user@host:port, or an object with host, port, user, password, key");
    }
}
