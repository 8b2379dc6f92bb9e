//! A script around a run that a named EP runs.
//!
//! ```text
//! asked ──EP there──▶ sent ──reported──▶ ended
//!   │                  │ EP away: for as long as the run waits for a lost EP
//!   └──────────────────┴──▶ given up, or stopped: ended without a report
//! ```
//!
//! It needs no lane: it runs beside whatever the EP does. Nothing of this stands in a row: that a script is wanted follows
//! from the run's row and its plan, and how far it is, the EP says when it connects.

use jackfield_protocol::{
    event::{Fact, Hook},
    id::{EpName, Epoch, RunId},
    link::{EngineToEp, HeldScript, ScriptEnded, ScriptOrder},
    plan::HookScript,
    time::Time,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use crate::{Limits, Scheduler, ep::patience, out::Out, run::Run, timer::Due};

/// A script that an EP is to run, and has not reported ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Script {
    pub(crate) hook: Hook,
    pub(crate) ep: EpName,
    /// The EP was told, and may have it.
    pub(crate) sent: bool,
    /// How it is to end, where it was stopped.
    pub(crate) stop: Option<Outcome>,
    /// When the EP is given up.
    pub(crate) lost_at: Option<Time>,
}

impl Run {
    pub(crate) fn hook_script(&self, hook: Hook) -> Option<&HookScript> {
        match hook {
            Hook::Pre => self.plan.options.script_pre.as_ref(),
            Hook::Post => self.plan.options.script_post.as_ref(),
        }
    }

    /// The script that an EP must end before the run goes on, by what stands in rows.
    pub(crate) fn awaited_script(&self) -> Option<(Hook, EpName)> {
        self.row.started?;
        let hook = if !self.pre_is_done() {
            Hook::Pre
        } else if self.post_asked && self.row.post.is_none() && !self.pre_forbids() {
            Hook::Post
        } else {
            return None;
        };
        Some((hook, self.hook_script(hook)?.ep.clone()?))
    }

    fn script_order(&self, script: &Script, limits: &Limits) -> Result<ScriptOrder, Outcome> {
        let Some(HookScript { path, .. }) = self.hook_script(script.hook) else {
            let reason = "the run has no such script";
            return Err(Outcome::not_pass(Verdict::Invalid, Cause::Test, DecidedBy::NoFile, reason));
        };
        let Some(content) = self.plan.files.get(path) else {
            let reason = format!("the {} script `{path}` was not there when the run began", script.hook);
            return Err(Outcome::not_pass(Verdict::Invalid, Cause::Test, DecidedBy::NoFile, reason));
        };
        Ok(ScriptOrder {
            run: self.id(),
            hook: script.hook,
            project: self.plan.project.as_str().into(),
            user: self.plan.user.clone(),
            path: path.clone(),
            content: *content,
            timeout_millis: limits.script_timeout_millis,
            output_bytes: limits.script_output_bytes,
        })
    }
}

impl Scheduler {
    /// A run comes to its script on an EP.
    pub(crate) fn ask_script(&mut self, out: &mut Out, id: RunId, hook: Hook, ep: EpName) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.script = Some(Script { hook, ep, sent: false, stop: None, lost_at: None });
        self.send_script(out, id);
    }

    /// Tells the EP, if it is there; else waits for it.
    fn send_script(&mut self, out: &mut Out, id: RunId) {
        let limits = self.limits;
        let Some(run) = self.runs.get_mut(&id) else { return };
        let Some(script) = run.script.clone() else { return };
        let order = match run.script_order(&script, &limits) {
            Ok(order) => order,
            Err(outcome) => return self.end_script(out, id, outcome, String::new()),
        };
        let Some(ep) = self.bench.eps.get(&script.ep).filter(|ep| ep.is_connected()) else {
            let text = format!("the {} script waits for {}, which is not connected", script.hook, script.ep);
            run.publish(out, Fact::Note { text });
            return self.arm_script(id, out.now);
        };
        if let Some(owner) = ep.row.offer.pool.as_ref().filter(|_| !ep.serves(&run.plan.user)) {
            let reason = format!("{} takes only work of {owner}", script.ep);
            let by = DecidedBy::Pool { owner: owner.clone() };
            let outcome = Outcome::not_pass(Verdict::Invalid, Cause::Lab, by, reason);
            return self.end_script(out, id, outcome, String::new());
        }
        if let Some(script) = &mut run.script {
            script.sent = true;
            self.timers.set(&mut script.lost_at, Due::Script(id), None);
        }
        self.bench.tell(out, &script.ep, EngineToEp::RunScript(Box::new(order)));
    }

    /// Sets when the EP of a script is given up, which is away since then.
    pub(crate) fn arm_script(&mut self, id: RunId, since: Time) {
        let limits = self.limits;
        let whole = limits.silence_millis.saturating_add(limits.grace_millis);
        let Some(run) = self.runs.get_mut(&id) else { return };
        let patience = patience(run, &limits);
        let Some(script) = &mut run.script else { return };
        // What is being stopped waits for nobody for ever.
        let patience = patience.or_else(|| script.stop.is_some().then_some(whole));
        let at = patience.map(|patience| since.plus_millis(patience));
        self.timers.set(&mut script.lost_at, Due::Script(id), at);
    }

    fn end_script(&mut self, out: &mut Out, id: RunId, outcome: Outcome, output: String) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let Some(mut script) = run.script.take() else { return };
        self.timers.set(&mut script.lost_at, Due::Script(id), None);
        self.hook_ended(out, id, script.hook, outcome, output);
    }

    /// An EP reports the end of a script; one that nobody waits for changes nothing.
    pub(crate) fn script_ended(&mut self, out: &mut Out, ep: &EpName, epoch: Epoch, ended: ScriptEnded) {
        let awaited = self.runs.get(&ended.run).and_then(|run| run.script.as_ref());
        let is_it = awaited.is_some_and(|script| script.hook == ended.hook && script.ep == *ep);
        if is_it && self.bench.is_current(ep, epoch) {
            self.end_script(out, ended.run, ended.outcome, ended.output);
        }
    }

    /// The EP of a script did not come, or not come back.
    pub(crate) fn script_lost(&mut self, out: &mut Out, id: RunId) {
        let Some(script) = self.runs.get_mut(&id).and_then(|run| run.script.as_mut()) else { return };
        script.lost_at = None;
        let reason = match script.sent {
            true => format!("{} was lost: it was not heard for too long", script.ep),
            false => format!("{} did not connect in time", script.ep),
        };
        let by = DecidedBy::EpLost { ep: script.ep.clone() };
        let lost = || Outcome::not_pass(Verdict::Aborted, Cause::Lab, by, reason);
        let outcome = script.stop.clone().unwrap_or_else(lost);
        self.end_script(out, id, outcome, String::new());
    }

    /// Ends a script; where its EP is away, the EP has its time to come back and say how it ended.
    pub(crate) fn stop_script(&mut self, out: &mut Out, id: RunId, outcome: Outcome) {
        let Some(script) = self.runs.get_mut(&id).and_then(|run| run.script.as_mut()) else { return };
        if script.stop.is_some() {
            return;
        }
        script.stop = Some(outcome.clone());
        let (hook, ep) = (script.hook, script.ep.clone());
        if !script.sent {
            return self.end_script(out, id, outcome, String::new());
        }
        if self.bench.is_connected(&ep) {
            return self.bench.tell(out, &ep, EngineToEp::StopScript { run: id, hook, outcome });
        }
        if script.lost_at.is_none() {
            let since = self.bench.eps.get(&ep).and_then(|ep| ep.row.gone).unwrap_or(out.now);
            self.arm_script(id, since);
        }
    }

    fn scripts_at(&self, ep: &EpName) -> Vec<RunId> {
        let here = |run: &&Run| run.script.as_ref().is_some_and(|script| script.ep == *ep);
        self.runs.values().filter(here).map(Run::id).collect()
    }

    /// An EP came: scripts that it holds go on, those that it does not know are told, the others there are ended.
    pub(crate) fn scripts_connected(
        &mut self,
        out: &mut Out,
        name: &EpName,
        epoch: Epoch,
        held: &[HeldScript],
        records_lost: bool,
    ) {
        if !self.bench.is_current(name, epoch) {
            return;
        }
        let awaited = self.scripts_at(name);
        for held in held.iter().filter(|held| !held.ended) {
            let script = self.runs.get(&held.run).and_then(|run| run.script.as_ref());
            if !script.is_some_and(|script| script.hook == held.hook && script.ep == *name) {
                let reason = "its run does not wait for it any more";
                let outcome = Outcome::not_pass(Verdict::Aborted, Cause::Lab, DecidedBy::NotWanted, reason);
                let stop = EngineToEp::StopScript { run: held.run, hook: held.hook, outcome };
                self.bench.tell(out, name, stop);
            }
        }
        for id in awaited {
            self.script_connected(out, id, held, records_lost);
        }
    }

    fn script_connected(&mut self, out: &mut Out, id: RunId, held: &[HeldScript], records_lost: bool) {
        let Some(script) = self.runs.get_mut(&id).and_then(|run| run.script.as_mut()) else { return };
        self.timers.set(&mut script.lost_at, Due::Script(id), None);
        let (hook, ep, stop) = (script.hook, script.ep.clone(), script.stop.clone());
        let found = held.iter().find(|held| held.run == id && held.hook == hook);
        let may_have_run = script.sent && records_lost;
        script.sent = found.is_some();
        match (found, stop) {
            (Some(held), Some(outcome)) if !held.ended => {
                self.bench.tell(out, &ep, EngineToEp::StopScript { run: id, hook, outcome });
            }
            (Some(_), _) => {}
            (None, Some(outcome)) => self.end_script(out, id, outcome, String::new()),
            (None, None) if may_have_run => {
                let reason = "the records of its EP were damaged, so whether it ran is not known";
                let outcome = Outcome::not_pass(Verdict::Aborted, Cause::Lab, DecidedBy::EpRestarted, reason);
                self.end_script(out, id, outcome, String::new());
            }
            (None, None) => self.send_script(out, id),
        }
    }

    /// An EP went away.
    pub(crate) fn scripts_gone(&mut self, out: &mut Out, name: &EpName) {
        for id in self.scripts_at(name) {
            self.arm_script(id, out.now);
        }
    }

    /// After a restart: what the rows say is waited for. Its EP has the full time to come and say how far it is.
    pub(crate) fn restore_script(&mut self, now: Time, id: RunId) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let Some((hook, ep)) = run.awaited_script() else { return };
        let stop = run
            .stop_outcomes()
            .filter(|_| hook == Hook::Pre || run.is_ended_at_once())
            .map(|(running, _)| running);
        run.script = Some(Script { hook, ep, sent: true, stop, lost_at: None });
        self.arm_script(id, now);
    }
}
