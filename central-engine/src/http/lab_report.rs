//! Reports of the lab's own database: which there are, a page of one, its chart, and all of it as a file.
//!
//! Values of fields are parameters `field.NAME`; `sort=2` (or `-2`) orders by the second column, `filter.3=text` wants a text in the third,
//! `search=text` in any. The database does all of it.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use futures_util::stream;
use jackfield_config::{Databases, db::FieldKind};
use jackfield_protocol::error::ErrorCode;
use jackfield_reporting::{
    chart::{Chart, svg},
    table::{Column, ColumnKind, json_row},
};
use serde::Serialize;
use serde_json::Value as Json;

use super::Answer;
use crate::{
    app::App,
    auth::{Guard, MayRead},
    failure::Failure,
    lab_db::{
        choices::{self, Choice},
        export::{self, Format},
        read::View,
        report::{self, Found, Opened, ReportError, Values},
    },
    limits,
};

/// The header with what a reader of an export should know.
const NOTICES: &str = "jackfield-notices";

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

/// A column of a report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ColumnView {
    /// As the query names it.
    name: String,
    /// `number`, `date` or `text`.
    #[schema(value_type = String)]
    kind: ColumnKind,
}

/// A page of a report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReportRows {
    /// Its columns.
    columns: Vec<ColumnView>,
    /// Rows, each with a value for every column: null, a number, or a text; also a number that JavaScript would cut is a text.
    rows: Vec<Json>,
    /// Whether there are more.
    more: bool,
    /// What a reader should know: what was left out.
    notices: Vec<String>,
}

/// How many rows a report has.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReportCount {
    /// So many.
    rows: u64,
}

/// What a chart is drawn from.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReportChart {
    /// `pie`, `bar` or `line`; with `axis` (`names`, `numbers`, `days`), `axis_name`, `labels`, `places` and `series` (`name`, `values`).
    #[schema(value_type = Object)]
    chart: Chart,
    /// What a reader should know: what was left out.
    notices: Vec<String>,
}

/// The reports of the lab's database, as its files say.
#[utoipa::path(get, path = "/api/v1/reports", tag = "reports", responses((status = 200, body = ReportList)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<MayRead>) -> Answer {
    let databases = databases(&app, &guard);
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
    let databases = databases(&app, &guard);
    let found = report::find(&databases, &report).map_err(refusal)?;
    let asked = Asked::of(&request)?;
    // What the fields can be is asked of the database, too.
    let _place = take_place(&app)?;
    let mut form = Vec::new();
    for field in found.fields() {
        let listed = choices::of(&found.database.config, field, &app.lab.layout().root, &asked.values).await;
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
    let (mut opened, _place) = open(&app, &guard, &report, &asked, limits::REPORT_WAIT).await?;
    let limit = asked.limit.unwrap_or(limits::PAGE_DEFAULT).min(limits::PAGE_MAX);
    // One more tells whether there are more.
    let view = View { limit: Some(u64::from(limit).saturating_add(1)), ..asked.view };
    let mut table = opened.page(&view).await.map_err(refusal)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = table.rows.len() > limit;
    table.rows.truncate(limit);
    Ok(HttpResponse::Ok().json(ReportRows {
        columns: table.columns.iter().map(ColumnView::from).collect(),
        rows: table.rows.iter().map(|row| json_row(row)).collect(),
        more,
        notices: opened.notices,
    }))
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
    let (mut opened, _place) = open(&app, &guard, &report, &asked, limits::REPORT_WAIT).await?;
    let rows = opened.count(&asked.view).await.map_err(refusal)?;
    Ok(HttpResponse::Ok().json(ReportCount { rows }))
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
    let (mut opened, _place) = open(&app, &guard, &report, &asked, limits::REPORT_WAIT).await?;
    let chart = opened.chart().await.map_err(refusal)?;
    Ok(HttpResponse::Ok().json(ReportChart { chart, notices: opened.notices }))
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
    let (mut opened, _place) = open(&app, &guard, &report, &asked, limits::REPORT_WAIT).await?;
    let chart = opened.chart().await.map_err(refusal)?;
    let theme = if asked.dark { svg::Theme::Dark } else { svg::Theme::Light };
    let drawn = svg::draw(&chart, &report, theme);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "image/svg+xml"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, super::gate::REPORT_POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(drawn))
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
    let format = Format::of_ending(&format)
        .ok_or_else(|| Failure::not_found(format!("export `{format}`; there are csv, json and xlsx")))?;
    let asked = Asked::of(&request)?;
    let (opened, place) = open(&app, &guard, &report, &asked, limits::EXPORT_WAIT).await?;
    // In a CSV there is no place for what is not a row.
    let notices = opened.notices.join("; ");
    let mut pieces = export::pieces(opened, View { offset: 0, limit: None, ..asked.view }, format);
    // What is refused is refused with the first rows: as long as nothing was sent, it is told as it should be.
    let first = match pieces.recv().await {
        Some(Err(error)) => return Err(refusal(error)),
        Some(Ok(piece)) => piece,
        None => Vec::new(),
    };
    let rest = stream::unfold((Some(first), pieces, place), |(first, mut pieces, place)| async move {
        let piece = match first {
            Some(first) => Ok(first),
            // The answer ends in the middle, which its reader can tell.
            None => pieces.recv().await?.map_err(std::io::Error::other),
        };
        Some((piece.map(web::Bytes::from), (None, pieces, place)))
    });
    let mut answer = HttpResponse::Ok();
    if !notices.is_empty() {
        answer.insert_header((NOTICES, notices));
    }
    Ok(answer
        .insert_header((header::CONTENT_TYPE, format.content_type()))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(rest))
}

fn databases(app: &App, guard: &Guard<MayRead>) -> Databases {
    app.lab.as_user(&guard.caller.user).databases().unwrap_or_default()
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

/// Opens a report, if not too many are open; beside it its place among them.
async fn open(
    app: &App,
    guard: &Guard<MayRead>,
    name: &str,
    asked: &Asked,
    wait: std::time::Duration,
) -> Result<(Opened, tokio::sync::OwnedSemaphorePermit), Failure> {
    let place = take_place(app)?;
    let databases = databases(app, guard);
    let found = report::find(&databases, name).map_err(refusal)?;
    let opened = found.open(&app.lab.layout().root, &asked.values, wait).await.map_err(refusal)?;
    Ok((opened, place))
}

/// A place among the reports that are made at once, given back when it is dropped.
fn take_place(app: &App) -> Result<tokio::sync::OwnedSemaphorePermit, Failure> {
    std::sync::Arc::clone(&app.reports_at_once).try_acquire_owned().map_err(|_none_left| {
        let most = limits::REPORTS_AT_ONCE_MAX;
        Failure::new(ErrorCode::TooMany, format!("{most} reports are being made; try again when one is done"))
    })
}

fn refusal(error: ReportError) -> Failure {
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

impl From<&Column> for ColumnView {
    fn from(column: &Column) -> Self {
        Self { name: column.name.clone(), kind: column.kind }
    }
}

/// What a request wants of a report.
#[derive(Debug, Default)]
struct Asked {
    values: Values,
    view: View,
    limit: Option<u32>,
    dark: bool,
}

impl Asked {
    fn of(request: &HttpRequest) -> Result<Self, Failure> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        let mut asked = Self::default();
        for (key, value) in pairs.map_err(|error| Failure::from_query(&error))?.into_inner() {
            asked.take(&key, &value).map_err(|title| Failure::new(ErrorCode::BadRequest, title))?;
        }
        Ok(asked)
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), String> {
        if let Some(field) = key.strip_prefix("field.") {
            self.values.insert(field.to_owned(), value.to_owned());
            return Ok(());
        }
        if let Some(number) = key.strip_prefix("filter.") {
            self.view.filters.push((column(number)?, value.to_owned()));
            return Ok(());
        }
        let count =
            |value: &str| value.parse().map_err(|_not_one| format!("`{key}` is a number, not `{value}`"));
        match key {
            "sort" => {
                let (number, is_descending) =
                    value.strip_prefix('-').map_or((value, false), |rest| (rest, true));
                self.view.sort = Some((column(number)?, is_descending));
            }
            "search" => self.view.search = value.to_owned(),
            "offset" => self.view.offset = count(value)?,
            "limit" => self.limit = Some(u32::try_from(count(value)?).unwrap_or(limits::PAGE_MAX)),
            "theme" => self.dark = value == "dark",
            _ => {
                return Err(format!(
                    "`{key}` is nothing that a report knows: field.NAME, sort, filter.COLUMN, search, offset, limit, theme"
                ));
            }
        }
        Ok(())
    }
}

/// A column's number, from 1.
fn column(number: &str) -> Result<usize, String> {
    let number: usize = number.parse().map_err(|_not_one| format!("`{number}` is no number of a column"))?;
    number.checked_sub(1).ok_or_else(|| "columns are counted from 1".to_owned())
}
