//! What running tests ask people, and nobody has answered yet.

use std::collections::BTreeMap;

use jackfield_protocol::{
    error::Problem,
    event::Fact,
    id::{AttemptId, RunId},
    link::Interact,
    time::Time,
};
use jackfield_scheduler::effect::AttemptState;
use serde::Serialize;

use crate::{app::App, store};

/// A question that waits for its answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Question {
    /// Its number in the run.
    pub(crate) question: u64,
    /// The test that asks.
    pub(crate) attempt: AttemptId,
    /// Since when.
    pub(crate) asked: Time,
    /// The question.
    pub(crate) interact: Interact,
}

/// The questions of a run that wait for an answer, oldest first.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn waiting(app: &App, run: RunId) -> Result<Vec<Question>, Problem> {
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
    Ok(waiting)
}
