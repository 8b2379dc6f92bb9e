//! Several feeds in one answer. A browser has six connections to a host for all its pages together, so its pages share one:
//! the lab's feed, the runs and the logs that are looked at.
//!
//! Each event is named after what it belongs to: `lab/run`, `run/8/run`, `log/8.0.1/cli/growth`. What cannot be followed
//! is told by `…/refused` with the problem, what has come to its end by `…/over`; the others go on.

use std::str::FromStr;

use actix_web::web;
use futures_util::{
    StreamExt as _,
    stream::{self, LocalBoxStream},
};
use jackfield_protocol::{
    error::ErrorCode,
    id::{AttemptId, RunId},
};
use serde::Deserialize;

use super::{
    Answer, feed,
    live::{self, Form, OpenPage, events, to_json},
    log_growth::Growing,
    log_lines,
};
use crate::{
    app::App,
    auth::{Anyone, Caller, Guard, SeesRun},
    failure::Failure,
    limits,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/follow", web::get().to(follow));
}

/// What to follow.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FollowQuery {
    /// The lab, from this position on; from now on where it is empty.
    lab: Option<String>,
    /// Runs, each with the number of the last event that was seen: `8:120,9:0`.
    #[serde(default)]
    runs: String,
    /// Logs, of which it is told how long they are: `8.0.1:cli,8.1.1:debug`.
    #[serde(default)]
    logs: String,
}

/// The lab, runs and logs as they change, in one answer: the server-sent events of `/live`, `/runs/{run}/live` and of the
/// growth of logs, named `lab/…`, `run/{run}/…` and `log/{attempt}/{stream}/…`. `…/over` tells that no more will come,
/// `…/refused`, with the problem, that something cannot be followed. At most 100 runs and logs.
#[utoipa::path(get, path = "/api/v1/follow", tag = "live", params(FollowQuery),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 400), (status = 429)))]
pub(super) async fn follow(
    app: web::Data<App>,
    guard: Guard<Anyone>,
    query: web::Query<FollowQuery>,
) -> Answer {
    let open = OpenPage::new(&app, &guard.caller.user)?;
    let runs = pairs::<RunId, u64>(&query.runs, "runs", "8:120")?;
    let logs = pairs::<AttemptId, String>(&query.logs, "logs", "8.0.1:cli")?;
    if runs.len().saturating_add(logs.len()) > limits::FOLLOWED_MAX {
        let title = format!("{} runs and logs are followed by one answer at most", limits::FOLLOWED_MAX);
        return Err(Failure::new(ErrorCode::BadRequest, title));
    }
    let mut all: Vec<LocalBoxStream<'static, Piece>> = Vec::new();
    if let Some(place) = &query.lab {
        let feed = feed::Frames::begin(&app, &guard.caller, place, "lab/").map_err(|it| it.field("lab"))?;
        all.push(pieces(Followed::Lab(feed), String::new()));
    }
    for (run, after) in runs {
        let topic = format!("run/{run}/");
        let opened = one_run(&app, &guard.caller, run, after).await;
        all.push(opened.map_or_else(|failure| refused(&topic, &failure), |it| pieces(it, topic.clone())));
    }
    for (attempt, stream) in logs {
        let topic = format!("log/{attempt}/{stream}/");
        let opened = one_log(&app, &guard.caller, (attempt, stream), &topic).await;
        all.push(opened.map_or_else(|failure| refused(&topic, &failure), |it| pieces(it, topic.clone())));
    }
    // Where one is cut off, all are: the reader comes back for them from where it was.
    let whole = stream::select_all(all).take_while(|piece| std::future::ready(*piece != Piece::Cut));
    Ok(events(whole.map(move |piece| {
        // Counted as long as it is read.
        let _ = &open;
        match piece {
            Piece::Text(text) => text,
            Piece::Cut => String::new(),
        }
    })))
}

/// Pairs as the query has them.
fn pairs<A: FromStr, B: FromStr>(text: &str, field: &str, like: &str) -> Result<Vec<(A, B)>, Failure> {
    let read = |pair: &str| {
        let (left, right) = pair.split_once(':')?;
        Some((left.parse().ok()?, right.parse().ok()?))
    };
    text.split(',')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let title = format!("`{pair}` cannot be followed; write it like `{like}`");
            read(pair).ok_or_else(|| Failure::new(ErrorCode::BadRequest, title).field(field))
        })
        .collect()
}

async fn one_run(app: &App, caller: &Caller, run: RunId, after: u64) -> Result<Followed, Failure> {
    SeesRun::of(app, caller, run).await?;
    Ok(Followed::Run(live::Frames::begin(app, run, Some(after), Form::Followed).await?))
}

async fn one_log(
    app: &App,
    caller: &Caller,
    log: (AttemptId, String),
    topic: &str,
) -> Result<Followed, Failure> {
    SeesRun::of(app, caller, log.0.run).await?;
    let key = log_lines::key(app, log).await?;
    Ok(Followed::Log(Growing::begin(app, key, topic.to_owned())))
}

/// One of the feeds.
enum Followed {
    Lab(feed::Frames),
    Run(live::Frames),
    Log(Growing),
}

impl Followed {
    async fn next(&mut self) -> Option<Result<String, Failure>> {
        match self {
            Self::Lab(frames) => frames.next().await.map(Ok),
            Self::Run(frames) => frames.next().await.map(Ok),
            Self::Log(growing) => growing.next().await,
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Self::Lab(_) => false,
            Self::Run(frames) => frames.is_over(),
            Self::Log(growing) => growing.is_over(),
        }
    }
}

/// What one of the feeds adds to the answer.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// It broke off before its end.
    Cut,
}

fn pieces(followed: Followed, topic: String) -> LocalBoxStream<'static, Piece> {
    stream::unfold(Some((followed, topic)), |state| async {
        let (mut followed, topic) = state?;
        Some(match followed.next().await {
            Some(Ok(text)) => (Piece::Text(text), Some((followed, topic))),
            Some(Err(failure)) => (Piece::Text(refusal(&topic, &failure)), None),
            None if followed.is_over() => (Piece::Text(format!("event: {topic}over\ndata: {{}}\n\n")), None),
            None => (Piece::Cut, None),
        })
    })
    .boxed_local()
}

fn refused(topic: &str, failure: &Failure) -> LocalBoxStream<'static, Piece> {
    stream::iter([Piece::Text(refusal(topic, failure))]).boxed_local()
}

fn refusal(topic: &str, failure: &Failure) -> String {
    if let Some(cause) = &failure.0.cause {
        tracing::error!("what is followed cannot be read: {cause}");
    }
    let problem = to_json(&failure.0).unwrap_or_else(|_| "{}".to_owned());
    format!("event: {topic}refused\ndata: {problem}\n\n")
}
