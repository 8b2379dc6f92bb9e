//! Which algorithms are offered: today's, and with `legacy` also those that old devices know.

use std::{borrow::Cow, time::Duration};

use russh::{Preferred, cipher, client, kex, mac};

use super::SshError;

/// Silence after which the device is asked whether it lives, and how often before it is given up.
const KEEPALIVE: Duration = Duration::from_secs(20);
const KEEPALIVE_MAX: usize = 3;

const LEGACY_KEX: [kex::Name; 3] = [kex::DH_G14_SHA1, kex::DH_GEX_SHA1, kex::DH_G1_SHA1];
const LEGACY_CIPHERS: [cipher::Name; 4] =
    [cipher::AES_256_CBC, cipher::AES_192_CBC, cipher::AES_128_CBC, cipher::TRIPLE_DES_CBC];
const LEGACY_MACS: [mac::Name; 2] = [mac::HMAC_SHA1_ETM, mac::HMAC_SHA1];

/// How we speak SSH.
pub(crate) fn client_config(legacy: bool) -> client::Config {
    client::Config {
        preferred: preferred(legacy),
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVE_MAX,
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
pub(crate) fn explain(error: russh::Error) -> SshError {
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
    SshError::Algorithms { what: what.to_owned(), offered: theirs.join(", ") }
}
