//! A run's life as a whole: accepted, begun, ended.

use std::sync::Arc;

use jackfield_protocol::{
    event::{Fact, Hook, RunState},
    id::RunId,
    plan::{HookScript, RunPlan},
};
use jackfield_resource_allocator::ResourceId;

use crate::{
    Scheduler,
    effect::{Job, Row, RunRow},
    health,
    out::Out,
    part::PartKey,
    run::Run,
    timer::Due,
};

impl Scheduler {
    pub(crate) fn submit(&mut self, out: &mut Out, id: RunId, plan: Arc<RunPlan>) {
        if self.runs.contains_key(&id) {
            return;
        }
        let row = RunRow {
            run: id,
            state: RunState::Queued,
            submitted: out.now,
            started: None,
            ended: None,
            stopped: None,
            pauses: Vec::new(),
            pre: None,
            post: None,
            seq: 0,
        };
        out.store(Row::Plan { run: id, plan: Arc::clone(&plan) });
        let mut run = self.new_run(row, plan);
        // The run's row stands before those of its parts; it is written again when its events are numbered.
        out.store(Row::Run(run.row.clone()));
        out.effects.store.extend(run.parts.iter().map(|part| Row::Part(part.row())));
        if let Some(node) = run.plan.options.checks.as_deref().and_then(ResourceId::parse) {
            self.bench.book.check_begins(out.now, &node, id);
        }
        let (by, project) = (run.plan.user.clone(), run.plan.project.clone());
        let tests = run.tests();
        run.publish(out, Fact::Submitted { by, project, tests });
        self.woken.extend(run.parts.iter().map(|part| part.key));
        let empty = run.parts.is_empty();
        self.timers.arm_run(&mut run);
        self.runs.insert(id, run);
        if empty {
            self.wind_up(out, id);
        }
    }

    /// A run behind all that there are.
    pub(crate) fn new_run(&self, row: RunRow, plan: Arc<RunPlan>) -> Run {
        let mut run = Run::new(row, plan);
        let newest = self.runs.last_key_value().map(|(_, before)| before.came);
        run.came = newest.map_or(run.came, |newest| newest.max(run.came));
        run
    }

    /// The first part has its lane: the run begins, with its pre script if it has one.
    pub(crate) fn begin(&mut self, out: &mut Out, id: RunId) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        if run.row.started.is_some() {
            return;
        }
        run.row.started = Some(out.now);
        run.row.state = RunState::Running;
        out.touched.insert(id);
        self.timers.arm_run(run);
        match run.plan.options.script_pre.clone() {
            Some(script) => self.run_hook(out, id, Hook::Pre, script),
            None => run.publish(out, Fact::Started),
        }
    }

    /// Has a script run: on the engine's host, or on the EP that it names.
    fn run_hook(&mut self, out: &mut Out, run: RunId, hook: Hook, script: HookScript) {
        match script.ep {
            Some(ep) => self.ask_script(out, run, hook, ep),
            None => out.enqueue(Job::RunHook { run, hook, path: script.path }),
        }
    }

    /// A part has ended: with the last one comes the post script, and after it the end.
    pub(crate) fn wind_up(&mut self, out: &mut Out, id: RunId) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        if run.parts.iter().any(|part| !part.ended) || (run.row.started.is_some() && !run.pre_is_done()) {
            return;
        }
        let wanted = run.plan.options.script_post.clone().filter(|_| run.row.started.is_some());
        let forbidden = run.pre_forbids() || run.is_ended_at_once();
        let script = wanted.filter(|_| run.row.post.is_none() && (!forbidden || run.post_asked));
        match script {
            Some(_) if run.post_asked => {}
            Some(script) => {
                run.post_asked = true;
                self.run_hook(out, id, Hook::Post, script);
            }
            None => self.finish(out, id),
        }
    }

    fn finish(&mut self, out: &mut Out, id: RunId) {
        let Some(mut run) = self.runs.remove(&id) else { return };
        self.bench.forget_bound(id);
        if run.plan.options.checks.is_some() {
            self.bench.book.checked(out.now, id, &health::checked(&run));
        }
        let state = if run.row.stopped.is_some() { RunState::Stopped } else { RunState::Completed };
        run.row.state = state;
        run.row.ended = Some(out.now);
        let counts = run.counts.clone();
        run.publish(out, Fact::Ended { state, counts });
        out.touched.remove(&id);
        out.store(Row::Run(run.row.clone()));
        out.enqueue(Job::FinishRun { run: id });
        self.timers.set(&mut run.limit, Due::Run(id), None);
        if let Some(script) = &mut run.script {
            self.timers.set(&mut script.lost_at, Due::Script(id), None);
        }
        for part in &mut run.parts {
            self.timers.set(&mut part.lost_at, Due::Lost(part.key), None);
        }
        let first = PartKey { run: id, part: 0 };
        let last = PartKey { run: id, part: u32::MAX };
        let stale: Vec<_> = self.woken.range(first..=last).copied().collect();
        for key in stale {
            self.woken.remove(&key);
        }
    }
}
