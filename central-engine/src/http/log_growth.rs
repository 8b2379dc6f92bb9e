//! How long a log is, as it grows: server-sent events, until nothing more will come, the reader goes away, or the engine goes down.

use std::{collections::BTreeMap, time::Duration};

use actix_web::{HttpResponse, http::header, web};
use futures_util::stream;
use jackfield_protocol::{id::AttemptId, log::Stream};
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Answer, log, log_lines::key};
use crate::{
    app::App,
    auth::SeesRun,
    failure::Failure,
    limits,
    logs::{LogKey, Logs},
    store::{self, Store},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/attempts/{attempt}/logs/{stream}/growth", web::get().to(growth));
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
    let growing = Growing::begin(&app, key, String::new());
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
pub(super) struct Growing {
    logs: Logs,
    store: Store,
    grown: watch::Receiver<u64>,
    stop: CancellationToken,
    key: LogKey,
    told: Option<LogGrowth>,
    /// For how long nothing was written.
    quiet: Duration,
    /// What stands before the names of its events.
    topic: String,
}

impl Growing {
    /// A log from now on.
    pub(super) fn begin(app: &App, key: LogKey, topic: String) -> Self {
        Self {
            grown: app.logs.follow(key),
            logs: app.logs.clone(),
            store: app.store.clone(),
            stop: app.stop.clone(),
            key,
            told: None,
            quiet: Duration::ZERO,
            topic,
        }
    }

    /// Whether it was told that nothing more will come.
    pub(super) fn is_over(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.over)
    }

    /// The next text to send; none when nothing more will come, or the engine goes down.
    pub(super) async fn next(&mut self) -> Option<Result<String, Failure>> {
        let stop = self.stop.clone();
        if self.is_over() {
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
                let text = format!("event: {}growth\ndata: {}\n\n", self.topic, serde_json::json!(now));
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
            let told =
                row.end.as_ref().and_then(|end| end.log_bytes.get(&self.key.stream).copied()).unwrap_or(0);
            let whole = self.logs.missing(window.size, told) == 0;
            log::is_over(&row) && (whole || self.quiet >= limits::LOG_REST_WAIT)
        });
        let logs = self.logs.list(self.key.attempt).await?;
        let logs = logs.into_iter().map(|(stream, bytes)| (stream.as_str(), bytes)).collect();
        Ok(LogGrowth { size: window.size, lines: window.lines, over, logs })
    }
}
