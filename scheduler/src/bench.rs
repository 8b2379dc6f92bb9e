//! What runs share: EPs with their lanes, SUTs, the leases on both, and the parts that wait for them.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{
    id::{EpName, Epoch, LeaseId, RunId, SutName, UserName},
    link::{EngineToEp, Notice},
};

use crate::{
    effect::{EpRow, LeaseRow, Leased, Row, ToEp},
    out::Out,
    part::{Part, PartKey, Place},
};

#[derive(Clone, Debug)]
pub(crate) struct Ep {
    pub(crate) row: EpRow,
    /// The parts on its lanes.
    pub(crate) lanes: BTreeMap<u16, PartKey>,
    /// Runs that were opened on this connection.
    pub(crate) opened: BTreeSet<RunId>,
    /// Runs that it has open, on whatever connection that was said: each is to be closed there in the end.
    pub(crate) knows: BTreeSet<RunId>,
    /// What is wrong with it, as far as it has said.
    pub(crate) notices: Vec<Notice>,
}

impl Ep {
    pub(crate) fn is_connected(&self) -> bool {
        self.row.gone.is_none()
    }

    pub(crate) fn free_lane(&self) -> Option<u16> {
        let free = |lane: &u16| !self.lanes.contains_key(lane);
        (self.is_connected() && !self.row.drained).then(|| (0..self.row.offer.lanes).find(free)).flatten()
    }

    /// Whether it takes work of this user.
    pub(crate) fn serves(&self, user: &UserName) -> bool {
        self.row.offer.pool.as_ref().is_none_or(|owner| owner == user)
    }

    pub(crate) fn fits(&self, user: &UserName, part: &Part) -> bool {
        self.serves(user) && self.carries(part)
    }

    /// Whether it has the labels that a part asks for.
    pub(crate) fn carries(&self, part: &Part) -> bool {
        let labels = &self.row.offer.labels;
        let carries = |(key, value): (_, &std::sync::Arc<str>)| {
            labels.get(key).is_some_and(|found| value.is_empty() || found == value)
        };
        part.labels.iter().all(carries)
    }
}

/// What has become of a lane that a part holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lane {
    There,
    /// Its EP is not connected.
    Away,
    /// Its EP came back with fewer lanes.
    Missing,
}

/// A SUT in use.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SutHold {
    pub(crate) run: RunId,
    pub(crate) lease: LeaseId,
    /// The placed parts of the run that use it.
    pub(crate) parts: BTreeSet<PartKey>,
}

/// Parts that wait, by what they wait for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiters {
    /// All of them.
    pub(crate) all: BTreeSet<PartKey>,
    /// Those that one EP must take.
    pub(crate) bound: BTreeMap<EpName, BTreeSet<PartKey>>,
    /// Those that any EP may take, by class: if the first of a class finds no lane, none of them does.
    pub(crate) open: BTreeMap<(RunId, u32), BTreeSet<PartKey>>,
    /// Those that need a SUT: the earliest run among them gets it next.
    pub(crate) suts: BTreeMap<SutName, BTreeSet<PartKey>>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Bench {
    pub(crate) eps: BTreeMap<EpName, Ep>,
    pub(crate) suts: BTreeMap<SutName, SutHold>,
    pub(crate) last_lease: u64,
    /// EPs with a lane to give.
    pub(crate) free: BTreeSet<EpName>,
    pub(crate) waiters: Waiters,
    /// Placed parts that run nothing because they wait for a test elsewhere.
    pub(crate) lenders: BTreeSet<PartKey>,
    /// Waiting parts that may find a place now.
    pub(crate) news: BTreeSet<PartKey>,
}

impl Bench {
    pub(crate) fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Says something to an EP, if it is connected.
    pub(crate) fn tell(&self, out: &mut Out, ep: &EpName, message: EngineToEp) {
        if let Some(found) = self.eps.get(ep).filter(|found| found.is_connected()) {
            out.effects.send.push(ToEp { ep: ep.clone(), epoch: found.row.epoch, message });
        }
    }

    /// Whether this is the connection the EP speaks on now: the one place where stale connections are dropped.
    pub(crate) fn is_current(&self, ep: &EpName, epoch: Epoch) -> bool {
        self.eps.get(ep).is_some_and(|ep| ep.is_connected() && ep.row.epoch == epoch)
    }

    pub(crate) fn lane(&self, place: &Place) -> Lane {
        match self.eps.get(&place.ep).filter(|ep| ep.is_connected()) {
            None => Lane::Away,
            Some(ep) if place.lane < ep.row.offer.lanes => Lane::There,
            Some(_) => Lane::Missing,
        }
    }

    pub(crate) fn is_connected(&self, ep: &EpName) -> bool {
        self.eps.get(ep).is_some_and(Ep::is_connected)
    }

    /// An EP changed: does it have a lane to give, and who may want it?
    pub(crate) fn ep_changed(&mut self, name: &EpName) {
        let Some(ep) = self.eps.get(name) else { return };
        let free = ep.free_lane().is_some();
        let lends = || ep.lanes.values().any(|key| self.lenders.contains(key));
        let gives = free || (ep.is_connected() && !ep.row.drained && lends());
        if free {
            self.free.insert(name.clone());
        } else {
            self.free.remove(name);
        }
        if !ep.is_connected() || ep.row.drained {
            // What parts for this EP claimed is open to others.
            self.news.extend(self.waiters.suts.values().flatten());
        }
        if !gives {
            return;
        }
        if let Some(bound) = self.waiters.bound.get(name) {
            self.news.extend(bound);
        }
        self.news.extend(self.waiters.open.values().filter_map(BTreeSet::first));
    }

    /// A part waits for a place from now on.
    pub(crate) fn enlist(&mut self, part: &Part) {
        let key = part.key;
        if !self.waiters.all.insert(key) {
            return;
        }
        match part.bound_to() {
            Some(ep) => self.waiters.bound.entry(ep.clone()).or_default().insert(key),
            None => self.waiters.open.entry((key.run, part.class)).or_default().insert(key),
        };
        for sut in &part.suts {
            self.waiters.suts.entry(sut.clone()).or_default().insert(key);
        }
        let first =
            self.waiters.open.get(&(key.run, part.class)).is_none_or(|open| open.first() == Some(&key));
        if part.bound_to().is_some() || first {
            self.news.insert(key);
        }
    }

    /// It does not wait any more.
    pub(crate) fn delist(&mut self, part: &Part) {
        let key = part.key;
        if !self.waiters.all.remove(&key) {
            return;
        }
        self.news.remove(&key);
        match part.bound_to() {
            Some(ep) => take_out(&mut self.waiters.bound, ep, key),
            None => {
                let class = (key.run, part.class);
                take_out(&mut self.waiters.open, &class, key);
                self.news.extend(self.waiters.open.get(&class).and_then(BTreeSet::first));
            }
        }
        for sut in &part.suts {
            take_out(&mut self.waiters.suts, sut, key);
            // Whoever stood behind it may be first now.
            self.news.extend(self.waiters.suts.get(sut).and_then(BTreeSet::first));
        }
    }

    /// Gives a lane and the part's SUTs, all of which are free.
    pub(crate) fn grant(&mut self, out: &mut Out, part: &Part, ep: &EpName, lane: u16) -> Place {
        let key = part.key;
        for sut in &part.suts {
            if let Some(held) = self.suts.get_mut(sut) {
                held.parts.insert(key);
                continue;
            }
            let lease = self.lease(out, Leased::Sut(sut.clone()), key.run);
            self.suts.insert(sut.clone(), SutHold { run: key.run, lease, parts: BTreeSet::from([key]) });
        }
        let lease = self.lease(out, Leased::Lane(ep.clone(), lane), key.run);
        if let Some(found) = self.eps.get_mut(ep) {
            found.lanes.insert(lane, key);
        }
        self.ep_changed(ep);
        Place { ep: ep.clone(), lane, lease }
    }

    fn lease(&mut self, out: &mut Out, what: Leased, run: RunId) -> LeaseId {
        self.last_lease = self.last_lease.saturating_add(1);
        let lease = LeaseId(self.last_lease);
        out.store(Row::Lease(LeaseRow { lease, what, run, since: out.now }));
        lease
    }

    /// Takes lane and SUTs back.
    pub(crate) fn release(&mut self, out: &mut Out, part: &Part, place: &Place) {
        let key = part.key;
        self.lenders.remove(&key);
        out.store(Row::LeaseEnded(place.lease));
        if let Some(ep) = self.eps.get_mut(&place.ep) {
            ep.lanes.remove(&place.lane);
        }
        self.ep_changed(&place.ep);
        for sut in &part.suts {
            let Some(held) = self.suts.get_mut(sut) else { continue };
            held.parts.remove(&key);
            if held.parts.is_empty() {
                out.store(Row::LeaseEnded(held.lease));
                self.suts.remove(sut);
                self.news.extend(self.waiters.suts.get(sut).into_iter().flatten());
            }
        }
    }
}

fn take_out<K: Ord>(map: &mut BTreeMap<K, BTreeSet<PartKey>>, from: &K, key: PartKey) {
    if let Some(keys) = map.get_mut(from) {
        keys.remove(&key);
        if keys.is_empty() {
            map.remove(from);
        }
    }
}
