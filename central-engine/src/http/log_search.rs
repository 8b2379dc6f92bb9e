//! A log searched whole: what is found is told as it is found, and the search ends when nobody listens.

use actix_web::{HttpResponse, http::header, web};
use futures_util::stream;
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::AttemptId,
    log::Stream,
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{
    Answer,
    log_lines::{key, text},
};
use crate::{
    app::App,
    auth::SeesRun,
    failure::Failure,
    limits,
    logs::{Found, Hit, Needle, Wanted},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/attempts/{attempt}/logs/{stream}/search", web::get().to(search));
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
