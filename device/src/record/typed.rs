//! What a person types, as a recording shows it: the answer to a question for a secret becomes stars, once for its whole line.

use super::redact::STARS;

/// Of what the device said last, as much is looked at for a question.
pub const QUESTION_BYTES: usize = 200;

/// The keys that a person pressed so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Typed {
    secret: bool,
}

impl Typed {
    /// What may be written down of these keys, after the device said `last`.
    pub fn shown<'k>(&mut self, last: &[u8], keys: &'k [u8]) -> &'k [u8] {
        self.secret = self.secret || asks_for_secret(last);
        if !self.secret {
            return keys;
        }
        // Enter, or a key that gives the question up.
        let ends = keys.iter().any(|key| matches!(key, b'\r' | b'\n' | 0x03 | 0x04));
        if !ends {
            return b"";
        }
        self.secret = false;
        STARS
    }
}

/// Whether the device's last words ask for something that is not to be written down.
fn asks_for_secret(last: &[u8]) -> bool {
    let text = String::from_utf8_lossy(last).to_lowercase();
    let line = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    let asks = ["password", "passphrase", "passcode", "secret", "pin:", "community"];
    line.trim_end().ends_with([':', '?', ']']) && asks.iter().any(|word| line.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_for_a_secret_is_known() {
        for (last, expect) in [
            ("login: ana\r\nPassword: ", true),
            ("[sudo] password for ana: ", true),
            ("Enter passphrase for key '/k': ", true),
            ("Password: \r\nr1# ", false),
            ("r1(config)# enable secret ", false),
            ("login: ", false),
        ] {
            assert_eq!(asks_for_secret(last.as_bytes()), expect, "{last}");
        }
    }

    #[test]
    fn a_secret_that_is_typed_key_by_key_becomes_one_line_of_stars() {
        let mut typed = Typed::default();
        let question = b"Password: ".as_slice();
        let shown: Vec<&[u8]> =
            [b"g".as_slice(), b"e", b"h\r"].iter().map(|keys| typed.shown(question, keys)).collect();
        assert_eq!(shown, [b"".as_slice(), b"", STARS]);
        assert_eq!(typed.shown(b"Password: \r\nr1# ", b"s"), b"s");
    }
}
