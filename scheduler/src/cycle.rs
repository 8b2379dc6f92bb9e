//! Parts that wait for each other: who would wait for ever, and whose wait ends at a part without a lane.
//!
//! Document order on a lane and dependencies across lanes can together form a circle that no validation of
//! dependencies alone sees. It is found when the last part of it begins to wait.

use std::collections::BTreeSet;

use crate::run::Run;

impl Run {
    /// The parts that a part waits for right now; none while its EP has something to do.
    fn waits_on(&self, part: u32) -> BTreeSet<u32> {
        let waiting = self.part(part).filter(|part| !part.ended && part.flight.is_empty());
        let head = waiting.and_then(|part| self.head(part));
        let edges = head.into_iter().flat_map(|(_, test)| self.edges_over(test));
        edges.flat_map(|edge| self.open_tests(edge)).filter_map(|test| self.part_of(test)).collect()
    }

    /// Everything that a part waits for, directly or through others.
    fn reach(&self, part: u32) -> BTreeSet<u32> {
        let mut reached = BTreeSet::new();
        let mut open = vec![part];
        while let Some(next) = open.pop() {
            open.extend(self.waits_on(next).into_iter().filter(|part| reached.insert(*part)));
        }
        reached
    }

    /// Whether a part waits for itself.
    pub(crate) fn in_cycle(&self, part: u32) -> bool {
        self.reach(part).contains(&part)
    }

    /// Whether a part's wait leads to one that has no lane.
    pub(crate) fn waits_for_unplaced(&self, part: u32) -> bool {
        self.reach(part).into_iter().filter_map(|part| self.part(part)).any(|part| part.place.is_none())
    }
}
