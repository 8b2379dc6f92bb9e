//! The TextFSM templates of the labs whose tests run here: fetched when a test first uses one, and read once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jackfield_device::textfsm::Templates;
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{BlobHash, RunId},
};

use crate::blobs::Blobs;

/// Templates by run. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct TemplateShelf(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    blobs: Blobs,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    runs: BTreeMap<RunId, BlobHash>,
    /// What runs that are open have used.
    read: BTreeMap<BlobHash, Arc<Templates>>,
}

impl TemplateShelf {
    /// An empty one.
    pub(crate) fn new(blobs: Blobs) -> Self {
        Self(Arc::new(Shared { blobs, state: Mutex::default() }))
    }

    /// A run has come, with the templates of its lab.
    pub(crate) fn open_run(&self, run: RunId, templates: Option<BlobHash>) {
        if let Some(templates) = templates {
            self.state().runs.insert(run, templates);
        }
    }

    /// The run is over here.
    pub(crate) fn close_run(&self, run: RunId) {
        let mut state = self.state();
        state.runs.remove(&run);
        let State { runs, read } = &mut *state;
        read.retain(|hash, _| runs.values().any(|of_run| of_run == hash));
    }

    /// The templates of a run's lab.
    pub(crate) async fn of_run(&self, run: RunId) -> Result<Arc<Templates>, Problem> {
        let (hash, known) = {
            let state = self.state();
            let hash = state.runs.get(&run).copied();
            (hash, hash.and_then(|hash| state.read.get(&hash).cloned()))
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let Some(hash) = hash else { return Ok(Arc::default()) };
        let unavailable = |error: &dyn std::fmt::Display| {
            Problem::new(ErrorCode::Unavailable, format!("the templates of the lab: {error}"))
        };
        let bytes = self.0.blobs.read(hash).await.map_err(|error| unavailable(&error))?;
        let files = serde_json::from_slice(&bytes).map_err(|error| unavailable(&error))?;
        let templates = Arc::new(Templates::new(files));
        Ok(Arc::clone(self.state().read.entry(hash).or_insert(templates)))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic between two statements of this module cannot leave the maps half changed.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
