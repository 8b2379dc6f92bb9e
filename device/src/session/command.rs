//! Commands and their answers.

use std::{sync::Arc, time::Duration};

use jackfield_config::profile::ConfigMode;

use super::{
    Session, SessionError,
    answer::{Answer, Known},
    clean,
};
use crate::{
    clock::Deadline,
    expect::{
        ExpectError,
        matcher::{Found, Matcher},
    },
    limits::{PAGES_MAX, PROMPTS_MAX},
    profile::Follow,
};

/// Quiet time after which a prompt is believed that is new, but shows the name of the device.
const SIBLING_SETTLE: Duration = Duration::from_millis(10);
/// Letters of a name at the beginning of a prompt; a shorter one begins other lines too.
const STEM_BYTES_MIN: usize = 2;

/// The name that a prompt begins with.
fn stem(prompt: &[u8]) -> &[u8] {
    let named =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b'<' | b'[');
    let end = prompt.iter().position(|byte| !named(byte)).unwrap_or(prompt.len());
    prompt.get(..end).unwrap_or_default()
}

/// What stands in the last line of two pieces.
pub(super) fn last_line(before: &[u8], text: &[u8]) -> Vec<u8> {
    let after_end = |bytes: &[u8]| memchr::memrchr2(b'\n', b'\r', bytes).map(|at| at.saturating_add(1));
    match after_end(text) {
        Some(from) => text.get(from..).unwrap_or_default().to_vec(),
        None => {
            let from = after_end(before).unwrap_or_default();
            [before.get(from..).unwrap_or_default(), text].concat()
        }
    }
}

/// What stands before a pager on its own line belongs to the pager.
fn drop_pager_line(answer: &mut Vec<u8>) {
    let line = memchr::memrchr(b'\n', answer).map_or(0, |at| at.saturating_add(1));
    if answer.get(line..).is_some_and(|line| line.iter().all(|byte| *byte == b' ')) {
        answer.truncate(line);
    }
}

impl Session {
    /// Remembers the prompt that was just seen: the line it ends, byte for byte. From now on it is found as a text, the moment its
    /// last byte arrives; any other prompt is still found by the profile's pattern, once the device is quiet.
    pub(super) fn learn_prompt(&mut self, before: &[u8], text: &[u8]) {
        let line = last_line(before, text);
        // A shell that asks its terminal something after the prompt may be interrupted before that.
        let line = clean::without_codes_behind(&line);
        self.prompt.text = line.to_vec();
        self.prompt.known.learn(line, PROMPTS_MAX);
    }

    /// The prompt has a space more than was seen of it: on a slow line it was known before its last byte came.
    fn grow_prompt(&mut self, spaces: &[u8]) {
        if spaces.is_empty() || self.prompt.text.is_empty() {
            return;
        }
        self.prompt.known.forget(&self.prompt.text);
        self.prompt.text.extend_from_slice(spaces);
        self.prompt.known.learn(&self.prompt.text, PROMPTS_MAX);
    }

    /// The space at the beginning of an answer may be the end of the prompt before it. It is where the prompt after it has one, too.
    async fn take_rest_of_prompt(
        &mut self,
        answer: &mut Vec<u8>,
        deadline: Deadline,
    ) -> Result<(), ExpectError> {
        if !answer.starts_with(b" ") || self.prompt.text.ends_with(b" ") || self.dialogue.has_ended() {
            return Ok(());
        }
        self.dialogue.drain(SIBLING_SETTLE, deadline).await?;
        let spaces = clean::rest_of_prompt(self.dialogue.pending());
        if answer.starts_with(spaces) {
            // The prompt grows with the next command.
            answer.drain(..spaces.len());
        }
        Ok(())
    }

    /// Bytes of the prompt that ends an answer. After a line that was not ended the known prompt follows at once; anything else is
    /// a new prompt, and a whole line.
    fn prompt_of(&mut self, answer: &[u8], text: &[u8]) -> usize {
        let line = last_line(answer, text);
        let shown = clean::without_codes_behind(&line);
        if self.prompt.text.is_empty() || !shown.ends_with(&self.prompt.text) {
            self.learn_prompt(answer, text);
        }
        let codes = line.len().saturating_sub(shown.len());
        self.prompt.text.len().saturating_add(codes)
    }

    pub(super) async fn run_command(
        &mut self,
        command: &str,
        deadline: Deadline,
    ) -> Result<String, SessionError> {
        let failed = |source| SessionError::Expect { doing: format!("command `{command}`"), source };
        self.await_late_ends(command, deadline).await?;
        self.catch_up(command, deadline).await?;
        // What came unasked since the last answer is in the record; it is no part of this one, but for a terminal code in two pieces.
        let rest = self.dialogue.take_pending();
        self.grow_prompt(clean::rest_of_prompt(&rest));
        let begun = clean::unfinished_code(&rest);
        let line = format!("{command}{}", self.kind.profile.line_ending);
        self.dialogue.send(line.as_bytes(), deadline).await.map_err(failed)?;
        let mut answer = self.own_answer(command, deadline).await?;
        self.take_rest_of_prompt(&mut answer, deadline).await.map_err(failed)?;
        answer.splice(..0, begun.iter().copied());
        let answer = self.whole_answer(answer, command, deadline).await?;
        let answer = self.kind.without_unasked(answer);
        let mut answer = clean::text(clean::without_echo(&answer, command));
        answer.truncate(answer.trim_end_matches([' ', '\n']).len());
        let blank = answer.len().saturating_sub(answer.trim_start_matches('\n').len());
        if blank > 0 {
            answer.drain(..blank);
        }
        Ok(answer)
    }

    /// Everything up to the next prompt, pages joined; the prompt is remembered and not part of it.
    pub(super) async fn await_answer(
        &mut self,
        doing: &str,
        deadline: Deadline,
    ) -> Result<Vec<u8>, SessionError> {
        let kind = Arc::clone(&self.kind);
        let told = format!("the prompt `{}`", self.prompt());
        let mut answer: Vec<u8> = Vec::new();
        let mut paged = false;
        let failed = |source| SessionError::Expect { doing: doing.to_owned(), source };
        for _ in 0..PAGES_MAX {
            let settle = self.settle();
            let nothing_known = Known::default();
            let known = if kind.profile.prompt_before_answer { &nothing_known } else { &self.prompt.known };
            let mut watch = Answer::new(known, Matcher::new(&kind.follows));
            let seen = self.dialogue.watch(&mut watch, || told.clone(), deadline, settle).await;
            drop(watch);
            let seen = seen.map_err(failed)?;
            if answer.is_empty() && !paged {
                // Answers may be large: what came is kept, not copied.
                answer = seen.before;
            } else {
                let page = if paged { clean::without_pager_wipe(&seen.before) } else { &seen.before };
                answer.extend_from_slice(page);
            }
            let other = seen.index.checked_sub(1).and_then(|place| kind.follow_kinds.get(place));
            let go_on = match other {
                None => {
                    self.prompt.text = seen.text.get(1..).unwrap_or_default().to_vec();
                    return Ok(answer);
                }
                Some(Follow::Prompt) => {
                    let prompt = self.prompt_of(&answer, &seen.text);
                    answer.truncate(answer.len().saturating_add(seen.text.len()).saturating_sub(prompt));
                    return Ok(answer);
                }
                Some(follow @ (Follow::Pager | Follow::PagerEnd)) => {
                    paged = true;
                    drop_pager_line(&mut answer);
                    let answer = kind.profile.pager.as_ref().map(|pager| match follow {
                        Follow::PagerEnd => pager.end_answer.clone(),
                        Follow::Pager | Follow::Prompt | Follow::Question(_) => pager.answer.clone(),
                    });
                    answer.unwrap_or_default()
                }
                Some(Follow::Question(place)) => {
                    paged = false;
                    answer.extend_from_slice(&seen.text);
                    let question = kind.profile.questions.get(*place);
                    question.map(|question| question.reply(&kind.profile.line_ending)).unwrap_or_default()
                }
            };
            self.dialogue.send(go_on.as_bytes(), deadline).await.map_err(failed)?;
        }
        Err(SessionError::Unsupported {
            profile: self.kind.profile.name.clone(),
            what: format!("end of pages after {PAGES_MAX}"),
        })
    }

    /// The same for what a test awaits: a prompt that was seen before is believed at once, whatever pattern finds it.
    pub(super) fn settle_of_known(&self) -> impl Fn(&[u8], &Found) -> Duration + use<> {
        let settle = self.dialogue.settle();
        let prompt = self.prompt.text.clone();
        move |text, found| {
            let before = text.get(..found.end).unwrap_or_default();
            let is_known =
                !prompt.is_empty() && clean::without_codes_behind(&last_line(before, &[])) == prompt;
            if is_known { Duration::ZERO } else { settle }
        }
    }

    /// How long the device must be quiet before a prompt that was not seen before is believed: the profile's time, or a short
    /// one where it begins with the name that the prompt has shown so far (`r1#`, then `r1(config)#`).
    pub(super) fn settle(&self) -> impl Fn(&[u8], &Found) -> Duration + use<> {
        let settle = self.dialogue.settle();
        // Where a prompt proves little, neither does the name in it; unless the end of an answer is asked for.
        let profile = &self.kind.profile;
        let is_sure = !profile.prompt_before_answer || profile.answer_end.is_some();
        let stem = stem(&self.prompt.text).to_vec();
        move |text, found| {
            let line = last_line(text.get(..found.start).unwrap_or_default(), &[]);
            let begins = [&line, text.get(found.start..found.end).unwrap_or_default()].concat();
            let known = is_sure && stem.len() >= STEM_BYTES_MIN && begins.starts_with(&stem);
            if known { settle.min(SIBLING_SETTLE) } else { settle }
        }
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
            if let (Err(SessionError::Refused { .. }), Some(abort)) = (&applied, &mode.abort) {
                self.run_command(abort, deadline).await?;
            }
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
