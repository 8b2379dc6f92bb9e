//! The power of a simulated device: a reboot cuts everyone off, and lets nobody in for a while.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;

/// On, or on its way to be on again.
#[derive(Debug, Default)]
pub(super) struct Power {
    down: AtomicBool,
    /// Cancelled when what runs now is cut off.
    running: Mutex<CancellationToken>,
}

impl Power {
    /// Ends with the boot that runs now.
    pub(super) fn running(&self) -> CancellationToken {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether nobody is let in.
    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::Acquire)
    }

    /// Cuts everyone off.
    pub(super) fn go_down(&self) {
        self.down.store(true, Ordering::Release);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *running).cancel();
    }

    /// Lets people in again after a while, or not at all where the simulator stops before.
    pub(super) async fn come_up(&self, after: Duration, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(after) => self.down.store(false, Ordering::Release),
        }
    }
}
