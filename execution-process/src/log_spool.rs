//! The bytes tests wrote, on disk until the engine has them.
//!
//! All logs of all attempts go through one row of segment files, in the order they came, as the frames that will
//! travel: an empty log costs nothing, a short one a single write, and a log of gigabytes a bounded piece of disk. Frames
//! that were just written are also kept in a small memory, so a connection that keeps up never reads the disk.
//! When the disk's share is full, nothing more is taken in ([`LogSpool::is_full`]): the tests that write wait.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    path::{Path, PathBuf},
};

use jackfield_protocol::{
    id::AttemptId,
    log::{LogFrame, Stream},
};
use segment::{Position, Segment};

use crate::limits::{FRAMES_UNDER_WAY_MAX, LOG_EMPTIED_BYTES, LOG_MEMORY_BYTES, LOG_SEGMENT_BYTES};

mod segment;

/// Every log byte that is not known to be stored by the engine.
#[derive(Debug)]
pub(crate) struct LogSpool {
    folder: PathBuf,
    bytes_max: u64,
    segments: BTreeMap<u64, Segment>,
    /// Where the next frame that was never sent on this connection begins.
    cursor: Position,
    /// Frames to be sent again, before the cursor.
    again: BTreeSet<Position>,
    memory: BTreeMap<Position, Vec<u8>>,
    memory_bytes: usize,
    under_way: BTreeMap<(AttemptId, Stream), VecDeque<UnderWay>>,
    frames_under_way: usize,
    bytes_under_way: u64,
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    /// The log's length with this frame.
    end: u64,
    /// Log bytes in it.
    bytes: u64,
    position: Position,
}

impl LogSpool {
    /// Opens the folder; what an earlier life of this EP left there is sent again.
    ///
    /// # Errors
    /// The folder or a file in it cannot be read or written.
    pub(crate) fn open(folder: &Path, bytes_max: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut segments = BTreeMap::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
            if let Some(number) = number {
                let segment = Segment::open(&path)?;
                if segment.pending == 0 {
                    std::fs::remove_file(&path)?;
                } else {
                    segments.insert(number, segment);
                }
            }
        }
        let first = segments.keys().next().copied();
        let next = segments.keys().next_back().map_or(0, |last| last.saturating_add(1));
        let cursor = Position { segment: first.unwrap_or(next), offset: 0 };
        Ok(Self {
            folder: folder.to_owned(),
            bytes_max,
            segments,
            cursor,
            again: BTreeSet::new(),
            memory: BTreeMap::new(),
            memory_bytes: 0,
            under_way: BTreeMap::new(),
            frames_under_way: 0,
            bytes_under_way: 0,
        })
    }

    /// Forgets every byte: they are of tests that another engine gave out.
    pub(crate) fn forget(&mut self) {
        let next =
            self.segments.keys().next_back().map_or(self.cursor.segment, |last| last.saturating_add(1));
        for number in std::mem::take(&mut self.segments).into_keys() {
            let path = self.segment_path(number);
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!("`{}` cannot be removed: {error}", path.display());
            }
        }
        self.cursor = Position { segment: next, offset: 0 };
        self.again.clear();
        self.memory.clear();
        self.under_way.clear();
        (self.memory_bytes, self.frames_under_way, self.bytes_under_way) = (0, 0, 0);
    }

    /// Whether the share of the disk is used up.
    pub(crate) fn is_full(&self) -> bool {
        self.segments.values().map(|segment| segment.length).sum::<u64>() >= self.bytes_max
    }

    /// Takes a frame in.
    ///
    /// # Errors
    /// The disk would not take it; nothing was taken in, and the same frame may be tried again.
    pub(crate) fn push(&mut self, frame: &LogFrame<'_>) -> io::Result<()> {
        let bytes = frame.encode();
        let number = self.writable_segment()?;
        let Some(segment) = self.segments.get_mut(&number) else { return Ok(()) };
        let position = Position { segment: number, offset: segment.append(&bytes)? };
        if self.memory_bytes.saturating_add(bytes.len()) <= LOG_MEMORY_BYTES {
            self.memory_bytes = self.memory_bytes.saturating_add(bytes.len());
            self.memory.insert(position, bytes);
        }
        Ok(())
    }

    /// The next frame to send, as it travels; none where all was sent, or too much is under way.
    ///
    /// # Errors
    /// The disk would not give it back.
    pub(crate) fn next(&mut self, window_bytes: u64) -> io::Result<Option<Vec<u8>>> {
        if self.bytes_under_way >= window_bytes || self.frames_under_way >= FRAMES_UNDER_WAY_MAX {
            return Ok(None);
        }
        let position = match self.again.pop_first() {
            Some(position) => position,
            None => match self.cursor_position() {
                Some(position) => position,
                None => return Ok(None),
            },
        };
        let Some(bytes) = self.frame_at(position)? else { return Ok(None) };
        if position == self.cursor {
            self.cursor.offset = position.offset.saturating_add(segment::stored_bytes(bytes.len()));
        }
        let Ok(frame) = LogFrame::decode(&bytes) else {
            // Written by a later version of this program: nobody here can say where it belongs.
            self.retire(position);
            return self.next(window_bytes);
        };
        let length = u64::try_from(frame.bytes.len()).unwrap_or(u64::MAX);
        let entry = UnderWay { end: frame.offset.saturating_add(length), bytes: length, position };
        self.under_way.entry((frame.attempt, frame.stream)).or_default().push_back(entry);
        self.frames_under_way = self.frames_under_way.saturating_add(1);
        self.bytes_under_way = self.bytes_under_way.saturating_add(length);
        Ok(Some(bytes))
    }

    /// The engine has stored this log up to here.
    pub(crate) fn stored(&mut self, attempt: AttemptId, stream: Stream, bytes: u64) {
        let mut done = Vec::new();
        if let Some(frames) = self.under_way.get_mut(&(attempt, stream)) {
            while let Some(frame) = frames.pop_front_if(|frame| frame.end <= bytes) {
                done.push(frame);
            }
            if frames.is_empty() {
                self.under_way.remove(&(attempt, stream));
            }
        }
        self.settle(&done);
    }

    /// The connection is gone: what was under way has to be sent again.
    pub(crate) fn disconnected(&mut self) {
        for frame in std::mem::take(&mut self.under_way).into_values().flatten() {
            self.again.insert(frame.position);
        }
        self.frames_under_way = 0;
        self.bytes_under_way = 0;
    }

    /// Gives up what is under way and was not stored in good time; says how many bytes of which attempts.
    pub(crate) fn abandon(&mut self) -> Vec<(AttemptId, u64)> {
        let lost = std::mem::take(&mut self.under_way);
        let bytes = |frames: &VecDeque<UnderWay>| frames.iter().map(|frame| frame.bytes).sum();
        let told = lost.iter().map(|((attempt, _), frames)| (*attempt, bytes(frames))).collect();
        self.settle(&lost.into_values().flatten().collect::<Vec<_>>());
        told
    }

    /// Whether frames are under way.
    pub(crate) fn waits(&self) -> bool {
        self.frames_under_way > 0
    }

    /// Whether everything was sent and stored.
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.values().all(|segment| segment.pending == 0)
    }

    fn settle(&mut self, frames: &[UnderWay]) {
        for frame in frames {
            self.frames_under_way = self.frames_under_way.saturating_sub(1);
            self.bytes_under_way = self.bytes_under_way.saturating_sub(frame.bytes);
            self.retire(frame.position);
        }
    }

    /// A frame is not needed any more; a segment with none left is deleted, unless it is a short one being written.
    fn retire(&mut self, position: Position) {
        let last = self.segments.keys().next_back().copied();
        let Some(segment) = self.segments.get_mut(&position.segment) else { return };
        segment.pending = segment.pending.saturating_sub(1);
        if segment.pending == 0 && (last != Some(position.segment) || segment.length > LOG_EMPTIED_BYTES) {
            self.segments.remove(&position.segment);
            let path = self.segment_path(position.segment);
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!("`{}` cannot be removed: {error}", path.display());
            }
            if last == Some(position.segment) {
                self.cursor = Position { segment: position.segment.saturating_add(1), offset: 0 };
            }
        }
    }

    fn writable_segment(&mut self) -> io::Result<u64> {
        let last = self.segments.last_key_value().map(|(number, segment)| (*number, segment.length));
        match last {
            Some((number, length)) if length <= LOG_SEGMENT_BYTES => Ok(number),
            other => {
                let number = other.map_or(self.cursor.segment, |(number, _)| number.saturating_add(1));
                self.segments.insert(number, Segment::create(&self.segment_path(number))?);
                Ok(number)
            }
        }
    }

    fn segment_path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number}.log"))
    }

    /// The cursor, moved to the next segment where it stands at the end of one.
    fn cursor_position(&mut self) -> Option<Position> {
        loop {
            let at_end = match self.segments.get(&self.cursor.segment) {
                Some(segment) => self.cursor.offset >= segment.length,
                None => true,
            };
            if !at_end {
                return Some(self.cursor);
            }
            let (next, _) = self.segments.range(self.cursor.segment.saturating_add(1)..).next()?;
            self.cursor = Position { segment: *next, offset: 0 };
        }
    }

    fn frame_at(&mut self, position: Position) -> io::Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.memory.remove(&position) {
            self.memory_bytes = self.memory_bytes.saturating_sub(bytes.len());
            return Ok(Some(bytes));
        }
        match self.segments.get(&position.segment) {
            Some(segment) => segment.read(position.offset).map(Some),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
