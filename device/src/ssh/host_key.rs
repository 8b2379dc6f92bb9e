//! Which host keys are trusted. A key that is not is refused with the words that say what to do; there is no way to switch this off.

use std::path::PathBuf;

use russh::keys::{HashAlg, PublicKey, PublicKeyOrCertificate, known_hosts};

use crate::target::{Address, HostKey};

/// Why a host key is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// Never seen.
    #[error(
        "the host key of {host} is not known ({fingerprint}): check it, then set host_key = \"{fingerprint}\" on the resource, or add it to {file}"
    )]
    Unknown {
        /// Which host.
        host: String,
        /// Its key.
        fingerprint: String,
        /// Where known keys are.
        file: String,
    },
    /// Not the one it used to be.
    #[error(
        "the host key of {host} has changed (now {fingerprint}): someone may be listening; if the device was replaced, remove line {line} of {file}"
    )]
    Changed {
        /// Which host.
        host: String,
        /// Its new key.
        fingerprint: String,
        /// The line with the old one.
        line: usize,
        /// Where known keys are.
        file: String,
    },
    /// Not the one that the resource names.
    #[error("the host key of {host} is {fingerprint}, but the resource says {pinned}")]
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
    pub(crate) fn decide(&self, offered: &PublicKeyOrCertificate) -> Result<(), HostKeyError> {
        let key = match offered {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.clone(),
            PublicKeyOrCertificate::Certificate(certificate) => {
                PublicKey::from(certificate.public_key().clone())
            }
        };
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let host = self.address.to_string();
        if let HostKey::Pinned(pinned) = &self.policy {
            let pinned = pinned.clone();
            return if pinned == fingerprint {
                Ok(())
            } else {
                Err(HostKeyError::Pinned { host, fingerprint, pinned })
            };
        }
        let file = self.known_hosts.display().to_string();
        let (name, port) = (self.address.host.as_str(), self.address.port);
        match known_hosts::check_known_hosts_path(name, port, &key, &self.known_hosts) {
            Ok(true) => Ok(()),
            Ok(false) if self.policy == HostKey::AcceptNew && !self.has_any_key() => {
                tracing::info!(host, fingerprint, "a new host key is taken in");
                known_hosts::learn_known_hosts_path(name, port, &key, &self.known_hosts)
                    .map_err(|error| HostKeyError::File { file, why: error.to_string() })
            }
            Ok(false) => Err(HostKeyError::Unknown { host, fingerprint, file }),
            Err(russh::keys::Error::KeyChanged { line }) => {
                Err(HostKeyError::Changed { host, fingerprint, line, file })
            }
            Err(error) => Err(HostKeyError::File { file, why: error.to_string() }),
        }
    }

    /// Kinds of keys that are known for this host: they are asked for first.
    pub(crate) fn known_kinds(&self) -> Vec<russh::keys::Algorithm> {
        known_hosts::known_host_keys_path(&self.address.host, self.address.port, &self.known_hosts)
            .unwrap_or_default()
            .into_iter()
            .map(|(_, key)| key.algorithm())
            .collect()
    }

    /// A host that is known by a key of another kind is not new.
    fn has_any_key(&self) -> bool {
        !self.known_kinds().is_empty()
    }
}
