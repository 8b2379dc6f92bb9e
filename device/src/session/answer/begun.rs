//! Whether the device has begun to answer: the echo of the command, and what stands before a prompt where there is none. A device that was busy
//! draws prompts which are older than the command.

use super::{Answering, COUNTED_BYTES_MAX, Proof, Step};
use crate::session::{
    counted::glued,
    echo::{Sought, echo_bytes_max},
    habits::Echo,
    known::same_but_for_numbers,
    stand::{Likeness, Prompt},
    strays::prompts_drawn,
};

/// What stands before a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// The echo of the command, or none is expected.
    Echo,
    Text,
    /// Nothing but blanks and prompts.
    Nothing,
    /// Lines that came unasked.
    Unasked,
}

impl<'a> Answering<'a> {
    /// Whether the prompt stands in what came before it, too: in such an answer, one more is no end.
    pub(super) fn shows_prompts(&self, prompt: &Prompt, bytes: &[u8]) -> bool {
        let answer = bytes.get(self.text_begin()..prompt.begin).unwrap_or_default();
        memchr::memmem::find(answer, prompt.line.trim().as_bytes()).is_some()
    }

    /// Whether what stands here may be the prompt of an empty line that was sent before the command: it is not asked for again, since
    /// what comes next may be a question.
    pub(super) fn awaits_strays(&self, bytes: &[u8]) -> bool {
        self.habits.strays > 0
            && self.echo.is_none()
            && self.habits.echo == Echo::Always
            && !self.command.trim().is_empty()
            && bytes.len() <= echo_bytes_max(self.command)
            && (self.is_order || self.prompts_drawn(bytes) <= self.habits.strays)
    }

    fn prompts_drawn(&self, bytes: &[u8]) -> usize {
        prompts_drawn(bytes, self.kind, self.known, self.habits.draws_again)
    }

    /// Whether a prompt may have been drawn before the device has read the command. A question may come behind it.
    pub(super) fn may_be_older(&self, prompt: &Prompt, bytes: &[u8]) -> bool {
        match self.before(prompt, bytes) {
            Before::Echo | Before::Text => self.habits.strays > 0 && self.echo.is_none(),
            Before::Nothing => self.habits.strays > 0 || self.habits.echo == Echo::Always,
            Before::Unasked => true,
        }
    }

    /// Whether only its echo can tell that the device has read the command: its prompt may have been drawn again, or asked for before.
    pub(super) fn needs_echo(&self, prompt: &Prompt, bytes: &[u8]) -> bool {
        let says_nothing = match self.before(prompt, bytes) {
            Before::Echo | Before::Text => false,
            // The line end alone may have arrived.
            Before::Nothing => self.habits.strays > 0 || (self.is_order && self.habits.echo == Echo::Always),
            Before::Unasked => true,
        };
        says_nothing && self.habits.echo != Echo::Not
    }

    /// Whether a command that was not echoed, and is answered by nothing, may have been lost on its way: the device has drawn no prompt but
    /// those of empty lines.
    pub(super) fn may_be_lost(&self, prompt: &Prompt, bytes: &[u8]) -> bool {
        // Another prompt than the last one says that something was read.
        if !self.is_order || !self.known.has(&prompt.line) {
            return false;
        }
        match self.before(prompt, bytes) {
            Before::Echo | Before::Text => false,
            Before::Nothing | Before::Unasked => {
                self.prompts_drawn(bytes) <= self.habits.strays.saturating_add(self.empty_lines)
            }
        }
    }

    /// Whether what stands here says nothing of the command, which may be lost.
    pub(in crate::session) fn has_none_of_its_own(&self, bytes: &[u8]) -> bool {
        self.candidate.as_ref().is_some_and(|prompt| self.may_be_lost(prompt, bytes))
    }

    /// What stands before a prompt.
    fn before(&self, prompt: &Prompt, bytes: &[u8]) -> Before {
        if self.echo.is_some() || self.command.trim().is_empty() {
            return Before::Echo;
        }
        let before = bytes.get(..prompt.begin).unwrap_or_default();
        // What says something does so in its first lines; where they do not, all of it may have come unasked.
        let near = before.get(..COUNTED_BYTES_MAX).and_then(|near| near.get(..memchr::memrchr(b'\n', near)?));
        match near.map(|near| self.says(near)) {
            Some(Before::Text) => Before::Text,
            Some(Before::Echo | Before::Nothing | Before::Unasked) | None => self.says(before),
        }
    }

    /// What some bytes before a prompt are.
    fn says(&self, before: &[u8]) -> Before {
        let (rest, lifted) = self.kind.without_unasked(before.to_vec());
        let is_prompt = |line: &[u8]| {
            let line = String::from_utf8_lossy(line);
            self.known.has(&line) || self.known.is_above(&line)
        };
        let mut lines = rest.split(|byte| *byte == b'\n');
        if !lines.all(|line| line.iter().all(|byte| *byte <= b' ') || is_prompt(line)) {
            Before::Text
        } else if lifted.is_empty() {
            Before::Nothing
        } else {
            Before::Unasked
        }
    }

    fn sought(&self) -> Sought<'a> {
        Sought { command: self.command, prompt: self.known.last(), encoding: self.kind.profile.encoding }
    }

    /// The echo where something came before it, or in its middle: prompts that were drawn again, lines that came unasked.
    pub(super) fn find_late_echo(&mut self, bytes: &[u8]) {
        if self.has_parts || self.command.trim().is_empty() {
            return;
        }
        let behind = bytes.get(self.text_begin()..).unwrap_or_default();
        let line = behind.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        if let Some((begin, end)) = self.echo
            && !self.kind.is_unasked(line)
        {
            // It comes once more at most: what is like it behind that is text.
            let echo = bytes.get(begin..end).unwrap_or_default();
            if memchr::memmem::find_iter(echo, self.command.as_bytes()).nth(1).is_none() {
                self.echo = Some((begin, end.saturating_add(self.sought().again(behind))));
            }
            return;
        }
        let unasked = self.kind.unasked_near(bytes, self.command);
        let is_prompt = |line: &str| self.known.has(line) || self.known.is_above(line);
        let found = self.sought().at_the_beginning(bytes, &unasked, is_prompt);
        self.echo = found.or(self.echo).or_else(|| self.sought().behind_prompt(bytes));
    }

    /// Believes no more in the known prompt that was asked for again, where another line that looks like one came: the first was a text, and
    /// paused.
    pub(super) fn leave_text(&mut self, prompt: &Prompt) {
        if self.has_asked && self.is_another(prompt) {
            self.interrupted();
        }
    }

    fn is_another(&self, prompt: &Prompt) -> bool {
        let (is_new, line) = (prompt.likeness == Likeness::New, prompt.line.trim());
        self.candidate.as_ref().filter(|first| is_new && first.likeness < Likeness::New).is_some_and(
            |first| {
                let first = first.line.trim();
                // One behind the other, where nothing is echoed, and the blank behind the last one on its way.
                let is_again = glued(line, &|one: &str| one.trim() == first) > 0;
                first != line && !is_again && !same_but_for_numbers(first, line)
            },
        )
    }

    /// Looks for the echo at the beginning, as long as it can still come.
    pub(super) fn find_echo(&mut self, bytes: &[u8]) {
        if self.echo.is_some() || self.looked_for_echo > echo_bytes_max(self.command) {
            return;
        }
        self.looked_for_echo = bytes.len();
        self.echo = self.sought().at_the_beginning(bytes, &[], |_| false).map(|(_, end)| (0, end));
    }

    /// Looks for the echo once more, in all that has come; whether the device has sent it before each answer so far, and does not now.
    pub(in crate::session) fn lacks_echo(&mut self, bytes: &[u8]) -> bool {
        if self.echo.is_none() {
            self.find_late_echo(bytes);
        }
        self.echo.is_none() && !self.command.trim().is_empty() && self.habits.echo == Echo::Always
    }

    /// What is done when the device has hung up: a prompt that names it is the end where nothing else looked like one. Any other may stand in the
    /// middle of an answer that was cut off.
    pub(in crate::session) fn at_the_end(&mut self, bytes: &[u8]) -> Option<Step> {
        self.look(bytes);
        let is_empty = self.command.trim().is_empty();
        let prompt = self.candidate.clone().filter(|prompt| {
            let is_sure = prompt.likeness == Likeness::Named && (is_empty || self.is_echoed());
            // One that was drawn again before the echo ends nothing.
            let is_sure = is_sure && prompt.begin >= self.text_begin();
            self.stands && is_sure && !self.misled && !self.shows_prompts(prompt, bytes)
        })?;
        Some(Step::Done(self.done(&prompt, prompt.begin, bytes, Proof::Looks)))
    }
}
