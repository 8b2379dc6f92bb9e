//! Logs by line: windows of a log of any length, what is found in it, and how it grows.
//!
//! This is what a person's view of a log asks, so that gigabytes stay with the engine: it fetches the lines that are seen, is told how many
//! there are, and has the whole log searched here.

use std::{collections::BTreeMap, time::Duration};

use actix_web::{HttpResponse, http::header, web};
use futures_util::stream;
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::AttemptId,
    log::Stream,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{Answer, log};
use crate::{
    app::App,
    auth::SeesRun,
    failure::Failure,
    limits,
    logs::{Found, Hit, Line, LogKey, Logs, Needle, Wanted},
    store::{self, Store},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/attempts/{attempt}/logs/{stream}/lines", web::get().to(lines))
        .route("/attempts/{attempt}/logs/{stream}/search", web::get().to(search))
        .route("/attempts/{attempt}/logs/{stream}/growth", web::get().to(growth));
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
}

impl From<Line> for LogLine {
    fn from(Line { line, from, length, bytes }: Line) -> Self {
        let cut = u64::try_from(bytes.len()).unwrap_or(u64::MAX) < length;
        Self { line, from, bytes: length, text: text(&bytes, cut), cut }
    }
}

/// Bytes as text; a character that a cut went through is left out.
fn text(bytes: &[u8], cut: bool) -> String {
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if cut && error.error_len().is_none() => bytes.get(..error.valid_up_to()).unwrap_or(bytes),
        Ok(_) | Err(_) => bytes,
    };
    String::from_utf8_lossy(whole).into_owned()
}

/// Which log, if there is such an attempt.
async fn key(app: &App, path: (AttemptId, String)) -> Result<LogKey, Failure> {
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
    let LinesQuery { from, last, count } = query.into_inner();
    let (from, count) = match last {
        None => (from.unwrap_or(1), count.unwrap_or(LINES_DEFAULT)),
        Some(last) => {
            let last = last.min(limits::LOG_LINES_MAX);
            let lines = app.logs.lines(key, 1, 0).await?.lines;
            (lines.saturating_sub(last).saturating_add(1), last)
        }
    };
    let window = app.logs.lines(key, from, count).await?;
    let items = window.items.into_iter().map(LogLine::from).collect();
    let answer = LogLines { size: window.size, lines: window.lines, items };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(answer))
}

/// What to look for: exactly one of `pattern`, `text` and `find`.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// A regular expression (of the crate `regex`: no look-around, no back-references), for each line by itself.
    pattern: Option<String>,
    /// Characters that stand for themselves.
    text: Option<String>,
    /// `errors`: lines that tell of something going wrong. `steps`: headings.
    find: Option<Find>,
    /// Capital letters differ from small ones.
    #[serde(default)]
    case: bool,
    /// The number of the line to begin with: for what a log has grown by since the last search.
    from: Option<u64>,
}

/// What is known by name.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Find {
    /// Lines that tell of something going wrong.
    Errors,
    /// Headings.
    Steps,
}

impl SearchQuery {
    fn wanted(self) -> Result<Wanted, Failure> {
        match (self.pattern, self.text, self.find) {
            (Some(text), None, None) => Ok(Wanted::Pattern { text, case: self.case }),
            (None, Some(text), None) => Ok(Wanted::Text { text, case: self.case }),
            (None, None, Some(Find::Errors)) => Ok(Wanted::Errors),
            (None, None, Some(Find::Steps)) => Ok(Wanted::Steps),
            (None, None, None) | (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
                let title = "say what to look for: one of `pattern`, `text` and `find`";
                Err(Failure::new(ErrorCode::BadRequest, title).field("pattern"))
            }
        }
    }
}

/// A line of the answer to a search.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum SearchWord {
    /// A line that fits.
    Hit {
        /// Its number, counted from 1.
        line: u64,
        /// At which byte of the log it begins.
        from: u64,
        /// The line; of a long one, the first 4,096 bytes.
        text: String,
        /// Where in `text`: begin, and the end that is not part of it, in UTF-16 units as browsers count them.
        ranges: Vec<(usize, usize)>,
    },
    /// How far it is.
    Progress {
        /// Bytes that were searched.
        searched: u64,
        /// Lines that fit, listed or not.
        hits: u64,
    },
    /// All was searched.
    End {
        /// Bytes that were searched.
        searched: u64,
        /// Lines that fit, listed or not.
        hits: u64,
    },
    /// It cannot go on.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// Lines of a log that fit, from its beginning on, as they are found: JSON objects, one a line, each a `SearchWord`. The first 10,000 are
/// listed, all are counted. Whoever has seen enough closes the connection, and the search ends. A match never reaches over the end of a line.
#[utoipa::path(get, path = "/api/v1/attempts/{attempt}/logs/{stream}/search", tag = "attempts",
    params(("attempt" = AttemptId, Path), ("stream" = Stream, Path), SearchQuery),
    responses((status = 200, content_type = "application/x-ndjson", body = SearchWord), (status = 400), (status = 404), (status = 429)))]
pub(super) async fn search(
    app: web::Data<App>,
    _: SeesRun,
    path: web::Path<(AttemptId, String)>,
    query: web::Query<SearchQuery>,
) -> Answer {
    let query = query.into_inner();
    let from = query.from.unwrap_or(1);
    let field = if query.text.is_some() { "text" } else { "pattern" };
    let needle = Needle::new(&query.wanted()?)
        .map_err(|error| Failure::new(ErrorCode::BadRequest, error.to_string()).field(field))?;
    let key = key(&app, path.into_inner()).await?;
    let heard = app.logs.search(key, needle, from)?;
    let words = Words { heard, last: None };
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/x-ndjson"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(stream::unfold(words, |mut words| async {
            let text = words.next().await?;
            Some((Ok::<_, Failure>(web::Bytes::from(text)), words))
        })))
}

/// What a search has to say, some words at once.
struct Words {
    heard: mpsc::Receiver<Found>,
    /// How far it was when it last said so: the end, if nothing follows.
    last: Option<(u64, u64)>,
}

impl Words {
    async fn next(&mut self) -> Option<String> {
        let mut text = String::new();
        match self.heard.recv().await {
            Some(found) => self.add(found, &mut text),
            None => {
                let (searched, hits) = self.last.take()?;
                push(&SearchWord::End { searched, hits }, &mut text);
                return Some(text);
            }
        }
        while let Ok(found) = self.heard.try_recv() {
            self.add(found, &mut text);
        }
        Some(text)
    }

    fn add(&mut self, found: Found, text: &mut String) {
        let word = match found {
            Found::Hit(hit) => said(hit),
            Found::Progress(progress) => {
                self.last = Some((progress.searched, progress.hits));
                SearchWord::Progress { searched: progress.searched, hits: progress.hits }
            }
            Found::Failed(error) => {
                // What was not searched must not look as if nothing were in it.
                self.last = None;
                SearchWord::Failed { problem: error.into() }
            }
        };
        push(&word, text);
    }
}

fn push(word: &SearchWord, text: &mut String) {
    // Numbers, texts and lists of them can always be written.
    text.push_str(&serde_json::to_string(word).unwrap_or_default());
    text.push('\n');
}

fn said(hit: Hit) -> SearchWord {
    let Hit { line, from, ranges, bytes } = hit;
    let place = |at: usize| {
        let before = bytes.get(..at.min(bytes.len())).unwrap_or_default();
        String::from_utf8_lossy(before).encode_utf16().count()
    };
    let seen = ranges.iter().filter(|(begin, _)| *begin < bytes.len());
    let ranges = seen.map(|(begin, end)| (place(*begin), place(*end))).collect();
    let cut = bytes.len() >= limits::LOG_LINE_BYTES;
    SearchWord::Hit { line, from, text: text(&bytes, cut), ranges }
}

/// How long a log is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(super) struct LogGrowth {
    /// Bytes.
    size: u64,
    /// Lines; one that has not ended yet counts.
    lines: u64,
    /// Nothing more will come.
    over: bool,
    /// The logs of the attempt that are not empty, with their bytes.
    logs: BTreeMap<&'static str, u64>,
}

/// How long a log is, whenever it has grown, at most ten times a second: server-sent events `growth`, each with a `LogGrowth`, until nothing
/// more will come. The lines themselves are asked for where they are seen.
#[utoipa::path(get, path = "/api/v1/attempts/{attempt}/logs/{stream}/growth", tag = "attempts",
    params(("attempt" = AttemptId, Path), ("stream" = Stream, Path)),
    responses((status = 200, content_type = "text/event-stream", body = LogGrowth), (status = 404)))]
pub(super) async fn growth(app: web::Data<App>, _: SeesRun, path: web::Path<(AttemptId, String)>) -> Answer {
    let key = key(&app, path.into_inner()).await?;
    let growing = Growing {
        grown: app.logs.follow(key),
        logs: app.logs.clone(),
        store: app.store.clone(),
        stop: app.stop.clone(),
        key,
        told: None,
        quiet: Duration::ZERO,
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(stream::unfold(growing, |mut growing| async {
            let text = growing.next().await?;
            Some((text.map(web::Bytes::from), growing))
        })))
}

/// A log whose length somebody follows.
struct Growing {
    logs: Logs,
    store: Store,
    grown: watch::Receiver<u64>,
    stop: CancellationToken,
    key: LogKey,
    told: Option<LogGrowth>,
    /// For how long nothing was written.
    quiet: Duration,
}

impl Growing {
    async fn next(&mut self) -> Option<Result<String, Failure>> {
        let stop = self.stop.clone();
        if self.told.as_ref().is_some_and(|told| told.over) {
            return None;
        }
        if self.told.is_some() {
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(limits::LOG_GROWTH_PACE) => {}
            }
        }
        loop {
            self.grown.borrow_and_update();
            let now = match self.look().await {
                Ok(now) => now,
                Err(failure) => return Some(Err(failure)),
            };
            if self.told.as_ref() != Some(&now) {
                let text = format!("event: growth\ndata: {}\n\n", serde_json::json!(now));
                self.told = Some(now);
                return Some(Ok(text));
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                grown = tokio::time::timeout(limits::LOG_FOLLOW_LOOK, self.grown.changed()) => match grown {
                    Ok(_) => self.quiet = Duration::ZERO,
                    Err(_) => {
                        let before = self.quiet.as_secs() / limits::LIVE_KEEPALIVE.as_secs();
                        self.quiet = self.quiet.saturating_add(limits::LOG_FOLLOW_LOOK);
                        if self.quiet.as_secs() / limits::LIVE_KEEPALIVE.as_secs() > before {
                            return Some(Ok(": nothing new\n\n".to_owned()));
                        }
                    }
                }
            }
        }
    }

    async fn look(&self) -> Result<LogGrowth, Failure> {
        // Whether it is over, first: what is written between the two looks is counted in the second.
        let mut conn = self.store.read().await?;
        let row = store::attempt::fetch(&mut conn, self.key.attempt).await?;
        drop(conn);
        let window = self.logs.lines(self.key, 1, 0).await?;
        let over = row.is_none_or(|row| {
            let told = row.log_bytes.get(&self.key.stream).copied().unwrap_or(0);
            let whole = self.logs.missing(window.size, told) == 0;
            log::is_over(&row) && (whole || self.quiet >= limits::LOG_REST_WAIT)
        });
        let logs = self.logs.list(self.key.attempt).await?;
        let logs = logs.into_iter().map(|(stream, bytes)| (stream.as_str(), bytes)).collect();
        Ok(LogGrowth { size: window.size, lines: window.lines, over, logs })
    }
}
