//! How many prompts stand at the end of what a device has sent, one behind the other.

use std::ops::Range;

use super::{
    drawn::{Canvas, after_escape},
    known::{names_something, same_but_for_numbers},
};
use crate::profile::{Kind, replaced};

/// What stands for a line that came unasked; for one that was written over something else.
const UNASKED: &[u8] = b"\x01\n";
const UNASKED_OVER: &[u8] = b"\x02\n";
const MARKS: [char; 2] = ['\u{1}', '\u{2}'];
/// Prompts that say nothing but that they are one, with no blank between them; more of them are a frame or a rule.
const BARE_MAX: usize = 5;
/// Lines of a prompt above its last one.
const LINES_ABOVE_MAX: usize = 3;

/// The end of what has come, in which prompts are counted; lines that came unasked are left out.
pub(super) struct Counted {
    canvas: Canvas,
    lines: Vec<String>,
    /// The row of the canvas in which each line stands.
    rows: Vec<usize>,
    left_out: Vec<Range<usize>>,
    /// The device may draw its prompt again behind a line that came unasked.
    draws_again: bool,
}

impl Counted {
    /// What is counted of some bytes; whether the device may draw its prompt again by itself.
    pub(super) fn of(kind: &Kind, bytes: &[u8], draws_again: bool) -> Self {
        let left_out = kind.unasked_in(bytes);
        let clean = replaced(bytes, &left_out, mark);
        let canvas = Canvas::of(&clean, kind.profile.encoding);
        let lines: Vec<String> = canvas.lines().collect();
        let rows = (0..lines.len()).collect();
        Self { canvas, lines, rows, left_out, draws_again }
    }

    /// The same where a device that echoes nothing writes the first line of its prompt behind the one that stood there.
    pub(super) fn with_lines_behind(mut self, prompt: &str) -> Self {
        let (mut lines, mut rows) = (Vec::new(), Vec::new());
        for (row, line) in self.rows.into_iter().zip(self.lines) {
            let behind = line.trim_start().strip_prefix(prompt).map(str::trim_start);
            let is_line = |rest: &&str| !rest.trim_end_matches(MARKS).is_empty() && !rest.starts_with(prompt);
            let behind = behind.filter(|rest| !prompt.is_empty() && is_line(rest));
            match behind {
                Some(rest) => {
                    lines.extend([prompt.to_owned(), rest.to_owned()]);
                    rows.extend([row, row]);
                }
                None => {
                    lines.push(line);
                    rows.push(row);
                }
            }
        }
        (self.lines, self.rows) = (lines, rows);
        self
    }

    /// The byte at which a row begins.
    pub(super) fn begin_of(&self, row: usize) -> usize {
        let last = self.rows.last().copied().unwrap_or_default();
        let row = self.rows.get(row).copied().unwrap_or_else(|| last.saturating_add(1));
        let begin = self.canvas.begin_above(last.saturating_sub(row));
        self.left_out.iter().fold(begin, |begin, gap| {
            let longer = gap.len().saturating_sub(UNASKED.len());
            if gap.start < begin { begin.saturating_add(longer) } else { begin }
        })
    }

    /// How many prompts stand at the end one behind the other, and the row of the first. Lines above each of them belong to it where the
    /// same stand above the one before.
    pub(super) fn prompts(&self, is_prompt: impl Fn(&str) -> bool) -> (usize, usize) {
        let (mut count, mut first) = (0_usize, self.lines.len());
        let mut above: Vec<&str> = Vec::new();
        let (mut is_redrawn, mut is_behind_empty) = (false, false);
        for (row, line) in self.lines.iter().enumerate().rev() {
            let shown = line.trim_end_matches(MARKS);
            // A prompt that was drawn again behind a line which came unasked is the same one; one that was asked for stands behind the echo of
            // an empty line. Where that line was written over the prompt, only the new one is seen.
            let may_be_again = shown.len() < line.len() && !is_over(line);
            is_redrawn |= self.draws_again && may_be_again && !is_behind_empty;
            if shown.trim().is_empty() {
                is_behind_empty |= shown.len() == line.len();
                continue;
            }
            let line = shown;
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
            let again = usize::from(std::mem::take(&mut is_redrawn) && count > 0);
            count = count.saturating_add(prompts).saturating_sub(again);
            (first, is_behind_empty) = (self.top_of(row, above.len()), false);
            above.clear();
        }
        (count, first)
    }

    /// The lines between the last prompt and the one before it, the nearest first; none where they are too many for lines of a prompt.
    pub(super) fn lines_above(&self, is_prompt: impl Fn(&str) -> bool) -> Vec<String> {
        let lines = self.lines.iter().rev().map(|line| line.trim_end_matches(MARKS).trim());
        let mut lines = lines.filter(|line| !line.is_empty());
        let mut above = Vec::new();
        if !lines.next().is_some_and(&is_prompt) {
            return above;
        }
        for line in lines {
            if is_prompt(line) {
                return above;
            }
            if above.len() >= LINES_ABOVE_MAX {
                break;
            }
            above.push(line.to_owned());
        }
        Vec::new()
    }

    /// Whether the first line with anything in it is one.
    pub(super) fn begins_with(&self, is_prompt: impl Fn(&str) -> bool) -> bool {
        let mut lines = self.lines.iter().map(|line| line.trim_end_matches(MARKS));
        lines.find(|line| !line.trim().is_empty()).is_some_and(is_prompt)
    }

    /// Whether what the first line shows is one of the prompts that were counted from a row on, be it by the one that was drawn anew when a line
    /// was written over it.
    pub(super) fn has_first_line(&self, first: usize) -> bool {
        first == 0 || self.lines.first().is_some_and(|line| is_over(line))
    }

    /// Whether nothing stands there but prompts, and lines between them that came unasked.
    pub(super) fn is_only_logging(&self, is_prompt: impl Fn(&str) -> bool) -> bool {
        let mut lines = self.lines.iter().map(|line| line.trim_end_matches(MARKS));
        !self.left_out.is_empty()
            && lines.all(|line| line.trim().is_empty() || is_prompt(line) || glued(line, &is_prompt) > 0)
    }

    /// The row of the first of so many lines above a row.
    fn top_of(&self, row: usize, lines: usize) -> usize {
        let rows = self.lines.iter().enumerate().take(row).rev().filter(|(_, line)| !line.trim().is_empty());
        rows.take(lines).last().map_or(row, |(top, _)| top)
    }

    /// Whether these lines, the nearest first, stand above a row, too.
    fn stands_above(&self, row: usize, lines: &[&str]) -> bool {
        let above = self.lines.iter().take(row).rev().map(|line| line.trim()).filter(|line| !line.is_empty());
        let mut above = above.take(lines.len());
        // A clock in one of them has gone on.
        lines
            .iter()
            .all(|line| above.next().is_some_and(|above| above == *line || same_but_for_numbers(above, line)))
    }
}

/// What stands in place of a line that came unasked behind these bytes.
fn mark(before: &[u8]) -> &'static [u8] {
    if has_drawn(before) { UNASKED_OVER } else { UNASKED }
}

/// Whether something was drawn in the last line of some bytes, be it wiped.
fn has_drawn(bytes: &[u8]) -> bool {
    let line = memchr::memrchr(b'\n', bytes).map_or(0, |at| at.saturating_add(1));
    let mut rest = bytes.get(line..).unwrap_or_default();
    while let Some((&byte, after)) = rest.split_first() {
        if byte > b' ' {
            return true;
        }
        rest = if byte == 0x1b { after_escape(after) } else { after };
    }
    false
}

/// Whether nothing is seen in a line but that one came unasked, written over what stood there.
fn is_over(line: &str) -> bool {
    line.trim() == "\u{2}"
}

/// How many prompts stand in a line one behind the other: a shell that was sent two lines at once shows them so.
pub(super) fn glued(line: &str, is_prompt: &impl Fn(&str) -> bool) -> usize {
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
            let is_frame = count > BARE_MAX && !names_something(prompt) && !line.contains(' ');
            (rest.trim().is_empty() && !is_frame).then_some(count)
        })
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;
    use crate::session::known::Known;

    fn counted(known: &str, text: &[u8]) -> (usize, usize) {
        let kind = Kind::new(Profiles::shipped().get("ios").unwrap()).unwrap();
        let mut prompts = Known::default();
        prompts.learn(known, 4);
        Counted::of(&kind, text, true).prompts(|line| prompts.has(line))
    }

    #[test]
    fn prompts_are_counted_from_the_end() {
        for (known, text, count) in [
            ("~ # ", &b"~ # \x1b[6n~ # \x1b[6n"[..], 2),
            ("# ", b"# fine\r\n# # ", 2),
            ("#", b"no echo\r\n##", 2),
            ("#", b"##################", 0),
            ("r1#", b"r1#\r\nr1#", 2),
            ("r1#", b"r1#show ip route\r\nno route\r\nr1#", 1),
            ("r1#", b"r1#\r\n*Mar  1 00:00:09.123: %SYS-5-CONFIG_I: Configured\r\nr1#\r\nr1#", 2),
            ("r1#", b"r1#\r\n*Mar  1 00:00:09.123: %SYS-5-CONFIG_I: Configured\r\nr1#", 1),
            ("r1#", b"r1#*Mar  1 00:00:09.123: %SYS-5-CONFIG_I: Configured\r\nr1#", 1),
            ("MUX:1$ ", b"\r\n[12:00:01] (core)\r\nMUX:1$ \r\n\r\n[12:00:02] (core)\r\nMUX:2$ ", 2),
            ("root@mx1# ", b"\r\n[edit]\r\nroot@mx1# \r\n[edit]\r\nroot@mx1# ", 2),
        ] {
            assert_eq!(counted(known, text).0, count, "{}", text.escape_ascii());
        }
        // The line above the first of them is no part of the answer.
        let two_lines = b"seven\r\n\r\n{master:0}\r\nlab@mx1> \r\n\r\n{master:0}\r\nlab@mx1> ";
        assert_eq!(counted("lab@mx1> ", two_lines), (2, 2));
    }
}
