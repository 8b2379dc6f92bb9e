//! From a connection to the first prompt: questions answered, a silent console nudged, the prompt believed.
//!
//! A prompt cannot be told from a line that only looks like one and is still being written. Once we are logged in we ask for it
//! again with an empty line: what comes back the same is the prompt, and no time was spent in waiting for quiet.

use std::{sync::Arc, time::Duration};

use super::{
    Session, SessionError,
    answer::{Answer, Known},
    clean,
    command::last_line,
};
use crate::{
    clock::Deadline,
    expect::{
        ExpectError, Match,
        matcher::{Found, Matcher},
    },
    limits::PROMPT_BYTES_MAX,
    profile::Kind,
    target::Connect,
};

/// Questions of one login; a device that asks on does not let us in.
const QUESTIONS_MAX: u32 = 12;

/// Logs in, and makes the device ready as profile and target say.
pub(super) async fn make_ready(session: &mut Session, deadline: Deadline) -> Result<(), SessionError> {
    if !session.target.login {
        return Ok(());
    }
    log_in(session, deadline).await?;
    settle_in(session, deadline).await
}

/// Answers questions until there is a prompt.
pub(super) async fn log_in(session: &mut Session, deadline: Deadline) -> Result<(), SessionError> {
    Login::new(session).run(deadline).await
}

/// From the first prompt to the level that the target names, and through what the profile sets up.
pub(super) async fn settle_in(session: &mut Session, deadline: Deadline) -> Result<(), SessionError> {
    if let Some(level) = session.target.level.clone() {
        session.go_to_level(&level, deadline).await?;
    }
    let kind = Arc::clone(&session.kind);
    for line in &kind.profile.setup {
        // A device that does not know one of these is used as it is.
        session.run_command(line, deadline).await?;
    }
    if let Some(window) = session.screen_window() {
        // What made the device ready may have made its lines longer.
        session.set_screen(window).await?;
    }
    Ok(())
}

/// Looks at a silent console before it is nudged: so often it must have been silent in a row.
const LOOKS: u32 = 4;

/// What a device may say on the way in.
enum Said {
    User,
    Password,
    Failed(Vec<u8>),
    /// A question of the profile, by its place.
    Question(usize),
    /// What may be a prompt: the line it stands in.
    Prompt(Vec<u8>),
    /// The prompt that was asked for again.
    PromptAgain,
}

/// A login on its way.
struct Login<'s> {
    session: &'s mut Session,
    kind: Arc<Kind>,
    users: u32,
    passwords: u32,
    /// A prompt that was seen and asked for again.
    asked_again: Known,
    has_asked_again: bool,
}

impl<'s> Login<'s> {
    fn new(session: &'s mut Session) -> Self {
        let kind = Arc::clone(&session.kind);
        let asked_again = Known::default();
        Self { session, kind, users: 0, passwords: 0, asked_again, has_asked_again: false }
    }

    /// Answers questions until there is a prompt.
    async fn run(mut self, deadline: Deadline) -> Result<(), SessionError> {
        for _ in 0..QUESTIONS_MAX {
            match self.said(deadline).await? {
                Said::User => self.give_user(deadline).await?,
                Said::Password => self.give_password(deadline).await?,
                // Before anything was answered these are the words of a banner.
                Said::Failed(_) if !self.is_let_in() => {}
                Said::Question(place) => self.reply(place, deadline).await?,
                Said::Failed(text) => {
                    return Err(self.failed(format!("the device says `{}`", clean::text(&text).trim())));
                }
                Said::PromptAgain => return Ok(()),
                // A flood that happens to look like a prompt; nobody would know it again.
                Said::Prompt(line) if line.len() > PROMPT_BYTES_MAX => {
                    let (bytes, begin) = (line.len(), clean::text(line.get(..40).unwrap_or_default()));
                    return Err(self.failed(format!(
                        "it sends a line that does not end: {bytes} bytes that begin with `{}`",
                        begin.trim()
                    )));
                }
                Said::Prompt(line) => {
                    self.session.learn_prompt(&[], &line);
                    if !self.asks_again() || line.iter().all(|byte| *byte <= b' ') {
                        return Ok(());
                    }
                    self.asked_again.learn(&line, 1);
                    self.has_asked_again = true;
                    self.answer(b"", false, deadline).await?;
                }
            }
        }
        Err(self.failed(format!("it asked {QUESTIONS_MAX} times; see profile `{}`", self.kind.profile.name)))
    }

    /// Whether anything was answered, or the channel itself has let us in.
    fn is_let_in(&self) -> bool {
        self.users > 0 || self.passwords > 0
    }

    /// Whether the next line that may be a prompt is asked for again: not before the login, where an empty line would be a user's name.
    fn asks_again(&self) -> bool {
        let by_channel = matches!(self.session.target.connect, Connect::Ssh { .. });
        self.kind.profile.login.confirm && !self.has_asked_again && (by_channel || self.is_let_in())
    }

    fn failed(&self, why: String) -> SessionError {
        SessionError::Login { target: self.session.target.connect.to_string(), why }
    }

    async fn reply(&mut self, place: usize, deadline: Deadline) -> Result<(), SessionError> {
        let question = self.kind.profile.login.questions.get(place);
        let reply = question.map(|question| question.reply(&self.kind.profile.line_ending));
        let sent = self.session.dialogue.send(reply.unwrap_or_default().as_bytes(), deadline).await;
        sent.map_err(|source| self.failed(source.to_string()))
    }

    async fn give_user(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        if self.users > 0 && self.passwords > 0 {
            return Err(self.failed("user or password is wrong".to_owned()));
        }
        self.users = self.users.saturating_add(1);
        let user = self.session.target.user.clone();
        let user =
            user.ok_or_else(|| self.failed("it asks for a user: add `user` to the resource".to_owned()))?;
        self.answer(user.as_bytes(), false, deadline).await
    }

    async fn give_password(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        if self.passwords > 0 {
            return Err(self.failed("user or password is wrong".to_owned()));
        }
        self.passwords = self.passwords.saturating_add(1);
        let secret = self.session.target.password.clone();
        let secret = secret.ok_or_else(|| {
            self.failed("it asks for a password: add `password` to the resource".to_owned())
        })?;
        self.answer(secret.reveal().as_bytes(), true, deadline).await
    }

    async fn answer(&mut self, text: &[u8], secret: bool, deadline: Deadline) -> Result<(), SessionError> {
        let line = [text, self.kind.profile.line_ending.as_bytes()].concat();
        let dialogue = &mut self.session.dialogue;
        let sent = if secret {
            dialogue.send_secret(&line, deadline).await
        } else {
            dialogue.send(&line, deadline).await
        };
        sent.map_err(|source| self.failed(source.to_string()))
    }

    /// The next question or the prompt; a console that says nothing is nudged, and again, until the deadline. One that talks is left alone: it may be
    /// starting, and an empty line would stop its boot loader.
    async fn said(&mut self, deadline: Deadline) -> Result<Said, SessionError> {
        let mut quiet = 0;
        loop {
            let nudge = self.kind.profile.login.nudge.filter(|nudge| *nudge < deadline.left());
            let limit = nudge.map_or(deadline, |nudge| Deadline::after(nudge / LOOKS));
            let heard = self.session.heard();
            match self.watch(limit).await {
                Ok(seen) => return Ok(said(seen)),
                Err(ExpectError::Timeout { .. }) if nudge.is_some() => {
                    let is_quiet = self.session.heard() == heard;
                    quiet = if is_quiet || self.kind.profile.login.nudge_always { quiet + 1 } else { 0 };
                    if quiet == LOOKS {
                        self.nudge(deadline).await?;
                        quiet = 0;
                    }
                }
                Err(source) => return Err(self.unseen(source, deadline)),
            }
        }
    }

    async fn watch(&mut self, limit: Deadline) -> Result<Match, ExpectError> {
        let (asks_again, settle) = (self.asks_again(), self.session.dialogue.settle());
        let prompt = PROMPT;
        let settle = move |_: &[u8], found: &Found| {
            if asks_again && found.index == prompt { Duration::ZERO } else { settle }
        };
        let mut watch = Answer::new(&self.asked_again, Matcher::new(&self.kind.login));
        self.session.dialogue.watch(&mut watch, || self.kind.login.told(), limit, settle).await
    }

    async fn nudge(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        let Some(text) = self.kind.profile.login.nudge_text.clone() else {
            return self.answer(b"", false, deadline).await;
        };
        let sent = self.session.dialogue.send(text.as_bytes(), deadline).await;
        sent.map_err(|source| self.failed(source.to_string()))
    }

    fn unseen(&self, source: ExpectError, deadline: Deadline) -> SessionError {
        match source {
            // The time that counts is that of the whole login.
            ExpectError::Timeout { awaited, seen, .. } => {
                let source = ExpectError::Timeout { awaited, waited: deadline.span(), seen };
                self.failed(format!("{source} (is `{}` the right profile?)", self.kind.profile.name))
            }
            other @ (ExpectError::Ended { .. } | ExpectError::Broken { .. } | ExpectError::Pattern(_)) => {
                self.failed(other.to_string())
            }
        }
    }
}

/// The place of the prompt among what is watched for: after the one that was asked for again, user, password and failure.
const PROMPT: usize = 4;

fn said(seen: Match) -> Said {
    match seen.index {
        0 => Said::PromptAgain,
        1 => Said::User,
        2 => Said::Password,
        3 => Said::Failed(seen.text),
        PROMPT => Said::Prompt(last_line(&seen.before, &seen.text)),
        question => Said::Question(question.saturating_sub(PROMPT).saturating_sub(1)),
    }
}
