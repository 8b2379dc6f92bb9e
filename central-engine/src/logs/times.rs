//! When what is in a log came to the engine: beside the log, a file of places and times.
//!
//! ```text
//! <log>.times    (place in the log, milliseconds since 1970) per entry, 64 bits each, little-endian
//! ```
//!
//! An entry says when the bytes from its place on began to come. Times are to a tenth of a second, of very long logs to a
//! second. A log that came within a second has no such file: its own time of change says it, and a hundred thousand quick
//! tests cost nothing. The times are a help to people: they are not synced, and a log without them is whole.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use jackfield_protocol::time::Time;

use super::{file, packed};
use crate::limits;

const ENTRY_BYTES: usize = 16;

/// When what is in a log came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrivals(Vec<(u64, Time)>);

impl Arrivals {
    /// When the byte at this place came, as far as that is known.
    #[must_use]
    pub fn at(&self, place: u64) -> Option<Time> {
        let after = self.0.partition_point(|(from, _)| *from <= place);
        self.0.get(after.checked_sub(1)?).map(|(_, time)| *time)
    }

    /// Reads the times of a log, whatever form they have.
    pub(super) fn read(log: &Path) -> io::Result<Self> {
        let told = file::read(&times_path(log), 0, u64::MAX)?.bytes;
        let entries = entries(&told);
        if !entries.is_empty() {
            return Ok(Self(entries));
        }
        let changed = match changed(log)? {
            None => changed(&file::packed_path(log))?,
            changed => changed,
        };
        Ok(Self(changed.map(|time| (0, time)).into_iter().collect()))
    }
}

/// Where the times of a log stand.
fn times_path(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".times");
    name.into()
}

fn entries(bytes: &[u8]) -> Vec<(u64, Time)> {
    let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
    let read = |entry: &[u8; ENTRY_BYTES]| {
        let (place, time) = (entry.first_chunk()?, entry.last_chunk()?);
        Some((u64::from_le_bytes(*place), Time(i64::from_le_bytes(*time))))
    };
    entries.iter().filter_map(read).collect()
}

/// When a file was changed last; none where there is none.
fn changed(path: &Path) -> io::Result<Option<Time>> {
    match std::fs::metadata(path) {
        Ok(known) => Ok(known.modified().ok().map(time_of)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn time_of(changed: SystemTime) -> Time {
    let since_1970 = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

/// Notes the times of a log while it is written.
#[derive(Debug)]
pub(super) struct Notes {
    path: PathBuf,
    /// Entries of the first second, until the log has lasted longer.
    held: Vec<(u64, Time)>,
    /// None before, and where the disk refused.
    file: Option<File>,
    /// How many there are, and the time of the newest.
    entries: usize,
    last: Time,
    refused: bool,
}

impl Notes {
    /// Goes on with the times of a log that has `size` bytes.
    pub(super) fn open(log: &Path, size: u64) -> io::Result<Self> {
        let path = times_path(log);
        let mut notes =
            Self { path, held: Vec::new(), file: None, entries: 0, last: Time(0), refused: false };
        if size == 0 {
            return Ok(notes);
        }
        let packed = file::packed_path(&notes.path);
        if packed.try_exists()? {
            packed::unpack(&packed, &notes.path)?;
        }
        // Of bytes that were lost with a crash, the times are as well.
        let mut known = entries(&file::read(&notes.path, 0, u64::MAX)?.bytes);
        known.truncate(known.partition_point(|(from, _)| *from < size));
        if known.is_empty() {
            known.extend(changed(log)?.map(|time| (0, time)));
            notes.held.clone_from(&known);
        } else {
            let file = OpenOptions::new().append(true).open(&notes.path)?;
            file.set_len(u64::try_from(known.len().saturating_mul(ENTRY_BYTES)).unwrap_or(u64::MAX))?;
            notes.file = Some(file);
        }
        notes.entries = known.len();
        notes.last = known.last().map_or(Time(0), |(_, time)| *time);
        Ok(notes)
    }

    /// Bytes came, from this place on.
    pub(super) fn came(&mut self, from: u64, now: Time) {
        let fine = self.entries < limits::LOG_TIMES_FINE_MAX;
        let pace = if fine { limits::LOG_TIMES_FINE_MILLIS } else { limits::LOG_TIMES_COARSE_MILLIS };
        if self.refused || (self.entries > 0 && now.millis_since(self.last) < pace) {
            return;
        }
        (self.last, self.entries) = (now, self.entries.saturating_add(1));
        if let Err(error) = self.note(from, now) {
            tracing::warn!("the times of a log are not kept any more: {}: {error}", self.path.display());
            (self.file, self.refused) = (None, true);
        }
    }

    fn note(&mut self, from: u64, now: Time) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            return file.write_all(&entry(from, now));
        }
        self.held.push((from, now));
        let first = self.held.first().map_or(now, |(_, first)| *first);
        if now.millis_since(first) < limits::LOG_TIMES_COARSE_MILLIS {
            return Ok(());
        }
        let mut file = File::create(&self.path)?;
        let held: Vec<u8> =
            std::mem::take(&mut self.held).into_iter().flat_map(|(from, time)| entry(from, time)).collect();
        file.write_all(&held)?;
        self.file = Some(file);
        Ok(())
    }
}

fn entry(from: u64, time: Time) -> Vec<u8> {
    [from.to_le_bytes(), time.0.to_le_bytes()].concat()
}
