//! One file of frames, each behind its length.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

/// Where a frame begins: in which segment, and where there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
}

const LENGTH_BYTES: u64 = 4;

/// Bytes a frame takes in a segment.
pub(crate) fn stored_bytes(frame: usize) -> u64 {
    LENGTH_BYTES.saturating_add(u64::try_from(frame).unwrap_or(u64::MAX))
}

#[derive(Debug)]
pub(crate) struct Segment {
    file: File,
    /// Up to here it holds whole frames.
    pub(crate) length: u64,
    /// Frames the engine has not stored.
    pub(crate) pending: u64,
}

impl Segment {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        Ok(Self { file, length: 0, pending: 0 })
    }

    /// Opens what an earlier life left; a frame that was cut off is cut away.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let whole = file.metadata()?.len();
        let mut segment = Self { file, length: 0, pending: 0 };
        while let Ok(frame) = segment.frame_bytes(segment.length) {
            let end = segment.length.saturating_add(LENGTH_BYTES).saturating_add(frame);
            if end > whole {
                break;
            }
            segment.length = end;
            segment.pending = segment.pending.saturating_add(1);
        }
        segment.file.set_len(segment.length)?;
        Ok(segment)
    }

    /// Adds a frame, and says where it begins.
    pub(crate) fn append(&mut self, frame: &[u8]) -> io::Result<u64> {
        let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
        let mut record = Vec::with_capacity(frame.len().saturating_add(4));
        record.extend_from_slice(&length.to_be_bytes());
        record.extend_from_slice(frame);
        let offset = self.length;
        self.file.write_all_at(&record, offset)?;
        self.length = offset.saturating_add(stored_bytes(frame.len()));
        self.pending = self.pending.saturating_add(1);
        Ok(offset)
    }

    pub(crate) fn read(&self, offset: u64) -> io::Result<Vec<u8>> {
        let bytes = usize::try_from(self.frame_bytes(offset)?).map_err(io::Error::other)?;
        let mut frame = vec![0; bytes];
        self.file.read_exact_at(&mut frame, offset.saturating_add(LENGTH_BYTES))?;
        Ok(frame)
    }

    fn frame_bytes(&self, offset: u64) -> io::Result<u64> {
        let mut length = [0; 4];
        self.file.read_exact_at(&mut length, offset)?;
        Ok(u64::from(u32::from_be_bytes(length)))
    }
}
