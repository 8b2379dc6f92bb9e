//! Old runs that go by themselves, as `[retention]` of `engine.toml` says, and files that nobody names any more.
//!
//! ```text
//! look: which runs have ended, what they take ─▶ choose (pure) ─▶ each: row and line of the audit log, then the rest
//!       ─▶ what a look before left half done ─▶ logs of no run ─▶ old files of the outbox ─▶ files by content of no row
//! ```
//!
//! A look may be broken off anywhere: the next one takes up there. Whether a run may go is asked again in the transaction in which it goes.

pub(crate) mod choose;
mod sweep;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::web;
use jackfield_config::engine::Retention as Rules;
use jackfield_protocol::{id::RunId, retention::Look, time::Time};
use tokio::sync::Notify;

use self::choose::{Going, Old};
use crate::{
    app::App,
    blobs::sweep::Swept,
    clock, limits,
    run::delete::{self, DeleteError},
    store::{self, retention::EndedRun},
};

/// Who is named in the audit log for what goes by rule.
const WHO: &str = "engine";

/// What is known of old runs, and the way to have them looked at at once.
#[derive(Debug)]
pub(crate) struct Retention {
    pub(crate) rules: Rules,
    asked: Notify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What the logs and artifacts of runs that have ended take: they change no more.
    sizes: BTreeMap<RunId, u64>,
    /// Up to when the clock was believed.
    believed: Option<Time>,
    last: Option<Look>,
}

/// What a look would do now.
#[derive(Debug)]
pub(crate) struct Due {
    /// Runs that have ended.
    pub(crate) ended: Vec<EndedRun>,
    /// What all of them take.
    pub(crate) bytes: u64,
    /// Those that go.
    pub(crate) going: Vec<Going>,
    /// Why nothing goes for its age, where that is so.
    pub(crate) doubt: Option<String>,
}

impl Retention {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, asked: Notify::new(), state: Mutex::default() }
    }

    /// Has it looked at once. A person who asks for that believes the clock.
    pub(crate) fn ask(&self) {
        self.state().believed = Some(clock::now());
        self.asked.notify_one();
    }

    /// What the last look came to.
    pub(crate) fn last(&self) -> Option<Look> {
        self.state().last.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks now and then, until the engine goes down.
pub(crate) async fn keep_looking(app: web::Data<App>) {
    let mut wait = limits::RETENTION_FIRST_LOOK;
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = app.retention.asked.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
        wait = limits::RETENTION_LOOK;
        let look = look(&app).await;
        tell(&look);
        app.retention.state().last = Some(look);
        app.feed.notices_changed();
    }
}

fn tell(look: &Look) {
    let Look { at: _, runs, files, file_bytes, outbox, error } = look;
    if [*runs, *files, *outbox].iter().any(|count| *count > 0) {
        tracing::info!(
            "old runs: {runs} removed; {files} files that nobody named any more, {file_bytes} bytes; {outbox} files of the outbox"
        );
    }
    if let Some(error) = error {
        tracing::error!("old runs: broken off, and taken up again at the next look: {error}");
    }
}

/// One look, and what it leads to.
pub(crate) async fn look(app: &App) -> Look {
    let mut look = Look { at: clock::now(), runs: 0, files: 0, file_bytes: 0, outbox: 0, error: None };
    if let Err(error) = work(app, &mut look).await {
        look.error = Some(format!("{error:#}"));
    }
    look
}

async fn work(app: &App, look: &mut Look) -> anyhow::Result<()> {
    let Due { going, doubt, .. } = due(app).await?;
    if let Some(doubt) = &doubt {
        tracing::warn!("old runs: {doubt}");
    }
    for Going { run, reason, .. } in going {
        if app.stop.is_cancelled() {
            return Ok(());
        }
        if remove(app, run, &reason).await? {
            look.runs = look.runs.saturating_add(1);
        }
    }
    sweep::half_gone(app).await?;
    sweep::logs_of_no_run(app).await?;
    if doubt.is_none() {
        forget_leases(app).await?;
        look.outbox = sweep::outbox(app).await?;
        let Swept { files, bytes } = sweep::contents(app).await?;
        (look.files, look.file_bytes) = (files, bytes);
    }
    Ok(())
}

/// Who had which device is forgotten as runs are, by age.
async fn forget_leases(app: &App) -> anyhow::Result<()> {
    let Some(age) = app.retention.rules.age_millis else { return Ok(()) };
    let age = i64::try_from(age).unwrap_or(i64::MAX);
    let before = Time(clock::now().0.saturating_sub(age));
    let mut conn = app.store.write().await?;
    let gone = store::lease::forget(&mut conn, before).await?;
    conn.commit().await?;
    if gone > 0 {
        tracing::info!("old runs: {gone} leases that were over are forgotten");
    }
    Ok(())
}

/// Removes a run, if it may go; whether it went.
async fn remove(app: &App, run: RunId, reason: &str) -> Result<bool, DeleteError> {
    let mut conn = app.store.write().await?;
    // A retry, a save or a mark may have come since it was chosen.
    if !store::retention::may_go(&mut conn, run).await? {
        return Ok(false);
    }
    let target = run.to_string();
    store::audit::add(&mut conn, clock::now(), WHO, ("run.prune", &target), reason).await?;
    delete::delete(app, conn, run).await?;
    app.retention.state().sizes.remove(&run);
    tracing::info!(run.id = %run, "an old run is removed: {reason}");
    Ok(true)
}

/// What a look would do now: the dry run.
///
/// # Errors
/// The store or the disk does not answer.
pub(crate) async fn due(app: &App) -> anyhow::Result<Due> {
    let now = clock::now();
    let ended = store::retention::ended(&mut app.store.read().await?).await?;
    let mut old = Vec::with_capacity(ended.len());
    for run in &ended {
        let bytes = bytes_of(app, run).await?;
        let may_go = !run.kept && !run.wanted;
        old.push(Old { run: run.run, ended: run.ended, bytes, may_go });
    }
    let goes_by_age = app.retention.rules.age_millis.or(app.retention.rules.outbox_millis).is_some();
    let doubt = if goes_by_age { doubt(app, now).await? } else { None };
    let rules =
        if doubt.is_some() { Rules { age_millis: None, ..app.retention.rules } } else { app.retention.rules };
    let there: BTreeSet<RunId> = ended.iter().map(|run| run.run).collect();
    app.retention.state().sizes.retain(|run, _| there.contains(run));
    let bytes = old.iter().map(|run| run.bytes).fold(0, u64::saturating_add);
    Ok(Due { ended, bytes, going: choose::going(&old, rules, now), doubt })
}

/// What a run takes; one that may still get logs is measured anew.
async fn bytes_of(app: &App, run: &EndedRun) -> anyhow::Result<u64> {
    if let Some(bytes) = app.retention.state().sizes.get(&run.run) {
        return Ok(*bytes);
    }
    let logs = app.logs.bytes_of(run.run).await?;
    let artifacts: BTreeSet<_> = store::retention::artifacts(&mut app.store.read().await?, run.run).await?;
    let blobs = app.blobs.clone();
    let artifacts = tokio::task::spawn_blocking(move || blobs.bytes_of(&artifacts)).await?;
    let bytes = logs.saturating_add(artifacts);
    if !run.wanted {
        app.retention.state().sizes.insert(run.run, bytes);
    }
    Ok(bytes)
}

/// Why the clock is not believed: it is far ahead of everything that this engine knows of, so an age means nothing.
async fn doubt(app: &App, now: Time) -> anyhow::Result<Option<String>> {
    let believed = app.retention.state().believed;
    let known = match believed {
        Some(known) => Some(known),
        None => store::retention::newest_moment(&mut app.store.read().await?, app.started).await?,
    };
    let ahead = known.map_or(0, |known| now.millis_since(known));
    if ahead <= limits::RETENTION_CLOCK_DOUBT_MILLIS {
        app.retention.state().believed = Some(now);
        return Ok(None);
    }
    let ahead = Duration::from_millis(ahead).as_secs() / 86_400;
    Ok(Some(format!(
        "the clock of this machine is {ahead} days ahead of the last thing that this engine knows of, so nothing is removed for its age; \
         if the clock is right, `jackfield runs prune` says so"
    )))
}

#[cfg(test)]
mod tests;
