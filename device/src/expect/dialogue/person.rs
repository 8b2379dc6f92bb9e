//! A dialogue that a person leads for a while: they read and type as they like, and what waited for a match before them waits again after.

use std::{future::poll_fn, io};

use super::Dialogue;

impl Dialogue {
    /// Reads once, however long it takes; what came goes to the listeners, and waits to be taken. False at the end.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn listen(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let read = poll_fn(|cx| self.poll_fill(cx)).await;
        self.slide();
        if let Some(screen) = &mut self.screen {
            // The person's own terminal answers what the device asks.
            screen.answers().clear();
        }
        read.map(|bytes| bytes > 0)
    }

    /// Puts what was taken before in the place of what has come since.
    pub fn put_back(&mut self, pending: Vec<u8>) {
        self.cut = false;
        self.buffer = pending;
    }
}
