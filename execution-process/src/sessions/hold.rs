//! Persons who have taken over a session, as the tests that use it see them.

use jackfield_protocol::id::{AttemptId, RunId, UserName};
use tokio::sync::watch;

use super::{Sessions, live::private_name};

/// A session in the hands of a person; it is the tests' again when this is dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    sessions: Sessions,
    key: (RunId, String),
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.sessions.0.state().held.remove(&self.key);
        self.sessions.0.turns.send_replace(());
    }
}

impl Sessions {
    /// A person has taken a session over.
    pub(crate) fn hold(&self, run: RunId, name: &str, user: &UserName) -> Hold {
        let key = (run, name.to_owned());
        self.0.state().held.insert(key.clone(), user.clone());
        self.0.turns.send_replace(());
        Hold { sessions: self.clone(), key }
    }

    /// Who has a session that this test uses, and which.
    pub(crate) fn holder(&self, attempt: AttemptId) -> Option<String> {
        let state = self.0.state();
        let uses = |name: &str| {
            let shared = state.open.get(&(attempt.run, name.to_owned()));
            let own = state.private.keys().any(|(of, own)| *of == attempt && private_name(*of, own) == name);
            own || shared.is_some_and(|entry| entry.users.contains(&attempt))
        };
        let mut held = state.held.iter().filter(|((run, name), _)| *run == attempt.run && uses(name));
        held.next().map(|((_, name), user)| format!("{user} has session `{name}`"))
    }

    /// Tells when [`Self::holder`] may say something else.
    pub(crate) fn turns(&self) -> watch::Receiver<()> {
        self.0.turns.subscribe()
    }
}
