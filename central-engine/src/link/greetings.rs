//! Connections that have not said yet which EP they are: each may hold the bytes of a Hello, so there are only so many.
//!
//! An EP says Hello at once, and a stranger who keeps silent could hold every place; so it is the one that has waited longest that has to go.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::limits;

static WAITING: Mutex<Waiting> = Mutex::new(Waiting { last: 0, places: VecDeque::new() });

#[derive(Debug)]
struct Waiting {
    last: u64,
    places: VecDeque<(u64, CancellationToken)>,
}

impl Waiting {
    /// A place for one more; whoever has waited longest loses theirs where there are too many.
    fn enter(&mut self) -> (u64, CancellationToken) {
        if self.places.len() >= limits::GREETINGS_MAX
            && let Some((_, longest)) = self.places.pop_front()
        {
            longest.cancel();
        }
        self.last = self.last.wrapping_add(1);
        let place = (self.last, CancellationToken::new());
        self.places.push_back(place.clone());
        place
    }

    fn leave(&mut self, place: u64) {
        self.places.retain(|(number, _)| *number != place);
    }
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place among those that wait; given back with this value.
#[derive(Debug)]
pub(super) struct Greeting {
    number: u64,
    lost: CancellationToken,
}

impl Greeting {
    pub(super) fn begin() -> Self {
        let (number, lost) = waiting().enter();
        Self { number, lost }
    }

    /// Ends when others need the place.
    pub(super) async fn lost(&self) {
        self.lost.cancelled().await;
    }
}

impl Drop for Greeting {
    fn drop(&mut self) {
        waiting().leave(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_waited_longest_makes_room() {
        let mut waiting = Waiting { last: 0, places: VecDeque::new() };
        let first = waiting.enter();
        let second = waiting.enter();
        let others: Vec<_> = (2..limits::GREETINGS_MAX).map(|_| waiting.enter()).collect();
        assert!(!first.1.is_cancelled());
        let one_more = waiting.enter();
        assert!(first.1.is_cancelled() && !second.1.is_cancelled() && !one_more.1.is_cancelled());
        waiting.leave(one_more.0);
        waiting.leave(first.0);
        assert_eq!(waiting.places.len(), others.len() + 1);
        waiting.enter();
        assert!(!second.1.is_cancelled(), "there was a place");
    }
}
