//! Runs under way: pausing, stopping, adding tests and taking them out, and running again what did not pass.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::Submitted,
    error::ErrorCode,
    id::{RunId, TestIndex},
};
use jackfield_scheduler::Event;
use serde::Deserialize;

use super::{Answer, App, Failure, audit_alone, run};
use crate::{
    auth::{Guard, MayRun},
    clock, limits, retry,
    store::{self, job::Work},
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
}

/// Tests to add to a run.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct QueueTests {
    /// At the end of this suite, by its name; none means each at the end of its own.
    #[serde(default)]
    suite: Option<String>,
    /// Tests of this run, by file, name or ID; each is run once more.
    files: Vec<String>,
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
    app.engine.event(Event::RunPaused { run, by: guard.caller.user.clone() }).await?;
    audit_alone(&app, &guard.caller, "run.pause", run, "").await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lets a paused run go on.
#[utoipa::path(post, path = "/api/v1/runs/{run}/resume", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn resume(app: web::Data<App>, guard: Guard<MayRun>, run: web::Path<RunId>) -> Answer {
    let run = *run;
    run::controlled(&app, &guard.caller, run).await?;
    app.engine.event(Event::RunResumed { run, by: guard.caller.user.clone() }).await?;
    audit_alone(&app, &guard.caller, "run.resume", run, "").await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends a run early: what runs is ABORTED, the rest `NOT_EXECUTED`; teardown, post script, report and mail follow.
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
    let given = body.map(|body| body.into_inner().reason).unwrap_or_default();
    let reason = if given.is_empty() { format!("stopped by {by}") } else { given };
    app.engine.event(Event::RunStopped { run, by, reason: reason.clone() }).await?;
    audit_alone(&app, &guard.caller, "run.stop", run, &reason).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A new run of the tests that did not pass, with the files of this one, and the setup and teardown they need.
#[utoipa::path(post, path = "/api/v1/runs/{run}/retry", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 201, body = Submitted), (status = 404), (status = 409)))]
pub(super) async fn run_again(app: web::Data<App>, guard: Guard<MayRun>, run: web::Path<RunId>) -> Answer {
    let old = *run;
    let summary = run::summary(&app, old).await?;
    if !summary.state.is_final() {
        let title = format!("run {old} has not ended; stop it, or wait for its end");
        return Err(Failure::new(ErrorCode::WrongState, title));
    }
    let plan = app.store.plan(old).await?.ok_or_else(|| run::no_run(old))?;
    let passed = retry::passed(&app.store, old).await?;
    let Some(mut plan) = retry::rest(&plan, |test| passed.contains(&test)) else {
        return Err(Failure::new(
            ErrorCode::WrongState,
            format!("every test of run {old} passed; nothing is left to run"),
        ));
    };
    plan.user = guard.caller.user.clone();
    let run = app.engine.start(plan, None).await?;
    audit_alone(&app, &guard.caller, "run.retry", run, &format!("of run {old}")).await?;
    let place = format!("/api/v1/runs/{run}");
    Ok(HttpResponse::Created()
        .insert_header(("Location", place))
        .json(Submitted { run, warnings: Vec::new() }))
}

/// Adds tests of the run once more, at the end of a suite that has not ended.
#[utoipa::path(post, path = "/api/v1/runs/{run}/queue", tag = "runs", params(("run" = RunId, Path)),
    request_body = QueueTests, responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn queue(
    app: web::Data<App>,
    guard: Guard<MayRun>,
    run: web::Path<RunId>,
    body: web::Json<QueueTests>,
) -> Answer {
    let run = *run;
    run::controlled(&app, &guard.caller, run).await?;
    let QueueTests { suite, files } = body.into_inner();
    if files.len() > limits::QUEUED_TESTS_MAX {
        let title = format!("at most {} tests can be queued at once", limits::QUEUED_TESTS_MAX);
        return Err(Failure::new(ErrorCode::TooLarge, title).field("files"));
    }
    let plan = app.store.plan(run).await?.ok_or_else(|| run::no_run(run))?;
    for (suite, tests) in retry::copies(&plan, suite.as_deref(), &files)? {
        let by = guard.caller.user.clone();
        let may = app.engine.ask(move |scheduler| scheduler.may_queue(run, suite)).await?;
        may.map_err(|why| Failure::new(ErrorCode::WrongState, why))?;
        app.engine.event(Event::TestsQueued { run, suite, tests, by }).await?;
    }
    audit_alone(&app, &guard.caller, "run.queue", run, &files.join(" ")).await?;
    Ok(HttpResponse::NoContent().finish())
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
    let names = tests.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    app.engine.event(Event::TestsDequeued { run, tests, by: guard.caller.user.clone() }).await?;
    audit_alone(&app, &guard.caller, "run.dequeue", run, &names).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Inserts the results of a run that ended into the lab's database, if that was not done: for projects that ask.
#[utoipa::path(post, path = "/api/v1/runs/{run}/save", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 202), (status = 404), (status = 409)))]
pub(super) async fn save(app: web::Data<App>, guard: Guard<MayRun>, run: web::Path<RunId>) -> Answer {
    let run = *run;
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
    if store::saved::is_saved(&mut conn, run).await? {
        return Err(Failure::new(
            ErrorCode::WrongState,
            format!("the results of run {run} are in the database already"),
        ));
    }
    let waiting = store::job::of_run(&mut conn, run).await?;
    if !waiting.iter().any(|job| matches!(job.work, Work::SaveRun { .. }) && job.due.is_some()) {
        store::job::enqueue(&mut conn, clock::now(), &[Work::SaveRun { run }]).await?;
    }
    super::audit(&mut conn, &guard.caller, "run.save", run, "").await?;
    conn.commit().await?;
    app.store.wake_jobs();
    Ok(HttpResponse::Accepted().finish())
}
