//! Which algorithms are offered: today's, and with `legacy` also those that old devices know.

use std::borrow::Cow;

use jackfield_config::profile::SshBackend;
use russh::{Preferred, cipher, kex, keys::Algorithm, mac};

use super::SshError;

const LEGACY_KEX: [kex::Name; 3] = [kex::DH_G14_SHA1, kex::DH_GEX_SHA1, kex::DH_G1_SHA1];
const LEGACY_CIPHERS: [cipher::Name; 4] =
    [cipher::AES_256_CBC, cipher::AES_192_CBC, cipher::AES_128_CBC, cipher::TRIPLE_DES_CBC];
const LEGACY_MACS: [mac::Name; 2] = [mac::HMAC_SHA1_ETM, mac::HMAC_SHA1];
/// What only libssh2 still knows; also legacy.
pub(super) const OLDEST_MACS: [&str; 3] = ["hmac-sha1-96", "hmac-md5", "hmac-md5-96"];
pub(super) const OLDEST_KEYS: [&str; 1] = ["ssh-dss"];

/// What is offered, best first; the old ones only where they were asked for, and last.
pub fn preferred(legacy: bool) -> Preferred {
    let mut offered = Preferred::DEFAULT;
    if legacy {
        offered.kex = Cow::Owned([&offered.kex, LEGACY_KEX.as_slice()].concat());
        offered.cipher = Cow::Owned([&offered.cipher, LEGACY_CIPHERS.as_slice()].concat());
        offered.mac = Cow::Owned([&offered.mac, LEGACY_MACS.as_slice()].concat());
    } else {
        // ssh-rsa signs with SHA-1.
        let safe = offered.key.iter().filter(|key| !is_sha1_rsa(key)).cloned();
        offered.key = Cow::Owned(safe.collect());
    }
    offered
}

/// The same for one host: kinds of host keys that are known already are asked for first, so that a server with several shows that one.
pub(super) fn preferred_of(legacy: bool, known: &[Algorithm]) -> Preferred {
    let mut preferred = preferred(legacy);
    let is_rsa = |key: &Algorithm| key.clone().is_rsa();
    let is_known = |key: &Algorithm| known.iter().any(|known| known == key || (is_rsa(known) && is_rsa(key)));
    preferred.key.to_mut().sort_by_key(|key| !is_known(key));
    preferred
}

fn is_sha1_rsa(key: &Algorithm) -> bool {
    matches!(key, Algorithm::Rsa { hash: None })
}

/// The same for a server, which must still be offered a key of each kind it has.
pub(crate) fn server_preferred() -> Preferred {
    preferred(true)
}

/// What two sides must agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matter {
    /// How keys are made.
    Kex,
    /// How the server shows who it is.
    HostKey,
    /// How it is made unreadable.
    Cipher,
    /// How it is made smaller.
    Compression,
    /// How changes are noticed.
    Mac,
}

/// Says it in words when the two sides have nothing in common.
pub(super) fn refusal(matter: Matter, offered: &[String], legacy: bool, backend: SshBackend) -> SshError {
    let what = match matter {
        Matter::Kex => "key exchange",
        Matter::HostKey => "kind of host key",
        Matter::Cipher => "cipher",
        Matter::Compression => "compression",
        Matter::Mac => "message check",
    };
    let is_oldest = |name: &String| OLDEST_MACS.into_iter().chain(OLDEST_KEYS).any(|oldest| name == oldest);
    let remedy = if !legacy {
        "set legacy = true on the resource if it can offer nothing better"
    } else if backend == SshBackend::Russh && cfg!(feature = "libssh2") && offered.iter().any(is_oldest) {
        "set ssh_backend = libssh2 on the resource, which knows it"
    } else {
        "not even legacy = true has it; give the device a newer one"
    };
    SshError::Algorithms { what: what.to_owned(), offered: offered.join(", "), remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_kinds_of_keys_are_asked_for_first() {
        let order = |known: &[Algorithm]| preferred_of(false, known).key.to_vec();
        assert_eq!(order(&[]).first(), Some(&Algorithm::Ed25519));
        assert!(order(&[Algorithm::Rsa { hash: None }])[0].clone().is_rsa());
    }

    #[test]
    fn old_algorithms_are_offered_only_when_asked_for() {
        let modern = preferred(false);
        assert!(!modern.kex.contains(&kex::DH_G1_SHA1) && !modern.cipher.contains(&cipher::TRIPLE_DES_CBC));
        assert!(!modern.mac.contains(&mac::HMAC_SHA1) && !modern.key.iter().any(is_sha1_rsa));
        let old = preferred(true);
        assert!(old.kex.contains(&kex::DH_G1_SHA1) && old.key.iter().any(is_sha1_rsa));
    }
}
