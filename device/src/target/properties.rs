//! The properties of a resource, read into a target.

use std::{collections::BTreeMap, path::PathBuf};

use jackfield_config::profile::{ScreenSize, ScreenSizeError, SshBackend};
use serde_json::{Map, Value};

use super::{
    Address, Agent, Connect, Hop, HostKey, Key, Patience, Secret, SessionTarget, SshTarget, TargetError,
    reader::{Properties, is_yes, port, wrong},
};
use crate::{
    limits::{CONNECT_RETRIES_MAX, JUMPS_MAX, KEEPALIVE},
    line::Line,
    totp::Totp,
};

/// Where there is neither property, profile and port that say otherwise.
const TELNET_PORT: u16 = 23;
const SSH_PORT: u16 = 22;
const JUMP_FORM: &str = "write host, user@host:port, or an object with host, port, user, password, key";

pub(super) fn read(properties: &BTreeMap<String, Value>) -> Result<SessionTarget, TargetError> {
    let properties = Properties::new(properties);
    let protocol = properties.text(&["protocol"])?;
    let connect = match protocol.as_deref().unwrap_or_else(|| properties.guess()) {
        "telnet" => Connect::Telnet(properties.address(Some(TELNET_PORT))?),
        "rfc2217" => {
            let address = properties.address(None)?;
            Connect::Rfc2217 { address, line: properties.says_line().then(|| properties.line()).transpose()? }
        }
        "tcp" | "raw" => Connect::Tcp(properties.address(None)?),
        "ssh" => Connect::Ssh(Box::new(properties.ssh()?)),
        "serial" => {
            let missing = TargetError::Missing { property: "device", example: "device = /dev/ttyUSB0" };
            let device = properties.text(&["device", "tty"])?.ok_or(missing)?;
            Connect::Serial { device: device.into(), line: properties.line()? }
        }
        "process" | "local" => Connect::Process(properties.command()?),
        other => {
            return Err(wrong("protocol", other, "use telnet, ssh, serial, rfc2217, tcp or process"));
        }
    };
    Ok(SessionTarget {
        connect,
        patience: properties.patience()?,
        user: properties.user()?,
        password: properties.secret(&["password"])?,
        new_password: properties.secret(&["new_password"])?,
        totp: properties.totp()?,
        enable_password: properties.secret(&["enable_password", "enable", "secret"])?,
        profile_settings: properties.profile_settings()?,
        profile: properties.text(&["profile"])?.unwrap_or_else(|| "generic".to_owned()),
        platform: properties.text(&["platform"])?,
        screen: properties.screen()?,
        login: properties.text(&["login"])?.is_none() || properties.flag("login")?,
        level: properties.text(&["level"])?,
    })
}

impl Properties<'_> {
    /// The protocol where none is named.
    fn guess(&self) -> &'static str {
        if self.0.contains_key("command") {
            "process"
        } else if self.0.contains_key("device") && !self.0.contains_key("host") {
            "serial"
        } else {
            "ssh"
        }
    }

    /// Keys of the profile that the resource writes anew, its encoding among them.
    fn profile_settings(&self) -> Result<Map<String, Value>, TargetError> {
        let mut settings = self.object("profile_settings")?;
        if let Some(encoding) = self.text(&["encoding"])? {
            settings.insert("encoding".to_owned(), Value::String(encoding));
        }
        Ok(settings)
    }

    /// A property that is an object, or the text of one in JSON.
    fn object(&self, name: &str) -> Result<Map<String, Value>, TargetError> {
        let value = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(Map::new()),
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            Some(other) => (*other).clone(),
        };
        let Value::Object(object) = value else {
            let remedy = "write an object with keys of a profile, such as {\"prompt\": \"=> ?$\"}";
            return Err(wrong(name, &value.to_string(), remedy));
        };
        Ok(object)
    }

    fn screen(&self) -> Result<Option<ScreenSize>, TargetError> {
        let Some(text) = self.text(&["screen"])? else { return Ok(None) };
        text.parse().map(Some).map_err(|error: ScreenSizeError| wrong("screen", &text, &error.to_string()))
    }

    fn totp(&self) -> Result<Option<Totp>, TargetError> {
        let Some(text) = self.text(&["totp_secret"])? else { return Ok(None) };
        let hidden = format!("a text of {} letters", text.chars().count());
        Totp::parse(&text).map(Some).map_err(|error| wrong("totp_secret", &hidden, &error.to_string()))
    }

    fn user(&self) -> Result<Option<String>, TargetError> {
        self.text(&["user", "username", "login"])
    }

    fn ssh(&self) -> Result<SshTarget, TargetError> {
        let device = self.hop(None)?;
        let jumps = match self.0.get("jump") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(hops)) => {
                hops.iter().map(|hop| jump(hop, &device)).collect::<Result<Vec<Hop>, _>>()?
            }
            Some(Value::String(hops)) => hops
                .split(',')
                .filter(|hop| !hop.trim().is_empty())
                .map(|hop| jump_text(hop.trim(), &device))
                .collect::<Result<Vec<Hop>, _>>()?,
            Some(hop) => vec![jump(hop, &device)?],
        };
        if jumps.len() > JUMPS_MAX {
            return Err(wrong(
                "jump",
                &format!("{} hosts", jumps.len()),
                &format!("name at most {JUMPS_MAX}"),
            ));
        }
        Ok(SshTarget { jumps, device, keepalive: self.span("keepalive")?.unwrap_or(KEEPALIVE) })
    }

    /// A host that lets us in; what is not said is as for another one.
    fn hop(&self, like: Option<&Hop>) -> Result<Hop, TargetError> {
        let own = self
            .text(&["user", "username", "login", "password", "key", "key_file", "agent", "totp_secret"])?
            .is_some();
        // Somebody else's password is of no use to another user.
        let of_like = like.filter(|_| !own);
        let user = self.user()?;
        let password = self.secret(&["password"])?;
        let key = self.text(&["key", "key_file"])?.map(|text| {
            if text.trim_start().starts_with("-----BEGIN") {
                Key::Text(Secret::new(text))
            } else {
                Key::File(text.into())
            }
        });
        Ok(Hop {
            address: self.address(Some(SSH_PORT))?,
            user: user.or_else(|| like?.user.clone()),
            password: password.or_else(|| of_like?.password.clone()),
            key: key.or_else(|| of_like?.key.clone()),
            passphrase: self
                .secret(&["passphrase", "key_passphrase"])?
                .or_else(|| of_like?.passphrase.clone()),
            totp: self.totp()?.or_else(|| of_like?.totp.clone()),
            new_password: self.secret(&["new_password"])?,
            agent: match of_like {
                Some(like) => like.agent.clone(),
                None => self.agent()?,
            },
            host_key: match like {
                Some(like) if !self.0.contains_key("host_key") => like.host_key.for_another_host(),
                _ => self.host_key()?,
            },
            known_hosts: self
                .text(&["known_hosts"])?
                .map(PathBuf::from)
                .or_else(|| like?.known_hosts.clone()),
            legacy: self.flag("legacy")?,
            backend: self.backend()?.or_else(|| like?.backend),
        })
    }

    fn agent(&self) -> Result<Agent, TargetError> {
        Ok(match self.text(&["agent"])?.as_deref() {
            None => Agent::LastResort,
            Some(text) if is_yes(text) => Agent::Own,
            Some("false" | "no" | "0") => Agent::Never,
            Some(path) if path.starts_with('/') => Agent::At(path.into()),
            Some(other) => return Err(wrong("agent", other, "use true, false, or the path of its socket")),
        })
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

    fn backend(&self) -> Result<Option<SshBackend>, TargetError> {
        let Some(text) = self.text(&["ssh_backend"])? else { return Ok(None) };
        let found = SshBackend::NAMES.into_iter().find(|(name, _)| *name == text.trim());
        match found {
            Some((_, backend)) => Ok(Some(backend)),
            None => Err(wrong("ssh_backend", &text, "use russh or libssh2")),
        }
    }

    fn says_line(&self) -> bool {
        ["speed", "baud", "framing", "flow"].iter().any(|name| self.0.contains_key(*name))
    }

    fn line(&self) -> Result<Line, TargetError> {
        let mut line = Line::default();
        if let Some(text) = self.text(&["speed", "baud"])? {
            let speed = text.trim().parse().ok().filter(|speed| *speed > 0);
            line.speed = speed.ok_or_else(|| wrong("speed", &text, "write bits per second, like 115200"))?;
        }
        if let Some(framing) = self.word("framing")? {
            line.framing = framing;
        }
        if let Some(flow) = self.word("flow")? {
            line.flow = flow;
        }
        Ok(line)
    }

    fn patience(&self) -> Result<Patience, TargetError> {
        let mut patience = Patience::default();
        if let Some(limit) = self.span("connect_timeout")? {
            patience.connect_timeout = limit;
        }
        if let Some(text) = self.text(&["retries"])? {
            let retries = text.trim().parse().ok().filter(|retries| *retries <= CONNECT_RETRIES_MAX);
            let remedy = format!("write a number from 0 to {CONNECT_RETRIES_MAX}");
            patience.retries = retries.ok_or_else(|| wrong("retries", &text, &remedy))?;
        }
        patience.reconnect = self.flag("reconnect")?;
        Ok(patience)
    }
}

impl HostKey {
    /// A fingerprint is one host's; the rule behind it for others is the strict one.
    fn for_another_host(&self) -> Self {
        match self {
            Self::Pinned(_) => Self::Strict,
            rule @ (Self::Strict | Self::AcceptNew) => rule.clone(),
        }
    }
}

fn jump(value: &Value, device: &Hop) -> Result<Hop, TargetError> {
    match value {
        Value::String(text) => jump_text(text.trim(), device),
        Value::Object(properties) => Properties::new(properties).hop(Some(device)),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
            Err(wrong("jump", &other.to_string(), JUMP_FORM))
        }
    }
}

/// `user@host:port`, `host`, `[fe80::1]:22`; logged in to as to the device itself.
fn jump_text(text: &str, device: &Hop) -> Result<Hop, TargetError> {
    let (user, place) = match text.rsplit_once('@') {
        Some((user, place)) => (Some(user.to_owned()), place),
        None => (None, text),
    };
    let bracketed = place.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port_text) = match bracketed {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        // More than one colon and no brackets: an address of its own.
        None if place.matches(':').count() > 1 => (place, None),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err(wrong("jump", text, JUMP_FORM));
    }
    let port = port_text.map_or(Ok(SSH_PORT), port)?;
    Ok(Hop {
        address: Address { host: host.to_owned(), port },
        user: user.or_else(|| device.user.clone()),
        host_key: device.host_key.for_another_host(),
        legacy: false,
        ..device.clone()
    })
}
