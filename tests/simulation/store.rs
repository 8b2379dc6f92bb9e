//! The rows as a store keeps them, and what a store would refuse.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    event::{Hook, RunState},
    id::{AttemptId, EpName, LeaseId, RunId, SutName, TestIndex},
    plan::{PlannedTest, RunPlan},
};
use jackfield_resource_allocator::{
    ResourceId,
    book::{Health, Lease, Leased, Spot, Upkeep},
};
use jackfield_scheduler::{
    Limits, Restored, RestoredRun,
    effect::{AttemptRow, AttemptState, EpRow, Job, PartRow, Row, RunRow, StopCause},
};

#[derive(Default)]
pub(crate) struct Store {
    plans: BTreeMap<RunId, Arc<RunPlan>>,
    pub(crate) runs: BTreeMap<RunId, RunRow>,
    queued: BTreeMap<(RunId, TestIndex), Vec<PlannedTest>>,
    pub(crate) parts: BTreeMap<(RunId, u32), PartRow>,
    pub(crate) attempts: BTreeMap<AttemptId, AttemptRow>,
    leases: BTreeMap<LeaseId, Lease>,
    /// Those that are over, of what runs were given for their needs.
    given: BTreeMap<LeaseId, Lease>,
    health: BTreeMap<ResourceId, Health>,
    eps: BTreeMap<EpName, EpRow>,
    last_lease: LeaseId,
    pub(crate) hooks: BTreeMap<(RunId, bool), u32>,
    pub(crate) finished: BTreeMap<RunId, u32>,
}

impl Store {
    pub(crate) fn write(&mut self, row: Row) -> Result<(), String> {
        match row {
            Row::Plan { run, plan } => match self.plans.insert(run, plan) {
                None => Ok(()),
                Some(_) => Err(format!("the plan of run {run} was written twice")),
            },
            Row::Run(row) => self.write_run(row),
            Row::Queued { run, first, tests } => match self.queued.insert((run, first), tests) {
                None => Ok(()),
                Some(_) => Err(format!("tests of run {run} were queued under number {first} twice")),
            },
            Row::Part(row) => {
                self.parts.insert((row.run, row.part), row);
                Ok(())
            }
            Row::Attempt(row) => self.write_attempt(*row),
            Row::Lease(row) => self.write_lease(*row),
            Row::Health(row) => {
                let node = row.spot.node.clone();
                if row.is_sound() {
                    self.health.remove(&node);
                } else {
                    self.health.insert(node, *row);
                }
                Ok(())
            }
            Row::Ep(row) => {
                self.eps.insert(row.ep.clone(), row);
                Ok(())
            }
        }
    }

    fn write_run(&mut self, row: RunRow) -> Result<(), String> {
        let before = self.runs.insert(row.run, row.clone());
        let Some(before) = before else { return Ok(()) };
        if before.state.is_final() {
            return Err(format!("run {} was written after its end", row.run));
        }
        let stopped = |row: &RunRow| row.stopped.clone().map(|cause| StopCause { at_once: None, ..cause });
        let at_once = |row: &RunRow| row.stopped.as_ref().and_then(|cause| cause.at_once.clone());
        let never = before.started > row.started
            || (before.stopped.is_some() && stopped(&before) != stopped(&row))
            || (at_once(&before).is_some() && at_once(&before) != at_once(&row));
        if never || before.seq > row.seq || row.state == RunState::Queued && before.started.is_some() {
            return Err(format!("run {} went back from {before:?} to {row:?}", row.run));
        }
        Ok(())
    }

    fn write_attempt(&mut self, row: AttemptRow) -> Result<(), String> {
        let attempt = row.attempt;
        let of_test = AttemptId { attempt: 0, ..attempt }..=AttemptId { attempt: u16::MAX, ..attempt };
        for (other, other_row) in self.attempts.range(of_test) {
            let live = matches!(other_row.state, AttemptState::Assigned | AttemptState::Started);
            if other_row.state == AttemptState::Ended {
                return Err(format!("{attempt} is written as {row:?}, but {other} gave the verdict"));
            }
            if *other != attempt && live {
                return Err(format!("{attempt} is written while {other} is under way"));
            }
            if *other == attempt && other_row.state == AttemptState::Returned {
                return Err(format!("{attempt} was returned and is written again as {:?}", row.state));
            }
        }
        if row.state == AttemptState::Ended && row.end.is_none() {
            return Err(format!("{attempt} ended without outcome"));
        }
        self.attempts.insert(attempt, row);
        Ok(())
    }

    fn write_lease(&mut self, row: Lease) -> Result<(), String> {
        let known = self.leases.contains_key(&row.id);
        if !known && row.id <= self.last_lease {
            return Err(format!("lease {} was numbered twice, or is written after its end", row.id));
        }
        self.last_lease = self.last_lease.max(row.id);
        if row.is_over() {
            self.leases.remove(&row.id);
            if row.needs.is_some() && row.holder.run().is_some() {
                self.given.insert(row.id, row);
            }
            return Ok(());
        }
        if let Some(held) = self.leases.values().find(|held| row.holds() && keeps_out(held, &row)) {
            return Err(format!("{:?} is leased to {} and again to {}", row.what, held.holder, row.holder));
        }
        self.leases.insert(row.id, row);
        Ok(())
    }

    /// The run that a lane is leased to.
    pub(crate) fn lane_holder(&self, ep: &EpName, lane: u16) -> Option<RunId> {
        let lane = Leased::Lane(ep.clone(), lane);
        self.leases.values().find(|lease| lease.what == lane)?.holder.run()
    }

    /// The run that a SUT is leased to.
    pub(crate) fn sut_holder(&self, sut: &SutName) -> Option<RunId> {
        let has =
            |lease: &&Lease| lease.holds() && lease.what.set().is_some_and(|set| set.suts.contains(sut));
        self.leases.values().find(has)?.holder.run()
    }

    /// The run that has a device for what it needs.
    pub(crate) fn need_holder(&self, path: &str) -> Option<RunId> {
        let has = |lease: &&Lease| lease.holds() && lease.given.values().flatten().any(|given| given == path);
        self.leases.values().find(has)?.holder.run()
    }

    pub(crate) fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.values()
    }

    /// Leases that runs have.
    pub(crate) fn of_runs(&self) -> usize {
        self.leases.values().filter(|lease| lease.holder.run().is_some()).count()
    }

    pub(crate) fn health(&self) -> impl Iterator<Item = &Health> {
        self.health.values()
    }

    pub(crate) fn enqueue(&mut self, job: &Job) {
        match job {
            Job::RunHook { run, hook, .. } => {
                *self.hooks.entry((*run, *hook == Hook::Post)).or_default() += 1
            }
            Job::FinishRun { run } => *self.finished.entry(*run).or_default() += 1,
        }
    }

    pub(crate) fn restored(
        &self,
        limits: Limits,
        (links, upkeep): (BTreeMap<SutName, Arc<[Spot]>>, Upkeep),
    ) -> Restored {
        let live = |run: &RunId| self.runs.get(run).is_some_and(|row| !row.state.is_final());
        let runs = self.plans.iter().filter(|(run, _)| live(run)).map(|(run, plan)| RestoredRun {
            row: self.runs[run].clone(),
            plan: Arc::clone(plan),
            queued: self
                .queued
                .iter()
                .filter(|((of, _), _)| of == run)
                .map(|((_, first), tests)| (*first, tests.clone()))
                .collect(),
            parts: self.parts.values().filter(|row| row.run == *run).cloned().collect(),
            attempts: self.attempts.values().filter(|row| row.attempt.run == *run).cloned().collect(),
        });
        Restored {
            limits,
            runs: runs.collect(),
            eps: self.eps.values().cloned().collect(),
            leases: self.given.values().chain(self.leases.values()).cloned().collect(),
            last_lease: self.last_lease,
            links,
            health: self.health.values().cloned().collect(),
            upkeep,
        }
    }
}

/// Two that hold the same, told without the book's own rules: no lane and no node is for two, unless one run has both.
fn keeps_out(held: &Lease, row: &Lease) -> bool {
    let one_run = held.holder.run().is_some() && held.holder.run() == row.holder.run();
    if held.id == row.id || one_run || !held.holds() {
        return false;
    }
    match (&held.what, &row.what) {
        (Leased::Set(one), Leased::Set(other)) => {
            let shared = held.shared && row.shared;
            let suts = one.suts.iter().any(|sut| other.suts.contains(sut));
            let nodes = one.nodes.iter().any(|spot| {
                other.nodes.iter().any(|other| {
                    spot.node == other.node
                        || spot.above.contains(&other.node)
                        || other.above.contains(&spot.node)
                })
            });
            !shared && (suts || nodes)
        }
        (one, other) => one == other,
    }
}
