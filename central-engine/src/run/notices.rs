//! What somebody should do something about, and what no run or EP says by itself: work that fails, or was given up, and what is not fit.

use jackfield_protocol::{error::Problem, id::RunId};
use jackfield_resource_allocator::book::{Fitness, Health};
use serde::Serialize;

use crate::{app::App, limits, store};

/// Something a person should look after.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct EngineNotice {
    /// Which condition: `job_failing`, `job_given_up`, `certificate`, `file`, `resource_out`, `health_check`.
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
    let jobs = store::job::list(&mut app.store.read().await?, None, limits::PAGE_MAX).await?;
    let failed = jobs.into_iter().filter(|job| job.tries > 0);
    let certificate = app.tls.trouble().map(|trouble| EngineNotice {
        code: "certificate",
        text: format!("the certificate so far is shown: {trouble}"),
        run: None,
    });
    let lab = app.lab.clone();
    // Small files, read here so that who looks after the engine hears of them before the night's run does.
    let files = tokio::task::spawn_blocking(move || lab.hearers_problems()).await.unwrap_or_default();
    let files = files.into_iter().map(|problem| EngineNotice {
        code: "file",
        text: format!("who hears of runs is not told right: {problem}"),
        run: None,
    });
    Ok(certificate
        .into_iter()
        .chain(files)
        .chain(of_resources(app).await?)
        .chain(failed.map(|job| {
            let (code, then) = match job.due {
                Some(due) => ("job_failing", format!("is tried again at {due}")),
                None => ("job_given_up", "was given up".to_owned()),
            };
            let run = Some(job.work.run()).filter(|run| run.0 != 0);
            let of = run.map(|run| format!(" of run {run}")).unwrap_or_default();
            let text = format!("{}{of} {then}: {}", job.work.told(), job.error);
            EngineNotice { code, text, run }
        }))
        .collect())
}

/// Resources that were taken out of service by themselves, and those whose health check does not begin.
async fn of_resources(app: &App) -> Result<Vec<EngineNotice>, Problem> {
    let all = app.engine.ask(|scheduler| scheduler.book().health().cloned().collect::<Vec<_>>());
    let notice = |health: Health| {
        if let Some(text) = taken_out(&health) {
            return Some(EngineNotice { code: "resource_out", text, run: None });
        }
        let trouble = app.checks.trouble(&health.spot.node)?;
        let text = format!("{health}, and its health check cannot be started: {trouble}");
        Some(EngineNotice { code: "health_check", text, run: None })
    };
    Ok(all.await?.into_iter().filter_map(notice).collect())
}

/// What is to be done about a resource that was taken out of service by itself; none where it was not.
pub(crate) fn taken_out(health: &Health) -> Option<String> {
    let Health { spot, fitness: Fitness::Out { by: None, .. }, .. } = health else { return None };
    Some(format!(
        "{health}; when it is repaired: `jackfield resource health {} --fit`, or --dirty to have it checked",
        spot.path
    ))
}
