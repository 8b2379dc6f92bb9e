//! Whether the engine is well, for machines that watch it. No log-in: nothing here says what the lab does.

use std::{collections::BTreeMap, fmt::Write as _};

use actix_web::{HttpResponse, web};
use jackfield_protocol::api::EpState;
use serde::Serialize;

use super::Answer;
use crate::{app::App, clock, limits, store};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/healthz", web::get().to(health)).route("/metrics", web::get().to(metrics));
}

/// How the parts of the engine are.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Health {
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
    let mut parts = BTreeMap::new();
    let store = within(async { app.store.ping().await.map_err(|error| error.to_string()) }).await;
    parts.insert("store", store);
    let engine = app.engine.ask(|scheduler| scheduler.check());
    let engine = within(async { engine.await.map_err(|problem| problem.title)? }).await;
    parts.insert("loop", engine);
    let bench = app.resources.look(|_| ());
    parts.insert("resources", within(async { bench.await.map_err(|problem| problem.title) }).await);
    let healthy = parts.values().all(|state| state == "ok");
    let mut response = if healthy { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    Ok(response.json(Health { healthy, parts, version: env!("CARGO_PKG_VERSION") }))
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
    let jobs = store::job::list(&mut app.store.read().await?).await?;
    let in_state = |wanted| count(eps.iter().filter(|(state, _)| *state == wanted).count());
    let given_up = jobs.iter().filter(|job| job.due.is_none()).count();
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
        &[
            ("{state=\"waiting\"}", count(jobs.len().saturating_sub(given_up))),
            ("{state=\"given_up\"}", count(given_up)),
        ],
    );
    if let Some(bytes) = resident_bytes() {
        page.gauge("resident_bytes", "Memory of the engine's process.", &[("", bytes)]);
    }
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(page.0))
}

/// The memory this process holds, where the system tells.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(u64::try_from(rustix::param::page_size()).ok()?)
}
