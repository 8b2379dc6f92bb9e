//! A session: a dialogue with a device that its profile understands.

mod answer;
mod breaks;
mod clean;
mod command;
mod end;
mod late;
mod level;
mod line;
mod login;
mod open;
mod reboot;
mod reconnect;
mod screen;
mod secret;

use std::{path::PathBuf, sync::Arc, time::Duration};

use jackfield_config::profile::Profile;

use crate::{
    channel::Window,
    clock::Deadline,
    connect::Connected,
    expect::{Dialogue, ExpectError, Match, PatternError, Patterns},
    profile::{Kind, KindError, Profiles, UnknownProfile},
    record::Tap,
    screen::keys::UnknownKey,
    ssh::SshError,
    target::SessionTarget,
    transfer::TransferError,
};

pub use line::{connect_raw, run_beside};

/// The answer to a command as people see it, of what a device sent for it.
pub(crate) fn shown_text(bytes: &[u8], command: &str) -> String {
    clean::text(clean::without_pager_wipe(clean::without_echo(bytes, command)))
}

pub(crate) use answer::known_prompt_sight;
pub(crate) use clean::text as clean_text;

/// What every session of an EP shares.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// The profiles there are.
    pub profiles: Profiles,
    /// OpenSSH's file format; made when the first key is taken in.
    pub known_hosts: PathBuf,
    /// The socket of the EP's SSH agent, where it has one.
    pub agent: Option<PathBuf>,
    /// The terminal that devices are told they talk to.
    pub window: Window,
    /// The kind of terminal that they are told it is, where the profile's does not fit.
    pub terminal: Option<String>,
    /// Quiet time after which an unknown prompt is believed, where the network is faster or slower than profiles take it to be.
    pub settle: Option<Duration>,
}

impl SessionSettings {
    /// The shipped profiles, and known hosts in a file.
    pub fn new(known_hosts: impl Into<PathBuf>) -> Self {
        Self {
            profiles: Profiles::shipped(),
            known_hosts: known_hosts.into(),
            agent: None,
            window: Window::default(),
            terminal: None,
            settle: None,
        }
    }
}

/// A session that several may use, one at a time; none when it has been closed.
pub type SharedSession = std::sync::Arc<tokio::sync::Mutex<Option<Session>>>;

/// Why a session did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The device cannot be reached.
    #[error("{target} cannot be reached: {why}")]
    Unreachable {
        /// Where.
        target: String,
        /// Why.
        why: String,
    },
    /// It was reached, but did not let us in.
    #[error("login to {target} failed: {why}")]
    Login {
        /// Where.
        target: String,
        /// Why.
        why: String,
    },
    /// SSH has its own reasons.
    #[error("{target}: {source}")]
    Ssh {
        /// Where.
        target: String,
        /// Why.
        source: SshError,
    },
    /// It did not say what was awaited.
    #[error("{doing}: {source}")]
    Expect {
        /// What was being done.
        doing: String,
        /// What came instead.
        source: ExpectError,
    },
    /// The device refused a line.
    #[error("the device refused `{line}`: {answer}")]
    Refused {
        /// What it refused.
        line: String,
        /// What it said.
        answer: String,
    },
    /// The resource's profile does not exist.
    #[error(transparent)]
    Profile(#[from] UnknownProfile),
    /// What the resource writes anew of its profile is wrong.
    #[error("the resource's `profile_settings` do not fit: {0}")]
    ProfileSettings(String),
    /// The profile does not know how.
    #[error("profile `{profile}` has no {what}")]
    Unsupported {
        /// Which profile.
        profile: String,
        /// What it lacks.
        what: String,
    },
    /// A file was not moved.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// A command beside the dialogue did not come to its end.
    #[error("`{command}` beside the session: {why}")]
    Beside {
        /// Which.
        command: String,
        /// Why.
        why: String,
    },
    /// The line under the dialogue did not do what it was told.
    #[error("{target}: {why}")]
    Line {
        /// Where.
        target: String,
        /// Why.
        why: String,
    },
    /// A pattern cannot be awaited.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A key that there is not.
    #[error(transparent)]
    Key(#[from] UnknownKey),
    /// The session has no screen.
    #[error("the session has no screen: give it one with `screen = \"80x24\"`, or turn it on first")]
    NoScreen,
}

impl From<KindError> for SessionError {
    fn from(error: KindError) -> Self {
        match error {
            KindError::Unknown(unknown) => Self::Profile(unknown),
            KindError::Pattern(pattern) => Self::Pattern(pattern),
            KindError::Settings(why) => Self::ProfileSettings(why),
        }
    }
}

impl SessionError {
    /// Whether the connection was there and is gone.
    pub fn is_lost(&self) -> bool {
        let Self::Expect { source, .. } = self else { return false };
        matches!(source, ExpectError::Ended { .. } | ExpectError::Broken { .. })
    }

    /// Whether the lab is to blame: the device is not there, does not let us in, or went away.
    pub fn is_lab(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Login { .. }
            | Self::Ssh { .. }
            | Self::Beside { .. }
            | Self::Line { .. } => true,
            // It is the resource that says so.
            Self::ProfileSettings(_) => true,
            Self::Transfer(error) => !error.is_test(),
            Self::Expect { source, .. } => match source {
                ExpectError::Ended { .. } | ExpectError::Broken { .. } => true,
                ExpectError::Timeout { seen, .. } => seen.is_unheard(),
                ExpectError::Pattern(_) => false,
            },
            Self::Refused { .. }
            | Self::Profile(_)
            | Self::Unsupported { .. }
            | Self::Pattern(_)
            | Self::Key(_)
            | Self::NoScreen => false,
        }
    }

    /// Whether the test itself is to blame: it asks for what there is not.
    pub fn is_test(&self) -> bool {
        match self {
            Self::Profile(_)
            | Self::Unsupported { .. }
            | Self::Pattern(_)
            | Self::Key(_)
            | Self::NoScreen => true,
            Self::Expect { source, .. } => matches!(source, ExpectError::Pattern(_)),
            Self::Transfer(error) => error.is_test(),
            Self::Unreachable { .. }
            | Self::Login { .. }
            | Self::Ssh { .. }
            | Self::Beside { .. }
            | Self::Line { .. }
            | Self::ProfileSettings(_)
            | Self::Refused { .. } => false,
        }
    }
}

/// A session with a device. Close it; a session that is dropped is cut.
pub struct Session {
    dialogue: Dialogue,
    kind: Arc<Kind>,
    target: SessionTarget,
    /// To connect anew, after a loss or a reboot.
    settings: SessionSettings,
    prompt: Prompt,
    unanswered: late::Unanswered,
}

/// The prompt as it was last seen, and those of other modes seen before it.
#[derive(Clone, Debug, Default)]
struct Prompt {
    text: Vec<u8>,
    known: answer::Known,
}

impl Session {
    /// Connects, logs in, and makes the device ready: no pager, the level that the target names.
    ///
    /// # Errors
    /// The device is not there, does not let us in, or is not what its profile says; within the timeout.
    pub async fn open(
        target: SessionTarget,
        settings: &SessionSettings,
        timeout: Duration,
        taps: Vec<Box<dyn Tap>>,
    ) -> Result<Self, SessionError> {
        open::open(target, settings, Deadline::after(timeout), taps).await
    }

    /// A session over a channel of the caller's, as if it had been connected to the target.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub async fn over(
        channel: Box<dyn crate::channel::Channel>,
        target: SessionTarget,
        settings: &SessionSettings,
        timeout: Duration,
        taps: Vec<Box<dyn Tap>>,
    ) -> Result<Self, SessionError> {
        open::begin(Connected { channel, wire: None }, target, settings, Deadline::after(timeout), taps).await
    }

    /// Its profile.
    pub fn profile(&self) -> &Profile {
        &self.kind.profile
    }

    /// What templates call this kind of device.
    pub fn platform(&self) -> &str {
        self.target.platform.as_deref().unwrap_or(&self.kind.profile.platform)
    }

    /// Where it leads.
    pub fn target(&self) -> &SessionTarget {
        &self.target
    }

    /// The prompt as it was last seen, as text.
    pub fn prompt(&self) -> String {
        clean::text(&self.prompt.text).trim().to_owned()
    }

    /// Sends a text, with the profile's line ending where it is a line.
    ///
    /// # Errors
    /// The device does not take it in time, or is gone.
    pub async fn send(&mut self, text: &str, enter: bool, timeout: Duration) -> Result<(), SessionError> {
        let mut bytes = text.as_bytes().to_vec();
        if enter {
            bytes.extend_from_slice(self.kind.profile.line_ending.as_bytes());
        }
        let deadline = Deadline::after(timeout);
        self.be_connected(deadline).await?;
        // Who sends by hand awaits by hand.
        self.unanswered.forget();
        let sent = self.dialogue.send(&bytes, deadline).await;
        sent.map_err(|source| SessionError::Expect { doing: format!("send `{text}`"), source })
    }

    /// Waits for one of the patterns; takes what came up to its end.
    ///
    /// # Errors
    /// None came in time, or the device is gone; what came can still be awaited.
    pub async fn expect(&mut self, patterns: &Patterns, timeout: Duration) -> Result<Match, SessionError> {
        let settle = self.settle_of_known();
        let seen = self.dialogue.expect_settling(patterns, Deadline::after(timeout), settle).await;
        if seen.is_ok() {
            self.unanswered.forget();
        }
        seen.map_err(|source| SessionError::Expect { doing: "expect".to_owned(), source })
    }

    /// Gives a command and returns its answer: no echo, no pager, no prompt, no terminal codes, lines ended by LF.
    ///
    /// # Errors
    /// No prompt came back in time, or the device is gone.
    pub async fn command(&mut self, command: &str, timeout: Duration) -> Result<String, SessionError> {
        let deadline = Deadline::after(timeout);
        self.be_connected(deadline).await?;
        self.run_command(command, deadline).await
    }

    /// The line of an answer that the profile calls an error, if there is one.
    pub fn refusal(&self, answer: &str) -> Option<String> {
        self.kind.refusal(answer)
    }

    /// Applies lines of configuration, and leaves configuration mode whatever happens.
    ///
    /// # Errors
    /// The first line that the device refused, with what it said; lines after it are not sent.
    pub async fn config(&mut self, lines: &[String], timeout: Duration) -> Result<String, SessionError> {
        let deadline = Deadline::after(timeout);
        self.be_connected(deadline).await?;
        self.run_config(lines, deadline).await
    }

    /// Goes to a privilege level of the profile, up or down.
    ///
    /// # Errors
    /// There is no such level, or the device does not let us.
    pub async fn level(&mut self, name: &str, timeout: Duration) -> Result<(), SessionError> {
        let deadline = Deadline::after(timeout);
        self.be_connected(deadline).await?;
        self.go_to_level(name, deadline).await
    }

    /// Starts the device anew as its profile says, and logs in when it is back; without a time, within the profile's.
    ///
    /// # Errors
    /// The profile does not know how, or the device does not go, or does not come back in time.
    pub async fn reboot(&mut self, timeout: Option<Duration>) -> Result<(), SessionError> {
        self.run_reboot(timeout).await
    }

    /// Marks a place in the records: a test, a step.
    pub fn mark(&mut self, label: &str) {
        self.dialogue.mark(label);
    }

    /// Tells the device the size of the terminal.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn resize(&mut self, window: Window) -> std::io::Result<()> {
        self.dialogue.resize(window).await
    }

    /// Bytes that have come and were not taken. What a shell asks its terminal behind a prompt is not counted.
    fn heard(&self) -> usize {
        clean::without_codes_behind(self.dialogue.pending()).len()
    }

    /// Forgets what was known of the dialogue: another one begins.
    fn begin_anew(&mut self) {
        self.prompt = Prompt::default();
        self.unanswered.forget();
    }

    /// The dialogue itself, for what a session does not do.
    pub fn dialogue(&mut self) -> &mut Dialogue {
        &mut self.dialogue
    }

    /// Logs out as the profile says, and closes; takes a short while at most.
    pub async fn close(&mut self) {
        if let Some(logout) = self.kind.profile.logout.clone().filter(|_| !self.dialogue.has_ended()) {
            let deadline = Deadline::after(crate::limits::CLOSE_TIMEOUT);
            let line = format!("{logout}{}", self.kind.profile.line_ending);
            if let Err(error) = self.dialogue.send(line.as_bytes(), deadline).await {
                tracing::debug!(%error, "a device could not be told that we leave");
            }
        }
        self.dialogue.close().await;
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("target", &self.target).field("prompt", &self.prompt()).finish()
    }
}
