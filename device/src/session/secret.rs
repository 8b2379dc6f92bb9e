//! Text that a test sends and nobody is to read: it is stars in every record, whatever the device asked for.

use std::time::Duration;

use jackfield_protocol::secret::Secret;

use super::{Session, SessionError};
use crate::{
    clock::Deadline,
    record::redact::{Redactor, STARS},
    target::SessionTarget,
};

impl Session {
    /// Sends a text as [`Session::send`] does; records show stars in its place, and wherever it is said again.
    ///
    /// # Errors
    /// As [`Session::send`], without the text.
    pub async fn send_secret(
        &mut self,
        text: &str,
        enter: bool,
        timeout: Duration,
    ) -> Result<(), SessionError> {
        let sent = self.type_secret(text, enter, timeout).await;
        sent.map_err(|error| self.starred(error))
    }

    async fn type_secret(&mut self, text: &str, enter: bool, timeout: Duration) -> Result<(), SessionError> {
        let mut bytes = self.encoded_secret(text)?;
        if enter {
            bytes.extend_from_slice(self.kind.profile.line_ending.as_bytes());
        }
        let deadline = Deadline::after(timeout);
        self.be_connected(deadline).await?;
        self.unanswered.lead_by_hand();
        let sent = self.dialogue.send_secret(&bytes, deadline).await;
        sent.map_err(|source| SessionError::Expect { doing: "send a secret".to_owned(), source })
    }

    /// A secret in the letters of the device; from here on it is in no error.
    pub(super) fn encoded_secret(&mut self, text: &str) -> Result<Vec<u8>, SessionError> {
        self.secrets.add(&secret_forms([text]));
        // One that is too short to be found in words is not told either.
        self.encoded(text).map_err(|_told| SessionError::Letters {
            text: String::from_utf8_lossy(STARS).into_owned(),
            encoding: self.kind.profile.encoding.name(),
        })
    }

    /// An error of this session as others may read it.
    pub(super) fn starred(&self, error: SessionError) -> SessionError {
        error.without(&self.secrets)
    }
}

/// Secrets as they are, and as errors show what a terminal would not.
pub(super) fn secret_forms<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Vec<String> {
    let both = |secret: &str| [secret.to_owned(), secret.escape_debug().to_string()];
    secrets.into_iter().flat_map(both).collect()
}

/// What no error of a session with a target may show.
pub(super) fn secrets_of(target: &SessionTarget) -> Redactor {
    Redactor::new(&secret_forms(target.secrets().iter().map(Secret::expose_for_striking_out)))
}
