//! From a target to an open channel: dialling with patience, and words for where it stuck.

mod acknowledging;
mod dial;
mod wire;

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use jackfield_config::profile::Profile;
use tokio::{net::TcpStream, time::timeout_at};

use self::acknowledging::Acknowledging;
pub(crate) use self::dial::dial;
pub(crate) use self::wire::Wire;
use crate::{
    channel::{Channel, Raw},
    clock::Deadline,
    limits::{BACKOFF, BACKOFF_MAX},
    process::Process,
    serial::Serial,
    session::{SessionError, SessionSettings},
    ssh::{Ssh, SshError, Terms, Way},
    target::{Address, Connect, SessionTarget, SshTarget},
    telnet::{Codec, Role, Telnet},
};

/// A channel that was opened, and the TCP connection under it, where there is one.
pub(crate) struct Connected {
    pub(crate) channel: Box<dyn Channel>,
    pub(crate) wire: Option<Wire>,
}

impl Connected {
    fn over(wire: Wire, channel: impl Channel + 'static) -> Self {
        Self { channel: Box::new(channel), wire: Some(wire) }
    }

    fn here(channel: impl Channel + 'static) -> Self {
        Self { channel: Box::new(channel), wire: None }
    }
}

/// How far a connection has come, so that one that is given up can say where it stuck.
#[derive(Debug, Default)]
pub(crate) struct Stage(Mutex<String>);

impl Stage {
    /// It is here now.
    pub(crate) fn is(&self, stage: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    fn told(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Why one try failed.
enum Failure {
    Unreachable(io::Error),
    Ssh(SshError),
    Late(String),
}

impl Failure {
    /// Whether the next try may go better.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(error) => !matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::PermissionDenied
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::ResourceBusy
                    | io::ErrorKind::Unsupported
            ),
            Self::Ssh(error) => error.may_pass(),
            Self::Late(_) => true,
        }
    }

    fn into_session_error(self, target: &SessionTarget, tries: u32) -> SessionError {
        let target = target.connect.to_string();
        let after = if tries > 1 { format!(" ({tries} tries)") } else { String::new() };
        match self {
            Self::Unreachable(error) => {
                SessionError::Unreachable { target, why: format!("{}{after}", words(&error)) }
            }
            Self::Late(why) => SessionError::Unreachable { target, why: format!("{why}{after}") },
            Self::Ssh(source) => SessionError::Ssh { target, source },
        }
    }
}

/// Opens a channel; where the device cannot be reached it is tried again, as the target says and within the deadline.
pub(crate) async fn connect(
    target: &SessionTarget,
    settings: &SessionSettings,
    profile: &Profile,
    deadline: Deadline,
) -> Result<Connected, SessionError> {
    let patience = target.patience;
    let mut backoff = BACKOFF;
    let mut tries = 0_u32;
    loop {
        tries = tries.saturating_add(1);
        let limit = Deadline::after(patience.connect_timeout.min(deadline.left()));
        let stage = Stage::default();
        let trying = Box::pin(connect_once(target, settings, profile, &stage));
        let failure = match timeout_at(limit.instant(), trying).await {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(failure)) => failure,
            Err(_) => Failure::Late(late(&limit, &stage)),
        };
        let gives_up = tries > patience.retries || !failure.may_pass() || deadline.left() <= backoff;
        if gives_up {
            return Err(failure.into_session_error(target, tries));
        }
        tokio::time::sleep(backoff).await;
        backoff = backoff.saturating_mul(2).min(BACKOFF_MAX);
    }
}

fn late(limit: &Deadline, stage: &Stage) -> String {
    let stage = stage.told();
    let stage = if stage.is_empty() { stage } else { format!(" ({stage})") };
    format!("no answer within {:.1?}{stage}", limit.span())
}

async fn connect_once(
    target: &SessionTarget,
    settings: &SessionSettings,
    profile: &Profile,
    stage: &Stage,
) -> Result<Connected, Failure> {
    let terminal = settings.terminal.as_deref().unwrap_or(&profile.terminal);
    match &target.connect {
        Connect::Telnet(address) => {
            let (stream, wire) = reach(address, stage).await?;
            let user = target.user.as_deref().unwrap_or_default();
            let codec = Codec::new(Role::Client, settings.window, user).with_terminal(terminal);
            Ok(Connected::over(wire, Telnet::new(Acknowledging::new(stream), codec, Role::Client)))
        }
        Connect::Rfc2217 { address, line } => {
            let (stream, wire) = reach(address, stage).await?;
            stage.is(format!("connected to {address}, waiting for it to speak RFC 2217"));
            let codec = Codec::new(Role::Client, settings.window, "").with_com_port();
            let mut telnet = Telnet::new(Acknowledging::new(stream), codec, Role::Client);
            telnet.open_line(*line).await.map_err(Failure::Unreachable)?;
            Ok(Connected::over(wire, telnet))
        }
        Connect::Serial { device, line } => {
            let serial = Serial::open(device.clone(), *line).await;
            Ok(Connected::here(serial.map_err(Failure::Unreachable)?))
        }
        Connect::Tcp(address) => {
            let (stream, wire) = reach(address, stage).await?;
            Ok(Connected::over(wire, Raw::new(Acknowledging::new(stream))))
        }
        Connect::Ssh(ssh) => {
            let terms = Terms {
                known_hosts: &settings.known_hosts,
                agent: settings.agent.as_deref(),
                legacy: profile.legacy_ssh,
                backend: profile.ssh_backend,
                terminal,
                login: &profile.login,
                window: settings.window,
            };
            Box::pin(open_shell(ssh, &terms, stage)).await
        }
        Connect::Process(command) => {
            let process = Process::start(command, &settings.programs, settings.window, terminal);
            Ok(Connected::here(process.map_err(Failure::Unreachable)?))
        }
    }
}

async fn open_shell(ssh: &SshTarget, terms: &Terms<'_>, stage: &Stage) -> Result<Connected, Failure> {
    let first = ssh.jumps.first().unwrap_or(&ssh.device);
    let (stream, wire) = reach(&first.address, stage).await?;
    let way = Box::pin(Way::open(stream, ssh, terms, stage)).await.map_err(Failure::Ssh)?;
    let shell = Ssh::shell(way, terms, stage).await.map_err(Failure::Ssh)?;
    Ok(Connected::over(wire, shell))
}

async fn reach(address: &Address, stage: &Stage) -> Result<(TcpStream, Wire), Failure> {
    stage.is(format!("connecting to {address}"));
    let stream = dial(address).await.map_err(Failure::Unreachable)?;
    let wire = Wire::of(&stream);
    Ok((stream, wire))
}

/// What the system says, without its number; our own words stay as they are.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    if error.raw_os_error().is_none() {
        return text;
    }
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
