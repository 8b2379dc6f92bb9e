//! A scheduler from the rows that it wrote: the one way in which an engine starts.
//!
//! Everything that is not in a row follows from rows, or is found again: latches and counts from ended attempts,
//! waits and leases from parts. What an EP was asked to give back is asked again by the same rules. Parts are advanced
//! with the first event, so that whatever that leads to is stored and told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::{
    attempt::AttemptEnd,
    id::{EpName, LeaseId, RunId, SuiteIndex, SutName, TestIndex},
    plan::{OnEpLost, PlannedTest, RunPlan},
    time::Time,
    verdict::{Cause, Verdict},
};
use jackfield_resource_allocator::book::{Book, Ended, Health, Lease, Leased, Spot, Upkeep};

use crate::{
    Limits, Scheduler,
    bench::{Bench, Ep, Thing, Use},
    effect::{AttemptRow, AttemptState, EpRow, PartRow, RunRow},
    event::EpOffer,
    need::Bound,
    part::{Flight, PartKey, Place},
    run::{Run, Stage},
    timer::{Due, Timers},
};

/// Everything the store holds that matters to the future.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// The numbers to go by.
    pub limits: Limits,
    /// Runs that have not ended.
    pub runs: Vec<RestoredRun>,
    /// Every EP that was ever seen.
    pub eps: Vec<EpRow>,
    /// Leases that have not ended, and those that have ended of runs that have not.
    pub leases: Vec<Lease>,
    /// The highest lease number ever given; 0 where the store does not know.
    pub last_lease: LeaseId,
    /// What SUTs link to.
    pub links: BTreeMap<SutName, Arc<[Spot]>>,
    /// Resources that are not fit, or that the lab spoiled a use of.
    pub health: Vec<Health>,
    /// How the lab looks after its resources.
    pub upkeep: Upkeep,
}

/// A run that has not ended, with all its rows, in any order.
#[derive(Clone, Debug)]
pub struct RestoredRun {
    /// As [`crate::effect::Row::Run`] says, with the number of its newest event.
    pub row: RunRow,
    /// As it was accepted.
    pub plan: Arc<RunPlan>,
    /// Tests queued since, each group with the number of its first test.
    pub queued: Vec<(TestIndex, Vec<PlannedTest>)>,
    /// Its parts.
    pub parts: Vec<PartRow>,
    /// Every attempt so far.
    pub attempts: Vec<AttemptRow>,
}

impl Scheduler {
    /// The scheduler as it was when the rows were written, except that no EP is connected: each has the full grace
    /// time from `now` to come back. Its [`Self::deadline`] has passed already: say [`crate::Event::Tick`] at once.
    pub fn restore(now: Time, restored: Restored) -> Self {
        let open: BTreeSet<_> = restored.runs.iter().map(|run| run.row.run).collect();
        let bound = bound(&restored.leases, &open);
        let mut book = Book::restore(now, restored.last_lease, restored.leases).with_health(restored.health);
        book.set_upkeep(restored.upkeep);
        let mut leases = Leases::new(&book);
        let mut scheduler = Self {
            limits: restored.limits,
            runs: BTreeMap::new(),
            bench: Bench { book, bound, links: restored.links, now, ..Bench::default() },
            timers: Timers::default(),
            woken: Default::default(),
        };
        for row in restored.eps {
            scheduler.add_ep(EpRow { gone: Some(now), ..row });
        }
        let mut runs: Vec<_> = restored.runs.into_iter().filter(|run| !run.row.state.is_final()).collect();
        runs.sort_by_key(|run| run.row.run);
        for run in runs {
            scheduler.restore_run(now, run, &mut leases);
        }
        scheduler.end_lost_checks(now);
        // What no part of a run uses is not a run's any more.
        leases.left().for_each(|lease| scheduler.bench.book.end(now, lease, Ended::RunEnd));
        scheduler
    }

    fn add_ep(&mut self, row: EpRow) {
        let ep = Ep {
            row,
            lanes: BTreeMap::new(),
            opened: Default::default(),
            knows: Default::default(),
            notices: Vec::new(),
        };
        self.bench.eps.insert(ep.row.ep.clone(), ep);
    }

    fn restore_run(&mut self, now: Time, restored: RestoredRun, leases: &mut Leases) {
        let RestoredRun { row, plan, mut queued, parts, mut attempts } = restored;
        let id = row.run;
        let mut run = self.new_run(row, plan);
        queued.sort_by_key(|(first, _)| *first);
        for (_, tests) in queued {
            if let Some(suite) = tests.first().map(|test| test.suite) {
                run.add_queued(suite, tests);
            }
        }
        attempts.retain(|row| run.stage(row.attempt.test).is_some());
        attempts.sort_by_key(|row| (row.assigned, run.position(row.attempt.test), row.attempt.attempt));
        attempts.iter().for_each(|row| run.restore_attempt(row));
        self.runs.insert(id, run);
        for part in parts {
            self.restore_part(now, part, leases);
        }
        for row in &attempts {
            self.replay(now, row);
        }
        self.restore_timers(now, id);
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.post_asked =
            run.parts.iter().all(|part| part.ended) && run.row.started.is_some() && run.pre_is_done();
        self.woken.extend(run.parts.iter().filter(|part| !part.ended).map(|part| part.key));
        self.restore_script(now, id);
    }

    fn restore_part(&mut self, now: Time, row: PartRow, leases: &mut Leases) {
        let key = PartKey { run: row.run, part: row.part };
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let reassigns = run.plan.options.on_ep_lost == OnEpLost::Reassign;
        let Some(part) = run.part_mut(key.part) else { return };
        part.ended = row.ended;
        let Some((ep, lane)) = row.place else {
            part.loose = reassigns && part.home.is_some();
            return;
        };
        part.home = Some(ep.clone());
        let book = &mut self.bench.book;
        let lane_lease = leases.lanes.remove(&(key.run, ep.clone(), lane));
        let give = |book: &mut Book| book.give(now, key.run, Leased::Lane(ep.clone(), lane), None);
        let lease = lane_lease.unwrap_or_else(|| give(book));
        part.place = Some(Place { ep: ep.clone(), lane, lease });
        let (suts, needs) = (part.suts.clone(), part.needs.clone());
        for sut in suts {
            let of = (key.run, Thing::Sut(sut.clone()));
            if let Some(held) = self.bench.uses.get_mut(&of) {
                held.parts.insert(key);
                continue;
            }
            let set = self.bench.want(key.run, std::slice::from_ref(&sut), None).set;
            let give = || self.bench.book.give(now, key.run, Leased::Set(set), None);
            let lease = leases.things.remove(&of).unwrap_or_else(give);
            self.bench.uses.insert(of, Use { lease, parts: [key].into() });
        }
        for (suite, _) in needs {
            let of = (key.run, Thing::Needs(suite));
            if let Some(held) = self.bench.uses.get_mut(&of) {
                held.parts.insert(key);
            } else if let Some(lease) = leases.things.remove(&of) {
                self.bench.uses.insert(of, Use { lease, parts: [key].into() });
            }
        }
        if !self.bench.eps.contains_key(&ep) {
            let offer = EpOffer::default();
            self.add_ep(EpRow {
                ep: ep.clone(),
                epoch: Default::default(),
                offer,
                drained: false,
                drained_by: None,
                gone: Some(now),
            });
        }
        if let Some(ep) = self.bench.eps.get_mut(&ep) {
            ep.lanes.insert(lane, key);
        }
    }

    /// What an attempt led to: suites that began, tests that ended.
    fn replay(&mut self, now: Time, row: &AttemptRow) {
        let (id, test) = (row.attempt.run, row.attempt.test);
        let Some(part) = self.runs.get(&id).and_then(|run| run.part_of(test)) else { return };
        if let Some(started) = row.started {
            let since = started.clamp(row.assigned, row.assigned.max(now));
            self.begin_suites(PartKey { run: id, part }, test, since);
        }
        if let Some(AttemptEnd { outcome, .. }) = &row.end {
            let deliberate = outcome.verdict == Verdict::Skipped && outcome.cause == Some(Cause::Person);
            let deliberate = deliberate && row.attempt.attempt == 0;
            self.count_end(id, test, row.attempt.attempt, outcome.verdict, deliberate);
        }
    }

    fn restore_timers(&mut self, now: Time, id: jackfield_protocol::id::RunId) {
        let patience = self.limits.silence_millis.saturating_add(self.limits.grace_millis);
        let Some(run) = self.runs.get_mut(&id) else { return };
        self.timers.arm_run(run);
        let stopped = run.row.stopped.is_some();
        let parts: Vec<_> = run.parts.iter().filter(|part| !part.ended).map(|part| part.key).collect();
        for key in parts {
            let Some(part) = self.runs.get_mut(&id).and_then(|run| run.part_mut(key.part)) else { continue };
            if part.place.is_some() {
                self.arm_loss(key, now);
            } else if stopped && part.home.is_some() {
                self.timers.set(&mut part.lost_at, Due::Lost(key), Some(now.plus_millis(patience)));
            }
            self.recall_again(key);
        }
    }

    /// Whatever was, or would have been, asked back before is not kept when its EP returns with it.
    fn recall_again(&mut self, key: PartKey) {
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let halted = !run.is_open() || run.row.stopped.is_some() || run.has_overtaken(key.part);
        let Some(part) = run.part_mut(key.part) else { return };
        if halted || part.flight.iter().any(|flight| flight.wanted.is_some()) {
            for flight in part.flight.iter_mut().filter(|flight| flight.started.is_none()) {
                flight.recalled = true;
            }
        }
    }
}

impl Run {
    /// The newest attempt of a test decides where it stands; rows come oldest first.
    fn restore_attempt(&mut self, row: &AttemptRow) {
        let test = row.attempt.test;
        let Some(slot) = self.slot_mut(test) else { return };
        if row.attempt.attempt > slot.tries {
            slot.tries = row.attempt.attempt;
            slot.ep = row.ep.clone();
        }
        match row.state {
            AttemptState::Assigned => slot.stage = Stage::Sent,
            AttemptState::Started => slot.stage = Stage::Started,
            // Those that ended are counted one by one afterwards.
            AttemptState::Ended | AttemptState::Returned => {}
        }
        let Some(part) = self.part_of(test).and_then(|part| self.part_mut(part)) else { return };
        if row.attempt.attempt > 0 {
            part.sent = true;
            part.home = row.ep.clone().or(part.home.take());
        }
        if matches!(row.state, AttemptState::Ended | AttemptState::Returned) {
            return;
        }
        let flight = Flight {
            test,
            attempt: row.attempt.attempt,
            assigned: row.assigned,
            started: row.started,
            recalled: false,
            owes: None,
            wanted: row.wanted.clone(),
        };
        part.flight.push(flight);
        let mut flights = std::mem::take(&mut part.flight);
        flights.sort_by_key(|flight| (flight.started.is_none(), self.position(flight.test)));
        if let Some(part) = self.part_of(test).and_then(|part| self.part_mut(part)) {
            part.flight = flights;
        }
    }
}

/// What runs were given for their needs, by what their leases say, also those that are over.
fn bound(leases: &[Lease], open: &BTreeSet<RunId>) -> BTreeMap<(RunId, Option<SuiteIndex>), Bound> {
    let given = |lease: &Lease| {
        let run = lease.holder.run().filter(|run| open.contains(run));
        let (run, set) = run.zip(lease.what.set().cloned())?;
        let bound = Bound { set, given: lease.given.clone() };
        lease.needs.is_some().then_some(((run, lease.suite), bound))
    };
    leases.iter().filter_map(given).collect()
}

/// The leases of runs by what they are for, until it is found who uses them.
struct Leases {
    lanes: BTreeMap<(RunId, EpName, u16), LeaseId>,
    things: BTreeMap<(RunId, Thing), LeaseId>,
}

impl Leases {
    fn new(book: &Book) -> Self {
        let mut leases = Self { lanes: BTreeMap::new(), things: BTreeMap::new() };
        for lease in book.leases() {
            let Some(run) = lease.holder.run() else { continue };
            match &lease.what {
                Leased::Lane(ep, lane) => drop(leases.lanes.insert((run, ep.clone(), *lane), lease.id)),
                Leased::Set(_) if lease.needs.is_some() => {
                    leases.things.insert((run, Thing::Needs(lease.suite)), lease.id);
                }
                Leased::Set(set) => {
                    let things = set.suts.iter().map(|sut| (run, Thing::Sut(sut.clone())));
                    leases.things.extend(things.map(|thing| (thing, lease.id)));
                }
            }
        }
        leases
    }

    fn left(self) -> impl Iterator<Item = LeaseId> {
        self.lanes.into_values().chain(self.things.into_values())
    }
}
