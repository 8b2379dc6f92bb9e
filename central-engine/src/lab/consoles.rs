//! Consoles: persons who look at a device through an EP. The engine finds the EP, and copies. Who has which device is in the
//! book of leases.
//!
//! Nothing of it is stored here: a console lives no longer than its two connections, and its lease ends with them. What was done is
//! in the audit log and in recordings.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix_ws::Session;
use jackfield_protocol::{
    console::{ConsoleRow, EpToPerson},
    error::{ErrorCode, Problem},
    id::{ConsoleId, EpName, RunId, UserName},
    secret::Secret,
    time::Time,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{auth, feed::Feed, limits};

/// The consoles of this engine. Cheap to clone.
#[derive(Clone, Default)]
pub struct Consoles {
    state: Arc<Mutex<State>>,
    feed: Feed,
}

#[derive(Default)]
struct State {
    last_console: u64,
    /// Consoles whose EP has not dialled back.
    awaited: BTreeMap<ConsoleId, Awaited>,
    /// Those that are open; without a row while it is found out what they are on.
    open: BTreeMap<ConsoleId, Option<ConsoleRow>>,
    /// The persons' sides of those, to tell them something.
    seats: BTreeMap<ConsoleId, Person>,
}

/// A console that an EP is to dial back for.
pub(crate) struct Awaited {
    secret: String,
    pub(crate) person: Person,
    pub(crate) ep_side: oneshot::Sender<Session>,
}

/// The person's side of a console.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) console: ConsoleId,
    pub(crate) session: Session,
    pub(crate) user: UserName,
    pub(crate) ep: EpName,
    /// What they look at, for the audit log.
    pub(crate) target: String,
    /// The session of tests it is on.
    pub(crate) of: Option<(RunId, String)>,
    pub(crate) over: CancellationToken,
}

/// Why a console is over, as far as the engine knows.
pub(crate) struct End {
    pub(crate) code: ErrorCode,
    pub(crate) reason: String,
}

impl Person {
    /// Tells the person why it is over, and closes their side.
    pub(crate) async fn end(mut self, End { code, reason }: End) {
        self.over.cancel();
        let end = EpToPerson::End { reason, code: Some(code), recording: None };
        if let Ok(text) = serde_json::to_string(&end) {
            // They may be gone already.
            drop(self.session.text(text).await);
        }
        drop(self.session.close(None).await);
    }
}

/// A console that is open; forgotten with everything it holds when this is dropped.
pub(crate) struct OpenConsole {
    consoles: Consoles,
    pub(crate) id: ConsoleId,
    /// Gives back what it holds.
    held: Option<GiveBack>,
}

type GiveBack = Box<dyn FnOnce() + Send>;

impl Consoles {
    /// Books of consoles that tell the feed of the lab.
    pub(crate) fn new(feed: Feed) -> Self {
        Self { state: Arc::default(), feed }
    }

    /// Opens a console in the books.
    pub(crate) fn open(&self) -> Result<OpenConsole, Problem> {
        let mut state = self.state();
        if state.open.len() >= limits::CONSOLES_MAX {
            let title = format!("{} consoles are open, and no more are served", limits::CONSOLES_MAX);
            return Err(Problem::new(ErrorCode::TooMany, title));
        }
        state.last_console = state.last_console.saturating_add(1);
        let id = ConsoleId(state.last_console);
        state.open.insert(id, None);
        drop(state);
        Ok(OpenConsole { consoles: self.clone(), id, held: None })
    }

    /// One that is open, as far as it is known what it is on.
    pub(crate) fn row(&self, console: ConsoleId) -> Option<ConsoleRow> {
        self.state().open.get(&console).cloned().flatten()
    }

    /// Ends a console that may not go on, and says why.
    pub(crate) fn end(&self, console: ConsoleId, reason: &str) {
        self.end_with(console, End { code: ErrorCode::Held, reason: reason.to_owned() });
    }

    /// The same for another cause.
    pub(crate) fn end_with(&self, console: ConsoleId, end: End) {
        let seat = self.state().seats.get(&console).cloned();
        if let Some(person) = seat {
            drop(tokio::spawn(person.end(end)));
        }
    }

    /// Those that are open, by number.
    pub(crate) fn rows(&self) -> Vec<ConsoleRow> {
        self.state().open.values().flatten().cloned().collect()
    }

    /// Tells everybody who sits at a console on such a resource, but for one user. Who does not take it in time, is not told.
    pub(crate) async fn tell(&self, is_meant: impl Fn(&str) -> bool, but: &UserName, text: &str) {
        let Ok(notice) = serde_json::to_string(&EpToPerson::Notice { text: text.to_owned() }) else { return };
        let meant: Vec<Person> = {
            let state = self.state();
            let rows = state.open.iter().filter_map(|(id, row)| Some((id, row.as_ref()?)));
            let rows = rows.filter(|(_, row)| row.user != *but && is_meant(&row.resource));
            rows.filter_map(|(id, _)| state.seats.get(id).cloned()).collect()
        };
        for mut seat in meant {
            drop(tokio::time::timeout(limits::CONSOLE_TELL_WAIT, seat.session.text(notice.clone())).await);
        }
    }

    /// Somebody types from now on instead of a test, or watches again.
    pub(crate) fn typing(&self, console: ConsoleId, since: Option<Time>) {
        if let Some(Some(row)) = self.state().open.get_mut(&console) {
            row.types_since = since;
        }
        self.feed.touch();
    }

    /// The person's side of a console, for the EP that proves to be the one that was asked.
    pub(crate) fn meet(&self, console: ConsoleId, secret: &str) -> Option<Awaited> {
        let mut state = self.state();
        let known =
            state.awaited.get(&console).is_some_and(|awaited| awaited.secret == auth::token_hash(secret));
        if known { state.awaited.remove(&console) } else { None }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the books are held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenConsole {
    /// What is done when it is over: its device is given back.
    pub(crate) fn at_end(&mut self, give_back: impl FnOnce() + Send + 'static) {
        self.held = Some(Box::new(give_back));
    }

    /// What lists say of it.
    pub(crate) fn show(&self, row: ConsoleRow) {
        self.consoles.state().open.insert(self.id, Some(row));
        self.consoles.feed.touch();
    }

    /// Waits in the books for the EP to dial back with this secret.
    pub(crate) fn await_ep(&self, secret: &Secret, person: Person) -> oneshot::Receiver<Session> {
        let (ep_side, met) = oneshot::channel();
        let seat = person.clone();
        let awaited = Awaited { secret: auth::token_hash(secret.expose_for_hash()), person, ep_side };
        let mut state = self.consoles.state();
        state.awaited.insert(self.id, awaited);
        state.seats.insert(self.id, seat);
        met
    }
}

impl Drop for OpenConsole {
    fn drop(&mut self) {
        let mut state = self.consoles.state();
        state.open.remove(&self.id);
        state.awaited.remove(&self.id);
        state.seats.remove(&self.id);
        drop(state);
        if let Some(give_back) = self.held.take() {
            give_back();
        }
        self.consoles.feed.touch();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn what_a_console_holds_is_given_back_once_when_it_is_over() {
        let consoles = Consoles::default();
        let given = Arc::new(AtomicU32::new(0));
        let mut console = consoles.open().unwrap();
        let counted = Arc::clone(&given);
        console.at_end(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(given.load(Ordering::Relaxed), 0);
        drop(console);
        assert_eq!(given.load(Ordering::Relaxed), 1);
        assert!(consoles.state().open.is_empty());
    }
}
