//! Runs: listing, starting, looking.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::{Page, RunSummary, SubmitRun, Submitted, Waiting},
    error::ErrorCode,
    id::{RunId, UserName},
    plan::Save,
    time::Time,
    verdict::Outcome,
};
use jackfield_scheduler::{effect::StopCause, view::RunView};
use serde::{Deserialize, Serialize};

use super::{
    Answer,
    body::{self, PageQuery},
    run_plan,
};
use crate::{
    app::App,
    auth::{Caller, Guard, MayRun, MayWatch, Role, SeesRun},
    failure::Failure,
    limits,
    run::{
        outline::{self, Outline},
        rights, submit,
    },
    store::{self, saved::Saved},
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
        .route("/runs/{run}/plan", web::get().to(run_plan::plan))
        .route("/runs/{run}/outline", web::get().to(outline))
        .route("/runs/{run}/why", web::get().to(why));
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
    /// Only runs that ended with a test that failed, timed out, was invalid, aborted or not executed (`true`).
    #[serde(default)]
    failed: bool,
    /// Only runs whose project or number has this in it, in any case.
    text: Option<String>,
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
    /// Whether its results are in the lab's database.
    database: InDatabase,
    /// The runs that were started to run again what did not pass in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    retried_by: Vec<RunId>,
}

/// Whether the results of a run are in the lab's database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum InDatabase {
    /// They are not wanted there.
    No,
    /// The project asks a person first: `POST …/save`.
    Ask,
    /// They are to come.
    Waiting,
    /// A part of them is; statements were refused, or the database does nothing now: `…/inserts` and `…/jobs` tell.
    Partly,
    /// Of some of them nobody knows whether they are, since an insert broke off: a person has to look.
    Unknown,
    /// They are.
    Saved,
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

pub(super) fn no_run(run: RunId) -> Failure {
    Failure::not_found(format!("run {run}"))
}

/// A run's summary, with the scheduler's counts while it goes on.
pub(super) async fn summary(app: &App, run: RunId) -> Result<RunSummary, Failure> {
    let summary = store::run::summary(&mut app.store.read().await?, run).await?;
    let mut summary = summary.ok_or_else(|| no_run(run))?;
    if !summary.state.is_final()
        && let Some((view, waits)) =
            app.engine.ask(move |scheduler| Some((scheduler.run_view(run)?, scheduler.waits(run)))).await?
    {
        overlay(&mut summary, view, waits);
    }
    Ok(summary)
}

fn overlay(summary: &mut RunSummary, view: RunView, waits: Option<Waiting>) {
    summary.waits = waits;
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

/// Runs, newest first; those of others for who may view reports.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", params(RunQuery),
    responses((status = 200, body = Page<RunSummary>)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<MayWatch>, query: web::Query<RunQuery>) -> Answer {
    let RunQuery { after, limit, user, project, open, failed, text } = query.into_inner();
    let user = if guard.caller.may(Role::ViewReports) { user } else { Some(guard.caller.user.to_string()) };
    let page = PageQuery { after, limit };
    let filter = store::run::Filter { owner: user.map(Into::into), project, open, failed, text };
    let mut conn = app.store.read().await?;
    let mut list = store::run::list(&mut conn, &filter, page.after()?, page.limit()).await?;
    drop(conn);
    let going: Vec<RunId> = list.items.iter().filter(|run| !run.state.is_final()).map(|run| run.id).collect();
    if !going.is_empty() {
        let views = app.engine.ask(move |scheduler| {
            let view = |run| Some((run, (scheduler.run_view(run)?, scheduler.waits(run))));
            going.into_iter().filter_map(view).collect::<BTreeMap<_, _>>()
        });
        let mut views = views.await?;
        for run in &mut list.items {
            if let Some((view, waits)) = views.remove(&run.id) {
                overlay(run, view, waits);
            }
        }
    }
    Ok(HttpResponse::Ok().json(list))
}

/// Starts a project. All problems of its files come back at once.
#[utoipa::path(post, path = "/api/v1/runs", tag = "runs", request_body = SubmitRun,
    responses((status = 201, body = Submitted), (status = 404), (status = 422, body = jackfield_protocol::error::Problem)))]
pub(super) async fn start(app: web::Data<App>, guard: Guard<MayRun>, body: body::Large<SubmitRun>) -> Answer {
    let (request, _place) = body.into_parts();
    if request.idempotency_key.as_ref().is_some_and(|key| key.len() > limits::IDEMPOTENCY_KEY_BYTES_MAX) {
        let title = format!("the key is longer than {} bytes", limits::IDEMPOTENCY_KEY_BYTES_MAX);
        return Err(Failure::new(ErrorCode::BadRequest, title).field("idempotency_key"));
    }
    body::check_project(&app, request.xml.as_deref())?;
    let submitted = submit::submit(&app, request, &guard.caller.user).await?;
    rights::still(&app, submitted.run, &guard.caller.user).await?;
    let place = format!("/api/v1/runs/{}", submitted.run);
    Ok(HttpResponse::Created().insert_header(("Location", place)).json(submitted))
}

/// One run.
#[utoipa::path(get, path = "/api/v1/runs/{run}", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, body = RunDetail), (status = 404)))]
pub(super) async fn show(app: web::Data<App>, _: SeesRun, run: web::Path<RunId>) -> Answer {
    let summary = summary(&app, *run).await?;
    let mut conn = app.store.read().await?;
    let row = store::run::row(&mut conn, *run).await?.ok_or_else(|| no_run(*run))?;
    let retried_by = store::run::retries(&mut conn, *run).await?;
    drop(conn);
    let stopped = row.stopped.map(|stop| {
        let StopCause { by, reason, at, at_once } = stop;
        Stopped { by, reason, at, at_once }
    });
    let database = in_database(&app, *run).await?;
    let (seq, pre, post) = (row.seq, row.pre, row.post);
    Ok(HttpResponse::Ok().json(RunDetail { summary, seq, stopped, pre, post, database, retried_by }))
}

async fn in_database(app: &App, run: RunId) -> Result<InDatabase, Failure> {
    let plan = app.store.plan(run).await?.ok_or_else(|| no_run(run))?;
    let mut conn = app.store.read().await?;
    let state = store::saved::state(&mut conn, run).await?;
    let parts = store::saved::parts(&mut conn, run).await?;
    let is_unknown = parts.is_empty() || parts.values().any(|part| part.tally().unknown > 0);
    Ok(match (state, plan.options.save) {
        (Some(Saved::Done), _) => InDatabase::Saved,
        (Some(Saved::Begun), _) if is_unknown => InDatabase::Unknown,
        (Some(Saved::Begun), _) => InDatabase::Partly,
        (None, _) if plan.options.temporary => InDatabase::No,
        (None, Save::Save) => InDatabase::Waiting,
        (None, Save::Ask) => InDatabase::Ask,
        (None, Save::NoSave) => InDatabase::No,
    })
}

/// Where an outline begins.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OutlineQuery {
    /// The number of the first test; 0 without it.
    #[serde(default)]
    from: u32,
    /// Only so many tests of a run that has ended, at most 1,000: those that need a look first. The column `test` says which.
    foremost: Option<u32>,
}

/// All tests of a run in brief, column by column: for who shows a hundred thousand of them at once. At most 100,000 in an
/// answer; `next` is the `from` of the rest.
#[utoipa::path(get, path = "/api/v1/runs/{run}/outline", tag = "runs", params(("run" = RunId, Path), OutlineQuery),
    responses((status = 200, body = Outline), (status = 404)))]
pub(super) async fn outline(
    app: web::Data<App>,
    _: SeesRun,
    run: web::Path<RunId>,
    query: web::Query<OutlineQuery>,
) -> Answer {
    let outline = match query.foremost {
        Some(count) => outline::foremost(&app, *run, count).await?,
        None => outline::outline(&app, *run, query.from).await?,
    };
    let outline = outline.ok_or_else(|| no_run(*run))?;
    Ok(HttpResponse::Ok().json(outline))
}

/// What each waiting part and test of a run waits for.
#[utoipa::path(get, path = "/api/v1/runs/{run}/why", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, body = Vec<Waiting>), (status = 404)))]
pub(super) async fn why(app: web::Data<App>, _: SeesRun, run: web::Path<RunId>) -> Answer {
    let run = *run;
    summary(&app, run).await?;
    let why = app.engine.ask(move |scheduler| scheduler.why(run)).await?;
    Ok(HttpResponse::Ok().json(why))
}
