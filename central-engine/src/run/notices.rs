//! What somebody should do something about, and what no run or EP says by itself: work that was given up.

use jackfield_protocol::{error::Problem, id::RunId};
use serde::Serialize;

use crate::{app::App, store};

/// Something a person should look after.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct EngineNotice {
    /// Which condition: `job_given_up`.
    pub(crate) code: &'static str,
    /// What is wrong.
    pub(crate) text: String,
    /// The run it is about, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<RunId>,
}

/// What is to be looked after now.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn notices(app: &App) -> Result<Vec<EngineNotice>, Problem> {
    let jobs = store::job::list(&mut app.store.read().await?).await?;
    let given_up = jobs.into_iter().filter(|job| job.due.is_none());
    Ok(given_up
        .map(|job| EngineNotice {
            code: "job_given_up",
            text: format!("{} of run {} was given up: {}", job.work.name(), job.work.run(), job.error),
            run: Some(job.work.run()),
        })
        .collect())
}
