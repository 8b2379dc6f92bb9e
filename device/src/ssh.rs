//! SSH: a shell in a terminal, programs beside it, through other hosts where that is the way.
//!
//! Two libraries can speak it, each host as its resource says: russh (`by_russh`), and libssh2 (`by_libssh2`) for devices that get on
//! better with it. A [`way`] is made of links of either; what decides is written once: which [`algorithms`] are offered, which
//! [`host_key`]s are trusted, which `proofs` are shown in which order, what a
//! question gets as its answer (`answers`), and in which words a connection ends (`fate`).

pub mod algorithms;
mod answers;
mod fate;
pub mod host_key;
mod known_hosts;
mod proofs;
mod way;

#[cfg(feature = "libssh2")]
mod by_libssh2;
mod by_russh;

use self::host_key::HostKeyError;

pub use way::Ssh;
pub(crate) use way::{Terms, Way};

/// Why there is no shell.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// The host key is not trusted.
    #[error(transparent)]
    HostKey(#[from] Box<HostKeyError>),
    /// Nothing that the device offers is what we may use.
    #[error("the device offers no {what} that is safe by today's measure (it offers {offered}): {remedy}")]
    Algorithms {
        /// Key exchange, cipher, …
        what: String,
        /// What it does offer.
        offered: String,
        /// What to do.
        remedy: &'static str,
    },
    /// User, password or key were not accepted.
    #[error("the device did not accept {tried} for user `{user}`; it offers: {offered}")]
    Refused {
        /// Who.
        user: String,
        /// What was tried.
        tried: String,
        /// What it would take.
        offered: String,
    },
    /// Nothing to log in with.
    #[error("the resource has no `{0}`: an SSH login needs it")]
    Missing(&'static str),
    /// Nothing that proves who we are.
    #[error(
        "nothing to log in with as `{user}`: add `password`, `key` or `agent` to the resource; the device offers: {offered}"
    )]
    NoMeans {
        /// Who.
        user: String,
        /// What it would take.
        offered: String,
    },
    /// A question that nothing has an answer to.
    #[error("the device asks `{user}`: `{question}`: {remedy}")]
    Question {
        /// Whom.
        user: String,
        /// What, with what stands above it.
        question: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A question again that was given its secret before.
    #[error(
        "the device did not accept the answer to `{question}` for user `{user}`, and asks it again: the secret is wrong, or a code was used before"
    )]
    AskedAgain {
        /// Who.
        user: String,
        /// What.
        question: String,
    },
    /// The key cannot be used.
    #[error("{key} cannot be used: {why}")]
    Key {
        /// Which.
        key: String,
        /// Why.
        why: String,
    },
    /// The agent does not help.
    #[error("the SSH agent cannot be used: {why}")]
    Agent {
        /// Why.
        why: String,
    },
    /// A host on the way did not let us through.
    #[error("jump host {jump}: {source}")]
    Jump {
        /// Which.
        jump: String,
        /// Why.
        source: Box<SshError>,
    },
    /// The device ended it, or does not speak SSH.
    #[error("the SSH dialogue failed: {why}")]
    Protocol {
        /// Why.
        why: String,
        /// The connection broke; another try may go better.
        is_loss: bool,
    },
    /// The resource wants a library that is not there.
    #[error(
        "ssh_backend = libssh2 is not in this jackfield, which was built without it: use ssh_backend = russh"
    )]
    NotBuilt,
}

impl SshError {
    /// Whether another try may go better: the connection broke, rather than that we are not wanted.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Protocol { is_loss, .. } => *is_loss,
            Self::Jump { source, .. } => source.may_pass(),
            Self::HostKey(_)
            | Self::Algorithms { .. }
            | Self::Refused { .. }
            | Self::Missing(_)
            | Self::NoMeans { .. }
            | Self::Question { .. }
            | Self::AskedAgain { .. }
            | Self::Key { .. }
            | Self::Agent { .. }
            | Self::NotBuilt => false,
        }
    }
}
