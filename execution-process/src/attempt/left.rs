//! A step test that an earlier life of this EP left in its middle: only its clean-up is done, and its end told.

use std::collections::BTreeMap;

use jackfield_protocol::{
    attempt::AttemptEnd,
    link::{Ended, Part},
    time::Time,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use super::{Attempt, Finish, Run, prepare};
use crate::{clock, event::Event};

/// Why a test has ended that runs in no life any more.
pub(crate) const LEFT: &str = "its execution process died and was started again while it ran";

/// What is known of it.
#[derive(Debug)]
pub(crate) struct Left {
    /// When it was started.
    pub(crate) at: Time,
    /// Its variables, but for secrets.
    pub(crate) learned: BTreeMap<String, String>,
}

/// Does what it left to be done.
pub(crate) async fn finish(mut attempt: Attempt, left: Left) {
    let finish = attempt.finish_left(&left).await;
    // The daemon outlives its attempts; were it gone, the next life does this again.
    let _ = attempt.events.send(Event::Finished { attempt: attempt.order.attempt, finish });
}

impl Attempt {
    async fn finish_left(&mut self, left: &Left) -> Finish {
        let ready = match self.prepare().await {
            Ok(ready) => ready,
            Err(prepare::NotReady::Invalid(outcome)) => {
                return self.end_of_left(left, Err(outcome.reason), BTreeMap::new());
            }
            Err(prepare::NotReady::TakenBack | prepare::NotReady::Unwanted) => return self.drop_left(),
        };
        let cleanups = self.clean_up_steps(&ready, &left.learned).await;
        let mut run = Run::new(self);
        let artifacts = self.keep_artifacts(&mut run, Some(&ready)).await;
        self.station.work_folders.give_back(&ready.work, ready.tenant.as_ref()).await;
        self.end_of_left(left, cleanups, artifacts)
    }

    /// The engine gave it up: another EP may have its devices by now, and nobody waits for what comes of it.
    fn drop_left(&self) -> Finish {
        tracing::warn!(attempt.id = %self.order.attempt, "its clean-up was not done: the engine has given it up");
        Finish::Dropped
    }

    fn end_of_left(
        &self,
        left: &Left,
        cleanups: Result<Vec<Part>, String>,
        artifacts: BTreeMap<std::sync::Arc<str>, jackfield_protocol::id::BlobHash>,
    ) -> Finish {
        let (cleanups, reason) = match cleanups {
            Ok(cleanups) => (cleanups, LEFT.to_owned()),
            Err(why) => (Vec::new(), format!("{LEFT}; its clean-up was not done: {why}")),
        };
        let outcome = Outcome::not_pass(Verdict::Aborted, Cause::Lab, DecidedBy::EpRestarted, reason);
        let elapsed_millis = clock::wall().millis_since(left.at);
        let end = AttemptEnd { elapsed_millis, cleanups, ..AttemptEnd::of(outcome) };
        Finish::Ended(Box::new(Ended { attempt: self.order.attempt, at: clock::wall(), end, artifacts }))
    }
}
