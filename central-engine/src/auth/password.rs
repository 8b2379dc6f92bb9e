//! Passwords: argon2id, on threads of their own, few at once.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::limits;

/// Why a password cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too easy to guess.
    #[error("a password needs at least {} characters", limits::PASSWORD_CHARS_MIN)]
    Short,
    /// Too costly to hash.
    #[error("a password has at most {} bytes", limits::PASSWORD_BYTES_MAX)]
    Long,
    /// The operating system gave no salt, or no thread.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// Hashing takes a core for tens of milliseconds: a flood of log-ins must not take them all.
static HASHES: Semaphore = Semaphore::const_new(limits::PASSWORD_HASHES_MAX);

/// Whether people may choose it.
///
/// # Errors
/// Too short or too long.
pub fn check_new(password: &str) -> Result<(), PasswordError> {
    if password.len() > limits::PASSWORD_BYTES_MAX {
        return Err(PasswordError::Long);
    }
    if password.chars().count() < limits::PASSWORD_CHARS_MIN {
        return Err(PasswordError::Short);
    }
    Ok(())
}

/// The hash to keep, with a salt of its own.
///
/// # Errors
/// The operating system gives no salt or thread.
pub async fn hash(password: String) -> Result<String, PasswordError> {
    on_thread(move || {
        let hash = Argon2::default().hash_password(password.as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|error| PasswordError::Hash(error.to_string()))
    })
    .await?
}

/// Whether the password is the one that was hashed. An empty hash fits none, but takes as long to say so.
///
/// # Errors
/// The operating system gives no thread.
pub async fn matches(password: String, hash: String) -> Result<bool, PasswordError> {
    /// The hash of a password nobody knows: an account that does not exist takes as long to refuse as one that does.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$amFja2ZpZWxkLW5vYm9keQ$Yq2mYxvEkR4UDUa8v3rV0hV5p0l7n1cXy2bq0uQ6m1E";
    if password.len() > limits::PASSWORD_BYTES_MAX {
        return Ok(false);
    }
    on_thread(move || {
        let known = if hash.is_empty() { NOBODY } else { &hash };
        PasswordHash::new(known)
            .is_ok_and(|known| Argon2::default().verify_password(password.as_bytes(), &known).is_ok())
            && !hash.is_empty()
    })
    .await
}

async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
    let _turn = HASHES.acquire().await.map_err(|error| PasswordError::Hash(error.to_string()))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| PasswordError::Hash(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let hash = hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(matches("correct horse".to_owned(), hash.clone()).await.unwrap());
        assert!(!matches("correct horsf".to_owned(), hash).await.unwrap());
        assert!(!matches(String::new(), String::new()).await.unwrap());
    }

    #[test]
    fn the_stand_in_for_unknown_users_is_a_real_hash() {
        assert!(PasswordHash::new("$argon2id$v=19$m=19456,t=2,p=1$amFja2ZpZWxkLW5vYm9keQ$Yq2mYxvEkR4UDUa8v3rV0hV5p0l7n1cXy2bq0uQ6m1E").is_ok());
    }
}
