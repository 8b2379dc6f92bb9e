//! Whether the engine is well, for machines that watch it. No log-in: nothing here says what the lab does.

use std::{collections::BTreeMap, fmt::Write as _, sync::PoisonError};

use actix_web::{HttpResponse, web};
use jackfield_protocol::api::EpState;
use serde::Serialize;

use super::Answer;
use crate::{app::App, clock, data_folder::StoreFile, limits, store::job::JobCounts};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    let gate = || actix_web::middleware::from_fn(super::gate::keep);
    config
        .service(web::resource("/healthz").wrap(gate()).route(web::get().to(health)))
        .service(web::resource("/metrics").wrap(gate()).route(web::get().to(metrics)));
}

/// How the parts of the engine are.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    /// Whether all of them are well.
    healthy: bool,
    /// `ok`, or what is wrong, by part.
    parts: BTreeMap<&'static str, String>,
    /// The build.
    version: &'static str,
}

/// Whether store, loop and disk answer: 200, or 503 with what does not.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(super) async fn health(app: web::Data<App>) -> Answer {
    let health = app.health.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut response = if health.healthy { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    std::future::ready(Ok(response.json(health))).await
}

/// Looks at the parts of the engine until it goes down. Whoever asks is answered with the last look, so that a thousand who
/// ask, and need no log-in for it, cost the loop nothing.
pub(crate) async fn watch(app: web::Data<App>) {
    loop {
        look(&app).await;
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(limits::HEALTH_LOOK) => {}
        }
    }
}

/// Looks once.
pub(crate) async fn look(app: &App) {
    let file = app.store_file.as_ref();
    let store = async {
        file.map_or(Ok(()), StoreFile::check)?;
        app.store.ping().await.map_err(|error| error.to_string())
    };
    // What the scheduler holds is checked whole in builds for tests only: it takes long, and everybody waits for it.
    let engine = app.engine.ask(|scheduler| if cfg!(debug_assertions) { scheduler.check() } else { Ok(()) });
    let engine = async { engine.await.map_err(|problem| problem.title)? };
    let bench = app.resources.look(|_| ());
    let bench = async { bench.await.map_err(|problem| problem.title) };
    let (store, engine, resources) = tokio::join!(within(store), within(engine), within(bench));
    let parts = BTreeMap::from([("store", store), ("loop", engine), ("resources", resources)]);
    let healthy = parts.values().all(|state| state == "ok");
    let health = Health { healthy, parts, version: env!("CARGO_PKG_VERSION") };
    *app.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
}

/// `ok`, or what is wrong, by part, at the last look.
pub(super) fn parts(app: &App) -> BTreeMap<&'static str, String> {
    app.health.lock().unwrap_or_else(PoisonError::into_inner).parts.clone()
}

async fn within(check: impl Future<Output = Result<(), String>>) -> String {
    match tokio::time::timeout(limits::HEALTH_WAIT, check).await {
        Ok(Ok(())) => "ok".to_owned(),
        Ok(Err(error)) => error,
        Err(_) => format!("no answer for {} s", limits::HEALTH_WAIT.as_secs()),
    }
}

/// A page of Prometheus' text format.
#[derive(Default)]
struct Metrics(String);

impl Metrics {
    fn gauge(&mut self, name: &str, help: &str, values: &[(&str, u64)]) {
        self.family(name, help, "gauge", values);
    }

    /// `values` are labels, ready to print, and numbers. Writing into a text has no way to fail.
    fn family(&mut self, name: &str, help: &str, kind: &str, values: &[(&str, u64)]) {
        let Self(text) = self;
        let mut line = |args: std::fmt::Arguments<'_>| text.write_fmt(args).is_ok();
        line(format_args!("# HELP jackfield_{name} {help}\n# TYPE jackfield_{name} {kind}\n"));
        for (labels, value) in values {
            line(format_args!("jackfield_{name}{labels} {value}\n"));
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Numbers for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn metrics(app: web::Data<App>) -> Answer {
    let (runs, eps) = app
        .engine
        .ask(|scheduler| {
            let eps: Vec<_> = scheduler.ep_view().map(|ep| (ep.state, ep.working.len())).collect();
            (scheduler.runs().count(), eps)
        })
        .await?;
    let JobCounts { waiting, given_up } = app.job_counts.load();
    let in_state = |wanted| count(eps.iter().filter(|(state, _)| *state == wanted).count());
    let mut page = Metrics::default();
    page.gauge(
        "up_seconds",
        "Seconds since the engine started.",
        &[("", clock::now().millis_since(app.started) / 1_000)],
    );
    page.gauge("runs_open", "Runs that have not ended.", &[("", count(runs))]);
    page.gauge(
        "eps",
        "Execution Processes by state.",
        &[
            ("{state=\"idle\"}", in_state(EpState::Idle)),
            ("{state=\"busy\"}", in_state(EpState::Busy)),
            ("{state=\"draining\"}", in_state(EpState::Draining)),
            ("{state=\"offline\"}", in_state(EpState::Offline)),
        ],
    );
    page.gauge(
        "attempts_working",
        "Tests that run now.",
        &[("", count(eps.iter().map(|(_, working)| working).sum()))],
    );
    page.gauge("live_watchers", "Live pages that watch a run.", &[("", count(app.live.watchers()))]);
    page.gauge("logs_followed", "Logs that someone follows.", &[("", count(app.logs.followers()))]);
    page.gauge(
        "jobs",
        "Work left by runs: waiting, and given up.",
        &[("{state=\"waiting\"}", waiting), ("{state=\"given_up\"}", given_up)],
    );
    if let Some(bytes) = resident_bytes() {
        page.gauge("resident_bytes", "Memory of the engine's process.", &[("", bytes)]);
    }
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(page.0))
}

/// The memory this process holds, where the system tells.
pub(super) fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(u64::try_from(rustix::param::page_size()).ok()?)
}
