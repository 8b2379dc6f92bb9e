//! The end of an answer from a device whose prompt proves nothing: a line editor beside it draws the prompt while the answer is still
//! on its way. A command that does nothing is given after the first, and what the device says to it stands after all the rest.

use std::sync::Arc;

use jackfield_config::profile::AnswerEnd;

use super::{
    Session, SessionError,
    answer::{Answering, Step},
    order::Order,
};
use crate::{clock::Deadline, limits::PROMPTS_MAX};

impl Session {
    /// What belongs to an answer of which the first prompt was seen; the whole of it where the profile knows no such command.
    pub(super) async fn whole_answer(
        &mut self,
        answer: Vec<u8>,
        command: &str,
        deadline: Deadline,
    ) -> Result<Vec<u8>, SessionError> {
        let kind = Arc::clone(&self.kind);
        let Some(end) = &kind.profile.answer_end else { return Ok(answer) };
        let line = format!("{}{}", end.command, kind.profile.line_ending);
        let sent = self.dialogue.send(line.as_bytes(), deadline).await;
        sent.map_err(|source| SessionError::Expect { doing: format!("command `{command}`"), source })?;
        self.unanswered.ends = self.unanswered.ends.saturating_add(1);
        let rest = self.await_end(command, deadline).await?;
        let prompt = self.known.last().as_bytes();
        let whole = [answer.as_slice(), prompt, &rest].concat();
        Ok(without_echo(&whole, end, prompt))
    }

    /// Waits for the ends of earlier answers that were not there in time; what stands before them is no part of the next.
    pub(super) async fn await_late_ends(
        &mut self,
        command: &str,
        deadline: Deadline,
    ) -> Result<(), SessionError> {
        while self.unanswered.ends > 0 {
            self.await_end(command, deadline).await?;
        }
        Ok(())
    }

    /// Everything up to the end of an answer; the prompt after it is taken, too.
    async fn await_end(&mut self, command: &str, deadline: Deadline) -> Result<Vec<u8>, SessionError> {
        let kind = Arc::clone(&self.kind);
        let Some(shows) = &kind.answer_end else {
            self.unanswered.ends = 0;
            return Ok(Vec::new());
        };
        let failed = |source| SessionError::Expect { doing: format!("command `{command}`"), source };
        let seen = self.dialogue.expect(shows, deadline).await.map_err(failed)?;
        self.unanswered.ends = self.unanswered.ends.saturating_sub(1);
        if seen.cut {
            return Err(SessionError::TooLarge { command: command.to_owned() });
        }
        let (known, order) = (self.known.clone(), Order::default());
        let expected = self.habits.before(&order, &kind.profile, self.dialogue.settle());
        let mut answering = Answering::new(&kind, &known, "", &[], expected);
        if let Step::Done(done) = self.next_step(&mut answering, &order, deadline).await? {
            self.known.learn(&done.prompt, PROMPTS_MAX);
        }
        self.dialogue.take_pending();
        Ok(seen.before)
    }
}

/// Takes the lines off at which the command that ends the answer was typed.
fn without_echo(answer: &[u8], end: &AnswerEnd, prompt: &[u8]) -> Vec<u8> {
    let typed = [prompt, end.command.as_bytes()].concat();
    let (mut clean, mut from) = (Vec::with_capacity(answer.len()), 0);
    for at in memchr::memmem::find_iter(answer, &typed) {
        clean.extend_from_slice(answer.get(from..at).unwrap_or_default());
        let after = at.saturating_add(typed.len());
        let rest = answer.get(after..).unwrap_or_default();
        let line_end = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
        from = after.saturating_add(line_end);
    }
    clean.extend_from_slice(answer.get(from..).unwrap_or_default());
    clean
}
