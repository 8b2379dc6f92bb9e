//! What a device waits at, judged by the end of what it has sent: nothing that may end an answer counts where something follows it.

use jackfield_config::profile::Encoding;
use regex_automata::meta::Regex;

use super::{
    clean,
    drawn::Canvas,
    known::Known,
    seen::{self, Found, Seen},
};
use crate::{
    limits::PROMPT_BYTES_MAX,
    profile::{Asks, Kind},
};

/// Lines that are looked at: a prompt may have some above the one that the cursor is in.
const LINES: usize = 8;
/// Bytes that are drawn of a line that has no end.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// What the device waits at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// Nothing that is known: it talks, or waits for something of its own.
    Nothing,
    /// What may be a prompt.
    Prompt(Prompt),
    /// A pager, whose line begins at a byte.
    Pager(Paused),
    /// A question, by its place among those that may be asked.
    Question(Question),
}

/// What may be a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prompt {
    /// Where it begins, with the lines above its last one.
    pub(super) begin: usize,
    /// Its last line, up to the cursor.
    pub(super) line: String,
    /// How well it is known.
    pub(super) likeness: Likeness,
}

/// How well a line is known that may be a prompt; what is known best comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likeness {
    /// It was seen before, letter for letter, and names the device.
    Named,
    /// It was seen before, or differs in numbers alone, and says little: `# `.
    Bare,
    /// It begins with the name that the prompt has shown before: `r1#`, then `r1(config)#`.
    Sibling,
    /// One that was seen last, with nothing behind it but lines that came unasked.
    Interrupted,
    /// One that was seen before ends a line that has something else before it.
    Behind,
    /// The profile's pattern finds it, and nothing else speaks for it.
    New,
    /// One that was seen before stands above other lines: what wrote them may not have drawn it again.
    Covered,
}

/// A pager that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paused {
    /// Where its line begins.
    pub(super) begin: usize,
    /// Where its text begins in what was sent.
    pub(super) after_last: bool,
    /// Nothing stands behind its text.
    pub(super) is_whole: bool,
}

/// A question that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// Its place.
    pub(super) place: usize,
    /// It is believed at once; else when the device is quiet.
    pub(super) at_once: bool,
    /// The line goes on behind what describes it.
    pub(super) is_loose: bool,
    /// The line that asks.
    pub(super) line: String,
}

/// The end of what has come, as a terminal shows it.
pub(super) struct End<'b> {
    raw: &'b [u8],
    from: usize,
    canvas: Canvas,
    /// The line of the cursor.
    pub(super) line: String,
    /// The last lines, up to the cursor.
    text: String,
    has_more: bool,
}

impl<'b> End<'b> {
    /// The end of some bytes.
    pub(super) fn of(bytes: &'b [u8], encoding: Encoding) -> Self {
        let least = bytes.len().saturating_sub(LINE_BYTES_MAX);
        let near = bytes.get(least..).unwrap_or_default();
        // Behind so many line ends; where there are fewer, all of it.
        let end = memchr::memrchr_iter(b'\n', near).nth(LINES.saturating_sub(1));
        let from = end.map_or(0, |end| end.saturating_add(1)).saturating_add(least);
        let raw = bytes.get(from..).unwrap_or_default();
        let canvas = Canvas::of(raw, encoding);
        let last = canvas.last();
        let above: Vec<String> = canvas.ended_lines().map(|(line, _)| line).collect();
        let mut text = above.join("\n");
        if !above.is_empty() {
            text.push('\n');
        }
        text.push_str(&last.text);
        Self { raw, from, canvas, line: last.text, text, has_more: last.has_more }
    }

    /// Whether the cursor stands behind something, with nothing behind it.
    pub(super) fn waits(&self) -> bool {
        !self.has_more && !self.line.trim().is_empty() && self.line.len() <= PROMPT_BYTES_MAX
    }

    /// The byte at which the line of the cursor begins.
    pub(super) fn begin(&self) -> usize {
        self.begin_above(0)
    }

    fn begin_above(&self, lines: usize) -> usize {
        self.from.saturating_add(self.canvas.begin_above(lines))
    }

    /// Where a pattern that stands at the very end begins: the byte of its first line. Patterns see what a terminal shows, and, where that is
    /// not what they describe, the bytes themselves.
    pub(super) fn ends_with(&self, pattern: &Regex) -> Option<usize> {
        if let Some(found) = pattern.find(self.text.as_bytes()) {
            let lines =
                self.text.as_bytes().get(found.start()..)?.iter().filter(|byte| **byte == b'\n').count();
            return Some(self.begin_above(lines));
        }
        let is_found = pattern.is_match(self.line.as_bytes()) || pattern.is_match(self.raw);
        is_found.then(|| self.begin())
    }

    /// Whether a pattern is found in the line of the cursor, and whether it is all of its end.
    pub(super) fn line_has(&self, pattern: &Regex) -> Option<bool> {
        let end = pattern.find_iter(self.line.as_bytes()).last().map(|found| found.end());
        if let Some(end) = end {
            return Some(self.line.get(end..).is_none_or(|rest| rest.trim().is_empty()));
        }
        let raw = self.raw.get(self.begin().saturating_sub(self.from)..).unwrap_or_default();
        let end = pattern.find_iter(raw).last()?.end();
        Some(clean::without_codes_behind(raw.get(end..)?).iter().all(|byte| *byte <= b' '))
    }

    /// Where the lines of a pager begin that waits here, and whether nothing stands behind its text.
    fn pager(&self, pattern: &Regex) -> Option<(usize, bool)> {
        let is_whole = self.line_has(pattern)?;
        let is_shown = pattern.is_match(self.line.as_bytes());
        if !is_shown && !is_whole {
            // It was wiped already.
            return None;
        }
        let found = pattern.find_iter(self.text.as_bytes()).last();
        let lines = found
            .and_then(|found| self.text.get(found.start()..))
            .map_or(0, |text| text.matches('\n').count());
        Some((self.begin_above(lines), is_whole))
    }

    /// The first of some questions that stands in the last line with anything in it, where that line was ended: a key that is waited for below.
    pub(super) fn question_above(&self, questions: &[Asks]) -> Option<usize> {
        let line = self.text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
        questions.iter().position(|asks| {
            let end = asks.pattern.find_iter(line.as_bytes()).last().map(|found| found.end());
            end.is_some_and(|end| asks.anywhere || line.get(end..).is_some_and(|rest| rest.trim().is_empty()))
        })
    }

    /// Whether a pattern is found in the last lines.
    pub(super) fn lines_have(&self, pattern: &Regex) -> bool {
        pattern.is_match(self.text.as_bytes())
    }

    /// The first of some questions that waits here.
    pub(super) fn question<'q>(&self, questions: impl IntoIterator<Item = &'q Asks>) -> Option<Question> {
        questions.into_iter().enumerate().find_map(|(place, asks)| {
            let is_last = self.line_has(&asks.pattern)?;
            (is_last || asks.anywhere || asks.is_loose).then(|| Question {
                place,
                at_once: asks.anywhere,
                is_loose: !is_last && !asks.anywhere,
                line: self.line.trim().to_owned(),
            })
        })
    }

    /// What may be a prompt here.
    pub(super) fn prompt(&self, kind: &Kind, known: &Known) -> Option<Prompt> {
        let by_pattern = self.ends_with(&kind.prompt);
        let line = self.line.clone();
        if let Some(likeness) = known.likeness(&line) {
            let is_seen = likeness < Likeness::Sibling;
            if is_seen || by_pattern.is_some() {
                let begin = by_pattern.unwrap_or_else(|| self.begin());
                return Some(Prompt { begin, line, likeness });
            }
        }
        let behind = known.behind(self.raw).or_else(|| {
            let seen = Seen::of(self.raw);
            known.behind(seen.bytes()).and_then(|(line, at)| Some((line, seen.place(at)?)))
        });
        if let Some((behind, begin)) = behind {
            let begin = self.from.saturating_add(begin);
            return Some(Prompt { begin, line: behind.to_owned(), likeness: Likeness::Behind });
        }
        by_pattern.map(|begin| Prompt { begin, line, likeness: Likeness::New })
    }
}

/// What a device waits at behind some bytes; `asked` are the questions that this command may lead to, before those of the profile.
pub(super) fn stand(kind: &Kind, known: &Known, asked: &[Asks], bytes: &[u8]) -> Stand {
    if !kind.has_lines_above
        && let Some((begin, line)) = known.at_the_end(bytes)
    {
        return Stand::Prompt(Prompt { begin, line: line.to_owned(), likeness: Likeness::Named });
    }
    // Some end a line with a return behind its feed.
    if bytes.is_empty() || bytes.ends_with(b"\n") || bytes.ends_with(b"\n\r") {
        return interrupted(kind, known, bytes).map_or(Stand::Nothing, Stand::Prompt);
    }
    let end = End::of(bytes, kind.profile.encoding);
    for (pager, after_last) in [(&kind.pager_end, true), (&kind.pager, false)] {
        if let Some((begin, is_whole)) = pager.as_ref().and_then(|pattern| end.pager(pattern)) {
            return Stand::Pager(Paused { begin, after_last, is_whole });
        }
    }
    if !end.waits() {
        return Stand::Nothing;
    }
    let prompt = end.prompt(kind, known);
    // A prompt that is known is no question, whatever words are in it.
    let is_known = prompt.as_ref().is_some_and(|prompt| prompt.likeness < Likeness::New);
    let question = end.question(asked.iter().chain(&kind.questions));
    match (question.filter(|question| !(question.is_loose && is_known)), prompt) {
        (Some(question), _) => Stand::Question(question),
        (None, Some(prompt)) => Stand::Prompt(prompt),
        (None, None) => Stand::Nothing,
    }
}

/// A prompt behind which lines came unasked: devices do not draw it again, and wait all the same.
fn interrupted(kind: &Kind, known: &Known, bytes: &[u8]) -> Option<Prompt> {
    last_interrupted(kind, known, bytes).or_else(|| {
        // Another one of the same device, or the first that it shows.
        let end = End::of(kind.before_unasked(bytes)?, kind.profile.encoding);
        let prompt = end.prompt(kind, known).filter(|_| end.waits())?;
        match prompt.likeness {
            Likeness::New => known.last().is_empty().then_some(prompt),
            Likeness::Named
            | Likeness::Bare
            | Likeness::Sibling
            | Likeness::Interrupted
            | Likeness::Behind
            | Likeness::Covered => Some(Prompt { likeness: Likeness::Behind, ..prompt }),
        }
    })
}

/// The same of the prompt that was seen last.
fn last_interrupted(kind: &Kind, known: &Known, bytes: &[u8]) -> Option<Prompt> {
    let line = known.last();
    let from = bytes.len().saturating_sub(LINE_BYTES_MAX);
    let near = bytes.get(from..)?;
    let Found { range, begins_line } = seen::last(near, line)?;
    let at = range.start;
    let (rest, lifted) = kind.without_unasked(near.get(range.end..)?.to_vec());
    let is_unasked = !lifted.is_empty() && rest.iter().all(|byte| *byte <= b' ');
    let likeness = match (begins_line, is_unasked) {
        (true, true) => Likeness::Interrupted,
        (false, true) => Likeness::Behind,
        (_, false) => Likeness::Covered,
    };
    let begin = from.saturating_add(at);
    (begins_line || is_unasked).then(|| Prompt { begin, line: line.to_owned(), likeness })
}
