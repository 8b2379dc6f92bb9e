//! What an earlier life of this EP left behind: processes to end, clean-ups to run, ends to report.

use jackfield_protocol::{
    link::{Ended, Report},
    verdict::{Cause, Outcome, Verdict},
};

use super::{Daemon, start::not_run};
use crate::{
    cleanup::{self, Surroundings},
    clock, process,
    spool::Running,
};

/// How far the start of a process may be from the moment that was written down for it.
const START_TOLERANCE_MILLIS: i64 = 3_000;

impl Daemon {
    /// Ends what is left of the tests that ran when this EP died, and reports them.
    pub(super) async fn settle_past(&mut self) {
        let past: Vec<_> = self.spool.running().iter().map(|(id, running)| (*id, running.clone())).collect();
        // A number may have gone to another process since: the time of its start tells.
        let tests = past.iter().map(|(_, running)| running);
        let leaders: Vec<i32> = tests.chain(self.spool.scripts().values()).filter_map(still_there).collect();
        for mark in [self.station.mark(), self.station.warm_mark()] {
            let ended = process::end_marked(&mark, &leaders).await;
            for name in ended {
                tracing::warn!("left by an earlier life of this execution process, and ended: {name}");
            }
        }
        self.settle_scripts();
        for (attempt, running) in past {
            let (mark, own) = (self.station.mark(), format!("JACKFIELD_ATTEMPT={attempt}"));
            let mut environment = self.station.environment.clone();
            environment.insert("JACKFIELD_ATTEMPT".into(), attempt.to_string().into());
            let around = Surroundings {
                environment: &environment,
                folder: &self.station.settings.work_dir,
                limit_millis: self.station.settings.limits().cleanup_millis,
                marks: &[&mark, &own],
            };
            let (cleanups, _) = cleanup::run_all(&running.cleanups, around).await;
            let reason = "its execution process died and was started again while it ran";
            let outcome = Outcome::not_pass(Verdict::Aborted, Cause::Lab, reason);
            let elapsed_millis = clock::wall().millis_since(running.at);
            let ended = Ended { elapsed_millis, cleanups, ..not_run(attempt, outcome) };
            self.spool.report(Report::Ended(Box::new(ended)));
        }
    }
}

fn still_there(running: &Running) -> Option<i32> {
    let pid = running.pid?;
    let started = process::started_at_millis(pid)?;
    (started.abs_diff(running.at.0) <= START_TOLERANCE_MILLIS.unsigned_abs()).then_some(pid)
}
