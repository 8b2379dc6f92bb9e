//! Consoles: persons who look at a device through an EP. The engine finds the EP, keeps who has which device, and copies.
//!
//! Nothing of it is stored: a console lives no longer than its two connections, and a device is free when they are gone. What was done is
//! in the audit log and in recordings.

mod ask;
mod splice;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix_ws::Session;
use jackfield_protocol::{
    console::{CONSOLE_CAPABILITY, OpenSession},
    error::{ErrorCode, Problem},
    id::{ConsoleId, EpName, UserName},
    link::{EngineToEp, Hello},
    time::Time,
};
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::splice::{Person, accept, audit, joined, serve};
use crate::{auth::Secret, clock, limits};

/// The consoles of this engine, and the ways to its EPs. Cheap to clone.
#[derive(Clone, Default)]
pub struct Consoles(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    last_console: u64,
    last_question: u64,
    /// The queue of each EP's newest connection, which ends with the connection.
    links: BTreeMap<EpName, mpsc::WeakSender<EngineToEp>>,
    asked: BTreeMap<u64, oneshot::Sender<Vec<OpenSession>>>,
    /// Consoles whose EP has not dialled back.
    awaited: BTreeMap<ConsoleId, Awaited>,
    /// Who has which device, by the id of its resource.
    holders: BTreeMap<String, Holder>,
    open: usize,
}

/// A console that an EP is to dial back for.
struct Awaited {
    secret: String,
    person: Person,
    ep_side: oneshot::Sender<Session>,
}

/// Someone who has a device that no test uses.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) user: UserName,
    pub(crate) since: Time,
    pub(crate) ep: EpName,
    pub(crate) console: ConsoleId,
}

impl Holder {
    /// Who has it, since when.
    pub(crate) fn told(&self, path: &str) -> String {
        format!("{} has {path} on a console since {}", self.user, self.since)
    }
}

/// A console that is open; forgotten with everything it holds when this is dropped.
pub(crate) struct OpenConsole {
    consoles: Consoles,
    pub(crate) id: ConsoleId,
    /// The resource it holds.
    held: Option<String>,
}

impl Consoles {
    /// An EP is connected, and has been told so.
    pub(crate) fn connected(&self, hello: &Connected, outgoing: mpsc::WeakSender<EngineToEp>) {
        if hello.able {
            self.state().links.insert(hello.ep.clone(), outgoing);
        } else {
            self.state().links.remove(&hello.ep);
        }
    }

    /// Opens a console in the books.
    pub(crate) fn open(&self) -> Result<OpenConsole, Problem> {
        let mut state = self.state();
        if state.open >= limits::CONSOLES_MAX {
            let title = format!("{} consoles are open, and no more are served", limits::CONSOLES_MAX);
            return Err(Problem::new(ErrorCode::TooMany, title));
        }
        state.open = state.open.saturating_add(1);
        state.last_console = state.last_console.saturating_add(1);
        let id = ConsoleId(state.last_console);
        drop(state);
        Ok(OpenConsole { consoles: self.clone(), id, held: None })
    }

    /// Who has a device.
    pub(crate) fn holder(&self, resource: &str) -> Option<Holder> {
        self.state().holders.get(resource).cloned()
    }

    /// Says something to an EP.
    fn tell(&self, ep: &EpName, message: EngineToEp) -> Result<(), Problem> {
        let outgoing = self.state().links.get(ep).and_then(mpsc::WeakSender::upgrade);
        let sent = outgoing.is_some_and(|outgoing| outgoing.try_send(message).is_ok());
        let lost = || Problem::new(ErrorCode::Unavailable, format!("EP {ep} is not connected"));
        sent.then_some(()).ok_or_else(lost)
    }

    /// Whether an EP is connected that knows consoles.
    pub(crate) fn reaches(&self, ep: &EpName) -> bool {
        self.state().links.get(ep).is_some_and(|link| link.strong_count() > 0)
    }

    /// The person's side of a console, for the EP that proves to be the one that was asked.
    fn meet(&self, console: ConsoleId, secret: &str) -> Option<Awaited> {
        let mut state = self.state();
        let known = state.awaited.get(&console).is_some_and(|awaited| awaited.secret == Secret::hash(secret));
        if known { state.awaited.remove(&console) } else { None }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the books are held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenConsole {
    /// Takes a device that nobody has.
    pub(crate) fn hold(&mut self, resource: &str, user: &UserName, ep: &EpName) -> Result<(), Holder> {
        let mut state = self.consoles.state();
        if let Some(holder) = state.holders.get(resource) {
            return Err(holder.clone());
        }
        let holder = Holder { user: user.clone(), since: clock::now(), ep: ep.clone(), console: self.id };
        state.holders.insert(resource.to_owned(), holder);
        self.held = Some(resource.to_owned());
        Ok(())
    }

    /// Waits in the books for the EP to dial back with this secret.
    fn await_ep(&self, secret: &Secret, person: Person) -> oneshot::Receiver<Session> {
        let (ep_side, met) = oneshot::channel();
        let awaited = Awaited { secret: Secret::hash(secret.reveal()), person, ep_side };
        self.consoles.state().awaited.insert(self.id, awaited);
        met
    }
}

impl Drop for OpenConsole {
    fn drop(&mut self) {
        let mut state = self.consoles.state();
        state.open = state.open.saturating_sub(1);
        state.awaited.remove(&self.id);
        if let Some(held) = &self.held {
            state.holders.remove(held);
        }
    }
}

/// What of a Hello consoles need.
pub(crate) struct Connected {
    ep: EpName,
    able: bool,
}

impl From<&Hello> for Connected {
    fn from(hello: &Hello) -> Self {
        let able = hello.capabilities.iter().any(|word| word.as_ref() == CONSOLE_CAPABILITY);
        Self { ep: hello.ep.clone(), able }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_one_holder_until_the_console_is_over() {
        let consoles = Consoles::default();
        let (mut first, mut second) = (consoles.open().unwrap(), consoles.open().unwrap());
        assert!(first.hold("00", &"ana".into(), &"EP-1".into()).is_ok());
        let holder = second.hold("00", &"bob".into(), &"EP-1".into()).unwrap_err();
        assert_eq!((holder.user.as_str(), holder.console), ("ana", first.id));
        drop(second);
        assert!(consoles.holder("00").is_some());
        drop(first);
        assert!(consoles.holder("00").is_none());
        assert_eq!(consoles.state().open, 0);
    }

    #[test]
    fn an_ep_is_told_things_as_long_as_its_connection_lives() {
        let consoles = Consoles::default();
        let ep = EpName::from("EP-1");
        let (outgoing, mut queue) = mpsc::channel(1);
        consoles.connected(&Connected { ep: ep.clone(), able: true }, outgoing.downgrade());
        assert!(consoles.reaches(&ep));
        assert!(consoles.tell(&ep, EngineToEp::Heartbeat).is_ok());
        assert_eq!(queue.try_recv(), Ok(EngineToEp::Heartbeat));
        drop(outgoing);
        assert!(!consoles.reaches(&ep));
        let told = consoles.tell(&ep, EngineToEp::Heartbeat).unwrap_err();
        assert_eq!(told.title, "EP EP-1 is not connected");
    }
}
