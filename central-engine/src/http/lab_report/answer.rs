//! What a report answers, to whoever may see it: a person of the lab, or somebody with a link.

use std::sync::Arc;

use actix_web::{HttpResponse, http::header, web};
use futures_util::stream;
use jackfield_protocol::{error::ErrorCode, id::UserName};
use jackfield_reporting::{
    chart::{Chart, svg},
    table::{Column, ColumnKind, json_row},
};
use serde::Serialize;
use serde_json::Value as Json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Asked, databases};
use crate::{
    app::App,
    failure::Failure,
    lab_db::{
        export::{self, Format},
        read::View,
        report::{self, Opened, ReportError, Values},
    },
    limits,
};

/// The header with what a reader of an export should know.
const NOTICES: &str = "jackfield-notices";

/// A column of a report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ColumnView {
    /// As the query names it.
    name: String,
    /// `number`, `date` or `text`.
    #[schema(value_type = String)]
    kind: ColumnKind,
}

/// A page of a report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ReportRows {
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
pub(in crate::http) struct ReportCount {
    /// So many.
    rows: u64,
}

/// What a chart is drawn from.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ReportChart {
    /// `pie`, `bar` or `line`; with `axis` (`names`, `numbers`, `days`), `axis_name`, `labels`, `places` and `series` (`name`, `values`).
    #[schema(value_type = Object)]
    chart: Chart,
    /// What a reader should know: what was left out.
    notices: Vec<String>,
}

impl From<&Column> for ColumnView {
    fn from(column: &Column) -> Self {
        Self { name: column.name.clone(), kind: column.kind }
    }
}

/// A report that is open, with its place among those that are made at once: it is given back when this is dropped.
pub(in crate::http) struct InPlace {
    opened: Opened,
    place: OwnedSemaphorePermit,
}

/// A place among the reports that are made at once.
pub(in crate::http) fn take_place(
    places: &Arc<Semaphore>,
    most: usize,
) -> Result<OwnedSemaphorePermit, Failure> {
    Arc::clone(places).try_acquire_owned().map_err(|_none_left| {
        Failure::new(ErrorCode::TooMany, format!("{most} reports are being made; try again when one is done"))
    })
}

/// Opens a report as a user sees it.
///
/// # Errors
/// There is none of that name, it lacks values, or the database does not do it.
pub(in crate::http) async fn in_place(
    app: &App,
    user: &UserName,
    place: OwnedSemaphorePermit,
    name: &str,
    values: &Values,
    wait: std::time::Duration,
) -> Result<InPlace, ReportError> {
    let databases = databases(app, user);
    let opened = report::find(&databases, name)?.open(&app.lab.layout().root, values, wait).await?;
    Ok(InPlace { opened, place })
}

type Told = Result<HttpResponse, ReportError>;

pub(in crate::http) async fn rows(InPlace { mut opened, place: _place }: InPlace, asked: Asked) -> Told {
    let limit = asked.limit.unwrap_or(limits::PAGE_DEFAULT).min(limits::PAGE_MAX);
    // One more tells whether there are more.
    let view = View { limit: Some(u64::from(limit).saturating_add(1)), ..asked.view };
    let mut table = opened.page(&view).await?;
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

pub(in crate::http) async fn count(InPlace { mut opened, place: _place }: InPlace, asked: Asked) -> Told {
    let rows = opened.count(&asked.view).await?;
    Ok(HttpResponse::Ok().json(ReportCount { rows }))
}

pub(in crate::http) async fn chart(InPlace { mut opened, place: _place }: InPlace) -> Told {
    let chart = opened.chart().await?;
    Ok(HttpResponse::Ok().json(ReportChart { chart, notices: opened.notices }))
}

pub(in crate::http) async fn drawing(
    InPlace { mut opened, place: _place }: InPlace,
    asked: Asked,
    title: &str,
) -> Told {
    let chart = opened.chart().await?;
    let theme = if asked.dark { svg::Theme::Dark } else { svg::Theme::Light };
    let drawn = svg::draw(&chart, title, theme);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "image/svg+xml"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, crate::http::gate::REPORT_POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(drawn))
}

/// The format of an export, by its ending.
pub(in crate::http) fn format(ending: &str) -> Result<Format, Failure> {
    Format::of_ending(ending)
        .ok_or_else(|| Failure::not_found(format!("export `{ending}`; there are csv, json and xlsx")))
}

pub(in crate::http) async fn whole(InPlace { opened, place }: InPlace, asked: Asked, format: Format) -> Told {
    // In a CSV there is no place for what is not a row.
    let notices = opened.notices.join("; ");
    let mut pieces = export::pieces(opened, View { offset: 0, limit: None, ..asked.view }, format);
    // What is refused is refused with the first rows: as long as nothing was sent, it is told as it should be.
    let first = match pieces.recv().await {
        Some(Err(error)) => return Err(error),
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
