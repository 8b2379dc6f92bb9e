//! What the engine says, one function each.

use std::sync::Arc;

use jackfield_protocol::{
    id::{AttemptId, Epoch},
    link::{Assignment, EngineToEp, EpToEngine},
    verdict::Outcome,
};

use super::Daemon;
use crate::{clock, console, event::End, modules, power};

/// Tests of each lane whose files are fetched ahead of time.
const AHEAD: usize = 8;

impl Daemon {
    pub(super) fn link_heard(&mut self, epoch: Epoch, message: EngineToEp) {
        if self.link.epoch != Some(epoch) {
            return;
        }
        self.link.heard = Some(clock::moment());
        match message {
            EngineToEp::OpenRun(context) => self.open_run(*context),
            EngineToEp::Assign(order) => self.assign(*order),
            EngineToEp::TakeBack { attempts } => self.take_back(&attempts),
            EngineToEp::Stop { attempts, outcome } => self.stop(&attempts, &outcome),
            EngineToEp::RunScript(order) => self.run_script(*order),
            EngineToEp::StopScript { run, hook, outcome } => self.stop_script((run, hook), outcome),
            EngineToEp::CloseRun { run } => self.close_run(run),
            EngineToEp::Ack { seq } => self.spool.acked(seq),
            EngineToEp::Answer { id, result } => self.calls.answered(id, result),
            EngineToEp::AskSessions { id } => {
                let sessions = self.station.sessions.open_sessions();
                self.say(EpToEngine::Sessions { id, sessions });
            }
            EngineToEp::AskModules { id, modules } => {
                self.tasks.spawn(modules::answer(
                    Arc::clone(&self.station),
                    id,
                    modules,
                    self.events.clone(),
                ));
            }
            EngineToEp::OpenConsole(order) => {
                self.tasks.spawn(console::serve(Arc::clone(&self.station), *order));
            }
            EngineToEp::Power(order) => {
                let programs = self.station.programs();
                self.tasks.spawn(power::carry_out(*order, programs, self.events.clone()));
            }
            EngineToEp::Heartbeat => {}
            // Said once at the beginning of a connection, and to others than the daemon.
            EngineToEp::Welcome(_) | EngineToEp::Refused(_) | EngineToEp::LogStored { .. } => {}
        }
    }

    fn assign(&mut self, order: Assignment) {
        self.jobs.assign(Arc::new(order));
        self.prefetch();
    }

    /// Fetches what the next tests need while others run.
    pub(super) fn prefetch(&self) {
        let libraries = self.jobs.ahead(AHEAD).filter_map(|order| {
            let context = &self.runs.get(&order.attempt.run)?.context;
            let named = order.test.libraries.iter().filter_map(|name| context.libraries.get(name));
            Some(named.flat_map(|library| library.files.values().copied()))
        });
        self.station.blobs.prefetch(libraries.flatten());
        let tests = self.jobs.ahead(AHEAD).map(|order| &order.test);
        let hashes =
            tests.flat_map(|test| test.content.into_iter().chain(test.configs.iter().map(|(_, hash)| *hash)));
        self.station.blobs.prefetch(hashes);
    }

    fn take_back(&mut self, attempts: &[AttemptId]) {
        let removed = self.jobs.remove(attempts);
        for attempt in removed.current {
            // One that prepares says itself whether it could still be given back.
            if !self.jobs.is_started(attempt) {
                self.end(attempt, End::TakenBack);
            }
        }
        let attempts = removed.queued.iter().map(|order| order.attempt).collect();
        self.say(EpToEngine::Returned { attempts });
    }

    fn stop(&mut self, attempts: &[AttemptId], outcome: &Outcome) {
        let removed = self.jobs.remove(attempts);
        let past = attempts.iter().filter(|attempt| self.past.contains_key(attempt)).copied();
        for attempt in removed.current.into_iter().chain(past) {
            self.end(attempt, End::With(outcome.clone()));
        }
        for order in removed.queued {
            self.forbid(&order, outcome.clone());
        }
    }
}
