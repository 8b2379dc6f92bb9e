//! Handshakes that are not over: as many as there is room for, and where there are more, those of whoever has the most give way.
//!
//! Whoever opens connections and says nothing costs themselves their own; a thousand EPs that come back at once, and a person between them, do
//! not wait for each other.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// All of them.
#[derive(Debug)]
pub(super) struct Waiting {
    room: usize,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    /// By address, and then by age.
    turns: BTreeMap<IpAddr, BTreeMap<u64, CancellationToken>>,
    count: usize,
    /// Grows with each.
    next: u64,
}

/// One of them; it is over when this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    of: Arc<Waiting>,
    address: IpAddr,
    number: u64,
    lost: CancellationToken,
}

impl Waiting {
    pub(super) fn new(room: usize) -> Self {
        Self { room, list: Mutex::default() }
    }

    /// A further one, of this address.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Turn {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if list.count >= self.room {
            list.give_way();
        }
        let number = list.next;
        list.next = number.wrapping_add(1);
        list.count += 1;
        let lost = CancellationToken::new();
        list.turns.entry(address).or_default().insert(number, lost.clone());
        Turn { of: Arc::clone(self), address, number, lost }
    }

    fn leave(&self, address: IpAddr, number: u64) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).take(address, number);
    }
}

impl List {
    /// Ends the oldest of the address with the most.
    fn give_way(&mut self) {
        let most = self.turns.iter().max_by_key(|(_, turns)| turns.len());
        let oldest = most.and_then(|(address, turns)| Some((*address, *turns.first_key_value()?.0)));
        if let Some((address, number)) = oldest
            && let Some(lost) = self.take(address, number)
        {
            lost.cancel();
        }
    }

    fn take(&mut self, address: IpAddr, number: u64) -> Option<CancellationToken> {
        let turns = self.turns.get_mut(&address)?;
        let taken = turns.remove(&number)?;
        if turns.is_empty() {
            self.turns.remove(&address);
        }
        self.count = self.count.saturating_sub(1);
        Some(taken)
    }
}

impl Turn {
    /// Waits until it has to give way.
    pub(super) async fn lost(&self) {
        self.lost.cancelled().await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.of.leave(self.address, self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_the_most_gives_way() {
        let waiting = Arc::new(Waiting::new(4));
        let enter = |text: &str| waiting.enter(text.parse().unwrap());
        let loud: Vec<Turn> = (0..3).map(|_| enter("192.0.2.1")).collect();
        let quiet = enter("192.0.2.2");
        assert!(loud.iter().chain([&quiet]).all(|turn| !turn.lost.is_cancelled()));
        let person = enter("2001:db8::1");
        let lost: Vec<bool> =
            loud.iter().chain([&quiet, &person]).map(|turn| turn.lost.is_cancelled()).collect();
        assert_eq!(lost, [true, false, false, false, false], "the oldest of the loud one");
        drop(loud);
        let others: Vec<Turn> = (0..2).map(|_| enter("192.0.2.3")).collect();
        assert!(others.iter().chain([&quiet, &person]).all(|turn| !turn.lost.is_cancelled()));
        drop((quiet, person, others));
        let list = waiting.list.lock().unwrap();
        assert_eq!((list.count, list.turns.len()), (0, 0));
    }
}
