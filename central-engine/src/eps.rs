//! What EPs said of themselves, and when each was last heard; for lists, not for decisions.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_protocol::{
    api::EpRow,
    id::EpName,
    link::{Hello, Host},
    time::Time,
};
use jackfield_scheduler::view::EpView;

use crate::{
    clock,
    store::{self, Store, StoreError},
};

/// What is known of every EP that was ever connected. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Eps(Arc<Mutex<BTreeMap<EpName, Heard>>>);

#[derive(Clone, Debug, Default)]
struct Heard {
    last: Time,
    host: Host,
    software: String,
}

impl Eps {
    /// What earlier lives of the engine knew.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        let seen = store::ep::seen(&mut store.read().await?).await?;
        let heard = seen
            .into_iter()
            .map(|(ep, seen)| (ep, Heard { last: seen.at, host: seen.host, software: seen.software }));
        Ok(Self(Arc::new(Mutex::new(heard.collect()))))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<EpName, Heard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An EP said hello.
    pub(crate) fn connected(&self, hello: &Hello) {
        let Hello { ep, host, software, .. } = hello;
        let heard = Heard { last: clock::now(), host: host.clone(), software: software.clone() };
        self.all().insert(ep.clone(), heard);
    }

    /// An EP said anything.
    pub(crate) fn heard(&self, ep: &EpName) {
        if let Some(heard) = self.all().get_mut(ep) {
            heard.last = clock::now();
        }
    }

    /// An EP as lists show it: the scheduler's view, with what the EP said of itself.
    pub(crate) fn row(&self, view: EpView) -> EpRow {
        let heard = self.all().get(&view.ep).cloned().unwrap_or_default();
        let text = |value: &Arc<str>| value.to_string();
        EpRow {
            state: view.state,
            host: heard.host,
            software: heard.software,
            labels: view.offer.labels.iter().map(|(key, value)| (text(key), text(value))).collect(),
            capabilities: view.offer.capabilities.iter().map(text).collect(),
            pool: view.offer.pool.clone(),
            notices: view.notices,
            last_seen: view.gone.unwrap_or(heard.last),
            working: view.working,
            run: view.runs.first().copied(),
            name: view.ep,
        }
    }
}
