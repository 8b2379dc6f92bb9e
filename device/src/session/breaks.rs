//! Breaks that a device sends over its serial line.

use std::time::Duration;

use super::{Session, SessionError};
use crate::clock::Deadline;

impl Session {
    /// Takes a break that has come over the serial line and was not told yet, or waits for one. What the device says meanwhile can still be awaited.
    ///
    /// # Errors
    /// None came in time, the device is gone, or the session has no line that could tell.
    pub async fn wait_break(&mut self, timeout: Duration) -> Result<(), SessionError> {
        let waited = self.dialogue.wait_break(Deadline::after(timeout)).await;
        let waited = waited.map_err(|error| SessionError::Line {
            target: self.target.connect.to_string(),
            why: error.to_string(),
        })?;
        waited.map_err(|source| SessionError::Expect { doing: "wait for a break".to_owned(), source })?;
        self.dialogue.mark("a break was received");
        Ok(())
    }
}
