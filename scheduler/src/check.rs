//! Every invariant of the scheduler, for the simulation and for a doubtful night. Costs as much as there is state.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{id::TestIndex, verdict::Verdict};
use jackfield_resource_allocator::book::Turn;

use crate::{
    Scheduler,
    bench::Thing,
    part::{Part, PartKey},
    run::{Run, Stage},
    timer::Due,
};

/// Fails with a sentence unless the condition holds.
fn ensure(holds: bool, sentence: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(sentence()) }
}

impl Scheduler {
    /// Whether every invariant holds; else which does not.
    pub fn check(&self) -> Result<(), String> {
        for run in self.runs.values() {
            check_tests(run)?;
            check_suites(run)?;
            for part in &run.parts {
                self.check_part(run, part)?;
            }
            ensure(!run.parts.iter().all(|part| part.ended) || run.post_asked || !run.pre_is_done(), || {
                format!("run {} has nothing left to do and has not ended", run.id())
            })?;
        }
        self.check_scripts()?;
        self.check_lanes()?;
        self.check_suts()?;
        self.check_apart()?;
        self.check_book()?;
        self.check_waiters()?;
        self.check_timers()
    }

    fn check_part(&self, run: &Run, part: &Part) -> Result<(), String> {
        let key = part.key;
        let held: BTreeSet<_> = part.flight.iter().map(|flight| flight.test).collect();
        ensure(held.len() == part.flight.len(), || format!("{key:?} sent a test twice"))?;
        ensure(part.place.is_some() || held.is_empty(), || {
            format!("{key:?} has tests with an EP, but no EP")
        })?;
        ensure(part.flight.len() <= self.limits.send_ahead.max(1), || format!("{key:?} sent too far ahead"))?;
        // A test queued late may stand before one that runs already, so only what waits on the EP is in order.
        let queue = part.flight.iter().filter(|flight| flight.started.is_none() && flight.owes.is_none());
        let order: Vec<_> = queue.map(|flight| run.position(flight.test)).collect();
        ensure(part.held_back() || order.is_sorted(), || format!("{key:?} sent its tests out of order"))?;
        let mut open = false;
        for (position, test) in part.order.iter() {
            let stage = run.stage(test);
            let with_ep = matches!(stage, Some(Stage::Sent | Stage::Started));
            ensure(with_ep == held.contains(&test), || {
                format!("{test} of {key:?}: {stage:?} is not in its flight")
            })?;
            if matches!(stage, Some(Stage::Pending | Stage::Waiting)) {
                open = true;
                ensure(part.cursor.is_some_and(|cursor| cursor <= position), || {
                    format!("{test} of {key:?} was passed over")
                })?;
            }
        }
        let left = open || !held.is_empty() || part.place.is_some();
        ensure(!(part.ended && left), || format!("{key:?} has ended and has something left"))?;
        let looked_at = self.woken.is_empty();
        ensure(part.ended || left || part.place.is_some() || !looked_at, || {
            format!("{key:?} should have ended")
        })
    }

    fn check_scripts(&self) -> Result<(), String> {
        for run in self.runs.values() {
            let open = run.script.as_ref().map(|script| (script.hook, script.ep.clone()));
            ensure(open == run.awaited_script(), || {
                format!("run {} waits for {:?}, and has {open:?}", run.id(), run.awaited_script())
            })?;
            let Some(script) = &run.script else { continue };
            let there = self.bench.is_connected(&script.ep);
            ensure(!there || (script.sent && script.lost_at.is_none()), || {
                format!("{} is there, and {script:?} of run {} waits for it", script.ep, run.id())
            })?;
        }
        Ok(())
    }

    fn check_lanes(&self) -> Result<(), String> {
        let mut placed = BTreeMap::new();
        for part in self.runs.values().flat_map(|run| &run.parts) {
            if let Some(place) = &part.place {
                let lane = (place.ep.clone(), place.lane);
                ensure(placed.insert(lane.clone(), part.key).is_none(), || {
                    format!("lane {lane:?} is held twice")
                })?;
            }
        }
        let lanes: BTreeMap<_, _> = self
            .bench
            .eps
            .iter()
            .flat_map(|(name, ep)| ep.lanes.iter().map(|(lane, key)| ((name.clone(), *lane), *key)))
            .collect();
        ensure(placed == lanes, || format!("parts are on {placed:?}, lanes hold {lanes:?}"))?;
        let free: BTreeSet<_> = self
            .bench
            .eps
            .values()
            .filter(|ep| ep.free_lane().is_some())
            .map(|ep| ep.row.ep.clone())
            .collect();
        ensure(free == self.bench.free, || format!("{free:?} are free, {:?} are listed", self.bench.free))
    }

    fn check_suts(&self) -> Result<(), String> {
        let mut wanted: BTreeMap<_, BTreeSet<PartKey>> = BTreeMap::new();
        for part in self.runs.values().flat_map(|run| &run.parts).filter(|part| part.place.is_some()) {
            let suts = part.suts.iter().map(|sut| Thing::Sut(sut.clone()));
            for thing in suts.chain(part.needs.iter().map(|(suite, _)| Thing::Needs(*suite))) {
                wanted.entry((part.key.run, thing)).or_default().insert(part.key);
            }
        }
        let held: BTreeMap<_, _> =
            self.bench.uses.iter().map(|(of, held)| (of.clone(), held.parts.clone())).collect();
        ensure(wanted == held, || format!("parts use {wanted:?}, leases say {held:?}"))
    }

    /// What a suite of a run was given for its needs is in none of the SUTs that the run has at the same time.
    fn check_apart(&self) -> Result<(), String> {
        let set_of =
            |held: &crate::bench::Use| self.bench.book.lease(held.lease).and_then(|lease| lease.what.set());
        for ((run, thing), held) in &self.bench.uses {
            let (Thing::Needs(Some(_)), Some(set)) = (thing, set_of(held)) else { continue };
            for ((of, other), beside) in &self.bench.uses {
                let is_sut = of == run && matches!(other, Thing::Sut(_));
                let touches = is_sut && set_of(beside).is_some_and(|other| other.touches(set));
                ensure(!touches, || format!("run {run} has {set} twice, for a suite and in {other:?}"))?;
            }
        }
        Ok(())
    }

    /// What runs use is what the book says they hold, and nothing else.
    fn check_book(&self) -> Result<(), String> {
        self.bench.book.check()?;
        let mut used = BTreeMap::new();
        for ((run, thing), held) in &self.bench.uses {
            let named = match thing {
                Thing::Sut(sut) => format!("SUT {sut}"),
                Thing::Needs(suite) => {
                    let bound = self.bench.bound.get(&(*run, *suite));
                    bound.map(|bound| bound.set.to_string()).unwrap_or_default()
                }
            };
            used.insert(held.lease, (*run, named));
        }
        for part in self.runs.values().flat_map(|run| &run.parts) {
            if let Some(place) = &part.place {
                used.insert(place.lease, (part.key.run, format!("a lane of {}", place.ep)));
            }
        }
        let of_runs = self
            .bench
            .book
            .leases()
            .filter_map(|lease| Some((lease.id, (lease.holder.run()?, lease.what.to_string()))));
        let of_runs: BTreeMap<_, _> = of_runs.collect();
        ensure(used == of_runs, || format!("runs use {used:?}, the book says {of_runs:?}"))?;
        for (rank, _) in self.bench.book.waiting() {
            let Turn::Part { run, part } = rank.turn else { continue };
            let key = PartKey { run, part };
            ensure(self.bench.waiters.all.contains(&key), || format!("{key:?} waits in the book only"))?;
        }
        Ok(())
    }

    fn check_waiters(&self) -> Result<(), String> {
        let waiters = &self.bench.waiters;
        let lists = || waiters.bound.values().chain(waiters.open.values()).flatten();
        let listed: BTreeSet<_> = lists().copied().collect();
        ensure(listed == waiters.all && lists().count() == listed.len(), || {
            format!("{:?} wait, {listed:?} are listed", waiters.all)
        })?;
        for key in &waiters.all {
            let part = self.runs.get(&key.run).and_then(|run| run.part(key.part));
            let waits = part.is_some_and(|part| part.place.is_none() && !part.ended);
            ensure(waits, || format!("{key:?} is listed as waiting"))?;
        }
        for key in &self.bench.lenders {
            let part = self.runs.get(&key.run).and_then(|run| run.part(key.part));
            let idle = part.is_some_and(|part| part.place.is_some() && part.flight.is_empty());
            ensure(idle, || format!("{key:?} lends a lane it has not, or uses"))?;
        }
        Ok(())
    }

    /// Each timer is kept by whom it belongs to, and each kept instant is set.
    fn check_timers(&self) -> Result<(), String> {
        let mut kept = 0;
        for run in self.runs.values() {
            let parts = run.parts.iter().filter_map(|part| Some((part.lost_at?, Due::Lost(part.key))));
            let suites = (0..).zip(&run.suites).filter_map(|(index, suite)| {
                Some((suite.limit?, Due::Suite(run.id(), jackfield_protocol::id::SuiteIndex(index))))
            });
            let own = run.limit.map(|at| (at, Due::Run(run.id())));
            let script =
                run.script.as_ref().and_then(|script| Some((script.lost_at?, Due::Script(run.id()))));
            for (at, due) in parts.chain(suites).chain(own).chain(script) {
                kept += 1;
                ensure(self.timers.contains(at, due), || format!("{due:?} at {at} is not set"))?;
            }
        }
        ensure(self.timers.len() == kept, || format!("{} timers are set, {kept} are kept", self.timers.len()))
    }
}

fn check_tests(run: &Run) -> Result<(), String> {
    let mut counts: BTreeMap<Verdict, u32> = BTreeMap::new();
    for test in 0..run.tests() {
        if let Some(Stage::Ended(verdict)) = run.stage(TestIndex(test)) {
            *counts.entry(verdict).or_default() += 1;
        }
    }
    ensure(counts == run.counts, || format!("run {} counts {:?}, its tests {counts:?}", run.id(), run.counts))
}

fn check_suites(run: &Run) -> Result<(), String> {
    let mut left = vec![0_u32; run.suites.len()];
    for test in (0..run.tests()).map(TestIndex) {
        if !matches!(run.stage(test), Some(Stage::Ended(_))) {
            for (suite, _) in run.suites_of(test) {
                if let Some(left) = left.get_mut(crate::run::at(suite.0)) {
                    *left += 1;
                }
            }
        }
    }
    let counted: Vec<_> = run.suites.iter().map(|suite| suite.left).collect();
    ensure(left == counted, || format!("run {}: suites have {left:?} left, not {counted:?}", run.id()))
}
