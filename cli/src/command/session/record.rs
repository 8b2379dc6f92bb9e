//! `jackfield session record`: a dialogue by hand, written down so that `jackfield simulate` can be the device.

use std::{collections::BTreeMap, io::IsTerminal, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use jackfield_device::{session::SessionSettings, target::SessionTarget};
use serde_json::Value;

use crate::{
    Context,
    command::{
        console::{Console, Here, Sheet, Way, create, forget_empty, talk, window},
        user::read_password,
    },
    exit::Exit,
};

/// Where a password may stand, for scripts.
const PASSWORD: &str = "JACKFIELD_DEVICE_PASSWORD";

/// Talk to a device by hand, and write it down for `session play`, `session show` and `simulate`.
///
/// At a terminal, Ctrl-] then q leaves, m sets a mark, b sends a break, ? says so. With input from a pipe each line is sent when the device is quiet.
#[derive(clap::Args)]
pub(crate) struct Record {
    /// A resource, through the engine; or from this machine telnet://[USER@]HOST[:PORT], ssh://…, tcp://…, rfc2217://…, or
    /// `serial:/dev/ttyUSB0`.
    #[arg(required_unless_present = "command", conflicts_with = "command")]
    target: Option<String>,
    /// The file to write (asciicast v2).
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Also where the file is there already.
    #[arg(long)]
    overwrite: bool,
    /// The kind of device, for logging in to it.
    #[arg(long)]
    profile: Option<String>,
    /// The user, for logging in. The password is asked for at a terminal, else it is the variable `JACKFIELD_DEVICE_PASSWORD`.
    #[arg(long)]
    user: Option<String>,
    /// A property as a resource has it, such as `host_key=accept-new` or `speed=9600`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Connect, and leave the login to you.
    #[arg(long)]
    raw: bool,
    /// Of a resource: through this EP.
    #[arg(long, value_name = "NAME")]
    ep: Option<String>,
    /// With input from a pipe: how long the device is quiet, in milliseconds, when its answer is over.
    #[arg(long, value_name = "MILLIS", default_value_t = 1_000)]
    quiet: u64,
    /// A program of this machine, in a terminal of its own.
    #[arg(last = true)]
    command: Vec<String>,
}

impl Record {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        match &self.target {
            Some(target) if !target.starts_with("serial:") && !target.contains("://") => {
                self.through_engine(target, context)
            }
            _ => self.by_itself(),
        }
    }

    fn through_engine(&self, resource: &str, context: &Context) -> Result<Exit> {
        if self.profile.is_some() || self.user.is_some() || !self.set.is_empty() {
            bail!(
                "`{resource}` is a resource, and its properties say how it is logged in to; --profile, --user and --set are \
                 for what this machine reaches itself, such as telnet://{resource}"
            );
        }
        let console = Console {
            resource: Some(resource.to_owned()),
            ep: self.ep.clone(),
            raw: self.raw,
            quiet: self.quiet,
            record: Some(self.output.clone()),
            overwrite: self.overwrite,
            ..Console::default()
        };
        console.run(context)
    }

    fn by_itself(&self) -> Result<Exit> {
        if self.ep.is_some() {
            bail!("--ep is for resources of an engine; this machine reaches the device itself");
        }
        let (mut properties, title) = match &self.target {
            Some(target) => (read(target)?, target.clone()),
            None => (of_command(&self.command), self.command.join(" ")),
        };
        self.fill(&mut properties)?;
        let raw = self.raw || !self.logs_in(&properties);
        self.add_password(&mut properties, raw)?;
        let target = SessionTarget::from_properties(&properties)?;
        let mut settings = SessionSettings::new(known_hosts()?);
        settings.agent = std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from);
        settings.window = window();
        let at_terminal = std::io::stdin().is_terminal();
        settings.terminal =
            std::env::var_os("TERM").filter(|_| at_terminal).and_then(|term| term.into_string().ok());
        let file = create(&self.output, self.overwrite)?;
        let sheet = Sheet { file, path: self.output.clone(), title };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let exit = runtime.block_on(async {
            let opened = Here::open(target, settings, raw, sheet).await;
            let here = opened.inspect_err(|_| forget_empty(&self.output))?;
            talk(Way::here(here), Duration::from_millis(self.quiet)).await
        });
        // A thread may still wait for a key.
        runtime.shutdown_background();
        exit
    }

    /// What was said beside the target.
    fn fill(&self, properties: &mut BTreeMap<String, Value>) -> Result<()> {
        for (name, value) in [("profile", &self.profile), ("user", &self.user)] {
            properties.extend(value.clone().map(|value| (name.to_owned(), Value::String(value))));
        }
        for property in &self.set {
            let (key, value) = property
                .split_once('=')
                .with_context(|| format!("`{property}` is not a property such as host_key=accept-new"))?;
            let value = serde_json::from_str(value).unwrap_or_else(|_text| value.into());
            properties.insert(key.to_owned(), value);
        }
        Ok(())
    }

    /// Whether enough is said to log in: SSH lets nobody in otherwise.
    fn logs_in(&self, properties: &BTreeMap<String, Value>) -> bool {
        let is_ssh = properties.get("protocol").is_some_and(|protocol| protocol == "ssh");
        is_ssh || ["profile", "user"].iter().any(|key| properties.contains_key(*key))
    }

    fn add_password(&self, properties: &mut BTreeMap<String, Value>, raw: bool) -> Result<()> {
        let is_ssh = properties.get("protocol").is_some_and(|protocol| protocol == "ssh");
        let wanted = properties.contains_key("user") && (!raw || is_ssh);
        if !wanted || ["password", "key"].iter().any(|key| properties.contains_key(*key)) {
            return Ok(());
        }
        let known = std::env::var_os(PASSWORD).and_then(|password| password.into_string().ok());
        let password = match known {
            Some(password) => Some(password),
            None if std::io::stdin().is_terminal() => Some(read_password()?),
            // An agent may do, or the device asks for none.
            None => None,
        };
        properties.extend(password.map(|password| ("password".to_owned(), Value::String(password))));
        Ok(())
    }
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
