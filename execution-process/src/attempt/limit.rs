//! The time limit of a test, which stands still while a person has a session that the test uses.

use std::time::Duration;

use jackfield_protocol::id::AttemptId;
use tokio::{sync::watch, time::Instant};

use crate::{limits::FAR, sessions::Sessions};

/// How much of its time a test has left.
#[derive(Debug)]
pub(super) struct Limit {
    sessions: Sessions,
    attempt: AttemptId,
    turns: watch::Receiver<()>,
    /// As of `since`.
    left: Duration,
    /// Since when it runs; none while it stands still.
    since: Option<Instant>,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Limited {
    /// The time is over.
    Over,
    /// It stands still, for this reason.
    Stands(String),
    /// It goes on.
    GoesOn,
}

impl Limit {
    /// It begins now.
    pub(super) fn new(sessions: Sessions, attempt: AttemptId, limit: Duration) -> Self {
        let turns = sessions.turns();
        Self { sessions, attempt, turns, left: limit.min(FAR), since: Some(Instant::now()) }
    }

    /// What becomes of it next; nothing is lost when the wait is given up.
    pub(super) async fn next(&mut self) -> Limited {
        loop {
            match (self.sessions.holder(self.attempt), self.since) {
                (Some(who), Some(since)) => {
                    self.left = self.left.saturating_sub(Instant::now().saturating_duration_since(since));
                    self.since = None;
                    return Limited::Stands(format!("its time limit stands still: {who}"));
                }
                (None, None) => {
                    self.since = Some(Instant::now());
                    return Limited::GoesOn;
                }
                (Some(_), None) | (None, Some(_)) => {}
            }
            let over = self.since.map(|since| since + self.left);
            tokio::select! {
                () = reached(over) => return Limited::Over,
                // Its other end lives as long as the sessions do.
                _ = self.turns.changed() => {}
            }
        }
    }
}

async fn reached(over: Option<Instant>) {
    match over {
        Some(over) => tokio::time::sleep_until(over).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::id::{RunId, TestIndex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_stands_still_while_a_person_has_a_session_of_the_test() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::new(folder.path(), None);
        let attempt = |test| AttemptId { run: RunId(1), test: TestIndex(test), attempt: 1 };
        let taps = sessions.private_taps(attempt(0), "r1", None, &[]);
        let begun = Instant::now();
        let mut limit = Limit::new(sessions.clone(), attempt(0), Duration::from_secs(10));
        let mut other = Limit::new(sessions.clone(), attempt(1), Duration::from_secs(10));
        tokio::time::sleep(Duration::from_secs(4)).await;
        let hold = sessions.hold(RunId(1), "r1@0.1", &"ana".into());
        let stands = Limited::Stands("its time limit stands still: ana has session `r1@0.1`".to_owned());
        assert_eq!(limit.next().await, stands);
        assert_eq!(other.next().await, Limited::Over, "it does not use the session");
        assert_eq!(begun.elapsed(), Duration::from_secs(10));
        tokio::time::sleep(Duration::from_secs(100)).await;
        drop(hold);
        assert_eq!(limit.next().await, Limited::GoesOn);
        assert_eq!(limit.next().await, Limited::Over);
        assert_eq!(begun.elapsed(), Duration::from_secs(116));
        drop(taps);
    }
}
