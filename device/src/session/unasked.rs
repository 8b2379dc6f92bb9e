//! What a device has said without being asked.

use std::collections::VecDeque;

use crate::limits::UNASKED_BYTES_MAX;

/// Bytes that were no part of any answer; the oldest are forgotten when there are too many.
#[derive(Debug, Default)]
pub(super) struct Unasked {
    bytes: VecDeque<u8>,
    /// Some were forgotten.
    pub(super) is_cut: bool,
}

impl Unasked {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if bytes.iter().all(|byte| *byte <= b' ') {
            return;
        }
        self.bytes.extend(bytes);
        let surplus = self.bytes.len().saturating_sub(UNASKED_BYTES_MAX);
        self.is_cut |= surplus > 0;
        self.bytes.drain(..surplus);
    }

    /// All of it, once.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.is_cut = false;
        std::mem::take(&mut self.bytes).into()
    }
}
