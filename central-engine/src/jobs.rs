//! Work that was promised in a commit and is done afterwards: scripts around runs, reports, mail, inserts, packed logs.
//!
//! ```text
//! RunHook ──▶ the loop hears how it ended
//! FinishRun ─▶ reports written, logs packed ──▶ MailRun, SaveRun      each tried again on its own
//! ```
//!
//! A job is a row until it is done, so a crash loses none; one that was under way is done again. What fails is tried again
//! after a wait that doubles, and given up in the end; its last error stays readable at `/runs/{run}/jobs`.

mod finish;
mod hook;
mod mail;
mod save;

use std::collections::BTreeSet;

use actix_web::web;
use anyhow::{Context as _, Result};
use jackfield_config::EngineSettings;
use jackfield_protocol::{id::RunId, time::Time};
use jackfield_reporting::results::{EngineFacts, Results};
use tokio::task::JoinSet;

use crate::{
    app::App,
    clock, limits,
    run::results,
    store::{
        self,
        job::{JobRow, Work},
    },
};

/// How a job ended.
enum End {
    /// It is done; this is to be done next.
    Done(Vec<Work>),
    /// It cannot be done, however often it is tried.
    Hopeless(anyhow::Error),
}

/// A job that is under way, with its end.
type Tasks = JoinSet<(JobRow, Result<End>)>;

/// Does jobs until the engine goes down. What is under way then is done again at the next start.
pub async fn work(app: web::Data<App>, settings: EngineSettings) {
    let mut tasks = Tasks::new();
    let mut under_way = BTreeSet::new();
    loop {
        let wait = match start_due(&app, &settings, &mut tasks, &mut under_way).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!("cannot read what is to be done: {}", error.chain());
                limits::JOB_STORE_WAIT
            }
        };
        tokio::select! {
            biased;
            () = app.stop.cancelled() => return,
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => take_end(&app, ended, &mut under_way).await,
            () = app.store.work_added().notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn take_end(
    app: &App,
    ended: Result<(JobRow, Result<End>), tokio::task::JoinError>,
    under_way: &mut BTreeSet<u64>,
) {
    match ended {
        Ok((job, result)) => {
            let id = job.id;
            if let Err(error) = settle(app, job, result).await {
                tracing::error!(
                    job.id = id,
                    "the end of a job is not stored; it is done again: {}",
                    error.chain()
                );
            }
            app.feed.notices_changed();
            under_way.remove(&id);
        }
        // Its number stays under way: a job that panics is not tried again before a restart.
        Err(error) => tracing::error!(%error, "a job panicked"),
    }
}

/// Starts the jobs that are due; the answer is how long to wait for the next.
async fn start_due(
    app: &web::Data<App>,
    settings: &EngineSettings,
    tasks: &mut Tasks,
    under_way: &mut BTreeSet<u64>,
) -> Result<std::time::Duration, store::StoreError> {
    let mut conn = app.store.read().await?;
    let now = clock::now();
    // The rows under way are among those that are due: ask for that many more.
    let batch = limits::JOBS_BATCH.saturating_add(u32::try_from(under_way.len()).unwrap_or(u32::MAX));
    for job in store::job::due(&mut conn, now, batch).await? {
        if tasks.len() >= limits::JOBS_AT_ONCE_MAX {
            break;
        }
        if under_way.insert(job.id) {
            let (app, settings) = (app.clone(), settings.clone());
            tasks.spawn(async move {
                let result = attempt(&app, &settings, &job).await;
                (job, result)
            });
        }
    }
    let next = store::job::next_due(&mut conn, now).await?;
    let wait = next.map_or(limits::JOB_IDLE_WAIT_MILLIS, |next| next.millis_since(now));
    Ok(std::time::Duration::from_millis(wait.clamp(1, limits::JOB_IDLE_WAIT_MILLIS)))
}

async fn attempt(app: &App, settings: &EngineSettings, job: &JobRow) -> Result<End> {
    match &job.work {
        Work::RunHook { run, hook, path } => {
            hook::run(app, settings, hook::Script { run: *run, hook: *hook, path }).await
        }
        Work::FinishRun { run } => finish::run(app, settings, *run).await,
        Work::MailRun { run } => mail::run(app, settings, *run).await,
        Work::SaveRun { run } => save::run(app, settings, *run).await,
    }
}

/// Stores how a job ended.
async fn settle(app: &App, job: JobRow, result: Result<End>) -> Result<(), store::StoreError> {
    let now = clock::now();
    let mut conn = app.store.write().await?;
    let (name, run) = (job.work.name(), job.work.run());
    match result {
        Ok(End::Done(next)) => {
            store::job::done(&mut conn, job.id).await?;
            store::job::enqueue(&mut conn, now, &next).await?;
        }
        Ok(End::Hopeless(error)) => {
            tracing::error!(run.id = %run, "{name}: {error:#}; it is given up");
            store::job::failed(&mut conn, job.id, None, &format!("{error:#}")).await?;
        }
        Err(error) => {
            let due = next_try(now, job.tries.saturating_add(1));
            tracing::warn!(run.id = %run, job.tries, "{name}: {error:#}; {}", if due.is_some() { "it is tried again" } else { "it is given up" });
            store::job::failed(&mut conn, job.id, due, &format!("{error:#}")).await?;
        }
    }
    conn.commit().await
}

/// When to try again after so many failures; none when it is enough.
fn next_try(now: Time, tries: u32) -> Option<Time> {
    let doubled = 1_u64.checked_shl(tries.saturating_sub(1)).unwrap_or(u64::MAX);
    let wait = limits::JOB_RETRY_MILLIS.saturating_mul(doubled).min(limits::JOB_RETRY_MILLIS_MAX);
    (tries < limits::JOB_TRIES_MAX).then(|| now.plus_millis(wait))
}

/// Everything of a run that ended.
async fn results_of(app: &App, settings: &EngineSettings, run: RunId) -> Result<Results> {
    let facts = engine_facts(settings);
    let results = results::gather(&app.store, run, facts).await?;
    results.with_context(|| format!("run {run} is not in the store"))
}

/// What reports say of this engine.
pub(crate) fn engine_facts(settings: &EngineSettings) -> EngineFacts {
    let names = rustix::system::uname();
    let text = |value: &std::ffi::CStr| value.to_string_lossy().into_owned();
    let hostname = text(names.nodename());
    let url = settings.url.clone().unwrap_or_else(|| format!("http://{hostname}:{}", settings.port));
    EngineFacts {
        software: format!("jackfield {}", env!("CARGO_PKG_VERSION")),
        server_type: settings.kind.as_str().to_owned(),
        location: settings.location.clone(),
        os: format!("{} {}", text(names.sysname()), text(names.release())),
        hostname,
        timezone: "UTC".to_owned(),
        url: url.trim_end_matches('/').to_owned(),
        ..EngineFacts::default()
    }
}

#[cfg(test)]
mod tests;
