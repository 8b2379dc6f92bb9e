//! Of which attempts an EP may speak: those that this engine gave to it. Only their logs are taken, and only their calls answered. An EP that comes from another lab, or
//! that was told of a run which a restored backup does not know, has logs under the numbers of tests of ours.

use std::collections::BTreeMap;

use jackfield_protocol::id::{AttemptId, EpName};

use crate::{
    limits,
    store::{self, Store, StoreError},
};

/// What is known of attempts on one connection.
#[derive(Debug)]
pub(super) struct OwnAttempts {
    store: Store,
    ep: EpName,
    known: BTreeMap<AttemptId, bool>,
}

impl OwnAttempts {
    pub(super) fn new(store: Store, ep: EpName) -> Self {
        Self { store, ep, known: BTreeMap::new() }
    }

    /// An attempt is given to the EP on this connection.
    pub(super) fn given(&mut self, attempt: AttemptId) {
        self.note(attempt, true);
    }

    /// Whether an attempt was given to this EP; the store is asked once for each.
    pub(super) async fn is_own(&mut self, attempt: AttemptId) -> Result<bool, StoreError> {
        if let Some(own) = self.known.get(&attempt) {
            return Ok(*own);
        }
        let ep = store::attempt::ep_of(&mut self.store.read().await?, attempt).await?;
        let own = ep.as_ref() == Some(&self.ep);
        if !own {
            tracing::warn!(ep.name = %self.ep, attempt.id = %attempt, "what it says of a test that it was not given is dropped");
        }
        self.note(attempt, own);
        Ok(own)
    }

    fn note(&mut self, attempt: AttemptId, own: bool) {
        if self.known.len() >= limits::LINK_ATTEMPTS_KNOWN_MAX {
            self.known.pop_first();
        }
        self.known.insert(attempt, own);
    }
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::{event::RunState, id::RunId};

    use super::*;
    use crate::store::tests::fixture::{attempts, begun, passed, plan};

    #[tokio::test]
    async fn logs_are_taken_of_what_was_given_to_the_ep() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store").display().to_string();
        let store = Store::open(&path, jackfield_protocol::time::Time(0)).await.unwrap();
        let run = RunId(1);
        store.commit(begun(run, &plan("demo", 2), RunState::Running)).await.unwrap();
        let row = passed(run, 0);
        let (attempt, ep) = (row.attempt, row.ep.clone().unwrap());
        store.commit(attempts([row])).await.unwrap();
        let mut own = OwnAttempts::new(store.clone(), ep);
        assert!(own.is_own(attempt).await.unwrap());
        let unknown = AttemptId { run: RunId(77), ..attempt };
        assert!(!own.is_own(unknown).await.unwrap(), "of another lab");
        own.given(unknown);
        assert!(own.is_own(unknown).await.unwrap(), "the same number, given out since");
        let mut other = OwnAttempts::new(store, "EP-elsewhere".into());
        assert!(!other.is_own(attempt).await.unwrap());
    }
}
