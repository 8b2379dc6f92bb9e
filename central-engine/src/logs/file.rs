//! One log as a file: written at offsets, and read whether it is packed or not.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jackfield_protocol::time::Time;

use super::{LogSlice, packed, times::Notes};
use crate::limits;

/// A log that is being written.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    written: Mutex<Written>,
}

/// What of a log is there.
#[derive(Debug)]
struct Written {
    size: u64,
    /// What would stand behind a hole that is too large is not kept.
    is_given_up: bool,
    notes: Notes,
}

impl LogFile {
    /// Opens a log for writing; one that was packed already is unpacked first.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let packed = packed_path(path);
        if packed.try_exists()? {
            packed::unpack(&packed, path)?;
        }
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        let size = file.metadata()?.len();
        let notes = Notes::open(path, size)?;
        Ok(Self { file, written: Mutex::new(Written { size, is_given_up: false, notes }) })
    }

    /// Writes at an offset what came at a time; the answer is the new length. What lies beyond the limit is dropped.
    pub(super) fn write_at(&self, offset: u64, bytes: &[u8], limit: u64, now: Time) -> io::Result<u64> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let Written { size, notes, .. } = &mut *written;
        let before = *size;
        if offset.saturating_sub(*size) > limits::LOG_HOLE_BYTES_MAX {
            return self.give_up(written, offset);
        }
        if offset > (*size).min(limit) && *size < limit {
            self.fill(*size, offset.min(limit))?;
        }
        let room = usize::try_from(limit.saturating_sub(offset)).unwrap_or(usize::MAX);
        let kept = bytes.get(..bytes.len().min(room)).unwrap_or_default();
        self.file.write_all_at(kept, offset)?;
        let end = offset.saturating_add(u64::try_from(kept.len()).unwrap_or(u64::MAX));
        if kept.len() < bytes.len() && *size <= limit {
            let mark = format!("\n[this log is cut here: the engine keeps {limit} bytes of a log]\n");
            self.file.write_all_at(mark.as_bytes(), limit)?;
            *size = limit.saturating_add(u64::try_from(mark.len()).unwrap_or(0));
        }
        *size = end.min(limit).max(*size);
        if *size > before {
            notes.came(before, now);
        }
        Ok(*size)
    }

    /// An EP that speaks of a place far beyond the end would have the disk hold, and others read, what nobody wrote.
    fn give_up(&self, mut written: MutexGuard<'_, Written>, offset: u64) -> io::Result<u64> {
        if !written.is_given_up {
            tracing::warn!(
                written.size,
                offset,
                "a log goes on far beyond its end; the rest of it is not kept"
            );
            let mark = "\n[this log went on far beyond its end: the rest is not kept]\n";
            self.file.write_all_at(mark.as_bytes(), written.size)?;
            written.size = written.size.saturating_add(u64::try_from(mark.len()).unwrap_or(0));
            written.is_given_up = true;
        }
        Ok(written.size)
    }

    /// Marks bytes that never came, so that nobody takes the zeros of a hole for output.
    fn fill(&self, from: u64, to: u64) -> io::Result<()> {
        let lost = to.saturating_sub(from);
        tracing::warn!(
            from,
            to,
            "{lost} bytes of a log are missing; the engine lost them, or they never came"
        );
        let mark = format!("\n[{lost} bytes of this log are lost]\n");
        let fits = usize::try_from(lost).unwrap_or(usize::MAX).min(mark.len());
        self.file.write_all_at(mark.as_bytes().get(..fits).unwrap_or_default(), from)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Syncs a log that is not open; none is fine.
pub(super) fn sync_closed(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(file) => file.sync_data(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Where the packed form of a log stands.
pub(super) fn packed_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".zst");
    name.into()
}

/// Reads a range, whatever form the log has; one that does not exist is empty.
pub(super) fn read(path: &Path, from: u64, limit: u64) -> io::Result<LogSlice> {
    // A log can be packed between the two looks: look again at the first form before calling it empty.
    if let Some(slice) = read_plain(path, from, limit)? {
        return Ok(slice);
    }
    if let Some(slice) = packed::read(&packed_path(path), from, limit)? {
        return Ok(slice);
    }
    Ok(read_plain(path, from, limit)?.unwrap_or(LogSlice { from, bytes: Vec::new(), size: 0 }))
}

fn read_plain(path: &Path, from: u64, limit: u64) -> io::Result<Option<LogSlice>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let size = file.metadata()?.len();
    let length = size.saturating_sub(from).min(limit);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact_at(&mut bytes, from)?;
    Ok(Some(LogSlice { from, bytes, size }))
}
