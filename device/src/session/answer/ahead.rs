//! The empty line that goes out with a command which is known to ask nothing. Nothing was quiet before it, and it may be lost, or taken by
//! something else; each makes the end of the answer what it is without it.

use super::Answering;
use crate::session::stand::{Likeness, Prompt};

impl Answering<'_> {
    /// Whether it did not bring the prompt: it took more of them, or something else came.
    pub(in crate::session) fn has_lost_ahead(&self) -> bool {
        self.habits.is_ahead && (self.empty_lines > 1 || !self.has_asked)
    }

    /// The first of two prompts that stand at the end one behind the other; else the last.
    pub(super) fn first_of_two(&self, prompt: &Prompt, bytes: &[u8]) -> Prompt {
        let before = bytes.get(self.text_begin()..prompt.begin).unwrap_or_default();
        let above = before.trim_ascii_end().strip_suffix(prompt.line.trim().as_bytes());
        let Some(above) = above else { return prompt.clone() };
        // A terminal that echoes by itself shows both prompts in one line.
        let is_behind = !matches!(above.last(), None | Some(b'\n'));
        let known = self.known.likeness(&prompt.line).filter(|_| !is_behind);
        let likeness = known.unwrap_or(Likeness::Behind);
        Prompt { begin: self.text_begin().saturating_add(above.len()), likeness, ..prompt.clone() }
    }

    /// Whether two prompts at the end may be two lines of a text that shows prompts.
    pub(super) fn is_ahead_of_text(&self, first: &Prompt, begin: usize, bytes: &[u8]) -> bool {
        self.habits.is_ahead && (begin != first.begin || self.misled || self.shows_prompts(first, bytes))
    }
}
