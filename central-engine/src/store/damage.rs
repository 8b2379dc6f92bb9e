//! That the store was found damaged, whoever found it: a page, a job, the loop.
//!
//! No retry mends a damaged file, and an engine that went on would answer some requests with errors and others from what is still whole. So
//! every answer of the database is looked at in one place, and the first that tells of damage ends the engine ([`Damage::found`]).

use std::sync::Arc;

use tokio::sync::watch;

use super::StoreError;

/// Whether damage was found.
#[derive(Clone, Debug)]
pub(super) struct Damage(Arc<watch::Sender<Option<String>>>);

impl Default for Damage {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Damage {
    /// Takes note of an error that tells of damage.
    pub(super) fn see<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error @ StoreError::Damaged(_)) = &result {
            self.0.send_if_modified(|found| {
                let is_first = found.is_none();
                found.get_or_insert_with(|| error.chain());
                is_first
            });
        }
        result
    }

    /// Waits until damage is found: what it is, with what to do.
    pub(super) async fn found(&self) -> String {
        let mut found = self.0.subscribe();
        let seen = found.wait_for(Option::is_some).await.ok().and_then(|found| found.clone());
        match seen {
            Some(told) => told,
            // This holds the other end itself.
            None => std::future::pending().await,
        }
    }
}
