//! A file as UTF-8, whatever encoding it declares: XML says that the declaration counts, and older producers write their country's.

use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

const READ_BYTES: usize = 64 * 1024;
/// A declaration stands at the very beginning.
const DECLARATION_BYTES_MAX: usize = 256;

/// The encoding of a file that begins so.
///
/// # Errors
/// One that is declared and that nobody knows.
pub(super) fn encoding_of(head: &[u8]) -> Result<&'static Encoding, String> {
    if let Some((by_mark, _)) = Encoding::for_bom(head) {
        return Ok(by_mark);
    }
    match head {
        [b'<', 0, ..] => return Ok(UTF_16LE),
        [0, b'<', ..] => return Ok(UTF_16BE),
        _ => {}
    }
    let declaration = head.get(..DECLARATION_BYTES_MAX).unwrap_or(head);
    let declaration = String::from_utf8_lossy(declaration);
    let declaration =
        declaration.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")).map(|(text, _)| text);
    let label = declaration.and_then(|text| {
        let (_, rest) = text.split_once("encoding")?;
        let rest = rest.trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|quote| "\"'".contains(*quote))?;
        rest.split(quote).nth(1)
    });
    let Some(label) = label else { return Ok(UTF_8) };
    let encoding = Encoding::for_label(label.as_bytes())
        .ok_or_else(|| format!("it declares the encoding `{label}`, which is not known; write UTF-8"))?;
    // Whoever can read the declaration byte by byte reads no UTF-16.
    Ok(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
}

/// Reads as UTF-8; what is undecodable is replaced.
pub(super) struct Decoded<R> {
    source: R,
    decoder: Decoder,
    raw: Vec<u8>,
    ready: String,
    taken: usize,
    is_over: bool,
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(source: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder();
        Self { source, decoder, raw: vec![0; READ_BYTES], ready: String::new(), taken: 0, is_over: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() && !self.is_over {
            let count = self.source.read(&mut self.raw)?;
            self.is_over = count == 0;
            let raw = self.raw.get(..count).unwrap_or_default();
            let room = self.decoder.max_utf8_buffer_length(raw.len()).unwrap_or(READ_BYTES.saturating_mul(3));
            self.ready.reserve(room);
            // The room is enough for all of it, so one call decodes it.
            let _ = self.decoder.decode_to_string(raw, &mut self.ready, self.is_over);
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.taken >= self.ready.len() {
            self.fill()?;
        }
        let mut rest = self.ready.as_bytes().get(self.taken..).unwrap_or_default();
        let count = rest.read(into)?;
        self.taken = self.taken.saturating_add(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> String {
        let mut text = String::new();
        Decoded::new(bytes, encoding_of(bytes).unwrap()).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn the_declaration_or_the_mark_says_how_it_is_read() {
        let declared = |name: &str, rest: &[u8]| {
            [format!("<?xml version=\"1.0\" encoding='{name}'?>").as_bytes(), rest].concat()
        };
        assert!(read(&declared("ISO-8859-1", b"caf\xe9")).ends_with("café"));
        assert!(read(&declared("windows-1252", b"\x80")).ends_with('€'));
        assert!(read(&declared("utf-8", "café".as_bytes())).ends_with("café"));
        assert!(read(&declared("UTF-16", "café".as_bytes())).ends_with("café"));
        assert!(read(b"<a>caf\xe9</a>").contains('\u{fffd}'));
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        assert_eq!(read(&wide("\u{feff}<a>é</a>")), "<a>é</a>");
        assert_eq!(read(&wide("<a>é</a>")), "<a>é</a>");
        assert_eq!(read("\u{feff}<a/>".as_bytes()), "<a/>");
        assert!(encoding_of(&declared("klingon", b"")).unwrap_err().contains("`klingon`"));
    }
}
