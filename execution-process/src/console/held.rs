//! A dialogue in the hands of a person.

use std::time::Duration;

use jackfield_device::{Deadline, channel::Window, expect::Dialogue, line::LineOrder, session::Session};
use tokio::sync::OwnedMutexGuard;

use crate::limits::{QUIET_LIMIT, TYPE_LIMIT};

/// Quiet time after which what the test asked for has come.
const QUIET_BEFORE: Duration = Duration::from_millis(200);
/// Quiet time after which what the person asked for has come.
const QUIET_AFTER: Duration = Duration::from_millis(300);
/// How long a break is: what terminals send for their break key.
const BREAK: Duration = Duration::from_millis(250);

/// What a person holds.
pub(super) enum Held {
    /// A session of tests, and what waited there for them.
    Test(OwnedMutexGuard<Option<Session>>, Vec<u8>),
    /// A session of their own.
    Own(Box<Session>),
    /// A connection without a login.
    Raw(Box<Dialogue>),
}

impl Held {
    /// Takes over from a test, when the answer to what it asked last is there.
    pub(super) async fn take_over(mut guard: OwnedMutexGuard<Option<Session>>) -> Self {
        let mut pending = Vec::new();
        if let Some(session) = guard.as_mut() {
            let dialogue = session.dialogue();
            // A connection that breaks here is seen by whoever uses it next.
            drop(dialogue.drain(QUIET_BEFORE, Deadline::after(QUIET_LIMIT)).await);
            pending = dialogue.take_pending();
        }
        Self::Test(guard, pending)
    }

    /// None where the session has been closed.
    pub(super) fn dialogue(&mut self) -> Option<&mut Dialogue> {
        match self {
            Self::Test(guard, _) => guard.as_mut().map(Session::dialogue),
            Self::Own(session) => Some(session.dialogue()),
            Self::Raw(dialogue) => Some(dialogue),
        }
    }

    /// Reads once; false at the end.
    pub(super) async fn listen(&mut self) -> bool {
        let Some(dialogue) = self.dialogue() else { return false };
        let came = dialogue.listen().await.unwrap_or(false);
        // It is on the person's screen, and in the records.
        dialogue.take_pending();
        came
    }

    /// Gives the device what was typed; those who write it down see what of it is secret.
    pub(super) async fn type_in(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(dialogue) = self.dialogue() else { return Err("the session has been closed".to_owned()) };
        let sent = dialogue.send(bytes, Deadline::after(TYPE_LIMIT)).await;
        sent.map_err(|error| error.to_string())
    }

    /// A break on the line that carries the dialogue; why there is none, where there is none.
    pub(super) async fn send_break(&mut self) -> Result<(), String> {
        let Some(dialogue) = self.dialogue() else { return Err("the session has been closed".to_owned()) };
        dialogue.order(LineOrder::Break(BREAK)).await.map_err(|error| error.to_string())
    }

    pub(super) async fn resize(&mut self, window: Window) {
        if let Some(dialogue) = self.dialogue()
            && let Err(error) = dialogue.resize(window).await
        {
            tracing::debug!(%error, "a device was not told the size of a terminal");
        }
    }

    pub(super) fn mark(&mut self, label: &str) {
        if let Some(dialogue) = self.dialogue() {
            dialogue.mark(label);
        }
    }

    /// Lets a test go on where it was: what the person asked for is over, and no part of any answer.
    pub(super) async fn let_go(&mut self, label: &str) {
        match self {
            Self::Test(guard, pending) => {
                let Some(session) = guard.as_mut() else { return };
                let window = session.window();
                let dialogue = session.dialogue();
                if !dialogue.has_ended() {
                    drop(dialogue.drain(QUIET_AFTER, Deadline::after(QUIET_LIMIT)).await);
                    drop(dialogue.resize(window).await);
                    dialogue.put_back(std::mem::take(pending));
                }
                dialogue.mark(label);
            }
            Self::Own(session) => {
                session.mark(label);
                session.close().await;
            }
            Self::Raw(dialogue) => {
                dialogue.mark(label);
                dialogue.close().await;
            }
        }
    }
}
