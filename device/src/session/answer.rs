//! When an answer has ended: what a session does next about what has come, decided without reading or sending anything.
//!
//! ```text
//!             ┌────────────── more comes ──────────────┐
//!             ▼                                        │
//! sent ──▶ [talks] ──the end looks like a prompt──▶ [stands] ──known, with nothing before it but the echo of a setting──▶ done
//!             ▲                                        │ quiet for as long as it is little known
//!             │                                        ▼
//!             └──────── something else ──────────── [asked] ──the prompt again, and nothing else──▶ done
//! ```
//!
//! A prompt cannot be told from a text that looks like one. Asking for it again with an empty line can: the device takes one line after the
//! other, so what it shows for this one stands behind all of the answer before it: an answer ends where two prompts stand with nothing between
//! and nothing behind.

mod again;
mod ahead;
mod begun;
mod done;
mod settle;

use std::time::Duration;

pub(super) use self::done::{Done, Proof};
use self::settle::NEW_SETTLE;
use super::{
    counted::Counted,
    habits::{Echo, Expected},
    known::Known,
    stand::{Likeness, Prompt, Stand, stand},
};
use crate::profile::{Asks, Kind};

/// Quiet time before a line is taken for a question that goes on behind the words which describe it.
const LOOSE_SETTLE: Duration = Duration::from_millis(500);
/// Time for the prompt to come again where it was never seen to.
const MUTE_AFTER: Duration = Duration::from_secs(5);
/// The same after the first empty line that was not answered.
const ASK_TWICE: Duration = Duration::from_secs(2);
/// Quiet time after which a prompt is asked for anew that did not come again.
const ASK_ANEW: Duration = Duration::from_secs(1);
/// Bytes of the end in which prompts are counted.
const COUNTED_BYTES_MAX: usize = 8 * 1024;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Read on, until the time of the command is over.
    Read,
    /// Read on for so long; where nothing comes, the answer is told so.
    Quiet(Duration),
    /// Send an empty line.
    AskAgain,
    /// Turn a pager's page, whose line begins at the byte; it may be the last.
    Page {
        begin: usize,
        after_last: bool,
    },
    /// Answer a question.
    Reply {
        place: usize,
        line: String,
    },
    Done(Done),
}

/// An answer that is awaited.
pub(super) struct Answering<'a> {
    kind: &'a Kind,
    known: &'a Known,
    command: &'a str,
    asked: &'a [Asks],
    habits: Expected,
    echo: Option<(usize, usize)>,
    looked_for_echo: usize,
    /// The first that looked like the end, with nothing but prompts and what came unasked behind it.
    candidate: Option<Prompt>,
    /// The device stands at what looks like its prompt.
    stands: bool,
    /// Something that looked like the end was none.
    misled: bool,
    /// An empty line was sent, and not answered yet.
    has_asked: bool,
    /// Empty lines that were sent so far.
    empty_lines: usize,
    /// What is done when nothing comes.
    then: Option<Step>,
    /// The prompt is asked for without waiting.
    is_at_once: bool,
    /// Something was answered, and the echo was seen before it.
    has_parts: bool,
    is_echoed: bool,
    /// What the command says is awaited, and not the prompt alone.
    is_order: bool,
}

impl<'a> Answering<'a> {
    pub(super) fn new(
        kind: &'a Kind,
        known: &'a Known,
        command: &'a str,
        asked: &'a [Asks],
        habits: Expected,
    ) -> Self {
        Self {
            kind,
            known,
            command,
            asked,
            habits,
            echo: None,
            looked_for_echo: 0,
            candidate: None,
            stands: false,
            misled: false,
            has_asked: habits.is_ahead,
            empty_lines: usize::from(habits.is_ahead),
            then: None,
            is_at_once: false,
            has_parts: false,
            is_echoed: false,
            is_order: true,
        }
    }

    /// The same where the one who waits has looked already, and the prompt is asked for at once.
    pub(super) fn at_once(self) -> Self {
        Self { is_at_once: true, ..self }
    }

    /// The same where the prompt alone is awaited, and so many empty lines have been sent already.
    pub(super) fn at_the_prompt(self, empty_lines: usize) -> Self {
        Self { empty_lines, is_order: false, ..self }
    }

    /// Empty lines that were sent so far.
    pub(super) fn empty_lines(&self) -> usize {
        self.empty_lines
    }

    /// What to do after something has come; `bytes` are all since the command was sent, or since the last page.
    pub(super) fn look(&mut self, bytes: &[u8]) -> Step {
        self.find_echo(bytes);
        let stand = stand(self.kind, self.known, self.asked, bytes);
        if stand != Stand::Nothing {
            self.find_late_echo(bytes);
        }
        match stand {
            Stand::Nothing => {
                self.stands = false;
                Step::Read
            }
            Stand::Pager(paused) => {
                self.interrupted();
                let step = Step::Page { begin: paused.begin, after_last: paused.after_last };
                let quiet = if paused.is_whole { Duration::ZERO } else { self.habits.settle };
                self.when_quiet(quiet, step)
            }
            Stand::Question(question) => {
                self.interrupted();
                // The echo of the command may have the same words.
                let is_echo = self.echo.is_none() && self.habits.echo == Echo::Always;
                let quiet = match (question.at_once, question.is_loose) {
                    (true, _) => Duration::ZERO,
                    (false, true) if is_echo => self.habits.settle.max(NEW_SETTLE),
                    (false, true) => self.habits.settle.max(LOOSE_SETTLE),
                    (false, false) => self.habits.settle,
                };
                self.when_quiet(quiet, Step::Reply { place: question.place, line: question.line })
            }
            Stand::Prompt(prompt) => self.stands(prompt, bytes),
        }
    }

    /// What to do when nothing has come for as long as was asked for.
    pub(super) fn quiet(&mut self) -> Step {
        match self.then.take() {
            Some(Step::AskAgain) => {
                // A second one counts for the first, which may have been thrown away; if it was not, it brings one prompt too many.
                self.has_asked = true;
                self.empty_lines = self.empty_lines.saturating_add(1);
                Step::AskAgain
            }
            Some(step) => step,
            None => Step::Read,
        }
    }

    /// What to wait for after an empty line was sent.
    pub(super) fn asked(&mut self, bytes: &[u8]) -> Step {
        if self.habits.has_answered {
            return Step::Read;
        }
        match self.candidate.clone() {
            Some(prompt) if self.may_be_lost(&prompt, bytes) => Step::Read,
            // One that was lost on its way says nothing of the device.
            Some(_) if self.empty_lines < 2 => self.when_quiet(ASK_TWICE, Step::AskAgain),
            Some(prompt) => {
                let done = self.done(&prompt, prompt.begin, bytes, Proof::Mute);
                self.when_quiet(MUTE_AFTER, Step::Done(done))
            }
            None => Step::Read,
        }
    }

    /// The device draws no prompt behind lines that come unasked.
    pub(super) fn draws_none_again(&mut self) {
        self.habits.draws_again = false;
        self.habits.strays = self.habits.strays_at_least;
    }

    /// A page was turned, or a question answered: what comes now begins anew.
    pub(super) fn goes_on(&mut self) {
        self.candidate = None;
        self.then = None;
        self.is_echoed = self.is_echoed();
        self.has_parts = true;
        self.echo = Some((0, 0));
    }

    /// The first bytes of what has come are forgotten: they are part of the answer, and nothing in them was its end.
    pub(super) fn forget(&mut self, bytes: usize) {
        match &mut self.candidate {
            Some(candidate) if candidate.begin >= bytes => {
                candidate.begin = candidate.begin.saturating_sub(bytes);
            }
            Some(_) => self.interrupted(),
            None => {}
        }
        self.then = None;
        self.is_echoed = self.is_echoed();
        self.has_parts = true;
        self.echo = Some((0, 0));
    }

    /// Whether something stood at the end that may have been the prompt.
    pub(super) fn has_candidate(&self) -> bool {
        self.stands
    }

    /// Prompts that may come for empty lines that were sent.
    pub(super) fn strays(&self) -> usize {
        self.habits.strays.saturating_add(self.empty_lines)
    }

    /// Whether the echo was seen.
    pub(super) fn is_echoed(&self) -> bool {
        if self.has_parts { self.is_echoed } else { self.echo.is_some() }
    }

    /// Where the echo of the command begins in what has come; what stands before it is no part of the answer.
    pub(super) fn begin(&self) -> usize {
        self.echo.map_or(0, |(begin, _)| begin)
    }

    /// Where the text of the answer begins in what has come.
    pub(super) fn text_begin(&self) -> usize {
        self.echo.map_or(0, |(_, end)| end)
    }

    fn when_quiet(&mut self, quiet: Duration, step: Step) -> Step {
        self.then = Some(step);
        Step::Quiet(quiet)
    }

    /// What was sent to bring the prompt again may have been taken by something else.
    fn interrupted(&mut self) {
        self.misled |= self.has_asked;
        self.has_asked = false;
        self.candidate = None;
    }

    fn stands(&mut self, mut prompt: Prompt, bytes: &[u8]) -> Step {
        if prompt.likeness == Likeness::Covered && self.echo.is_some() && prompt.begin < self.text_begin() {
            // It is the one at which the command was typed.
            self.stands = false;
            return Step::Read;
        }
        self.stands = true;
        if self.kind.goes_on(bytes.get(self.text_begin()..).unwrap_or_default()) {
            return Step::Read;
        }
        if self.awaits_strays(bytes) {
            return Step::Read;
        }
        if self.has_asked && prompt.likeness == Likeness::Covered {
            return self.when_quiet(ASK_ANEW, Step::AskAgain);
        }
        self.leave_text(&prompt);
        if self.has_asked {
            self.candidate = self.candidate.take().or_else(|| Some(self.first_of_two(&prompt, bytes)));
            return self.comes_again(&prompt, bytes);
        }
        if let Some(first) = self.candidate.take() {
            let between = bytes.get(first.begin..prompt.begin).unwrap_or_default();
            if !between.is_empty() && memchr::memchr(b'\n', between).is_none() {
                // The same line, of which more has come.
            } else if first.begin < prompt.begin && self.is_drawn_again(&first, &prompt, bytes) {
                prompt.begin = first.begin;
            } else {
                self.misled |= first.begin != prompt.begin && prompt.likeness != Likeness::Covered;
            }
        }
        self.candidate = Some(prompt.clone());
        let is_named = prompt.likeness == Likeness::Named;
        let is_echoed = self.echo.is_some() || self.command.trim().is_empty();
        let is_sure = is_named
            && is_echoed
            && !self.misled
            && self.habits.strays == 0
            && !self.kind.profile.prompt_before_answer;
        if self.habits.may_ask {
            let is_empty = self.habits.is_silent && self.is_empty_before(&prompt, bytes);
            if is_sure && is_empty {
                let done = self.done(&prompt, prompt.begin, bytes, Proof::Looks);
                return self.when_quiet(Duration::ZERO, Step::Done(done));
            }
            let is_at_once = std::mem::take(&mut self.is_at_once) || is_sure;
            let quiet = if is_at_once {
                Duration::ZERO
            } else if self.may_be_older(&prompt, bytes) {
                MUTE_AFTER
            } else {
                self.settle(prompt.likeness)
            };
            return self.when_quiet(quiet, Step::AskAgain);
        }
        let is_older = self.may_be_older(&prompt, bytes);
        let has_not_begun = match self.habits.echo {
            Echo::Always => !is_echoed,
            Echo::Unknown => self.needs_echo(&prompt, bytes),
            Echo::Not => false,
        };
        if prompt.likeness == Likeness::Covered || has_not_begun || self.may_be_lost(&prompt, bytes) {
            // A device that has always echoed has not begun to answer.
            return Step::Read;
        }
        let quiet = if is_sure {
            Duration::ZERO
        } else if is_older {
            MUTE_AFTER
        } else {
            self.settle_unasked(prompt.likeness)
        };
        let done = self.done(&prompt, prompt.begin, bytes, Proof::Looks);
        self.when_quiet(quiet, Step::Done(done))
    }

    /// Whether a prompt is the one that stood before, drawn again behind lines that came unasked.
    fn is_drawn_again(&self, first: &Prompt, prompt: &Prompt, bytes: &[u8]) -> bool {
        let between = bytes.get(first.begin..).unwrap_or_default();
        // Behind something else in its line it may be a text: only its coming again would tell.
        if between.len() > COUNTED_BYTES_MAX
            || matches!(first.likeness, Likeness::Behind | Likeness::Interrupted)
        {
            return false;
        }
        // A line that only looked like one is a text: nothing has said before that it is a prompt.
        let was_known = first.likeness < Likeness::New;
        let is_first = |line: &str| was_known && line.trim() == first.line.trim();
        let is_prompt = |line: &str| line.trim() == prompt.line.trim() || is_first(line);
        Counted::of(self.kind, between, self.habits.draws_again).prompts(is_prompt).1 == 0
    }

    fn is_empty_before(&self, prompt: &Prompt, bytes: &[u8]) -> bool {
        let from = self.echo.map_or(0, |(_, end)| end);
        bytes.get(from..prompt.begin).is_some_and(|text| text.iter().all(|byte| *byte <= b' '))
    }
}
