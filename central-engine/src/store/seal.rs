//! What of the store nobody may read who only has the store: encrypted with a key that is not in it.
//!
//! A sealed value names its key, so that keys can change while values of older ones are there, and is bound to its place, so that one row's value
//! is no other row's. The keys stand in a file of their own, newest first; `jackfield secret rotate` makes another.
//!
//! ```text
//! JFS1 | 8 bytes: which key | 12 bytes: nonce | AES-256-GCM of the value, and its tag
//! ```

use std::{fmt, sync::Arc};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::StoreError;

/// What a sealed value begins with: neither JSON nor a packed plan does.
const MAGIC: &[u8; 4] = b"JFS1";
/// Bytes of a key's name.
const NAME_BYTES: usize = 8;
/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// What a column of text begins with that is sealed.
const TEXT: &str = "sealed:";
/// What a line of the key file begins with that holds a key.
const LINE: &str = "jackfield-store-key-1 ";
/// What the key file says to whoever opens it.
const ABOUT: &str = "# Keys of the engine's store, newest first: who has them and the store reads the devices' passwords.\n\
     # They are in no backup that `jackfield backup` makes; keep a copy where no copy of the store is.\n";

/// Which key sealed something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName([u8; NAME_BYTES]);

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The keys of a store, of which the newest seals. Cheap to clone.
#[derive(Clone)]
pub struct Seal {
    newest: Arc<Key>,
    older: Vec<Arc<Key>>,
}

struct Key {
    name: KeyName,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    cipher: LessSafeKey,
}

impl Key {
    fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let hash = blake3::derive_key("jackfield store key name 1", bytes.as_slice());
        let mut name = [0; NAME_BYTES];
        name.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        let unbound =
            UnboundKey::new(&AES_256_GCM, bytes.as_slice()).expect("AES-256 takes keys of 32 bytes");
        Self { name: KeyName(name), bytes, cipher: LessSafeKey::new(unbound) }
    }

    fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(bytes.as_mut_slice())?;
        Ok(Self::new(bytes))
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({}, {} older)", self.newest.name, self.older.len())
    }
}

impl Seal {
    /// A new key, and no older one.
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub fn random() -> Result<Self, getrandom::Error> {
        Ok(Self { newest: Arc::new(Key::random()?), older: Vec::new() })
    }

    /// A new key before those that there are.
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub(crate) fn with_new_key(&self) -> Result<Self, getrandom::Error> {
        let older = [&self.newest].into_iter().chain(&self.older).cloned().collect();
        Ok(Self { newest: Arc::new(Key::random()?), older })
    }

    /// The newest key alone.
    pub(crate) fn newest_alone(&self) -> Self {
        Self { newest: Arc::clone(&self.newest), older: Vec::new() }
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// A line that is no key, told by its number, or no key at all.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut keys = Vec::new();
        for (number, line) in (1_u32..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bytes = line.strip_prefix(LINE).and_then(|hex| of_hex(hex.trim())).map(Zeroizing::new);
            let key = bytes.and_then(|bytes| bytes.as_slice().try_into().ok()).map(Zeroizing::new);
            let key =
                key.ok_or_else(|| format!("line {number} is no key: put the file back as it was written"))?;
            keys.push(Arc::new(Key::new(key)));
        }
        let mut keys = keys.into_iter();
        let newest = keys.next().ok_or("it holds no key: put the file back as it was written")?;
        Ok(Self { newest, older: keys.collect() })
    }

    /// The text of the key file.
    pub(crate) fn expose_for_key_file(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(ABOUT.to_owned());
        for key in [&self.newest].into_iter().chain(&self.older) {
            text.push_str(LINE);
            text.push_str(&Zeroizing::new(hex(key.bytes.as_slice())));
            text.push('\n');
        }
        text
    }

    /// The key that seals.
    pub(crate) fn name(&self) -> KeyName {
        self.newest.name
    }

    /// Seals a value for its place.
    pub(super) fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let refused = |what: &str| StoreError::corrupt(format!("{place} cannot be sealed: {what}"));
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|error| refused(&error.to_string()))?;
        let mut body = plain.to_vec();
        let cipher = &self.newest.cipher;
        cipher
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut body,
            )
            .map_err(|_unspecified| refused("it is too long"))?;
        Ok([MAGIC.as_slice(), &self.newest.name.0, &nonce, &body].concat())
    }

    /// Opens a value that was sealed for this place.
    pub(super) fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (name, rest) = named(sealed)
            .ok_or_else(|| StoreError::corrupt(format!("{place} is not sealed, though everything is")))?;
        let key = self.key(name).ok_or(StoreError::Key(name))?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().unwrap_or((&[0; NONCE_LEN], &[]));
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = key.cipher.open_in_place(nonce, Aad::from(place.as_bytes()), &mut body);
        let length = opened.map(|plain| plain.len());
        let changed = |_unspecified| StoreError::corrupt(format!("{place} was changed since it was sealed"));
        body.truncate(length.map_err(changed)?);
        Ok(body)
    }

    /// Seals a text for a column of text.
    pub(super) fn seal_text(&self, place: &str, plain: &str) -> Result<String, StoreError> {
        Ok(format!("{TEXT}{}", hex(&self.seal(place, plain.as_bytes())?)))
    }

    /// Opens a text that was sealed for this place.
    pub(super) fn open_text(&self, place: &str, sealed: &str) -> Result<String, StoreError> {
        let bytes = bytes_of(sealed);
        let bytes = bytes
            .ok_or_else(|| StoreError::corrupt(format!("{place} is not sealed, though everything is")))?;
        String::from_utf8(self.open(place, &bytes)?)
            .map_err(|_not_text| StoreError::corrupt(format!("{place} is no text")))
    }

    fn key(&self, name: KeyName) -> Option<&Key> {
        [&self.newest].into_iter().chain(&self.older).find(|key| key.name == name).map(AsRef::as_ref)
    }
}

/// The key of a sealed value, and what stands behind its name; none for one that is not sealed.
fn named(sealed: &[u8]) -> Option<(KeyName, &[u8])> {
    let (name, rest) = sealed.strip_prefix(MAGIC)?.split_first_chunk::<NAME_BYTES>()?;
    Some((KeyName(*name), rest))
}

/// Which key sealed a value of bytes; none where it is not sealed.
pub(super) fn key_of(sealed: &[u8]) -> Option<KeyName> {
    named(sealed).map(|(name, _)| name)
}

/// The bytes of a sealed text; none where it is not sealed.
pub(super) fn bytes_of(text: &str) -> Option<Vec<u8>> {
    of_hex(text.strip_prefix(TEXT)?)
}

/// The text of sealed bytes.
pub(super) fn text_of(sealed: &[u8]) -> String {
    format!("{TEXT}{}", hex(sealed))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

#[cfg(test)]
impl Seal {
    /// Always the same key, so that a test may open a store twice.
    pub(crate) fn fixed() -> Self {
        Self { newest: Arc::new(Key::new(Zeroizing::new([7; KEY_BYTES]))), older: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_opened_at_its_place_by_its_key_and_nowhere_else() {
        let first = Seal::random().unwrap();
        let sealed = first.seal_text("resource/7", "hunter2").unwrap();
        assert!(!sealed.contains("hunter2") && sealed != first.seal_text("resource/7", "hunter2").unwrap());
        assert_eq!(first.open_text("resource/7", &sealed).unwrap(), "hunter2");
        let moved = first.open_text("resource/8", &sealed).unwrap_err().to_string();
        assert!(moved.contains("resource/8 was changed since it was sealed"), "{moved}");
        let plain = first.open_text("resource/7", "{}").unwrap_err().to_string();
        assert!(plain.contains("not sealed"), "{plain}");
        let strange = Seal::random().unwrap().open_text("resource/7", &sealed).unwrap_err();
        assert!(matches!(strange, StoreError::Key(name) if name == first.name()));
        let second = first.with_new_key().unwrap();
        assert_eq!(second.open_text("resource/7", &sealed).unwrap(), "hunter2");
        assert!(second.newest_alone().open_text("resource/7", &sealed).is_err());
    }

    #[test]
    fn every_byte_of_a_sealed_value_counts() {
        let seal = Seal::fixed();
        let sealed = seal.seal("plan/1", b"what a plan says").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.open("plan/1", &changed).is_err(), "byte {at}");
            assert!(seal.open("plan/1", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_key_file_reads_as_it_was_written() {
        let seal = Seal::random().unwrap().with_new_key().unwrap();
        let text = seal.expose_for_key_file();
        let read = Seal::read(&text).unwrap();
        assert_eq!((read.name(), read.older.len()), (seal.name(), 1));
        assert!(!format!("{seal:?}").contains(&hex(seal.newest.bytes.as_slice())), "a key is not shown");
        let short = text.replace("jackfield-store-key-1 ", "jackfield-store-key-1 0");
        assert_eq!(Seal::read(&short).unwrap_err(), "line 3 is no key: put the file back as it was written");
        assert_eq!(
            Seal::read("# nothing\n").unwrap_err(),
            "it holds no key: put the file back as it was written"
        );
    }
}
