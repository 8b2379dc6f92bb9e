//! One-time codes from a shared secret and the time of day (RFC 6238), for logins that ask for one.
//!
//! A secret is what enrolment shows: base32, or the whole `otpauth://totp/…` address, which may name another algorithm, more digits or a
//! longer period. Without one it is what every authenticator takes for granted: SHA-1, six digits, thirty seconds.

use std::fmt;

use jackfield_protocol::secret::Secret;
use ring::hmac;
use zeroize::Zeroizing;

use crate::clock;

/// Seconds for which a code is good, where its address names none.
const PERIOD_SECONDS: u64 = 30;
/// Digits of a code, where its address names none.
const DIGITS: u32 = 6;
/// The longest period that an address may name.
const PERIOD_SECONDS_MAX: u64 = 3600;
/// The shortest secret that is no slip of the pen: 80 bits, as the oldest authenticators have them.
const SECRET_BYTES_MIN: usize = 10;

/// Makes codes.
#[derive(Clone, PartialEq, Eq)]
pub struct Totp {
    /// As it was written, so that records can strike it out.
    written: Vec<Secret>,
    key: Zeroizing<Vec<u8>>,
    hash: Hash,
    digits: u32,
    period_seconds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

/// A text that makes no codes. It does not say the text: that is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TotpError {
    /// Other letters than base32 has.
    #[error(
        "write it in base32 (A to Z, 2 to 7), as the enrolment shows it, or as an address otpauth://totp/…?secret=…"
    )]
    Letters,
    /// Too short for a secret.
    #[error("it is too short for a secret: write all of it, at least 16 letters")]
    Short,
    /// An address that names what there is not.
    #[error(
        "its address must have `secret`, and may have `algorithm` (SHA1, SHA256, SHA512), `digits` (6 to 8) and `period` (seconds)"
    )]
    Address,
}

impl Totp {
    /// Reads a secret: base32 in letters of any case, with or without blanks, hyphens and `=`, or an `otpauth` address.
    ///
    /// # Errors
    /// It is neither, or too short.
    pub fn parse(text: &str) -> Result<Self, TotpError> {
        let text = text.trim();
        let plain = Self {
            written: Vec::new(),
            key: Zeroizing::default(),
            hash: Hash::Sha1,
            digits: DIGITS,
            period_seconds: PERIOD_SECONDS,
        };
        let is_address = text.get(..10).is_some_and(|begin| begin.eq_ignore_ascii_case("otpauth://"));
        let (secret, settings) = if is_address { of_address(text, plain)? } else { (text, plain) };
        let key = of_base32(secret).ok_or(TotpError::Letters)?;
        if key.len() < SECRET_BYTES_MIN {
            return Err(TotpError::Short);
        }
        Ok(Self { written: vec![Secret::new(text), Secret::new(secret)], key: key.into(), ..settings })
    }

    /// What must not be read in a record: all that was written, and the secret in it.
    pub fn written(&self) -> impl Iterator<Item = &Secret> {
        self.written.iter()
    }

    /// The code of now.
    pub fn code(&self) -> String {
        let seconds = u64::try_from(clock::wall().0 / 1000).unwrap_or_default();
        self.code_at(seconds)
    }

    /// Whether a code is that of now, or of the period before or after: clocks differ.
    pub fn accepts(&self, code: &str) -> bool {
        let now = u64::try_from(clock::wall().0 / 1000).unwrap_or_default();
        let times = [now.saturating_sub(self.period_seconds), now, now.saturating_add(self.period_seconds)];
        times.iter().any(|seconds| self.code_at(*seconds) == code.trim())
    }

    /// The code so many seconds after 1970.
    fn code_at(&self, seconds: u64) -> String {
        let algorithm = match self.hash {
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        let steps = seconds.checked_div(self.period_seconds).unwrap_or_default();
        let tag = hmac::sign(&hmac::Key::new(algorithm, &self.key), &steps.to_be_bytes());
        let digest = tag.as_ref();
        // RFC 4226: the low half of the last byte says where the number begins, whose sign is left out.
        let begin = digest.last().map_or(0, |last| usize::from(last & 0x0f));
        let bytes = digest.iter().skip(begin).take(4);
        let number = bytes.fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
        let digits = usize::try_from(self.digits).unwrap_or_default();
        format!("{:0digits$}", number % 10_u32.pow(self.digits))
    }
}

impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

fn of_address(text: &str, plain: Totp) -> Result<(&str, Totp), TotpError> {
    let (place, fields) = text.split_once('?').ok_or(TotpError::Address)?;
    // Codes that count logins would need a memory: a code that was made and not used puts both sides out of step.
    if !place.to_ascii_lowercase().starts_with("otpauth://totp/") {
        return Err(TotpError::Address);
    }
    let (mut secret, mut settings) = (None, plain);
    for field in fields.split('&') {
        let (name, value) = field.split_once('=').ok_or(TotpError::Address)?;
        match name.to_ascii_lowercase().as_str() {
            "secret" => secret = Some(value),
            "algorithm" => settings.hash = hash(value).ok_or(TotpError::Address)?,
            "digits" => {
                let digits = value.parse().ok().filter(|digits| (6..=8).contains(digits));
                settings.digits = digits.ok_or(TotpError::Address)?;
            }
            "period" => {
                let period = value.parse().ok().filter(|period| (1..=PERIOD_SECONDS_MAX).contains(period));
                settings.period_seconds = period.ok_or(TotpError::Address)?;
            }
            // For people: `issuer`, `image`.
            _ => {}
        }
    }
    Ok((secret.ok_or(TotpError::Address)?, settings))
}

fn hash(name: &str) -> Option<Hash> {
    match name.to_ascii_uppercase().replace('-', "").as_str() {
        "SHA1" => Some(Hash::Sha1),
        "SHA256" => Some(Hash::Sha256),
        "SHA512" => Some(Hash::Sha512),
        _ => None,
    }
}

/// The bytes of a base32 text (RFC 4648); none where it has other letters.
fn of_base32(text: &str) -> Option<Vec<u8>> {
    let text = text.replace("%3D", "").replace("%3d", "");
    let letters = text.bytes().filter(|letter| !matches!(letter, b' ' | b'-' | b'='));
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0_u32);
    for letter in letters {
        let five = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter.wrapping_sub(b'A'),
            letter @ b'2'..=b'7' => letter.wrapping_sub(b'2').wrapping_add(26),
            _ => return None,
        };
        bits = bits << 5 | u32::from(five);
        count = count.saturating_add(5);
        if count >= 8 {
            count = count.saturating_sub(8);
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secrets of RFC 6238, appendix B: "1234567890" again and again.
    const SHA1: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    const SHA256: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA====";
    const SHA512: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA=";

    #[test]
    fn the_codes_of_the_rfc_come_out() {
        let totp = |secret: &str, algorithm: &str| {
            Totp::parse(&format!(
                "otpauth://totp/lab:r1?secret={secret}&algorithm={algorithm}&digits=8&issuer=x"
            ))
            .unwrap()
        };
        let (one, two, five) = (totp(SHA1, "SHA1"), totp(SHA256, "sha-256"), totp(SHA512, "SHA512"));
        for (seconds, sha1, sha256, sha512) in [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ] {
            let codes = [&one, &two, &five].map(|totp| totp.code_at(seconds));
            assert_eq!(codes, [sha1, sha256, sha512], "{seconds}");
        }
        let six = Totp::parse("gezd gnbv-gy3t qojq gezd gnbv gy3t qojq").unwrap();
        assert_eq!(six.code_at(59), "287082");
        assert_eq!(six.code_at(1_111_111_109), "081804");
        let minute = Totp::parse(&format!("otpauth://totp/x?secret={SHA1}&period=60")).unwrap();
        assert_eq!(minute.code_at(119), six.code_at(59));
        assert!(six.accepts(&six.code()) && !six.accepts("12"));
    }

    #[test]
    fn what_makes_no_codes_is_refused_and_never_told() {
        for (text, wanted) in [
            ("", TotpError::Short),
            ("GEZDGNBV", TotpError::Short),
            ("GEZDGNBVGY3TQ0JQ", TotpError::Letters),
            ("GEZDGNBVGY3TQÖJQ", TotpError::Letters),
            ("otpauth://totp/x", TotpError::Address),
            ("otpauth://totp/x?issuer=y", TotpError::Address),
            ("otpauth://hotp/x?secret=GEZDGNBVGY3TQOJQ&counter=1", TotpError::Address),
            ("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&digits=10", TotpError::Address),
            ("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&period=0", TotpError::Address),
            ("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&algorithm=MD5", TotpError::Address),
        ] {
            assert_eq!(Totp::parse(text), Err(wanted), "{text}");
        }
        assert_eq!(format!("{:?}", Totp::parse(SHA1).unwrap()), "********");
    }
}
