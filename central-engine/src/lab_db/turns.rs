//! Whose turn it is at each database: the engine inserts into one of them for one run after the other, so that a query such as
//! `SELECT MAX(run) + 1` gives each run a number of its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex as StdMutex, PoisonError},
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Address;

/// The turns. There are as many as the lab has databases.
#[derive(Debug, Default)]
pub(crate) struct Turns(StdMutex<BTreeMap<String, Arc<Mutex<()>>>>);

impl Turns {
    /// Waits for the turn at a database; it is over when the answer is dropped.
    pub(crate) async fn of(&self, address: &Address) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(address.to_string()).or_default())
        };
        turn.lock_owned().await
    }
}
