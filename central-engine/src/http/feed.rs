//! The lab as it changes: server-sent events of everything that lists show, until the reader goes away.
//!
//! The `id` of an event is a position: who comes back with the last one gets the newest of what changed since. Where
//! that is not possible, `hello` says so, and the reader asks for its lists again.

use actix_web::{HttpRequest, web};
use futures_util::stream;
use jackfield_protocol::{error::ErrorCode, time::Time};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    Answer,
    live::{OpenPage, events, to_json},
};
use crate::{
    app::App,
    auth::{Anyone, Caller, Guard},
    clock,
    failure::Failure,
    feed::{Next, Position, Sight, Watcher},
    limits,
    live::frame,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/live", web::get().to(live));
}

/// Where to begin.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FeedQuery {
    /// The position of the last event that was seen; without it the feed begins now. The header `Last-Event-ID` goes
    /// before it.
    after: Option<String>,
}

/// The first event: `hello`. It comes again where the reader was too slow.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct FeedHello {
    /// Whether everything since the position that was given follows. Where it does not, ask for the lists again: what
    /// changes after this event is told.
    resumed: bool,
    /// The build.
    version: &'static str,
    /// When the engine started.
    started: Time,
    /// What time it is here.
    now: Time,
}

/// The lab as it changes. After `hello`, events by topic, each with the newest state of one thing: `run` (a run as in
/// lists), `deleted` (a run that is gone), `ep` (an EP as in lists), `questions` (those of a run that wait), `leases`, `health`, `consoles` and `notices` (the whole
/// list), `resources` and `suts` (only that they were edited), `file` (a file of the lab was saved or removed here, and by whom). Everybody gets
/// what their roles open: with `RUN_TESTS` alone one's own runs and files, with `CHANGE_PROJECT` or `EDIT_TC` alone files.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", params(FeedQuery),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 400), (status = 429)))]
pub(super) async fn live(
    request: HttpRequest,
    app: web::Data<App>,
    guard: Guard<Anyone>,
    query: web::Query<FeedQuery>,
) -> Answer {
    let open = OpenPage::new(&app, &guard.caller.user)?;
    let header = request.headers().get("last-event-id").and_then(|value| value.to_str().ok());
    let place = header.or(query.after.as_deref()).unwrap_or_default();
    let frames = Frames::begin(&app, &guard.caller, place, "")?;
    Ok(events(stream::unfold((frames, open), |(mut frames, open)| async {
        let text = frames.next().await?;
        Some((text, (frames, open)))
    })))
}

/// What a reader still gets.
pub(super) struct Frames {
    /// Hello is to be said, and whether everything follows.
    hello: Option<bool>,
    /// What they may see of it.
    sight: Sight,
    watcher: Watcher,
    started: Time,
    stop: CancellationToken,
    /// What stands before the names of its events.
    topic: &'static str,
}

impl Frames {
    /// The feed from a position on, as this caller may see it; without a position from now on.
    ///
    /// # Errors
    /// The position is none.
    pub(super) fn begin(
        app: &App,
        caller: &Caller,
        place: &str,
        topic: &'static str,
    ) -> Result<Self, Failure> {
        let after = (!place.is_empty()).then(|| place.parse::<Position>()).transpose();
        let after =
            after.map_err(|error| Failure::new(ErrorCode::BadRequest, error.to_string()).field("after"))?;
        let (watcher, resumed) = app.feed.watch(after);
        let sight = Sight::of(caller);
        let (stop, started) = (app.stop.clone(), app.started);
        Ok(Self { hello: Some(resumed), sight, watcher, started, stop, topic })
    }

    /// The next text to send; none when the engine goes down.
    pub(super) async fn next(&mut self) -> Option<String> {
        if let Some(resumed) = self.hello.take() {
            return self.hello(resumed, self.watcher.position());
        }
        let stop = self.stop.clone();
        tokio::select! {
            biased;
            // What was published is told before the end.
            next = self.watcher.next() => match next {
                Next::Changes(changes) => {
                    let seen = changes.iter().filter(|(_, change)| self.sight.sees(change));
                    let topic = self.topic;
                    let text: String = seen
                        .map(|(at, change)| frame(&format!("{topic}{}", change.topic), at, &change.json))
                        .collect();
                    // Nobody learns from a line of nothing whose run it was.
                    Some(if text.is_empty() { ": nothing new\n\n".to_owned() } else { text })
                }
                Next::Gap(position) => self.hello(false, position),
            },
            () = stop.cancelled() => None,
            () = tokio::time::sleep(limits::LIVE_KEEPALIVE) => Some(": nothing new\n\n".to_owned()),
        }
    }

    fn hello(&self, resumed: bool, at: Position) -> Option<String> {
        let version = env!("CARGO_PKG_VERSION");
        let hello = FeedHello { resumed, version, started: self.started, now: clock::now() };
        Some(frame(&format!("{}hello", self.topic), at, &to_json(&hello).ok()?))
    }
}
