//! Pause takes effect after the current test: what was sent ahead is taken back.

use jackfield_protocol::{
    event::{Fact, RunState},
    id::{RunId, UserName},
};

use crate::{Scheduler, out::Out, part::PartKey};

impl Scheduler {
    pub(crate) fn pause(&mut self, out: &mut Out, id: RunId, by: UserName) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        if !matches!(run.row.state, RunState::Queued | RunState::Running) {
            return;
        }
        run.row.state = RunState::Paused;
        run.publish(out, Fact::Paused { by });
        for key in self.keys(id) {
            self.recall(out, key);
            self.bench.lenders.remove(&key);
            self.runs.get_mut(&id).into_iter().for_each(|run| run.head_waits_no_more(key.part));
            if let Some(part) = self.runs.get(&id).and_then(|run| run.part(key.part)) {
                // It stands in nobody's way until it is resumed.
                self.bench.delist(part);
            }
        }
    }

    pub(crate) fn resume(&mut self, out: &mut Out, id: RunId, by: UserName) {
        let Some(run) = self.runs.get_mut(&id).filter(|run| run.row.state == RunState::Paused) else {
            return;
        };
        let begun = run.row.started.is_some();
        run.row.state = if begun { RunState::Running } else { RunState::Queued };
        run.publish(out, Fact::Resumed { by });
        let keys = self.keys(id);
        self.woken.extend(keys);
    }

    fn keys(&self, id: RunId) -> Vec<PartKey> {
        self.runs.get(&id).into_iter().flat_map(|run| &run.parts).map(|part| part.key).collect()
    }
}
