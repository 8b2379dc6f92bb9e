//! Runs of somebody who may not run tests any more: they end, for what of them has not begun would be done with rights that were taken away.
//! They end as by `jackfield runs stop`, with their teardown: a device is not left in the middle of something.
//!
//! A right can go between the look at it and the start of the run. So whoever takes it away looks through the runs after that, and whoever
//! starts one looks at the right once more after that: one of both sees it.

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{RunId, UserName},
};
use jackfield_scheduler::Event;

use crate::{
    app::App,
    auth::{self, Role},
    store::audit::Deed,
};

/// Stops what these users have started, as far as they may not run tests any more.
///
/// # Errors
/// The store or the loop does not answer.
pub(crate) async fn stop_of(app: &App, users: &[UserName], by: &UserName) -> Result<(), Problem> {
    for user in users {
        if may_run(app, user).await? {
            continue;
        }
        let of = user.clone();
        let runs = app.engine.ask(move |scheduler| {
            let views = scheduler.runs().filter_map(|run| scheduler.run_view(run));
            views
                .filter(|view| view.user == of && view.stopped.is_none())
                .map(|view| view.run)
                .collect::<Vec<_>>()
        });
        for run in runs.await? {
            stop(app, run, user, by).await;
        }
    }
    Ok(())
}

/// Stops a run that was just started, and refuses it, where its user has lost the right to it meanwhile.
///
/// # Errors
/// That; or the store does not answer.
pub(crate) async fn still(app: &App, run: RunId, user: &UserName) -> Result<(), Problem> {
    if may_run(app, user).await? {
        return Ok(());
    }
    stop(app, run, user, user).await;
    Err(Problem::new(ErrorCode::Forbidden, format!("{}; run {run} is stopped", told(user))))
}

async fn may_run(app: &App, user: &UserName) -> Result<bool, Problem> {
    match auth::check_user(&app.store, user, Role::RunTests).await {
        Ok(()) => Ok(true),
        Err(problem) if problem.code == ErrorCode::Forbidden => Ok(false),
        Err(problem) => Err(problem),
    }
}

fn told(user: &UserName) -> String {
    format!("{user} may not run tests any more")
}

async fn stop(app: &App, run: RunId, user: &UserName, by: &UserName) {
    let reason = told(user);
    let deed = Deed::new(by, "run.stop", run, reason.as_str());
    let event = Event::RunStopped { run, by: by.clone(), reason, at_once: false };
    if let Err(problem) = app.engine.deed(vec![event], deed).await {
        // It has ended in this very moment.
        tracing::info!(run = %run, "not stopped, though its user may not run tests any more: {}", problem.title);
    }
}
