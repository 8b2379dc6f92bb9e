//! The library's errors in words that a lab engineer can use.

use jackfield_config::profile::SshBackend;
use russh::{AlgorithmKind, ChannelOpenFailure, Error};

use super::super::{
    SshError,
    algorithms::{Matter, refusal},
    fate::{NO_ANSWER, NO_GOODBYE, NO_SSH, NOT_ALLOWED, NOT_REACHED},
};

impl From<Error> for SshError {
    fn from(error: Error) -> Self {
        Self::Protocol { why: words(&error), is_loss: is_loss(&error) }
    }
}

/// Whether a connection was lost, rather than refused.
fn is_loss(error: &Error) -> bool {
    matches!(
        error,
        Error::Disconnect
            | Error::HUP
            | Error::IO(_)
            | Error::SendError
            | Error::RecvError
            | Error::KeepaliveTimeout
            | Error::ConnectionTimeout
    )
}

pub(super) fn words(error: &Error) -> String {
    if let Error::IO(error) = error
        && error.kind() != std::io::ErrorKind::UnexpectedEof
    {
        return error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase();
    }
    if matches!(error, Error::KeepaliveTimeout) {
        return NO_ANSWER.to_owned();
    }
    if is_loss(error) {
        return NO_GOODBYE.to_owned();
    }
    if matches!(error, Error::Version) {
        return NO_SSH.to_owned();
    }
    if let Error::ChannelOpenFailure(why) = error {
        return match why {
            ChannelOpenFailure::AdministrativelyProhibited => NOT_ALLOWED.to_owned(),
            ChannelOpenFailure::ConnectFailed => NOT_REACHED.to_owned(),
            why @ (ChannelOpenFailure::UnknownChannelType
            | ChannelOpenFailure::ResourceShortage
            | ChannelOpenFailure::Other { .. }) => {
                format!("the server refused the channel ({why:?})")
            }
        };
    }
    error.to_string()
}

/// Says it in words when the two sides have no algorithm in common.
pub(super) fn explain(error: Error, legacy: bool) -> SshError {
    let Error::NoCommonAlgo { kind, theirs, .. } = error else { return error.into() };
    let matter = match kind {
        AlgorithmKind::Kex => Matter::Kex,
        AlgorithmKind::Key => Matter::HostKey,
        AlgorithmKind::Cipher => Matter::Cipher,
        AlgorithmKind::Compression => Matter::Compression,
        AlgorithmKind::Mac => Matter::Mac,
    };
    refusal(matter, &theirs, legacy, SshBackend::Russh)
}
