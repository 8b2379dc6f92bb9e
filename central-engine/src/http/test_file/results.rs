//! What came of a test file lately, in whichever project it was.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::{Page, TestRow},
    id::RunId,
    plan::RunPlan,
};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    auth::{Guard, MayWatch, Role},
    failure::Failure,
    http::Answer,
    limits, store,
};

/// Which file.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct ResultQuery {
    /// Its name, as a project gives it.
    file: String,
}

/// A test of a run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct FileResult {
    /// The run.
    run: RunId,
    /// Its project.
    project: String,
    /// Whose run it is.
    user: String,
    /// Whether it counts in no statistics.
    temporary: bool,
    #[serde(flatten)]
    test: TestRow,
}

/// The newest results of a test file, of the last runs that the caller may see.
#[utoipa::path(get, path = "/api/v1/test-results", tag = "projects", params(ResultQuery),
    responses((status = 200, body = Page<FileResult>)))]
pub(in crate::http) async fn results(
    app: web::Data<App>,
    guard: Guard<MayWatch>,
    query: web::Query<ResultQuery>,
) -> Answer {
    let owner = (!guard.caller.may(Role::ViewReports)).then(|| guard.caller.user.clone());
    let filter = store::run::Filter { owner, ..store::run::Filter::default() };
    let runs =
        store::run::list(&mut app.store.read().await?, &filter, None, limits::FILE_RESULT_RUNS).await?.items;
    let mut items: Vec<FileResult> = Vec::new();
    for run in runs {
        if items.len() >= limits::FILE_RESULTS_MAX {
            break;
        }
        let Some(plan) = app.store.plan(run.id).await? else { continue };
        for test in of_file(&app, &plan, run.id, &query.file).await? {
            items.push(FileResult {
                run: run.id,
                project: run.project.clone(),
                user: run.user.to_string(),
                temporary: run.temporary,
                test,
            });
        }
    }
    items.truncate(limits::FILE_RESULTS_MAX);
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// The first tests of a run that have this file.
async fn of_file(app: &App, plan: &RunPlan, run: RunId, file: &str) -> Result<Vec<TestRow>, Failure> {
    let places = (0_u32..).zip(&plan.tests).filter(|(_, test)| *test.file == *file).map(|(at, _)| at);
    let places: Vec<u32> = places.take(limits::FILE_RESULTS_MAX).collect();
    let mut rows = Vec::new();
    let mut conn = app.store.read().await?;
    for at in places {
        rows.extend(store::test::rows(&mut conn, plan, run, at..at.saturating_add(1)).await?);
    }
    Ok(rows)
}
