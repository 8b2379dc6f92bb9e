//! The ways to EPs for what a person wants of one: told and asked beside the loop, while its connection lives.
//!
//! Nothing of it is stored: what is asked when the connection breaks is not answered, and whoever asked is told so.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use jackfield_protocol::{
    console::OpenSession,
    error::{ErrorCode, Problem},
    id::EpName,
    link::{EngineToEp, Hello},
    power::PowerResult,
};
use tokio::sync::{mpsc, oneshot};

use crate::limits;

/// The EPs that are connected. Cheap to clone.
#[derive(Clone, Default)]
pub struct Ways(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    links: BTreeMap<EpName, Way>,
    last_question: u64,
    asked: BTreeMap<u64, oneshot::Sender<Said>>,
}

/// The newest connection of an EP.
struct Way {
    /// Its queue, which ends with the connection.
    outgoing: mpsc::WeakSender<EngineToEp>,
    can: Vec<Arc<str>>,
}

/// What EPs answer.
#[derive(Debug)]
pub(crate) enum Said {
    /// These sessions are open.
    Sessions(Vec<OpenSession>),
    /// This came of switching a device.
    Power(PowerResult),
}

/// What of a Hello is needed here.
pub(crate) struct Connected {
    ep: EpName,
    can: Vec<Arc<str>>,
}

impl From<&Hello> for Connected {
    fn from(hello: &Hello) -> Self {
        Self { ep: hello.ep.clone(), can: hello.capabilities.clone() }
    }
}

/// A question; forgotten when this is dropped.
struct Question<'w> {
    ways: &'w Ways,
    id: u64,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.ways.state().asked.remove(&self.id);
    }
}

impl Ways {
    /// An EP is connected, and has been welcomed.
    pub(crate) fn connected(&self, hello: Connected, outgoing: mpsc::WeakSender<EngineToEp>) {
        self.state().links.insert(hello.ep, Way { outgoing, can: hello.can });
    }

    /// Whether an EP is connected that can do this.
    pub(crate) fn reach(&self, ep: &EpName, capability: &str) -> bool {
        self.state().links.get(ep).is_some_and(|way| {
            way.outgoing.strong_count() > 0 && way.can.iter().any(|word| word.as_ref() == capability)
        })
    }

    /// Says something to an EP.
    pub(crate) fn tell(&self, ep: &EpName, message: EngineToEp) -> Result<(), Problem> {
        let outgoing = self.state().links.get(ep).and_then(|way| way.outgoing.upgrade());
        let sent = outgoing.is_some_and(|outgoing| outgoing.try_send(message).is_ok());
        let lost = || Problem::new(ErrorCode::Unavailable, format!("EP {ep} is not connected"));
        sent.then_some(()).ok_or_else(lost)
    }

    /// Asks an EP, and waits so long for its answer.
    pub(crate) async fn ask(
        &self,
        ep: &EpName,
        wait: Duration,
        message: impl FnOnce(u64) -> EngineToEp,
    ) -> Result<Said, Problem> {
        let (answer, answered) = oneshot::channel();
        let question = self.enter(answer);
        let way = self.state().links.get(ep).map(|way| way.outgoing.clone());
        self.tell(ep, message(question.id))?;
        let unavailable = |title: String| Err(Problem::new(ErrorCode::Unavailable, title));
        tokio::select! {
            Ok(said) = answered => Ok(said),
            () = broken(way) => unavailable(format!("EP {ep} went away before it answered")),
            () = tokio::time::sleep(wait) => unavailable(format!("EP {ep} did not answer within {} s", wait.as_secs())),
        }
    }

    fn enter(&self, answer: oneshot::Sender<Said>) -> Question<'_> {
        let mut state = self.state();
        state.last_question = state.last_question.saturating_add(1);
        let id = state.last_question;
        state.asked.insert(id, answer);
        Question { ways: self, id }
    }

    /// An EP answers.
    pub(crate) fn answered(&self, id: u64, said: Said) {
        let asker = self.state().asked.remove(&id);
        if let Some(asker) = asker {
            // Whoever asked may have stopped waiting.
            drop(asker.send(said));
        }
    }

    /// The sessions that tests have open on these EPs: asked when somebody wants to know, so that no copy of it can be wrong. An EP that
    /// does not answer in time has none.
    pub(crate) async fn sessions(&self, eps: Vec<EpName>) -> Vec<(EpName, OpenSession)> {
        let asking = eps.into_iter().map(|ep| async move {
            let asked = self.ask(&ep, limits::CONSOLE_ASK_WAIT, |id| EngineToEp::AskSessions { id }).await;
            let sessions = if let Ok(Said::Sessions(sessions)) = asked { sessions } else { Vec::new() };
            sessions.into_iter().map(|session| (ep.clone(), session)).collect::<Vec<_>>()
        });
        join_all(asking).await.into_iter().flatten().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the books are held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends when the connection does.
async fn broken(way: Option<mpsc::WeakSender<EngineToEp>>) {
    // To hold the queue, and be told of its end, would keep the connection open.
    while way.as_ref().is_some_and(|way| way.strong_count() > 0) {
        tokio::time::sleep(limits::WAY_LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(ways: &Ways, ep: &EpName, can: &str) -> (mpsc::Sender<EngineToEp>, mpsc::Receiver<EngineToEp>) {
        let (outgoing, queue) = mpsc::channel(1);
        ways.connected(Connected { ep: ep.clone(), can: vec![can.into()] }, outgoing.downgrade());
        (outgoing, queue)
    }

    #[test]
    fn an_ep_is_told_things_as_long_as_its_connection_lives() {
        let (ways, ep) = (Ways::default(), EpName::from("EP-1"));
        let (outgoing, mut queue) = joined(&ways, &ep, "console");
        assert!(ways.reach(&ep, "console") && !ways.reach(&ep, "power"));
        assert!(ways.tell(&ep, EngineToEp::Heartbeat).is_ok());
        assert_eq!(queue.try_recv(), Ok(EngineToEp::Heartbeat));
        drop(outgoing);
        assert!(!ways.reach(&ep, "console"));
        let told = ways.tell(&ep, EngineToEp::Heartbeat).unwrap_err();
        assert_eq!(told.title, "EP EP-1 is not connected");
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_hears_the_answer_or_why_there_is_none() {
        let (ways, ep) = (Ways::default(), EpName::from("EP-1"));
        let (outgoing, mut queue) = joined(&ways, &ep, "console");
        let wait = Duration::from_secs(10);
        let ask = || ways.ask(&ep, wait, |id| EngineToEp::AskSessions { id });
        let answer = async {
            let Some(EngineToEp::AskSessions { id }) = queue.recv().await else { panic!("no question") };
            ways.answered(id, Said::Sessions(Vec::new()));
        };
        assert!(matches!(tokio::join!(ask(), answer).0, Ok(Said::Sessions(_))));
        let late = ask().await.unwrap_err();
        assert_eq!(late.title, "EP EP-1 did not answer within 10 s");
        queue.recv().await;
        let (gone, ()) = tokio::join!(ask(), async { drop(outgoing) });
        assert_eq!(gone.unwrap_err().title, "EP EP-1 went away before it answered");
        assert!(ways.state().asked.is_empty());
    }
}
