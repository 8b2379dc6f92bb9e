//! Whether the prompt came again that was asked for with an empty line, and where the first of them begins: with the lines above it, where the
//! device shows the same above each.

use std::time::Duration;

use super::{ASK_ANEW, ASK_TWICE, Answering, COUNTED_BYTES_MAX, Done, Proof, Step, settle::KNOWN_SETTLE};
use crate::session::{
    counted::Counted,
    habits::Echo,
    known::{names_something, same_but_for_numbers},
    seen,
    stand::{Likeness, Prompt},
};

/// Quiet time after which a prompt is asked for anew where it came again, and one more may be that of an earlier empty line.
const ASK_ONCE_MORE: Duration = Duration::from_millis(300);
/// Empty lines that are sent one after the other between lines that come unasked.
const ASKED_AT_ONCE_MAX: usize = 4;
/// Empty lines that a row of signs must have grown by, one for each.
const ROW_ASKED_MIN: usize = 2;

/// The prompts that stand at the end one behind the other.
struct Row {
    count: usize,
    /// Where the first of them begins.
    begin: usize,
    /// Lines above each of them that its profile does not describe.
    above: Vec<String>,
    /// Above the first of them stands one with other lines above it, or one that has none.
    is_open: bool,
    /// Nothing else stands there but lines that came unasked.
    is_only_logging: bool,
}

impl Answering<'_> {
    /// An empty line was sent: it is the end where one prompt more stands there than such lines, and nothing between them.
    pub(super) fn comes_again(&mut self, prompt: &Prompt, bytes: &[u8]) -> Step {
        let Some(first) = self.candidate.clone() else { return Step::Read };
        let is_lost = self.habits.is_ahead && !self.is_echoed();
        // The command may have been lost, and not the empty line behind it.
        if is_lost || (self.habits.echo == Echo::Always && self.needs_echo(&first, bytes)) {
            return Step::Read;
        }
        let row = self.row(&first, prompt, bytes);
        // A line of the answer may end as the prompt does, and the next one be like it.
        let is_behind = first.likeness == Likeness::Behind;
        let is_new = !row.above.is_empty() && row.above.len() != self.habits.above;
        let more = usize::from(is_new || is_behind || self.is_ahead_of_text(&first, row.begin, bytes));
        if row.count < self.habits.strays.saturating_add(2).saturating_add(more) {
            let quiet = match (row.count >= 2, row.is_only_logging) {
                (true, _) if more > 0 => KNOWN_SETTLE,
                (true, _) => ASK_ONCE_MORE,
                // Where lines come unasked all the time, two prompts stand beside each other only before the next of them, or it shows in
                // a while that none is drawn behind them. Else the device may have thrown the line away that it was sent while it was busy.
                (false, true) if self.empty_lines < ASKED_AT_ONCE_MAX => KNOWN_SETTLE,
                (false, true) => ASK_TWICE,
                (false, false) => ASK_ANEW,
            };
            return self.when_quiet(quiet, Step::AskAgain);
        }
        if self.may_be_lost(&first, bytes) {
            return Step::Read;
        }
        if let Some(quiet) = self.may_be_frame(&first, prompt, row.count) {
            return self.when_quiet(quiet, Step::AskAgain);
        }
        self.proven(&first, prompt, &row, bytes)
    }

    /// The answer has ended before the first of these prompts.
    fn proven(&mut self, first: &Prompt, prompt: &Prompt, row: &Row, bytes: &[u8]) -> Step {
        let begin = row.begin;
        let blanks = |line: &str| line.len().saturating_sub(line.trim_end().len());
        let is_whole = blanks(&prompt.line) >= blanks(&first.line);
        let at_first = begin <= first.begin && !self.misled;
        // A line that was not ended stands before the prompt, and only the prompt came again.
        let (shown, again) = (first.line.trim_end(), prompt.line.trim());
        if begin == first.begin && shown.len() > again.len() && shown.ends_with(again) {
            let line = bytes.get(begin..).unwrap_or_default();
            let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let at = seen::last(line, again).map_or(0, |found| found.range.start);
            let done = self.done(prompt, begin.saturating_add(at), bytes, Proof::Again { at_first: false });
            return Step::Done(self.with_strays(done, row.count, bytes));
        }
        let line = if at_first { first.line.clone() } else { prompt.line.clone() };
        let prompt = Prompt { line, ..prompt.clone() };
        let done = self.done(&prompt, begin, bytes, Proof::Again { at_first });
        // The line above the first is another one, and would be taken for the end of the answer.
        let is_open_above = !row.above.is_empty() && row.is_open;
        let done = Done { above: row.above.clone(), is_open_above, ..done };
        let done = Step::Done(self.with_strays(done, row.count, bytes));
        // The blank behind it may still be on its way.
        if is_whole { done } else { self.when_quiet(KNOWN_SETTLE, done) }
    }

    /// The prompts at the end, and how many lines stand above each: as many as have been seen there, or as the last ones show.
    fn row(&self, first: &Prompt, prompt: &Prompt, bytes: &[u8]) -> Row {
        let row = self.row_with(first, prompt, bytes, self.habits.above, self.habits.above > 0);
        if row.above.len() > self.habits.above {
            return self.row_with(first, prompt, bytes, row.above.len(), true);
        }
        if row.count > 1 || self.habits.echo == Echo::Always {
            return row;
        }
        // Where nothing is echoed, the first line of the next prompt may stand behind this one.
        let behind = self.row_with(first, prompt, bytes, self.habits.above, true);
        let above = behind.above.len().max(self.habits.above);
        let behind = self.row_with(first, prompt, bytes, above, true);
        if behind.count > 1 { behind } else { row }
    }

    fn row_with(
        &self,
        first: &Prompt,
        prompt: &Prompt,
        bytes: &[u8],
        above: usize,
        has_lines_behind: bool,
    ) -> Row {
        let is_prompt = &|line: &str| {
            let (line, first, last) = (line.trim(), first.line.trim(), prompt.line.trim());
            // The first may stand behind a line that was not ended.
            let is_same = line == last || same_but_for_numbers(line, last);
            let is_behind = first.ends_with(last) && self.known.has(last);
            is_same || self.known.has(line) || (line == first && (is_behind || last.ends_with(first)))
        };
        let near = first.begin.max(bytes.len().saturating_sub(COUNTED_BYTES_MAX));
        let from = if near == first.begin { self.top_of(first, above, bytes) } else { near };
        let counted = Counted::of(self.kind, bytes.get(from..).unwrap_or_default(), self.habits.draws_again);
        let counted = if has_lines_behind { counted.with_lines_behind(prompt.line.trim()) } else { counted };
        let (count, row) = counted.prompts(is_prompt);
        let mut begin = from.saturating_add(counted.begin_of(row));
        // The lines above the first one belong to it.
        let is_above = from < first.begin && begin < first.begin;
        if !is_above && begin.saturating_sub(first.begin) < first.line.len() {
            begin = first.begin;
        }
        // Lines that the profile describes are a part of the first one.
        let is_described = from == first.begin && !counted.begins_with(is_prompt);
        let above = if is_described { Vec::new() } else { counted.lines_above(is_prompt) };
        let before = bytes.get(self.text_begin()..begin).unwrap_or_default().trim_ascii_end();
        let line = memchr::memrchr(b'\n', before).map_or(0, |at| at.saturating_add(1));
        let is_open = is_prompt(&String::from_utf8_lossy(before.get(line..).unwrap_or_default()));
        Row { count, begin, above, is_open, is_only_logging: counted.is_only_logging(is_prompt) }
    }

    /// Where so many lines above a prompt begin, none of them before the text of the answer.
    fn top_of(&self, first: &Prompt, above: usize, bytes: &[u8]) -> usize {
        let begins_line = first.likeness != Likeness::Behind && first.likeness != Likeness::Interrupted;
        let text = self.text_begin();
        let before = bytes.get(text..first.begin).filter(|_| above > 0 && begins_line).unwrap_or_default();
        let (mut top, mut left) = (before.len(), above);
        for line in before.split_inclusive(|byte| *byte == b'\n').rev() {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(usize::from(!line.trim_ascii().is_empty()));
            top = top.saturating_sub(line.len());
        }
        first.begin.saturating_sub(before.len().saturating_sub(top))
    }

    /// How long to wait before one more is asked for, where what stands there may be the frame of a banner that pauses: signs one behind the other,
    /// and not one for each empty line.
    fn may_be_frame(&self, first: &Prompt, prompt: &Prompt, count: usize) -> Option<Duration> {
        let is_row = [first.line.as_str(), self.known.last()].iter().any(|sign| is_row(&prompt.line, sign));
        let drawn = self.habits.strays.saturating_add(self.empty_lines).saturating_add(1);
        match (is_row, count > drawn) {
            (true, true) => Some(ASK_ANEW),
            (true, false) if self.empty_lines < ROW_ASKED_MIN => Some(ASK_ONCE_MORE),
            (true, false) | (false, _) => None,
        }
    }
}

/// Whether a line is a prompt that says nothing, again and again with no blank between.
fn is_row(line: &str, sign: &str) -> bool {
    let (line, sign) = (line.trim(), sign.trim());
    let is_sign = !sign.is_empty() && !names_something(sign);
    is_sign && line.len() > sign.len() && line.replace(sign, "").is_empty()
}
