//! What another engine gave out: ended without a report, and forgotten.

use jackfield_protocol::{
    id::RunId,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use tokio::sync::oneshot;

use super::Daemon;
use crate::event::End;

impl Daemon {
    /// Ends all that runs. There is no connection meanwhile, so nothing new comes.
    pub(super) fn begin_to_forget(&mut self, done: oneshot::Sender<()>) {
        self.jobs.keep(&[]);
        for end in self.active.values().map(|active| &active.end).chain(self.past.values()) {
            end.send_replace(End::Unwanted);
        }
        let outcome = Outcome::not_pass(
            Verdict::Aborted,
            Cause::Lab,
            DecidedBy::NotWanted,
            "its engine is another one now",
        );
        self.scripts.drop_all(&outcome);
        self.forgetting = Some(done);
    }

    /// Once nothing of it runs any more, nothing of it is left.
    pub(super) fn forget_what_has_ended(&mut self) {
        if self.forgetting.is_none()
            || !self.active.is_empty()
            || !self.past.is_empty()
            || !self.scripts.is_idle()
        {
            return;
        }
        let runs: Vec<RunId> = self.runs.keys().copied().collect();
        runs.into_iter().for_each(|run| self.close_run(run));
        self.spool.forget_all();
        // The link waits, unless this EP ends.
        let _ = self.forgetting.take().map(|done| done.send(()));
    }
}
