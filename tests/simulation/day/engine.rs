//! The engine of the day: its scheduler and store, and everything that must hold whenever something is carried out.

use std::collections::BTreeSet;

use jackfield_protocol::{
    event::{Fact, RunState},
    id::{AttemptId, EpName, Epoch},
    link::{EngineToEp, Held, HeldState, Welcome},
};
use jackfield_scheduler::{
    Effects, Event,
    effect::{AttemptState, Job},
};

use super::{CHECKED_EVERY, Day, Happening};
use crate::lab::SILENCE;

impl Day {
    /// One event for the engine, and all that it leads to.
    pub(super) fn engine(&mut self, event: Event) -> Result<(), String> {
        let told = format!("{event:?}");
        if self.loud {
            println!("{} << {told}", self.now);
        }
        let connected = if let Event::EpConnected { ep, held, .. } = &event {
            Some((ep.clone(), held.clone()))
        } else {
            None
        };
        let effects = self.scheduler.handle(self.engine_time(), event);
        self.carry_out(effects, connected)
            .and_then(|()| self.check())
            .map_err(|sentence| format!("{sentence}\n  after {told}"))
    }

    /// A replayed day is checked after every event, others now and then.
    pub(super) fn check(&mut self) -> Result<(), String> {
        self.events += 1;
        if !self.loud && !self.events.is_multiple_of(CHECKED_EVERY) {
            return Ok(());
        }
        self.check_rows()?;
        self.scheduler.check()
    }

    pub(super) fn carry_out(
        &mut self,
        mut effects: Effects,
        connected: Option<(EpName, Vec<Held>)>,
    ) -> Result<(), String> {
        std::mem::take(&mut effects.store).into_iter().try_for_each(|row| self.store.write(row))?;
        if let Some((name, held)) = connected {
            let keep = effects.welcome.take().ok_or("a new connection was not welcomed")?;
            self.check_kept(&held, &keep)?;
            self.welcome(&name, keep);
        }
        self.check_stopped(&effects)?;
        // What two deadlines in one step send and take back again was sent before the stop.
        let taken_back: BTreeSet<AttemptId> = effects
            .send
            .iter()
            .filter_map(|sent| {
                let EngineToEp::TakeBack { attempts } = &sent.message else { return None };
                Some(attempts.clone())
            })
            .flatten()
            .collect();
        for sent in effects.send {
            self.check_sent(&sent.ep, &sent.message, &taken_back)?;
            let Some(ep) = self.eps.iter().position(|ep| ep.name == sent.ep) else { continue };
            let link = self.current.get(&ep).copied();
            let epoch = link.and_then(|link| self.wires.get(&link)).and_then(|wire| wire.epoch);
            if let Some(link) = link.filter(|_| epoch == Some(sent.epoch)) {
                self.tell(ep, link, sent.message);
            }
        }
        for event in &effects.publish {
            if self.loud {
                println!("{} {event:?}", self.now);
            }
            let story = self.stories.get_mut(&event.run).ok_or("an event of a run nobody submitted")?;
            story.hear(event)?;
        }
        for job in effects.enqueue {
            self.store.enqueue(&job);
            if let Job::RunHook { run, hook, .. } = job {
                for _ in 0..=u64::from(self.dice.percent(10)) {
                    let delay = self.dice.below(3_000);
                    self.plan_in(delay, Happening::Hook { run, hook });
                }
            }
        }
        Ok(())
    }

    /// A run that is stopped ends what runs on every EP that it can reach.
    pub(super) fn check_stopped(&self, effects: &Effects) -> Result<(), String> {
        let stopping = effects.publish.iter().filter(|event| matches!(event.fact, Fact::Stopping { .. }));
        for run in stopping.map(|event| event.run) {
            for row in self.store.attempts.values().filter(|row| row.attempt.run == run) {
                let runs = row.state == AttemptState::Started && !self.cleans_up(row.attempt);
                let ep = self.eps.iter().position(|ep| Some(&ep.name) == row.ep.as_ref());
                let near = ep.is_some_and(|ep| self.current.contains_key(&ep));
                // What has ended there, and is not told yet, needs no word.
                let over = ep.is_some_and(|ep| {
                    let held = self.eps[ep].held();
                    held.iter().any(|held| held.attempt == row.attempt && held.state == HeldState::Ended)
                });
                let ends = |message: &EngineToEp| matches!(message, EngineToEp::Stop { attempts, .. } if attempts.contains(&row.attempt));
                let ended = effects.send.iter().any(|sent| ends(&sent.message));
                if runs && near && !over && !ended {
                    return Err(format!("{} runs on in a stopped run", row.attempt));
                }
            }
        }
        Ok(())
    }

    /// Whether a test may run on in a run that is being stopped.
    fn cleans_up(&self, attempt: AttemptId) -> bool {
        let stopped = self.store.runs.get(&attempt.run).and_then(|row| row.stopped.as_ref());
        let at_once = stopped.is_some_and(|cause| cause.at_once.is_some());
        let story = self.stories.get(&attempt.run);
        !at_once && story.is_some_and(|story| story.may_clean_up(attempt.test.0))
    }

    /// What has not been started goes on only in a run that goes on.
    pub(super) fn check_kept(&self, held: &[Held], keep: &[AttemptId]) -> Result<(), String> {
        for held in held.iter().filter(|held| held.state == HeldState::Queued && keep.contains(&held.attempt))
        {
            let state = self.store.runs.get(&held.attempt.run).map(|row| row.state);
            let cleans = self.cleans_up(held.attempt);
            if state != Some(RunState::Running) && !(state == Some(RunState::Stopping) && cleans) {
                return Err(format!("{} was kept while its run is {state:?}", held.attempt));
            }
        }
        Ok(())
    }

    pub(super) fn welcome(&mut self, name: &EpName, keep: Vec<AttemptId>) {
        let Some(ep) = self.eps.iter().position(|ep| ep.name == *name) else { return };
        let Some(link) = self.current.get(&ep).copied() else { return };
        let welcome = Welcome {
            version: 1,
            epoch: Epoch(self.epoch),
            engine: String::new(),
            heartbeat_millis: 1_000,
            silence_millis: SILENCE,
            log_window_bytes: 0,
            acked_seq: self.acked.get(&ep).copied().unwrap_or(0),
            keep,
            life: String::new(),
            foreign: false,
            can: Vec::new(),
        };
        self.tell(ep, link, EngineToEp::Welcome(welcome));
    }

    /// Nothing is sent without the leases for it, to a run that is paused, or against a stop.
    pub(super) fn check_sent(
        &self,
        ep: &EpName,
        message: &EngineToEp,
        taken_back: &BTreeSet<AttemptId>,
    ) -> Result<(), String> {
        let EngineToEp::Assign(assignment) = message else { return Ok(()) };
        let attempt = assignment.attempt;
        let lane = assignment.lane;
        if self.store.lane_holder(ep, lane) != Some(attempt.run) {
            return Err(format!("{attempt} was sent to lane {lane} of {ep}, which is not leased to its run"));
        }
        if let Some(sut) = &assignment.test.sut
            && self.store.sut_holder(sut) != Some(attempt.run)
        {
            return Err(format!("{attempt} was sent, but SUT {sut} is not leased to its run"));
        }
        for path in assignment.test.needs.values().flatten() {
            if self.store.need_holder(path) != Some(attempt.run) {
                return Err(format!("{attempt} was sent, but {path} is not leased to its run"));
            }
        }
        let state = self.store.runs.get(&attempt.run).map(|row| row.state);
        let cleans = self.cleans_up(attempt);
        match state {
            Some(RunState::Running) => Ok(()),
            Some(RunState::Stopping) if cleans || taken_back.contains(&attempt) => Ok(()),
            state => Err(format!("{attempt} was sent while its run is {state:?}")),
        }
    }

    pub(super) fn judge(&self) -> Result<(), String> {
        for (run, story) in &self.stories {
            story.judge(self.seed)?;
            if self.store.finished.get(run) != Some(&1) {
                return Err(format!("run {run} was finished {:?} times", self.store.finished.get(run)));
            }
        }
        if let Some((hook, times)) = self.store.hooks.iter().find(|(_, times)| **times != 1) {
            return Err(format!("the hook {hook:?} (run, post) was asked for {times} times"));
        }
        if let Some(part) = self.store.parts.values().find(|part| !part.ended || part.place.is_some()) {
            return Err(format!("{part:?} outlives its run"));
        }
        if let Some(ep) = self.eps.iter().find(|ep| !ep.known.is_empty()) {
            return Err(format!("{} was never told that the runs {:?} are over", ep.name, ep.known));
        }
        if self.store.of_runs() != 0 {
            return Err(format!("{} leases outlive their runs", self.store.of_runs()));
        }
        Ok(())
    }
}
