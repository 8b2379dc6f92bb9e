//! How a connection ended, as the one who speaks on it heard it, for those who wait on its channels; and the words that both libraries'
//! errors become.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// It broke off.
pub(super) const NO_GOODBYE: &str = "the server closed it without a goodbye";
/// It answers nothing.
pub(super) const NO_ANSWER: &str = "the server did not answer when asked whether it lives";
/// It speaks something else.
pub(super) const NO_SSH: &str = "what answers there does not speak SSH 2";
/// It may not connect on.
pub(super) const NOT_ALLOWED: &str = "the server does not allow it";
/// It cannot connect on.
pub(super) const NOT_REACHED: &str = "the server could not connect there";

/// What became of a connection.
#[derive(Debug, Default)]
pub(super) struct Fate(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    goodbye: Option<String>,
    lost: Option<String>,
}

impl Fate {
    fn told_so_far(&self) -> MutexGuard<'_, Told> {
        // A panic between two statements of this module cannot leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server ended it in good order; what it said may be empty.
    pub(super) fn part(&self, said: &str) {
        self.told_so_far().goodbye = Some(said.trim().to_owned());
    }

    /// The connection broke; the first reason is the reason.
    pub(super) fn lose(&self, why: String) {
        self.told_so_far().lost.get_or_insert(why);
    }

    /// Whether the server ended it in good order.
    pub(super) fn said_goodbye(&self) -> bool {
        self.told_so_far().goodbye.is_some()
    }

    /// How it was lost.
    pub(super) fn loss(&self) -> String {
        let why = self.told_so_far().lost.clone();
        format!("the SSH connection was lost: {}", why.as_deref().unwrap_or(NO_GOODBYE))
    }

    /// What went wrong with a channel; where the connection is over, that is the reason.
    pub(super) fn told(&self, otherwise: String) -> String {
        let told = self.told_so_far();
        match (&told.goodbye, &told.lost) {
            (Some(said), _) if said.is_empty() => "the server ended the SSH connection".to_owned(),
            (Some(said), _) => format!("the server ended the SSH connection: {said}"),
            (None, Some(why)) => format!("the SSH connection was lost: {why}"),
            (None, None) => otherwise,
        }
    }
}
