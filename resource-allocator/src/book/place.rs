//! Where nodes are that were moved or renamed. The tree is not the book's: it says where a node is from now on, and the book puts right what it
//! holds, and what was looked up before and comes in after.
//!
//! ```text
//! tree:  /tb1/r1 goes to /tb2 ──▶ may it? (nobody has it, waits for it or has booked it) ──▶ stored ──▶ looked up anew
//! book:                             from here on every `/tb1/r1` that comes in is `/tb2/r1`
//! ```

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Book, Choice, Health, Lease,
    choice::Candidate,
    lease::{Leased, Set, Spot},
    queue::Turn,
};
use crate::node::ResourceId;

/// A node that has another place from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where it was.
    pub from: Spot,
    /// Where it is.
    pub to: Spot,
}

/// Who is concerned by what becomes of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Concern {
    /// Somebody has it, or has booked it.
    Lease(Box<Lease>),
    /// Somebody waits for it.
    Waits(Turn),
}

/// The newest places of nodes that were moved since the book was opened.
pub(super) type Places = BTreeMap<ResourceId, Spot>;

impl Moved {
    /// Whether it is in another node than before, and has not only another name.
    pub fn is_elsewhere(&self) -> bool {
        self.from.above != self.to.above
    }
}

impl Book {
    /// Who has a node, something in it, or what it is in; who has booked that, or waits for it.
    pub fn concerned(&self, spot: &Spot) -> Option<Concern> {
        let set = Set::of(spot);
        let leases = [&self.holders, &self.bookings];
        let mut leases = leases.into_iter().flat_map(|index| index.touching(&set)).flatten();
        if let Some(lease) = leases.find_map(|id| self.leases.get(id)) {
            return Some(Concern::Lease(Box::new(lease.clone())));
        }
        let mut waiting = self.waiting.touching(&set).flatten();
        waiting.next().map(|rank| Concern::Waits(rank.turn))
    }

    /// Nodes have other places. Leases, health, and what fits those who wait, are put right.
    pub fn replace(&mut self, moved: &[Moved]) {
        for Moved { to, .. } in moved {
            self.places.insert(to.node.clone(), to.clone());
        }
        let is_wrong = |lease: &&Lease| lease.what.set().is_some_and(|set| !self.is_right(set));
        let wrong: Vec<_> = self.leases.values().filter(is_wrong).cloned().collect();
        for lease in wrong {
            let what = self.right_leased(lease.what.clone());
            self.put(Lease { what, ..lease });
        }
        let right = |health: &Health| Some(Health { spot: self.right(&health.spot)?, ..health.clone() });
        let healths: Vec<_> = self.health.values().filter_map(right).collect();
        healths.into_iter().for_each(|health| self.put_health(health));
        let choices: Vec<_> = self.choices.values().filter_map(|choice| self.right_choice(choice)).collect();
        choices.into_iter().for_each(|choice| self.set_choice(choice));
    }

    /// A place as it is now; none where it is right.
    pub fn right(&self, spot: &Spot) -> Option<Spot> {
        if self.places.is_empty() {
            return None;
        }
        let chain = self.chain(spot, 0);
        let right = Spot {
            node: spot.node.clone(),
            path: chain.iter().skip(1).fold(String::new(), |path, (_, name)| format!("{path}/{name}")),
            above: chain.iter().take(chain.len().saturating_sub(1)).map(|(id, _)| id.clone()).collect(),
        };
        (right != *spot && !right.path.is_empty()).then_some(right)
    }

    /// Ids and names from the root down to a node, by the newest that is known of each.
    fn chain(&self, spot: &Spot, depth: usize) -> Vec<(ResourceId, String)> {
        let ids = spot.above.iter().chain([&spot.node]).cloned();
        let names = std::iter::once("").chain(spot.path.split('/').skip(1)).map(str::to_owned);
        let own: Vec<_> = ids.zip(names).collect();
        let known = own.iter().rposition(|(id, _)| self.places.contains_key(id));
        let Some((known, place)) = known.and_then(|at| Some((at, self.places.get(&own.get(at)?.0)?))) else {
            return own;
        };
        // The tree is no deeper than this; what was moved again and again is in here once.
        if depth > crate::tree::DEPTH_MAX || (place == spot && place.above.is_empty()) {
            return own;
        }
        let mut chain = self.chain_above(place, depth);
        chain.extend(place.path.rsplit('/').next().map(|name| (place.node.clone(), name.to_owned())));
        chain.extend(own.into_iter().skip(known.saturating_add(1)));
        chain
    }

    fn chain_above(&self, place: &Spot, depth: usize) -> Vec<(ResourceId, String)> {
        let Some((parent, above)) = place.above.split_last() else { return Vec::new() };
        let path = place.path.rsplit_once('/').map_or("", |(path, _)| path);
        let around = Spot { node: parent.clone(), path: path.to_owned(), above: above.to_vec() };
        self.chain(&around, depth.saturating_add(1))
    }

    fn is_right(&self, set: &Set) -> bool {
        set.nodes.iter().all(|spot| self.right(spot).is_none())
    }

    /// What is leased, with the places of today.
    pub(super) fn right_leased(&self, what: Leased) -> Leased {
        match what {
            Leased::Set(set) => Leased::Set(self.right_set(set)),
            lane @ Leased::Lane(..) => lane,
        }
    }

    /// A set with the places of today.
    pub(crate) fn right_set(&self, set: Set) -> Set {
        if self.places.is_empty() {
            return set;
        }
        let nodes = set.nodes.into_iter().map(|spot| self.right(&spot).unwrap_or(spot));
        Set { nodes: nodes.collect(), ..set }
    }

    /// What fits, with the places of today; none where it is right.
    pub fn right_choice(&self, choice: &Choice) -> Option<Arc<Choice>> {
        if !choice.candidates.iter().any(|candidate| self.right(&candidate.spot).is_some()) {
            return None;
        }
        let candidates = choice.candidates.iter().map(|candidate| Candidate {
            spot: self.right(&candidate.spot).unwrap_or_else(|| candidate.spot.clone()),
            same: candidate.same.clone(),
        });
        Some(Arc::new(Choice { candidates: candidates.collect(), ..choice.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::{id::RunId, time::Time};

    use super::*;

    fn id(number: u64) -> ResourceId {
        ResourceId::from_number(number)
    }

    /// `/a/b` of the nodes 1 and 2.
    fn spot(path: &str, ids: &[u64]) -> Spot {
        let (node, above) = ids.split_last().unwrap();
        let above = std::iter::once(ResourceId::root()).chain(above.iter().copied().map(id));
        Spot { node: id(*node), path: path.to_owned(), above: above.collect() }
    }

    fn moved(from: Spot, to: Spot) -> Moved {
        Moved { from, to }
    }

    #[test]
    fn what_was_looked_up_before_a_move_is_put_right_after_it() {
        let mut book = Book::default();
        let device = spot("/tb1/r1/p1", &[1, 3, 5]);
        assert_eq!(book.right(&device), None);
        book.replace(&[moved(spot("/tb1/r1", &[1, 3]), spot("/tb2/r1", &[2, 3]))]);
        assert_eq!(book.right(&device), Some(spot("/tb2/r1/p1", &[2, 3, 5])));
        // The rack around it is renamed, and put into a room.
        book.replace(&[moved(spot("/tb2", &[2]), spot("/rack2", &[2]))]);
        assert_eq!(book.right(&device), Some(spot("/rack2/r1/p1", &[2, 3, 5])));
        book.replace(&[moved(spot("/rack2", &[2]), spot("/cluj/rack2", &[9, 2]))]);
        assert_eq!(book.right(&device), Some(spot("/cluj/rack2/r1/p1", &[9, 2, 3, 5])));
        assert_eq!(book.right(&spot("/tb2/r4", &[2, 4])), Some(spot("/cluj/rack2/r4", &[9, 2, 4])));
        // And what is right is.
        assert_eq!(book.right(&spot("/cluj/rack2/r1", &[9, 2, 3])), None);
        assert_eq!(book.right(&spot("/tb1/r7", &[1, 7])), None);
        book.replace(&[moved(spot("/cluj/rack2/r1", &[9, 2, 3]), spot("/tb1/r1", &[1, 3]))]);
        assert_eq!(book.right(&device), None);
    }

    #[test]
    fn a_lease_has_the_new_name_of_its_node_and_stands_in_the_way_there() {
        let mut book = Book::default();
        let own = Leased::Set(Set::of(&spot("/tb1/r1", &[1, 3])));
        let lease = book.give(Time(1), RunId(1), own, None);
        assert!(matches!(book.concerned(&spot("/tb1", &[1])), Some(Concern::Lease(_))));
        book.take_rows();
        book.replace(&[moved(spot("/tb1", &[1]), spot("/old", &[1]))]);
        assert_eq!(book.lease(lease).unwrap().what.to_string(), "/old/r1");
        assert_eq!(book.take_rows().len(), 1);
        // Whoever is not there yet was looked up under the old name.
        assert_eq!(book.holding(&Set::of(&spot("/tb1", &[1]))).count(), 1);
        assert_eq!(book.check(), Ok(()));
        assert_eq!(book.concerned(&spot("/tb9", &[9])), None);
    }
}
