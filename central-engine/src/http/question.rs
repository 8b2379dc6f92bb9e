//! What running tests ask people.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    event::Fact,
    id::{AttemptId, RunId},
    link::Interact,
    time::Time,
};
use jackfield_scheduler::effect::AttemptState;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, run};
use crate::{
    app::{App, audit_alone},
    auth::{Guard, MayRead, MayRun},
    store,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/runs/{run}/questions", web::get().to(list))
        .route("/runs/{run}/questions/{question}", web::post().to(answer));
}

/// A question that waits for its answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Question {
    /// Its number in the run.
    question: u64,
    /// The test that asks.
    attempt: AttemptId,
    /// Since when.
    asked: Time,
    /// The question.
    interact: Interact,
}

/// An answer to a question.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct AnswerBody {
    /// A text, true or false, one of the options, or null, as the question wants.
    answer: Value,
}

/// The questions of a run that wait for an answer.
#[utoipa::path(get, path = "/api/v1/runs/{run}/questions", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, body = Vec<Question>), (status = 404)))]
pub(super) async fn list(app: web::Data<App>, _: Guard<MayRead>, run: web::Path<RunId>) -> Answer {
    let run = *run;
    run::summary(&app, run).await?;
    let mut conn = app.store.read().await?;
    let mut open = BTreeMap::new();
    for event in store::event::dialogue(&mut conn, run).await? {
        if let Fact::Asked { attempt, question, interact } = event.fact {
            open.insert(question, Question { question, attempt, asked: event.at, interact });
        } else if let Fact::Answered { question, .. } = event.fact {
            open.remove(&question);
        }
    }
    let mut waiting = Vec::new();
    for (_, question) in open {
        // A test that ended waits for nothing, answered or not.
        let attempt = store::attempt::fetch(&mut conn, question.attempt).await?;
        if attempt.is_some_and(|attempt| attempt.state == AttemptState::Started) {
            waiting.push(question);
        }
    }
    Ok(HttpResponse::Ok().json(waiting))
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
    audit_alone(&app, &guard.caller, "run.answer", run, &format!("question {question}")).await?;
    Ok(HttpResponse::NoContent().finish())
}
