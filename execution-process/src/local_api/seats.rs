//! Connections of each test: one that holds very many keeps only itself waiting.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jackfield_protocol::id::AttemptId;
use tokio_util::sync::CancellationToken;

use crate::limits::{CONNECTIONS_OF_ONE_MAX, UNKNOWN_CONNECTIONS_MAX};

/// How many connections each test has.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats(Arc<Mutex<BTreeMap<AttemptId, usize>>>);

/// One connection of a test; the place is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    attempt: AttemptId,
}

impl Seats {
    /// A place for a further connection, if the test has one left.
    pub(super) fn take(&self, attempt: AttemptId) -> Option<Seat> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(attempt).or_default();
        if *count >= CONNECTIONS_OF_ONE_MAX {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Seat { seats: self.clone(), attempt })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.attempt) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.attempt);
            }
        }
    }
}

/// Connections that have not said whose they are. Where there are too many the oldest gives way: a test says hello as soon as it is connected,
/// so what waits for long is not about to.
#[derive(Clone, Debug, Default)]
pub(super) struct Lobby(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    there: BTreeMap<u64, CancellationToken>,
}

/// One that waits; it has left the lobby when this is dropped.
#[derive(Debug)]
pub(super) struct Visitor {
    lobby: Lobby,
    number: u64,
    sent_away: CancellationToken,
}

impl Lobby {
    /// Lets one more in.
    pub(super) fn enter(&self) -> Visitor {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.there.len() >= UNKNOWN_CONNECTIONS_MAX {
            let Some((_, oldest)) = waiting.there.pop_first() else { break };
            oldest.cancel();
        }
        waiting.next = waiting.next.saturating_add(1);
        let (number, sent_away) = (waiting.next, CancellationToken::new());
        waiting.there.insert(number, sent_away.clone());
        Visitor { lobby: self.clone(), number, sent_away }
    }
}

impl Visitor {
    /// Waits until it has to give way.
    pub(super) async fn sent_away(&self) {
        self.sent_away.cancelled().await;
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.lobby.0.lock().unwrap_or_else(PoisonError::into_inner).there.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::id::{RunId, TestIndex};

    use super::*;

    #[tokio::test]
    async fn who_waits_longest_gives_way_to_who_comes() {
        let lobby = Lobby::default();
        let mut visitors: Vec<_> = (0..UNKNOWN_CONNECTIONS_MAX).map(|_| lobby.enter()).collect();
        assert!(visitors.iter().all(|visitor| !visitor.sent_away.is_cancelled()));
        drop(visitors.remove(0));
        visitors.push(lobby.enter());
        assert!(!visitors[0].sent_away.is_cancelled(), "there was a place");
        visitors.push(lobby.enter());
        visitors[0].sent_away().await;
        assert!(!visitors[1].sent_away.is_cancelled());
        drop(visitors);
        assert!(lobby.0.lock().unwrap().there.is_empty());
    }

    #[test]
    fn a_test_has_its_share_and_gives_it_back() {
        let seats = Seats::default();
        let attempt = |test| AttemptId { run: RunId(1), test: TestIndex(test), attempt: 1 };
        let held: Vec<_> = (0..CONNECTIONS_OF_ONE_MAX).map(|_| seats.take(attempt(0)).unwrap()).collect();
        assert!(seats.take(attempt(0)).is_none());
        let other = seats.take(attempt(1)).unwrap();
        drop(held);
        assert!(seats.take(attempt(0)).is_some());
        drop(other);
        assert!(seats.0.lock().unwrap().is_empty(), "nothing is remembered of tests that have gone");
    }
}
