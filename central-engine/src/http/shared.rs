//! What a link to a report opens: that report, with the values of the link, and nothing else. Whoever has the link needs no account.
//!
//! The link lends what its owner may see: it opens nothing once they may not see reports any more. What the database says of its tables and
//! hosts when it refuses something is for people of the lab.

use std::pin::Pin;

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, web};
use jackfield_protocol::{error::ErrorCode, id::UserName, time::Time};
use serde::Serialize;

use super::{
    Answer,
    lab_report::{
        Asked,
        answer::{self, InPlace, ReportChart, ReportCount, ReportRows, in_place, take_place},
        databases,
    },
};
use crate::{
    app::App,
    auth::{self, Role},
    clock,
    failure::Failure,
    lab_db::report::{self, ReportError},
    limits,
    store::{self, share::ShareRow},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/shared/{link}", web::get().to(show))
        .route("/shared/{link}/rows", web::get().to(rows))
        .route("/shared/{link}/count", web::get().to(count))
        .route("/shared/{link}/chart", web::get().to(chart))
        .route("/shared/{link}/chart.svg", web::get().to(drawing))
        .route("/shared/{link}/export/{format}", web::get().to(whole));
}

/// A report that somebody shares.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SharedReport {
    /// The report.
    report: String,
    /// `table`, `pie`, `bar` or `line`.
    kind: String,
    /// The values of its fields, in the order of its form.
    values: Vec<SharedValue>,
    /// Who shares it.
    owner: UserName,
    /// When the link ends.
    expires: Time,
}

/// The value of a field.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SharedValue {
    /// What a person reads.
    label: String,
    /// The value.
    value: String,
}

/// Proof that somebody has a link that opens something.
pub(super) struct Visitor(ShareRow);

impl FromRequest for Visitor {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<web::Data<App>>().cloned();
        let hash = request.match_info().get("link").map(auth::token_hash);
        Box::pin(async move {
            let (Some(app), Some(hash)) = (app, hash) else { return Err(nothing()) };
            Self::of(&app, &hash).await
        })
    }
}

impl Visitor {
    async fn of(app: &App, hash: &str) -> Result<Self, Failure> {
        let now = clock::now();
        let share = store::share::find(&mut app.store.read().await?, hash, now).await?.ok_or_else(nothing)?;
        match auth::check_user(&app.store, &share.owner, Role::ViewReports).await {
            Ok(()) => {}
            Err(problem) if problem.code == ErrorCode::Forbidden => return Err(nothing()),
            Err(problem) => return Err(problem.into()),
        }
        // A note for people: nobody waits for a busy store because of it.
        if share.used.is_none_or(|used| now.millis_since(used) > limits::TOKEN_TOUCH_MILLIS)
            && let Some(mut conn) = app.store.try_write().await?
        {
            store::share::touch(&mut conn, share.id, now).await?;
            conn.commit().await?;
        }
        Ok(Self(share))
    }

    /// What is asked of the report; its values are those of the link.
    fn asked(&self, request: &HttpRequest) -> Result<Asked, Failure> {
        let asked = Asked::of(request)?;
        if !asked.values.is_empty() {
            let title =
                "this link opens a report with the values that it was made with: leave `field.NAME` out";
            return Err(Failure::new(ErrorCode::BadRequest, title));
        }
        Ok(Asked { values: self.0.given.clone(), ..asked })
    }

    async fn open(&self, app: &App, wait: std::time::Duration) -> Result<InPlace, Failure> {
        let place = take_place(&app.shared_at_once, limits::SHARED_AT_ONCE_MAX)?;
        let ShareRow { owner, report, given, .. } = &self.0;
        in_place(app, owner, place, report, given, wait).await.map_err(|error| refusal(&error))
    }
}

fn nothing() -> Failure {
    let title = "this link opens nothing: it has ended, was taken back, or lacks a part; ask for another one";
    Failure::new(ErrorCode::NotFound, title)
}

fn refusal(error: &ReportError) -> Failure {
    let (code, title) = match error {
        ReportError::Unknown { .. } => (ErrorCode::NotFound, "the lab has this report no more".to_owned()),
        ReportError::Join(_) | ReportError::Chart(_) => (ErrorCode::BadFile, error.to_string()),
        ReportError::Fields(_)
        | ReportError::Address(_)
        | ReportError::Query { .. }
        | ReportError::Database { .. } => {
            let title =
                "the lab's database does not give this report now; who shares it is told why on its page";
            (ErrorCode::BadFile, title.to_owned())
        }
    };
    Failure::new(code, title)
}

/// The report that a link opens.
#[utoipa::path(get, path = "/api/v1/shared/{link}", tag = "reports", params(("link" = String, Path)),
    responses((status = 200, body = SharedReport), (status = 404)))]
pub(super) async fn show(app: web::Data<App>, visitor: Visitor) -> Answer {
    let Visitor(share) = visitor;
    let databases = databases(&app, &share.owner);
    let found = report::find(&databases, &share.report).map_err(|error| refusal(&error))?;
    let values = found.fields().into_iter().filter_map(|field| {
        let label = if field.label.is_empty() { &field.id.value } else { &field.label };
        let value = share.given.get(&*field.id.value)?.clone();
        Some(SharedValue { label: label.to_string(), value })
    });
    let (kind, values) = (found.kind().to_owned(), values.collect());
    let ShareRow { report, owner, expires, .. } = share;
    Ok(HttpResponse::Ok().json(SharedReport { report, kind, values, owner, expires }))
}

/// A page of the report that a link opens: `sort`, `filter.COLUMN`, `search`, `offset`, `limit`.
#[utoipa::path(get, path = "/api/v1/shared/{link}/rows", tag = "reports", params(("link" = String, Path)),
    responses((status = 200, body = ReportRows), (status = 404), (status = 422)))]
pub(super) async fn rows(app: web::Data<App>, visitor: Visitor, request: HttpRequest) -> Answer {
    let asked = visitor.asked(&request)?;
    let opened = visitor.open(&app, limits::REPORT_WAIT).await?;
    answer::rows(opened, asked).await.map_err(|error| refusal(&error))
}

/// How many rows the report has that a link opens.
#[utoipa::path(get, path = "/api/v1/shared/{link}/count", tag = "reports", params(("link" = String, Path)),
    responses((status = 200, body = ReportCount), (status = 404), (status = 422)))]
pub(super) async fn count(app: web::Data<App>, visitor: Visitor, request: HttpRequest) -> Answer {
    let asked = visitor.asked(&request)?;
    let opened = visitor.open(&app, limits::REPORT_WAIT).await?;
    answer::count(opened, asked).await.map_err(|error| refusal(&error))
}

/// What the chart of the report is drawn from that a link opens.
#[utoipa::path(get, path = "/api/v1/shared/{link}/chart", tag = "reports", params(("link" = String, Path)),
    responses((status = 200, body = ReportChart), (status = 404), (status = 422)))]
pub(super) async fn chart(app: web::Data<App>, visitor: Visitor, request: HttpRequest) -> Answer {
    visitor.asked(&request)?;
    let opened = visitor.open(&app, limits::REPORT_WAIT).await?;
    answer::chart(opened).await.map_err(|error| refusal(&error))
}

/// The chart as a picture; `theme=dark` for a dark one.
#[utoipa::path(get, path = "/api/v1/shared/{link}/chart.svg", tag = "reports", params(("link" = String, Path)),
    responses((status = 200, content_type = "image/svg+xml", body = String), (status = 404), (status = 422)))]
pub(super) async fn drawing(app: web::Data<App>, visitor: Visitor, request: HttpRequest) -> Answer {
    let asked = visitor.asked(&request)?;
    let opened = visitor.open(&app, limits::REPORT_WAIT).await?;
    answer::drawing(opened, asked, &visitor.0.report).await.map_err(|error| refusal(&error))
}

/// All rows of the report that a link opens: `csv`, `json` or `xlsx`.
#[utoipa::path(get, path = "/api/v1/shared/{link}/export/{format}", tag = "reports",
    params(("link" = String, Path), ("format" = String, Path)),
    responses((status = 200, content_type = "text/csv", body = String), (status = 404), (status = 422)))]
pub(super) async fn whole(
    app: web::Data<App>,
    visitor: Visitor,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Answer {
    let format = answer::format(&path.1)?;
    let asked = visitor.asked(&request)?;
    let opened = visitor.open(&app, limits::EXPORT_WAIT).await?;
    answer::whole(opened, asked, format).await.map_err(|error| refusal(&error))
}
