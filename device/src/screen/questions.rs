//! What a device asks its terminal: found among the codes it sends, however these were cut on their way.

use vte::{Params, Parser, Perform};

/// A question that a terminal answers by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Does it work? (DSR 5)
    Alive,
    /// Where is the cursor? (DSR 6)
    Cursor,
    /// What is it? (DA)
    Kind,
    /// Which version? (secondary DA)
    Version,
}

/// Reads along.
#[derive(Default)]
pub(super) struct Questions {
    parser: Parser,
    heard: Heard,
}

#[derive(Default)]
struct Heard(Option<Question>);

impl Questions {
    /// How many bytes to draw until the next question, which was asked there; all of them where none was.
    pub(super) fn next(&mut self, bytes: &[u8]) -> (usize, Option<Question>) {
        let upto = self.parser.advance_until_terminated(&mut self.heard, bytes);
        (upto.max(1), self.heard.0.take())
    }
}

impl Perform for Heard {
    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        let first = params.iter().next().and_then(|param| param.first()).copied().unwrap_or_default();
        self.0 = match (intermediates, action, first) {
            _ if ignore => None,
            ([], 'n', 5) => Some(Question::Alive),
            ([], 'n', 6) => Some(Question::Cursor),
            ([], 'c', 0) => Some(Question::Kind),
            ([b'>'], 'c', 0) => Some(Question::Version),
            _ => None,
        };
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _ignore: bool, byte: u8) {
        // The oldest way to ask: DECID.
        self.0 = (intermediates.is_empty() && byte == b'Z').then_some(Question::Kind);
    }

    fn terminated(&self) -> bool {
        self.0.is_some()
    }
}
