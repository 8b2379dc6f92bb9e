//! EPs come, go and come back.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{
    attempt::AttemptEnd,
    event::Fact,
    id::{AttemptId, EpName, Epoch, RunId, UserName},
    link::{EngineToEp, Held, HeldState},
    plan::OnEpLost,
    time::Time,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use crate::{
    Limits, Scheduler,
    bench::Ep,
    effect::{EpRow, Row},
    event::EpOffer,
    out::Out,
    part::{Owed, Part, PartKey},
    run::Run,
    timer::Due,
};

/// What an EP remembers of what it was given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory<'a> {
    pub(crate) held: &'a [Held],
    /// It may have run more than it holds.
    pub(crate) records_lost: bool,
}

/// An instant that never comes, and that JSON can still carry.
const NEVER: Time = Time(253_402_200_000_000);

impl Scheduler {
    pub(crate) fn ep_connected(
        &mut self,
        out: &mut Out,
        name: EpName,
        epoch: Epoch,
        offer: EpOffer,
        memory: Memory<'_>,
    ) {
        let known = self.bench.eps.get(&name);
        if known.is_some_and(|ep| ep.row.epoch >= epoch) {
            return;
        }
        let was_away = known.is_some_and(|ep| !ep.is_connected());
        let drained = known.is_some_and(|ep| ep.row.drained);
        let drained_by = known.and_then(|ep| ep.row.drained_by.clone());
        let row = EpRow { ep: name.clone(), epoch, offer, drained, drained_by, gone: None };
        out.store(Row::Ep(row.clone()));
        let ep = self.bench.eps.entry(name.clone()).or_insert_with(|| Ep {
            row: row.clone(),
            lanes: BTreeMap::new(),
            opened: BTreeSet::new(),
            knows: BTreeSet::new(),
            notices: Vec::new(),
        });
        ep.row = row;
        ep.opened.clear();
        ep.knows.clear();
        let keys: Vec<_> = ep.lanes.values().copied().collect();
        self.bench.ep_changed(&name);
        let runs: BTreeSet<_> = keys.iter().map(|key| key.run).filter(|_| was_away).collect();
        for run in runs {
            if let Some(run) = self.runs.get_mut(&run) {
                run.publish(out, Fact::EpReturned { ep: name.clone() });
            }
        }
        let mut keep = Vec::new();
        for key in keys {
            self.reconcile(out, key, memory, &mut keep);
        }
        out.effects.welcome = Some(keep);
    }

    /// The EP knows runs that have nothing to do with it any more: they ended, or gave it up, while it was away. What it
    /// keeps for them is void: their sessions, and above all the latches that their tests set.
    pub(crate) fn close_strays(
        &mut self,
        out: &mut Out,
        name: &EpName,
        epoch: Epoch,
        held: &[Held],
        runs: &[RunId],
    ) {
        if !self.bench.is_current(name, epoch) {
            return;
        }
        let known = held.iter().map(|held| held.attempt.run).chain(runs.iter().copied());
        let here = |part: &Part| !part.ended && !part.loose && part.home.as_ref() == Some(name);
        let is_here = |id: &RunId| self.runs.get(id).is_some_and(|run| run.parts.iter().any(here));
        let (here, strays): (BTreeSet<_>, BTreeSet<_>) = known.partition(is_here);
        for run in strays {
            self.bench.tell(out, name, EngineToEp::CloseRun { run });
        }
        if let Some(ep) = self.bench.eps.get_mut(name) {
            ep.knows.extend(here);
        }
    }

    /// Compares what a part sent with what the EP still holds of it.
    fn reconcile(&mut self, out: &mut Out, key: PartKey, memory: Memory<'_>, keep: &mut Vec<AttemptId>) {
        let Memory { held, records_lost } = memory;
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let id = run.id();
        let Some(part) = run.part_mut(key.part) else { return };
        self.timers.set(&mut part.lost_at, Due::Lost(key), None);
        self.woken.insert(key);
        let (mut lost, mut back) = (Vec::new(), Vec::new());
        // Once one of a lane is missing, those behind it may not stay: the order would be broken.
        let mut gap = false;
        for flight in &mut part.flight {
            let attempt = AttemptId { run: id, test: flight.test, attempt: flight.attempt };
            let state = held.iter().find(|held| held.attempt == attempt).map(|held| held.state);
            match state {
                Some(HeldState::Ended | HeldState::Running) => {
                    flight.recalled = false;
                    flight.wanted = None;
                    // What it reports comes next, from its spool.
                    flight.owes = if state == Some(HeldState::Ended) {
                        Some(Owed::End)
                    } else {
                        flight.started.is_none().then_some(Owed::Start)
                    };
                    keep.push(attempt);
                }
                Some(HeldState::Queued) if !gap && !flight.recalled => keep.push(attempt),
                None if flight.started.is_some() || records_lost => lost.push(attempt),
                Some(HeldState::Queued) | None => {
                    gap = true;
                    back.push(attempt);
                }
            }
        }
        for attempt in lost {
            let reason = if records_lost {
                "the records of its EP were damaged, so whether and how far it ran is not known"
            } else {
                "its EP was restarted and knows nothing of it any more"
            };
            let outcome = Outcome::not_pass(Verdict::Aborted, Cause::Lab, DecidedBy::EpRestarted, reason);
            self.close_attempt(out, key, attempt, AttemptEnd::of(outcome));
        }
        for attempt in back {
            self.give_back(out, key, attempt);
        }
        self.stop_running(out, key);
    }

    pub(crate) fn ep_gone(&mut self, out: &mut Out, name: &EpName, epoch: Epoch) {
        if !self.bench.is_current(name, epoch) {
            return;
        }
        let Some(ep) = self.bench.eps.get_mut(name) else { return };
        ep.row.gone = Some(out.now);
        out.store(Row::Ep(ep.row.clone()));
        let keys: Vec<_> = ep.lanes.values().copied().collect();
        self.bench.ep_changed(name);
        let mut told = BTreeSet::new();
        for key in keys {
            self.arm_loss(key, out.now);
            let Some(run) = self.runs.get_mut(&key.run) else { continue };
            if told.insert(key.run) {
                let until = run.part(key.part).and_then(|part| part.lost_at).unwrap_or(NEVER);
                run.publish(out, Fact::EpSilent { ep: name.clone(), until });
            }
        }
        self.scripts_gone(out, name);
    }

    /// Sets when a part gives up its EP, which is away since then.
    pub(crate) fn arm_loss(&mut self, key: PartKey, since: Time) {
        let limits = self.limits;
        let Some(run) = self.runs.get_mut(&key.run) else { return };
        let patience = patience(run, &limits);
        let Some(part) = run.part_mut(key.part) else { return };
        let at = patience.map(|patience| since.plus_millis(patience));
        self.timers.set(&mut part.lost_at, Due::Lost(key), at);
    }

    /// Since when the EP that holds a part is away.
    pub(crate) fn away_since(&self, key: PartKey) -> Option<Time> {
        let place = self.runs.get(&key.run)?.part(key.part)?.place.as_ref()?;
        self.bench.eps.get(&place.ep)?.row.gone
    }

    pub(crate) fn ep_drained(&mut self, out: &mut Out, name: &EpName, drained: bool, by: UserName) {
        let Some(ep) = self.bench.eps.get_mut(name) else { return };
        ep.row.drained = drained;
        ep.row.drained_by = drained.then_some(by);
        out.store(Row::Ep(ep.row.clone()));
        self.bench.ep_changed(name);
    }
}

/// How long a run waits for an EP that went away; none: for ever.
pub(crate) fn patience(run: &Run, limits: &Limits) -> Option<u64> {
    let whole = limits.silence_millis.saturating_add(limits.grace_millis);
    match run.plan.options.on_ep_lost {
        OnEpLost::Abort => Some(limits.silence_millis),
        OnEpLost::WaitThenAbort | OnEpLost::Reassign => Some(whole),
        // A run that is being stopped waits for nobody for ever.
        OnEpLost::Wait => run.stopped().map(|_| whole),
    }
}
