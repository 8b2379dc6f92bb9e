//! SSH over russh: a shell in a terminal, programs beside it, through other hosts where that is the way.

pub mod algorithms;
mod fate;
pub mod host_key;
mod known_hosts;
mod link;
mod login;
mod program;
mod shell;

use self::{fate::words, host_key::HostKeyError};

pub(crate) use link::{Link, Terms};
pub use shell::Ssh;

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
    #[error("the SSH dialogue failed: {}", words(.0))]
    Protocol(russh::Error),
}

impl From<russh::Error> for SshError {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error)
    }
}

impl SshError {
    /// Whether another try may go better: the connection broke, rather than that we are not wanted.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Protocol(error) => fate::is_loss(error),
            Self::Jump { source, .. } => source.may_pass(),
            Self::HostKey(_)
            | Self::Algorithms { .. }
            | Self::Refused { .. }
            | Self::Missing(_)
            | Self::NoMeans { .. }
            | Self::Key { .. }
            | Self::Agent { .. } => false,
        }
    }
}
