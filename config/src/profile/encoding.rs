//! The letters of a device: how its bytes are read as text, and text is sent to it.

use std::borrow::Cow;

/// An encoding by its name in the WHATWG list (`utf-8`, `latin1`, `windows-1252`, `gbk`, `shift_jis`, …).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// UTF-8, which devices speak where nothing else is said.
    pub const UTF_8: Self = Self(encoding_rs::UTF_8);

    /// The encoding of a name; none where there is no such, or it is not made of bytes that stand for themselves where they are ASCII.
    pub fn named(name: &str) -> Option<Self> {
        let name = match name.to_ascii_lowercase().as_str() {
            // As Python and people write them.
            cp if cp.starts_with("cp12") => format!("windows-{}", cp.trim_start_matches("cp")),
            "latin-1" => "latin1".to_owned(),
            "sjis" | "cp932" => "shift_jis".to_owned(),
            other => other.replace("utf8", "utf-8"),
        };
        let encoding = encoding_rs::Encoding::for_label(name.as_bytes())?;
        encoding.is_ascii_compatible().then_some(Self(encoding))
    }

    /// Its name in the list.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Whether it is UTF-8.
    pub fn is_utf8(self) -> bool {
        self.0 == encoding_rs::UTF_8
    }

    /// Bytes as text; what is none becomes U+FFFD.
    pub fn text(self, bytes: &[u8]) -> Cow<'_, str> {
        if self.is_utf8() {
            return String::from_utf8_lossy(bytes);
        }
        self.0.decode_without_bom_handling(bytes).0
    }

    /// Text as bytes; none where it has a letter that the device has not.
    pub fn bytes(self, text: &str) -> Option<Cow<'_, [u8]>> {
        let (bytes, _, has_unknown) = self.0.encode(text);
        (!has_unknown).then_some(bytes)
    }
}

impl Default for Encoding {
    fn default() -> Self {
        Self::UTF_8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_people_write_them_are_known() {
        for (name, wanted) in [
            ("latin-1", Some("windows-1252")),
            ("iso-8859-15", Some("ISO-8859-15")),
            ("CP1252", Some("windows-1252")),
            ("gbk", Some("GBK")),
            ("Shift_JIS", Some("Shift_JIS")),
            ("cp932", Some("Shift_JIS")),
            ("utf8", Some("UTF-8")),
            ("utf-16le", None),
            ("klingon", None),
        ] {
            assert_eq!(Encoding::named(name).map(Encoding::name), wanted, "{name}");
        }
    }

    #[test]
    fn what_a_device_has_no_letter_for_is_not_sent() {
        let latin = Encoding::named("latin1").unwrap();
        assert_eq!(latin.text(b"caf\xe9"), "café");
        assert_eq!(latin.bytes("café").as_deref(), Some(&b"caf\xe9"[..]));
        assert_eq!(latin.bytes("木"), None);
    }
}
