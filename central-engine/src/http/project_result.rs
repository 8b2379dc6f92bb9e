//! What became of projects lately, for who looks at all of them.

use std::{collections::BTreeMap, sync::Arc};

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::{Page, RunSummary},
    event::RunState,
};
use jackfield_scheduler::effect::AttemptState;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::{
    app::App,
    auth::{Caller, Guard, MayWatch, Role},
    failure::Failure,
    limits, store,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/project-results", web::get().to(list))
        .route("/project-durations", web::get().to(durations));
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

/// Whose tests.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DurationQuery {
    /// The project.
    project: String,
}

/// How long a test took lately.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TestDuration {
    /// Its file, as runs have it.
    file: Arc<str>,
    /// The median, in milliseconds.
    millis: u64,
    /// Of how many attempts.
    attempts: usize,
}

/// How long the tests of a project took in its last runs that went to their end, by file: what a run will cost, as far as one can know.
#[utoipa::path(get, path = "/api/v1/project-durations", tag = "projects", params(DurationQuery),
    responses((status = 200, body = Page<TestDuration>)))]
pub(super) async fn durations(
    app: web::Data<App>,
    guard: Guard<MayWatch>,
    query: web::Query<DurationQuery>,
) -> Answer {
    let mut taken: BTreeMap<Arc<str>, Vec<u64>> = BTreeMap::new();
    let mut left = limits::DURATION_TESTS_MAX;
    for run in ended(&app, &guard.caller, query.into_inner().project).await? {
        let Some(plan) = app.store.plan(run.id).await? else { continue };
        let tests = u32::try_from(plan.tests.len()).unwrap_or(u32::MAX);
        // The newest is looked at whole, whatever it holds.
        if tests > left && !taken.is_empty() {
            break;
        }
        left = left.saturating_sub(tests);
        let briefs = store::attempt::briefs(&mut app.store.read().await?, run.id, 0..tests).await?;
        for brief in
            briefs.into_iter().filter(|brief| brief.state == AttemptState::Ended && brief.attempt > 0)
        {
            let at = usize::try_from(brief.test.0).unwrap_or(usize::MAX);
            if let Some(test) = plan.tests.get(at) {
                taken.entry(Arc::clone(&test.file)).or_default().push(brief.elapsed_millis);
            }
        }
    }
    let median = |(file, mut all): (Arc<str>, Vec<u64>)| {
        all.sort_unstable();
        let millis = all.get(all.len() / 2).copied().unwrap_or_default();
        TestDuration { file, millis, attempts: all.len() }
    };
    let items: Vec<TestDuration> = taken.into_iter().map(median).collect();
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// The newest runs of a project that the caller may see and that nobody stopped.
async fn ended(app: &App, caller: &Caller, project: String) -> Result<Vec<RunSummary>, Failure> {
    let owner = (!caller.may(Role::ViewReports)).then(|| caller.user.clone());
    let filter = store::run::Filter {
        owner,
        project: Some(project),
        open: Some(false),
        ..store::run::Filter::default()
    };
    let list = store::run::list(&mut app.store.read().await?, &filter, None, limits::DURATION_RUNS).await?;
    Ok(list.items.into_iter().filter(|run| run.state == RunState::Completed).collect())
}
