//! Sessions as persons see them: which are open, and how one is watched or taken over.

use jackfield_device::{record::Tap, session::Session};
use jackfield_protocol::{
    console::OpenSession,
    id::{AttemptId, RunId},
    secret::Secret,
};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use super::{Sessions, Slot, fan::Fan, recording::Recording};

/// An open session, for those who sit at a console.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// Held by whoever talks to the device; none while it is being opened, and where the one who opened it holds it to its end.
    pub(crate) slot: Option<Slot>,
    /// Those who watch.
    pub(crate) fan: Fan,
    /// The session is about to be closed: who has taken it over lets it go.
    pub(crate) closing: CancellationToken,
}

/// A session of one test, which no other shares.
#[derive(Debug)]
pub(super) struct Private {
    live: Live,
    resource: Option<String>,
}

/// Tests of one run may use the same name side by side.
pub(super) fn private_name(attempt: AttemptId, name: &str) -> String {
    format!("{name}@{}.{}", attempt.test, attempt.attempt)
}

impl Sessions {
    /// The sessions that runs have open, sorted.
    pub(crate) fn open_sessions(&self) -> Vec<OpenSession> {
        let state = self.0.state();
        let private = state.private.iter().map(|((attempt, name), private)| OpenSession {
            run: attempt.run,
            name: private_name(*attempt, name),
            resource: private.resource.clone(),
        });
        let open = state.open.iter().map(|((run, name), entry)| OpenSession {
            run: *run,
            name: name.clone(),
            resource: entry.resource.clone(),
        });
        let mut all: Vec<OpenSession> = open.chain(private).collect();
        all.sort_unstable();
        all
    }

    /// A session of a run.
    pub(crate) fn live(&self, run: RunId, name: &str) -> Option<Live> {
        let state = self.0.state();
        let shared = state.open.get(&(run, name.to_owned())).map(|entry| entry.live.clone());
        let is_it = |attempt: AttemptId, own: &str| attempt.run == run && private_name(attempt, own) == name;
        let private = || {
            let found = state.private.iter().find(|((attempt, own), _)| is_it(*attempt, own));
            found.map(|(_, private)| private.live.clone())
        };
        shared.or_else(private)
    }

    /// The listeners of a session that is not shared: its recording, and those who watch.
    pub(crate) fn private_taps(
        &self,
        attempt: AttemptId,
        name: &str,
        resource: Option<String>,
        secrets: &[Secret],
    ) -> Vec<Box<dyn Tap>> {
        let (recording, fan) = (Recording::new(name), Fan::default());
        recording.hide(secrets.to_vec());
        fan.hide(secrets.to_vec());
        self.turn_to(attempt, name, &recording);
        let live = Live { slot: None, fan: fan.clone(), closing: CancellationToken::new() };
        self.0.state().private.insert((attempt, name.to_owned()), Private { live, resource });
        vec![Box::new(recording), Box::new(fan)]
    }

    /// A session that its test kept to itself while it was opened may be taken over from now on.
    pub(crate) fn share(&self, attempt: AttemptId, name: &str, slot: &Slot) {
        if let Some(private) = self.0.state().private.get_mut(&(attempt, name.to_owned())) {
            private.live.slot = Some(Slot::clone(slot));
        }
        self.0.turns.send_replace(());
    }

    /// The turn at a session of a run, when the test that opens it has logged in and does nothing else; none where it has been closed, or the
    /// test did not get in.
    pub(crate) async fn turn(&self, run: RunId, name: &str) -> Option<OwnedMutexGuard<Option<Session>>> {
        let mut turns = self.turns();
        loop {
            let live = self.live(run, name)?;
            if let Some(slot) = live.slot {
                return Some(slot.lock_owned().await).filter(|guard| guard.is_some());
            }
            tokio::select! {
                biased;
                () = live.closing.cancelled() => return None,
                // The sender lives as long as the sessions do.
                _ = turns.changed() => {}
            }
        }
    }

    /// A session of one test is about to be closed: who has taken it over lets it go.
    pub(crate) fn closing(&self, attempt: AttemptId, name: &str) {
        if let Some(private) = self.0.state().private.get(&(attempt, name.to_owned())) {
            private.live.closing.cancel();
        }
    }
}
