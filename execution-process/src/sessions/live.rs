//! Sessions as persons see them: which are open, and how one is watched or taken over.

use jackfield_protocol::{console::OpenSession, id::RunId};
use tokio_util::sync::CancellationToken;

use super::{Sessions, Slot, fan::Fan};

/// An open session, for those who sit at a console.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// Held by whoever talks to the device; none where the one who opened it holds it to its end.
    pub(crate) slot: Option<Slot>,
    /// Those who watch.
    pub(crate) fan: Fan,
    /// The session is about to be closed: who has taken it over lets it go.
    pub(crate) closing: CancellationToken,
}

impl Sessions {
    /// The sessions that runs have open, sorted.
    pub(crate) fn open_sessions(&self) -> Vec<OpenSession> {
        let state = self.0.state();
        let open = state.open.iter().map(|((run, name), entry)| OpenSession {
            run: *run,
            name: name.clone(),
            resource: entry.resource.clone(),
        });
        open.collect()
    }

    /// A session of a run.
    pub(crate) fn live(&self, run: RunId, name: &str) -> Option<Live> {
        self.0.state().open.get(&(run, name.to_owned())).map(|entry| entry.live.clone())
    }

    /// The session of this name leads to this resource.
    pub(crate) fn is_of(&self, run: RunId, name: &str, resource: String) {
        if let Some(entry) = self.0.state().open.get_mut(&(run, name.to_owned())) {
            entry.resource = Some(resource);
        }
    }
}
