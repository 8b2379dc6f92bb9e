//! Which algorithms are offered: today's, and with `legacy` also those that old devices know.

use std::{borrow::Cow, time::Duration};

use russh::{Preferred, cipher, client, kex, mac};

use super::SshError;
use crate::limits::KEEPALIVE_MAX;

const LEGACY_KEX: [kex::Name; 3] = [kex::DH_G14_SHA1, kex::DH_GEX_SHA1, kex::DH_G1_SHA1];
const LEGACY_CIPHERS: [cipher::Name; 4] =
    [cipher::AES_256_CBC, cipher::AES_192_CBC, cipher::AES_128_CBC, cipher::TRIPLE_DES_CBC];
const LEGACY_MACS: [mac::Name; 2] = [mac::HMAC_SHA1_ETM, mac::HMAC_SHA1];

/// How we speak SSH. Kinds of host keys that are known already are asked for first, so that a server with several shows that one.
pub(crate) fn client_config(
    legacy: bool,
    known: &[russh::keys::Algorithm],
    keepalive: Duration,
) -> client::Config {
    let mut preferred = preferred(legacy);
    let is_rsa = |key: &russh::keys::Algorithm| key.clone().is_rsa();
    let is_known = |key: &russh::keys::Algorithm| {
        known.iter().any(|known| known == key || (is_rsa(known) && is_rsa(key)))
    };
    preferred.key.to_mut().sort_by_key(|key| !is_known(key));
    client::Config {
        preferred,
        keepalive_interval: (!keepalive.is_zero()).then_some(keepalive),
        keepalive_max: usize::try_from(KEEPALIVE_MAX).unwrap_or(usize::MAX),
        nodelay: true,
        ..client::Config::default()
    }
}

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

fn is_sha1_rsa(key: &russh::keys::Algorithm) -> bool {
    matches!(key, russh::keys::Algorithm::Rsa { hash: None })
}

/// The same for a server, which must still be offered a key of each kind it has.
pub(crate) fn server_preferred() -> Preferred {
    preferred(true)
}

/// Says it in words when the two sides have no algorithm in common.
pub(crate) fn explain(error: russh::Error, legacy: bool) -> SshError {
    let russh::Error::NoCommonAlgo { kind, theirs, .. } = error else {
        return SshError::Protocol(error);
    };
    let what = match kind {
        russh::AlgorithmKind::Kex => "key exchange",
        russh::AlgorithmKind::Key => "kind of host key",
        russh::AlgorithmKind::Cipher => "cipher",
        russh::AlgorithmKind::Compression => "compression",
        russh::AlgorithmKind::Mac => "message check",
    };
    let remedy = if legacy {
        "not even legacy = true has it; give the device a newer one"
    } else {
        "set legacy = true on the resource if it can offer nothing better"
    };
    SshError::Algorithms { what: what.to_owned(), offered: theirs.join(", "), remedy }
}

#[cfg(test)]
mod tests {
    use russh::keys::Algorithm;

    use super::*;

    #[test]
    fn known_kinds_of_keys_are_asked_for_first() {
        let order = |known: &[Algorithm]| client_config(false, known, Duration::ZERO).preferred.key.to_vec();
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
