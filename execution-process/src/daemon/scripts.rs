//! Scripts around runs: taken in, started beside the lanes, ended, reported.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use jackfield_protocol::{
    event::Hook,
    id::RunId,
    link::{HeldScript, Report, ScriptEnded, ScriptOrder},
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use tokio::sync::watch;

use super::Daemon;
use crate::{
    clock,
    script::{self, Script},
};

/// Which script.
pub(crate) type ScriptKey = (RunId, Hook);

/// What was given to this EP and has not ended.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    /// They wait for the spool to take their beginning.
    queue: VecDeque<Arc<ScriptOrder>>,
    /// They run; here it is said how they are to end.
    active: BTreeMap<ScriptKey, watch::Sender<Option<Outcome>>>,
}

impl Scripts {
    pub(super) fn is_idle(&self) -> bool {
        self.active.is_empty()
    }

    /// Ends every one that runs, and starts none that waits.
    pub(super) fn drop_all(&mut self, outcome: &Outcome) {
        self.queue.clear();
        self.end_all(outcome);
    }

    /// Ends every one that runs.
    pub(super) fn end_all(&self, outcome: &Outcome) {
        self.active.values().for_each(|end| drop(end.send_replace(Some(outcome.clone()))));
    }
}

impl Daemon {
    /// A script that is here already, in whatever state, is not run again.
    pub(super) fn run_script(&mut self, order: ScriptOrder) {
        let key = (order.run, order.hook);
        if !self.held_scripts().iter().any(|held| (held.run, held.hook) == key) {
            self.scripts.queue.push_back(Arc::new(order));
        }
    }

    pub(super) fn stop_script(&mut self, key: ScriptKey, outcome: Outcome) {
        if let Some(end) = self.scripts.active.get(&key) {
            end.send_replace(Some(outcome));
            return;
        }
        let before = self.scripts.queue.len();
        self.scripts.queue.retain(|order| (order.run, order.hook) != key);
        if self.scripts.queue.len() < before {
            self.report_script(key, outcome, 0);
        }
    }

    /// Starts what waits: its beginning stands in the spool first, so that a later life of this EP knows of it.
    pub(super) fn start_scripts(&mut self) {
        while let Some(order) = self.scripts.queue.pop_front() {
            let key = (order.run, order.hook);
            let (end, ends) = watch::channel(None);
            self.spool.script_begun(key, clock::wall());
            self.scripts.active.insert(key, end);
            self.tasks.spawn(script::run(Script {
                order,
                station: Arc::clone(&self.station),
                end: ends,
                events: self.events.clone(),
            }));
        }
    }

    pub(super) fn script_ended(&mut self, ended: ScriptEnded) {
        if self.scripts.active.remove(&(ended.run, ended.hook)).is_some() {
            self.spool.report(Report::ScriptEnded(Box::new(ended)));
        }
    }

    /// Reports the end of a script that has no process.
    fn report_script(&mut self, (run, hook): ScriptKey, outcome: Outcome, elapsed_millis: u64) {
        let (at, exit_code, output) = (clock::wall(), None, String::new());
        let ended = ScriptEnded { run, hook, at, elapsed_millis, outcome, exit_code, output };
        self.spool.report(Report::ScriptEnded(Box::new(ended)));
    }

    /// Reports the scripts that ran when an earlier life of this EP died.
    pub(super) fn settle_scripts(&mut self) {
        let past: Vec<_> = self.spool.scripts().iter().map(|(key, running)| (*key, running.at)).collect();
        for (key, at) in past {
            let reason = "its execution process died and was started again while it ran";
            let outcome = Outcome::not_pass(Verdict::Aborted, Cause::Lab, DecidedBy::EpRestarted, reason);
            self.report_script(key, outcome, clock::wall().millis_since(at));
        }
    }

    pub(super) fn held_scripts(&self) -> Vec<HeldScript> {
        let queued = self.scripts.queue.iter().map(|order| (order.run, order.hook, false));
        let active = self.scripts.active.keys().map(|(run, hook)| (*run, *hook, false));
        let ended = self.spool.ended_scripts().map(|(run, hook)| (run, hook, true));
        let all = queued.chain(active).chain(ended);
        all.map(|(run, hook, ended)| HeldScript { run, hook, ended }).collect()
    }
}
