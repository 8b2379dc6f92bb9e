//! Inserts while a run goes on, where `db.xml` says `<insert>live</insert>`: each test soon after its end. What does not work is left to
//! the save at the end of the run, which tells of it.

use std::collections::BTreeMap;

use actix_web::web;
use anyhow::Result;
use jackfield_protocol::{id::RunId, plan::Save};
use tokio::time::Instant;

use super::{into_database, prepare, word};
use crate::{app::App, jobs::results_of, limits, store};

/// Looks after the runs that go on, until the engine goes down.
pub(crate) async fn keep_inserting(app: web::Data<App>) {
    // How many tests of each run had ended at the last look.
    let mut seen: BTreeMap<RunId, u64> = BTreeMap::new();
    let mut wait = limits::LIVE_INSERTS_LOOK;
    loop {
        tokio::select! {
            biased;
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        let began = Instant::now();
        if let Err(error) = look(&app, &mut seen).await {
            tracing::warn!("inserts of runs that go on are left to their end: {error:#}");
        }
        wait = limits::LIVE_INSERTS_LOOK.max(began.elapsed().saturating_mul(limits::LIVE_INSERTS_REST));
    }
}

async fn look(app: &App, seen: &mut BTreeMap<RunId, u64>) -> Result<()> {
    let open: Vec<RunId> = app.engine.ask(|scheduler| scheduler.runs().collect()).await.unwrap_or_default();
    seen.retain(|run, _| open.contains(run));
    for run in open {
        let Some(plan) = app.store.plan(run).await? else { continue };
        if plan.options.save != Save::Save || plan.options.temporary || !is_live(app, &plan.user) {
            continue;
        }
        let summary = store::run::summary(&mut app.store.read().await?, run).await?;
        let ended: u64 =
            summary.iter().flat_map(|run| run.counts.values()).map(|count| u64::from(*count)).sum();
        if seen.insert(run, ended) != Some(ended) {
            insert(app, run).await?;
        }
    }
    Ok(())
}

fn is_live(app: &App, user: &jackfield_protocol::id::UserName) -> bool {
    let databases = app.lab.as_user(user).databases().unwrap_or_default();
    databases.inserts.iter().any(|database| database.config.saving.live)
}

async fn insert(app: &App, run: RunId) -> Result<()> {
    let results = results_of(app, run).await?;
    let prepared = prepare::prepare(app, &results, &word(app).await?)?;
    for database in prepared.iter().filter(|database| database.live) {
        into_database(app, database, &results).await??;
    }
    Ok(())
}
