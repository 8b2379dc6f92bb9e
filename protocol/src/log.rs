//! Binary frames: the bytes a test wrote, with where they belong.
//!
//! A frame is a header of 24 bytes, big-endian, and the bytes:
//!
//! ```text
//! 0        8      12     14       15         16       24
//! | run    | test | try  | stream | reserved | offset | bytes …
//! ```

use serde::{Deserialize, Serialize};

use crate::id::{AttemptId, RunId, TestIndex};

/// Bytes of the header before the log bytes.
pub const HEADER_BYTES: usize = 24;

/// The most log bytes in one frame.
pub const CHUNK_BYTES_MAX: usize = 64 * 1024;

/// Which log of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output and standard error in the order they came, as a terminal would show them (`logCli`).
    Cli,
    /// Standard output alone, where it was kept apart.
    Stdout,
    /// Standard error alone.
    Stderr,
    /// `log_msg("logRunning", …)`.
    Running,
    /// `log_msg("logDebug", …)`.
    Debug,
    /// `log_msg("logTest", …)`.
    Test,
    /// `log_msg` to a log of the lab's own; lines carry its name.
    Custom,
    /// What the EP itself has to say about the attempt.
    Ep,
}

impl Stream {
    /// Every stream, by its number on the wire.
    pub const ALL: [Self; 8] = [
        Self::Cli,
        Self::Stdout,
        Self::Stderr,
        Self::Running,
        Self::Debug,
        Self::Test,
        Self::Custom,
        Self::Ep,
    ];

    /// The word for addresses and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Running => "running",
            Self::Debug => "debug",
            Self::Test => "test",
            Self::Custom => "custom",
            Self::Ep => "ep",
        }
    }

    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Self::Cli => 0,
            Self::Stdout => 1,
            Self::Stderr => 2,
            Self::Running => 3,
            Self::Debug => 4,
            Self::Test => 5,
            Self::Custom => 6,
            Self::Ep => 7,
        }
    }
}

impl std::str::FromStr for Stream {
    type Err = UnknownStream;
    fn from_str(text: &str) -> Result<Self, UnknownStream> {
        Self::ALL
            .into_iter()
            .find(|stream| stream.as_str() == text)
            .ok_or_else(|| UnknownStream(text.to_owned()))
    }
}

/// A text that names no log.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a log: cli, stdout, stderr, running, debug, test, custom or ep")]
pub struct UnknownStream(String);

/// A piece of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogFrame<'a> {
    /// Whose log.
    pub attempt: AttemptId,
    /// Which log.
    pub stream: Stream,
    /// Where the bytes begin in that log.
    pub offset: u64,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A binary frame that is no log frame.
#[derive(Debug, thiserror::Error)]
pub enum LogFrameError {
    /// Fewer bytes than a header.
    #[error("a log frame of {0} bytes is shorter than its header of {HEADER_BYTES}")]
    Short(usize),
    /// A stream number that this version does not know.
    #[error("log frame for unknown stream {0}")]
    Stream(u8),
}

impl<'a> LogFrame<'a> {
    /// The frame as it travels.
    pub fn encode(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(HEADER_BYTES.saturating_add(self.bytes.len()));
        frame.extend_from_slice(&self.attempt.run.0.to_be_bytes());
        frame.extend_from_slice(&self.attempt.test.0.to_be_bytes());
        frame.extend_from_slice(&self.attempt.attempt.to_be_bytes());
        frame.push(self.stream.number());
        frame.push(0);
        frame.extend_from_slice(&self.offset.to_be_bytes());
        frame.extend_from_slice(self.bytes);
        frame
    }

    /// Reads a frame that arrived.
    ///
    /// # Errors
    /// A frame shorter than its header, or for a stream of a later version.
    pub fn decode(frame: &'a [u8]) -> Result<Self, LogFrameError> {
        let short = || LogFrameError::Short(frame.len());
        let (run, rest) = frame.split_first_chunk::<8>().ok_or_else(short)?;
        let (test, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let (attempt, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        let (&[stream, _reserved], rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        let (offset, bytes) = rest.split_first_chunk::<8>().ok_or_else(short)?;
        let stream = Stream::ALL.get(usize::from(stream)).copied().ok_or(LogFrameError::Stream(stream))?;
        let attempt = AttemptId {
            run: RunId(u64::from_be_bytes(*run)),
            test: TestIndex(u32::from_be_bytes(*test)),
            attempt: u16::from_be_bytes(*attempt),
        };
        Ok(Self { attempt, stream, offset: u64::from_be_bytes(*offset), bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_these_bytes() {
        let frame = LogFrame {
            attempt: AttemptId { run: RunId(41), test: TestIndex(17), attempt: 1 },
            stream: Stream::Stderr,
            offset: 65_536,
            bytes: b"no route to host\xff\n",
        };
        let hex: String = frame.encode().iter().map(|byte| format!("{byte:02x}")).collect();
        insta::assert_snapshot!(hex, @"0000000000000029000000110001020000000000000100006e6f20726f75746520746f20686f7374ff0a");
        assert_eq!(LogFrame::decode(&frame.encode()).unwrap(), frame);
    }

    #[test]
    fn streams_keep_their_numbers() {
        for (number, stream) in (0_u8..).zip(Stream::ALL) {
            assert_eq!(stream.number(), number);
        }
    }

    #[test]
    fn a_broken_frame_is_refused() {
        assert!(matches!(LogFrame::decode(&[0; 23]), Err(LogFrameError::Short(23))));
        let mut frame = [0; 24];
        frame[14] = 200;
        assert!(matches!(LogFrame::decode(&frame), Err(LogFrameError::Stream(200))));
    }
}
