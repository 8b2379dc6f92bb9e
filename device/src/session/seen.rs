//! Bytes without the codes that draw nothing, such as colours: a prompt that has some in its middle is found by what is seen of it.

use std::ops::Range;

use super::drawn::after_escape;

/// What is seen of some bytes, with the place of each among them.
pub(super) struct Seen {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

/// A text that was found.
pub(super) struct Found {
    /// The bytes that draw it.
    pub(super) range: Range<usize>,
    /// Nothing is seen before it in its line.
    pub(super) begins_line: bool,
}

impl Seen {
    pub(super) fn of(raw: &[u8]) -> Self {
        let mut seen = Self { bytes: Vec::with_capacity(raw.len()), places: Vec::with_capacity(raw.len()) };
        let mut rest = raw;
        while let Some((&byte, after)) = rest.split_first() {
            let behind = if byte == 0x1b { after_escape(after) } else { after };
            let code = after.get(..after.len().saturating_sub(behind.len())).unwrap_or_default();
            rest = behind;
            if byte == 0x1b && draws_nothing(code) {
                continue;
            }
            let place = raw.len().saturating_sub(after.len()).saturating_sub(1);
            seen.bytes.push(byte);
            seen.places.push(place);
            seen.bytes.extend_from_slice(code);
            seen.places.extend((1..=code.len()).map(|at| place.saturating_add(at)));
        }
        seen
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The place among all bytes of one that is seen.
    pub(super) fn place(&self, at: usize) -> Option<usize> {
        self.places.get(at).copied()
    }

    /// Where a text stands last.
    pub(super) fn last(&self, text: &str) -> Option<Found> {
        let at = memchr::memmem::rfind(&self.bytes, text.as_bytes()).filter(|_| !text.is_empty())?;
        let last = self.place(at.saturating_add(text.len()).saturating_sub(1))?;
        let before = self.bytes.get(..at).and_then(|before| before.last());
        Some(Found {
            range: self.place(at)?..last.saturating_add(1),
            begins_line: matches!(before, None | Some(b'\n' | b'\r')),
        })
    }
}

/// Where a text stands last in some bytes, as a terminal shows them.
pub(super) fn last(bytes: &[u8], text: &str) -> Option<Found> {
    // A device that colours its prompt colours other things, too.
    if memchr::memchr(0x1b, bytes).is_some() {
        return Seen::of(bytes).last(text);
    }
    let at = memchr::memmem::rfind(bytes, text.as_bytes()).filter(|_| !text.is_empty())?;
    let begins_line = matches!(bytes.get(..at)?.last(), None | Some(b'\n' | b'\r'));
    Some(Found { range: at..at.saturating_add(text.len()), begins_line })
}

/// Colours, modes of the terminal, and titles of its window.
fn draws_nothing(code: &[u8]) -> bool {
    matches!(code, [b'[', .., b'm' | b'h' | b'l'] | [b']', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_found_through_its_colours() {
        let bytes = b"no end\x1b[?2004h\x1b]0;box\x07\x1b[1;32mbox\x1b[0m$ \x1b[K";
        let found = Seen::of(bytes).last("box$ ").unwrap();
        assert_eq!(bytes.get(found.range), Some(&b"box\x1b[0m$ "[..]));
        assert!(!found.begins_line);
        assert!(Seen::of(b"x\r\n\x1b[1mbox$ ").last("box$").unwrap().begins_line);
        assert!(Seen::of(b"bo\x1b[Dx$ ").last("box$").is_none(), "what draws stays");
    }
}
