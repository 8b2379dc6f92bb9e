//! Opens what a tool left, and tells what it is by what stands in it.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use rustix::fs::{FileType, Mode, OFlags};

use super::{Cases, Habits, decode, go_test::GoTest, google_test, short_texts::ShortTexts, tap::Tap, xml};
use crate::limits::RESULT_BYTES_MAX;

const READ_BYTES: usize = 64 * 1024;
/// Of what is no result, as much is shown.
const SHOWN_CHARS: usize = 40;

/// What stands in a file.
enum Format {
    Xml,
    GoogleTest,
    GoTest,
    Tap,
    Nothing,
    Other(String),
}

/// Reads a file; none where there is none.
pub(super) fn read(path: &Path, habits: Habits) -> Option<Cases> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = match open(path) {
        Ok(file) => file?,
        Err(reason) => return Some(Cases::unreadable(format!("`{name}` {reason}"))),
    };
    let mut source = BufReader::with_capacity(READ_BYTES, file.take(RESULT_BYTES_MAX));
    let cases = decoded(&mut source, habits).unwrap_or_else(Cases::unreadable);
    if source.get_ref().limit() == 0 {
        let trouble = format!("`{name}` has more than {RESULT_BYTES_MAX} bytes");
        return Some(Cases { trouble: Some(trouble), ..cases });
    }
    Some(cases)
}

/// A regular file, also at the end of a link; never one whose opening or reading waits for somebody.
fn open(path: &Path) -> Result<Option<File>, String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    let found = rustix::fs::fstat(&opened).map_err(|error| format!("cannot be read: {error}"))?;
    let what = match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => return Ok(Some(File::from(opened))),
        FileType::Fifo => "a named pipe",
        FileType::Directory => "a folder",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Symlink | FileType::Unknown => "something else",
    };
    Err(format!("is {what}, and no file"))
}

fn decoded(source: &mut impl BufRead, habits: Habits) -> Result<Cases, String> {
    let told = |error: io::Error| format!("they cannot be read: {error}");
    let encoding = decode::encoding_of(source.fill_buf().map_err(told)?)?;
    let text = decode::Decoded::new(source, encoding);
    let mut text = BufReader::with_capacity(READ_BYTES, text);
    let format = format_of(text.fill_buf().map_err(told)?);
    match format {
        Format::Xml => Ok(xml::read(BufReader::with_capacity(READ_BYTES, ShortTexts::new(text)), habits)),
        Format::GoogleTest => google_test::read(text, habits),
        Format::GoTest => {
            let mut reader = GoTest::default();
            feed(text, |bytes| reader.feed(bytes)).map_err(told)?;
            Ok(reader.finish())
        }
        Format::Tap => {
            let mut reader = Tap::default();
            let mut last = None;
            feed(text, |bytes| {
                last = bytes.last().copied();
                reader.feed(bytes);
            })
            .map_err(told)?;
            let cases = reader.finish();
            // What a process prints without an end is all that it had to say; a file is cut off there.
            let is_cut = last != Some(b'\n') && cases.trouble.is_none();
            let trouble =
                if is_cut { Some("their last line has no end".to_owned()) } else { cases.trouble.clone() };
            Ok(Cases { trouble, ..cases })
        }
        Format::Nothing => Err("the file is empty".to_owned()),
        Format::Other(begin) => Err(format!(
            "they begin with `{begin}`; JUnit, NUnit, xUnit.net and TestNG XML, GoogleTest's JSON, `go test -json` and TAP are read"
        )),
    }
}

fn format_of(head: &[u8]) -> Format {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start();
    let first = text.lines().next().unwrap_or_default().trim();
    if text.is_empty() {
        Format::Nothing
    } else if text.starts_with('<') {
        Format::Xml
    } else if text.starts_with('{') {
        let is_line = first.ends_with('}') && first.contains("\"Action\"");
        if is_line { Format::GoTest } else { Format::GoogleTest }
    } else if Tap::begins(first) {
        Format::Tap
    } else {
        Format::Other(first.chars().take(SHOWN_CHARS).collect())
    }
}

fn feed(mut source: impl BufRead, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    loop {
        let bytes = source.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        take(bytes);
        let count = bytes.len();
        source.consume(count);
    }
}
