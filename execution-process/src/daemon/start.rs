//! Starts attempts, and takes them in when they have ended.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    attempt::AttemptEnd,
    id::AttemptId,
    link::{Assignment, Ended, EpToEngine, Held, HeldState, Report, RunContext},
    secret::Secret,
    time::Time,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use tokio::sync::{Mutex, mpsc, watch};

use super::{Active, Daemon, UNACKED_MAX};
use crate::limits::SAID_MAX;
use crate::{
    attempt::{self, Attempt, Finish, left::Left},
    clock,
    event::{End, Guest, Possession},
    job_table::Next,
    library::RunFiles,
    spool::StepsLeft,
};

impl Daemon {
    pub(super) fn start_what_may(&mut self) {
        let now = clock::moment();
        let room = self.spool.trouble().is_none() && self.spool.unacked() < UNACKED_MAX;
        let may_start = room && !self.ending && self.past.is_empty() && self.link.allows_starts(now);
        if self.ending {
            return;
        }
        if room {
            self.start_scripts();
        }
        while let Some(next) = self.jobs.next(now, may_start) {
            match next {
                Next::Start(order) => {
                    self.start(order);
                    self.prefetch();
                }
                Next::Forbidden(order, outcome) => self.forbid(&order, outcome),
            }
        }
    }

    fn start(&mut self, order: Arc<Assignment>) {
        let attempt = order.attempt;
        let Some(run) = self.runs.get(&attempt.run) else {
            let reason = format!("the engine sent no context of run {}", attempt.run);
            self.jobs.left(attempt, clock::moment());
            self.forbid(
                &order,
                Outcome::not_pass(Verdict::Invalid, Cause::Lab, DecidedBy::NotStarted, reason),
            );
            return;
        };
        let (context, files) = (Arc::clone(&run.context), Arc::clone(&run.files));
        let task = self.attempt(&order, &context, &files);
        self.tasks.spawn(attempt::run(task));
    }

    /// An attempt that is on its lane, with all that it needs.
    fn attempt(
        &mut self,
        order: &Arc<Assignment>,
        context: &Arc<RunContext>,
        files: &Arc<Mutex<RunFiles>>,
    ) -> Attempt {
        let attempt = order.attempt;
        let token = blake3::keyed_hash(&self.secret, attempt.to_string().as_bytes()).to_hex();
        let token = Secret::new(token.as_str());
        let (said, inbox) = mpsc::channel(SAID_MAX);
        let (end, ends) = watch::channel(End::Itself);
        self.guests.insert(token.clone(), attempt);
        self.active.insert(attempt, Active { order: Arc::clone(order), said, end, token: token.clone() });
        Attempt {
            order: Arc::clone(order),
            context: Arc::clone(context),
            files: Arc::clone(files),
            station: Arc::clone(&self.station),
            token,
            said: inbox,
            end: ends,
            events: self.events.clone(),
        }
    }

    /// A step test begins: its clean-up is to be done even if this EP does not live to see its end.
    pub(super) fn steps_begun(&mut self, attempt: AttemptId) {
        let Some(order) = self.active.get(&attempt).map(|active| Assignment::clone(&active.order)) else {
            return;
        };
        let Some(run) = self.runs.get(&attempt.run) else { return };
        let context = RunContext::clone(&run.context);
        self.spool.steps(attempt, Box::new(StepsLeft { order, context, learned: BTreeMap::new() }));
    }

    /// Does the clean-up of a step test that an earlier life left; its lane waits for it.
    pub(super) fn finish_left(&mut self, at: Time, steps: StepsLeft) {
        let StepsLeft { order, context, learned } = steps;
        let order = Arc::new(order);
        self.open_run(context);
        let Some(run) = self.runs.get(&order.attempt.run) else { return };
        let (context, files) = (Arc::clone(&run.context), Arc::clone(&run.files));
        self.jobs.resume(Arc::clone(&order));
        let task = self.attempt(&order, &context, &files);
        self.tasks.spawn(attempt::left::finish(task, Left { at, learned }));
    }

    /// Ends a test that is not started.
    pub(super) fn forbid(&mut self, order: &Assignment, outcome: Outcome) {
        self.jobs.raise(order, outcome.verdict);
        self.spool.report(Report::Ended(Box::new(not_run(order.attempt, outcome))));
    }

    pub(super) fn started(&mut self, attempt: AttemptId, at: Time, pid: Option<i32>) {
        self.jobs.started(attempt);
        self.spool.report(Report::Started { attempt, at });
        if let Some(pid) = pid {
            self.spool.process(attempt, pid);
        }
    }

    pub(super) fn finished(&mut self, attempt: AttemptId, finish: Finish) {
        let Some(active) = self.active.remove(&attempt) else { return };
        self.guests.remove(&active.token);
        self.calls.forget(attempt);
        self.jobs.left(attempt, clock::moment());
        match finish {
            Finish::Ended(ended) => {
                self.jobs.raise(&active.order, ended.end.outcome.verdict);
                self.spool.report(Report::Ended(ended));
            }
            Finish::Returned => self.say(EpToEngine::Returned { attempts: vec![attempt] }),
            Finish::Dropped => self.spool.dropped(attempt),
        }
    }

    pub(super) fn possession(&mut self) -> Possession {
        let mut held = self.jobs.held();
        held.extend(self.past.keys().map(|attempt| Held { attempt: *attempt, state: HeldState::Running }));
        held.extend(self.spool.ended().map(|attempt| Held { attempt, state: HeldState::Ended }));
        Possession {
            held,
            runs: self.runs.keys().copied().collect(),
            scripts: self.held_scripts(),
            notices: self.notices.greet(),
            records_lost: self.spool.records_lost(),
        }
    }

    pub(super) fn guest(&self, token: &Secret) -> Option<Guest> {
        let attempt = self.guests.get(token)?;
        let active = self.active.get(attempt)?;
        let run = self.runs.get(&attempt.run)?;
        Some(Guest {
            order: Arc::clone(&active.order),
            context: Arc::clone(&run.context),
            said: active.said.clone(),
        })
    }
}

/// The report of a test that never ran.
pub(super) fn not_run(attempt: AttemptId, outcome: Outcome) -> Ended {
    of_end(attempt, AttemptEnd::of(outcome))
}

/// The report of a test that left no files.
pub(super) fn of_end(attempt: AttemptId, end: AttemptEnd) -> Ended {
    Ended { attempt, at: clock::wall(), end, artifacts: BTreeMap::new() }
}
