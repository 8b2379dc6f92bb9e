//! What happens in runs, for those who watch.
//!
//! The engine publishes after each commit, and never waits: a watcher is told only that there is something newer, and
//! fetches it at its own pace, from the few newest events kept here or else from the store. A slow browser holds
//! nothing but its place.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_protocol::{
    event::{Fact, RunEvent},
    id::RunId,
};
use tokio::sync::{Notify, watch};

use crate::{
    feed::Feed,
    limits,
    store::{self, Store, StoreError},
};

/// The hub. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Live {
    runs: Arc<Mutex<BTreeMap<RunId, Watched>>>,
    feed: Feed,
    health: Arc<Notify>,
}

/// A run that someone watches.
#[derive(Debug)]
struct Watched {
    newest: watch::Sender<u64>,
    recent: VecDeque<Shown>,
}

/// An event as it goes to a browser; written once for all of them.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its number in the run.
    pub seq: u64,
    /// The event as JSON.
    pub json: Arc<str>,
    /// The same as a server-sent event of whoever follows several things: it names its run.
    pub followed: Arc<str>,
    /// Whether nothing comes after it: the run has ended.
    pub last: bool,
}

/// Someone who watches a run.
#[derive(Debug)]
pub struct Watcher {
    live: Live,
    store: Store,
    run: RunId,
    seq: u64,
    newest: watch::Receiver<u64>,
}

impl Live {
    /// Leases have changed, and nothing else that is told here.
    pub(crate) fn leases_changed(&self) {
        self.feed.touch();
    }

    /// Something may have to be checked now, or is broken.
    pub(crate) fn health_changed(&self) {
        self.health.notify_one();
        self.feed.notices_changed();
    }

    /// Ends after that was said.
    pub(crate) async fn health_news(&self) {
        self.health.notified().await;
    }

    /// A hub that tells the feed of the lab too.
    pub fn new(feed: Feed) -> Self {
        Self { runs: Arc::default(), feed, health: Arc::default() }
    }

    fn watched(&self) -> MutexGuard<'_, BTreeMap<RunId, Watched>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows events that are stored. Costs nothing for runs that nobody watches.
    pub fn publish(&self, events: &[RunEvent]) {
        let mut watched = self.watched();
        for event in events {
            let Some(run) = watched.get_mut(&event.run) else { continue };
            if let Some(shown) = Shown::new(event) {
                run.recent.push_back(shown);
            }
            while run.recent.len() > usize::try_from(limits::LIVE_BATCH).unwrap_or(usize::MAX) {
                run.recent.pop_front();
            }
            run.newest.send_replace(event.seq);
        }
        drop(watched);
        self.feed.happened(events);
    }

    /// Begins to watch a run, from after event `seq` on; 0 shows everything.
    pub fn watch(&self, store: &Store, run: RunId, seq: u64) -> Watcher {
        let mut watched = self.watched();
        let entry = watched
            .entry(run)
            .or_insert_with(|| Watched { newest: watch::Sender::new(0), recent: VecDeque::new() });
        let newest = entry.newest.subscribe();
        Watcher { live: self.clone(), store: store.clone(), run, seq, newest }
    }

    /// How many watch now, for the metrics.
    pub fn watchers(&self) -> usize {
        self.watched().values().map(|run| run.newest.receiver_count()).sum()
    }

    /// The events after `seq` that are at hand; none when some of them have to be read from the store.
    fn recent(&self, run: RunId, seq: u64) -> Option<Vec<Shown>> {
        let watched = self.watched();
        let recent = &watched.get(&run)?.recent;
        let first = recent.front()?.seq;
        // Fifty who look on ask many times a second, each for the few newest of hundreds.
        let new = recent.partition_point(|shown| shown.seq <= seq);
        (first <= seq.saturating_add(1)).then(|| recent.range(new..).cloned().collect())
    }
}

/// One server-sent event. JSON has no line breaks of its own.
pub(crate) fn frame(event: &str, id: impl std::fmt::Display, data: &str) -> String {
    format!("id: {id}\nevent: {event}\ndata: {data}\n\n")
}

impl Shown {
    fn new(event: &RunEvent) -> Option<Self> {
        match serde_json::to_string(event) {
            Ok(json) => {
                let last = matches!(event.fact, Fact::Ended { .. });
                let followed = frame(&format!("run/{}/run", event.run), event.seq, &json).into();
                Some(Self { seq: event.seq, json: json.into(), followed, last })
            }
            Err(error) => {
                tracing::error!(run.id = %event.run, event.seq, %error, "an event cannot be written as JSON");
                None
            }
        }
    }
}

impl Watcher {
    /// The next events; waits until there are some.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn next(&mut self) -> Result<Vec<Shown>, StoreError> {
        loop {
            // Marked as seen before looking: what is published after the look wakes the wait below.
            self.newest.borrow_and_update();
            let events = self.at_hand().await?;
            if let Some(last) = events.last() {
                self.seq = last.seq;
                return Ok(events);
            }
            if self.newest.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn at_hand(&self) -> Result<Vec<Shown>, StoreError> {
        if let Some(recent) = self.live.recent(self.run, self.seq) {
            return Ok(recent);
        }
        let mut conn = self.store.read().await?;
        let events = store::event::after(&mut conn, self.run, self.seq, limits::LIVE_BATCH).await?;
        Ok(events.iter().filter_map(Shown::new).collect())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut watched = self.live.watched();
        // This watcher still counts as one.
        if watched.get(&self.run).is_some_and(|run| run.newest.receiver_count() <= 1) {
            watched.remove(&self.run);
        }
    }
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::time::Time;

    use super::*;
    use crate::store::Batch;

    fn note(seq: u64) -> RunEvent {
        RunEvent { run: RunId(1), seq, at: Time(0), fact: Fact::Note { text: format!("note {seq}") } }
    }

    async fn commit(store: &Store, live: &Live, events: Vec<RunEvent>) {
        store.commit(Batch { events: events.clone(), ..Batch::default() }).await.unwrap();
        live.publish(&events);
    }

    async fn seqs(watcher: &mut Watcher) -> Vec<u64> {
        watcher.next().await.unwrap().iter().map(|shown| shown.seq).collect()
    }

    #[tokio::test]
    async fn a_watcher_misses_nothing_wherever_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db").to_str().unwrap(), Time(0)).await.unwrap();
        let live = Live::default();
        commit(&store, &live, (1..=3).map(note).collect()).await;
        let mut early = live.watch(&store, RunId(1), 0);
        let mut resumed = live.watch(&store, RunId(1), 2);
        assert_eq!(seqs(&mut early).await, [1, 2, 3]);
        assert_eq!(seqs(&mut resumed).await, [3]);
        commit(&store, &live, vec![note(4)]).await;
        assert_eq!(seqs(&mut early).await, [4]);
        let many: Vec<_> = (5..=2_000).map(note).collect();
        commit(&store, &live, many).await;
        // More than is kept at hand: the slow one reads the store, in pieces, and catches up.
        let mut seen = 4;
        while seen < 2_000 {
            let next = seqs(&mut resumed).await;
            assert_eq!(next.first(), Some(&(if seen == 4 { 4 } else { seen + 1 })));
            seen = *next.last().unwrap();
        }
        assert_eq!(live.watchers(), 2);
        drop((early, resumed));
        assert_eq!(live.watchers(), 0);
        assert!(live.watched().is_empty(), "nothing is kept for runs that nobody watches");
    }
}
