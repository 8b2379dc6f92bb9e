//! Packed logs: zstd frames of one mebibyte each, and a table of them at the end.
//!
//! This is zstd's own "seekable format", so `zstd -d` unpacks it; the table sits in a frame that decoders skip:
//!
//! ```text
//! frame, frame, … | 5D 2A 4D 18 | size | lines that end, per frame
//!                 | 5E 2A 4D 18 | size | (packed size, size) per frame | frames | 0 | B1 EA 92 8F
//! ```
//!
//! All numbers are 32 bits, little-endian. The first table, ours alone, finds lines by their numbers; files of before it lack it.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::unix::fs::FileExt as _,
    path::Path,
};

use super::{LogSlice, file::packed_path};
use crate::limits;

const SKIPPED: u32 = 0x184D_2A5E;
/// Begins our table of lines; decoders skip it as well.
const LINES: u32 = 0x184D_2A5D;
const SEEKABLE: u32 = 0x8F92_EAB1;
/// Number of frames, one flag byte, magic number.
const FOOTER_BYTES: u64 = 9;
const ENTRY_BYTES: usize = 8;
/// Magic number and size of a frame that decoders skip.
const HEADER_BYTES: usize = 8;
const COUNT_BYTES: usize = 4;
/// Logs below this size stay as they are: packing would not free a block of the disk.
const WORTH_PACKING: u64 = 16 * 1024;

/// Packs every log of a run that is worth it.
pub(super) fn pack_folder(folder: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            pack_folder(&path)?;
        } else if path.extension().is_some_and(|ending| ending == "tmp") {
            std::fs::remove_file(&path)?;
        } else if path.extension().is_none_or(|ending| ending != "zst")
            && entry.metadata()?.len() >= WORTH_PACKING
        {
            pack(&path)?;
        }
    }
    Ok(())
}

/// Packs one log; the plain file goes when the packed one is safe.
fn pack(path: &Path) -> io::Result<()> {
    let target = packed_path(path);
    let unfinished = target.with_extension("zst.tmp");
    let result = write_packed(path, &unfinished).and_then(|()| std::fs::rename(&unfinished, &target));
    if let Err(error) = result {
        drop(std::fs::remove_file(&unfinished));
        return Err(error);
    }
    std::fs::remove_file(path)
}

fn write_packed(path: &Path, target: &Path) -> io::Result<()> {
    let mut source = File::open(path)?;
    let mut out = File::create(target)?;
    let (mut table, mut lines) = (Vec::new(), Vec::new());
    let mut frames = 0_u32;
    let limit = u64::try_from(limits::LOG_FRAME_BYTES).unwrap_or(u64::MAX);
    loop {
        let mut plain = Vec::with_capacity(limits::LOG_FRAME_BYTES);
        io::Read::by_ref(&mut source).take(limit).read_to_end(&mut plain)?;
        if plain.is_empty() {
            break;
        }
        let packed = zstd::bulk::compress(&plain, 3)?;
        out.write_all(&packed)?;
        table.extend(small(packed.len())?.to_le_bytes());
        table.extend(small(plain.len())?.to_le_bytes());
        lines.extend(small(memchr::memchr_iter(b'\n', &plain).count())?.to_le_bytes());
        frames = frames.saturating_add(1);
    }
    let footer_bytes = usize::try_from(FOOTER_BYTES).unwrap_or(0);
    out.write_all(&LINES.to_le_bytes())?;
    out.write_all(&small(lines.len())?.to_le_bytes())?;
    out.write_all(&lines)?;
    out.write_all(&SKIPPED.to_le_bytes())?;
    out.write_all(&small(table.len().saturating_add(footer_bytes))?.to_le_bytes())?;
    out.write_all(&table)?;
    out.write_all(&frames.to_le_bytes())?;
    out.write_all(&[0])?;
    out.write_all(&SEEKABLE.to_le_bytes())?;
    // Of a log that came within a second, this is the time of its lines.
    out.set_modified(source.metadata()?.modified()?)?;
    out.sync_all()
}

fn small(length: usize) -> io::Result<u32> {
    u32::try_from(length).ok().ok_or_else(|| damaged("too large"))
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the packed log is damaged: {why}"))
}

/// Where a frame lies, packed and unpacked.
pub(super) struct Frame {
    at: u64,
    packed: u64,
    /// Where it begins in the log.
    pub(super) from: u64,
    size: u64,
}

impl Frame {
    /// Where it ends in the log.
    pub(super) fn end(&self) -> u64 {
        self.from.saturating_add(self.size)
    }
}

/// Reads a range of a packed log; none where there is no packed log.
pub(super) fn read(path: &Path, from: u64, limit: u64) -> io::Result<Option<LogSlice>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let frames = frames(&file)?;
    let size = frames.last().map_or(0, Frame::end);
    let end = from.saturating_add(limit).min(size);
    let mut bytes = Vec::with_capacity(usize::try_from(end.saturating_sub(from)).unwrap_or(0));
    for frame in frames.iter().filter(|frame| frame.from < end && frame.end() > from) {
        let plain = unpack_frame(&file, frame)?;
        let place = |at: u64| usize::try_from(at.saturating_sub(frame.from)).unwrap_or(usize::MAX);
        let (first, last) = (place(from), place(end).min(plain.len()));
        bytes.extend_from_slice(plain.get(first..last).unwrap_or_default());
    }
    Ok(Some(LogSlice { from, bytes, size }))
}

/// What a frame holds.
pub(super) fn unpack_frame(file: &File, frame: &Frame) -> io::Result<Vec<u8>> {
    let mut packed = vec![0; usize::try_from(frame.packed).unwrap_or(0)];
    file.read_exact_at(&mut packed, frame.at)?;
    zstd::bulk::decompress(&packed, usize::try_from(frame.size).unwrap_or(0))
}

fn frames(file: &File) -> io::Result<Vec<Frame>> {
    let length = file.metadata()?.len();
    let mut footer = [0; 9];
    file.read_exact_at(&mut footer, length.checked_sub(FOOTER_BYTES).ok_or_else(|| damaged("too short"))?)?;
    let (count, rest) = footer.split_first_chunk::<4>().ok_or_else(|| damaged("no footer"))?;
    if rest.last_chunk::<4>() != Some(&SEEKABLE.to_le_bytes()) {
        return Err(damaged("no table at its end"));
    }
    let count = usize::try_from(u32::from_le_bytes(*count)).unwrap_or(usize::MAX);
    let bytes = u64::try_from(count.saturating_mul(ENTRY_BYTES)).unwrap_or(u64::MAX);
    let at =
        length.checked_sub(bytes.saturating_add(FOOTER_BYTES)).ok_or_else(|| damaged("a table too long"))?;
    let mut table = vec![0; count.saturating_mul(ENTRY_BYTES)];
    file.read_exact_at(&mut table, at)?;
    let mut frames = Vec::with_capacity(count);
    let (mut at, mut from) = (0_u64, 0_u64);
    for entry in table.chunks_exact(ENTRY_BYTES) {
        let (packed, size) = entry.split_first_chunk::<4>().ok_or_else(|| damaged("a short table"))?;
        let size = size.first_chunk::<4>().ok_or_else(|| damaged("a short table"))?;
        let frame = Frame {
            at,
            packed: u64::from(u32::from_le_bytes(*packed)),
            from,
            size: u64::from(u32::from_le_bytes(*size)),
        };
        at = at.saturating_add(frame.packed);
        from = from.saturating_add(frame.size);
        frames.push(frame);
    }
    Ok(frames)
}

/// The frames of a packed log, and how many lines end in each; none in a file of before that was kept.
pub(super) fn tables(file: &File) -> io::Result<(Vec<Frame>, Option<Vec<u32>>)> {
    let frames = frames(file)?;
    let newlines = lines(file, &frames)?;
    Ok((frames, newlines))
}

fn lines(file: &File, frames: &[Frame]) -> io::Result<Option<Vec<u32>>> {
    let at = frames.last().map_or(0, |last| last.at.saturating_add(last.packed));
    let bytes = frames.len().saturating_mul(COUNT_BYTES);
    let mut header = [0; HEADER_BYTES];
    file.read_exact_at(&mut header, at)?;
    let told = [LINES.to_le_bytes(), small(bytes)?.to_le_bytes()].concat();
    if header.as_slice() != told.as_slice() {
        return Ok(None);
    }
    let mut table = vec![0; bytes];
    file.read_exact_at(&mut table, at.saturating_add(u64::try_from(HEADER_BYTES).unwrap_or(0)))?;
    let (counts, _) = table.as_chunks::<COUNT_BYTES>();
    Ok(Some(counts.iter().map(|count| u32::from_le_bytes(*count)).collect()))
}

/// Turns a packed log back into a plain one, for bytes that come after all.
pub(super) fn unpack(packed: &Path, plain: &Path) -> io::Result<()> {
    let file = File::open(packed)?;
    let unfinished = packed.with_extension("tmp");
    let mut out = File::create(&unfinished)?;
    for frame in frames(&file)? {
        out.write_all(&unpack_frame(&file, &frame)?)?;
    }
    out.sync_all()?;
    std::fs::rename(&unfinished, plain)?;
    std::fs::remove_file(packed)
}
