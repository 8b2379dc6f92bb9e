//! Giving lanes and SUTs to parts that wait: earlier runs first, all that a part needs or nothing.
//!
//! A SUT goes to the earliest run that waits for it and has an EP to use it with, so nobody is overtaken for ever. Nobody waits for ever either: a
//! part that holds a lane but only waits for a test elsewhere lends it to a part of its own or an earlier run, where
//! its own wait leads to a part that has no lane; it comes back to the same EP afterwards.

use std::collections::BTreeSet;

use jackfield_protocol::{
    event::{Fact, RunState},
    id::{EpName, RunId, SutName},
};
use jackfield_resource_allocator::book::{Holder, Lease, Obstacle, Turn, Want, Woken};

use crate::{
    Scheduler,
    bench::{Bench, Ep, Thing},
    blocker,
    effect::Row,
    need::{self, Lacking, Met},
    out::Out,
    part::{Part, PartKey},
    run::Run,
};

/// EPs of others that are named to somebody who waits for one; more would hide the point.
const RESERVED_TOLD_MAX: usize = 3;

/// Where a part can go, and who must go before.
struct Spot {
    ep: EpName,
    lane: u16,
    /// Parts that lend what it needs.
    evict: BTreeSet<PartKey>,
    /// What meets its needs.
    met: Vec<Met>,
}

impl Scheduler {
    /// Places what can be placed of the parts that news concern, in the order of their runs.
    pub(crate) fn place_waiting(&mut self, out: &mut Out) {
        while let Some(key) = self.bench.news.pop_first() {
            self.place(out, key);
        }
    }

    fn place(&mut self, out: &mut Out, key: PartKey) {
        match self.find_spot(key) {
            Some(Ok(spot)) => self.put(out, key, spot),
            Some(Err(waits_for)) => self.say_waits(out, key, waits_for),
            None => {}
        }
    }

    fn put(&mut self, out: &mut Out, key: PartKey, spot: Spot) {
        for evicted in spot.evict {
            self.unplace(out, evicted);
        }
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let Some(part) = run.part_mut(key.part) else { return };
        self.bench.delist(part);
        part.place = Some(self.bench.grant(out, part, (&spot.ep, spot.lane), &spot.met));
        part.home = Some(spot.ep.clone());
        part.loose = false;
        part.waits = None;
        self.timers.set(&mut part.lost_at, crate::timer::Due::Lost(key), None);
        out.store(Row::Part(part.row()));
        let suites = part.suites.clone();
        run.publish(out, Fact::Placed { suites, ep: spot.ep.clone() });
        if let Some(text) = need::told(&spot.met) {
            run.publish(out, Fact::Note { text });
        }
        self.share_needs(key, &spot.met);
        self.tell_notices(out, key, &spot.ep);
        self.begin(out, key.run);
        self.woken.insert(key);
    }

    /// What a part was given for the whole run is not waited for by the others of the run any more.
    fn share_needs(&mut self, key: PartKey, met: &[Met]) {
        if !met.iter().any(|met| met.need.0.is_none()) {
            return;
        }
        let first = PartKey { run: key.run, part: 0 };
        let last = PartKey { run: key.run, part: u32::MAX };
        let others: Vec<_> = self.bench.waiters.all.range(first..=last).copied().collect();
        others.into_iter().for_each(|other| self.queue_again(other));
    }

    /// Takes a part off its lane; it holds nothing there.
    pub(crate) fn unplace(&mut self, out: &mut Out, key: PartKey) {
        let Some(part) = self.runs.get_mut(&key.run).and_then(|run| run.part_mut(key.part)) else { return };
        if let Some(place) = part.place.take() {
            self.bench.release(out, part, &place);
            out.store(Row::Part(part.row()));
        }
        // Where nothing was sent, nothing ties it to the EP.
        if !part.sent {
            part.home = None;
            part.waits = None;
            self.runs.get_mut(&key.run).into_iter().for_each(|run| run.head_waits_no_more(key.part));
        }
        self.woken.insert(key);
    }

    /// A place for a waiting part, or what it waits for; none where it does not wait.
    fn find_spot(&self, key: PartKey) -> Option<Result<Spot, String>> {
        let run = self.runs.get(&key.run)?;
        let part = run.part(key.part)?;
        if !self.bench.waiters.all.contains(&key) || run.row.state == RunState::Paused {
            return None;
        }
        let mut evict = BTreeSet::new();
        for sut in &part.suts {
            if let Err(lacks) = self.find_sut(run, key, sut, &mut evict) {
                return Some(Err(lacks));
            }
        }
        let met = match self.find_needs(run, part, &mut evict) {
            Ok(met) => met,
            Err(Lacking::Unknown) => return None,
            Err(Lacking::Told(lacks)) => return Some(Err(lacks)),
        };
        let spot = self.free_spot(run, part).or_else(|| self.lent_spot(run, part, &evict));
        Some(match spot {
            Some((ep, lane, lender)) => {
                evict.extend(lender);
                Ok(Spot { ep, lane, evict, met })
            }
            None => Err(self.lacks(run, part)),
        })
    }

    /// Whether a part may have a SUT; else what stands in its way, as people say it.
    fn find_sut(
        &self,
        run: &Run,
        key: PartKey,
        sut: &SutName,
        evict: &mut BTreeSet<PartKey>,
    ) -> Result<(), String> {
        let Bench { book, uses, .. } = &self.bench;
        if uses.contains_key(&(key.run, Thing::Sut(sut.clone()))) {
            return Ok(());
        }
        let want = self.bench.want(key.run, std::slice::from_ref(sut), run.plan.options.lease);
        // What another suite of the run was given for its needs is that suite's, until it is done with it.
        for lease in book.own(&want).filter(|lease| lease.needs.is_some() && lease.suite.is_some()) {
            let users: BTreeSet<_> = self.bench.users_of(lease).collect();
            if users.is_empty() || !users.iter().all(|part| self.lends(*part, key)) {
                return Err(format!("SUT {sut}: {}", self.lease_told(lease)));
            }
            evict.extend(users);
        }
        match self.in_the_way(run, key, &want, evict) {
            None => Ok(()),
            Some(Obstacle::Behind(Turn::Part { run, .. })) => Err(held_by_run(sut, run)),
            Some(Obstacle::Behind(turn @ Turn::Ask(_))) => {
                Err(format!("SUT {sut}, which {} waited for before", book.told_turn(turn)))
            }
            Some(Obstacle::Unfit) => Err(format!("SUT {sut}: {}", book.told_unfit(&want))),
            Some(Obstacle::Booked(id) | Obstacle::Held(id)) => {
                Err(book.lease(id).map_or_else(|| format!("SUT {sut}"), |lease| self.told_holder(sut, lease)))
            }
        }
    }

    /// Whether a part may have what it was given before; else who has it, or is before.
    pub(crate) fn find_set(
        &self,
        run: &Run,
        key: PartKey,
        want: &Want,
        evict: &mut BTreeSet<PartKey>,
    ) -> Result<(), String> {
        let book = &self.bench.book;
        // Two suites of one run do not use the same at once either.
        for lease in book.own(want) {
            let users: BTreeSet<_> = self.bench.users_of(lease).collect();
            if users.is_empty() || !users.iter().all(|part| self.lends(*part, key)) {
                return Err(self.lease_told(lease));
            }
            evict.extend(users);
        }
        match self.in_the_way(run, key, want, evict) {
            None => Ok(()),
            Some(Obstacle::Behind(turn)) => Err(format!("{} asked before", book.told_turn(turn))),
            Some(Obstacle::Unfit) => Err(book.told_unfit(want)),
            Some(Obstacle::Booked(id) | Obstacle::Held(id)) => {
                Err(book.lease(id).map(|lease| self.lease_told(lease)).unwrap_or_default())
            }
        }
    }

    /// What stands in the way of a part. Those who lend what it wants do not.
    fn in_the_way(
        &self,
        run: &Run,
        key: PartKey,
        want: &Want,
        evict: &mut BTreeSet<PartKey>,
    ) -> Option<Obstacle> {
        let Bench { book, now, .. } = &self.bench;
        let mut is_lent = false;
        for lease in book.held_by(want) {
            let users: BTreeSet<_> = self.bench.users_of(lease).collect();
            is_lent = !users.is_empty() && users.iter().all(|part| self.lends(*part, key));
            if !is_lent {
                return Some(Obstacle::Held(lease.id));
            }
            evict.extend(users);
        }
        if is_lent {
            return None;
        }
        let rank = Bench::rank(key, run.came);
        book.turn_of_others(*now, want, &rank, &|turn| self.claims(turn))
    }

    /// A SUT that somebody has, as the end of "waits for".
    fn told_holder(&self, sut: &SutName, lease: &Lease) -> String {
        let same = lease.what.set().is_some_and(|set| set.suts.contains(sut));
        match (&lease.holder, same) {
            (Holder::Run(run), true) => held_by_run(sut, *run),
            (Holder::Run(run), false) => {
                format!("SUT {sut}, which has devices of {} in it, which run {run} holds", lease.what)
            }
            (Holder::Person(_) | Holder::Lab(_), _) => {
                format!("SUT {sut}: {} (lease {})", self.bench.book.told(lease), lease.id)
            }
        }
    }

    /// Whether somebody who waits keeps what they wait for from those behind them.
    pub(crate) fn claims(&self, turn: Turn) -> bool {
        match turn {
            Turn::Ask(_) => true,
            Turn::Part { run, part } => self.has_claim(PartKey { run, part }),
        }
    }

    /// Whether a waiting part keeps its SUTs from later runs: not while it has no EP that could run it.
    fn has_claim(&self, key: PartKey) -> bool {
        let Some(run) = self.runs.get(&key.run) else { return false };
        let takes = |ep: &Ep| ep.is_connected() && !ep.row.drained && ep.serves(&run.plan.user);
        run.part(key.part).is_some_and(|part| match part.bound_to() {
            Some(name) => self.bench.eps.get(name).is_some_and(takes),
            None => self.bench.eps.values().any(|ep| takes(ep) && ep.fits(&run.plan.user, part)),
        })
    }

    /// Somebody who waits in the book may have found room there.
    pub(crate) fn take_turn(&mut self, out: &mut Out, woken: Woken) {
        let turn = woken.rank.turn;
        match turn {
            Turn::Ask(id) => {
                // The book asks which parts claim what they wait for, and parts are the scheduler's.
                let mut book = std::mem::take(&mut self.bench.book);
                let begins = book.try_begin(out.now, id, &|turn| self.claims(turn));
                self.bench.book = book;
                if begins {
                    return;
                }
            }
            Turn::Part { run, part } => self.place(out, PartKey { run, part }),
        }
        let claims = self.claims(turn);
        self.bench.book.passed(woken, claims);
    }

    /// A lane that nobody holds: the EP's own, or that of the least busy EP that fits.
    fn free_spot(&self, run: &Run, part: &Part) -> Option<(EpName, u16, Option<PartKey>)> {
        let user = &run.plan.user;
        let found = match part.bound_to() {
            Some(name) => self.bench.eps.get(name).filter(|ep| ep.serves(user)),
            None => {
                let eps = self.bench.free.iter().filter_map(|name| self.bench.eps.get(name));
                eps.filter(|ep| ep.fits(user, part)).min_by_key(|ep| ep.lanes.len())
            }
        };
        found.and_then(|ep| Some((ep.row.ep.clone(), ep.free_lane()?, None)))
    }

    /// A lane whose part lends it.
    fn lent_spot(
        &self,
        run: &Run,
        part: &Part,
        evicted: &BTreeSet<PartKey>,
    ) -> Option<(EpName, u16, Option<PartKey>)> {
        self.bench.lenders.iter().find_map(|lender| {
            let place = self.runs.get(&lender.run)?.part(lender.part)?.place.as_ref()?;
            let ep = self.bench.eps.get(&place.ep).filter(|ep| ep.is_connected() && !ep.row.drained)?;
            let fits = match part.bound_to() {
                Some(name) => *name == place.ep && ep.serves(&run.plan.user),
                None => ep.fits(&run.plan.user, part),
            };
            let lends = fits && (evicted.contains(lender) || self.lends(*lender, part.key));
            lends.then(|| (place.ep.clone(), place.lane, Some(*lender)))
        })
    }

    /// Whether a part lends what it holds to another.
    pub(crate) fn lends(&self, lender: PartKey, to: PartKey) -> bool {
        let waits = self.bench.lenders.contains(&lender) && to.run <= lender.run && to != lender;
        waits && self.runs.get(&lender.run).is_some_and(|run| run.waits_for_unplaced(lender.part))
    }

    /// What a part lacks to be placed, as people say it: `EP-1002, which is not connected`.
    fn lacks(&self, run: &Run, part: &Part) -> String {
        let Some(name) = part.bound_to() else {
            return [blocker::free_ep(part), self.reserved(run, part), self.drained(run, part)].concat();
        };
        let Some(ep) = self.bench.eps.get(name) else { return format!("{name}, which has never connected") };
        if !ep.is_connected() {
            return format!("{name}, which is not connected");
        }
        if let Some(owner) = ep.row.offer.pool.as_ref().filter(|_| !ep.serves(&run.plan.user)) {
            return format!("{name}, which takes only work of {owner}");
        }
        if ep.row.drained {
            return format!("{name}, which is drained{}", undrain(ep));
        }
        let holders: BTreeSet<_> = ep.lanes.values().map(|holder| holder.run.to_string()).collect();
        let holders: Vec<_> = holders.into_iter().collect();
        format!("{name}, which run {} holds", holders.join(" and "))
    }

    /// Where every EP that could run a part takes only the work of others: which ones, as the end of a sentence.
    fn reserved(&self, run: &Run, part: &Part) -> String {
        let user = &run.plan.user;
        let able = || self.bench.eps.values().filter(|ep| ep.is_connected() && ep.carries(part));
        if able().any(|ep| ep.serves(user)) {
            return String::new();
        }
        let of = |ep: &Ep| Some(format!("{} takes only work of {}", ep.row.ep, ep.row.offer.pool.as_ref()?));
        let told: Vec<_> = able().filter_map(of).take(RESERVED_TOLD_MAX).collect();
        if told.is_empty() { String::new() } else { format!(" for {user}: {}", told.join(", ")) }
    }

    /// Where every EP that could run a part takes nothing new: which ones, and what ends that, as the end of a sentence.
    fn drained(&self, run: &Run, part: &Part) -> String {
        let fits = |ep: &&Ep| ep.is_connected() && ep.serves(&run.plan.user) && ep.carries(part);
        let able: Vec<&Ep> = self.bench.eps.values().filter(fits).collect();
        let Some(first) = able.first().filter(|_| able.iter().all(|ep| ep.row.drained)) else {
            return String::new();
        };
        let names: Vec<_> = able.iter().take(RESERVED_TOLD_MAX).map(|ep| ep.row.ep.to_string()).collect();
        let are = if able.len() == 1 { "is" } else { "are" };
        format!(": {} {are} drained{}", names.join(", "), undrain(first))
    }

    /// What a part waits for, if it waits; for people.
    pub(crate) fn part_waits_for(&self, key: PartKey) -> Option<String> {
        let run = self.runs.get(&key.run)?;
        let part = run.part(key.part)?;
        if part.ended || part.place.is_some() {
            return None;
        }
        if run.row.state == RunState::Paused {
            return Some("the run to be resumed".to_owned());
        }
        if !self.bench.waiters.all.contains(&key) {
            let (_, head) = run.head(part)?;
            let (_, on) = run.waits_for(head)?;
            return Some(format!("{} to end", run.title(on)));
        }
        self.find_spot(key)?.err()
    }

    /// Tells what a part waits for, if that is news.
    pub(crate) fn say_waits(&mut self, out: &mut Out, key: PartKey, waits_for: String) {
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let Some(part) = run.part_mut(key.part) else { return };
        if part.waits.as_deref() != Some(waits_for.as_str()) {
            part.waits = Some(waits_for.clone());
            let suites = part.suites.clone();
            run.publish(out, Fact::PartWaits { suites, waits_for });
        }
    }
}

/// Who drained an EP, and how it is given work again, as the end of a sentence.
fn undrain(ep: &Ep) -> String {
    let by = ep.row.drained_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    format!("{by}; `jackfield eps drain {} --undo` lets it take work again", ep.row.ep)
}

fn held_by_run(sut: &SutName, run: RunId) -> String {
    format!("SUT {sut}, which run {run} holds or waits for")
}
