//! A session: a dialogue with a device that its profile understands.

mod answer;
mod breaks;
mod clean;
mod command;
mod config;
mod drawn;
mod end;
mod habits;
mod help;
mod in_step;
mod known;
mod level;
mod line;
mod login;
mod open;
mod order;
mod parts;
mod reboot;
mod reconnect;
mod screen;
mod secret;
mod stand;
mod unasked;

use std::{path::PathBuf, sync::Arc, time::Duration};

use jackfield_config::profile::{Encoding, Profile};

use crate::{
    channel::Window,
    clock::Deadline,
    connect::Connected,
    expect::{Dialogue, ExpectError, Match, PatternError, Patterns, matcher::Found},
    profile::{Kind, KindError, Profiles, UnknownProfile},
    record::Tap,
    screen::keys::UnknownKey,
    ssh::SshError,
    target::SessionTarget,
    transfer::TransferError,
};

pub use line::{connect_raw, run_beside};
pub use order::{Order, Reply};

/// The answer to a command as people see it, of what a device sent for it.
pub(crate) fn shown_text(bytes: &[u8], command: &str) -> String {
    let echo = clean::echo_end(bytes, command, "r1#", Encoding::UTF_8).unwrap_or(0);
    clean_text(clean::without_pager_wipe(bytes.get(echo..).unwrap_or_default()))
}

/// Where a session that has seen the prompt `r1#` takes one to begin behind some bytes.
pub(crate) fn prompt_at_the_end(bytes: &[u8]) -> Option<usize> {
    let profiles = crate::profile::Profiles::shipped();
    let kind = profiles.kind("ios").ok()?;
    let mut known = known::Known::default();
    known.learn("r1#", 1);
    match stand::stand(&kind, &known, &[], bytes) {
        stand::Stand::Prompt(prompt) => Some(prompt.begin),
        stand::Stand::Nothing | stand::Stand::Pager(_) | stand::Stand::Question(_) => None,
    }
}

/// What a terminal shows of bytes, as text.
pub(crate) fn clean_text(bytes: &[u8]) -> String {
    clean::text(bytes, Encoding::UTF_8)
}

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
    /// The session cannot say whose answer came: nothing more is sent until its device stands at its prompt.
    #[error("{doing}: uncertain: {why}")]
    Uncertain {
        /// What was being done.
        doing: String,
        /// What is not certain, and what the device said last.
        why: String,
    },
    /// A command has a line end in it.
    #[error(
        "`{command}` is more than one line: give each line as a command of its own, or all of them to `config`"
    )]
    SeveralLines {
        /// The command, its line ends shown.
        command: String,
    },
    /// An item of configuration cannot be given.
    #[error("nothing was configured: {0}")]
    Item(String),
    /// A text has letters that the device has not.
    #[error("`{text}` cannot be sent: the device's encoding {encoding} has not all of its letters")]
    Letters {
        /// The text.
        text: String,
        /// The encoding of the profile.
        encoding: &'static str,
    },
    /// More came than may wait for the end of an answer.
    #[error("the answer to `{command}` is larger than {} MiB: read it into a file", crate::limits::WINDOW_BYTES_MAX / (1024 * 1024))]
    TooLarge {
        /// The command.
        command: String,
    },
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
            | Self::Uncertain { .. }
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
            | Self::SeveralLines { .. }
            | Self::Item(_)
            | Self::Letters { .. }
            | Self::TooLarge { .. }
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
            | Self::SeveralLines { .. }
            | Self::Item(_)
            | Self::Letters { .. }
            | Self::TooLarge { .. }
            | Self::NoScreen => true,
            Self::Expect { source, .. } => matches!(source, ExpectError::Pattern(_)),
            Self::Transfer(error) => error.is_test(),
            Self::Unreachable { .. }
            | Self::Login { .. }
            | Self::Ssh { .. }
            | Self::Beside { .. }
            | Self::Line { .. }
            | Self::ProfileSettings(_)
            | Self::Uncertain { .. }
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
    /// The prompt as it was last seen, and those of other modes seen before it.
    known: known::Known,
    habits: habits::Habits,
    unanswered: in_step::Unanswered,
    unasked: unasked::Unasked,
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
        self.known.last().trim().to_owned()
    }

    /// Sends a text, with the profile's line ending where it is a line.
    ///
    /// # Errors
    /// The device does not take it in time, or is gone.
    pub async fn send(&mut self, text: &str, enter: bool, timeout: Duration) -> Result<(), SessionError> {
        let mut bytes = self.encoded(text)?;
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

    /// Gives a command with answers to what it may ask, and what else its giver knows of it.
    ///
    /// # Errors
    /// As [`Session::command`]; it asks a question again whose answer was a secret.
    pub async fn give(&mut self, order: &Order, timeout: Duration) -> Result<String, SessionError> {
        let deadline = Deadline::after(timeout);
        self.be_connected(deadline).await?;
        self.run_order(order, deadline).await
    }

    /// What the device has said without being asked since this was asked last: log lines between commands and in the middle of answers,
    /// answers that came too late. The oldest is forgotten beyond 256 KiB.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn unasked(&mut self) -> Result<String, SessionError> {
        let read = self.dialogue.read_what_is_there().await;
        read.map_err(|source| SessionError::Expect { doing: "unasked".to_owned(), source })?;
        if self.unanswered.is_empty() {
            let came = self.dialogue.take_pending();
            self.unasked.add(&came);
        }
        Ok(clean::text(&self.unasked.take(), self.kind.profile.encoding).trim().to_owned())
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

    /// How long the device must be quiet before a match that more bytes could change is believed: a prompt that was seen before is at once.
    fn settle_of_known(&self) -> impl Fn(&[u8], &Found) -> Duration + use<> {
        let (settle, known, encoding) =
            (self.dialogue.settle(), self.known.clone(), self.kind.profile.encoding);
        move |text, found| {
            let before = text.get(..found.end).unwrap_or_default();
            if known.has(&stand::End::of(before, encoding).line) { Duration::ZERO } else { settle }
        }
    }

    /// Forgets what was known of the dialogue: another one begins.
    fn begin_anew(&mut self) {
        self.known = known::Known::default();
        self.habits = habits::Habits::default();
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
