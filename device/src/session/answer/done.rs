//! An answer that has ended, and what its end rests on.

use super::Answering;
use crate::session::{stand::Prompt, strays::prompts_drawn};

/// An answer that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::session) struct Done {
    /// Bytes before its echo that were no part of it.
    pub(in crate::session) begin: usize,
    /// Where its text begins: behind the echo, where there is one.
    pub(in crate::session) text: usize,
    /// Where its prompt begins.
    pub(in crate::session) end: usize,
    /// The prompt.
    pub(in crate::session) prompt: String,
    pub(in crate::session) is_echoed: bool,
    /// The prompt was asked for again, and came.
    pub(in crate::session) proof: Proof,
    /// Prompts that may still come for empty lines.
    pub(in crate::session) strays: usize,
    /// The same where the device draws no prompt again behind lines that come unasked.
    pub(in crate::session) strays_at_least: usize,
    /// The empty line went out with the command.
    pub(in crate::session) is_ahead: bool,
    /// Empty lines that were sent.
    pub(in crate::session) empty_lines: usize,
    /// Lines above each prompt that its profile does not describe.
    pub(in crate::session) above: Vec<String>,
    /// Above this one stand others than above those that were asked for.
    pub(in crate::session) is_open_above: bool,
}

/// What the end of an answer rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) enum Proof {
    /// The prompt came again; `at_first`: nothing was taken for it before.
    Again { at_first: bool },
    /// The device did not show it again within a time.
    Mute,
    /// It is known well enough, or cannot be asked for.
    Looks,
}

impl Proof {
    /// In words, beside the key that describes a prompt.
    pub(in crate::session) fn told(self) -> &'static str {
        match self {
            Self::Again { .. } => "prompt: asked for with an empty line, it came again",
            Self::Mute => "prompt: asked for with an empty line, it did not come again",
            Self::Looks => "prompt: known",
        }
    }
}

impl Answering<'_> {
    pub(super) fn done(&self, prompt: &Prompt, end: usize, bytes: &[u8], proof: Proof) -> Done {
        let (begin, text) = self.echo.unwrap_or((0, 0));
        let end = end.min(bytes.len());
        let prompt = prompt.line.clone();
        let is_echoed = self.is_echoed();
        // Who does not answer empty lines owes no prompt for them.
        let strays = if proof == Proof::Mute { 0 } else { self.strays() };
        let strays_at_least = strays.min(self.habits.strays_at_least.saturating_add(self.empty_lines));
        Done {
            begin: begin.min(end),
            text: text.min(end),
            end,
            prompt,
            is_echoed,
            proof,
            strays,
            strays_at_least,
            is_ahead: self.habits.is_ahead,
            empty_lines: self.empty_lines,
            above: Vec::new(),
            is_open_above: false,
        }
    }

    /// The same where so many prompts stand at the end: its own, and those that were asked for.
    pub(super) fn with_strays(&self, done: Done, count: usize, bytes: &[u8]) -> Done {
        let came = |draws_again| {
            let drawn = |bytes| prompts_drawn(bytes, self.kind, self.known, draws_again);
            let before = bytes.get(..self.begin()).filter(|before| !before.is_empty()).map_or(0, drawn);
            // Without an echo the first of them may stand before what was taken for its own.
            let all = if done.is_echoed { count } else { count.max(drawn(bytes)) };
            all.saturating_sub(1).saturating_add(before)
        };
        let strays = done.strays.saturating_sub(came(self.habits.draws_again));
        let strays_at_least = done.strays_at_least.saturating_sub(came(false)).min(strays);
        Done { strays, strays_at_least, ..done }
    }
}
