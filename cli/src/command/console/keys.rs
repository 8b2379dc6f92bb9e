//! What is typed at a raw terminal: most of it is for the device, what follows Ctrl-] is for us.

/// Ctrl-].
const ESCAPE: u8 = 0x1d;

/// What was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// For the device.
    Typed(Vec<u8>),
    Take,
    Release,
    Mark,
    Break,
    Help,
    Quit,
}

/// The keys pressed so far.
#[derive(Debug, Default)]
pub(super) struct Keys {
    escaped: bool,
}

impl Keys {
    /// What these bytes mean, in their order.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Key> {
        let mut meant = Vec::new();
        let mut plain = Vec::new();
        for &byte in bytes {
            if !std::mem::replace(&mut self.escaped, false) {
                if byte == ESCAPE {
                    self.escaped = true;
                } else {
                    plain.push(byte);
                }
                continue;
            }
            let key = match byte {
                ESCAPE => {
                    plain.push(ESCAPE);
                    continue;
                }
                b'q' | b'Q' | b'.' => Key::Quit,
                b't' | b'T' => Key::Take,
                b'r' | b'R' => Key::Release,
                b'm' | b'M' => Key::Mark,
                b'b' | b'B' => Key::Break,
                _ => Key::Help,
            };
            if !plain.is_empty() {
                meant.push(Key::Typed(std::mem::take(&mut plain)));
            }
            meant.push(key);
        }
        if !plain.is_empty() {
            meant.push(Key::Typed(plain));
        }
        meant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_escape_is_for_us() {
        let typed = |text: &[u8]| Key::Typed(text.to_vec());
        let check = |pieces: &[&[u8]], expect: &[Key]| {
            let mut keys = Keys::default();
            let meant: Vec<Key> = pieces.iter().flat_map(|piece| keys.feed(piece)).collect();
            assert_eq!(meant, expect, "{pieces:?}");
        };
        check(&[b"show\r"], &[typed(b"show\r")]);
        check(&[b"a\x1dtb\x1d", b"rc"], &[typed(b"a"), Key::Take, typed(b"b"), Key::Release, typed(b"c")]);
        check(&[b"\x1d\x1dq"], &[typed(b"\x1dq")]);
        check(&[b"\x1d?\x1dm\x1db\x1dq"], &[Key::Help, Key::Mark, Key::Break, Key::Quit]);
    }
}
