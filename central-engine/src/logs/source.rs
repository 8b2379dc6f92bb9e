//! A log that is read piece by piece, in whichever form it has. It stays open: packing it meanwhile takes nothing away.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path};

use super::{
    file::packed_path,
    packed::{self, Frame},
};
use crate::limits;

/// The bytes of a log.
pub(super) enum Source {
    /// As it was written.
    Plain {
        /// The file.
        file: File,
        /// How long it was when it was opened.
        size: u64,
    },
    /// Packed when its run had ended.
    Packed {
        /// The file.
        file: File,
        /// What it consists of.
        frames: Vec<Frame>,
        /// How many lines end in each frame; none in files of before this was kept.
        newlines: Option<Vec<u32>>,
    },
}

impl Source {
    /// Opens a log; none where there is none.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        // A log can be packed between the two looks: look again at the first form before calling it empty.
        if let Some(plain) = Self::open_plain(path)? {
            return Ok(Some(plain));
        }
        match opened(&packed_path(path))? {
            Some(file) => {
                let (frames, newlines) = packed::tables(&file)?;
                Ok(Some(Self::Packed { file, frames, newlines }))
            }
            None => Self::open_plain(path),
        }
    }

    fn open_plain(path: &Path) -> io::Result<Option<Self>> {
        let Some(file) = opened(path)? else { return Ok(None) };
        let size = file.metadata()?.len();
        Ok(Some(Self::Plain { file, size }))
    }

    /// How long the log is.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Plain { size, .. } => *size,
            Self::Packed { frames, .. } => frames.last().map_or(0, Frame::end),
        }
    }

    /// Some bytes from a place on: up to the end of the block in which it lies, so that no frame is unpacked twice by one who reads on.
    /// None at the end of the log.
    pub(super) fn read(&self, from: u64) -> io::Result<Option<Vec<u8>>> {
        let block = u64::try_from(limits::LOG_FRAME_BYTES).unwrap_or(u64::MAX);
        let end = (from / block).saturating_add(1).saturating_mul(block);
        match self {
            Self::Plain { file, size } => {
                let length = end.min(*size).saturating_sub(from);
                if length == 0 {
                    return Ok(None);
                }
                let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
                file.read_exact_at(&mut bytes, from)?;
                Ok(Some(bytes))
            }
            Self::Packed { file, frames, .. } => {
                let at = frames.partition_point(|frame| frame.end() <= from);
                let Some(frame) = frames.get(at) else { return Ok(None) };
                let mut bytes = packed::unpack_frame(file, frame)?;
                let place = |at: u64| usize::try_from(at.saturating_sub(frame.from)).unwrap_or(usize::MAX);
                bytes.truncate(place(end));
                bytes.drain(..place(from).min(bytes.len()));
                Ok(Some(bytes))
            }
        }
    }
}

fn opened(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
