//! When an answer has ended: what a session does next about what has come, decided without reading or sending anything.
//!
//! ```text
//!             ┌────────────── more comes ──────────────┐
//!             ▼                                        │
//! sent ──▶ [talks] ──the end looks like a prompt──▶ [stands] ──known, echoed, and proven before──▶ done
//!             ▲                                        │ quiet for as long as it is little known
//!             │                                        ▼
//!             └──────── something else ──────────── [asked] ──the prompt again, and nothing else──▶ done
//! ```
//!
//! A prompt cannot be told from a text that looks like one. Asking for it again with an empty line can: the device takes one line after the
//! other, so what it shows for this one stands behind all of the answer before it: an answer ends where two prompts stand with nothing between
//! and nothing behind.

use std::time::Duration;

use jackfield_config::profile::Encoding;

use super::{
    clean,
    drawn::Canvas,
    habits::{Echo, Expected},
    known::{Known, same_but_for_numbers},
    stand::{Likeness, Prompt, Stand, stand},
};
use crate::profile::{Asks, Kind};

/// Quiet time before a prompt is asked for again that is known, or shows the name of the device.
const KNOWN_SETTLE: Duration = Duration::from_millis(10);
/// The same for a prompt unlike all that were seen, where some were: programs stop in the middle of lines for longer than a settle time.
const NEW_SETTLE: Duration = Duration::from_secs(1);
/// Time for the prompt to come again where it was never seen to.
const MUTE_AFTER: Duration = Duration::from_secs(1);
/// Quiet time after which a prompt is asked for anew that did not come again.
const ASK_ANEW: Duration = Duration::from_secs(1);
/// Lines of a prompt above its last one.
const LINES_ABOVE_MAX: usize = 3;
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

/// An answer that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Done {
    /// Bytes before its echo that were no part of it.
    pub(super) begin: usize,
    /// Where its text begins: behind the echo, where there is one.
    pub(super) text: usize,
    /// Where its prompt begins.
    pub(super) end: usize,
    /// The prompt.
    pub(super) prompt: String,
    pub(super) is_echoed: bool,
    /// The prompt was asked for again, and came.
    pub(super) proof: Proof,
}

/// What the end of an answer rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// The prompt came again; `at_first`: nothing was taken for it before.
    Again { at_first: bool },
    /// The device did not show it again within a time.
    Mute,
    /// It is known well enough, or cannot be asked for.
    Looks,
}

impl Proof {
    /// In words, beside the key that describes a prompt.
    pub(super) fn told(self) -> &'static str {
        match self {
            Self::Again { .. } => "prompt: asked for with an empty line, it came again",
            Self::Mute => "prompt: asked for with an empty line, it did not come again",
            Self::Looks => "prompt: known",
        }
    }
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
    candidate: Option<Prompt>,
    /// Something that looked like the end was none.
    misled: bool,
    /// An empty line was sent, and not answered yet.
    has_asked: bool,
    /// What is done when nothing comes.
    then: Option<Step>,
    /// The prompt is asked for without waiting.
    is_at_once: bool,
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
            misled: false,
            has_asked: false,
            then: None,
            is_at_once: false,
        }
    }

    /// The same where the one who waits has looked already, and the prompt is asked for at once.
    pub(super) fn at_once(self) -> Self {
        Self { is_at_once: true, ..self }
    }

    /// What to do after something has come; `bytes` are all since the command was sent, or since the last page.
    pub(super) fn look(&mut self, bytes: &[u8]) -> Step {
        self.find_echo(bytes);
        match stand(self.kind, self.known, self.asked, bytes) {
            Stand::Nothing => {
                if !self.has_asked {
                    self.misled |= self.candidate.take().is_some();
                }
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
                let quiet = if question.at_once { Duration::ZERO } else { self.habits.settle };
                self.when_quiet(quiet, Step::Reply { place: question.place, line: question.line })
            }
            Stand::Prompt(prompt) => self.stands(prompt, bytes),
        }
    }

    /// What to do when nothing has come for as long as was asked for.
    pub(super) fn quiet(&mut self) -> Step {
        match self.then.take() {
            Some(Step::AskAgain) => {
                // A second one counts for the first: one that was thrown away brings nothing, and one prompt too many does no harm.
                self.has_asked = true;
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
            Some(prompt) => {
                let done = self.done(&prompt, prompt.begin, bytes, Proof::Mute);
                self.when_quiet(MUTE_AFTER, Step::Done(done))
            }
            None => Step::Read,
        }
    }

    /// A page was turned, or a question answered: what comes now begins anew.
    pub(super) fn goes_on(&mut self) {
        self.candidate = None;
        self.then = None;
        self.echo = Some((0, 0));
    }

    /// Whether something stood at the end that may have been the prompt.
    pub(super) fn has_candidate(&self) -> bool {
        self.candidate.is_some()
    }

    /// Whether the echo was seen.
    pub(super) fn is_echoed(&self) -> bool {
        self.echo.is_some()
    }

    /// Where the text of the answer begins in what has come.
    pub(super) fn text_begin(&self) -> usize {
        self.echo.map_or(0, |(_, end)| end)
    }

    /// What is done when the device has hung up: what looks like the end is one.
    pub(super) fn at_the_end(&mut self, bytes: &[u8]) -> Option<Step> {
        self.look(bytes);
        let prompt = self.candidate.clone()?;
        Some(Step::Done(self.done(&prompt, prompt.begin, bytes, Proof::Looks)))
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

    fn stands(&mut self, prompt: Prompt, bytes: &[u8]) -> Step {
        if self.kind.goes_on(bytes.get(self.text_begin()..).unwrap_or_default()) {
            return Step::Read;
        }
        if self.echo.is_none() {
            self.echo = clean::late_echo(bytes, self.command, self.known.last(), self.kind.profile.encoding);
        }
        if self.has_asked {
            return self.comes_again(&prompt, bytes);
        }
        if prompt.likeness != Likeness::Covered
            && let Some(before) = &self.candidate
        {
            self.misled |= before.begin != prompt.begin;
        }
        self.candidate = Some(prompt.clone());
        let is_named = prompt.likeness == Likeness::Named;
        let is_echoed = self.echo.is_some() || self.command.trim().is_empty();
        let is_sure = is_named && is_echoed && !self.misled && !self.kind.profile.prompt_before_answer;
        if self.habits.may_ask {
            let is_empty = self.habits.is_silent && self.is_empty_before(&prompt, bytes);
            if is_sure && (self.habits.is_proven || is_empty) {
                let done = self.done(&prompt, prompt.begin, bytes, Proof::Looks);
                return self.when_quiet(Duration::ZERO, Step::Done(done));
            }
            let is_at_once = std::mem::take(&mut self.is_at_once) || is_sure;
            let quiet = if is_at_once { Duration::ZERO } else { self.settle(prompt.likeness) };
            return self.when_quiet(quiet, Step::AskAgain);
        }
        if prompt.likeness == Likeness::Covered || (!is_echoed && self.habits.echo == Echo::Always) {
            // A device that has always echoed has not begun to answer.
            return Step::Read;
        }
        let quiet = if is_sure { Duration::ZERO } else { self.settle_unasked(prompt.likeness) };
        let done = self.done(&prompt, prompt.begin, bytes, Proof::Looks);
        self.when_quiet(quiet, Step::Done(done))
    }

    fn settle(&self, likeness: Likeness) -> Duration {
        let settle = self.habits.settle;
        match likeness {
            Likeness::Named | Likeness::Bare | Likeness::Sibling => settle.min(KNOWN_SETTLE),
            Likeness::Behind => settle,
            Likeness::New if self.known.last().is_empty() => settle,
            Likeness::New | Likeness::Covered => settle.max(NEW_SETTLE),
        }
    }

    /// The same where the prompt cannot be asked for.
    fn settle_unasked(&self, likeness: Likeness) -> Duration {
        let profile = &self.kind.profile;
        match likeness {
            // What follows a prompt there is asked for in another way.
            Likeness::Named | Likeness::Bare | Likeness::Sibling if profile.answer_end.is_some() => {
                self.habits.settle.min(KNOWN_SETTLE)
            }
            Likeness::Named | Likeness::Bare => self.habits.settle,
            Likeness::Sibling => self.habits.settle,
            Likeness::Behind | Likeness::New | Likeness::Covered => self.settle(likeness),
        }
    }

    fn is_empty_before(&self, prompt: &Prompt, bytes: &[u8]) -> bool {
        let from = self.echo.map_or(0, |(_, end)| end);
        bytes.get(from..prompt.begin).is_some_and(|text| text.iter().all(|byte| *byte <= b' '))
    }

    /// An empty line was sent: it is the end where one prompt more stands there than such lines, and nothing between them.
    fn comes_again(&mut self, prompt: &Prompt, bytes: &[u8]) -> Step {
        let Some(first) = &self.candidate else { return Step::Read };
        let is_prompt = |line: &str| {
            let (line, first) = (line.trim(), first.line.trim());
            line == prompt.line.trim()
                || line == first
                || same_but_for_numbers(line, first)
                || self.known.has(line)
        };
        let from = first.begin.max(bytes.len().saturating_sub(COUNTED_BYTES_MAX));
        let near = bytes.get(from..).unwrap_or_default();
        let counted = Counted::of(near, self.kind.profile.encoding);
        let (mut count, row) = counted.prompts(is_prompt);
        let mut begin = if row == 0 { from } else { from.saturating_add(counted.begin_of(row)) };
        if count < 2 {
            let (clean, _) = self.kind.without_unasked(near.to_vec());
            let without = Counted::of(&clean, self.kind.profile.encoding).prompts(is_prompt);
            if without.1 == 0 && from == first.begin {
                (count, begin) = (without.0, from);
            }
        }
        // The lines above the first one belong to it.
        if begin <= first.begin || begin.saturating_sub(first.begin) < first.line.len() {
            begin = first.begin;
        }
        if count < 2 {
            // The device may have thrown the line away that it was sent while it was busy.
            return self.when_quiet(ASK_ANEW, Step::AskAgain);
        }
        let blanks = |line: &str| line.len().saturating_sub(line.trim_end().len());
        let is_whole = blanks(&prompt.line) >= blanks(&first.line);
        let at_first = begin == first.begin && !self.misled;
        let line = if at_first { first.line.clone() } else { prompt.line.clone() };
        let prompt = Prompt { line, ..prompt.clone() };
        let done = Step::Done(self.done(&prompt, begin, bytes, Proof::Again { at_first }));
        // The blank behind it may still be on its way.
        if is_whole { done } else { self.when_quiet(KNOWN_SETTLE, done) }
    }

    fn done(&self, prompt: &Prompt, end: usize, bytes: &[u8], proof: Proof) -> Done {
        let (begin, text) = self.echo.unwrap_or((0, 0));
        let end = end.min(bytes.len());
        let prompt = prompt.line.clone();
        Done {
            begin: begin.min(end),
            text: text.min(end),
            end,
            prompt,
            is_echoed: self.echo.is_some(),
            proof,
        }
    }

    /// Looks for the echo at the beginning, as long as it can still come.
    fn find_echo(&mut self, bytes: &[u8]) {
        if self.echo.is_some() || self.looked_for_echo > clean::echo_bytes_max(self.command) {
            return;
        }
        self.looked_for_echo = bytes.len();
        let end = clean::echo_end(bytes, self.command, self.known.last(), self.kind.profile.encoding);
        self.echo = end.map(|end| (0, end));
    }
}

/// The end of what has come, in which prompts are counted.
struct Counted {
    canvas: Canvas,
    lines: Vec<String>,
}

impl Counted {
    fn of(bytes: &[u8], encoding: Encoding) -> Self {
        let canvas = Canvas::of(bytes, encoding);
        let lines = canvas.lines().collect();
        Self { canvas, lines }
    }

    /// How many prompts stand at the end one behind the other, and the row of the first. Lines above each of them belong to it where the
    /// same stand above the one before.
    fn prompts(&self, is_prompt: impl Fn(&str) -> bool) -> (usize, usize) {
        let (mut count, mut first) = (0_usize, self.lines.len());
        let mut above: Vec<&str> = Vec::new();
        for (row, line) in self.lines.iter().enumerate().rev() {
            if line.trim().is_empty() {
                continue;
            }
            let prompts = glued(line, &is_prompt).max(usize::from(is_prompt(line)));
            if prompts == 0 {
                above.push(line.trim());
                if above.len() > LINES_ABOVE_MAX || count == 0 {
                    break;
                }
                continue;
            }
            if !self.stands_above(row, &above) {
                break;
            }
            count = count.saturating_add(prompts);
            first = self.top_of(row, above.len());
            above.clear();
        }
        (count, first)
    }

    /// Whether these lines, the nearest first, stand above a row, too.
    fn stands_above(&self, row: usize, lines: &[&str]) -> bool {
        let above = self.lines.iter().take(row).rev().map(|line| line.trim()).filter(|line| !line.is_empty());
        let mut above = above.take(lines.len());
        lines.iter().all(|line| above.next() == Some(line))
    }

    /// The row of the first of so many lines above a row.
    fn top_of(&self, row: usize, lines: usize) -> usize {
        let rows = self.lines.iter().enumerate().take(row).rev().filter(|(_, line)| !line.trim().is_empty());
        rows.take(lines).last().map_or(row, |(top, _)| top)
    }

    fn begin_of(&self, row: usize) -> usize {
        self.canvas.begin_above(self.lines.len().saturating_sub(row).saturating_sub(1))
    }
}

/// How many prompts stand in a line one behind the other: a shell that was sent two lines at once shows them so.
fn glued(line: &str, is_prompt: &impl Fn(&str) -> bool) -> usize {
    let line = line.trim();
    (1..=line.len() / 2)
        .filter(|length| line.is_char_boundary(*length))
        .filter_map(|length| {
            let (one, rest) = line.split_at_checked(length)?;
            let prompt = is_prompt(one).then(|| one.trim())?;
            let (mut count, mut rest) = (1_usize, rest);
            while let Some(more) = rest.trim_start_matches(' ').strip_prefix(prompt) {
                count = count.saturating_add(1);
                rest = more;
            }
            rest.trim().is_empty().then_some(count)
        })
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(known: &str, text: &[u8]) -> (usize, usize) {
        let mut prompts = Known::default();
        prompts.learn(known, 4);
        Counted::of(text, Encoding::UTF_8).prompts(|line| prompts.has(line))
    }

    #[test]
    fn prompts_are_counted_from_the_end() {
        for (known, text, count) in [
            ("~ # ", &b"~ # \x1b[6n~ # \x1b[6n"[..], 2),
            ("# ", b"# fine\r\n# # ", 2),
            ("r1#", b"r1#\r\nr1#", 2),
            ("r1#", b"r1#show ip route\r\nno route\r\nr1#", 1),
            ("r1#", b"r1#\r\n*Mar  1 00:00:09.123: %SYS-5-CONFIG_I: Configured\r\nr1#\r\nr1#", 2),
            ("root@mx1# ", b"\r\n[edit]\r\nroot@mx1# \r\n[edit]\r\nroot@mx1# ", 2),
        ] {
            assert_eq!(counted(known, text).0, count, "{}", text.escape_ascii());
        }
        // The line above the first of them is no part of the answer.
        let two_lines = b"seven\r\n\r\n{master:0}\r\nlab@mx1> \r\n\r\n{master:0}\r\nlab@mx1> ";
        assert_eq!(counted("lab@mx1> ", two_lines), (2, 2));
    }
}
