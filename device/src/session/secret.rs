//! Text that a test sends and nobody is to read: it is stars in every record, whatever the device asked for.

use std::time::Duration;

use super::{Session, SessionError};
use crate::clock::Deadline;

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
        let mut bytes = self.encoded(text)?;
        if enter {
            bytes.extend_from_slice(self.kind.profile.line_ending.as_bytes());
        }
        let deadline = Deadline::after(timeout);
        self.be_connected(deadline).await?;
        // Who sends by hand awaits by hand.
        self.unanswered.forget();
        let sent = self.dialogue.send_secret(&bytes, deadline).await;
        sent.map_err(|source| SessionError::Expect { doing: "send a secret".to_owned(), source })
    }
}
