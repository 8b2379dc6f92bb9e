//! What became of projects lately, for who looks at all of them.

use actix_web::{HttpResponse, web};
use jackfield_protocol::api::{Page, RunSummary};
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::{
    app::App,
    auth::{Guard, MayWatch, Role},
    limits, store,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/project-results", web::get().to(list));
}

/// How much of it.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ResultQuery {
    /// Runs of each project; 8 without it, at most 50.
    each: Option<u32>,
}

/// The newest runs of a project.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProjectResult {
    /// Its name.
    project: String,
    /// The newest first. Counts of one that goes on are those of `/runs`.
    runs: Vec<RunSummary>,
}

/// The newest runs of each project that was run; those of others for who may view reports.
#[utoipa::path(get, path = "/api/v1/project-results", tag = "projects", params(ResultQuery),
    responses((status = 200, body = Page<ProjectResult>)))]
pub(super) async fn list(
    app: web::Data<App>,
    guard: Guard<MayWatch>,
    query: web::Query<ResultQuery>,
) -> Answer {
    let only_of = (!guard.caller.may(Role::ViewReports)).then(|| guard.caller.user.clone());
    let each = query.each.unwrap_or(limits::PROJECT_RUNS_DEFAULT).clamp(1, limits::PROJECT_RUNS_MAX);
    let mut conn = app.store.read().await?;
    let runs = store::run::newest_of_each(&mut conn, only_of.as_ref(), each).await?;
    drop(conn);
    let mut items: Vec<ProjectResult> = Vec::new();
    for run in runs {
        match items.last_mut().filter(|last| last.project == run.project) {
            Some(last) => last.runs.push(run),
            None => items.push(ProjectResult { project: run.project.clone(), runs: vec![run] }),
        }
    }
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}
