//! The text of a file with the places in it, and the one door through which bytes become text.

use std::sync::Arc;

use jackfield_protocol::error::{FileProblem, Severity};

/// A piece of a file: byte offsets, the end not included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// A span from offsets; offsets beyond 4 GB, which the size limits exclude, are held at the end of the range.
    pub fn new(start: usize, end: usize) -> Self {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: offset(start), end: offset(end) }
    }

    /// The span as a range for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        let offset = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        offset(self.start)..offset(self.end)
    }
}

/// A value with the place it was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At<T> {
    /// What it says.
    pub value: T,
    /// Where it says so.
    pub span: Span,
}

impl<T> At<T> {
    /// A value and its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A file that was read: its name for messages, its text, and where its lines begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: Arc<str>,
    text: String,
    line_starts: Vec<u32>,
}

impl Source {
    /// A text that is in memory already.
    pub fn new(name: &str, text: impl Into<String>) -> Self {
        let text = text.into();
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0)
            .chain(newlines.map(|(at, _)| Span::new(at.saturating_add(1), 0).start))
            .collect();
        Self { name: name.into(), text, line_starts }
    }

    /// The bytes of a file, which must be UTF-8.
    ///
    /// # Errors
    /// Another encoding, with the position of the first byte that shows it and what to do.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, Box<FileProblem>> {
        let refuse = |line: u32, column: u32, message: &str, help: String| {
            let (severity, file) = (Severity::Error, name.to_owned());
            Box::new(FileProblem { severity, file, line, column, message: message.to_owned(), help })
        };
        if let Some(encoding) = wide_encoding(&bytes) {
            let help = format!("save it as UTF-8: iconv -f {encoding} -t UTF-8");
            return Err(refuse(1, 1, &format!("the file is {encoding}, not UTF-8"), help));
        }
        String::from_utf8(bytes).map(|text| Self::new(name, text)).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let before =
                String::from_utf8_lossy(error.as_bytes().get(..good).unwrap_or_default()).into_owned();
            let byte = error.as_bytes().get(good).copied().unwrap_or_default();
            let at = Self::new(name, before);
            let (line, column) = at.position(u32::try_from(good).unwrap_or(u32::MAX));
            let encoding = declared_encoding(at.text()).unwrap_or("ISO-8859-1");
            let help = format!("save the file as UTF-8: iconv -f {encoding} -t UTF-8");
            refuse(line, column, &format!("byte {byte:#04x} is not UTF-8"), help)
        })
    }

    /// The name that messages give the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a piece; empty for a piece that is not of this file.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// Line and column, from 1, columns in characters; a byte order mark is not counted.
    pub fn position(&self, offset: u32) -> (u32, u32) {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|at| self.line_starts.get(at)).copied().unwrap_or(0);
        let before = self.slice(Span { start, end: offset.min(Span::new(self.text.len(), 0).start) });
        // A line of megabytes is no line for people, so there the place is good enough in bytes.
        let column = match before.len() {
            0..=LINE_BYTES_COUNTED => before.trim_start_matches('\u{feff}').chars().count().saturating_add(1),
            bytes => bytes.saturating_add(1),
        };
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }
}

/// Columns in longer lines are counted in bytes.
const LINE_BYTES_COUNTED: usize = 1 << 16;

/// Encodings of two or four bytes, known by their byte order mark or by the zero bytes of their first characters.
fn wide_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => Some("UTF-32LE"),
        [0, 0, 0xfe, 0xff, ..] => Some("UTF-32BE"),
        [0xff, 0xfe, ..] => Some("UTF-16LE"),
        [0xfe, 0xff, ..] => Some("UTF-16BE"),
        [b'<' | b'[' | b'{' | b'#', 0, _, 0, ..] => Some("UTF-16LE"),
        [0, b'<' | b'[' | b'{' | b'#', 0, _, ..] => Some("UTF-16BE"),
        _ => None,
    }
}

/// What an XML declaration says about the encoding, if the text begins with one.
pub(crate) fn declared_encoding(text: &str) -> Option<&str> {
    let declaration = text.trim_start_matches('\u{feff}').strip_prefix("<?xml")?.split("?>").next()?;
    let (_, after) = declaration.split_once("encoding")?;
    let after = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    after.get(1..)?.split(quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let source = Source::new("f", "aé\nb\n\nç d");
        for (offset, expect) in
            [(0, (1, 1)), (1, (1, 2)), (3, (1, 3)), (4, (2, 1)), (6, (3, 1)), (7, (4, 1)), (9, (4, 2))]
        {
            assert_eq!(source.position(offset), expect, "{offset}");
        }
        assert_eq!(source.position(4000), (4, 4));
    }

    #[test]
    fn other_encodings_are_refused_with_a_remedy() {
        let refuse = |bytes: &[u8]| Source::from_bytes("f.xml", bytes.to_vec()).unwrap_err().to_string();
        insta::assert_snapshot!(refuse(b"\xff\xfe<\0R\0"), @"f.xml:1:1: error: the file is UTF-16LE, not UTF-8; save it as UTF-8: iconv -f UTF-16LE -t UTF-8");
        insta::assert_snapshot!(refuse(b"<\0R\0o\0"), @"f.xml:1:1: error: the file is UTF-16LE, not UTF-8; save it as UTF-8: iconv -f UTF-16LE -t UTF-8");
        insta::assert_snapshot!(refuse(b"<Root>\n  caf\xe9</Root>"), @"f.xml:2:6: error: byte 0xe9 is not UTF-8; save the file as UTF-8: iconv -f ISO-8859-1 -t UTF-8");
        insta::assert_snapshot!(refuse(b"<?xml version='1.0' encoding='windows-1252'?>\n<R>\x80</R>"), @"f.xml:2:4: error: byte 0x80 is not UTF-8; save the file as UTF-8: iconv -f windows-1252 -t UTF-8");
        assert!(Source::from_bytes("f", "é".into()).is_ok());
    }
}
