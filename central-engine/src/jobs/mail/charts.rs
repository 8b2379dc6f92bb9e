//! The reports of the lab's database that go along with a mail, as `[[chart]]` of `mail.toml` says. A mail waits for them as long as a report may
//! take, and goes without those that cannot be made: it says why.

use jackfield_config::mail_rules::{MailChart, MailRules};
use jackfield_protocol::{id::RunId, plan::Save};
use jackfield_reporting::{
    changes::Changes,
    mail::{ReportChart, filled},
    results::Results,
};

use crate::{
    app::App,
    jobs::compared::is_wanted,
    lab_db::report::{self, Values},
    limits,
    store::{self, job::Work},
};

/// Those that the mail of this run is to have.
pub(super) fn wanted<'r>(
    rules: &'r MailRules,
    results: &Results,
    changes: Option<&Changes>,
) -> Vec<&'r MailChart> {
    rules.charts.iter().filter(|chart| is_wanted(&chart.of, results, changes)).collect()
}

/// As they go along.
pub(super) async fn of(app: &App, wanted: &[&MailChart], results: &Results) -> Vec<ReportChart> {
    let mut charts = Vec::new();
    for chart in wanted {
        charts.push(one(app, chart, results).await);
    }
    charts
}

/// Waits until the lab's database has the rows of this run, where charts are to show them: not long, since a mail without them is better than none.
pub(super) async fn rows_of_this_run(
    app: &App,
    wanted: &[&MailChart],
    results: &Results,
) -> anyhow::Result<()> {
    if wanted.is_empty() || results.plan.options.save != Save::Save {
        return Ok(());
    }
    let until = tokio::time::Instant::now() + limits::MAIL_ROWS_WAIT;
    while is_being_saved(app, results.run.id).await? && tokio::time::Instant::now() < until {
        tokio::time::sleep(limits::MAIL_ROWS_LOOK).await;
    }
    Ok(())
}

/// Whether its rows are on their way; what was refused once takes longer than a mail can wait.
async fn is_being_saved(app: &App, run: RunId) -> anyhow::Result<bool> {
    let jobs = store::job::of_run(&mut app.store.read().await?, run).await?;
    Ok(jobs.iter().any(|job| matches!(job.work, Work::SaveRun { .. }) && job.tries == 0 && job.due.is_some()))
}

async fn one(app: &App, chart: &MailChart, results: &Results) -> ReportChart {
    let values: Values =
        chart.fields.iter().map(|(name, value)| (name.clone(), filled(results, value))).collect();
    let (drawn, notices) = match draw(app, chart, &values, results).await {
        Ok((drawn, notices)) => (Ok(drawn), notices),
        Err(error) => (Err(format!("{error:#}")), Vec::new()),
    };
    ReportChart { title: chart.report.clone(), link: link(results, &chart.report, &values), drawn, notices }
}

async fn draw(
    app: &App,
    chart: &MailChart,
    values: &Values,
    results: &Results,
) -> anyhow::Result<(jackfield_reporting::chart::Chart, Vec<String>)> {
    let databases = app.lab.as_user(&results.run.user).databases().unwrap_or_default();
    let found = report::find(&databases, &chart.report)?;
    let mut opened = found.open(&app.lab.layout().root, values, limits::REPORT_WAIT).await?;
    let drawn = opened.chart().await?;
    Ok((drawn, opened.notices))
}

/// Where the report has its page; empty where the engine's address is not known.
fn link(results: &Results, report: &str, values: &Values) -> String {
    if results.engine.url.is_empty() {
        return String::new();
    }
    let given = values.iter().map(|(name, value)| format!("f.{}={}", encoded(name), encoded(value)));
    let given = given.collect::<Vec<_>>().join("&");
    let mark = if given.is_empty() { "" } else { "?" };
    format!("{}/reports/{}{mark}{given}", results.engine.url, encoded(report))
}

fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let each = text
        .bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    each.collect()
}
