//! What runs share: EPs with their lanes, SUTs, and the parts that wait for them. Who holds what is in the book of leases;
//! here is which parts of a run use what their run holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::{
    id::{EpName, Epoch, LeaseId, RunId, SuiteIndex, SutName, UserName},
    link::{EngineToEp, Notice},
    time::Time,
};
use jackfield_resource_allocator::book::{
    Book, Choice, Ended, Holder, Lease, Leased, Rank, Set, Spot, Turn, Want,
};

use crate::{
    effect::{EpRow, ToEp},
    need::{Bound, Met, Need},
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

/// Something that parts of a run share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing {
    Sut(SutName),
    /// What was given for the needs of a suite, or of the whole run.
    Needs(Option<SuiteIndex>),
}

/// A thing that a run holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Use {
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
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Bench {
    pub(crate) eps: BTreeMap<EpName, Ep>,
    /// Who holds what, and the queue for it.
    pub(crate) book: Book,
    /// What runs hold.
    pub(crate) uses: BTreeMap<(RunId, Thing), Use>,
    /// What runs were given for their needs, whether they hold it now or not.
    pub(crate) bound: BTreeMap<(RunId, Option<SuiteIndex>), Bound>,
    /// What SUTs link to.
    pub(crate) links: BTreeMap<SutName, Arc<[Spot]>>,
    /// What fits needs, by their text.
    pub(crate) choices: BTreeMap<Arc<str>, Arc<Choice>>,
    /// How many parts wait that have these needs.
    pub(crate) needed: BTreeMap<Arc<str>, usize>,
    /// The newest time that was heard of.
    pub(crate) now: Time,
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
            self.book.wake_all();
        }
        if !gives {
            return;
        }
        if let Some(bound) = self.waiters.bound.get(name) {
            self.news.extend(bound);
        }
        self.news.extend(self.waiters.open.values().filter_map(BTreeSet::first));
    }

    /// A part waits for a place from now on; its run came at that time.
    pub(crate) fn enlist(&mut self, part: &Part, came: Time) {
        let key = part.key;
        if !self.waiters.all.insert(key) {
            return;
        }
        match part.bound_to() {
            Some(ep) => self.waiters.bound.entry(ep.clone()).or_default().insert(key),
            None => self.waiters.open.entry((key.run, part.class)).or_default().insert(key),
        };
        self.count_needs(part, true);
        self.queue(part, came);
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
        self.count_needs(part, false);
        match part.bound_to() {
            Some(ep) => take_out(&mut self.waiters.bound, ep, key),
            None => {
                let class = (key.run, part.class);
                take_out(&mut self.waiters.open, &class, key);
                self.news.extend(self.waiters.open.get(&class).and_then(BTreeSet::first));
            }
        }
        self.book.delist(key.run, key.part);
    }

    /// Puts a part into the queue of the book, for the SUTs and for whatever else it needs.
    pub(crate) fn queue(&mut self, part: &Part, came: Time) {
        if part.suts.is_empty() && part.needs.is_empty() {
            return;
        }
        let named = self.want(part.key.run, &part.suts, part.inside);
        let want = Want { set: named.set.with(&self.bound_set(part)), ..named };
        let needs = self.needs_text(part);
        if let Some((text, choice)) = needs.as_ref().zip(self.choice_of(part)) {
            debug_assert_eq!(*text, choice.text);
            self.book.set_choice(choice);
        }
        self.book.enlist(part.key.run, part.key.part, came, want, needs);
    }

    /// What a run wants that needs these SUTs.
    pub(crate) fn want(&self, run: RunId, suts: &[SutName], inside: Option<LeaseId>) -> Want {
        let nodes: BTreeSet<_> = suts
            .iter()
            .filter_map(|sut| self.links.get(sut))
            .flat_map(|spots| spots.iter().cloned())
            .collect();
        let set = Set { suts: suts.iter().cloned().collect(), nodes: nodes.into_iter().collect() };
        Want {
            set,
            holder: Holder::Run(run),
            shared: false,
            inside,
            length: None,
            console: false,
            repairs: false,
        }
    }

    /// The parts of a run that use what a lease is for.
    pub(crate) fn users_of<'a>(&'a self, lease: &'a Lease) -> impl Iterator<Item = PartKey> + use<'a> {
        let held = lease.holder.run().into_iter().flat_map(|run| self.uses_of(run));
        held.filter(|held| held.lease == lease.id).flat_map(|held| held.parts.iter().copied())
    }

    /// What a part uses.
    pub(crate) fn leases_of(&self, key: PartKey) -> Vec<LeaseId> {
        let used = self.uses_of(key.run).filter(|held| held.parts.contains(&key));
        used.map(|held| held.lease).collect()
    }

    fn uses_of(&self, run: RunId) -> impl Iterator<Item = &Use> {
        let first = (run, Thing::Sut("".into()));
        self.uses.range(first..).take_while(move |((of, _), _)| *of == run).map(|(_, held)| held)
    }

    /// The place of a part in the queue of the book.
    pub(crate) fn rank(key: PartKey, came: Time) -> Rank {
        Rank::new(0, came, Turn::Part { run: key.run, part: key.part })
    }

    /// Gives a lane, the part's SUTs and what meets its needs, all of which is free.
    pub(crate) fn grant(&mut self, out: &Out, part: &Part, (ep, lane): (&EpName, u16), met: &[Met]) -> Place {
        let key = part.key;
        for sut in &part.suts {
            if self.uses_more(key, Thing::Sut(sut.clone())) {
                continue;
            }
            let set = self.want(key.run, std::slice::from_ref(sut), None).set;
            let lease = self.book.give(out.now, key.run, Leased::Set(set), part.inside);
            self.uses.insert((key.run, Thing::Sut(sut.clone())), Use { lease, parts: BTreeSet::from([key]) });
        }
        for need in &part.needs {
            self.grant_need(out, part, need, met);
        }
        let lease = self.book.give(out.now, key.run, Leased::Lane(ep.clone(), lane), None);
        if let Some(found) = self.eps.get_mut(ep) {
            found.lanes.insert(lane, key);
        }
        self.ep_changed(ep);
        Place { ep: ep.clone(), lane, lease }
    }

    /// What meets a need of a part: what its run has, what was found for it, or what it had before a part that lent its lane
    /// gave that back.
    fn grant_need(&mut self, out: &Out, part: &Part, need: &Need, met: &[Met]) {
        let (key, (suite, text)) = (part.key, need);
        if self.uses_more(key, Thing::Needs(*suite)) {
            return;
        }
        let found = met.iter().find(|met| met.need == *need);
        let found = found.map(|Met { set, given, .. }| Bound { set: set.clone(), given: given.clone() });
        let before = || self.bound.get(&(key.run, *suite)).cloned();
        let Some(bound) = found.or_else(before) else { return };
        let needs = Some((*suite, Arc::clone(text), bound.given.clone()));
        let what = Leased::Set(bound.set.clone());
        let lease = self.book.give_for(out.now, key.run, what, part.inside, needs);
        self.uses.insert((key.run, Thing::Needs(*suite)), Use { lease, parts: BTreeSet::from([key]) });
        self.bound.insert((key.run, *suite), bound);
    }

    /// A part uses what its run has, if it has it.
    fn uses_more(&mut self, key: PartKey, thing: Thing) -> bool {
        let held = self.uses.get_mut(&(key.run, thing));
        held.map(|held| held.parts.insert(key)).is_some()
    }

    /// Takes lane, SUTs and everything else back.
    pub(crate) fn release(&mut self, out: &Out, part: &Part, place: &Place) {
        let key = part.key;
        self.lenders.remove(&key);
        self.book.end(out.now, place.lease, Ended::RunEnd);
        if let Some(ep) = self.eps.get_mut(&place.ep) {
            ep.lanes.remove(&place.lane);
        }
        self.ep_changed(&place.ep);
        let suts = part.suts.iter().map(|sut| Thing::Sut(sut.clone()));
        for thing in suts.chain(part.needs.iter().map(|(suite, _)| Thing::Needs(*suite))) {
            let of = (key.run, thing);
            let Some(held) = self.uses.get_mut(&of) else { continue };
            held.parts.remove(&key);
            if held.parts.is_empty() {
                self.book.end(out.now, held.lease, Ended::RunEnd);
                self.uses.remove(&of);
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
