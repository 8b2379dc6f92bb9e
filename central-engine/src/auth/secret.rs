//! Random secrets: shown once, kept as hashes.

use jackfield_protocol::secret::Secret;

/// 256 random bits from the operating system's source as text, with a prefix by which scanners of repositories recognise it.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn random_token() -> Result<Secret, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Secret::new(format!("jackfield_{}", blake3::Hash::from_bytes(bytes).to_hex())))
}

/// What the store keeps of a token. It has 256 random bits, so a fast hash is as good as a slow one.
pub fn token_hash(token: &str) -> String {
    blake3::hash(token.as_bytes()).to_hex().to_string()
}

/// A password that can be read out and typed: 20 characters without look-alikes, more than 98 bits.
///
/// # Errors
/// The operating system gives no random bytes.
pub(super) fn random_password() -> Result<Secret, getrandom::Error> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0_u8; 20];
    getrandom::fill(&mut bytes)?;
    // 256 is a multiple of 32: every letter is equally likely.
    let letters = bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32)));
    Ok(Secret::new(letters.map(|letter| char::from(*letter)).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_hash_the_same_each_time() {
        let (one, two) = (random_token().unwrap(), random_token().unwrap());
        assert_ne!(one, two);
        assert_eq!(token_hash(one.expose_for_hash()), token_hash(one.expose_for_hash()));
        assert_eq!(random_password().unwrap().len(), 20);
    }
}
