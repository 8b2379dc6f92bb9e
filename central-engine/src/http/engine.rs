//! The engine itself: how it is, and what its log says.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::{EpState, Page},
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::{Answer, health};
use crate::{
    app::App,
    auth::{Guard, MayOperate, MayRead},
    clock, limits,
    own_log::{self, OwnLogLine},
    store::{self, job::JobCounts},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/engine", web::get().to(show)).route("/engine/log", web::get().to(log));
}

/// How the engine is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EngineStatus {
    /// The build.
    version: &'static str,
    /// Its machine.
    host: String,
    /// Operating system and release.
    os: String,
    /// Where people find it.
    url: String,
    /// What kind of server it is.
    kind: String,
    /// Where the lab is.
    location: String,
    /// When it started.
    started: Time,
    /// What time it is here.
    now: Time,
    /// Whether all parts are well.
    healthy: bool,
    /// `ok`, or what is wrong, by part.
    parts: BTreeMap<&'static str, String>,
    /// Memory of its process, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_bytes: Option<u64>,
    /// Bytes free where its data are, and in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<Disk>,
    /// Counts by name: runs that go on and all of them, tests that run, EPs by state, watchers, work left.
    counts: BTreeMap<&'static str, u64>,
    /// What the lab has set as too much, by name.
    limits: BTreeMap<&'static str, u64>,
}

/// Room for data.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Disk {
    /// Bytes that are free.
    free: u64,
    /// Bytes in all.
    total: u64,
}

/// How the engine is: its build, its machine, its parts, and what goes on.
#[utoipa::path(get, path = "/api/v1/engine", tag = "health", responses((status = 200, body = EngineStatus)))]
pub(super) async fn show(app: web::Data<App>, _: Guard<MayRead>) -> Answer {
    let parts = health::parts(&app);
    let facts = &app.facts;
    Ok(HttpResponse::Ok().json(EngineStatus {
        version: env!("CARGO_PKG_VERSION"),
        host: facts.hostname.clone(),
        os: facts.os.clone(),
        url: facts.url.clone(),
        kind: facts.server_type.clone(),
        location: facts.location.clone(),
        started: app.started,
        now: clock::now(),
        healthy: parts.values().all(|state| state == "ok"),
        parts,
        resident_bytes: health::resident_bytes(),
        disk: disk(&app),
        counts: counts(&app).await?,
        limits: [("browsers", app.limits.browsers), ("project_bytes", app.limits.project_bytes)].into(),
    }))
}

async fn counts(app: &App) -> Result<BTreeMap<&'static str, u64>, crate::failure::Failure> {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let (open, eps) = app
        .engine
        .ask(|scheduler| {
            let eps: Vec<_> = scheduler.ep_view().map(|ep| (ep.state, ep.working.len())).collect();
            (scheduler.runs().count(), eps)
        })
        .await?;
    let runs = store::run::count(&mut app.store.read().await?).await?;
    let JobCounts { waiting, given_up } = app.job_counts.load();
    let of = |wanted: EpState| count(eps.iter().filter(|(state, _)| *state == wanted).count());
    Ok([
        ("runs_open", count(open)),
        ("runs", runs),
        ("tests_running", count(eps.iter().map(|(_, working)| working).sum())),
        ("eps_idle", of(EpState::Idle)),
        ("eps_busy", of(EpState::Busy)),
        ("eps_draining", of(EpState::Draining)),
        ("eps_offline", of(EpState::Offline)),
        ("watchers", count(app.live.watchers().saturating_add(app.feed.watchers()))),
        ("logs_followed", count(app.logs.followers())),
        ("consoles", count(app.consoles.rows().len())),
        ("jobs_waiting", waiting),
        ("jobs_given_up", given_up),
    ]
    .into())
}

fn disk(app: &App) -> Option<Disk> {
    let stat = rustix::fs::statvfs(app.blobs.folder()).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Some(Disk { free: bytes(stat.f_bavail), total: bytes(stat.f_blocks) })
}

/// Which lines of the log.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LogQuery {
    /// Only lines after this one.
    #[serde(default)]
    after: u64,
}

/// The newest lines of the engine's own log, oldest first, at most 2,000: those of this life. The rest is where the
/// engine's standard error goes.
#[utoipa::path(get, path = "/api/v1/engine/log", tag = "health", params(LogQuery),
    responses((status = 200, body = Page<OwnLogLine>)))]
pub(super) async fn log(_: Guard<MayOperate>, query: web::Query<LogQuery>) -> Answer {
    let items = own_log::newest(query.after, limits::OWN_LOG_LINES_MAX);
    std::future::ready(Ok(HttpResponse::Ok().json(Page { items, next: None }))).await
}
