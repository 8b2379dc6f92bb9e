//! The end of an EP that is stopped on purpose.

use jackfield_protocol::{
    link::EpToEngine,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::Daemon;
use crate::limits::{CLEANUPS_FAREWELL_LIMIT, FAREWELL_LIMIT};
use crate::{
    event::{End, Event},
    log_pump::LogEvent,
};

impl Daemon {
    fn is_idle(&self) -> bool {
        self.active.is_empty() && self.past.is_empty() && self.scripts.is_idle()
    }

    /// Ends everything, in good order.
    pub(super) async fn farewell(mut self, mut inbox: mpsc::UnboundedReceiver<Event>) {
        self.ending = true;
        let outcome = Outcome::not_pass(
            Verdict::Aborted,
            Cause::Person,
            DecidedBy::EpStopped,
            "its execution process was stopped",
        );
        self.end_all(&outcome);
        self.scripts.end_all(&outcome);
        // The tests end now, and their clean-ups may run, but not for as long as they like.
        let grace = self.station.settings.limits.stop_grace;
        let mut cleanups_over = Some(Instant::now() + grace + CLEANUPS_FAREWELL_LIMIT);
        let mut patience = None;
        while !(self.is_idle() && self.spool.unacked() == 0) {
            if self.is_idle() && patience.is_none() {
                patience = Some(Instant::now() + FAREWELL_LIMIT);
            }
            let over = tokio::time::sleep_until(patience.unwrap_or_else(Instant::now));
            tokio::select! {
                event = inbox.recv() => match event {
                    Some(event) => self.handle(event),
                    None => break,
                },
                () = over, if patience.is_some() => break,
                () = tokio::time::sleep_until(cleanups_over.unwrap_or_else(Instant::now)), if cleanups_over.is_some() => {
                    cleanups_over = None;
                    self.end_all(&outcome);
                }
            }
            self.send_reports();
        }
        self.say_goodbye().await;
    }

    /// What was asked to end and cleans up is asked again, and then does not go on with that.
    fn end_all(&self, outcome: &Outcome) {
        for attempt in self.active.keys().chain(self.past.keys()) {
            self.end(*attempt, End::With(outcome.clone()));
        }
    }

    async fn say_goodbye(mut self) {
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
