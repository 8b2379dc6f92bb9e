//! What the engine has still to do for runs that ended: their files, their mail, their inserts.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{api::Page, error::ErrorCode, id::RunId, time::Time};
use serde::Serialize;

use super::{Answer, body::PageQuery, run};
use crate::{
    app::{App, audit},
    auth::{Guard, MayRead, MayRun, SeesRun},
    clock,
    failure::Failure,
    store::{
        self,
        job::{JobRow, Kind},
    },
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/jobs", web::get().to(list))
        .route("/jobs/{job}/retry", web::post().to(retry))
        .route("/runs/{run}/jobs", web::get().to(of_run));
}

/// Work that a run left: its files, its mail, its inserts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct JobView {
    /// Its number.
    id: u64,
    /// Which run's.
    run: RunId,
    /// What is to be done.
    work: String,
    /// How often it was tried and failed.
    tries: u32,
    /// When it is tried next; none when it was given up.
    due: Option<Time>,
    /// Why it failed last.
    error: String,
}

impl From<JobRow> for JobView {
    fn from(job: JobRow) -> Self {
        let (run, work) = (job.work.run(), job.work.kind().as_str().to_owned());
        Self { id: job.id, run, work, tries: job.tries, due: job.due, error: job.error }
    }
}

/// What is still to be done for runs that ended, and why it failed; newest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "runs", params(PageQuery),
    responses((status = 200, body = Page<JobView>)))]
pub(super) async fn list(app: web::Data<App>, _: Guard<MayRead>, query: web::Query<PageQuery>) -> Answer {
    let (after, limit) = (query.after()?, query.limit());
    let jobs = store::job::list(&mut app.store.read().await?, after, limit).await?;
    let full = u32::try_from(jobs.len()).is_ok_and(|count| count == limit);
    let next = jobs.last().filter(|_| full).map(|job| job.id.to_string());
    Ok(HttpResponse::Ok().json(Page { items: jobs.into_iter().map(JobView::from).collect(), next }))
}

/// What is still to be done for a run: its files, mail, inserts; with the reason where it failed.
#[utoipa::path(get, path = "/api/v1/runs/{run}/jobs", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, body = Vec<JobView>), (status = 404)))]
pub(super) async fn of_run(app: web::Data<App>, _: SeesRun, id: web::Path<RunId>) -> Answer {
    let id = *id;
    let mut conn = app.store.read().await?;
    store::run::row(&mut conn, id).await?.ok_or_else(|| run::no_run(id))?;
    let jobs = store::job::of_run(&mut conn, id).await?;
    Ok(HttpResponse::Ok().json(jobs.into_iter().map(JobView::from).collect::<Vec<_>>()))
}

/// Tries work again now that waits for its next try or was given up: for who started the run, and who may change services.
#[utoipa::path(post, path = "/api/v1/jobs/{job}/retry", tag = "runs", params(("job" = u64, Path)),
    responses((status = 202), (status = 403), (status = 404), (status = 409)))]
pub(super) async fn retry(app: web::Data<App>, guard: Guard<MayRun>, id: web::Path<u64>) -> Answer {
    let mut conn = app.store.write().await?;
    let job = store::job::find(&mut conn, *id).await?;
    let job = job.ok_or_else(|| Failure::not_found(format!("work {id}; it is done, or never was")))?;
    let run = job.work.run();
    let summary = store::run::summary(&mut conn, run).await?.ok_or_else(|| super::run::no_run(run))?;
    if !guard.caller.controls(&summary.user) {
        let owner = summary.user;
        let title = format!("run {run} is {owner}'s; trying its work again needs the role CHANGE_SERVICES");
        return Err(Failure::new(ErrorCode::Forbidden, title));
    }
    if job.work.kind() == Kind::Save {
        let title = format!(
            "inserts go on by `jackfield runs insert {run}`, which looks first what the database has already"
        );
        return Err(Failure::new(ErrorCode::WrongState, title));
    }
    store::job::try_again(&mut conn, *id, clock::now()).await?;
    audit(&mut conn, &guard.caller, "job.retry", run, job.work.kind().as_str()).await?;
    conn.commit().await?;
    app.store.wake_jobs();
    Ok(HttpResponse::Accepted().finish())
}
