//! The SHA-256 of a certificate: what a person compares, and a program pins.

use std::{fmt, fmt::Write as _, str::FromStr};

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

/// Of one certificate, in whole. Written as browsers show it: `AB:CD:…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; SHA256_OUTPUT_LEN]);

/// A text that is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no fingerprint; write the 64 hexadecimal digits that `jackfield engine fingerprint` prints"
)]
pub struct FingerprintError(String);

impl Fingerprint {
    /// Of a certificate as it travels (DER).
    pub fn of(certificate: &[u8]) -> Self {
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Self(bytes)
    }

    /// 64 digits without anything between: as tokens carry it.
    pub fn compact(self) -> String {
        self.0.iter().fold(String::new(), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let between = if place == 0 { "" } else { ":" };
            write!(f, "{between}{byte:02X}")?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// As people copy it: with or without colons and blanks, in either case, with the name of the hash before it or not.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let bad = || FingerprintError(text.trim().to_owned());
        let plain = text.trim().to_ascii_lowercase();
        let plain = ["sha256", "sha-256"]
            .iter()
            .find_map(|name| plain.strip_prefix(name))
            .map_or(plain.as_str(), |rest| rest.trim_start_matches([':', '=', ' ']));
        // `openssl x509 -fingerprint` writes `sha256 Fingerprint=AB:…`.
        let plain =
            plain.strip_prefix("fingerprint").map_or(plain, |rest| rest.trim_start_matches([':', '=', ' ']));
        let digits: Vec<char> = plain.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        if digits.len() != bytes.len() * 2 {
            return Err(bad());
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair: String = pair.iter().collect();
            *byte = u8::from_str_radix(&pair, 16).ok().filter(|_| !pair.starts_with('+')).ok_or_else(bad)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_people_copy_it() {
        let print = Fingerprint::of(b"a certificate");
        let shown = print.to_string();
        assert_eq!(shown.len(), 95);
        for text in [
            shown.clone(),
            shown.to_lowercase(),
            shown.replace(':', " "),
            print.compact(),
            format!("  {shown}\n"),
            format!("SHA256:{}", print.compact()),
            format!("SHA-256 {shown}"),
            format!("sha256 Fingerprint={shown}"),
        ] {
            assert_eq!(text.parse(), Ok(print), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_told() {
        for text in [
            "",
            "AB",
            &"0".repeat(63),
            &"0".repeat(65),
            &"g".repeat(64),
            &"+1".repeat(32),
            "MD5:00",
            &"é".repeat(64),
        ] {
            let told = text.parse::<Fingerprint>().unwrap_err().to_string();
            assert!(told.contains("jackfield engine fingerprint"), "{told}");
        }
    }
}
