//! Old runs that go by themselves: what goes next, at once if somebody says so, and which runs stay.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    id::RunId,
    retention::{GoingRun, RetentionView},
};
use serde::Deserialize;

use super::{Answer, run};
use crate::{
    app::{App, audit, audit_alone},
    auth::{Guard, MayOperate, MayRead, MayRun},
    failure::Failure,
    jobs::retention::{self, Due},
    limits, store,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/retention", web::get().to(show))
        .route("/retention/prune", web::post().to(prune))
        .route("/runs/{run}/keep", web::post().to(keep));
}

/// Whether a run stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct KeepRun {
    /// True: whatever the lab's rules say; false: as they say.
    kept: bool,
}

/// What would go now, and the rules that say so; nothing is done.
#[utoipa::path(get, path = "/api/v1/retention", tag = "runs", responses((status = 200, body = RetentionView)))]
pub(super) async fn show(app: web::Data<App>, _: Guard<MayRead>) -> Answer {
    Ok(HttpResponse::Ok().json(view(&app).await?))
}

/// Has what would go now removed at once; the answer says what that is, and it is done afterwards.
#[utoipa::path(post, path = "/api/v1/retention/prune", tag = "runs", responses((status = 202, body = RetentionView)))]
pub(super) async fn prune(app: web::Data<App>, guard: Guard<MayOperate>) -> Answer {
    audit_alone(&app, &guard.caller, "runs.prune", "", "").await?;
    // Whoever asks believes the clock, so what goes for its age is in the answer.
    app.retention.ask();
    Ok(HttpResponse::Accepted().json(view(&app).await?))
}

async fn view(app: &App) -> Result<RetentionView, Failure> {
    let Due { ended, bytes, going, doubt } = retention::due(app).await.map_err(|error| {
        let problem = jackfield_protocol::error::Problem::new(
            jackfield_protocol::error::ErrorCode::Storage,
            "what old runs there are cannot be found out; the engine's log says why",
        );
        Failure(problem.because(format!("{error:#}")))
    })?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let rules = app.retention.rules;
    let told = going.iter().take(limits::RETENTION_TOLD_MAX).filter_map(|going| {
        let run = ended.iter().find(|run| run.run == going.run)?;
        Some(GoingRun {
            run: run.run,
            project: run.project.clone(),
            user: run.user.clone(),
            ended: run.ended,
            bytes: going.bytes,
            reason: going.reason.clone(),
        })
    });
    Ok(RetentionView {
        age_millis: rules.age_millis,
        runs_max: rules.runs,
        bytes_max: rules.bytes,
        outbox_millis: rules.outbox_millis,
        runs: count(ended.len()),
        bytes,
        kept: count(ended.iter().filter(|run| run.kept).count()),
        going: told.collect(),
        going_runs: count(going.len()),
        doubt,
        last: app.retention.last(),
    })
}

/// Marks a run as one that stays, whatever the lab's rules for old runs say; or takes the mark away.
#[utoipa::path(post, path = "/api/v1/runs/{run}/keep", tag = "runs", params(("run" = RunId, Path)),
    request_body = KeepRun, responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn keep(
    app: web::Data<App>,
    guard: Guard<MayRun>,
    run: web::Path<RunId>,
    body: web::Json<KeepRun>,
) -> Answer {
    let run = *run;
    run::controlled(&app, &guard.caller, run).await?;
    let action = if body.kept { "run.keep" } else { "run.keep_undone" };
    let mut conn = app.store.write().await?;
    if !store::retention::keep(&mut conn, run, body.kept).await? {
        return Err(run::no_run(run));
    }
    audit(&mut conn, &guard.caller, action, run, "").await?;
    conn.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}
