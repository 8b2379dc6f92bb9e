//! Lines of a log by their numbers, however long the log is.
//!
//! The index counts the line ends of each mebibyte, so any line is found by looking at one mebibyte. It costs eight bytes for each of them
//! and is made by reading the log once; it grows with the log. A packed log carries the counts in itself.

use std::io;

use super::source::Source;
use crate::limits;

/// Some lines of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineWindow {
    /// How many bytes the log has by now.
    pub size: u64,
    /// How many lines; one that has not ended yet counts.
    pub lines: u64,
    /// The lines, one after the other.
    pub items: Vec<Line>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1.
    pub line: u64,
    /// Where it begins.
    pub from: u64,
    /// How many bytes it has, without what ends it.
    pub length: u64,
    /// Its bytes, or the beginning of them.
    pub bytes: Vec<u8>,
    /// What follows the last carriage return of a line that is longer than its beginning: what a terminal shows of a line that was drawn anew
    /// again and again. None where there is no such return, or more follows it than is answered of a line.
    pub last: Option<Vec<u8>>,
}

/// Where the lines of a log are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LineIndex {
    /// How many lines end before each block.
    before: Vec<u64>,
    /// How many lines end in what was read.
    ends: u64,
    /// How much was read.
    covered: u64,
    /// Whether the last byte that was read ends a line.
    is_ended: bool,
}

fn block_bytes() -> u64 {
    u64::try_from(limits::LOG_FRAME_BYTES).unwrap_or(u64::MAX)
}

fn count(bytes: &[u8]) -> u64 {
    u64::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u64::MAX)
}

impl LineIndex {
    /// Reads what came since the last time.
    pub(super) fn extend(&mut self, source: &Source) -> io::Result<()> {
        let size = source.size();
        if size < self.covered {
            // What was cut off by a crash, or replaced.
            *self = Self::default();
        }
        if self.covered == 0
            && let Source::Packed { newlines: Some(newlines), .. } = source
        {
            return self.take(newlines, source);
        }
        while self.covered < size {
            let Some(bytes) = source.read(self.covered)? else { break };
            self.push(&bytes);
        }
        Ok(())
    }

    /// Counts what follows what was read. It never reaches beyond the end of a block.
    fn push(&mut self, bytes: &[u8]) {
        if self.covered.is_multiple_of(block_bytes()) {
            self.before.push(self.ends);
        }
        self.ends = self.ends.saturating_add(count(bytes));
        self.covered = self.covered.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.is_ended = bytes.last() == Some(&b'\n');
    }

    /// Takes the counts that a packed log carries.
    fn take(&mut self, newlines: &[u32], source: &Source) -> io::Result<()> {
        let size = source.size();
        for ends in newlines {
            self.before.push(self.ends);
            self.ends = self.ends.saturating_add(u64::from(*ends));
        }
        self.covered = size;
        let last = source.read(size.saturating_sub(1))?;
        self.is_ended = last.as_deref().and_then(<[u8]>::last) == Some(&b'\n');
        Ok(())
    }

    /// Forgets what lies behind a place, since other bytes may be written there.
    pub(super) fn forget(&mut self, from: u64) {
        if from >= self.covered {
            return;
        }
        let kept = usize::try_from(from / block_bytes()).unwrap_or(usize::MAX);
        self.ends = self.before.get(kept).copied().unwrap_or(0);
        self.before.truncate(kept);
        self.covered = (from / block_bytes()).saturating_mul(block_bytes());
        // Only asked when something was read after it.
        self.is_ended = false;
    }

    /// How many lines there are; the last one may not have ended.
    pub(super) fn lines(&self) -> u64 {
        let open = u64::from(self.covered > 0 && !self.is_ended);
        self.ends.saturating_add(open)
    }

    /// Where the line ends that is the nth to end, counted from 0.
    fn end_of(&self, nth: u64, source: &Source) -> io::Result<Option<u64>> {
        if nth >= self.ends {
            return Ok(None);
        }
        // The last block before which no more than `nth` lines end.
        let block = self.before.partition_point(|before| *before <= nth).saturating_sub(1);
        let begin = u64::try_from(block).unwrap_or(u64::MAX).saturating_mul(block_bytes());
        let left = nth.saturating_sub(self.before.get(block).copied().unwrap_or(0));
        let Some(bytes) = source.read(begin)? else { return Ok(None) };
        let found = memchr::memchr_iter(b'\n', &bytes).nth(usize::try_from(left).unwrap_or(usize::MAX));
        Ok(found.and_then(|at| begin.checked_add(u64::try_from(at).ok()?)))
    }

    /// Where a line begins.
    pub(super) fn begin_of(&self, line: u64, source: &Source) -> io::Result<Option<u64>> {
        match line.checked_sub(2) {
            None => Ok(Some(0)),
            Some(before) => Ok(self.end_of(before, source)?.and_then(|end| end.checked_add(1))),
        }
    }

    /// At most so many lines from a number on, as many as the limits of an answer allow.
    pub(super) fn window(&self, source: &Source, from: u64, wanted: u64) -> io::Result<LineWindow> {
        let mut window = LineWindow { size: self.covered, lines: self.lines(), items: Vec::new() };
        let first = from.max(1);
        let Some(begin) = self.begin_of(first, source)? else { return Ok(window) };
        let last =
            self.lines().min(first.saturating_add(wanted.min(limits::LOG_LINES_MAX)).saturating_sub(1));
        let mut reader = Reader { source, at: begin, held: Vec::new(), taken: 0 };
        let mut room = limits::LOG_WINDOW_BYTES;
        for line in first..=last {
            let from = reader.at;
            let bytes = reader.line(self.covered)?;
            let (length, last) = match bytes {
                Kept::Whole(ref bytes) => (u64::try_from(bytes.len()).unwrap_or(u64::MAX), None),
                Kept::Beginning(ref bytes) => {
                    let end = self.end_of(line.saturating_sub(1), source)?.unwrap_or(self.covered);
                    let is_redrawn = bytes.contains(&b'\r');
                    let last = if is_redrawn { reader.last_state(from, end)? } else { None };
                    reader.jump(end.saturating_add(1));
                    (end.saturating_sub(from), last)
                }
            };
            let (Kept::Whole(bytes) | Kept::Beginning(bytes)) = bytes;
            room = room.saturating_sub(bytes.len()).saturating_sub(last.as_ref().map_or(0, Vec::len));
            window.items.push(Line { line, from, length, bytes, last });
            if room == 0 {
                break;
            }
        }
        Ok(window)
    }
}

/// What is answered of a line.
enum Kept {
    Whole(Vec<u8>),
    /// It is too long.
    Beginning(Vec<u8>),
}

/// Reads line after line, and holds no more than a block and a line.
struct Reader<'source> {
    source: &'source Source,
    at: u64,
    held: Vec<u8>,
    taken: usize,
}

impl Reader<'_> {
    fn line(&mut self, end: u64) -> io::Result<Kept> {
        let mut line = Vec::new();
        loop {
            let rest = self.held.get(self.taken..).unwrap_or_default();
            if rest.is_empty() {
                match self.source.read(self.at).map(|read| read.filter(|_| self.at < end))? {
                    Some(bytes) => (self.held, self.taken) = (bytes, 0),
                    None => return Ok(Kept::Whole(line)),
                }
                continue;
            }
            let stop = memchr::memchr(b'\n', rest);
            let length = stop.unwrap_or(rest.len());
            let room = limits::LOG_LINE_BYTES.saturating_sub(line.len());
            line.extend_from_slice(rest.get(..length.min(room)).unwrap_or_default());
            if length > room {
                return Ok(Kept::Beginning(line));
            }
            let used = length.saturating_add(usize::from(stop.is_some()));
            self.taken = self.taken.saturating_add(used);
            self.at = self.at.saturating_add(u64::try_from(used).unwrap_or(u64::MAX));
            if stop.is_some() {
                return Ok(Kept::Whole(line));
            }
        }
    }

    /// What follows the last carriage return of a line, if that is no more than is answered of one. A line of a device ends with one, too: that
    /// redraws nothing.
    fn last_state(&self, from: u64, end: u64) -> io::Result<Option<Vec<u8>>> {
        let most = u64::try_from(limits::LOG_LINE_BYTES).unwrap_or(u64::MAX);
        let begin = from.max(end.saturating_sub(most));
        let mut bytes = match self.held(begin, end) {
            Some(bytes) => bytes.to_vec(),
            None => between(self.source, begin, end)?,
        };
        while bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        let Some(place) = memchr::memrchr(b'\r', &bytes) else { return Ok(None) };
        Ok(Some(bytes.split_off(place.saturating_add(1))))
    }

    /// These bytes, if they were read with what stands here.
    fn held(&self, from: u64, to: u64) -> Option<&[u8]> {
        let begin = self.at.checked_sub(u64::try_from(self.taken).ok()?)?;
        let place = |at: u64| usize::try_from(at.checked_sub(begin)?).ok();
        self.held.get(place(from)?..place(to)?)
    }

    fn jump(&mut self, to: u64) {
        let ahead = to.checked_sub(self.at).and_then(|ahead| usize::try_from(ahead).ok());
        let inside =
            ahead.and_then(|ahead| self.taken.checked_add(ahead)).filter(|at| *at <= self.held.len());
        match inside {
            Some(at) => self.taken = at,
            None => (self.held, self.taken) = (Vec::new(), 0),
        }
        self.at = to;
    }
}

/// The bytes from one place to another.
fn between(source: &Source, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut at = from;
    while at < to {
        let Some(mut piece) = source.read(at)? else { break };
        piece.truncate(usize::try_from(to.saturating_sub(at)).unwrap_or(usize::MAX));
        at = at.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        bytes.append(&mut piece);
    }
    Ok(bytes)
}
