//! The end of a run: its logs are whole and packed, and reports, mail and inserts are promised, each on its own.

use jackfield_protocol::{id::RunId, plan::Save, verdict::Verdict};
use jackfield_reporting::results::Results;

use super::{End, Tried, results_of, webhook};
use crate::{app::App, run::results::rest_of_logs, store::job::Work};

pub(super) async fn run(app: &App, run: RunId) -> Tried {
    let results = results_of(app, run).await?;
    if results.plan.options.temporary {
        app.logs.pack(run).await?;
        return Ok(End::done());
    }
    rest_of_logs(&app.logs, &results).await?;
    app.logs.pack(run).await?;
    let mut next = vec![Work::WriteReports { run }, Work::MailRun { run, to: Vec::new() }];
    if results.plan.options.save == Save::Save && post_allows(&results) {
        next.push(Work::SaveRun { run });
    }
    if webhook::has_any(app, &results.run.user) {
        next.push(Work::CallWebhooks { run });
    }
    Ok(End::Done { next, told: Vec::new() })
}

/// A mandatory post script that failed keeps the run out of the lab's database.
fn post_allows(results: &Results) -> bool {
    let passed =
        results.post.as_ref().is_none_or(|post| matches!(post.verdict, Verdict::Pass | Verdict::Skipped));
    passed || !results.plan.options.pre_post_mandatory
}
