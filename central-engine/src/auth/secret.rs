//! Random secrets: shown once, kept as hashes.

/// 256 random bits as text, with a prefix by which scanners of repositories recognise it.
pub struct Secret(String);

impl Secret {
    /// A new one from the operating system's source.
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("jackfield_{}", blake3::Hash::from_bytes(bytes).to_hex())))
    }

    /// The text to give to its owner, once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the store keeps. The secret has 256 random bits, so a fast hash is as good as a slow one.
    pub fn hash(text: &str) -> String {
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }
}

/// A password that can be read out and typed: 20 characters without look-alikes, more than 98 bits.
///
/// # Errors
/// The operating system gives no random bytes.
pub(super) fn random_password() -> Result<String, getrandom::Error> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0_u8; 20];
    getrandom::fill(&mut bytes)?;
    // 256 is a multiple of 32: every letter is equally likely.
    let letters = bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32)));
    Ok(letters.map(|letter| char::from(*letter)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_hash_the_same_each_time() {
        let (one, two) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_ne!(one.reveal(), two.reveal());
        assert_eq!(Secret::hash(one.reveal()), Secret::hash(one.reveal()));
        assert_eq!(random_password().unwrap().chars().count(), 20);
    }
}
