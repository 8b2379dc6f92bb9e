//! Reports of a run, made when they are asked for: also of a run that goes on.

use std::io;

use actix_web::{HttpResponse, http::header, web};
use jackfield_protocol::{error::ErrorCode, id::RunId};
use jackfield_reporting::{html, junit, results::Results, summary};

use super::{Answer, App, Failure, run};
use crate::{
    auth::{Guard, MayRead},
    results::{self, LogsOfEngine},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/runs/{run}/junit.xml", web::get().to(as_junit))
        .route("/runs/{run}/report.html", web::get().to(as_html))
        .route("/runs/{run}/summary.txt", web::get().to(as_text));
}

/// The JUnit file of a run.
#[utoipa::path(get, path = "/api/v1/runs/{run}/junit.xml", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, content_type = "application/xml", body = String), (status = 404)))]
pub(super) async fn as_junit(app: web::Data<App>, _: Guard<MayRead>, run: web::Path<RunId>) -> Answer {
    report(&app, *run, "application/xml", |results, logs, out| {
        junit::write(results, logs, junit::Options::default(), out)
    })
    .await
}

/// The HTML report of a run: one file that needs nothing else.
#[utoipa::path(get, path = "/api/v1/runs/{run}/report.html", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, content_type = "text/html", body = String), (status = 404)))]
pub(super) async fn as_html(app: web::Data<App>, _: Guard<MayRead>, run: web::Path<RunId>) -> Answer {
    report(&app, *run, "text/html; charset=utf-8", |results, logs, out| html::write(results, logs, out)).await
}

/// The table of a run as plain text.
#[utoipa::path(get, path = "/api/v1/runs/{run}/summary.txt", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, content_type = "text/plain", body = String), (status = 404)))]
pub(super) async fn as_text(app: web::Data<App>, _: Guard<MayRead>, run: web::Path<RunId>) -> Answer {
    report(&app, *run, "text/plain; charset=utf-8", |results, _, out| {
        let summary = summary::Summary::of(results);
        out.extend_from_slice(summary::table(results, &summary).as_bytes());
        Ok(())
    })
    .await
}

async fn report(
    app: &App,
    run: RunId,
    kind: &str,
    write: fn(&Results, &LogsOfEngine, &mut Vec<u8>) -> io::Result<()>,
) -> Answer {
    let results = results::gather(&app.store, run, app.facts.clone()).await?;
    let results = results.ok_or_else(|| run::no_run(run))?;
    let logs = LogsOfEngine(app.logs.clone());
    let made = web::block(move || {
        let mut out = Vec::new();
        write(&results, &logs, &mut out).map(|()| out)
    });
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(ErrorCode::Internal, format!("the report: {error}"));
    let text = made.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text))
}
