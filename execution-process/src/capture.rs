//! What a test writes: numbered bytes on their way to the log spool, and the watch for panic patterns.

use std::collections::{BTreeMap, VecDeque};

use jackfield_protocol::{
    id::AttemptId,
    log::{CHUNK_BYTES_MAX, Stream},
};
use regex::bytes::RegexSet;
use tokio::sync::mpsc;

/// The longest match a panic pattern may have and still be found when it is split over two reads.
const OVERLAP_BYTES: usize = 4096;

/// A piece of a log on its way to the spool.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) attempt: AttemptId,
    pub(crate) stream: Stream,
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// The logs of one attempt: the only writer of each, so that offsets are right without asking anybody.
///
/// Writing never waits; what the spool cannot take yet stays here until [`Self::flush`] got rid of it, and whoever
/// reads more from a test first looks at [`Self::is_clear`], so that no more than one read is kept.
#[derive(Debug)]
pub(crate) struct LogWriter {
    attempt: AttemptId,
    lengths: BTreeMap<Stream, u64>,
    backlog: VecDeque<Chunk>,
    chunks: mpsc::Sender<Chunk>,
}

impl LogWriter {
    pub(crate) fn new(attempt: AttemptId, chunks: mpsc::Sender<Chunk>) -> Self {
        Self { attempt, lengths: BTreeMap::new(), backlog: VecDeque::new(), chunks }
    }

    /// Adds bytes to a log.
    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        for piece in bytes.chunks(CHUNK_BYTES_MAX) {
            let length = self.lengths.entry(stream).or_default();
            let offset = *length;
            *length = offset.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            let chunk = Chunk { attempt: self.attempt, stream, offset, bytes: piece.to_vec() };
            if self.backlog.is_empty() {
                if let Err(mpsc::error::TrySendError::Full(chunk)) = self.chunks.try_send(chunk) {
                    self.backlog.push_back(chunk);
                }
            } else {
                self.backlog.push_back(chunk);
            }
        }
    }

    /// Adds a line of the EP's own to the attempt's log for people.
    pub(crate) fn say(&mut self, line: &str) {
        self.write(Stream::Ep, format!("{line}\n").as_bytes());
    }

    /// Whether everything written is on its way.
    pub(crate) fn is_clear(&self) -> bool {
        self.backlog.is_empty()
    }

    /// Waits until everything written is on its way. May be given up at any point and begun again.
    pub(crate) async fn flush(&mut self) {
        while !self.backlog.is_empty() {
            let Ok(permit) = self.chunks.reserve().await else {
                // The receiver outlives every attempt; were it gone, nobody could take the bytes.
                self.backlog.clear();
                return;
            };
            if let Some(chunk) = self.backlog.pop_front() {
                permit.send(chunk);
            }
        }
    }

    /// Bytes in each log so far.
    pub(crate) fn lengths(&self) -> &BTreeMap<Stream, u64> {
        &self.lengths
    }
}

/// Looks for panic patterns in a stream, also where a match is split over two reads.
#[derive(Debug)]
pub(crate) struct PanicWatch {
    patterns: RegexSet,
    texts: Vec<String>,
    tail: Vec<u8>,
}

impl PanicWatch {
    /// A watch for these patterns; those that are no regular expressions are told and left out.
    pub(crate) fn new(patterns: &[String]) -> (Self, Vec<String>) {
        let mut bad = Vec::new();
        let mut texts = Vec::new();
        for text in patterns {
            match regex::bytes::Regex::new(text) {
                Ok(_) => texts.push(text.clone()),
                Err(error) => bad.push(format!("panic pattern `{text}` is left out: {error}")),
            }
        }
        let patterns = RegexSet::new(&texts).unwrap_or_else(|_| RegexSet::empty());
        (Self { patterns, texts, tail: Vec::new() }, bad)
    }

    /// The first pattern that fits what was just read, or what was read just before together with it.
    pub(crate) fn see(&mut self, bytes: &[u8]) -> Option<&str> {
        self.tail.extend_from_slice(bytes);
        let hit = self.patterns.matches(&self.tail).into_iter().next();
        let surplus = self.tail.len().saturating_sub(OVERLAP_BYTES);
        self.tail.drain(..surplus);
        hit.and_then(|index| self.texts.get(index)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::id::{RunId, TestIndex};
    use proptest::prelude::*;

    use super::*;

    #[tokio::test]
    async fn offsets_count_bytes_of_each_log_and_long_writes_are_split() {
        let (send, mut receive) = mpsc::channel(2);
        let attempt = AttemptId { run: RunId(1), test: TestIndex(1), attempt: 1 };
        let mut writer = LogWriter::new(attempt, send);
        writer.write(Stream::Cli, b"\xff\x00\n");
        writer.write(Stream::Test, b"line\n");
        writer.write(Stream::Cli, &vec![b'x'; CHUNK_BYTES_MAX + 1]);
        assert!(!writer.is_clear());
        let flush = tokio::spawn(async move { writer.flush().await });
        let mut seen = Vec::new();
        while let Some(chunk) = receive.recv().await {
            seen.push((chunk.stream, chunk.offset, chunk.bytes.len()));
        }
        flush.await.unwrap();
        let long = u64::try_from(CHUNK_BYTES_MAX).unwrap();
        assert_eq!(
            seen,
            [
                (Stream::Cli, 0, 3),
                (Stream::Test, 0, 5),
                (Stream::Cli, 3, CHUNK_BYTES_MAX),
                (Stream::Cli, 3 + long, 1)
            ]
        );
    }

    #[test]
    fn a_bad_pattern_is_told_and_the_others_still_watch() {
        let (mut watch, bad) = PanicWatch::new(&["(".to_owned(), "kernel panic".to_owned()]);
        assert_eq!(bad.len(), 1);
        assert_eq!(watch.see(b"... kernel panic ..."), Some("kernel panic"));
    }

    proptest! {
        /// However the stream is cut into reads, a match in it is found, and none is found where there is none.
        #[test]
        fn a_match_is_found_wherever_it_is_cut(before in 0..9000_usize, cut in 1..6_usize, panics in any::<bool>()) {
            let (mut watch, _) = PanicWatch::new(&["Oops: [0-9]+#".to_owned()]);
            let mut text = vec![b'.'; before];
            text.extend_from_slice(if panics { b"Oops: 0002#" } else { b"Oops: none" });
            text.extend_from_slice(&[b'.'; 5000]);
            let size = cut * 700 + 1;
            let found = text.chunks(size).any(|chunk| watch.see(chunk).is_some());
            prop_assert_eq!(found, panics);
        }
    }
}
