//! What ends the thread's wait: something that can be polled beside its socket, and costs nothing where the thread is awake anyway.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::event::{EventfdFlags, eventfd};

#[derive(Debug)]
pub(super) struct Wake {
    event: OwnedFd,
    is_set: AtomicBool,
}

impl Wake {
    pub(super) fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { event, is_set: AtomicBool::new(false) })
    }

    /// Ends the wait, or the next one.
    pub(super) fn wake(&self) {
        if !self.is_set.swap(true, Ordering::AcqRel)
            && let Err(error) = rustix::io::write(&self.event, &1_u64.to_ne_bytes())
        {
            // It can only be full, and then it is readable.
            tracing::debug!(%error, "a thread was woken that is awake");
        }
    }

    /// The thread is awake and looks at everything after this. What is changed later wakes it again.
    pub(super) fn clear(&self) {
        if self.is_set.swap(false, Ordering::AcqRel) {
            // Where the writer has not come to it yet, the next wait ends at once.
            let _ = rustix::io::read(&self.event, &mut [0; 8]);
        }
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
