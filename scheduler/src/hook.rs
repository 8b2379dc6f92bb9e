//! The scripts around a run.

use jackfield_protocol::{
    event::{Fact, Hook},
    id::RunId,
    verdict::{Outcome, Verdict},
};

use crate::{Scheduler, effect::StopCause, out::Out, run::Run};

impl Run {
    pub(crate) fn pre_is_done(&self) -> bool {
        self.plan.options.script_pre.is_none() || self.row.pre.is_some()
    }

    /// A mandatory pre script failed: nothing is run, not even the post script.
    pub(crate) fn pre_forbids(&self) -> bool {
        let failed = self.row.pre.as_ref().is_some_and(|outcome| outcome.verdict != Verdict::Pass);
        failed && self.plan.options.pre_post_mandatory
    }
}

impl Scheduler {
    /// Scripts are asked for at least once, so their end may be told twice: the first counts.
    pub(crate) fn hook_ended(
        &mut self,
        out: &mut Out,
        id: RunId,
        hook: Hook,
        outcome: Outcome,
        output: String,
    ) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let told = match hook {
            Hook::Pre => run.row.started.is_none() || run.row.pre.is_some(),
            Hook::Post => !run.post_asked || run.row.post.is_some(),
        };
        if told {
            return;
        }
        match hook {
            Hook::Pre => run.row.pre = Some(outcome.clone()),
            Hook::Post => run.row.post = Some(outcome.clone()),
        }
        let reason = outcome.reason.clone();
        run.publish(out, Fact::HookEnded { hook, outcome, output });
        if hook == Hook::Pre {
            self.pre_ended(out, id, &reason);
        }
        self.wind_up(out, id);
    }

    fn pre_ended(&mut self, out: &mut Out, id: RunId, reason: &str) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        self.woken.extend(run.parts.iter().map(|part| part.key));
        if !run.pre_forbids() {
            if run.stopped().is_none() {
                run.publish(out, Fact::Started);
            }
        } else if run.stopped().is_none() {
            let reason = match reason {
                "" => "the pre script failed".to_owned(),
                reason => format!("the pre script failed: {reason}"),
            };
            self.stop(out, id, StopCause { by: None, reason, at: out.now, at_once: None });
        }
    }
}
