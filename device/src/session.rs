//! A session: a dialogue with a device that its profile understands.

mod answer;
mod breaks;
mod calm;
mod clean;
mod command;
mod config;
mod counted;
mod drawn;
mod echo;
mod end;
mod error;
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
mod seen;
mod stand;
mod strays;
mod stream;
mod talk;
mod unasked;

use std::{path::PathBuf, sync::Arc, time::Duration};

use jackfield_config::profile::{Encoding, Profile};

use crate::{
    channel::Window,
    clock::Deadline,
    connect::Connected,
    expect::{Dialogue, matcher::Found},
    local::LocalPrograms,
    profile::{Kind, Profiles},
    record::{Tap, redact::Redactor},
    target::SessionTarget,
};

pub use error::SessionError;
pub use line::{connect_raw, run_beside};
pub use order::{Order, Reply};
pub use stream::Written;

/// The answer to a command as people see it, of what a device sent for it.
pub(crate) fn shown_text(bytes: &[u8], command: &str) -> String {
    let sought = echo::Sought { command, prompt: "r1#", encoding: Encoding::UTF_8 };
    let echo = echo::end_of(bytes, sought).unwrap_or(0);
    clean_text(clean::without_pager_wipe(bytes.get(echo..).unwrap_or_default()))
}

/// Where a session that has seen the prompt `r1#` takes one to begin behind some bytes.
pub(crate) fn prompt_at_the_end(bytes: &[u8]) -> Option<usize> {
    static KIND: std::sync::OnceLock<Option<Arc<Kind>>> = std::sync::OnceLock::new();
    let kind = KIND.get_or_init(|| crate::profile::Profiles::shipped().kind("ios").ok()).as_ref()?;
    let mut known = known::Known::default();
    known.learn("r1#", 1);
    match stand::stand(kind, &known, &[], bytes) {
        stand::Stand::Prompt(prompt) => Some(prompt.begin),
        stand::Stand::Nothing | stand::Stand::Pager(_) | stand::Stand::Question(_) => None,
    }
}

/// What a terminal shows of bytes, as text.
pub fn clean_text(bytes: &[u8]) -> String {
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
    /// How programs of this machine are started in the place of a device.
    pub programs: LocalPrograms,
    /// How programs of this machine are started that switch the power of one.
    pub switches: LocalPrograms,
    /// Tests run as another user than this program: what they say themselves may not name its files.
    pub is_confined: bool,
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
            programs: LocalPrograms::default(),
            switches: LocalPrograms::default(),
            is_confined: false,
            window: Window::default(),
            terminal: None,
            settle: None,
        }
    }
}

/// A session that several may use, one at a time; none when it has been closed.
pub type SharedSession = std::sync::Arc<tokio::sync::Mutex<Option<Session>>>;

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
    /// What no error may show.
    secrets: Redactor,
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
