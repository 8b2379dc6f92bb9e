//! Whether the dialogue is in step: the device waits at its prompt, and owes no answer to an earlier command. A command is sent only then.
//!
//! ```text
//! in step ──a command's time is over──▶ out of step ──its prompt comes, and comes again──▶ in step
//!                                          │  ▲
//!                              by hand     │  └─ still busy, or at a question: the next command is refused, and not sent
//!                                          ▼
//!                                       in step (who sends or awaits by hand leads the dialogue)
//! ```

use std::{collections::VecDeque, sync::Arc};

use super::{
    Session, SessionError,
    answer::{Answering, Step},
    clean,
    order::Order,
    stand::End,
};
use crate::{clock::Deadline, expect::ExpectError, limits::UNANSWERED_MAX};

/// Bytes of an answer too large to be kept in which its prompt is looked for.
const END_BYTES: usize = 8 * 1024;

/// Commands that were given and not answered, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    commands: VecDeque<String>,
    /// Ends of answers that were asked for and have not come.
    pub(super) ends: u32,
}

impl Unanswered {
    /// A command that ended so; the oldest is forgotten when there are too many.
    pub(super) fn add(&mut self, command: &str, error: &SessionError) {
        // One that asks again what it was told before is open, too: it waits for another answer.
        let is_open = matches!(
            error,
            SessionError::Expect { source: ExpectError::Timeout { .. }, .. }
                | SessionError::Uncertain { .. }
                | SessionError::TooLarge { .. }
                | SessionError::Refused { .. }
        );
        if !is_open {
            return;
        }
        if self.commands.len() >= UNANSWERED_MAX {
            self.commands.pop_front();
        }
        self.commands.push_back(command.to_owned());
    }

    /// Something was typed whose answer is not awaited where it was sent.
    pub(super) fn owe(&mut self, command: &str) {
        self.commands.push_back(command.to_owned());
    }

    /// Nothing is awaited any more: the connection is a new one, or somebody else leads the dialogue.
    pub(super) fn forget(&mut self) {
        self.commands.clear();
        self.ends = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }
}

impl Session {
    /// Reads what is there, and waits until the device stands at its prompt; what came is no part of the answer to the next command.
    pub(super) async fn get_in_step(
        &mut self,
        command: &str,
        deadline: Deadline,
    ) -> Result<(), SessionError> {
        let read = self.dialogue.read_what_is_there().await;
        read.map_err(|source| SessionError::Expect { doing: format!("command `{command}`"), source })?;
        if let Some(late) = self.unanswered.commands.front().cloned() {
            let within = Deadline::after(deadline.left() / 2);
            if self.stand_again(within).await.is_err() {
                return Err(self.out_of_step(command, &late, within));
            }
            self.unanswered.commands.clear();
        }
        // What is still on its way, a terminal code or a prompt, is known again when its rest has come.
        let pending = self.dialogue.pending();
        let begun = clean::unfinished_code(pending).len().max(self.known.begun(pending));
        let whole = pending.len().saturating_sub(begun);
        let came = self.dialogue.take(whole);
        self.unasked.add(&came);
        Ok(())
    }

    /// Waits for the prompt, and proves it as the end of an answer is proven.
    async fn stand_again(&mut self, within: Deadline) -> Result<(), SessionError> {
        let order = Order::default();
        let (kind, known) = (Arc::clone(&self.kind), self.known.clone());
        let expected = self.habits.before(&order, &kind.profile, self.dialogue.settle());
        if self.dialogue.pending().is_empty() {
            // Nothing was heard of the command: it was lost with the line, or the device is busy. It waits at no question.
            let wake = if expected.may_ask {
                Some(&kind.profile.line_ending)
            } else {
                kind.profile.login.nudge_text.as_ref()
            };
            if let Some(wake) = wake {
                let sent = self.dialogue.send(wake.as_bytes(), within).await;
                sent.map_err(|source| order.failed(source))?;
            }
        }
        loop {
            if self.dialogue.was_cut() {
                // An answer that was refused for its size: nobody wants more of it than its end.
                self.dialogue.keep_end(END_BYTES);
            }
            let mut answering = Answering::new(&kind, &known, "", &[], expected);
            match self.next_step(&mut answering, &order, within).await {
                Ok(Step::Done(done)) => {
                    self.known.learn(&done.prompt, crate::limits::PROMPTS_MAX);
                    return Ok(());
                }
                Err(SessionError::TooLarge { .. }) => {}
                Err(error) => return Err(error),
                // A pager or a question of the profile is still open.
                Ok(Step::Page { .. } | Step::Reply { .. } | Step::Read | Step::Quiet(_) | Step::AskAgain) => {
                    return Err(order.failed(self.dialogue.not_seen("the prompt".to_owned(), within)));
                }
            }
        }
    }

    fn out_of_step(&self, command: &str, late: &str, within: Deadline) -> SessionError {
        let end = End::of(self.dialogue.pending(), self.kind.profile.encoding);
        let waited = within.span();
        let why = if self.dialogue.has_ended() {
            "the device has closed the connection".to_owned()
        } else if end.waits() {
            format!(
                "the device waits at `{}` since `{late}`; answer that with `send`, or give the answer with the command",
                end.line.trim()
            )
        } else if clean::text(self.dialogue.pending(), self.kind.profile.encoding).trim().is_empty() {
            format!(
                "`{late}`, which was given before, has not been answered, and the device has said nothing for {waited:.1?}"
            )
        } else {
            format!(
                "the device is still busy with `{late}`, which was given before; {}",
                self.dialogue.seen()
            )
        };
        SessionError::Uncertain { doing: format!("command `{command}` was not sent"), why }
    }
}
