//! Commands and their answers.

use std::sync::Arc;

use jackfield_config::profile::ConfigMode;

use super::{Session, SessionError, clean};
use crate::{
    clock::Deadline,
    expect::{PatternError, Patterns, pattern::literal},
    limits::{PAGES_MAX, PROMPTS_MAX},
};

/// What may follow a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    /// A prompt that was seen before, after the end of a line.
    Known,
    /// A prompt as the profile describes it.
    Prompt,
    /// The pager.
    Pager,
}

impl Session {
    /// Remembers the prompt that was just seen: the line it ends, byte for byte. From now on it is found as a text, the moment its
    /// last byte arrives; any other prompt is still found by the profile's pattern, once the device is quiet.
    pub(super) fn learn_prompt(&mut self, before: &[u8], text: &[u8]) {
        let all = [before, text].concat();
        let from =
            all.iter().rposition(|byte| matches!(*byte, b'\n' | b'\r')).map_or(0, |at| at.saturating_add(1));
        let line = all.get(from..).unwrap_or_default().to_vec();
        self.prompt.text.clone_from(&line);
        // A prompt that shows nothing would be found at every line end; it stays with the pattern.
        let shows_nothing = line.iter().all(|byte| *byte <= b' ');
        if shows_nothing || self.prompt.known.contains(&line) {
            return;
        }
        if self.prompt.known.len() >= PROMPTS_MAX {
            self.prompt.known.remove(0);
        }
        self.prompt.known.push(line);
        self.prompt.follows = None;
    }

    /// Bytes of the prompt that ends an answer. After a line that was not ended the known prompt follows at once; anything else is
    /// a new prompt, and a whole line.
    fn prompt_of(&mut self, answer: &[u8], text: &[u8]) -> usize {
        let all = [answer, text].concat();
        if self.prompt.text.is_empty() || !all.ends_with(&self.prompt.text) {
            self.learn_prompt(answer, text);
        }
        self.prompt.text.len()
    }

    /// What may follow a command; compiled again when a prompt was learned.
    fn follows(&mut self) -> Result<(Patterns, Vec<Follow>), SessionError> {
        let words = format!("the prompt `{}`", self.prompt());
        if self.prompt.follows.is_none() {
            let profile = &self.kind.profile;
            let known: Vec<String> = self.prompt.known.iter().map(|known| literal(known)).collect();
            let (mut patterns, mut kinds) = (Vec::new(), Vec::new());
            if !known.is_empty() {
                patterns.push(format!(r"[\r\n](?:{})", known.join("|")));
                kinds.push(Follow::Known);
            }
            patterns.push(profile.prompt.clone());
            kinds.push(Follow::Prompt);
            if let Some(pager) = &profile.pager {
                patterns.push(pager.more.clone());
                kinds.push(Follow::Pager);
            }
            self.prompt.follows = Some((Patterns::regexes(&patterns)?, kinds));
        }
        let (patterns, kinds) = self.prompt.follows.clone().ok_or(PatternError::Empty)?;
        Ok((patterns.told_as(&words), kinds))
    }

    pub(super) async fn run_command(
        &mut self,
        command: &str,
        deadline: Deadline,
    ) -> Result<String, SessionError> {
        let failed = |source| SessionError::Expect { doing: format!("command `{command}`"), source };
        // What came unasked since the last answer is in the record; it is no part of this one.
        self.dialogue.take_pending();
        let line = format!("{command}{}", self.kind.profile.line_ending);
        self.dialogue.send(line.as_bytes(), deadline).await.map_err(failed)?;
        let answer = self.await_answer(&format!("command `{command}`"), deadline).await?;
        let answer = clean::text(clean::without_echo(&answer, command));
        Ok(answer.trim_end_matches([' ', '\n']).trim_start_matches('\n').to_owned())
    }

    /// Everything up to the next prompt, pages joined; the prompt is remembered and not part of it.
    async fn await_answer(&mut self, doing: &str, deadline: Deadline) -> Result<Vec<u8>, SessionError> {
        let (patterns, kinds) = self.follows()?;
        let mut answer: Vec<u8> = Vec::new();
        let mut paged = false;
        let failed = |source| SessionError::Expect { doing: doing.to_owned(), source };
        for _ in 0..PAGES_MAX {
            let seen = self.dialogue.expect(&patterns, deadline).await;
            let seen = seen.map_err(failed)?;
            let page = if paged { clean::without_pager_wipe(&seen.before) } else { &seen.before };
            if answer.is_empty() && !paged {
                answer = page.to_vec();
            } else {
                answer.extend_from_slice(page);
            }
            match kinds.get(seen.index) {
                Some(Follow::Pager) => {}
                Some(Follow::Known) => {
                    self.prompt.text = seen.text.get(1..).unwrap_or_default().to_vec();
                    return Ok(answer);
                }
                Some(Follow::Prompt) | None => {
                    let prompt = self.prompt_of(&answer, &seen.text);
                    answer.truncate(answer.len().saturating_add(seen.text.len()).saturating_sub(prompt));
                    return Ok(answer);
                }
            }
            // What stands before a pager on its own line belongs to the pager.
            let line = answer.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
            if answer.get(line..).is_some_and(|line| line.iter().all(|byte| *byte == b' ')) {
                answer.truncate(line);
            }
            paged = true;
            let go_on =
                self.kind.profile.pager.as_ref().map(|pager| pager.answer.clone()).unwrap_or_default();
            self.dialogue.send(go_on.as_bytes(), deadline).await.map_err(failed)?;
        }
        Err(SessionError::Unsupported {
            profile: self.kind.profile.name.clone(),
            what: format!("end of pages after {PAGES_MAX}"),
        })
    }

    pub(super) async fn run_config(
        &mut self,
        lines: &[String],
        deadline: Deadline,
    ) -> Result<String, SessionError> {
        let kind = Arc::clone(&self.kind);
        let Some(mode) = &kind.profile.config else {
            let mut said = Vec::new();
            self.apply(lines, &mut said, deadline).await?;
            return Ok(said.join("\n"));
        };
        if let Some(level) = &mode.level {
            self.go_to_level(level, deadline).await?;
        }
        let mut said = Vec::new();
        let applied = self.apply_in(mode, lines, &mut said, deadline).await;
        if self.dialogue.has_ended() {
            applied?;
        } else {
            let left = self.apply(std::slice::from_ref(&mode.leave), &mut Vec::new(), deadline).await;
            applied.and(left)?;
        }
        Ok(said.join("\n"))
    }

    async fn apply_in(
        &mut self,
        mode: &ConfigMode,
        lines: &[String],
        said: &mut Vec<String>,
        deadline: Deadline,
    ) -> Result<(), SessionError> {
        self.apply(std::slice::from_ref(&mode.enter), &mut Vec::new(), deadline).await?;
        self.apply(lines, said, deadline).await?;
        match &mode.commit {
            Some(commit) => self.apply(std::slice::from_ref(commit), said, deadline).await,
            None => Ok(()),
        }
    }

    /// Gives lines one by one and stops at the first that is refused.
    async fn apply(
        &mut self,
        lines: &[String],
        said: &mut Vec<String>,
        deadline: Deadline,
    ) -> Result<(), SessionError> {
        for line in lines {
            let answer = self.run_command(line, deadline).await?;
            if let Some(refusal) = self.kind.refusal(&answer) {
                return Err(SessionError::Refused { line: line.clone(), answer: refusal });
            }
            if !answer.is_empty() {
                said.push(answer);
            }
        }
        Ok(())
    }
}
