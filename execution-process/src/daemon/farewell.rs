//! The end of an EP that is stopped on purpose.

use jackfield_protocol::{
    id::AttemptId,
    link::EpToEngine,
    verdict::{Cause, Outcome, Verdict},
};
use tokio::sync::{mpsc, oneshot};

use super::Daemon;
use crate::limits::FAREWELL_LIMIT;
use crate::{
    event::{End, Event},
    log_pump::LogEvent,
};

impl Daemon {
    fn is_idle(&self) -> bool {
        self.active.is_empty() && self.scripts.is_idle()
    }

    /// Ends everything, in good order.
    pub(super) async fn farewell(mut self, mut inbox: mpsc::UnboundedReceiver<Event>) {
        self.ending = true;
        let outcome = Outcome::not_pass(Verdict::Aborted, Cause::Person, "its execution process was stopped");
        let attempts: Vec<AttemptId> = self.active.keys().copied().collect();
        for attempt in attempts {
            self.end(attempt, End::With(outcome.clone()));
        }
        self.scripts.end_all(&outcome);
        let mut patience = None;
        while !(self.is_idle() && self.spool.unacked() == 0) {
            if self.is_idle() && patience.is_none() {
                patience = Some(tokio::time::Instant::now() + FAREWELL_LIMIT);
            }
            let over = tokio::time::sleep_until(patience.unwrap_or_else(tokio::time::Instant::now));
            tokio::select! {
                event = inbox.recv() => match event {
                    Some(event) => self.handle(event),
                    None => break,
                },
                () = over, if patience.is_some() => break,
            }
            self.send_reports();
        }
        self.station.consoles.stop();
        self.station.sessions.close_all().await;
        if self.link.control.is_some() {
            let (done, drained) = oneshot::channel();
            let _ = self.logs.send(LogEvent::Drain { done });
            let _ = tokio::time::timeout(FAREWELL_LIMIT, drained).await;
        }
        self.say(EpToEngine::Goodbye { reason: "it was stopped".to_owned() });
        self.tasks.close();
        let _ = tokio::time::timeout(FAREWELL_LIMIT, self.tasks.wait()).await;
    }
}
