//! What changes in the lab as a whole, for pages and programs that watch it: runs, EPs, leases, consoles, questions,
//! notices, that the tree or the SUTs were edited, and which files of the lab somebody saved here.
//!
//! ```text
//! loop, tree, consoles, jobs ── something changed ──▶ Feed ◀── look ── asks what is different, at most ten times a second
//!                                                      │
//!                                                      └─▶ watchers: the newest of each thing, after the number they know
//! ```
//!
//! Of each thing only its newest state is kept, with the number it got. So a watcher that was away, or is slow, gets what
//! it missed without what was overtaken; nothing piles up for it, and a thousand events of a run in a second are ten
//! lines. The numbers begin anew with each life of the engine: a watcher of another life, or one that is too far behind,
//! is told to ask for everything again.

mod look;
mod sight;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_protocol::{
    event::{Fact, RunEvent},
    id::{EpName, RunId, UserName},
};
use serde::Serialize;
use tokio::sync::{Notify, watch};

pub(crate) use self::{
    look::{RunQuestions, keep_looking},
    sight::Sight,
};
use crate::limits;

/// The hub. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Hub>);

#[derive(Debug)]
struct Hub {
    /// Tells this life of the engine from others.
    life: u32,
    state: Mutex<State>,
    newest: watch::Sender<u64>,
    touched: Notify,
}

#[derive(Debug, Default)]
struct State {
    seq: u64,
    /// What happened up to this number may be forgotten.
    forgotten: u64,
    by_thing: BTreeMap<Thing, u64>,
    by_seq: BTreeMap<u64, Kept>,
    touched: Touched,
}

#[derive(Debug)]
struct Kept {
    thing: Thing,
    change: Change,
}

/// What may be different from what was published last.
#[derive(Debug, Default)]
struct Touched {
    runs: BTreeSet<RunId>,
    /// Runs in which somebody was asked, or answered.
    dialogues: BTreeSet<RunId>,
    notices: bool,
}

/// What a change is about: of each, only the newest is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Run(RunId),
    Questions(RunId),
    Ep(EpName),
    Leases,
    Health,
    Consoles,
    Notices,
    Resources,
    Suts,
    /// One of the lab's files that are edited here, by its path.
    File(String),
}

/// A change, as it goes to watchers; written as JSON once for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The topic, which says what the data are.
    pub topic: &'static str,
    /// The newest state of the thing.
    pub json: Arc<str>,
    /// Whose run it is about: they see it, whoever else may see only their own does not.
    pub owner: Option<UserName>,
}

/// The data of `resources` and `suts`: they are not what they were.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct Edition {
    /// Higher than before, within one life of the engine.
    pub version: u64,
}

/// The data of `deleted`.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct Deleted {
    /// The run that is gone.
    pub run: RunId,
}

/// The data of `file`: somebody wrote or removed a file of the lab by this engine.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FileChanged {
    /// The file, below the lab folder.
    pub file: String,
    /// Who did.
    pub by: UserName,
    /// The version that it has now; none where it is gone.
    pub version: Option<String>,
}

/// How far a watcher is: a number, and of which life of the engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    life: u32,
    seq: u64,
}

/// Someone who watches.
#[derive(Debug)]
pub struct Watcher {
    feed: Feed,
    seq: u64,
    newest: watch::Receiver<u64>,
}

/// What a watcher gets.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// These changes, in order, each with the position after it.
    Changes(Vec<(Position, Change)>),
    /// It was too slow: it has to ask for everything again, and goes on from here.
    Gap(Position),
}

impl Default for Feed {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Feed {
    /// The feed of this life of the engine; `life` differs from that of the life before.
    pub fn new(life: u32) -> Self {
        let (state, newest, touched) = (Mutex::default(), watch::Sender::new(0), Notify::new());
        Self(Arc::new(Hub { life, state, newest, touched }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the state is held.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something may have changed: it is looked at soon, if anybody watches.
    pub(crate) fn touch(&self) {
        self.0.touched.notify_one();
    }

    /// The loop has committed these events.
    pub(crate) fn happened(&self, events: &[RunEvent]) {
        let mut state = self.state();
        for event in events {
            state.touched.runs.insert(event.run);
            if let Fact::Asked { .. } | Fact::Answered { .. } = event.fact {
                state.touched.dialogues.insert(event.run);
            }
        }
        if state.touched.runs.len() > limits::FEED_KEPT_MAX {
            state.forget_all();
        }
        drop(state);
        self.touch();
    }

    /// The work that runs leave has changed: something was given up, or taken up again.
    pub(crate) fn notices_changed(&self) {
        self.state().touched.notices = true;
        self.touch();
    }

    /// The tree was edited and is at this version.
    pub(crate) fn tree_edited(&self, version: u64) {
        self.publish([(Thing::Resources, Change::marker(RESOURCES, version))]);
    }

    /// A SUT was edited or deleted.
    pub(crate) fn suts_edited(&self) {
        let seq = self.state().seq;
        self.publish([(Thing::Suts, Change::marker(SUTS, seq))]);
    }

    /// Somebody wrote or removed a file of the lab.
    pub(crate) fn file_changed(&self, changed: &FileChanged) {
        self.publish([(Thing::File(changed.file.clone()), Change::told(FILE, changed))]);
    }

    /// A run was deleted: whoever shows it learns that it is gone.
    pub(crate) fn run_deleted(&self, run: RunId, owner: UserName) {
        // It takes the place of the run's newest state: who comes back later is told of its end alone.
        let deleted = Change { owner: Some(owner), ..Change::told("deleted", &Deleted { run }) };
        self.publish([(Thing::Run(run), deleted)]);
    }

    fn publish(&self, changes: impl IntoIterator<Item = (Thing, Change)>) {
        let mut state = self.state();
        for (thing, change) in changes {
            state.put(thing, change);
        }
        let newest = state.seq;
        drop(state);
        self.0.newest.send_if_modified(|seq| {
            let is_newer = *seq != newest;
            *seq = newest;
            is_newer
        });
    }

    fn is_watched(&self) -> bool {
        self.0.newest.receiver_count() > 0
    }

    /// Begins to watch, from a position on if that is possible: answers whether it is. Where it is not, the watcher asks
    /// for everything, *after* it has begun to watch.
    pub fn watch(&self, after: Option<Position>) -> (Watcher, bool) {
        let newest = self.0.newest.subscribe();
        let state = self.state();
        let resumed = after.filter(|position| {
            position.life == self.0.life && position.seq <= state.seq && position.seq >= state.forgotten
        });
        let seq = resumed.map_or(state.seq, |position| position.seq);
        drop(state);
        // What changed while nobody watched has not been looked at.
        self.touch();
        (Watcher { feed: self.clone(), seq, newest }, resumed.is_some())
    }

    /// How many watch now, for the metrics.
    pub fn watchers(&self) -> usize {
        self.0.newest.receiver_count()
    }
}

impl State {
    fn put(&mut self, thing: Thing, change: Change) {
        self.seq = self.seq.saturating_add(1);
        if let Some(before) = self.by_thing.insert(thing.clone(), self.seq) {
            self.by_seq.remove(&before);
        }
        self.by_seq.insert(self.seq, Kept { thing, change });
        while self.by_seq.len() > limits::FEED_KEPT_MAX {
            let Some((seq, kept)) = self.by_seq.pop_first() else { return };
            self.by_thing.remove(&kept.thing);
            self.forgotten = seq;
        }
    }

    /// Too much happened while nobody looked: whoever comes back asks for everything.
    fn forget_all(&mut self) {
        self.touched.runs.clear();
        self.by_thing.clear();
        self.by_seq.clear();
        self.seq = self.seq.saturating_add(1);
        self.forgotten = self.seq;
    }
}

impl Change {
    /// Says only that something is not what it was.
    fn marker(topic: &'static str, version: u64) -> Self {
        Self::told(topic, &Edition { version })
    }

    fn told(topic: &'static str, data: &impl Serialize) -> Self {
        // Numbers and texts as JSON have no way to fail.
        Self { topic, json: serde_json::to_string(data).unwrap_or_default().into(), owner: None }
    }
}

/// The topics of which somebody may learn who may not see everything. Of a file it is told which one was saved, by whom, and of which version; never
/// what is in it.
const FILE: &str = "file";
const LEASES: &str = "leases";
const RESOURCES: &str = "resources";
const SUTS: &str = "suts";

impl Watcher {
    /// The position it is at.
    pub fn position(&self) -> Position {
        Position { life: self.feed.0.life, seq: self.seq }
    }

    /// What comes next; waits until there is something.
    pub async fn next(&mut self) -> Next {
        loop {
            // Marked as seen before looking: what is published after the look wakes the wait below.
            self.newest.borrow_and_update();
            if let Some(next) = self.at_hand() {
                return next;
            }
            if self.newest.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn at_hand(&mut self) -> Option<Next> {
        let state = self.feed.state();
        let life = self.feed.0.life;
        if self.seq < state.forgotten {
            self.seq = state.seq;
            return Some(Next::Gap(Position { life, seq: state.seq }));
        }
        let newer = state.by_seq.range(self.seq.saturating_add(1)..);
        let changes: Vec<_> =
            newer.map(|(seq, kept)| (Position { life, seq: *seq }, kept.change.clone())).collect();
        self.seq = changes.last()?.0.seq;
        Some(Next::Changes(changes))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{}", self.life, self.seq)
    }
}

/// A text that is no position.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no position of the live feed; leave it out to begin anew")]
pub struct NoPosition(String);

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let parts = text.split_once('.').and_then(|(life, seq)| {
            Some(Self { life: u32::from_str_radix(life, 16).ok()?, seq: seq.parse().ok()? })
        });
        parts.ok_or_else(|| NoPosition(text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
