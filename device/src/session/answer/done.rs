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
    /// The empty line went out with the command.
    pub(in crate::session) is_ahead: bool,
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
        let is_ahead = self.habits.is_ahead;
        Done { begin: begin.min(end), text: text.min(end), end, prompt, is_echoed, proof, strays, is_ahead }
    }

    /// The same where so many prompts stand at the end: its own, and those that were asked for.
    pub(super) fn with_strays(&self, done: Done, count: usize, bytes: &[u8]) -> Done {
        let drawn = |bytes| prompts_drawn(bytes, self.kind, self.known, self.habits.draws_again);
        let before = bytes.get(..self.begin()).filter(|before| !before.is_empty()).map_or(0, drawn);
        // Without an echo the first of them may stand before what was taken for its own.
        let all = if done.is_echoed { count } else { count.max(drawn(bytes)) };
        let came = all.saturating_sub(1).saturating_add(before);
        Done { strays: done.strays.saturating_sub(came), ..done }
    }
}
