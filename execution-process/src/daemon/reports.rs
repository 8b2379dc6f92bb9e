//! What an earlier life of this EP left behind: processes to end, clean-ups to run, ends to report.

use std::{path::Path, sync::Arc};

use jackfield_protocol::{
    attempt::AttemptEnd,
    id::AttemptId,
    link::{Ended, Part, Report},
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use tokio::sync::{mpsc, watch};

use super::{Daemon, start::of_end};
use crate::{
    attempt::left::LEFT,
    cleanup::{self, Surroundings},
    clock,
    event::{End, Event},
    limits::CLEANUP_MILLIS_MAX,
    process,
    spool::Running,
    station::Station,
};

/// How far the start of a process may be from the moment that was written down for it.
const START_TOLERANCE_MILLIS: i64 = 3_000;

impl Daemon {
    /// Ends what is left of the tests that ran when this EP died, and reports them. Those that left clean-ups are reported when these are done:
    /// the connection does not wait for that, but no test is started meanwhile, because its devices may be the same.
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
            if let Some(steps) = running.steps {
                self.finish_left(running.at, *steps);
                continue;
            }
            if running.cleanups.is_empty() {
                self.spool.report(Report::Ended(Box::new(lost(attempt, &running, Vec::new()))));
                continue;
            }
            let (end, ends) = watch::channel(End::Itself);
            self.past.insert(attempt, end);
            self.tasks.spawn(clean_up(
                Arc::clone(&self.station),
                attempt,
                running,
                ends,
                self.events.clone(),
            ));
        }
    }

    /// The clean-ups of a test of an earlier life are done.
    pub(super) fn settled(&mut self, ended: Box<Ended>) {
        let Some(end) = self.past.remove(&ended.attempt) else { return };
        if *end.borrow() == End::Unwanted {
            self.spool.dropped(ended.attempt);
        } else {
            self.spool.report(Report::Ended(ended));
        }
    }
}

/// Runs what a test of an earlier life wanted done after its end.
async fn clean_up(
    station: Arc<Station>,
    attempt: AttemptId,
    running: Running,
    mut end: watch::Receiver<End>,
    events: mpsc::UnboundedSender<Event>,
) {
    let (mark, own) = (station.mark(), format!("JACKFIELD_ATTEMPT={attempt}"));
    let mut environment = station.environment.clone();
    environment.insert("JACKFIELD_ATTEMPT".into(), attempt.to_string().into());
    // Which lane it was on is not known any more, and its folder is gone.
    let account = station.account_beside();
    let folder = if account.is_some() { Path::new("/") } else { &station.settings.work_dir };
    if let Some(account) = account {
        account.dress(&mut environment, folder);
    }
    let group = station.group(&attempt.to_string()).unwrap_or_else(|error| {
        tracing::warn!(attempt.id = %attempt, "its clean-ups run without a control group: {error}");
        None
    });
    let around = Surroundings {
        environment: &environment,
        folder,
        limit_millis: station.settings.limits.cleanup_millis,
        limit_millis_max: CLEANUP_MILLIS_MAX,
        marks: &[&mark, &own],
        account,
        group: group.as_ref(),
    };
    let (cleanups, _) = cleanup::run_all(&running.cleanups, around, &mut end).await;
    if let Some(group) = &group {
        group.end().await;
    }
    // Were the daemon gone, the next life would do it again.
    let _ = events.send(Event::Settled { ended: Box::new(lost(attempt, &running, cleanups)) });
}

/// The end of a test whose EP died while it ran.
fn lost(attempt: AttemptId, running: &Running, cleanups: Vec<Part>) -> Ended {
    let outcome = Outcome::not_pass(Verdict::Aborted, Cause::Lab, DecidedBy::EpRestarted, LEFT);
    let elapsed_millis = clock::wall().millis_since(running.at);
    of_end(attempt, AttemptEnd { elapsed_millis, cleanups, ..AttemptEnd::of(outcome) })
}

fn still_there(running: &Running) -> Option<i32> {
    let pid = running.pid?;
    let started = process::started_at_millis(pid)?;
    (started.abs_diff(running.at.0) <= START_TOLERANCE_MILLIS.unsigned_abs()).then_some(pid)
}
