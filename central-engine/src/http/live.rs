//! A run as it happens: server-sent events, until the run has ended, the reader goes away, or the engine goes down.
//!
//! `id` is the number of the event, so a browser that lost the connection sends it back as `Last-Event-ID` and goes on
//! where it was.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use futures_util::{Stream, StreamExt as _, stream};
use jackfield_protocol::{
    api::RunSnapshot,
    error::ErrorCode,
    id::{RunId, UserName},
};
use serde::Deserialize;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Answer, run};
use crate::{
    app::{App, live_pages::LivePages},
    auth::{Guard, MayWatch, SeesRun},
    failure::Failure,
    limits,
    live::{Shown, Watcher, frame},
    store,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/runs/{run}/live", web::get().to(live));
}

/// Where a live view begins.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LiveQuery {
    /// The number of the last event already seen; 0 for all. Without it, a snapshot comes first. The header
    /// `Last-Event-ID` goes before it.
    after: Option<u64>,
}

/// The run as it happens: server-sent events `snapshot` (once, where no place was given) and `run`.
#[utoipa::path(get, path = "/api/v1/runs/{run}/live", tag = "runs", params(("run" = RunId, Path), LiveQuery),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 404), (status = 429)))]
pub(super) async fn live(
    request: HttpRequest,
    app: web::Data<App>,
    (guard, _): (Guard<MayWatch>, SeesRun),
    run: web::Path<RunId>,
    query: web::Query<LiveQuery>,
) -> Answer {
    let open = OpenPage::new(&app, &guard.caller.user)?;
    let seen = request.headers().get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let frames = Frames::begin(&app, *run, seen.or(query.after), Form::Alone).await?;
    Ok(events(stream::unfold((frames, open), |(mut frames, open)| async {
        let text = frames.next().await?;
        Some((text, (frames, open)))
    })))
}

/// An answer that goes on: server-sent events, each a text of [`frame`] or a comment.
pub(super) fn events(texts: impl Stream<Item = String> + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Neither our own compression nor a proxy may hold frames back.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(texts.map(|text| Ok::<_, Failure>(web::Bytes::from(text))))
}

pub(super) fn to_json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))
}

/// Counts a live page while it is open.
pub(super) struct OpenPage {
    pages: LivePages,
    user: UserName,
}

impl OpenPage {
    /// One more of this person's.
    ///
    /// # Errors
    /// They have too many, or all together have.
    pub(super) fn new(app: &App, user: &UserName) -> Result<Self, Failure> {
        let (most, each) = (app.limits.browsers, app.limits.browsers_each);
        let Err(title) = app.live_pages.open(user, most, each) else {
            return Ok(Self { pages: app.live_pages.clone(), user: user.clone() });
        };
        Err(Failure::new(ErrorCode::TooMany, title))
    }
}

impl Drop for OpenPage {
    fn drop(&mut self) {
        self.pages.close(&self.user);
    }
}

/// How the events of a run are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// For who looks at this run only.
    Alone,
    /// Named after their run, among others.
    Followed,
}

impl Form {
    fn add(self, text: &mut String, shown: &Shown) {
        match self {
            Self::Alone => text.push_str(&frame("run", shown.seq, &shown.json)),
            Self::Followed => text.push_str(&shown.followed),
        }
    }
}

/// What a live page still has to send.
pub(super) struct Frames {
    first: Option<String>,
    watcher: Watcher,
    /// Between two pieces, so that a busy run is a few writes a second to each who looks on, not hundreds.
    pace: Interval,
    run: RunId,
    stop: CancellationToken,
    over: bool,
    form: Form,
}

impl Frames {
    /// A run from after an event on; without one, a snapshot comes first.
    ///
    /// # Errors
    /// There is no such run, or the store does not answer.
    pub(super) async fn begin(
        app: &App,
        run: RunId,
        after: Option<u64>,
        form: Form,
    ) -> Result<Self, Failure> {
        // The place first: an event that comes in between is in the summary and is shown again, which changes nothing.
        let row =
            store::run::row(&mut app.store.read().await?, run).await?.ok_or_else(|| run::no_run(run))?;
        let (first, after) = match after {
            Some(after) => (None, after),
            None => {
                let snapshot = RunSnapshot { run: run::summary(app, run).await?, seq: row.seq };
                (Some(frame("snapshot", row.seq, &to_json(&snapshot)?)), row.seq)
            }
        };
        let watcher = app.live.watch(&app.store, run, after);
        let stop = app.stop.clone();
        let over = row.state.is_final() && row.seq <= after;
        let mut pace = interval(limits::LIVE_PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { first, watcher, pace, run, stop, over, form })
    }

    /// Whether the run has ended, and all of it was told.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// The next text to send; none when the page is over.
    pub(super) async fn next(&mut self) -> Option<String> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        if self.over {
            return None;
        }
        let Self { watcher, pace, stop, .. } = self;
        // What comes after a silence goes at once; what follows soon waits for others.
        let next = async {
            pace.tick().await;
            watcher.next().await
        };
        tokio::select! {
            () = stop.cancelled() => None,
            events = next => match events {
                Ok(events) => {
                    self.over = events.iter().any(|shown| shown.last);
                    let mut text = String::new();
                    events.iter().for_each(|shown| self.form.add(&mut text, shown));
                    Some(text)
                }
                Err(error) => {
                    // The browser connects again by itself and goes on where it was.
                    tracing::warn!(run.id = %self.run, "a live page ends: {}", error.chain());
                    None
                }
            },
            () = tokio::time::sleep(limits::LIVE_KEEPALIVE) => Some(": nothing new\n\n".to_owned()),
        }
    }
}
