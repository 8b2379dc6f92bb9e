//! The tests of a run.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::{Page, TestRow},
    error::ErrorCode,
    id::{RunId, TestIndex},
    verdict::TestState,
};
use serde::{Deserialize, Serialize};

use super::{Answer, body::PageQuery, run};
use crate::{app::App, auth::SeesRun, failure::Failure, store};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/runs/{run}/tests", web::get().to(list))
        .route("/runs/{run}/tests/{test}", web::get().to(show));
}

/// Which tests.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TestQuery {
    /// What the page before gave as `next`.
    after: Option<String>,
    /// How many items; at most 1,000.
    limit: Option<u32>,
    /// Only tests in this state: `PENDING`, `WAITING`, `WORKING`, or a verdict.
    state: Option<String>,
}

/// Reads the word of a state.
fn state(word: &str) -> Result<TestState, Failure> {
    Ok(match word.to_ascii_uppercase().as_str() {
        "PENDING" => TestState::Pending,
        "WAITING" => TestState::Waiting,
        "WORKING" => TestState::Working,
        word => {
            TestState::Ended(word.parse().map_err(|error: jackfield_protocol::verdict::VerdictError| {
                Failure::new(ErrorCode::BadRequest, error.to_string()).field("state")
            })?)
        }
    })
}

/// The tests of a run, in document order.
#[utoipa::path(get, path = "/api/v1/runs/{run}/tests", tag = "runs", params(("run" = RunId, Path), TestQuery),
    responses((status = 200, body = Page<TestRow>), (status = 404)))]
pub(super) async fn list(
    app: web::Data<App>,
    _: SeesRun,
    run: web::Path<RunId>,
    query: web::Query<TestQuery>,
) -> Answer {
    let TestQuery { after, limit, state: word } = query.into_inner();
    let page = PageQuery { after, limit };
    let state = word.as_deref().map(state).transpose()?;
    let from = TestIndex(page.after()?.unwrap_or(0));
    let found = store::test::page(&app.store, *run, from, page.limit(), state).await?;
    let mut found = found.ok_or_else(|| run::no_run(*run))?;
    overlay(&app, *run, &mut found.items).await?;
    if let Some(state @ (TestState::Pending | TestState::Waiting)) = state {
        found.items.retain(|row| row.state == state);
    }
    Ok(HttpResponse::Ok().json(found))
}

/// A test of a run, by itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TestDetail {
    #[serde(flatten)]
    row: TestRow,
    /// The rule that decided its verdict, in words; none while it has none, and in what an older version wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided: Option<String>,
}

/// One test of a run.
#[utoipa::path(get, path = "/api/v1/runs/{run}/tests/{test}", tag = "runs",
    params(("run" = RunId, Path), ("test" = TestIndex, Path)),
    responses((status = 200, body = TestDetail), (status = 404)))]
pub(super) async fn show(app: web::Data<App>, _: SeesRun, path: web::Path<(RunId, TestIndex)>) -> Answer {
    let (run, test) = path.into_inner();
    let plan = app.store.plan(run).await?.ok_or_else(|| run::no_run(run))?;
    let range = test.0..test.0.saturating_add(1);
    let mut rows = store::test::rows(&mut app.store.read().await?, &plan, run, range).await?;
    overlay(&app, run, &mut rows).await?;
    let row = rows.pop().ok_or_else(|| Failure::not_found(format!("test {test} in run {run}")))?;
    let decided = row.decided_by.as_ref().map(ToString::to_string);
    Ok(HttpResponse::Ok().json(TestDetail { row, decided }))
}

/// What only the scheduler knows of tests that have not ended: whether they wait, and for what.
async fn overlay(app: &App, run: RunId, rows: &mut [TestRow]) -> Result<(), Failure> {
    let open: Vec<TestIndex> = rows
        .iter()
        .filter(|row| matches!(row.state, TestState::Pending | TestState::Working))
        .map(|row| row.test)
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    let views = app.engine.ask(move |scheduler| {
        open.into_iter().filter_map(|test| scheduler.test_view(run, test)).collect::<Vec<_>>()
    });
    let mut views = views.await?.into_iter().peekable();
    for row in rows {
        if let Some(view) = views.next_if(|view| view.test == row.test) {
            // A test that ended in the meantime has its verdict in the next answer.
            if !matches!(view.state, TestState::Ended(_)) {
                row.state = view.state;
            }
            row.waits_for = view.waits_for;
        }
    }
    Ok(())
}
