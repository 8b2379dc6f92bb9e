//! How a connection ended, as the library's own task heard it, for those who wait on its channels.

use std::sync::{Mutex, MutexGuard, PoisonError};

use russh::client::DisconnectReason;

use super::host_key::HostKeyError;

/// What became of a connection.
#[derive(Debug, Default)]
pub(super) struct Fate(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    refused: Option<Box<HostKeyError>>,
    goodbye: Option<String>,
    lost: Option<String>,
}

impl Fate {
    fn told_so_far(&self) -> MutexGuard<'_, Told> {
        // A panic between two statements of this module cannot leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host key was refused.
    pub(super) fn refuse(&self, error: Box<HostKeyError>) {
        self.told_so_far().refused = Some(error);
    }

    /// Why the host key was refused, if it was.
    pub(super) fn refusal(&self) -> Option<Box<HostKeyError>> {
        self.told_so_far().refused.take()
    }

    /// The connection is over.
    pub(super) fn end(&self, reason: &DisconnectReason<russh::Error>) {
        match reason {
            DisconnectReason::ReceivedDisconnect(said) => {
                self.told_so_far().goodbye = Some(said.message.trim().to_owned());
            }
            DisconnectReason::Error(error) => self.told_so_far().lost = Some(words(error)),
        }
    }

    /// Whether the server ended it in good order.
    pub(super) fn said_goodbye(&self) -> bool {
        self.told_so_far().goodbye.is_some()
    }

    /// How it was lost.
    pub(super) fn loss(&self) -> String {
        let why = self.told_so_far().lost.clone();
        let why = why.unwrap_or_else(|| "the server closed it without a goodbye".to_owned());
        format!("the SSH connection was lost: {why}")
    }

    /// An error of a channel; where the connection is over, that is the reason.
    pub(super) fn told(&self, error: &russh::Error) -> String {
        let told = self.told_so_far();
        match (&told.goodbye, &told.lost) {
            (Some(said), _) => format!("the server ended the SSH connection: {said}"),
            (None, Some(why)) => format!("the SSH connection was lost: {why}"),
            (None, None) => words(error),
        }
    }
}

/// Whether a connection was lost, rather than refused.
pub(super) fn is_loss(error: &russh::Error) -> bool {
    matches!(
        error,
        russh::Error::Disconnect
            | russh::Error::HUP
            | russh::Error::IO(_)
            | russh::Error::SendError
            | russh::Error::RecvError
            | russh::Error::KeepaliveTimeout
            | russh::Error::ConnectionTimeout
    )
}

/// The library's errors in words that a lab engineer can use.
pub(super) fn words(error: &russh::Error) -> String {
    if let russh::Error::IO(error) = error
        && error.kind() != std::io::ErrorKind::UnexpectedEof
    {
        return error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase();
    }
    if matches!(error, russh::Error::KeepaliveTimeout) {
        return "the server did not answer when asked whether it lives".to_owned();
    }
    if is_loss(error) {
        return "the server closed it without a goodbye".to_owned();
    }
    if matches!(error, russh::Error::Version) {
        return "what answers there does not speak SSH 2".to_owned();
    }
    if let russh::Error::ChannelOpenFailure(why) = error {
        return match why {
            russh::ChannelOpenFailure::AdministrativelyProhibited => {
                "the server does not allow it".to_owned()
            }
            russh::ChannelOpenFailure::ConnectFailed => "the server could not connect there".to_owned(),
            why @ (russh::ChannelOpenFailure::UnknownChannelType
            | russh::ChannelOpenFailure::ResourceShortage
            | russh::ChannelOpenFailure::Other { .. }) => {
                format!("the server refused the channel ({why:?})")
            }
        };
    }
    error.to_string()
}
