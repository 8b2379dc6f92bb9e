//! Leases or waiters by the nodes they are for, so that a decision looks at those it concerns and at no others.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::id::{EpName, SutName};

use super::lease::{Leased, Set, Spot};
use crate::node::ResourceId;

/// Keys of one kind, by what they are for; and for each node, the nodes below it that have any.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Index<K> {
    nodes: BTreeMap<ResourceId, BTreeSet<K>>,
    below: BTreeMap<ResourceId, BTreeSet<ResourceId>>,
    suts: BTreeMap<SutName, BTreeSet<K>>,
    lanes: BTreeMap<(EpName, u16), BTreeSet<K>>,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { nodes: BTreeMap::new(), below: BTreeMap::new(), suts: BTreeMap::new(), lanes: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> Index<K> {
    pub(crate) fn insert(&mut self, what: &Leased, key: K) {
        match what {
            Leased::Lane(ep, lane) => {
                self.lanes.entry((ep.clone(), *lane)).or_default().insert(key);
            }
            Leased::Set(set) => self.insert_set(set, key),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "most keys are numbers")]
    pub(crate) fn insert_set(&mut self, set: &Set, key: K) {
        for sut in &set.suts {
            self.suts.entry(sut.clone()).or_default().insert(key.clone());
        }
        for Spot { node, above, .. } in &set.nodes {
            self.nodes.entry(node.clone()).or_default().insert(key.clone());
            for above in above {
                self.below.entry(above.clone()).or_default().insert(node.clone());
            }
        }
    }

    pub(crate) fn remove(&mut self, what: &Leased, key: K) {
        match what {
            Leased::Lane(ep, lane) => take_out(&mut self.lanes, &(ep.clone(), *lane), &key),
            Leased::Set(set) => self.remove_set(set, key),
        }
    }

    pub(crate) fn remove_set(&mut self, set: &Set, key: K) {
        set.suts.iter().for_each(|sut| take_out(&mut self.suts, sut, &key));
        for Spot { node, above, .. } in &set.nodes {
            take_out(&mut self.nodes, node, &key);
            if !self.nodes.contains_key(node) {
                above.iter().for_each(|above| take_out(&mut self.below, above, node));
            }
        }
    }

    /// The nodes below a node that have any keys.
    pub(crate) fn below<'a>(
        &'a self,
        node: &ResourceId,
    ) -> impl Iterator<Item = &'a ResourceId> + use<'a, K> {
        self.below.get(node).into_iter().flatten()
    }

    /// The lists of all that is at, above or below something of the set; a key may be in several.
    pub(crate) fn touching<'a>(&'a self, set: &'a Set) -> impl Iterator<Item = &'a BTreeSet<K>> {
        let suts = set.suts.iter().filter_map(|sut| self.suts.get(sut));
        let nodes = set.nodes.iter().flat_map(|Spot { node, above, .. }| {
            let below = self.below.get(node).into_iter().flatten();
            std::iter::once(node).chain(above).chain(below).filter_map(|node| self.nodes.get(node))
        });
        suts.chain(nodes)
    }
}

fn take_out<M: Ord, K: Ord>(map: &mut BTreeMap<M, BTreeSet<K>>, from: &M, key: &K) {
    if let Some(keys) = map.get_mut(from) {
        keys.remove(key);
        if keys.is_empty() {
            map.remove(from);
        }
    }
}
