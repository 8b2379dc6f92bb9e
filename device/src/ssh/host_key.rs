//! Which host keys are trusted. A key that is not is refused with the words that say what to do; there is no way to switch this off.

use std::path::PathBuf;

use russh::keys::{HashAlg, PublicKey};

use super::known_hosts::{self, Known};
use crate::target::{Address, HostKey};

/// Why a host key is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// Never seen.
    #[error(
        "the host key of {host} is not known ({kind} {fingerprint}): check it, then set host_key = \"{fingerprint}\" on the resource, or add the key to {file}, or set host_key = \"accept-new\" to take new keys in"
    )]
    Unknown {
        /// Which host.
        host: String,
        /// What kind of key.
        kind: String,
        /// Its key.
        fingerprint: String,
        /// Where known keys are.
        file: String,
    },
    /// Not the one it used to be.
    #[error(
        "the host key of {host} has changed: line {line} of {file} has {kind} {old}, the host now shows {new}; someone may be listening. If the device was replaced or set up anew, check the new key and remove that line (ssh-keygen -R '{name}' -f {file})"
    )]
    Changed {
        /// Which host.
        host: String,
        /// What kind of key.
        kind: String,
        /// The key it had.
        old: String,
        /// Its new key.
        new: String,
        /// The line with the old one.
        line: usize,
        /// Where known keys are.
        file: String,
        /// What the file calls the host.
        name: String,
    },
    /// It is known, but by a key of another kind.
    #[error(
        "{host} shows a key of a kind that is not known ({kind} {fingerprint}), while line {line} of {file} has {known}: check it, then add it there, or set host_key = \"{fingerprint}\" on the resource"
    )]
    OtherKind {
        /// Which host.
        host: String,
        /// What kind of key.
        kind: String,
        /// Its key.
        fingerprint: String,
        /// The kind that is known.
        known: String,
        /// The line with that.
        line: usize,
        /// Where known keys are.
        file: String,
    },
    /// It was called back.
    #[error("the host key of {host} ({fingerprint}) is revoked by line {line} of {file}: nobody may use it")]
    Revoked {
        /// Which host.
        host: String,
        /// Its key.
        fingerprint: String,
        /// The line that says so.
        line: usize,
        /// Where known keys are.
        file: String,
    },
    /// Not the one that the resource names.
    #[error(
        "the host key of {host} is {fingerprint}, but the resource says host_key = \"{pinned}\": if the device was replaced, check the new key and change the resource"
    )]
    Pinned {
        /// Which host.
        host: String,
        /// Its key.
        fingerprint: String,
        /// The key it should have.
        pinned: String,
    },
    /// The file of known keys cannot be used.
    #[error("known hosts file {file}: {why}")]
    File {
        /// Which.
        file: String,
        /// Why.
        why: String,
    },
}

/// The question whether one host's key is trusted.
#[derive(Clone, Debug)]
pub(crate) struct KeyCheck {
    pub(crate) address: Address,
    pub(crate) policy: HostKey,
    pub(crate) known_hosts: PathBuf,
}

impl KeyCheck {
    /// Trusts a key, or says why not. With `accept-new` an unknown host's key is written down.
    pub(crate) fn decide(&self, key: &PublicKey) -> Result<(), Box<HostKeyError>> {
        let fingerprint = print(key);
        let host = self.address.to_string();
        if let HostKey::Pinned(pinned) = &self.policy {
            let pinned = pinned.clone();
            return if pinned == fingerprint {
                Ok(())
            } else {
                Err(Box::new(HostKeyError::Pinned { host, fingerprint, pinned }))
            };
        }
        let file = self.known_hosts.display().to_string();
        let unusable = |error: std::io::Error| {
            Box::new(HostKeyError::File { file: file.clone(), why: error.to_string() })
        };
        let known = known_hosts::of_host(&self.known_hosts, &self.address).map_err(unusable)?;
        let kind = key.algorithm().to_string();
        let same = |known: &&Known| known.key.key_data() == key.key_data();
        if let Some(Known { line, .. }) = known.iter().find(|known| known.revoked && same(known)) {
            return Err(Box::new(HostKeyError::Revoked { host, fingerprint, line: *line, file }));
        }
        let mut trusted = known.iter().filter(|known| !known.revoked);
        if trusted.clone().any(|known| same(&known)) {
            return Ok(());
        }
        if let Some(old) = trusted.clone().find(|known| known.key.algorithm() == key.algorithm()) {
            let name = known_hosts::name(&self.address);
            let (line, old, new) = (old.line, print(&old.key), fingerprint);
            return Err(Box::new(HostKeyError::Changed { host, kind, old, new, line, file, name }));
        }
        if let Some(other) = trusted.next() {
            let (line, known) = (other.line, other.key.algorithm().to_string());
            return Err(Box::new(HostKeyError::OtherKind { host, kind, fingerprint, known, line, file }));
        }
        if self.policy == HostKey::AcceptNew {
            tracing::info!(host, fingerprint, "a new host key is taken in");
            return known_hosts::learn(&self.known_hosts, &self.address, key).map_err(unusable);
        }
        Err(Box::new(HostKeyError::Unknown { host, kind, fingerprint, file }))
    }

    /// Kinds of keys that are known for this host: they are asked for first.
    pub(crate) fn known_kinds(&self) -> Vec<russh::keys::Algorithm> {
        let known = known_hosts::of_host(&self.known_hosts, &self.address).unwrap_or_default();
        known.into_iter().filter(|known| !known.revoked).map(|known| known.key.algorithm()).collect()
    }
}

fn print(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}
