//! XML with its long texts cut: what a tool printed may be gigabytes, and nobody reads it here.
//!
//! A parser collects each text before it gives it away. This reader stands before it and lets of every text, section, comment and
//! attribute only a beginning through, so that memory does not depend on the file.

use std::io::{self, BufRead, Read};

use crate::limits::{RESULT_TAG_BYTES_MAX, RESULT_TEXT_BYTES};

/// The longest name of a character, with `&` and `;`, that is kept whole.
const REFERENCE_BYTES_MAX: usize = 16;

const COMMENT: &[u8] = b"<!--";
const SECTION: &[u8] = b"<![CDATA[";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Text,
    /// After `<`, as long as it may become a comment or a section.
    Begins,
    Tag,
    /// In an attribute, which ends with this.
    Quoted(u8),
    Comment,
    Section,
}

/// The reader.
#[derive(Debug)]
pub(super) struct ShortTexts<R> {
    source: R,
    state: State,
    /// Bytes of the beginning of something.
    begun: Vec<u8>,
    cut: Cut,
    tag_bytes: usize,
    /// The last two bytes, which may end a comment or a section.
    last: [u8; 2],
    ready: Vec<u8>,
    taken: usize,
}

/// Where a text is cut: between two characters, and not inside of a reference to one.
#[derive(Debug, Default)]
struct Cut {
    kept: usize,
    reference: usize,
    is_cut: bool,
}

impl Cut {
    fn lets_through(&mut self, byte: u8) -> bool {
        if self.is_cut {
            return false;
        }
        let begins_character = byte & 0xC0 != 0x80;
        if self.kept >= RESULT_TEXT_BYTES && self.reference == 0 && begins_character {
            self.is_cut = true;
            return false;
        }
        self.kept = self.kept.saturating_add(1);
        self.reference = match byte {
            b'&' => 1,
            b';' => 0,
            _ if self.reference == 0 || self.reference >= REFERENCE_BYTES_MAX => 0,
            _ => self.reference.saturating_add(1),
        };
        true
    }
}

impl<R: BufRead> ShortTexts<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            state: State::Text,
            begun: Vec::new(),
            cut: Cut::default(),
            tag_bytes: 0,
            last: [0; 2],
            ready: Vec::new(),
            taken: 0,
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.cut = Cut::default();
        self.last = [0; 2];
    }

    fn take(&mut self, byte: u8) -> io::Result<()> {
        match self.state {
            State::Text if byte == b'<' => {
                self.begun = vec![byte];
                self.tag_bytes = 0;
                self.enter(State::Begins);
            }
            State::Text => self.pass(byte),
            State::Begins => self.begin(byte)?,
            State::Tag => {
                self.count_tag()?;
                self.ready.push(byte);
                match byte {
                    b'>' => self.enter(State::Text),
                    b'"' | b'\'' => self.enter(State::Quoted(byte)),
                    _ => {}
                }
            }
            State::Quoted(quote) if byte == quote => {
                self.ready.push(byte);
                self.enter(State::Tag);
            }
            State::Quoted(_) => {
                if self.cut.lets_through(byte) {
                    self.count_tag()?;
                    self.ready.push(byte);
                }
            }
            State::Comment => {
                if byte == b'>' && self.last == *b"--" {
                    self.enter(State::Text);
                } else {
                    self.remember(byte);
                }
            }
            State::Section => {
                if byte == b'>' && self.last == *b"]]" {
                    let end: &[u8] = if self.cut.is_cut { b"]]>" } else { b">" };
                    self.ready.extend_from_slice(end);
                    self.enter(State::Text);
                } else {
                    self.remember(byte);
                    self.pass(byte);
                }
            }
        }
        Ok(())
    }

    /// Decides what begins here: comments are left out, everything else goes on as it came.
    fn begin(&mut self, byte: u8) -> io::Result<()> {
        self.begun.push(byte);
        if self.begun == COMMENT {
            self.enter(State::Comment);
        } else if self.begun == SECTION {
            self.ready.append(&mut self.begun);
            self.enter(State::Section);
        } else if !COMMENT.starts_with(&self.begun) && !SECTION.starts_with(&self.begun) {
            let begun = std::mem::take(&mut self.begun);
            self.ready.push(b'<');
            self.enter(State::Tag);
            for byte in begun.into_iter().skip(1) {
                self.take(byte)?;
            }
        }
        Ok(())
    }

    fn pass(&mut self, byte: u8) {
        if self.cut.lets_through(byte) {
            self.ready.push(byte);
        }
    }

    fn remember(&mut self, byte: u8) {
        let [_, before] = self.last;
        self.last = [before, byte];
    }

    fn count_tag(&mut self) -> io::Result<()> {
        self.tag_bytes = self.tag_bytes.saturating_add(1);
        if self.tag_bytes > RESULT_TAG_BYTES_MAX {
            return Err(io::Error::other(format!("a tag in it has more than {RESULT_TAG_BYTES_MAX} bytes")));
        }
        Ok(())
    }

    fn fill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() {
            let bytes = self.source.fill_buf()?.to_vec();
            if bytes.is_empty() {
                // What had begun and does not end is for the parser to see.
                self.ready.append(&mut self.begun);
                return Ok(());
            }
            for byte in &bytes {
                self.take(*byte)?;
            }
            self.source.consume(bytes.len());
        }
        Ok(())
    }
}

impl<R: BufRead> Read for ShortTexts<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.taken >= self.ready.len() {
            self.fill()?;
        }
        let mut rest = self.ready.get(self.taken..).unwrap_or_default();
        let count = rest.read(into)?;
        self.taken = self.taken.saturating_add(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn through(text: &[u8], piece: usize) -> String {
        let mut out = String::new();
        let source = io::BufReader::with_capacity(piece, text);
        ShortTexts::new(source).read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn long_texts_are_cut_and_the_structure_stays() {
        let long = "é&amp;".repeat(10_000);
        let xml =
            format!("<?xml version='1.0'?><a b='{long}'>{long}<!-- {long} --><c><![CDATA[]{long}]]></c></a>");
        let out = through(xml.as_bytes(), 7);
        let short = "é&amp;".repeat(RESULT_TEXT_BYTES.div_ceil(7));
        let short = short.get(..RESULT_TEXT_BYTES + 5).map_or(short.as_str(), |_| short.as_str());
        assert!(out.len() < 3 * RESULT_TEXT_BYTES + 200, "{}", out.len());
        assert!(out.starts_with("<?xml version='1.0'?><a b='é&amp;"), "{}", out.get(..60).unwrap());
        assert!(out.ends_with("]]></c></a>"));
        assert!(
            !out.contains("<!--")
                && out.contains(&short.get(..RESULT_TEXT_BYTES / 2).unwrap().replace('\0', ""))
        );
        let mut reader = quick_xml::Reader::from_str(&out);
        while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
    }

    #[test]
    fn an_endless_tag_is_refused() {
        let endless = io::BufReader::new(b"<a ".chain(io::repeat(b'x')));
        let error = ShortTexts::new(endless).read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "a tag in it has more than 1048576 bytes");
    }

    proptest! {
        /// What is short comes through as it is, but for comments, however it is cut into reads.
        #[test]
        fn short_files_are_not_changed(parts in prop::collection::vec(prop::sample::select(vec![
            "<a>", "</a>", "text", "&amp;", "<b c='d>\"'/>", "<![CDATA[]]]>", "<![CDATA[<x>]]]]>", "<?pi ?>", "é", "<!DOCTYPE x>", "<!", "]]>", "<",
        ]), 0..12), piece in 1..9_usize) {
            let text = parts.concat();
            prop_assert_eq!(through(text.as_bytes(), piece), text);
        }
    }
}
