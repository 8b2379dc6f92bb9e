//! Lines of what comes in pieces, each with a limit.

use crate::limits::RESULT_LINE_BYTES;

/// The line that has not ended yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    /// The rest of a line that was too long is passed over.
    skips: bool,
}

impl Lines {
    pub(super) fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(&str)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, is_whole) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            let room = RESULT_LINE_BYTES.saturating_sub(self.line.len());
            self.skips |= text.len() > room;
            self.line.extend(text.iter().take(room));
            if is_whole {
                self.end(&mut take);
            }
        }
    }

    /// The last line may lack its end.
    pub(super) fn finish(&mut self, mut take: impl FnMut(&str)) {
        if !self.line.is_empty() {
            self.end(&mut take);
        }
    }

    fn end(&mut self, take: &mut impl FnMut(&str)) {
        let line = std::mem::take(&mut self.line);
        self.skips = false;
        take(String::from_utf8_lossy(&line).trim_end_matches('\r'));
    }
}
