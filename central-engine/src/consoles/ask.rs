//! Which sessions are open where: asked when somebody wants to know, so that no copy of it can be wrong.

use futures_util::future::join_all;
use jackfield_protocol::{console::OpenSession, id::EpName, link::EngineToEp};
use tokio::sync::oneshot;

use super::Consoles;
use crate::limits;

impl Consoles {
    /// The open sessions of these EPs; one that does not answer in time has none.
    pub(crate) async fn sessions(&self, eps: Vec<EpName>) -> Vec<(EpName, OpenSession)> {
        let asking = eps.into_iter().map(|ep| async move {
            let sessions = self.ask(&ep).await.unwrap_or_default();
            sessions.into_iter().map(|session| (ep.clone(), session)).collect::<Vec<_>>()
        });
        join_all(asking).await.into_iter().flatten().collect()
    }

    async fn ask(&self, ep: &EpName) -> Option<Vec<OpenSession>> {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut state = self.state();
            state.last_question = state.last_question.saturating_add(1);
            let id = state.last_question;
            state.asked.insert(id, answer);
            id
        };
        let told = self.tell(ep, EngineToEp::AskSessions { id });
        let sessions = match told {
            Ok(()) => tokio::time::timeout(limits::CONSOLE_ASK_WAIT, answered).await.ok()?.ok(),
            Err(_) => None,
        };
        self.state().asked.remove(&id);
        sessions
    }

    /// An EP answers.
    pub(crate) fn answered(&self, id: u64, sessions: Vec<OpenSession>) {
        let asker = self.state().asked.remove(&id);
        if let Some(asker) = asker {
            // Whoever asked may have stopped waiting.
            drop(asker.send(sessions));
        }
    }
}
