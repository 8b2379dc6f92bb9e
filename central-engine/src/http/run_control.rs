//! Runs under way: pausing, stopping, adding tests and taking them out, and running again what did not pass.

use std::{collections::BTreeSet, sync::Arc};

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::Submitted,
    error::ErrorCode,
    id::{RunId, TestIndex},
    verdict::TestState,
};
use jackfield_scheduler::{Event, Scheduler};
use serde::{Deserialize, Serialize};

use super::{Answer, run};
use crate::{
    app::{App, audit},
    auth::{Guard, MayRun, SeesRun},
    clock,
    engine::Start,
    failure::Failure,
    limits,
    run::{queue, retry, rights},
    store::{
        self, Conn, StoreError,
        audit::Deed,
        job::{JobRow, Kind, Work},
        saved::{Progress, Saved},
    },
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/runs/{run}/pause", web::post().to(pause))
        .route("/runs/{run}/resume", web::post().to(resume))
        .route("/runs/{run}/stop", web::post().to(stop))
        .route("/runs/{run}/retry", web::post().to(run_again))
        .route("/runs/{run}/queue", web::post().to(queue))
        .route("/runs/{run}/dequeue", web::post().to(dequeue))
        .route("/runs/{run}/save", web::post().to(save));
}

/// Why a run is stopped.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(super) struct StopRun {
    /// A sentence for the report.
    reason: String,
    /// Without teardown and post script; also ends those of a run that is being stopped.
    now: bool,
}

/// Tests to add to a run.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct QueueTests {
    /// At the end of this suite, by its name or ID; none means each at the end of its own.
    #[serde(default)]
    suite: Option<String>,
    /// Tests of this run, by file, name or ID, each to be run once more; or test files of the lab.
    files: Vec<String>,
}

/// Tests that were added to a run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct QueuedTests {
    /// Their numbers, in the order in which they were asked for within each suite.
    tests: Vec<TestIndex>,
}

/// Tests to take out of a run.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct DequeueTests {
    /// By number.
    tests: Vec<TestIndex>,
}

/// Starts nothing more until the run is resumed; the test that runs goes on to its end.
#[utoipa::path(post, path = "/api/v1/runs/{run}/pause", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn pause(app: web::Data<App>, guard: Guard<MayRun>, run: web::Path<RunId>) -> Answer {
    let run = *run;
    run::controlled(&app, &guard.caller, run).await?;
    let by = guard.caller.user;
    let deed = Deed::new(&by, "run.pause", run, "");
    app.engine.deed(vec![Event::RunPaused { run, by }], deed).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lets a paused run go on.
#[utoipa::path(post, path = "/api/v1/runs/{run}/resume", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn resume(app: web::Data<App>, guard: Guard<MayRun>, run: web::Path<RunId>) -> Answer {
    let run = *run;
    run::controlled(&app, &guard.caller, run).await?;
    let by = guard.caller.user;
    let deed = Deed::new(&by, "run.resume", run, "");
    app.engine.deed(vec![Event::RunResumed { run, by }], deed).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends a run early: what runs is ABORTED, the rest `NOT_EXECUTED`; teardown, post script, report and mail follow, with
/// `now` only report and mail.
#[utoipa::path(post, path = "/api/v1/runs/{run}/stop", tag = "runs", params(("run" = RunId, Path)),
    request_body = StopRun, responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn stop(
    app: web::Data<App>,
    guard: Guard<MayRun>,
    run: web::Path<RunId>,
    body: Option<web::Json<StopRun>>,
) -> Answer {
    let run = *run;
    run::controlled(&app, &guard.caller, run).await?;
    let by = guard.caller.user.clone();
    let StopRun { reason: given, now: at_once } = body.map(web::Json::into_inner).unwrap_or_default();
    let reason = if given.is_empty() { format!("stopped by {by}") } else { given };
    let action = if at_once { "run.stop_now" } else { "run.stop" };
    let deed = Deed::new(&by, action, run, reason.as_str());
    app.engine.deed(vec![Event::RunStopped { run, by, reason, at_once }], deed).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A new run of the tests that did not pass, with the files of this one, and the setup and teardown they need.
#[utoipa::path(post, path = "/api/v1/runs/{run}/retry", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 201, body = Submitted), (status = 404), (status = 409)))]
pub(super) async fn run_again(app: web::Data<App>, guard: Guard<MayRun>, run: web::Path<RunId>) -> Answer {
    let old = *run;
    // Who may not see it cannot have its plan, and what private files it took, by starting it anew.
    SeesRun::of(&app, &guard.caller, old).await?;
    let summary = run::summary(&app, old).await?;
    if !summary.state.is_final() {
        let title = format!("run {old} has not ended; stop it, or wait for its end");
        return Err(Failure::new(ErrorCode::WrongState, title));
    }
    let plan = app.store.plan(old).await?.ok_or_else(|| run::no_run(old))?;
    let caller = &guard.caller.user;
    if plan.user != *caller && plan.has_private_files() {
        let title = format!(
            "run {old} took files of {}'s own, so only {} can run it again; start the project instead",
            plan.user, plan.user
        );
        return Err(Failure::new(ErrorCode::Forbidden, title));
    }
    let passed = retry::passed(&app.store, old).await?;
    let Some(mut plan) = retry::rest(&plan, |test| passed.contains(&test)) else {
        return Err(Failure::new(
            ErrorCode::WrongState,
            format!("every test of run {old} passed; nothing is left to run"),
        ));
    };
    plan.user = guard.caller.user.clone();
    // Only the engine's own check says of a resource whether it is fit.
    plan.options.checks = None;
    plan.options.retry_of = Some(old);
    retry::claim_files(&app.blobs, &plan, old).await?;
    let deed = ("run.retry", format!("of run {old}"));
    let run = app.engine.start(Start { plan, key: None, deed }).await?;
    rights::still(&app, run, &guard.caller.user).await?;
    let place = format!("/api/v1/runs/{run}");
    Ok(HttpResponse::Created()
        .insert_header(("Location", place))
        .json(Submitted { run, warnings: Vec::new() }))
}

/// Adds tests at the end of a suite that has not ended: tests of the run once more, or new files of the lab.
#[utoipa::path(post, path = "/api/v1/runs/{run}/queue", tag = "runs", params(("run" = RunId, Path)),
    request_body = QueueTests,
    responses((status = 200, body = QueuedTests), (status = 403), (status = 404), (status = 409)))]
pub(super) async fn queue(
    app: web::Data<App>,
    guard: Guard<MayRun>,
    run: web::Path<RunId>,
    body: web::Json<QueueTests>,
) -> Answer {
    let run = *run;
    let summary = run::controlled(&app, &guard.caller, run).await?;
    if summary.state.is_final() {
        let title = format!("run {run} has ended and takes no more tests; start a new one");
        return Err(Failure::new(ErrorCode::WrongState, title));
    }
    let QueueTests { suite, files } = body.into_inner();
    if files.len() > limits::QUEUED_TESTS_MAX {
        let title = format!("at most {} tests can be queued at once", limits::QUEUED_TESTS_MAX);
        return Err(Failure::new(ErrorCode::TooLarge, title).field("files"));
    }
    let plan = app.store.plan(run).await?.ok_or_else(|| run::no_run(run))?;
    let may_see_all = plan.user == guard.caller.user;
    if !may_see_all && plan.has_private_files() {
        let title = format!(
            "run {run} took files of {}'s own, which a test of yours could read; only {} can add tests to it",
            plan.user, plan.user
        );
        return Err(Failure::new(ErrorCode::Forbidden, title));
    }
    let audited = files.join(" ");
    let mut ids = BTreeSet::new();
    let by = guard.caller.user;
    let mut events = Vec::new();
    for (suite, tests) in queue::find(&app, run, &plan, suite.as_deref(), files).await? {
        if !may_see_all && tests.iter().any(|test| test.is_private) {
            let title = format!("a file of {}'s own is theirs to add", plan.user);
            return Err(Failure::new(ErrorCode::Forbidden, title).field("files"));
        }
        ids.extend(tests.iter().map(|test| Arc::clone(&test.id)));
        events.push(Event::TestsQueued { run, suite, tests, by: by.clone() });
    }
    app.engine.deed(events, Deed::new(&by, "run.queue", run, audited)).await?;
    let grown = app.store.plan(run).await?.ok_or_else(|| run::no_run(run))?;
    let new = (0..).map(TestIndex).zip(&grown.tests).skip(plan.tests.len());
    let tests = new.filter(|(_, test)| ids.contains(&test.id)).map(|(index, _)| index).collect();
    Ok(HttpResponse::Ok().json(QueuedTests { tests }))
}

/// Takes tests that have not started out of the run: they end SKIPPED.
#[utoipa::path(post, path = "/api/v1/runs/{run}/dequeue", tag = "runs", params(("run" = RunId, Path)),
    request_body = DequeueTests, responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn dequeue(
    app: web::Data<App>,
    guard: Guard<MayRun>,
    run: web::Path<RunId>,
    body: web::Json<DequeueTests>,
) -> Answer {
    let run = *run;
    run::controlled(&app, &guard.caller, run).await?;
    let DequeueTests { tests } = body.into_inner();
    let wanted = tests.clone();
    let held =
        app.engine.ask(move |scheduler| wanted.into_iter().find_map(|test| kept(scheduler, run, test)));
    if let Some((code, title)) = held.await? {
        return Err(Failure::new(code, title).field("tests"));
    }
    let names = tests.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let by = guard.caller.user;
    let deed = Deed::new(&by, "run.dequeue", run, names);
    app.engine.deed(vec![Event::TestsDequeued { run, tests, by }], deed).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Why a test cannot be taken out of its run; none where it can.
fn kept(scheduler: &Scheduler, run: RunId, test: TestIndex) -> Option<(ErrorCode, String)> {
    match scheduler.test_view(run, test).map(|view| view.state) {
        None if scheduler.run_view(run).is_none() => {
            Some((ErrorCode::WrongState, format!("run {run} has ended; nothing can be taken out of it")))
        }
        None => Some((
            ErrorCode::NotFound,
            format!("run {run} has no test {test}; see `jackfield runs show {run}`"),
        )),
        Some(TestState::Working) => Some((
            ErrorCode::WrongState,
            format!("test {run}.{test} runs already; only a stop of the whole run ends it"),
        )),
        Some(TestState::Ended(verdict)) => {
            Some((ErrorCode::WrongState, format!("test {run}.{test} has ended {verdict} already")))
        }
        Some(TestState::Pending | TestState::Waiting) => None,
    }
}

/// How results are to be saved.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(super) struct SaveRun {
    /// A person has looked: the database has nothing of a save that broke off.
    again: bool,
}

/// Inserts the results of a run that ended into the lab's database, if that was not done: for projects that ask, and where
/// it failed.
#[utoipa::path(post, path = "/api/v1/runs/{run}/save", tag = "runs", params(("run" = RunId, Path)),
    request_body = SaveRun, responses((status = 202), (status = 404), (status = 409)))]
pub(super) async fn save(
    app: web::Data<App>,
    guard: Guard<MayRun>,
    run: web::Path<RunId>,
    body: Option<web::Json<SaveRun>>,
) -> Answer {
    let run = *run;
    let SaveRun { again } = body.map(web::Json::into_inner).unwrap_or_default();
    let summary = run::controlled(&app, &guard.caller, run).await?;
    if !summary.state.is_final() {
        return Err(Failure::new(
            ErrorCode::WrongState,
            format!("run {run} has not ended; it is saved when it has"),
        ));
    }
    if summary.temporary {
        return Err(Failure::new(
            ErrorCode::WrongState,
            format!("run {run} was temporary; it leaves no trace"),
        ));
    }
    let mut conn = app.store.write().await?;
    check_unsaved(&mut conn, run, again).await?;
    let before = store::job::of_run(&mut conn, run).await?;
    let (waiting, given_up): (Vec<JobRow>, Vec<JobRow>) =
        before.into_iter().filter(|job| job.work.kind() == Kind::Save).partition(|job| job.due.is_some());
    if waiting.is_empty() {
        // The new one takes its place, so that nobody is told of it for good.
        for job in given_up {
            store::job::done(&mut conn, job.id).await?;
        }
        store::job::enqueue(&mut conn, clock::now(), &[Work::SaveRun { run }]).await?;
    }
    // A person who has mended something need not wait for the next try.
    for job in waiting {
        store::job::hurry(&mut conn, job.id, clock::now()).await?;
    }
    audit(&mut conn, &guard.caller, "run.save", run, "").await?;
    conn.commit().await?;
    app.store.wake_jobs();
    Ok(HttpResponse::Accepted().finish())
}

/// Refuses to save what is saved, and what may be: a person has to look first.
async fn check_unsaved(conn: &mut Conn, run: RunId, again: bool) -> Result<(), Failure> {
    let title = match store::saved::state(conn, run).await? {
        None => return Ok(()),
        Some(Saved::Begun) if again => return Ok(look_again(conn, run).await?),
        Some(Saved::Begun) if !only_unknown(conn, run).await? => return Ok(()),
        Some(Saved::Begun) => format!(
            "an insert of the results of run {run} broke off, and it is not known whether the database has them; look \
             there, and if it has not: `jackfield runs insert {run} --again`"
        ),
        Some(Saved::Done) => format!("the results of run {run} are in the database already"),
    };
    Err(Failure::new(ErrorCode::WrongState, title))
}

/// Whether nothing is left of a save but what a person has to look for.
async fn only_unknown(conn: &mut Conn, run: RunId) -> Result<bool, StoreError> {
    let parts = store::saved::parts(conn, run).await?;
    let tallies = || parts.values().map(Progress::tally);
    let has_job = store::job::of_run(conn, run)
        .await?
        .iter()
        .any(|job| job.work.kind() == Kind::Save && job.due.is_some());
    Ok(parts.is_empty()
        || (!has_job
            && tallies().all(|tally| tally.refused == 0)
            && tallies().any(|tally| tally.unknown > 0)))
}

/// A person has looked: what is not known is not there.
async fn look_again(conn: &mut Conn, run: RunId) -> Result<(), StoreError> {
    let parts = store::saved::parts(conn, run).await?;
    if parts.is_empty() {
        return store::saved::undone(conn, run).await;
    }
    for (section, mut part) in parts {
        part.forget_unknown();
        store::saved::put_part(conn, run, section, &part).await?;
    }
    Ok(())
}
