//! The library's errors in the words that every SSH connection has.

use ssh2::{Error, ErrorCode, Session};

use super::super::{
    SshError,
    fate::{Fate, NO_GOODBYE, NO_SSH, NOT_ALLOWED, NOT_REACHED},
};

// From libssh2.h.
const BANNER_RECV: i32 = -2;
const KEX_FAILURE: i32 = -5;
const SOCKET_SEND: i32 = -7;
const KEY_EXCHANGE_FAILURE: i32 = -8;
const SOCKET_DISCONNECT: i32 = -13;
const AUTHENTICATION_FAILED: i32 = -18;
const CHANNEL_FAILURE: i32 = -21;
const REQUEST_DENIED: i32 = -22;
const EAGAIN: i32 = -37;
const SOCKET_RECV: i32 = -43;

pub(super) fn code(error: &Error) -> i32 {
    match error.code() {
        ErrorCode::Session(code) | ErrorCode::SFTP(code) => code,
    }
}

/// Whether the library only waits for the socket.
pub(super) fn is_waiting(error: &Error) -> bool {
    code(error) == EAGAIN
}

/// Whether the server only said no to one thing.
pub(super) fn is_denial(error: &Error) -> bool {
    matches!(code(error), CHANNEL_FAILURE | REQUEST_DENIED)
}

/// Whether it has the channel, but not what the channel was for.
pub(super) fn is_refused_request(error: &Error) -> bool {
    code(error) == REQUEST_DENIED
}

/// Whether the two sides may have no algorithm in common.
pub(super) fn is_discord(error: &Error) -> bool {
    matches!(code(error), KEX_FAILURE | KEY_EXCHANGE_FAILURE)
}

/// Whether the server does not know a key; it may know the next.
pub(super) fn is_refused_key(error: &Error) -> bool {
    code(error) == AUTHENTICATION_FAILED
}

/// A server that asks without end.
pub(super) fn asks_on() -> Error {
    Error::new(ErrorCode::Session(AUTHENTICATION_FAILED), "it asks without end")
}

/// Whether the connection was lost, rather than refused.
pub(super) fn is_loss(error: &Error) -> bool {
    matches!(code(error), SOCKET_SEND | SOCKET_DISCONNECT | SOCKET_RECV)
}

pub(super) fn words(error: &Error) -> String {
    match code(error) {
        SOCKET_SEND | SOCKET_DISCONNECT | SOCKET_RECV => NO_GOODBYE.to_owned(),
        BANNER_RECV => NO_SSH.to_owned(),
        CHANNEL_FAILURE if error.message().contains("(connect failed)") => NOT_REACHED.to_owned(),
        CHANNEL_FAILURE if error.message().contains("(administratively") => NOT_ALLOWED.to_owned(),
        CHANNEL_FAILURE => format!("the server refused the channel ({})", error.message()),
        _ => error.message().to_lowercase(),
    }
}

pub(super) fn refusal(error: &Error) -> SshError {
    SshError::Protocol { why: words(error), is_loss: is_loss(error) }
}

/// The connection is over: by the server's goodbye, which is told by this code once we are past the greeting, or by a loss.
pub(super) fn end(fate: &Fate, error: &Error) {
    if code(error) == SOCKET_DISCONNECT {
        fate.part("");
    } else {
        fate.lose(words(error));
    }
}

/// What the library says of its last failure, where its face gave only a part of it away.
pub(super) fn last(session: &Session) -> Error {
    Error::last_session_error(session).unwrap_or_else(Error::unknown)
}
