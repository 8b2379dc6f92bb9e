//! The one book of EPs: what each said of itself, when it was last heard, and its connection while that lives.
//!
//! The loop enters a connection when its epoch is stored and strikes it out when it is gone; a connection that is not
//! the newest of its EP is in no book. All others look things up here, and tell or ask an EP beside the loop what a
//! person wants of it ([`asking`]). Nothing of that is stored: it ends with the connection.

mod asking;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_protocol::{
    api::EpRow,
    id::{EpName, Epoch, UserName},
    link::{EngineToEp, Hello, Host},
    time::Time,
};
use jackfield_scheduler::view::EpView;
use tokio::sync::mpsc;

use self::asking::Questions;
pub(crate) use self::asking::Said;
use crate::{
    auth::Pass,
    clock,
    store::{self, Store, StoreError},
};

/// Every EP that was ever connected. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Eps(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    known: BTreeMap<EpName, Known>,
    questions: Questions,
}

#[derive(Debug, Default)]
struct Known {
    last: Time,
    host: Host,
    software: String,
    link: Option<Link>,
}

/// The newest connection of an EP. Its task ends when the queue does, so dropping this closes it.
#[derive(Debug)]
struct Link {
    epoch: Epoch,
    outgoing: mpsc::Sender<EngineToEp>,
    can: Vec<Arc<str>>,
    /// Which EP of this name it is.
    instance: String,
    /// What it was let in with.
    pass: Pass,
    since: Time,
    /// Until then nobody but the loop may tell it anything: a conversation begins with Welcome.
    welcomed: bool,
}

/// What lets EPs in no longer.
#[derive(Clone, Debug)]
pub(crate) enum Withdrawn {
    /// One token.
    Token(u64),
    /// Every token of a user.
    Owner(UserName),
}

/// A connection on its way into the book.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) ep: EpName,
    pub(crate) epoch: Epoch,
    pub(crate) host: Host,
    pub(crate) software: String,
    pub(crate) can: Vec<Arc<str>>,
    pub(crate) instance: String,
    pub(crate) pass: Pass,
    pub(crate) outgoing: mpsc::Sender<EngineToEp>,
}

impl Connected {
    /// What the book needs of a Hello.
    pub(crate) fn new(hello: &Hello, epoch: Epoch, pass: Pass, outgoing: mpsc::Sender<EngineToEp>) -> Self {
        let Hello { ep, host, software, capabilities, instance, .. } = hello;
        let (ep, host, software) = (ep.clone(), host.clone(), software.clone());
        let (can, instance) = (capabilities.clone(), instance.clone());
        Self { ep, epoch, host, software, can, instance, pass, outgoing }
    }

    /// Whether both are one EP, which may take its own older connection's place. Of EPs that do not tell, nobody knows.
    pub(crate) fn is_same(&self, hello: &Hello) -> bool {
        is_same(&self.instance, hello)
    }
}

impl Eps {
    /// What earlier lives of the engine knew.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        let seen = store::ep::seen(&mut store.read().await?).await?;
        let known = seen.into_iter().map(|(ep, seen)| {
            (ep, Known { last: seen.at, host: seen.host, software: seen.software, link: None })
        });
        let state = State { known: known.collect(), questions: Questions::default() };
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the book is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a connection whose epoch is stored; an older one of the same EP is closed.
    pub(crate) fn connected(&self, connected: Connected) {
        let Connected { ep, epoch, host, software, can, instance, pass, outgoing } = connected;
        let since = clock::now();
        let link = Link { epoch, outgoing, can, instance, pass, since, welcomed: false };
        let mut state = self.state();
        state.questions.forget(&ep);
        state.known.insert(ep, Known { last: since, host, software, link: Some(link) });
    }

    /// Where another EP of this name is connected from, since when.
    pub(crate) fn taken(&self, hello: &Hello) -> Option<String> {
        let state = self.state();
        let Known { host, link, .. } = state.known.get(&hello.ep)?;
        let link =
            link.as_ref().filter(|link| !is_same(&link.instance, hello) && !link.outgoing.is_closed())?;
        Some(format!("{} ({}), since {}", host.name, host.ip, link.since))
    }

    /// How many are connected.
    pub(crate) fn count(&self) -> usize {
        self.state().known.values().filter(|known| known.link.is_some()).count()
    }

    /// The connections that were let in with what is now withdrawn.
    pub(crate) fn let_in_with(&self, withdrawn: &Withdrawn) -> Vec<(EpName, Epoch)> {
        let state = self.state();
        let of = |(ep, known): (&EpName, &Known)| {
            let link = known.link.as_ref()?;
            let withdrawn = match withdrawn {
                Withdrawn::Token(token) => link.pass.token == *token,
                Withdrawn::Owner(owner) => link.pass.owner == *owner,
            };
            withdrawn.then(|| (ep.clone(), link.epoch))
        };
        state.known.iter().filter_map(of).collect()
    }

    /// Strikes out a connection that is gone, unless a newer one has taken its place.
    pub(crate) fn gone(&self, ep: &EpName, epoch: Epoch) {
        let mut state = self.state();
        let State { known, questions } = &mut *state;
        let known = known.get_mut(ep);
        if let Some(known) = known.filter(|known| known.link.as_ref().is_some_and(|link| link.epoch == epoch))
        {
            known.link = None;
            questions.forget(ep);
        }
    }

    /// Closes every connection: the loop begins anew, and each EP has to say hello to it.
    pub(crate) fn close_all(&self) {
        let mut state = self.state();
        let State { known, questions } = &mut *state;
        for (ep, known) in known {
            known.link = None;
            questions.forget(ep);
        }
    }

    /// Puts a message of the loop into the queue of a connection; none that is not the newest gets any. A full queue means
    /// an EP that does not read: its connection ends, and it is told everything again when it comes back.
    pub(crate) fn send(&self, ep: &EpName, epoch: Epoch, message: EngineToEp) {
        let mut state = self.state();
        let link = state.known.get_mut(ep).and_then(|known| known.link.as_mut());
        let Some(link) = link.filter(|link| link.epoch == epoch) else { return };
        link.welcomed |= matches!(message, EngineToEp::Welcome(_));
        let taken = link.outgoing.try_send(message).is_ok();
        drop(state);
        if !taken {
            tracing::warn!(ep.name = %ep, "the EP does not read what it is told; its connection is closed");
            self.gone(ep, epoch);
        }
    }

    /// Whether an EP is connected that can do this.
    pub(crate) fn reach(&self, ep: &EpName, capability: &str) -> bool {
        let state = self.state();
        state.open(ep).is_some_and(|link| link.can.iter().any(|word| word.as_ref() == capability))
    }

    /// An EP said anything.
    pub(crate) fn heard(&self, ep: &EpName) {
        if let Some(known) = self.state().known.get_mut(ep) {
            known.last = clock::now();
        }
    }

    /// An EP as lists show it: the scheduler's view, with what the EP said of itself.
    pub(crate) fn row(&self, view: EpView) -> EpRow {
        let state = self.state();
        let (last, host, software) = state
            .known
            .get(&view.ep)
            .map_or_else(Default::default, |known| (known.last, known.host.clone(), known.software.clone()));
        drop(state);
        let text = |value: &Arc<str>| value.to_string();
        EpRow {
            state: view.state,
            host,
            software,
            labels: view.offer.labels.iter().map(|(key, value)| (text(key), text(value))).collect(),
            capabilities: view.offer.capabilities.iter().map(text).collect(),
            pool: view.offer.pool.clone(),
            lanes: view.offer.lanes,
            notices: view.notices,
            last_seen: view.gone.unwrap_or(last),
            working: view.working,
            run: view.runs.first().copied(),
            name: view.ep,
        }
    }
}

/// An EP of an older build says nothing of which one it is, and is taken for the same.
fn is_same(instance: &str, hello: &Hello) -> bool {
    instance.is_empty() || hello.instance.is_empty() || instance == hello.instance
}

impl State {
    /// The connection of an EP that may be told things.
    fn open(&self, ep: &EpName) -> Option<&Link> {
        self.known.get(ep)?.link.as_ref().filter(|link| link.welcomed && !link.outgoing.is_closed())
    }
}
