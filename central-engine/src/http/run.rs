//! Runs: listing, starting, looking.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::{Page, RunSummary, SubmitRun, Submitted, Waiting},
    error::ErrorCode,
    id::{RunId, UserName},
    time::Time,
    verdict::Outcome,
};
use jackfield_scheduler::{effect::StopCause, view::RunView};
use serde::{Deserialize, Serialize};

use super::{
    Answer,
    body::{self, PageQuery},
};
use crate::{
    app::App,
    auth::{Caller, Guard, MayRead, MayRun},
    failure::Failure,
    limits,
    run::submit,
    store,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/runs")
                .app_data(body::json(limits::PROJECT_JSON_BYTES_MAX))
                .route(web::get().to(list))
                .route(web::post().to(start)),
        )
        .route("/runs/{run}", web::get().to(show))
        .route("/runs/{run}/plan", web::get().to(plan))
        .route("/runs/{run}/why", web::get().to(why))
        .route("/runs/{run}/jobs", web::get().to(jobs));
}

/// Which runs.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RunQuery {
    /// What the page before gave as `next`.
    after: Option<String>,
    /// How many items; at most 1,000.
    limit: Option<u32>,
    /// Only runs of this user.
    user: Option<String>,
    /// Only runs of this project.
    project: Option<String>,
    /// Only runs that have not ended (`true`), or have (`false`).
    open: Option<bool>,
}

/// A run with what few ask for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RunDetail {
    /// As in lists.
    #[serde(flatten)]
    summary: RunSummary,
    /// The newest event.
    seq: u64,
    /// Why it is being or was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<Stopped>,
    /// How its pre script ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pre: Option<Outcome>,
    /// How its post script ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    post: Option<Outcome>,
}

/// Why a run ended early.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Stopped {
    /// Who; none for a limit or a failed pre script.
    by: Option<UserName>,
    /// A sentence.
    reason: String,
    /// When.
    at: Time,
    /// Who ended it without teardown and post script.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_once: Option<UserName>,
}

/// Work that a run left: its files, its mail, its inserts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct JobView {
    /// Its number.
    id: u64,
    /// What is to be done.
    work: String,
    /// How often it was tried and failed.
    tries: u32,
    /// When it is tried next; none when it was given up.
    due: Option<Time>,
    /// Why it failed last.
    error: String,
}

pub(super) fn no_run(run: RunId) -> Failure {
    Failure::not_found(format!("run {run}"))
}

/// A run's summary, with the scheduler's counts while it goes on.
pub(super) async fn summary(app: &App, run: RunId) -> Result<RunSummary, Failure> {
    let summary = store::run::summary(&mut app.store.read().await?, run).await?;
    let mut summary = summary.ok_or_else(|| no_run(run))?;
    if !summary.state.is_final()
        && let Some(view) = app.engine.ask(move |scheduler| scheduler.run_view(run)).await?
    {
        overlay(&mut summary, view);
    }
    Ok(summary)
}

fn overlay(summary: &mut RunSummary, view: RunView) {
    summary.state = view.state;
    summary.started = view.started;
    summary.tests = view.tests;
    summary.counts = view.counts;
}

/// Refuses a caller who may not control this run.
pub(super) async fn controlled(app: &App, caller: &Caller, run: RunId) -> Result<RunSummary, Failure> {
    let summary = summary(app, run).await?;
    if caller.controls(&summary.user) {
        return Ok(summary);
    }
    let title = format!(
        "run {run} is {}'s; only they, or someone with CHANGE_SERVICES, may control it",
        summary.user
    );
    Err(Failure::new(ErrorCode::Forbidden, title))
}

/// Runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", params(RunQuery),
    responses((status = 200, body = Page<RunSummary>)))]
pub(super) async fn list(app: web::Data<App>, _: Guard<MayRead>, query: web::Query<RunQuery>) -> Answer {
    let RunQuery { after, limit, user, project, open } = query.into_inner();
    let page = PageQuery { after, limit };
    let filter = store::run::Filter { owner: user.map(Into::into), project, open };
    let mut conn = app.store.read().await?;
    let mut list = store::run::list(&mut conn, &filter, page.after()?, page.limit()).await?;
    drop(conn);
    let going: Vec<RunId> = list.items.iter().filter(|run| !run.state.is_final()).map(|run| run.id).collect();
    if !going.is_empty() {
        let views = app.engine.ask(move |scheduler| {
            let views = going.into_iter().filter_map(|run| Some((run, scheduler.run_view(run)?)));
            views.collect::<BTreeMap<_, _>>()
        });
        let mut views = views.await?;
        for run in &mut list.items {
            if let Some(view) = views.remove(&run.id) {
                overlay(run, view);
            }
        }
    }
    Ok(HttpResponse::Ok().json(list))
}

/// Starts a project. All problems of its files come back at once.
#[utoipa::path(post, path = "/api/v1/runs", tag = "runs", request_body = SubmitRun,
    responses((status = 201, body = Submitted), (status = 422, body = jackfield_protocol::error::Problem)))]
pub(super) async fn start(app: web::Data<App>, guard: Guard<MayRun>, body: web::Json<SubmitRun>) -> Answer {
    let request = body.into_inner();
    if request.idempotency_key.as_ref().is_some_and(|key| key.len() > limits::IDEMPOTENCY_KEY_BYTES_MAX) {
        let title = format!("the key is longer than {} bytes", limits::IDEMPOTENCY_KEY_BYTES_MAX);
        return Err(Failure::new(ErrorCode::BadRequest, title).field("idempotency_key"));
    }
    let (bytes, most) = (request.xml.as_ref().map_or(0, String::len), app.limits.project_bytes);
    if u64::try_from(bytes).is_ok_and(|bytes| bytes > most) {
        let title = format!("the project has {bytes} bytes; `limits.project` of engine.toml allows {most}");
        return Err(Failure::new(ErrorCode::TooLarge, title).field("xml"));
    }
    let submitted = submit::submit(&app, request, &guard.caller.user).await?;
    let place = format!("/api/v1/runs/{}", submitted.run);
    Ok(HttpResponse::Created().insert_header(("Location", place)).json(submitted))
}

/// One run.
#[utoipa::path(get, path = "/api/v1/runs/{run}", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, body = RunDetail), (status = 404)))]
pub(super) async fn show(app: web::Data<App>, _: Guard<MayRead>, run: web::Path<RunId>) -> Answer {
    let summary = summary(&app, *run).await?;
    let row = store::run::row(&mut app.store.read().await?, *run).await?.ok_or_else(|| no_run(*run))?;
    let stopped = row.stopped.map(|stop| {
        let StopCause { by, reason, at, at_once } = stop;
        Stopped { by, reason, at, at_once }
    });
    Ok(HttpResponse::Ok().json(RunDetail { summary, seq: row.seq, stopped, pre: row.pre, post: row.post }))
}

/// Everything the run was started with: its suites, tests, options, and the content of its files by hash.
#[utoipa::path(get, path = "/api/v1/runs/{run}/plan", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, body = serde_json::Value), (status = 404)))]
pub(super) async fn plan(app: web::Data<App>, _: Guard<MayRead>, run: web::Path<RunId>) -> Answer {
    let plan = app.store.plan(*run).await?.ok_or_else(|| no_run(*run))?;
    Ok(HttpResponse::Ok().json(&*plan))
}

/// What each waiting part and test of a run waits for.
#[utoipa::path(get, path = "/api/v1/runs/{run}/why", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, body = Vec<Waiting>), (status = 404)))]
pub(super) async fn why(app: web::Data<App>, _: Guard<MayRead>, run: web::Path<RunId>) -> Answer {
    let run = *run;
    summary(&app, run).await?;
    let why = app.engine.ask(move |scheduler| scheduler.why(run)).await?;
    Ok(HttpResponse::Ok().json(why))
}

/// What is still to be done for a run: its files, mail, inserts; with the reason where it failed.
#[utoipa::path(get, path = "/api/v1/runs/{run}/jobs", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, body = Vec<JobView>), (status = 404)))]
pub(super) async fn jobs(app: web::Data<App>, _: Guard<MayRead>, run: web::Path<RunId>) -> Answer {
    let mut conn = app.store.read().await?;
    store::run::row(&mut conn, *run).await?.ok_or_else(|| no_run(*run))?;
    let jobs = store::job::of_run(&mut conn, *run).await?;
    let view = |job: store::job::JobRow| JobView {
        id: job.id,
        work: job.work.kind().as_str().to_owned(),
        tries: job.tries,
        due: job.due,
        error: job.error,
    };
    Ok(HttpResponse::Ok().json(jobs.into_iter().map(view).collect::<Vec<_>>()))
}
