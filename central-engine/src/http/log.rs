//! Logs by byte range, and followed as they grow.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use futures_util::{
    StreamExt as _,
    stream::{self, LocalBoxStream},
};
use jackfield_protocol::{error::ErrorCode, id::AttemptId, log::Stream};
use jackfield_scheduler::effect::{AttemptRow, AttemptState};
use serde::Deserialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    Answer,
    body::{self, Wanted},
    log_stamp::Stamper,
};
use crate::{
    app::App,
    auth::SeesRun,
    failure::Failure,
    limits,
    logs::{LogKey, Logs},
    store::{self, Store},
};

/// How many bytes of a log the engine has.
const STORED: &str = "jackfield-log-stored";
/// How many there will be, once the test has ended: a verdict may overtake the log of its test.
const EXPECTED: &str = "jackfield-log-expected";

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/attempts/{attempt}/logs/{stream}", web::get().to(read));
}

/// How to read a log.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LogQuery {
    /// Send what is there and then what comes, until the attempt has ended and all of its log has come. Where nothing
    /// comes for half a minute after its end, the answer ends before; compare with `logs_expected` of the attempt.
    #[serde(default)]
    follow: bool,
    /// Where to begin; for `follow`, which takes no `Range`.
    #[serde(default)]
    from: u64,
    /// Begin each line with the time at which it came to the engine. This takes no `Range` either.
    #[serde(default)]
    timestamps: bool,
}

/// A log of an attempt: all of it, a `Range` of it, or with `follow` as it grows.
///
/// The header `Jackfield-Log-Stored` says how many bytes the engine has, and `Jackfield-Log-Expected` how many there will
/// be: the end of a test may be known before the last bytes of its log have come from its EP.
#[utoipa::path(get, path = "/api/v1/attempts/{attempt}/logs/{stream}", tag = "attempts",
    params(("attempt" = AttemptId, Path), ("stream" = Stream, Path), LogQuery),
    responses((status = 200, content_type = "text/plain", body = String), (status = 206), (status = 404), (status = 416)))]
pub(super) async fn read(
    request: HttpRequest,
    app: web::Data<App>,
    _: SeesRun,
    path: web::Path<(AttemptId, String)>,
    query: web::Query<LogQuery>,
) -> Answer {
    let (attempt, stream) = path.into_inner();
    let stream =
        stream.parse::<Stream>().map_err(|error| Failure::new(ErrorCode::NotFound, error.to_string()))?;
    let known = store::attempt::fetch(&mut app.store.read().await?, attempt).await?;
    let row = known.ok_or_else(|| Failure::not_found(format!("attempt {attempt}")))?;
    let key = LogKey { attempt, stream };
    let stamper = query.timestamps.then(|| Stamper::new(&app.logs, key, query.from));
    if query.follow {
        return Ok(follow(&app, key, query.from, stamper));
    }
    let size = app.logs.size(key).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((STORED, size));
    if let Some(expected) = expected(&app.logs, &row, stream, size) {
        response.insert_header((EXPECTED, expected));
    }
    if let Some(stamper) = stamper {
        as_text(&mut response);
        let rest = Rest { logs: app.logs.clone(), key, from: query.from, to: size };
        return Ok(response.streaming(stamper.stamped(rest.pieces())));
    }
    let (from, to) = match body::range(&request, size) {
        Wanted::All => (0, size),
        Wanted::Beyond => {
            let range = (header::CONTENT_RANGE, format!("bytes */{size}"));
            return Ok(HttpResponse::RangeNotSatisfiable().insert_header(range).finish());
        }
        Wanted::Range(from, to) => {
            let to = to.min(from.saturating_add(limits::RANGE_BYTES_MAX));
            let last = to.saturating_sub(1);
            response = HttpResponse::PartialContent();
            response.insert_header((header::CONTENT_RANGE, format!("bytes {from}-{last}/{size}")));
            (from, to)
        }
    };
    response.insert_header((header::ACCEPT_RANGES, "bytes"));
    as_text(&mut response);
    response.no_chunking(to.saturating_sub(from));
    let rest = Rest { logs: app.logs.clone(), key, from, to };
    Ok(response.streaming(rest.pieces()))
}

/// How long a log of this size will be when all has come; none while its test has not ended.
pub(super) fn expected(logs: &Logs, row: &AttemptRow, stream: Stream, size: u64) -> Option<u64> {
    let told = row.end.as_ref().and_then(|end| end.log_bytes.get(&stream).copied()).unwrap_or(0);
    is_over(row).then(|| size.saturating_add(logs.missing(size, told)))
}

pub(super) fn is_over(row: &AttemptRow) -> bool {
    matches!(row.state, AttemptState::Ended | AttemptState::Returned)
}

/// Output of tests is shown as text, whatever it looks like: a browser must never run it.
fn as_text(response: &mut actix_web::HttpResponseBuilder) {
    response
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "no-store"));
}

/// What of a log is still to be sent.
struct Rest {
    logs: Logs,
    key: LogKey,
    from: u64,
    to: u64,
}

impl Rest {
    fn pieces(self) -> LocalBoxStream<'static, Result<web::Bytes, Failure>> {
        stream::unfold(self, |mut rest| async {
            let piece = rest.next().await?;
            Some((piece, rest))
        })
        .boxed_local()
    }

    async fn next(&mut self) -> Option<Result<web::Bytes, Failure>> {
        let left = self.to.saturating_sub(self.from);
        if left == 0 {
            return None;
        }
        let piece = u64::try_from(limits::LOG_FRAME_BYTES).unwrap_or(u64::MAX).min(left);
        match self.logs.read(self.key, self.from, piece).await {
            Ok(slice) if slice.bytes.is_empty() => None,
            Ok(slice) => {
                self.from = self.from.saturating_add(u64::try_from(slice.bytes.len()).unwrap_or(u64::MAX));
                Some(Ok(slice.bytes.into()))
            }
            Err(error) => Some(Err(error.into())),
        }
    }
}

fn follow(app: &App, key: LogKey, from: u64, stamper: Option<Stamper>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    as_text(&mut response);
    response.insert_header((header::CONTENT_ENCODING, "identity")).insert_header(("X-Accel-Buffering", "no"));
    let tail = Tail {
        growth: app.logs.follow(key),
        logs: app.logs.clone(),
        store: app.store.clone(),
        stop: app.stop.clone(),
        key,
        from,
        ended: false,
        quiet: Duration::ZERO,
    };
    let pieces = stream::unfold(tail, |mut tail| async {
        let piece = tail.next().await?;
        Some((piece, tail))
    });
    match stamper {
        Some(stamper) => response.streaming(stamper.stamped(pieces.boxed_local())),
        None => response.streaming(pieces),
    }
}

/// A log that is followed.
struct Tail {
    logs: Logs,
    store: Store,
    growth: watch::Receiver<u64>,
    stop: CancellationToken,
    key: LogKey,
    from: u64,
    ended: bool,
    /// For how long nothing came.
    quiet: Duration,
}

impl Tail {
    async fn next(&mut self) -> Option<Result<web::Bytes, Failure>> {
        loop {
            let piece = u64::try_from(limits::LOG_FRAME_BYTES).unwrap_or(u64::MAX);
            self.growth.borrow_and_update();
            match self.logs.read(self.key, self.from, piece).await {
                Ok(slice) if slice.bytes.is_empty() => {}
                Ok(slice) => {
                    self.from =
                        self.from.saturating_add(u64::try_from(slice.bytes.len()).unwrap_or(u64::MAX));
                    self.quiet = Duration::ZERO;
                    return Some(Ok(slice.bytes.into()));
                }
                Err(error) => return Some(Err(error.into())),
            }
            // The last look comes after the end was seen: nothing is written to a log after that.
            if self.ended {
                return None;
            }
            self.ended = self.has_ended().await;
            if self.ended {
                continue;
            }
            let stop = self.stop.clone();
            tokio::select! {
                () = stop.cancelled() => return None,
                // Growth tells of bytes, this of the end.
                grown = tokio::time::timeout(limits::LOG_FOLLOW_LOOK, self.growth.changed()) => if grown.is_err() {
                    self.quiet = self.quiet.saturating_add(limits::LOG_FOLLOW_LOOK);
                }
            }
        }
    }

    /// Whether nothing more will come: the attempt is over, and its log is whole, or the rest of it stays away.
    async fn has_ended(&self) -> bool {
        let Ok(mut conn) = self.store.read().await else { return false };
        let Some(row) = store::attempt::fetch(&mut conn, self.key.attempt).await.ok().flatten() else {
            return true;
        };
        let told = row.end.as_ref().and_then(|end| end.log_bytes.get(&self.key.stream).copied()).unwrap_or(0);
        let whole = self.logs.missing(self.from, told) == 0;
        is_over(&row) && (whole || self.quiet >= limits::LOG_REST_WAIT)
    }
}
