//! Runs that nobody needs any more: their rows and their logs go. What the lab's own database, its outbox and its mail
//! have of them stays there.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{error::ErrorCode, id::RunId};

use super::{Answer, run};
use crate::{
    app::{App, audit},
    auth::{Guard, MayRun},
    failure::Failure,
    run::delete::delete as delete_run,
    store,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/runs/{run}", web::delete().to(delete));
}

/// Deletes a run that has ended, with its events, results and logs. Its number is not used again.
#[utoipa::path(delete, path = "/api/v1/runs/{run}", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn delete(app: web::Data<App>, guard: Guard<MayRun>, run: web::Path<RunId>) -> Answer {
    let run = *run;
    let summary = run::controlled(&app, &guard.caller, run).await?;
    let refuse = |title| Err(Failure::new(ErrorCode::WrongState, title));
    if !summary.state.is_final() {
        return refuse(format!("run {run} has not ended; stop it first: `jackfield runs stop {run}`"));
    }
    let mut conn = app.store.write().await?;
    let jobs = store::job::of_run(&mut conn, run).await?;
    if jobs.iter().any(|job| job.due.is_some()) {
        return refuse(format!(
            "reports, mail or inserts of run {run} are still to be made; `jackfield runs jobs {run}` tells which"
        ));
    }
    audit(&mut conn, &guard.caller, "run.delete", run, &summary.project).await?;
    delete_run(&app, conn, run).await?;
    Ok(HttpResponse::NoContent().finish())
}
