//! Whether the dialogue is in step: the device waits at its prompt, and owes no answer to an earlier command. A command is sent only then.
//!
//! ```text
//! in step ──a command's time is over──▶ out of step ──its prompt comes, and comes again──▶ in step
//!                                          │  ▲
//!                              by hand     │  └─ still busy, or at a question: the next command is refused, and not sent
//!                                          ▼
//!                                       in step (who sends or awaits by hand leads the dialogue)
//! ```

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{
    Session, SessionError,
    answer::{Answering, Step},
    calm::Calm,
    clean,
    habits::Echo,
    order::Order,
    stand::{End, Likeness, Stand, stand},
    strays::{prompts_drawn, prompts_in},
};
use crate::{clock::Deadline, expect::ExpectError, limits::UNANSWERED_MAX};

/// Bytes of an answer too large to be kept in which its prompt is looked for.
const END_BYTES: usize = 8 * 1024;
/// Time for prompts of empty lines that the device has not answered yet.
const STRAYS_WITHIN: Duration = Duration::from_secs(2);

/// Time for the rest of a line that came unasked.
const LINE_WITHIN: Duration = Duration::from_secs(1);
/// Silence after which a command whose echo has not come is taken for lost.
const LOST_AFTER: Duration = Duration::from_secs(3);

/// Commands that were given and not answered, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    commands: VecDeque<Late>,
    /// Ends of answers that were asked for and have not come.
    pub(super) ends: u32,
    /// Something was sent by hand: what comes is for the one who awaits it.
    is_by_hand: bool,
}

/// A command that was not answered.
#[derive(Clone, Debug)]
struct Late {
    command: String,
    /// It stands in a line of its own, and is echoed so.
    is_line: bool,
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
        self.commands.push_back(Late { command: command.to_owned(), is_line: true });
    }

    /// Something was typed whose answer is not awaited where it was sent.
    pub(super) fn owe(&mut self, command: &str) {
        self.commands.push_back(Late { command: command.to_owned(), is_line: false });
    }

    /// Nothing is awaited any more: the connection is a new one, or somebody else leads the dialogue.
    pub(super) fn forget(&mut self) {
        self.commands.clear();
        self.ends = 0;
        self.is_by_hand = false;
    }

    /// Somebody sends by hand, and awaits by hand.
    pub(super) fn lead_by_hand(&mut self) {
        self.forget();
        self.is_by_hand = true;
    }

    /// Whether nobody waits for what comes now.
    pub(super) fn is_idle(&self) -> bool {
        self.commands.is_empty() && !self.is_by_hand
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
        let failed = |source| SessionError::Expect { doing: format!("command `{command}`"), source };
        self.dialogue.read_what_is_there().map_err(failed)?;
        let late = self.unanswered.commands.front().map(|late| late.command.clone());
        if late.is_none() && self.habits.strays.wait() {
            self.await_strays(deadline).await.map_err(failed)?;
        }
        let within = Deadline::after(deadline.left() / 2);
        // A line that is still on its way comes to its end first.
        while late.is_none()
            && self.is_elsewhere()
            && !self.dialogue.has_ended()
            && self.dialogue.read_within(LINE_WITHIN.min(within.left())).await.map_err(failed)?
        {}
        if late.is_none() && self.dialogue.has_ended() {
            // What it said last is no prompt to wait at.
            let came = self.dialogue.take_pending();
            self.unasked.add(&came);
            return Err(failed(self.dialogue.not_seen(format!("the prompt `{}`", self.prompt()), deadline)));
        }
        // Where it has gone somewhere else, it was started anew, or somebody types at its console: a command would be typed into that.
        if late.is_some() || self.is_elsewhere() {
            let stands = self.stand_again(within).await.is_ok();
            if !stands && (late.is_some() || self.is_elsewhere()) {
                return Err(self.out_of_step(command, late.as_deref(), within));
            }
            self.unanswered.commands.clear();
            if stands {
                // The prompts among it were counted.
                self.set_aside();
            }
        }
        self.unanswered.is_by_hand = false;
        if self.habits.strays.wait() {
            self.await_strays(deadline).await.map_err(failed)?;
        }
        self.take_unasked();
        Ok(())
    }

    /// Takes what came unasked; what is still on its way, a terminal code or a prompt, is known again when its rest has come.
    fn set_aside(&mut self) -> Vec<u8> {
        let pending = self.dialogue.pending();
        let begun = clean::unfinished_code(pending).len().max(self.known.begun(pending));
        let whole = pending.len().saturating_sub(begun);
        let came = self.dialogue.take(whole);
        self.unasked.add(&came);
        came
    }

    /// Takes what came unasked up to the line at which the device waits, where that is not its prompt: the next command must see it.
    pub(super) fn take_unasked(&mut self) {
        if self.is_elsewhere() {
            let end = End::of(self.dialogue.pending(), self.kind.profile.encoding).begin();
            let came = self.dialogue.take(end);
            self.unasked.add(&came);
        } else {
            let came = self.set_aside();
            // Nobody has asked for it.
            let is_drawn_again = self.habits.strays.most() == 0
                && prompts_in(&came, &self.kind, &self.known, self.habits.draws_again) > 0;
            self.habits.draws_again |= is_drawn_again;
            self.habits.strays.seen_in(&came, &self.kind, &self.known, self.habits.draws_again);
        }
    }

    /// Reads until the prompts of earlier empty lines have come, or are late.
    async fn await_strays(&mut self, deadline: Deadline) -> Result<(), ExpectError> {
        let within = Deadline::after(STRAYS_WITHIN.min(deadline.left() / 4));
        let mut calm = Calm::default();
        calm.lasted(&self.kind, self.dialogue.pending());
        while self.prompts_pending() < self.habits.strays.most()
            && !self.dialogue.has_ended()
            && self.dialogue.read_within(within.left()).await?
        {
            calm.lasted(&self.kind, self.dialogue.pending());
            if calm.has_drawn_none() {
                self.habits.draws_none_again();
            }
        }
        if calm.has_drawn_none() {
            self.habits.draws_none_again();
        }
        Ok(())
    }

    fn prompts_pending(&self) -> usize {
        prompts_drawn(self.dialogue.pending(), &self.kind, &self.known, self.habits.draws_again)
    }

    /// Waits for the prompt, and proves it as the end of an answer is proven.
    async fn stand_again(&mut self, within: Deadline) -> Result<(), SessionError> {
        let order = Order::default();
        let (kind, known) = (Arc::clone(&self.kind), self.known.clone());
        let expected = self.habits.before(&order, &kind.profile, self.dialogue.settle());
        // Until the device has read a command, an empty line may be the answer to what it will ask.
        let late = self.unanswered.commands.back().filter(|late| late.is_line).cloned();
        let mut late = late.map(|late| late.command).unwrap_or_default();
        let is_lost = self.is_lost(within).await.map_err(|source| order.failed(source))?;
        if is_lost {
            late.clear();
        }
        let mut empty_lines = 0;
        if is_lost {
            let wake = if expected.may_ask {
                Some(&kind.profile.line_ending)
            } else {
                kind.profile.login.nudge_text.as_ref()
            };
            if let Some(wake) = wake {
                let sent = self.dialogue.send(wake.as_bytes(), within).await;
                sent.map_err(|source| order.failed(source))?;
                empty_lines = 1;
            }
        }
        loop {
            if self.dialogue.was_cut() {
                // An answer that was refused for its size: nobody wants more of it than its end.
                self.dialogue.keep_end(END_BYTES);
                late.clear();
            }
            let mut answering =
                Answering::new(&kind, &known, &late, &[], expected).at_the_prompt(empty_lines);
            let step = self.next_step(&mut answering, &order, within).await;
            empty_lines = answering.empty_lines();
            match step {
                Ok(Step::Done(done)) => {
                    self.known.learn(&done.prompt, crate::limits::PROMPTS_MAX);
                    self.habits.strays.set(done.strays, done.strays_at_least);
                    return Ok(());
                }
                Err(SessionError::TooLarge { .. }) => {}
                Err(error) => {
                    self.habits.strays.set(answering.strays(), answering.strays());
                    return Err(error);
                }
                // A pager or a question of the profile is still open.
                Ok(Step::Page { .. } | Step::Reply { .. } | Step::Read | Step::Quiet(_) | Step::AskAgain) => {
                    return Err(order.failed(self.dialogue.not_seen("the prompt".to_owned(), within)));
                }
            }
        }
    }

    /// Whether the device has gone somewhere else unasked: what came last is a line without an end that is not its prompt.
    fn is_elsewhere(&self) -> bool {
        let pending = self.dialogue.pending();
        let is_on_its_way = !clean::unfinished_code(pending).is_empty() || self.known.begun(pending) > 0;
        if is_on_its_way || !End::of(pending, self.kind.profile.encoding).waits() {
            return false;
        }
        match stand(&self.kind, &self.known, &[], pending) {
            Stand::Prompt(prompt) => prompt.likeness > Likeness::Behind,
            Stand::Nothing | Stand::Pager(_) | Stand::Question(_) => true,
        }
    }

    /// Whether the command that was not answered was lost on its way: not even its echo comes from a device that has always echoed. One that does
    /// not echo may be busy with it, and ask something in the end: an empty line would be the answer.
    async fn is_lost(&mut self, within: Deadline) -> Result<bool, ExpectError> {
        if !self.dialogue.pending().is_empty() || self.habits.echo != Echo::Always {
            return Ok(false);
        }
        let silent = within.left() / 2;
        // Who has less time does not learn it.
        Ok(silent >= LOST_AFTER && !self.dialogue.read_within(silent).await?)
    }

    fn out_of_step(&self, command: &str, late: Option<&str>, within: Deadline) -> SessionError {
        let end = End::of(self.dialogue.pending(), self.kind.profile.encoding);
        let waited = within.span();
        let text = clean::text(self.dialogue.pending(), self.kind.profile.encoding);
        let why = match late {
            _ if self.dialogue.has_ended() => "the device has closed the connection".to_owned(),
            Some(late) if end.waits() => format!(
                "the device waits at `{}` since `{late}`; answer that with `send`, or give the answer with the command",
                end.line.trim()
            ),
            None if end.waits() => {
                format!(
                    "the device waits at `{}`, which is not its prompt; {}",
                    end.line.trim(),
                    self.dialogue.seen()
                )
            }
            Some(late) if text.trim().is_empty() => format!(
                "`{late}`, which was given before, has not been answered, and the device has said nothing for {waited:.1?}"
            ),
            Some(late) => format!(
                "the device is still busy with `{late}`, which was given before; {}",
                self.dialogue.seen()
            ),
            None => format!(
                "the device did not come back to its prompt within {waited:.1?}; {}",
                self.dialogue.seen()
            ),
        };
        SessionError::Uncertain { doing: format!("command `{command}` was not sent"), why }
    }
}
