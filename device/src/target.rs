//! Where a session goes: what a resource's properties say about reaching the device.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf};

use serde_json::Value;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one who must send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

/// How a device is reached, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionTarget {
    /// How.
    pub connect: Connect,
    /// The user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// What higher privilege levels ask for; the password where there is none.
    pub enable_password: Option<Secret>,
    /// The profile's name.
    pub profile: String,
    /// The privilege level to work at; none: the one the login leads to.
    pub level: Option<String>,
}

/// A way to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connect {
    /// Telnet.
    Telnet(Address),
    /// A TCP connection that carries nothing but the dialogue, as terminal servers offer.
    Tcp(Address),
    /// SSH.
    Ssh {
        /// Where.
        address: Address,
        /// A private key file, in OpenSSH's or PEM form.
        key: Option<PathBuf>,
        /// Which host keys are trusted.
        host_key: HostKey,
        /// Also offer algorithms that are unsafe by today's measure.
        legacy: bool,
    },
    /// A local command in a terminal: program and arguments.
    Process(Vec<String>),
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
            Self::Tcp(address) => write!(f, "tcp {address}"),
            Self::Ssh { address, .. } => write!(f, "ssh {address}"),
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

/// Where there is neither property, profile and port that say otherwise.
const TELNET_PORT: u16 = 23;
const SSH_PORT: u16 = 22;

impl SessionTarget {
    /// Reads what a resource's properties say. Names are read whatever their case; `IP`, `address` and `host` are the same.
    ///
    /// # Errors
    /// A property is missing or not understood; the error names it and what to write.
    pub fn from_properties(properties: &BTreeMap<String, Value>) -> Result<Self, TargetError> {
        let properties = Properties::new(properties);
        let protocol = properties.text(&["protocol"])?;
        let has_command = properties.0.contains_key("command");
        let connect = match protocol.as_deref().unwrap_or(if has_command { "process" } else { "ssh" }) {
            "telnet" => Connect::Telnet(properties.address(Some(TELNET_PORT))?),
            "tcp" | "raw" => Connect::Tcp(properties.address(None)?),
            "ssh" => Connect::Ssh {
                address: properties.address(Some(SSH_PORT))?,
                key: properties.text(&["key", "key_file"])?.map(PathBuf::from),
                host_key: properties.host_key()?,
                legacy: properties.flag("legacy")?,
            },
            "process" | "local" => Connect::Process(properties.command()?),
            other => {
                return Err(wrong("protocol", other, "use telnet, ssh, tcp or process"));
            }
        };
        Ok(Self {
            connect,
            user: properties.text(&["user", "username", "login"])?,
            password: properties.text(&["password"])?.map(Secret::new),
            enable_password: properties.text(&["enable_password", "enable", "secret"])?.map(Secret::new),
            profile: properties.text(&["profile"])?.unwrap_or_else(|| "generic".to_owned()),
            level: properties.text(&["level"])?,
        })
    }

    /// Every secret of it, so that recordings can strike them out.
    pub fn secrets(&self) -> Vec<String> {
        [&self.password, &self.enable_password]
            .into_iter()
            .flatten()
            .map(|secret| secret.reveal().to_owned())
            .collect()
    }
}

fn wrong(property: &str, value: &str, remedy: &str) -> TargetError {
    TargetError::Wrong { property: property.to_owned(), value: value.to_owned(), remedy: remedy.to_owned() }
}

struct Properties<'p>(BTreeMap<String, &'p Value>);

impl<'p> Properties<'p> {
    fn new(properties: &'p BTreeMap<String, Value>) -> Self {
        Self(properties.iter().map(|(name, value)| (name.to_lowercase(), value)).collect())
    }

    /// The first of some properties that is there and not empty, as text.
    fn text(&self, names: &[&str]) -> Result<Option<String>, TargetError> {
        for name in names {
            match self.0.get(*name) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if text.trim().is_empty() => {}
                Some(Value::String(text)) => return Ok(Some(text.clone())),
                Some(value @ (Value::Number(_) | Value::Bool(_))) => return Ok(Some(value.to_string())),
                Some(value @ (Value::Array(_) | Value::Object(_))) => {
                    return Err(wrong(name, &value.to_string(), "write a text"));
                }
            }
        }
        Ok(None)
    }

    fn address(&self, default_port: Option<u16>) -> Result<Address, TargetError> {
        let missing = TargetError::Missing { property: "host", example: "host = 192.0.2.1" };
        let host = self.text(&["host", "ip", "address", "hostname"])?.ok_or(missing)?;
        let port = match self.text(&["port"])? {
            Some(text) => {
                let port = text.trim().parse().ok().filter(|port: &u16| *port > 0);
                port.ok_or_else(|| wrong("port", &text, "write a number from 1 to 65535"))?
            }
            None => default_port.ok_or(TargetError::Missing { property: "port", example: "port = 2001" })?,
        };
        let host = host.trim().trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Address { host, port })
    }

    fn host_key(&self) -> Result<HostKey, TargetError> {
        Ok(match self.text(&["host_key"])?.as_deref() {
            None | Some("strict") => HostKey::Strict,
            Some("accept-new" | "accept_new") => HostKey::AcceptNew,
            Some(print) if print.starts_with("SHA256:") => HostKey::Pinned(print.to_owned()),
            Some(other) => {
                return Err(wrong("host_key", other, "use strict, accept-new, or a fingerprint SHA256:…"));
            }
        })
    }

    fn flag(&self, name: &str) -> Result<bool, TargetError> {
        match self.text(&[name])?.as_deref() {
            None | Some("false" | "no" | "0") => Ok(false),
            Some("true" | "yes" | "1") => Ok(true),
            Some(other) => Err(wrong(name, other, "use true or false")),
        }
    }

    /// A list of words, or a text that the shell takes apart.
    fn command(&self) -> Result<Vec<String>, TargetError> {
        let missing = || TargetError::Missing { property: "command", example: "command = vtysh" };
        match self.0.get("command") {
            Some(Value::Array(words)) => {
                let texts: Option<Vec<String>> =
                    words.iter().map(|word| word.as_str().map(str::to_owned)).collect();
                let texts = texts.ok_or_else(|| wrong("command", "a list", "write only texts in it"))?;
                if texts.is_empty() { Err(missing()) } else { Ok(texts) }
            }
            _ => {
                let line = self.text(&["command"])?.ok_or_else(missing)?;
                Ok(vec!["/bin/sh".to_owned(), "-c".to_owned(), format!("exec {line}")])
            }
        }
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
        let local = target(json!({"command": ["vtysh", "-N", "r1"]})).unwrap();
        assert_eq!(local.connect, Connect::Process(vec!["vtysh".into(), "-N".into(), "r1".into()]));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let told = |properties| target(properties).unwrap_err().to_string();
        insta::assert_snapshot!(told(json!({"protocol": "telnet"})), @"the resource has no `host`: add the property to it (host = 192.0.2.1)");
        insta::assert_snapshot!(told(json!({"protocol": "smoke"})), @"property `protocol` is `smoke`: use telnet, ssh, tcp or process");
        insta::assert_snapshot!(told(json!({"host": "h", "port": 70000})), @"property `port` is `70000`: write a number from 1 to 65535");
        insta::assert_snapshot!(told(json!({"host": "h", "host_key": "off"})), @"property `host_key` is `off`: use strict, accept-new, or a fingerprint SHA256:…");
        insta::assert_snapshot!(told(json!({"protocol": "tcp", "host": "h"})), @"the resource has no `port`: add the property to it (port = 2001)");
    }
}
