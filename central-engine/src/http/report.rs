//! Reports of a run, made when they are asked for: also of a run that goes on.

use std::io::{self, BufWriter, Write};

use actix_web::{HttpResponse, http::header, web};
use futures_util::stream;
use jackfield_protocol::id::RunId;
use jackfield_reporting::{
    html, junit,
    listing::{self, Format},
    results::Results,
    summary,
};

use tokio::sync::mpsc;

use super::{Answer, run};
use crate::{
    app::App,
    auth::SeesRun,
    failure::Failure,
    limits,
    run::results::{self, LogsOfEngine},
    store::{self, job::Kind},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/runs/{run}/junit.xml", web::get().to(as_junit))
        .route("/runs/{run}/report.html", web::get().to(as_html))
        .route("/runs/{run}/report.csv", web::get().to(as_csv))
        .route("/runs/{run}/report.json", web::get().to(as_json))
        .route("/runs/{run}/report.tap", web::get().to(as_tap))
        .route("/runs/{run}/summary.txt", web::get().to(as_text));
}

/// The JUnit file of a run.
#[utoipa::path(get, path = "/api/v1/runs/{run}/junit.xml", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, content_type = "application/xml", body = String), (status = 404)))]
pub(super) async fn as_junit(app: web::Data<App>, _: SeesRun, run: web::Path<RunId>) -> Answer {
    report(&app, *run, "application/xml", |results, logs, out| {
        junit::write(results, logs, junit::Options::default(), out)
    })
    .await
}

/// The HTML report of a run: one file that needs nothing else.
#[utoipa::path(get, path = "/api/v1/runs/{run}/report.html", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, content_type = "text/html", body = String), (status = 404)))]
pub(super) async fn as_html(app: web::Data<App>, _: SeesRun, run: web::Path<RunId>) -> Answer {
    report(&app, *run, "text/html; charset=utf-8", |results, logs, out| html::write(results, logs, out)).await
}

/// All tests of a run as comma-separated values.
#[utoipa::path(get, path = "/api/v1/runs/{run}/report.csv", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, content_type = "text/csv", body = String), (status = 404)))]
pub(super) async fn as_csv(app: web::Data<App>, _: SeesRun, run: web::Path<RunId>) -> Answer {
    report(&app, *run, "text/csv; charset=utf-8", |results, _, out| listing::write(results, Format::Csv, out))
        .await
}

/// A run and all its tests, with what they checked.
#[utoipa::path(get, path = "/api/v1/runs/{run}/report.json", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, content_type = "application/json", body = String), (status = 404)))]
pub(super) async fn as_json(app: web::Data<App>, _: SeesRun, run: web::Path<RunId>) -> Answer {
    report(&app, *run, "application/json", |results, _, out| listing::write(results, Format::Json, out)).await
}

/// All tests of a run in the Test Anything Protocol.
#[utoipa::path(get, path = "/api/v1/runs/{run}/report.tap", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, content_type = "text/plain", body = String), (status = 404)))]
pub(super) async fn as_tap(app: web::Data<App>, _: SeesRun, run: web::Path<RunId>) -> Answer {
    report(&app, *run, "text/plain; charset=utf-8", |results, _, out| {
        listing::write(results, Format::Tap, out)
    })
    .await
}

/// The table of a run as plain text.
#[utoipa::path(get, path = "/api/v1/runs/{run}/summary.txt", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, content_type = "text/plain", body = String), (status = 404)))]
pub(super) async fn as_text(app: web::Data<App>, _: SeesRun, run: web::Path<RunId>) -> Answer {
    report(&app, *run, "text/plain; charset=utf-8", |results, _, out| {
        let summary = summary::Summary::of(results);
        out.write_all(summary::table(results, &summary).as_bytes())
    })
    .await
}

async fn report(
    app: &App,
    run: RunId,
    kind: &str,
    write: fn(&Results, &LogsOfEngine, &mut dyn Write) -> io::Result<()>,
) -> Answer {
    let results = results::gather(&app.store, run, app.facts.clone()).await?;
    let results = results.ok_or_else(|| run::no_run(run))?;
    wait_for_logs(app, run, &results).await?;
    let logs = LogsOfEngine(app.logs.clone());
    let (pieces, waiting) = mpsc::channel(PIECES_WAITING_MAX);
    app.tasks.spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(limits::COPY_BYTES, Pieces(pieces));
        if let Err(error) = write(&results, &logs, &mut out).and_then(|()| out.flush()) {
            let (reader, _) = out.into_parts();
            // The answer ends in the middle, which its reader can tell; one who has gone away needs to hear nothing.
            drop(reader.0.blocking_send(Err(error)));
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, super::gate::REPORT_POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(stream::unfold(waiting, |mut waiting| async { Some((waiting.recv().await?, waiting)) })))
}

/// What tests wrote may come after the news of their end: a report of a run that has just ended waits for it, as the files
/// in the outbox do. Of a run that goes on, and of one whose logs are packed, there is nothing to wait for.
async fn wait_for_logs(app: &App, run: RunId, results: &Results) -> Result<(), Failure> {
    let left = store::job::of_run(&mut app.store.read().await?, run).await?;
    if left.iter().any(|job| job.work.kind() == Kind::Finish) {
        results::rest_of_logs(&app.logs, results).await?;
    }
    Ok(())
}

/// Pieces of a report between its writer and the socket: a slow reader holds up the writer, and no report stands in memory.
const PIECES_WAITING_MAX: usize = 4;

/// The writing end of an answer.
struct Pieces(mpsc::Sender<io::Result<web::Bytes>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Ok(web::Bytes::copy_from_slice(bytes));
        self.0.blocking_send(piece).ok().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
