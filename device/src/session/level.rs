//! Privilege levels: up with the secret, down without.

use std::sync::Arc;

use super::{Session, SessionError};
use crate::{clock::Deadline, expect::Patterns};

impl Session {
    pub(super) async fn go_to_level(&mut self, name: &str, deadline: Deadline) -> Result<(), SessionError> {
        let kind = Arc::clone(&self.kind);
        let levels = &kind.profile.levels;
        let unsupported =
            |what: String| SessionError::Unsupported { profile: kind.profile.name.clone(), what };
        let wanted = levels.iter().position(|level| level.name == name);
        let wanted = wanted.ok_or_else(|| {
            let known: Vec<&str> = levels.iter().map(|level| level.name.as_str()).collect();
            let there = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            unsupported(format!("privilege level `{name}` (it has: {there})"))
        })?;
        // One step at a time; each must lead somewhere, so there are no more steps than levels.
        for _ in 0..=levels.len() {
            let now = kind
                .level_of(&self.prompt.text)
                .ok_or_else(|| unsupported(format!("privilege level with the prompt `{}`", self.prompt())))?;
            match now.cmp(&wanted) {
                std::cmp::Ordering::Equal => return Ok(()),
                std::cmp::Ordering::Less => self.go_up(now.saturating_add(1), deadline).await?,
                std::cmp::Ordering::Greater => {
                    let leave = levels.get(now).and_then(|level| level.leave.as_ref());
                    let leave = leave.ok_or_else(|| unsupported(format!("way down to level `{name}`")))?;
                    self.run_command(leave, deadline).await?;
                }
            }
        }
        let why = format!("level `{name}` was not reached; the prompt is `{}`", self.prompt());
        Err(SessionError::Login { target: self.target.connect.to_string(), why })
    }

    /// Enters a level from the one below it.
    async fn go_up(&mut self, level: usize, deadline: Deadline) -> Result<(), SessionError> {
        let kind = Arc::clone(&self.kind);
        let profile = &kind.profile;
        let wanted = level;
        let Some((level, enter)) =
            profile.levels.get(level).and_then(|level| Some((level, level.enter.as_ref()?)))
        else {
            let what = "way up to a higher privilege level".to_owned();
            return Err(SessionError::Unsupported { profile: profile.name.clone(), what });
        };
        let Some(secret) = &level.secret else {
            self.run_command(enter, deadline).await?;
            return Ok(());
        };
        let failed = |source| SessionError::Expect { doing: format!("command `{enter}`"), source };
        let line = format!("{enter}{}", profile.line_ending);
        self.catch_up(enter, deadline).await?;
        self.dialogue.take_pending();
        self.dialogue.send(line.as_bytes(), deadline).await.map_err(failed)?;
        let asked = Patterns::regexes(&[secret, &profile.prompt])?;
        let settle = self.settle();
        let seen = self.dialogue.expect_settling(&asked, deadline, settle).await.map_err(failed)?;
        if seen.index == 1 {
            self.learn_prompt(&seen.before, &seen.text);
            return Ok(());
        }
        let answer = self.target.enable_password.clone().or_else(|| self.target.password.clone());
        let Some(answer) = answer else {
            let why = format!("`{enter}` asks for a secret: add `enable_password` to the resource");
            return Err(SessionError::Login { target: self.target.connect.to_string(), why });
        };
        let line = format!("{}{}", answer.reveal(), profile.line_ending);
        self.dialogue.send_secret(line.as_bytes(), deadline).await.map_err(failed)?;
        let settle = self.settle();
        let seen = self.dialogue.expect_settling(&asked, deadline, settle).await.map_err(failed)?;
        if seen.index == 1 {
            self.learn_prompt(&seen.before, &seen.text);
        }
        if seen.index == 0 || kind.level_of(&self.prompt.text).is_none_or(|now| now < wanted) {
            let why = format!("`{enter}` did not take the secret");
            return Err(SessionError::Login { target: self.target.connect.to_string(), why });
        }
        Ok(())
    }
}
