//! What running tests ask people.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{api::Page, id::RunId};
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, run};
use crate::{
    app::App,
    auth::{Guard, MayRun, MayWatch, Role, SeesRun},
    feed::RunQuestions,
    run::asked::{self, Question},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/questions", web::get().to(all))
        .route("/runs/{run}/questions", web::get().to(list))
        .route("/runs/{run}/questions/{question}", web::post().to(answer));
}

/// An answer to a question.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct AnswerBody {
    /// A text, true or false, one of the options, or null, as the question wants.
    answer: Value,
}

/// The questions of all runs that wait for an answer.
#[utoipa::path(get, path = "/api/v1/questions", tag = "runs", responses((status = 200, body = Page<RunQuestions>)))]
pub(super) async fn all(app: web::Data<App>, guard: Guard<MayWatch>) -> Answer {
    let only_of = (!guard.caller.may(Role::ViewReports)).then_some(guard.caller.user);
    let runs = app.engine.ask(move |scheduler| {
        let views = scheduler.runs().filter_map(|run| scheduler.run_view(run));
        let seen = views.filter(|view| only_of.as_ref().is_none_or(|user| view.user == *user));
        seen.map(|view| view.run).collect::<Vec<_>>()
    });
    let runs = runs.await?;
    let mut items = Vec::new();
    for run in runs {
        let questions = asked::waiting(&app, run).await?;
        if !questions.is_empty() {
            items.push(RunQuestions { run, questions });
        }
    }
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// The questions of a run that wait for an answer.
#[utoipa::path(get, path = "/api/v1/runs/{run}/questions", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, body = Vec<Question>), (status = 404)))]
pub(super) async fn list(app: web::Data<App>, _: SeesRun, run: web::Path<RunId>) -> Answer {
    let run = *run;
    run::summary(&app, run).await?;
    Ok(HttpResponse::Ok().json(asked::waiting(&app, run).await?))
}

/// Answers a question; the test goes on.
#[utoipa::path(post, path = "/api/v1/runs/{run}/questions/{question}", tag = "runs", request_body = AnswerBody,
    params(("run" = RunId, Path), ("question" = u64, Path)), responses((status = 204), (status = 400), (status = 404)))]
pub(super) async fn answer(
    app: web::Data<App>,
    guard: Guard<MayRun>,
    path: web::Path<(RunId, u64)>,
    body: web::Json<AnswerBody>,
) -> Answer {
    let (run, question) = path.into_inner();
    run::controlled(&app, &guard.caller, run).await?;
    app.engine.answer(run, question, body.into_inner().answer, guard.caller.user.clone()).await?;
    Ok(HttpResponse::NoContent().finish())
}
