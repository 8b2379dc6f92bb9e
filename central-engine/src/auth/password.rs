//! Passwords: argon2id, on threads of their own, few at once.
//!
//! A hash takes 19 MB and tens of milliseconds of a core. On threads of their own, each with memory that it keeps, a flood of log-ins takes no more than
//! that: what is allocated anew for each comes back to the system late or never.

use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        PasswordHasher,
        phc::{Output, PasswordHash},
    },
};
use jackfield_protocol::secret::Secret;
use tokio::sync::oneshot;

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
    /// Too many wait.
    #[error("too many log in at once; try again in a moment")]
    Busy,
}

/// What a thread does with the memory that it keeps for it.
type Work = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// Where the threads take their work from.
static WORK: LazyLock<mpsc::SyncSender<Work>> = LazyLock::new(|| {
    let (work, waiting) = mpsc::sync_channel::<Work>(limits::PASSWORDS_WAITING_MAX);
    let waiting = Arc::new(Mutex::new(waiting));
    for number in 0..limits::PASSWORD_HASHES_MAX {
        let waiting = Arc::clone(&waiting);
        let thread = std::thread::Builder::new().name(format!("password-{number}"));
        let begun = thread.spawn(move || {
            let mut memory = Vec::new();
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                // The sending side lives as long as this program.
                let Ok(work) = next else { return };
                work(&mut memory);
            }
        });
        if let Err(error) = begun {
            tracing::error!("a thread for passwords cannot be started: {error}");
        }
    }
    work
});

/// Whether people may choose it.
///
/// # Errors
/// Too short or too long.
pub fn check_new(password: &Secret) -> Result<(), PasswordError> {
    if password.len() > limits::PASSWORD_BYTES_MAX {
        return Err(PasswordError::Long);
    }
    if password.expose_for_hash().chars().count() < limits::PASSWORD_CHARS_MIN {
        return Err(PasswordError::Short);
    }
    Ok(())
}

/// The hash to keep, with a salt of its own.
///
/// # Errors
/// The operating system gives no salt or thread.
pub async fn hash(password: Secret) -> Result<String, PasswordError> {
    on_thread(move |_| {
        let hash = Argon2::default().hash_password(password.expose_for_hash().as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|error| PasswordError::Hash(error.to_string()))
    })
    .await?
}

/// Whether the password is the one that was hashed. An empty hash fits none, but takes as long to say so.
///
/// # Errors
/// The operating system gives no thread.
pub async fn matches(password: Secret, hash: String) -> Result<bool, PasswordError> {
    /// The hash of a password nobody knows: an account that does not exist takes as long to refuse as one that does.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$amFja2ZpZWxkLW5vYm9keQ$Yq2mYxvEkR4UDUa8v3rV0hV5p0l7n1cXy2bq0uQ6m1E";
    if password.len() > limits::PASSWORD_BYTES_MAX {
        return Ok(false);
    }
    on_thread(move |memory| {
        let known = if hash.is_empty() { NOBODY } else { &hash };
        fits(password.expose_for_hash().as_bytes(), known, memory) && !hash.is_empty()
    })
    .await
}

/// Whether a password has this hash, calculated in memory that is there already.
fn fits(password: &[u8], known: &str, memory: &mut Vec<Block>) -> bool {
    let mut calculated = || {
        let known = PasswordHash::new(known).ok()?;
        let algorithm = Algorithm::try_from(known.algorithm.as_str()).ok()?;
        let version =
            known.version.map_or(Some(Version::default()), |version| Version::try_from(version).ok())?;
        let argon2 = Argon2::new(algorithm, version, Params::try_from(&known).ok()?);
        let (salt, hash) = (known.salt?, known.hash?);
        memory.resize(argon2.params().block_count(), Block::default());
        let mut found = vec![0; hash.len()];
        argon2
            .hash_password_into_with_memory(password, salt.as_ref(), &mut found, memory.as_mut_slice())
            .ok()?;
        // Compared in the same time wherever they differ.
        Some(Output::new(&found).ok()? == hash)
    };
    calculated().unwrap_or(false)
}

async fn on_thread<T: Send + 'static>(
    work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
) -> Result<T, PasswordError> {
    let (done, result) = oneshot::channel();
    // Whoever asked may have stopped waiting.
    let work: Work = Box::new(move |memory| drop(done.send(work(memory))));
    WORK.try_send(work).map_err(|_full| PasswordError::Busy)?;
    result.await.map_err(|_gone| PasswordError::Hash("no thread did it".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let hash = hash(Secret::new("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(matches(Secret::new("correct horse"), hash.clone()).await.unwrap());
        assert!(!matches(Secret::new("correct horsf"), hash).await.unwrap());
        assert!(!matches(Secret::default(), String::new()).await.unwrap());
    }

    #[test]
    fn the_stand_in_for_unknown_users_is_a_real_hash() {
        assert!(PasswordHash::new("$argon2id$v=19$m=19456,t=2,p=1$amFja2ZpZWxkLW5vYm9keQ$Yq2mYxvEkR4UDUa8v3rV0hV5p0l7n1cXy2bq0uQ6m1E").is_ok());
    }
}
