//! What a person wants of an EP: told and asked beside the loop, while its connection lives. Whoever asked is told when
//! the connection breaks.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use jackfield_protocol::{
    api::EpModules,
    console::OpenSession,
    error::{ErrorCode, Problem},
    id::EpName,
    link::{EngineToEp, MODULES_CAPABILITY, MODULES_MAX},
    power::PowerResult,
};
use tokio::sync::oneshot;

use super::Eps;
use crate::limits;

/// What EPs answer.
#[derive(Debug)]
pub(crate) enum Said {
    /// These sessions are open.
    Sessions(Vec<OpenSession>),
    /// Its Python does not find these modules; none where it could not be asked.
    Modules(Option<Vec<Arc<str>>>),
    /// This came of switching a device.
    Power(PowerResult),
}

/// Who waits for an answer of which EP.
#[derive(Debug, Default)]
pub(super) struct Questions {
    last: u64,
    asked: BTreeMap<u64, (EpName, oneshot::Sender<Said>)>,
}

impl Questions {
    /// The connection of an EP is over; what was asked over it is not answered.
    pub(super) fn forget(&mut self, ep: &EpName) {
        self.asked.retain(|_, (asked, _)| asked != ep);
    }
}

/// A question; forgotten when this is dropped.
struct Question<'e> {
    eps: &'e Eps,
    id: u64,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.eps.state().questions.asked.remove(&self.id);
    }
}

impl Eps {
    /// Says something to an EP.
    pub(crate) fn tell(&self, ep: &EpName, message: EngineToEp) -> Result<(), Problem> {
        let outgoing = self.state().open(ep).map(|link| link.outgoing.clone());
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
        let question = self.enter(ep, answer);
        self.tell(ep, message(question.id))?;
        let unavailable = |title: String| Err(Problem::new(ErrorCode::Unavailable, title));
        match tokio::time::timeout(wait, answered).await {
            Ok(Ok(said)) => Ok(said),
            Ok(Err(_)) => unavailable(format!("EP {ep} went away before it answered")),
            Err(_) => unavailable(format!("EP {ep} did not answer within {} s", wait.as_secs())),
        }
    }

    fn enter(&self, ep: &EpName, answer: oneshot::Sender<Said>) -> Question<'_> {
        let questions = &mut self.state().questions;
        questions.last = questions.last.saturating_add(1);
        let id = questions.last;
        questions.asked.insert(id, (ep.clone(), answer));
        Question { eps: self, id }
    }

    /// An EP answers; what another one was asked is not its to answer.
    pub(crate) fn answered(&self, ep: &EpName, id: u64, said: Said) {
        let asked = &mut self.state().questions.asked;
        if asked.get(&id).is_some_and(|(asked, _)| asked != ep) {
            tracing::warn!(ep.name = %ep, "an answer to a question that another EP was asked is dropped");
            return;
        }
        if let Some((_, asker)) = asked.remove(&id) {
            // Whoever asked may have stopped waiting.
            drop(asker.send(said));
        }
    }

    /// The sessions that tests have open on these EPs: asked when somebody wants to know, so that no copy of it can be
    /// wrong. An EP that does not answer in time has none.
    pub(crate) async fn sessions(&self, eps: Vec<EpName>) -> Vec<(EpName, OpenSession)> {
        let asking = eps.into_iter().map(|ep| async move {
            let asked = self.ask(&ep, limits::CONSOLE_ASK_WAIT, |id| EngineToEp::AskSessions { id }).await;
            let sessions = if let Ok(Said::Sessions(sessions)) = asked { sessions } else { Vec::new() };
            sessions.into_iter().map(|session| (ep.clone(), session)).collect::<Vec<_>>()
        });
        join_all(asking).await.into_iter().flatten().collect()
    }

    /// What of these modules the Python of each connected EP does not find. An EP that does not answer in time, or has no Python, is left out.
    pub(crate) async fn modules(&self, wanted: &[Arc<str>]) -> Vec<EpModules> {
        let wanted = wanted.get(..MODULES_MAX).unwrap_or(wanted);
        if wanted.is_empty() {
            return Vec::new();
        }
        let asking = self.able(MODULES_CAPABILITY).into_iter().map(|ep| async move {
            let question = |id| EngineToEp::AskModules { id, modules: wanted.to_vec() };
            match self.ask(&ep, limits::MODULES_ASK_WAIT, question).await {
                Ok(Said::Modules(Some(missing))) => Some(EpModules { ep, missing }),
                Ok(Said::Modules(None) | Said::Sessions(_) | Said::Power(_)) | Err(_) => None,
            }
        });
        join_all(asking).await.into_iter().flatten().collect()
    }

    /// The connected EPs that can do this.
    fn able(&self, capability: &str) -> Vec<EpName> {
        let connected: Vec<EpName> = self.state().known.keys().cloned().collect();
        connected.into_iter().filter(|ep| self.reach(ep, capability)).collect()
    }
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::{
        id::Epoch,
        link::{Host, Welcome},
    };
    use tokio::sync::mpsc;

    use super::*;
    use crate::{auth::Pass, lab::eps::Connected};

    fn connected(eps: &Eps, ep: &EpName, epoch: u64, can: &str) -> mpsc::Receiver<EngineToEp> {
        let (outgoing, queue) = mpsc::channel(2);
        let (host, software) = (Host::default(), String::new());
        let (ep, epoch, can) = (ep.clone(), Epoch(epoch), vec![can.into()]);
        let (instance, pass) =
            (format!("i{}", epoch.0), Pass { token: 7, owner: "ana".into(), is_new: false });
        eps.connected(Connected { ep, epoch, host, software, can, instance, pass, outgoing });
        queue
    }

    fn welcome(epoch: u64) -> EngineToEp {
        EngineToEp::Welcome(Welcome {
            version: 1,
            epoch: Epoch(epoch),
            engine: String::new(),
            heartbeat_millis: 1,
            silence_millis: 1,
            log_window_bytes: 1,
            acked_seq: 0,
            keep: Vec::new(),
            life: String::new(),
            foreign: false,
            can: Vec::new(),
        })
    }

    #[test]
    fn an_ep_is_told_things_between_welcome_and_the_end_of_its_connection() {
        let (eps, ep) = (Eps::default(), EpName::from("EP-1"));
        let mut queue = connected(&eps, &ep, 1, "console");
        assert!(eps.tell(&ep, EngineToEp::Heartbeat).is_err(), "a conversation begins with Welcome");
        eps.send(&ep, Epoch(1), welcome(1));
        assert!(eps.reach(&ep, "console") && !eps.reach(&ep, "power"));
        assert!(eps.tell(&ep, EngineToEp::Heartbeat).is_ok());
        assert_eq!(queue.try_recv(), Ok(welcome(1)));
        assert_eq!(queue.try_recv(), Ok(EngineToEp::Heartbeat));
        eps.gone(&ep, Epoch(1));
        assert!(!eps.reach(&ep, "console"));
        let told = eps.tell(&ep, EngineToEp::Heartbeat).unwrap_err();
        assert_eq!(told.title, "EP EP-1 is not connected");
    }

    #[test]
    fn an_older_connection_that_is_gone_late_takes_nothing_with_it() {
        let (eps, ep) = (Eps::default(), EpName::from("EP-1"));
        let mut old = connected(&eps, &ep, 1, "console");
        let mut new = connected(&eps, &ep, 2, "console");
        assert_eq!(old.try_recv(), Err(mpsc::error::TryRecvError::Disconnected), "it is closed");
        eps.send(&ep, Epoch(1), EngineToEp::Heartbeat);
        eps.send(&ep, Epoch(2), welcome(2));
        eps.gone(&ep, Epoch(1));
        assert!(eps.reach(&ep, "console"));
        assert_eq!(new.try_recv(), Ok(welcome(2)));
        eps.close_all();
        assert_eq!(new.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
    }

    #[test]
    fn who_does_not_read_is_let_go() {
        let (eps, ep) = (Eps::default(), EpName::from("EP-1"));
        let _queue = connected(&eps, &ep, 1, "console");
        (0..3).for_each(|_| eps.send(&ep, Epoch(1), welcome(1)));
        assert!(!eps.reach(&ep, "console"));
    }

    #[tokio::test(start_paused = true)]
    async fn modules_are_asked_of_those_that_know_the_question_and_who_says_nothing_is_left_out() {
        let eps = Eps::default();
        let names = [("EP-1", MODULES_CAPABILITY), ("EP-2", MODULES_CAPABILITY), ("EP-3", "console")];
        let mut queues: Vec<_> = names
            .into_iter()
            .map(|(ep, can)| {
                let queue = connected(&eps, &ep.into(), 1, can);
                eps.send(&ep.into(), Epoch(1), welcome(1));
                queue
            })
            .collect();
        let wanted: [Arc<str>; 2] = ["serial".into(), "yaml".into()];
        let first = queues.remove(0);
        let answer = async {
            let mut first = first;
            first.recv().await;
            let Some(EngineToEp::AskModules { id, modules }) = first.recv().await else {
                panic!("no question")
            };
            eps.answered(&"EP-1".into(), id, Said::Modules(Some(modules.into_iter().skip(1).collect())));
        };
        let (told, ()) = tokio::join!(eps.modules(&wanted), answer);
        assert_eq!(told, [EpModules { ep: "EP-1".into(), missing: vec!["yaml".into()] }]);
        assert_eq!(queues.remove(1).try_recv(), Ok(welcome(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_hears_the_answer_or_why_there_is_none() {
        let (eps, ep) = (Eps::default(), EpName::from("EP-1"));
        let mut queue = connected(&eps, &ep, 1, "console");
        eps.send(&ep, Epoch(1), welcome(1));
        queue.recv().await;
        let wait = Duration::from_secs(10);
        let ask = || eps.ask(&ep, wait, |id| EngineToEp::AskSessions { id });
        let answer = async {
            let Some(EngineToEp::AskSessions { id }) = queue.recv().await else { panic!("no question") };
            let forged = PowerResult::Failed(Problem::new(ErrorCode::Internal, "forged"));
            eps.answered(&"elsewhere".into(), id, Said::Power(forged));
            eps.answered(&"EP-1".into(), id, Said::Sessions(Vec::new()));
        };
        assert!(matches!(tokio::join!(ask(), answer).0, Ok(Said::Sessions(_))));
        let late = ask().await.unwrap_err();
        assert_eq!(late.title, "EP EP-1 did not answer within 10 s");
        queue.recv().await;
        let (gone, ()) = tokio::join!(ask(), async { eps.gone(&ep, Epoch(1)) });
        assert_eq!(gone.unwrap_err().title, "EP EP-1 went away before it answered");
        assert!(eps.state().questions.asked.is_empty());
    }
}
