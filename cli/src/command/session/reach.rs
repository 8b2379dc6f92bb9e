//! A device that this machine reaches by itself, without an engine: its address, and what is said beside it.

use std::{collections::BTreeMap, io::IsTerminal, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use jackfield_device::session::SessionSettings;
use serde_json::Value;

use super::profiles;
use crate::command::user::read_password;

/// Where a password may stand, for scripts.
const PASSWORD: &str = "JACKFIELD_DEVICE_PASSWORD";

/// What is said of a device beside its address.
#[derive(clap::Args)]
pub(super) struct Said {
    /// The kind of device, for logging in to it: a shipped profile, one of the folder `profiles/`, or a file.
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,
    /// The user, for logging in. The password is asked for at a terminal, else it is the variable `JACKFIELD_DEVICE_PASSWORD`.
    #[arg(long)]
    user: Option<String>,
    /// A property as a resource has it, such as `host_key=accept-new` or `speed=9600`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Said {
    /// Whether nothing was said.
    pub(super) fn is_nothing(&self) -> bool {
        self.profile.is_none() && self.user.is_none() && self.set.is_empty()
    }

    /// Fills the properties of a device in, and the profiles that it may have.
    pub(super) fn fill(
        &self,
        properties: &mut BTreeMap<String, Value>,
        settings: &mut SessionSettings,
    ) -> Result<()> {
        if let Some(named) = &self.profile {
            let (profiles, name) = profiles::choose(named)?;
            settings.profiles = profiles;
            properties.insert("profile".to_owned(), Value::String(name));
        }
        properties.extend(self.user.clone().map(|user| ("user".to_owned(), Value::String(user))));
        for property in &self.set {
            let (key, value) = property
                .split_once('=')
                .with_context(|| format!("`{property}` is not a property such as host_key=accept-new"))?;
            let value = serde_json::from_str(value).unwrap_or_else(|_text| value.into());
            properties.insert(key.to_owned(), value);
        }
        Ok(())
    }
}

/// The properties that an address or a program stands for, and what people call it.
pub(super) fn place(target: Option<&str>, command: &[String]) -> Result<(BTreeMap<String, Value>, String)> {
    Ok(match target {
        Some(target) => (read(target)?, target.to_owned()),
        None => (of_command(command), command.join(" ")),
    })
}

/// How this machine connects: as the user who is at it.
pub(super) fn settings() -> Result<SessionSettings> {
    let mut settings = SessionSettings::new(known_hosts()?);
    settings.agent = std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from);
    Ok(settings)
}

/// Whether enough is said to log in: SSH lets nobody in otherwise.
pub(super) fn logs_in(properties: &BTreeMap<String, Value>) -> bool {
    let is_ssh = properties.get("protocol").is_some_and(|protocol| protocol == "ssh");
    is_ssh || ["profile", "user"].iter().any(|key| properties.contains_key(*key))
}

/// Asks for the password, where one may be wanted.
pub(super) fn add_password(properties: &mut BTreeMap<String, Value>, raw: bool) -> Result<()> {
    let is_ssh = properties.get("protocol").is_some_and(|protocol| protocol == "ssh");
    let wanted = properties.contains_key("user") && (!raw || is_ssh);
    if !wanted || ["password", "key"].iter().any(|key| properties.contains_key(*key)) {
        return Ok(());
    }
    let known = std::env::var_os(PASSWORD).and_then(|password| password.into_string().ok());
    let password = match known {
        Some(password) => Some(password),
        None if std::io::stdin().is_terminal() => Some(read_password()?.expose_for_device().to_owned()),
        // An agent may do, or the device asks for none.
        None => None,
    };
    properties.extend(password.map(|password| ("password".to_owned(), Value::String(password))));
    Ok(())
}

/// The user's own list of hosts.
fn known_hosts() -> Result<PathBuf> {
    let home = std::env::var_os("HOME").context("HOME is not set: there is no list of known hosts")?;
    Ok(PathBuf::from(home).join(".ssh/known_hosts"))
}

fn of_command(command: &[String]) -> BTreeMap<String, Value> {
    [("protocol".to_owned(), "process".into()), ("command".to_owned(), command.to_vec().into())].into()
}

/// The properties that an address stands for.
fn read(target: &str) -> Result<BTreeMap<String, Value>> {
    let mut properties = BTreeMap::new();
    let mut set = |key: &str, value: Value| {
        properties.insert(key.to_owned(), value);
    };
    if let Some(device) = target.strip_prefix("serial:") {
        set("protocol", "serial".into());
        let device = device.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(device);
        set("device", device.into());
        return Ok(properties);
    }
    let (protocol, place) = target.split_once("://").unwrap_or(("", target));
    if !["telnet", "ssh", "tcp", "rfc2217"].contains(&protocol) {
        bail!("`{protocol}` is no way to a device: telnet, ssh, tcp, rfc2217, or serial:/dev/ttyUSB0");
    }
    set("protocol", protocol.into());
    let place = place.trim_end_matches('/');
    let (user, place) = place.rsplit_once('@').map_or((None, place), |(user, rest)| (Some(user), rest));
    if let Some(user) = user {
        if user.contains(':') {
            bail!(
                "a password in an address can be read by everybody on this machine; set {PASSWORD}, or be asked for it"
            );
        }
        set("user", user.into());
    }
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        bail!("`{target}` names no host");
    }
    set("host", host.into());
    if let Some(port) = port {
        let port: u16 = port.parse().with_context(|| format!("`{port}` is no port"))?;
        set("port", port.into());
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_read() {
        for (target, expect) in [
            ("telnet://10.0.0.1", json!({"protocol": "telnet", "host": "10.0.0.1"})),
            ("ssh://ana@r1:2222/", json!({"protocol": "ssh", "user": "ana", "host": "r1", "port": 2222})),
            ("tcp://[::1]:4000", json!({"protocol": "tcp", "host": "::1", "port": 4000})),
            ("serial:/dev/ttyUSB0", json!({"protocol": "serial", "device": "/dev/ttyUSB0"})),
            ("serial:///dev/ttyS1", json!({"protocol": "serial", "device": "/dev/ttyS1"})),
        ] {
            assert_eq!(json!(read(target).unwrap()), expect, "{target}");
        }
        for (target, words) in [
            ("ftp://r1", "no way to a device"),
            ("ssh://ana:geheim@r1", "read by everybody"),
            ("telnet://", "names no host"),
            ("telnet://r1:x", "no port"),
        ] {
            let error = format!("{:#}", read(target).unwrap_err());
            assert!(error.contains(words) && !error.contains("geheim"), "{target}: {error}");
        }
    }
}
