//! Reports of the lab's own database: which there are, a page of one, its chart, and all of it as a file.
//!
//! Values of fields are parameters `field.NAME`; `sort=2` (or `-2`) orders by the second column, `filter.3=text` wants a text in the third,
//! `search=text` in any. The database does all of it.

pub(super) mod answer;
mod asked;

use actix_web::{HttpRequest, HttpResponse, web};
use jackfield_config::{Databases, db::FieldKind};
use jackfield_protocol::{error::ErrorCode, id::UserName};
use serde::Serialize;

use self::answer::{InPlace, ReportChart, ReportCount, ReportRows, in_place, take_place};
pub(super) use self::asked::Asked;
use super::Answer;
use crate::{
    app::App,
    auth::{Guard, MayRead},
    failure::Failure,
    lab_db::{
        choices::{self, Choice},
        report::{self, Found, ReportError, Values},
    },
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/reports", web::get().to(list))
        .route("/reports/{report}", web::get().to(show))
        .route("/reports/{report}/rows", web::get().to(rows))
        .route("/reports/{report}/count", web::get().to(count))
        .route("/reports/{report}/chart", web::get().to(chart))
        .route("/reports/{report}/chart.svg", web::get().to(drawing))
        .route("/reports/{report}/export/{format}", web::get().to(whole));
}

/// A report of the lab's database.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReportView {
    /// Its name.
    id: String,
    /// `table`, `pie`, `bar` or `line`.
    kind: String,
    /// The folder it lies in; none where it lies in none.
    folder: Option<String>,
    /// The file that says what it is.
    file: String,
    /// The names of the fields that need a value.
    fields: Vec<String>,
}

/// An address in the list of reports.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Redirect {
    /// What it is called.
    id: String,
    /// Where it leads to.
    path: String,
}

/// The reports of the lab.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReportList {
    /// In the order of the files.
    reports: Vec<ReportView>,
    /// Addresses beside them.
    redirects: Vec<Redirect>,
    /// What is wrong with the files.
    problems: Vec<jackfield_protocol::error::FileProblem>,
}

/// A field that a report needs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct FieldView {
    /// Its name: give its value as `field.NAME`.
    id: String,
    /// What a person reads.
    label: String,
    /// Whether its value is one of a list.
    picked: bool,
    /// The list.
    choices: Vec<Choice>,
    /// Why there is no list.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A report, with what it needs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReportDetail {
    #[serde(flatten)]
    report: ReportView,
    /// The fields, with what they can be.
    form: Vec<FieldView>,
}

/// The reports of the lab's database, as its files say.
#[utoipa::path(get, path = "/api/v1/reports", tag = "reports", responses((status = 200, body = ReportList)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<MayRead>) -> Answer {
    let databases = databases(&app, &guard.caller.user);
    let reports = report::all(&databases).map(|found| view(&found)).collect();
    let redirects = databases.reports.iter().flat_map(|database| &database.config.redirects);
    let redirects = redirects.map(|(id, path)| Redirect { id: id.value.to_string(), path: path.to_string() });
    let list = ReportList { reports, redirects: redirects.collect(), problems: databases.problems.clone() };
    std::future::ready(Ok(HttpResponse::Ok().json(list))).await
}

/// A report with its form: the fields that it needs, and what each can be.
#[utoipa::path(get, path = "/api/v1/reports/{report}", tag = "reports", params(("report" = String, Path)),
    responses((status = 200, body = ReportDetail), (status = 404)))]
pub(super) async fn show(
    app: web::Data<App>,
    guard: Guard<MayRead>,
    report: web::Path<String>,
    request: HttpRequest,
) -> Answer {
    let databases = databases(&app, &guard.caller.user);
    let found = report::find(&databases, &report).map_err(refusal)?;
    let asked = Asked::of(&request)?;
    // What the fields can be is asked of the database, too.
    let _place = take_place(&app.reports_at_once, limits::REPORTS_AT_ONCE_MAX)?;
    let form = form(&app, &found, &asked.values).await;
    Ok(HttpResponse::Ok().json(ReportDetail { report: view(&found), form }))
}

/// A page of a report: `offset` and `limit` (at most 1,000).
#[utoipa::path(get, path = "/api/v1/reports/{report}/rows", tag = "reports", params(("report" = String, Path)),
    responses((status = 200, body = ReportRows), (status = 404), (status = 422)))]
pub(super) async fn rows(
    app: web::Data<App>,
    guard: Guard<MayRead>,
    report: web::Path<String>,
    request: HttpRequest,
) -> Answer {
    let asked = Asked::of(&request)?;
    let opened = open(&app, &guard, &report, &asked, limits::REPORT_WAIT).await?;
    answer::rows(opened, asked).await.map_err(refusal)
}

/// How many rows a report has, with its filters: apart from its pages, since it may take the database long.
#[utoipa::path(get, path = "/api/v1/reports/{report}/count", tag = "reports", params(("report" = String, Path)),
    responses((status = 200, body = ReportCount), (status = 404), (status = 422)))]
pub(super) async fn count(
    app: web::Data<App>,
    guard: Guard<MayRead>,
    report: web::Path<String>,
    request: HttpRequest,
) -> Answer {
    let asked = Asked::of(&request)?;
    let opened = open(&app, &guard, &report, &asked, limits::REPORT_WAIT).await?;
    answer::count(opened, asked).await.map_err(refusal)
}

/// What the chart of a report is drawn from.
#[utoipa::path(get, path = "/api/v1/reports/{report}/chart", tag = "reports", params(("report" = String, Path)),
    responses((status = 200, body = ReportChart), (status = 404), (status = 422)))]
pub(super) async fn chart(
    app: web::Data<App>,
    guard: Guard<MayRead>,
    report: web::Path<String>,
    request: HttpRequest,
) -> Answer {
    let asked = Asked::of(&request)?;
    let opened = open(&app, &guard, &report, &asked, limits::REPORT_WAIT).await?;
    answer::chart(opened).await.map_err(refusal)
}

/// The chart of a report as a picture; `theme=dark` for a dark one.
#[utoipa::path(get, path = "/api/v1/reports/{report}/chart.svg", tag = "reports", params(("report" = String, Path)),
    responses((status = 200, content_type = "image/svg+xml", body = String), (status = 404), (status = 422)))]
pub(super) async fn drawing(
    app: web::Data<App>,
    guard: Guard<MayRead>,
    report: web::Path<String>,
    request: HttpRequest,
) -> Answer {
    let asked = Asked::of(&request)?;
    let opened = open(&app, &guard, &report, &asked, limits::REPORT_WAIT).await?;
    answer::drawing(opened, asked, &report).await.map_err(refusal)
}

/// All rows of a report as a file, sorted and filtered as its pages are: `csv`, `json` or `xlsx`.
#[utoipa::path(get, path = "/api/v1/reports/{report}/export/{format}", tag = "reports",
    params(("report" = String, Path), ("format" = String, Path)),
    responses((status = 200, content_type = "text/csv", body = String), (status = 404), (status = 422)))]
pub(super) async fn whole(
    app: web::Data<App>,
    guard: Guard<MayRead>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Answer {
    let (report, format) = path.into_inner();
    let format = answer::format(&format)?;
    let asked = Asked::of(&request)?;
    let opened = open(&app, &guard, &report, &asked, limits::EXPORT_WAIT).await?;
    answer::whole(opened, asked, format).await.map_err(refusal)
}

/// What the lab's files say, as a user sees them.
pub(super) fn databases(app: &App, user: &UserName) -> Databases {
    app.lab.as_user(user).databases().unwrap_or_default()
}

/// The fields of a report, with what they can be.
async fn form(app: &App, found: &Found<'_>, values: &Values) -> Vec<FieldView> {
    let mut form = Vec::new();
    for field in found.fields() {
        let listed = choices::of(&found.database.config, field, &app.lab.layout().root, values).await;
        let (choices, error) = match listed {
            Ok(choices) => (choices, None),
            Err(error) => (Vec::new(), Some(format!("{error:#}"))),
        };
        let label = if field.label.is_empty() { &field.id.value } else { &field.label };
        form.push(FieldView {
            id: field.id.value.to_string(),
            label: label.to_string(),
            picked: field.kind == FieldKind::UserSelect,
            choices,
            error,
        });
    }
    form
}

fn view(found: &Found<'_>) -> ReportView {
    let file = std::path::Path::new(&found.database.file).file_name().unwrap_or_default();
    ReportView {
        id: found.report.id.value.to_string(),
        kind: found.kind().to_owned(),
        folder: found.report.folder.as_ref().map(ToString::to_string),
        file: file.to_string_lossy().into_owned(),
        fields: found.fields().iter().map(|field| field.id.value.to_string()).collect(),
    }
}

/// Opens a report, if not too many are open.
async fn open(
    app: &App,
    guard: &Guard<MayRead>,
    name: &str,
    asked: &Asked,
    wait: std::time::Duration,
) -> Result<InPlace, Failure> {
    let place = take_place(&app.reports_at_once, limits::REPORTS_AT_ONCE_MAX)?;
    in_place(app, &guard.caller.user, place, name, &asked.values, wait).await.map_err(refusal)
}

/// What is told to those who may see the lab: all that the database said.
pub(super) fn refusal(error: ReportError) -> Failure {
    let code = match &error {
        ReportError::Unknown { .. } => ErrorCode::NotFound,
        ReportError::Fields(_)
        | ReportError::Address(_)
        | ReportError::Query { .. }
        | ReportError::Database { .. }
        | ReportError::Join(_)
        | ReportError::Chart(_) => ErrorCode::BadFile,
    };
    Failure::new(code, error.to_string())
}
