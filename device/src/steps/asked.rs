//! What a device asked for last, for the one who writes the log of a test: the answer to a question for a secret is not written down.

use std::sync::{Arc, Mutex, PoisonError};

use crate::record::{Tap, typed::LastSaid};

/// Listens to a session. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked(Arc<Mutex<LastSaid>>);

impl Asked {
    /// Whether the device waits for a secret, as far as it was heard.
    pub(super) fn for_secret(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).asks_for_secret()
    }
}

impl Tap for Asked {
    fn output(&mut self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }

    fn input(&mut self, bytes: &[u8]) {
        // Answered: the next line answers another question, if any.
        if bytes.ends_with(b"\r") || bytes.ends_with(b"\n") || bytes == crate::record::redact::STARS {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = LastSaid::default();
        }
    }
}
