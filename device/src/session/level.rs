//! Privilege levels: up with the secret, down without.

use std::sync::Arc;

use jackfield_config::profile::Level;

use super::{
    Session, SessionError,
    order::{Order, Reply},
};
use crate::clock::Deadline;

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
        let enters = levels.get(wanted).and_then(|level| level.enter.as_ref());
        let is_config = kind
            .profile
            .config
            .as_ref()
            .is_some_and(|mode| mode.enter.as_ref() == enters && enters.is_some());
        if !is_config {
            // Prompts of configuration may look like those of a level.
            self.come_out_of_config(deadline).await?;
        }
        // One step at a time; each must lead somewhere, so there are no more steps than levels.
        for _ in 0..=levels.len() {
            let now = kind
                .level_of(self.known.last())
                .ok_or_else(|| unsupported(format!("privilege level with the prompt `{}`", self.prompt())))?;
            match now.cmp(&wanted) {
                std::cmp::Ordering::Equal => {
                    let prompt = self.prompt();
                    self.dialogue.took(&prompt, &format!("[[levels]] `{name}`"));
                    return Ok(());
                }
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

    /// Enters a level from the one below it; answers what is asked on the way.
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
        let target = self.target.connect.to_string();
        let failed = |why: String| SessionError::Login { target: target.clone(), why };
        let said = self.run_order(&self.way_up(level, enter), deadline).await;
        if let Err(SessionError::Refused { answer, .. }) = &said {
            return Err(failed(format!("`{enter}` did not take the secret: {answer}")));
        }
        let said = said?;
        if kind.level_of(self.known.last()).is_some_and(|now| now >= wanted) {
            return Ok(());
        }
        // What was asked on the way stands before its last words.
        let words = said.lines().rev().map(str::trim).find(|line| !line.is_empty());
        let said = words.map_or("nothing".to_owned(), |words| format!("`{words}`"));
        let is_asked =
            level.secret.is_some() && self.target.enable_password.is_none() && self.target.password.is_none();
        let remedy =
            if is_asked { "; if it asks for a secret, add `enable_password` to the resource" } else { "" };
        Err(failed(format!(
            "`{enter}` did not lead to level `{}`: the device says {said}, and its prompt is `{}`{remedy}",
            level.name,
            self.prompt()
        )))
    }

    /// The command that leads up, with what it may ask.
    fn way_up(&self, level: &Level, enter: &str) -> Order {
        let secret = self.target.enable_password.clone().or_else(|| self.target.password.clone());
        let mut replies = Vec::new();
        if let (Some(asks), Some(user)) = (&level.user, &self.target.user) {
            replies.push(Reply::new(asks.as_str(), user.as_str()));
        }
        if let (Some(asks), Some(secret)) = (&level.secret, secret) {
            replies.push(Reply { asks: asks.clone(), answer: secret, enter: true, is_secret: true });
        }
        for question in &level.questions {
            let reply = Reply::new(question.asks.as_str(), question.answer.as_str());
            replies.push(Reply { enter: question.enter, ..reply });
        }
        Order::new(enter).with_replies(replies)
    }
}
