//! From a target to the first prompt.

use std::sync::Arc;

use super::{Prompt, Session, SessionError, SessionSettings};
use crate::{
    channel::Channel,
    clock::Deadline,
    connect::connect,
    expect::{Dialogue, ExpectError},
    profile::Kind,
    record::Tap,
    target::SessionTarget,
};

/// Questions of one login; a device that asks on does not let us in.
const QUESTIONS_MAX: u32 = 12;

pub(super) async fn open(
    target: SessionTarget,
    settings: &SessionSettings,
    deadline: Deadline,
    taps: Vec<Box<dyn Tap>>,
) -> Result<Session, SessionError> {
    let profile = settings.profiles.get(&target.profile)?;
    let channel = Box::pin(connect(&target, settings, profile, deadline)).await?;
    over(channel, target, settings, deadline, taps).await
}

pub(super) async fn over(
    channel: Box<dyn Channel>,
    target: SessionTarget,
    settings: &SessionSettings,
    deadline: Deadline,
    taps: Vec<Box<dyn Tap>>,
) -> Result<Session, SessionError> {
    let kind = Arc::new(Kind::new(settings.profiles.get(&target.profile)?)?);
    let settle = settings.settle.unwrap_or(kind.profile.settle);
    let dialogue = Dialogue::new(channel, settle, taps);
    let mut session = Session { dialogue, kind, target, prompt: Prompt::default() };
    if let Err(error) = session.make_ready(deadline).await {
        session.dialogue.close().await;
        return Err(error);
    }
    Ok(session)
}

impl Session {
    async fn make_ready(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        self.log_in(deadline).await?;
        if let Some(level) = self.target.level.clone() {
            self.go_to_level(&level, deadline).await?;
        }
        let kind = Arc::clone(&self.kind);
        for line in &kind.profile.setup {
            // A device that does not know one of these is used as it is.
            self.run_command(line, deadline).await?;
        }
        Ok(())
    }

    fn login_failed(&self, why: String) -> SessionError {
        SessionError::Login { target: self.target.connect.to_string(), why }
    }

    /// Answers questions until there is a prompt.
    async fn log_in(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        let kind = Arc::clone(&self.kind);
        let (mut users, mut passwords) = (0_u32, 0_u32);
        for _ in 0..QUESTIONS_MAX {
            let seen = self.await_login(deadline).await?;
            match seen.index {
                0 if users > 0 && passwords > 0 => {
                    return Err(self.login_failed("user or password is wrong".to_owned()));
                }
                0 => {
                    users = users.saturating_add(1);
                    let user = self.target.user.clone();
                    let user = user.ok_or_else(|| {
                        self.login_failed("it asks for a user: add `user` to the resource".to_owned())
                    })?;
                    self.answer(user.as_bytes(), false, deadline).await?;
                }
                1 if passwords > 0 => {
                    return Err(self.login_failed("user or password is wrong".to_owned()));
                }
                1 => {
                    passwords = passwords.saturating_add(1);
                    let secret = self.target.password.clone();
                    let secret = secret.ok_or_else(|| {
                        self.login_failed("it asks for a password: add `password` to the resource".to_owned())
                    })?;
                    self.answer(secret.reveal().as_bytes(), true, deadline).await?;
                }
                // Before anything was answered these are the words of a banner.
                2 if users == 0 && passwords == 0 => {}
                2 => {
                    let said = super::clean::text(&seen.text);
                    return Err(self.login_failed(format!("the device says `{}`", said.trim())));
                }
                _ => {
                    self.learn_prompt(&seen.before, &seen.text);
                    return Ok(());
                }
            }
        }
        Err(self.login_failed(format!("it asked {QUESTIONS_MAX} times; see profile `{}`", kind.profile.name)))
    }

    async fn answer(&mut self, text: &[u8], secret: bool, deadline: Deadline) -> Result<(), SessionError> {
        let line = [text, self.kind.profile.line_ending.as_bytes()].concat();
        let sent = if secret {
            self.dialogue.send_secret(&line, deadline).await
        } else {
            self.dialogue.send(&line, deadline).await
        };
        sent.map_err(|source| self.login_failed(source.to_string()))
    }

    /// Waits for the next question or the prompt; a console that says nothing is sent a line ending, once.
    async fn await_login(&mut self, deadline: Deadline) -> Result<crate::expect::Match, SessionError> {
        let kind = Arc::clone(&self.kind);
        if let Some(nudge) = kind.profile.login.nudge.filter(|nudge| *nudge < deadline.left()) {
            match self.dialogue.expect(&kind.login, Deadline::after(nudge)).await {
                Err(ExpectError::Timeout { .. }) => {
                    self.answer(b"", false, deadline).await?;
                }
                other => return other.map_err(|source| self.login_failed(source.to_string())),
            }
        }
        let seen = self.dialogue.expect(&kind.login, deadline).await;
        seen.map_err(|source| {
            let profile = &kind.profile.name;
            let hint = if matches!(source, ExpectError::Timeout { .. }) {
                format!(" (is `{profile}` the right profile?)")
            } else {
                String::new()
            };
            self.login_failed(format!("{source}{hint}"))
        })
    }
}
