//! A log searched from its first byte to its last, in memory that does not depend on it, and given up as soon as nobody listens.
//!
//! ```text
//! piece 0 ── thread 0: read, unpacked, may it be in there? ──┐
//! piece 1 ── thread 1 ───────────────────────────────────────┼──▶ in order: lines are put together, looked at, counted, told
//! piece 2 ── thread 0 …                                      ┘
//! ```
//!
//! Reading, unpacking and the first look at a mebibyte take far longer than to say that it is in none of its lines. So the threads do that,
//! and one puts their pieces together: a line that two pieces share is looked at there.

use std::{
    io,
    num::NonZero,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use super::{
    search::{Hit, Needle, Progress},
    source::Source,
};
use crate::limits;

/// Whoever listens to a search. An answer of false ends it.
pub(super) trait Listener {
    fn hit(&mut self, hit: Hit) -> bool;
    fn progress(&mut self, progress: Progress) -> bool;
}

/// Some of the log, read ahead.
struct Piece {
    bytes: Vec<u8>,
    /// Behind the first end of a line, and behind the last; none where no line ends in it.
    lines: Option<(usize, usize)>,
    /// How many lines end between those.
    ends: u64,
    /// What is looked for may stand in them.
    is_of_interest: bool,
}

impl Piece {
    fn new(bytes: Vec<u8>, needle: &Needle) -> Self {
        let ends = memchr::memchr(b'\n', &bytes).zip(memchr::memrchr(b'\n', &bytes));
        let lines = ends.map(|(first, last)| (first.saturating_add(1), last.saturating_add(1)));
        let whole = lines.and_then(|(first, last)| bytes.get(first..last)).unwrap_or_default();
        let (ends, is_of_interest) = (count_ends(whole), needle.may_be_in(whole));
        Self { bytes, lines, ends, is_of_interest }
    }
}

/// Searches a log to its end, or until nobody listens. `begin` is the number of a line, and the byte at which it begins.
pub(super) fn search(
    source: &Source,
    needle: &Needle,
    begin: (u64, u64),
    listener: &mut impl Listener,
) -> io::Result<()> {
    let (line, at) = begin;
    let block = u64::try_from(limits::LOG_FRAME_BYTES).unwrap_or(u64::MAX);
    let first = at / block;
    let pieces = source.size().div_ceil(block).saturating_sub(first);
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(limits::LOG_SEARCH_THREADS_MAX);
    let threads = u64::try_from(threads).unwrap_or(1).min(pieces).max(1);
    let mut search = Search {
        needle,
        listener,
        line,
        by_lines: needle.is_by_lines(),
        progress: Progress::default(),
        held: Vec::new(),
        held_from: at,
        told: at,
    };
    thread::scope(|scope| {
        // Each has its own pieces: which is next needs no word between them.
        let readers: Vec<_> = (0..threads)
            .map(|nth| {
                let (said, heard) = sync_channel(limits::LOG_SEARCH_AHEAD);
                let needle = needle.clone();
                scope.spawn(move || {
                    let mine = (first.saturating_add(nth)..).step_by(usize::try_from(threads).unwrap_or(1));
                    read(source, &needle, mine.map(|piece| piece.saturating_mul(block).max(at)), &said);
                });
                heard
            })
            .collect();
        // Whoever reads ahead ends when nobody hears it any more: when this closure, which owns the ears, is over.
        search.listen(readers)
    })
}

/// Reads pieces until the end of the log, or until nobody wants more.
fn read(
    source: &Source,
    needle: &Needle,
    places: impl Iterator<Item = u64>,
    said: &SyncSender<io::Result<Piece>>,
) {
    for at in places {
        let piece = match source.read(at) {
            Ok(None) => return,
            Ok(Some(bytes)) => Ok(Piece::new(bytes, needle)),
            Err(error) => Err(error),
        };
        if said.send(piece).is_err() {
            return;
        }
    }
}

struct Search<'search, L> {
    needle: &'search Needle,
    listener: &'search mut L,
    /// The number of the line that comes next.
    line: u64,
    /// The pattern reaches over the ends of lines: each line is searched by itself, or the rest of the log would be read for each.
    by_lines: bool,
    progress: Progress,
    /// What is left of the last line of a piece, and where it begins.
    held: Vec<u8>,
    held_from: u64,
    /// How far it was when that was told last.
    told: u64,
}

impl<L: Listener> Search<'_, L> {
    /// Takes the pieces in their order.
    fn listen(&mut self, readers: Vec<Receiver<io::Result<Piece>>>) -> io::Result<()> {
        for reader in readers.iter().cycle() {
            // Who has no more was at the end of the log, and the others are beyond it.
            let Ok(piece) = reader.recv() else { break };
            if !self.take_piece(piece?) || !self.tell() {
                return Ok(());
            }
        }
        let (held, from) = (std::mem::take(&mut self.held), self.held_from);
        let searched = from.saturating_add(length(&held));
        if self.look(&held, from) {
            self.listener.progress(Progress { searched, ..self.progress });
        }
        Ok(())
    }

    /// Says how far it is, now and then. False when nobody listens any more.
    fn tell(&mut self) -> bool {
        self.progress.searched = self.held_from;
        if self.held_from.saturating_sub(self.told) < limits::LOG_SEARCH_TELL_BYTES {
            return true;
        }
        self.told = self.held_from;
        self.listener.progress(self.progress)
    }

    /// Looks at a piece, as far as its lines have ended; false when nobody listens any more.
    fn take_piece(&mut self, piece: Piece) -> bool {
        let Some((first, last)) = piece.lines else {
            self.held.extend_from_slice(&piece.bytes);
            // Nobody has lines that long: it is cut, so that it need not be kept whole.
            return self.held.len() < limits::LOG_SEARCH_LINE_BYTES || self.look_at_held();
        };
        let (head, rest) = piece.bytes.split_at(first);
        let (whole, tail) = rest.split_at(last.saturating_sub(first));
        self.held.extend_from_slice(head);
        if !self.look_at_held() {
            return false;
        }
        if piece.is_of_interest {
            if !self.look(whole, self.held_from) {
                return false;
            }
        } else {
            self.line = self.line.saturating_add(piece.ends);
        }
        self.held_from = self.held_from.saturating_add(length(whole));
        self.held.extend_from_slice(tail);
        true
    }

    /// Looks at what is held, which is a line or what of one is cut off.
    fn look_at_held(&mut self) -> bool {
        let mut held = std::mem::take(&mut self.held);
        let listens = self.look(&held, self.held_from);
        self.held_from = self.held_from.saturating_add(length(&held));
        held.clear();
        // Its room is used again.
        self.held = held;
        listens
    }

    /// Looks at whole lines; false when nobody listens any more.
    fn look(&mut self, text: &[u8], from: u64) -> bool {
        let mut at = 0;
        while !self.by_lines && at < text.len() {
            let Some((start, over)) = self.needle.next_in(text, at) else { break };
            let begin = memchr::memrchr(b'\n', text.get(..start).unwrap_or_default());
            let begin = begin.map_or(0, |end| end.saturating_add(1)).max(at);
            let rest = text.get(start..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map_or(text.len(), |end| start.saturating_add(end));
            if begin >= text.len() {
                // An empty match after the last line.
                break;
            }
            self.line = self.line.saturating_add(count_ends(text.get(at..begin).unwrap_or_default()));
            self.by_lines = over > end;
            if !self.take(
                text.get(begin..end).unwrap_or_default(),
                from.saturating_add(length(text.get(..begin).unwrap_or_default())),
            ) {
                return false;
            }
            at = end.saturating_add(1);
            self.line = self.line.saturating_add(u64::from(at <= text.len()));
        }
        let rest = text.get(at.min(text.len())..).unwrap_or_default();
        if self.by_lines {
            return self.look_by_lines(rest, from.saturating_add(u64::try_from(at).unwrap_or(u64::MAX)));
        }
        self.line = self.line.saturating_add(count_ends(rest));
        true
    }

    fn look_by_lines(&mut self, text: &[u8], from: u64) -> bool {
        let mut from = from;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let bare = line.strip_suffix(b"\n");
            if !self.take(bare.unwrap_or(line), from) {
                return false;
            }
            from = from.saturating_add(length(line));
            self.line = self.line.saturating_add(u64::from(bare.is_some()));
        }
        true
    }

    /// Tells of a line, where the pattern stands in it.
    fn take(&mut self, line: &[u8], from: u64) -> bool {
        let ranges = self.needle.ranges(line);
        if ranges.is_empty() {
            return true;
        }
        self.progress.hits = self.progress.hits.saturating_add(1);
        if self.progress.hits > limits::LOG_HITS_MAX {
            return true;
        }
        let bytes = line.get(..line.len().min(limits::LOG_LINE_BYTES)).unwrap_or_default().to_vec();
        self.listener.hit(Hit { line: self.line, from, ranges, bytes })
    }
}

fn count_ends(bytes: &[u8]) -> u64 {
    u64::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u64::MAX)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
