//! Webhooks: programs and chats that hear of a run that has ended. Each is a job of its own, told at least once, with an id that is the same each
//! time; signed as standardwebhooks.com has it.

mod call;

use anyhow::{Context as _, Result, anyhow};
use jackfield_config::{
    load::first_there,
    webhooks::{Format, Webhook, Webhooks},
};
use jackfield_protocol::id::{RunId, UserName};
use jackfield_reporting::{changes::Changes, results::Results, webhook};

use self::call::{Answered, Call};
use super::{End, Tried, compared, mail::usable, results_of};
use crate::{app::App, clock, jobs::save::word, store::job::Work};

/// Looks who is to hear of a run: each becomes a job.
pub(super) async fn all(app: &App, run: RunId) -> Tried {
    let results = results_of(app, run).await?;
    let webhooks = match read(app, &results.run.user).await? {
        Ok(Some(webhooks)) => webhooks,
        Ok(None) => return Ok(End::done()),
        Err(error) => return Ok(End::Hopeless(error)),
    };
    let changes = compared::changes(app, &results).await?;
    let wanted = webhooks.webhooks.into_iter();
    let wanted = wanted.filter(|webhook| compared::is_wanted(&webhook.of, &results, changes.as_ref()));
    let next = wanted.map(|webhook| Work::CallWebhook { run, webhook: webhook.name }).collect();
    Ok(End::Done { next, told: Vec::new() })
}

/// Tells one of them of a run.
pub(super) async fn one(app: &App, run: RunId, name: &str) -> Tried {
    let results = results_of(app, run).await?;
    let webhooks = match read(app, &results.run.user).await? {
        Ok(webhooks) => webhooks.unwrap_or_default(),
        Err(error) => return Ok(End::Hopeless(error)),
    };
    let Some(webhook) = webhooks.find(name) else {
        let told = format!("webhook `{name}` was not called: webhooks.toml has it no more");
        return Ok(End::Done { next: Vec::new(), told: vec![told] });
    };
    let changes = compared::changes(app, &results).await?;
    let id = id_of(app, run, name).await?;
    let body = body_of(webhook.format, &results, changes.as_ref(), &id);
    match call(app, webhook, id, body).await? {
        Answered::Taken => Ok(End::done()),
        Answered::Gone(error) => Ok(End::Hopeless(error)),
    }
}

/// The same each time this webhook is told of this run, and no other's.
async fn id_of(app: &App, run: RunId, name: &str) -> Result<String> {
    Ok(format!("{}.run-{run}.{name}", word(app).await?))
}

fn body_of(format: Format, results: &Results, changes: Option<&Changes>, id: &str) -> String {
    match format {
        Format::Json => webhook::json(results, changes, id),
        Format::Slack => webhook::slack(results, changes),
        Format::Teams => webhook::teams(results, changes),
        Format::Mattermost => webhook::mattermost(results, changes),
    }
}

async fn call(app: &App, webhook: &Webhook, id: String, body: String) -> Result<Answered> {
    let call = Call {
        name: webhook.name.clone(),
        url: webhook.url.clone(),
        secret: webhook.secret.clone(),
        id,
        body,
        root: app.lab.layout().root.clone(),
        believed: app.jobs.believed.clone(),
        limit: app.jobs.mail_timeout,
        now: clock::now(),
    };
    // What stands for the whole call has a limit, so the thread comes back.
    tokio::task::spawn_blocking(move || call.make()).await?
}

/// The webhooks of a user's files; none where there is no file. The inner error is for a person to mend.
pub(crate) async fn read(app: &App, user: &UserName) -> Result<Result<Option<Webhooks>>> {
    let lab = app.lab.as_user(user);
    let read = tokio::task::spawn_blocking(move || lab.webhooks()).await?;
    Ok(read.map(|read| usable("webhooks.toml", read)).transpose())
}

/// Whether the files of a user name any.
pub(super) fn has_any(app: &App, user: &UserName) -> bool {
    first_there(&app.lab.as_user(user).layout().webhooks).is_some()
}

/// What a webhook would be told of a run now.
///
/// # Errors
/// A file of the lab cannot be used, there is no such webhook, or the run cannot be read.
pub(crate) async fn preview(app: &App, run: RunId, name: &str) -> Result<String> {
    let results = results_of(app, run).await?;
    let webhook = named(app, &results.run.user, name).await?;
    let changes = compared::changes(app, &results).await?;
    Ok(body_of(webhook.format, &results, changes.as_ref(), &id_of(app, run, name).await?))
}

/// Calls a webhook with a message that says that it arrives.
///
/// # Errors
/// A file of the lab cannot be used, there is no such webhook, or it does not take it.
pub(crate) async fn test(app: &App, user: &UserName, name: &str) -> Result<()> {
    let found = named(app, user, name).await?;
    let id = format!("{}.test-{}.{name}", word(app).await?, clock::now().0);
    let lab = &app.facts.hostname;
    let body = match found.format {
        Format::Json => webhook::json_test(lab, &id),
        Format::Slack => webhook::slack_test(lab),
        Format::Teams => webhook::teams_test(lab),
        Format::Mattermost => webhook::mattermost_test(lab),
    };
    match call(app, &found, id, body).await? {
        Answered::Taken => Ok(()),
        Answered::Gone(error) => Err(error),
    }
}

async fn named(app: &App, user: &UserName, name: &str) -> Result<Webhook> {
    let webhooks = read(app, user).await??.context("the lab has no webhooks.toml")?;
    let names: Vec<&str> = webhooks.webhooks.iter().map(|webhook| webhook.name.as_str()).collect();
    let found = webhooks.find(name).cloned();
    found.ok_or_else(|| anyhow!("webhooks.toml has no webhook `{name}`; it has {}", names.join(", ")))
}
