//! What is typed, as a recording shows it: the answer to a question for a secret becomes stars, once for its whole line, whoever types it.

use std::collections::VecDeque;

use jackfield_config::steps::secret::has_secret_word;

use super::redact::STARS;

/// Of what the device said last, as much is looked at for a question.
const QUESTION_BYTES: usize = 200;
/// Bytes of a secret; what is longer is a text that was pasted, and is starred without being learned.
const SECRET_BYTES_MAX: usize = 1024;
/// What a device said last, as much of it as a question may have.
#[derive(Clone, Debug, Default)]
pub struct LastSaid(VecDeque<u8>);

impl LastSaid {
    /// It said this.
    pub fn push(&mut self, bytes: &[u8]) {
        let new = bytes.get(bytes.len().saturating_sub(QUESTION_BYTES)..).unwrap_or(bytes);
        let over = self.0.len().saturating_add(new.len()).saturating_sub(QUESTION_BYTES);
        self.0.drain(..over.min(self.0.len()));
        self.0.extend(new);
    }

    /// Whether it asks for something that is not to be written down.
    pub fn asks_for_secret(&self) -> bool {
        let bytes: Vec<u8> = self.0.iter().copied().collect();
        asks_for_secret(&bytes)
    }
}

/// What a person or a test types, and how it may be shown.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    said: LastSaid,
    secret: bool,
    /// The secret so far.
    keys: Vec<u8>,
    /// Keys of the secret that the device has not echoed yet, if it does.
    echo: VecDeque<u8>,
}

impl Typed {
    /// The device said this; what may be written down of it, without the echo of keys that are not.
    pub fn said<'s>(&mut self, bytes: &'s [u8]) -> std::borrow::Cow<'s, [u8]> {
        self.said.push(bytes);
        let echoed = self.echo.iter().zip(bytes).take_while(|(key, byte)| key == byte).count();
        if echoed == 0 {
            // It shows something else, or nothing: what it says from now on is no echo.
            self.echo.clear();
            return bytes.into();
        }
        self.echo.drain(..echoed);
        let mut shown = vec![b'*'; echoed];
        shown.extend_from_slice(bytes.get(echoed..).unwrap_or_default());
        shown.into()
    }

    /// What may be written down of these keys.
    pub fn shown<'k>(&mut self, keys: &'k [u8]) -> &'k [u8] {
        // Who sends them has put stars in their place already, or will when the line is whole.
        if keys.is_empty() || keys == STARS {
            if !keys.is_empty() {
                self.said = LastSaid::default();
            }
            return keys;
        }
        self.secret = self.is_asked_for_secret();
        let ends = ends_line(keys);
        if ends {
            // The next line answers another question, if any.
            self.said = LastSaid::default();
        }
        if !self.secret {
            return keys;
        }
        self.hide(keys);
        if !ends {
            return b"";
        }
        self.secret = false;
        STARS
    }

    /// Whether what is typed next is an answer that nobody is to read.
    pub fn is_asked_for_secret(&self) -> bool {
        self.secret || self.said.asks_for_secret()
    }

    /// These keys are secret, whatever the device asked for.
    pub fn hide(&mut self, keys: &[u8]) {
        if self.keys.len().saturating_add(keys.len()) <= SECRET_BYTES_MAX.saturating_add(2) {
            self.keys.extend_from_slice(keys);
            self.echo.extend(keys.iter().filter(|_| !ends_line(keys)));
        }
    }

    /// The secret that was typed, once its line is whole.
    pub fn take_secret(&mut self) -> Option<Vec<u8>> {
        if !ends_line(&self.keys) {
            return None;
        }
        self.echo.clear();
        let keys = std::mem::take(&mut self.keys);
        // In the device's own encoding, in which it would say it again.
        Some(without_slips(&keys)).filter(|secret| !secret.is_empty())
    }
}

/// Enter, or a key that gives the question up.
fn ends_line(keys: &[u8]) -> bool {
    keys.iter().any(|key| matches!(key, b'\r' | b'\n' | 0x03 | 0x04))
}

/// A line as it stood when Enter was pressed.
fn without_slips(keys: &[u8]) -> Vec<u8> {
    let mut line = Vec::new();
    for key in keys {
        match key {
            0x08 | 0x7f => drop(line.pop()),
            0x15 => line.clear(),
            b'\r' | b'\n' | 0x03 | 0x04 => break,
            key => line.push(*key),
        }
    }
    line
}

/// Whether the device's last words ask for something that is not to be written down.
fn asks_for_secret(last: &[u8]) -> bool {
    let text = without_codes(&String::from_utf8_lossy(last));
    let line = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    // `[R1-token]` is a prompt, of a view that is called so.
    let is_prompt = line.trim().starts_with('[') && line.trim().ends_with(']');
    line.trim_end().ends_with([':', '?', ']', '：']) && !is_prompt && has_secret_word(line)
}

/// A text without the codes by which a terminal is coloured and set, which may stand behind a question.
fn without_codes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\u{1b}' {
            plain.extend(Some(letter).filter(|letter| !letter.is_control() || matches!(letter, '\r' | '\n')));
        } else if letters.next_if_eq(&'[').is_some() {
            letters.by_ref().find(|letter| ('@'..='~').contains(letter));
        } else {
            letters.next();
        }
    }
    plain
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
            ("\u{1b}[1mPassword:\u{1b}[0m\u{1b}[?2004h ", true),
            ("请输入密码：", true),
            ("Verification code: ", true),
            ("Password: \r\nr1# ", false),
            ("r1(config)# enable secret ", false),
            ("login: ", false),
            ("[R1-wlan-psk]", false),
            ("Password [none] ", true),
        ] {
            assert_eq!(asks_for_secret(last.as_bytes()), expect, "{last}");
        }
    }

    #[test]
    fn a_secret_that_is_typed_key_by_key_becomes_one_line_of_stars() {
        let mut typed = Typed::default();
        typed.said(b"Password: ");
        let shown: Vec<&[u8]> =
            [b"g".as_slice(), b"x", b"\x7fe", b"h\r"].iter().map(|keys| typed.shown(keys)).collect();
        assert_eq!(shown, [b"".as_slice(), b"", b"", STARS]);
        assert_eq!(typed.take_secret().as_deref(), Some(b"geh".as_slice()));
        // What follows before the device answers is no answer to the same question.
        assert_eq!(typed.shown(b"show\r"), b"show\r");
        typed.said(b"\r\nr1# ");
        assert_eq!(typed.shown(b"s"), b"s");
        assert_eq!(typed.take_secret(), None);
    }

    #[test]
    fn the_echo_of_a_secret_is_starred_key_by_key() {
        let mut typed = Typed::default();
        typed.said(b"New community: ");
        for key in [b"p".as_slice(), b"u"] {
            assert_eq!(typed.shown(key), b"");
            assert_eq!(typed.said(key).as_ref(), b"*");
        }
        // A device that shows something else echoes nothing.
        assert_eq!(typed.shown(b"b"), b"");
        assert_eq!(typed.said(b"\r\nb").as_ref(), b"\r\nb");
    }
}
