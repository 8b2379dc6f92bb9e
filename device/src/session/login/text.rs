//! A line of a banner that pauses behind `Login:` or `Password:` looks like the question until it goes on. What was typed there was no answer:
//! the device may throw it away, or read it when it asks.

use std::time::Duration;

use super::{Asks, Login};
use crate::{
    clock::Deadline,
    session::{SessionError, clean, stand::End},
};

/// Quiet time before a question is answered whose answer was typed already, and may still be read. A secret that is given twice would stand in the
/// command line.
const READS_AHEAD: Duration = Duration::from_secs(5);

impl Login<'_> {
    /// Takes the last answer back where its question was a text. Once each: a device that writes behind its questions is not asked on and on.
    pub(super) fn take_back(&mut self) {
        let Some(asks) = self.given.last().copied() else { return };
        if matches!(asks, Asks::User | Asks::Password)
            && !self.ahead.contains(&asks)
            && self.line_goes_on(asks)
        {
            self.given.pop();
            self.ahead.push(asks);
            self.session.dialogue.took(&self.last_line, "a text: its line went on behind what was typed");
        }
    }

    /// No empty line brings the same prompt again.
    pub(super) fn unproven(&mut self, deadline: Deadline) -> SessionError {
        let seen = self.session.dialogue.not_seen("its prompt to come again".to_owned(), deadline);
        self.failed(format!("{seen}; describe all its lines in `prompt` of `profile_settings`"))
    }

    /// Quiet time before something is typed again.
    pub(super) fn may_read_ahead(&self, asks: Asks) -> Duration {
        if self.ahead.contains(&asks) { READS_AHEAD } else { Duration::ZERO }
    }

    /// Whether the line of the last question goes on with something else than the echo of what was typed, a refusal, or the next question.
    fn line_goes_on(&self, asks: Asks) -> bool {
        let (pending, encoding) = (self.session.dialogue.pending(), self.kind.profile.encoding);
        let end = memchr::memchr(b'\n', pending);
        let line = pending.get(..end.unwrap_or(pending.len())).unwrap_or_default();
        let shown = clean::text(line, encoding);
        let shown = shown.trim();
        let user = self.session.target.user.as_deref().unwrap_or_default();
        let is_echo = if asks == Asks::User {
            user.starts_with(shown) || shown.starts_with(user)
        } else {
            shown.chars().all(|letter| matches!(letter, '*' | '•' | '.'))
        };
        let asked = &self.kind.login;
        let is_said = asked.failed.is_match(shown.as_bytes())
            || shown.contains(self.last_line.as_str())
            || self.kind.is_unasked(line)
            || [&asked.user, &asked.password, &asked.new_password, &asked.code]
                .iter()
                .any(|question| End::of(line, encoding).line_has(question) == Some(true));
        !shown.is_empty() && !is_echo && !is_said
    }
}
