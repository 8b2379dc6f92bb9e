//! Logs by line: windows of a log of any length.
//!
//! With [`super::log_search`] and [`super::log_growth`] this is what a person's view of a log asks, so that gigabytes stay with the engine: it
//! fetches the lines that are seen, is told how many there are, and has the whole log searched here.

use actix_web::{HttpResponse, http::header, web};
use jackfield_protocol::{error::ErrorCode, id::AttemptId, log::Stream, time::Time};
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::{
    app::App,
    auth::SeesRun,
    failure::Failure,
    limits,
    logs::{Arrivals, Line, LogKey},
    store,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/attempts/{attempt}/logs/{stream}/lines", web::get().to(lines));
}

/// Which lines.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LinesQuery {
    /// The number of the first, counted from 1.
    from: Option<u64>,
    /// The last so many lines instead.
    last: Option<u64>,
    /// How many from `from` on; 200 where it is not given, at most 2,000. 0 only counts.
    count: Option<u64>,
    /// Say when each line came.
    #[serde(default)]
    times: bool,
}

/// Lines a window has where nothing else is asked for.
const LINES_DEFAULT: u64 = 200;

/// A window of a log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LogLines {
    /// How many bytes of the log the engine has.
    size: u64,
    /// How many lines; one that has not ended yet counts.
    lines: u64,
    /// The lines. There are fewer than asked for at the end of the log, and where they reach a mebibyte.
    items: Vec<LogLine>,
}

/// A line of a log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LogLine {
    /// Counted from 1.
    line: u64,
    /// At which byte of the log it begins.
    from: u64,
    /// How many bytes it has, without the line feed.
    bytes: u64,
    /// Its text; bytes that are no UTF-8 are replacement characters.
    text: String,
    /// It has more than 4,096 bytes, and `text` is the beginning. `Range` of the log itself has the rest.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    /// What follows the last carriage return of a line that is cut: what a terminal shows of a progress bar. Not given where there is none in
    /// its last 4,096 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    /// When its first byte came to the engine, to a tenth of a second, in a log of more than an hour to a second; where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Time>,
}

impl LogLine {
    fn new(Line { line, from, length, bytes, last }: Line, arrivals: &Arrivals) -> Self {
        let cut = u64::try_from(bytes.len()).unwrap_or(u64::MAX) < length;
        let last = last.map(|bytes| text(&bytes, false));
        Self { line, from, bytes: length, text: text(&bytes, cut), cut, last, at: arrivals.at(from) }
    }
}

/// Bytes as text; a character that a cut went through is left out.
pub(super) fn text(bytes: &[u8], cut: bool) -> String {
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if cut && error.error_len().is_none() => bytes.get(..error.valid_up_to()).unwrap_or(bytes),
        Ok(_) | Err(_) => bytes,
    };
    String::from_utf8_lossy(whole).into_owned()
}

/// Which log, if there is such an attempt.
pub(super) async fn key(app: &App, path: (AttemptId, String)) -> Result<LogKey, Failure> {
    let (attempt, stream) = path;
    let stream =
        stream.parse::<Stream>().map_err(|error| Failure::new(ErrorCode::NotFound, error.to_string()))?;
    let known = store::attempt::fetch(&mut app.store.read().await?, attempt).await?;
    known.map(|_| LogKey { attempt, stream }).ok_or_else(|| Failure::not_found(format!("attempt {attempt}")))
}

/// Some lines of a log, by their numbers, wherever in it they are.
#[utoipa::path(get, path = "/api/v1/attempts/{attempt}/logs/{stream}/lines", tag = "attempts",
    params(("attempt" = AttemptId, Path), ("stream" = Stream, Path), LinesQuery),
    responses((status = 200, body = LogLines), (status = 404)))]
pub(super) async fn lines(
    app: web::Data<App>,
    _: SeesRun,
    path: web::Path<(AttemptId, String)>,
    query: web::Query<LinesQuery>,
) -> Answer {
    let key = key(&app, path.into_inner()).await?;
    let LinesQuery { from, last, count, times } = query.into_inner();
    let (from, count) = match last {
        None => (from.unwrap_or(1), count.unwrap_or(LINES_DEFAULT)),
        Some(last) => {
            let last = last.min(limits::LOG_LINES_MAX);
            let lines = app.logs.lines(key, 1, 0).await?.lines;
            (lines.saturating_sub(last).saturating_add(1), last)
        }
    };
    let window = app.logs.lines(key, from, count).await?;
    // After the lines: what came in between has its time.
    let arrivals = if times { app.logs.arrivals(key).await? } else { Arrivals::default() };
    let items = window.items.into_iter().map(|line| LogLine::new(line, &arrivals)).collect();
    let answer = LogLines { size: window.size, lines: window.lines, items };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(answer))
}
