//! Two connections joined: what comes from one goes to the other as it is. One frame is under way in each direction; who is slow slows
//! the other side down, and who takes nothing at all for the silence limit is let go.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, Session};
use jackfield_protocol::{
    console::{CONSOLE_SECRET, CONSOLE_SUBPROTOCOL, ConsoleOrder, EpToPerson, PersonToEp},
    error::{ErrorCode, Problem},
    event::Fact,
    id::{ConsoleId, EpName},
    link::EngineToEp,
    secret::Secret,
};
use jackfield_scheduler::Event;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    auth, clock,
    failure::Failure,
    lab::consoles::{Awaited, End, OpenConsole, Person},
    limits, store,
};

/// Has the EP dial back, and copies what the person says until it is over. `open` is held as long.
pub(crate) async fn serve(
    app: web::Data<App>,
    open: OpenConsole,
    order: Box<ConsoleOrder>,
    secret: Secret,
    person: Person,
    mut stream: AggregatedMessageStream,
) {
    let met = open.await_ep(&secret, person.clone());
    let ep = person.ep.clone();
    let stop = app.stop.clone();
    if let Err(problem) = app.eps.tell(&ep, EngineToEp::OpenConsole(order)) {
        return person.end(End { code: problem.code, reason: problem.title }).await;
    }
    let ep_side = tokio::select! {
        () = stop.cancelled() => return person.end(going_down()).await,
        met = tokio::time::timeout(limits::CONSOLE_DIAL_WAIT, met) => match met {
            Ok(Ok(ep_side)) => ep_side,
            _ => {
                let reason = format!("EP {ep} did not open the console in time; see its own log");
                return person.end(End { code: ErrorCode::Unavailable, reason }).await;
            }
        },
    };
    let mut ep_side = ep_side;
    let ends = Ends { app: &app, over: &person.over, own: person.session.clone(), to: ep_side.clone() };
    let done = ends.copy(&mut stream, |_| {}).await;
    if matches!(done, Done::Closed | Done::Silent)
        && let Ok(leave) = serde_json::to_string(&PersonToEp::Leave)
    {
        drop(person.session.close(None).await);
        // The EP lets go of what the person held, and says so.
        drop(ep_side.text(leave).await);
        drop(tokio::time::timeout(limits::CONSOLE_LEAVE_WAIT, person.over.cancelled()).await);
    }
    person.over.cancel();
    drop(ep_side.close(None).await);
    drop(open);
}

fn going_down() -> End {
    End { code: ErrorCode::Unavailable, reason: "the engine is going down".to_owned() }
}

/// `GET /link/console/{id}`: the EP's side of a console.
///
/// # Errors
/// The request is no WebSocket handshake, or comes from somebody who was not asked.
pub(crate) async fn accept(
    request: HttpRequest,
    body: web::Payload,
    app: web::Data<App>,
    console: web::Path<ConsoleId>,
) -> Result<HttpResponse, actix_web::Error> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let token = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let caller = match token {
        Some(token) => auth::of_token(&app.store, token, clock::now()).await.map_err(Failure::from)?,
        None => None,
    };
    let refused = || Failure::from(Problem::new(ErrorCode::Forbidden, "no console awaits this connection"));
    caller.filter(auth::Caller::is_ep).ok_or_else(refused)?;
    let awaited = app.consoles.meet(*console, header(CONSOLE_SECRET).unwrap_or_default());
    let Awaited { person, ep_side, .. } = awaited.ok_or_else(refused)?;
    let (response, session, stream) =
        actix_ws::handle_with_protocols(&request, body, &[CONSOLE_SUBPROTOCOL])?;
    let stream = joined(stream);
    let tasks = app.tasks.clone();
    if ep_side.send(session.clone()).is_ok() {
        actix_web::rt::spawn(tasks.track_future(serve_ep(app, person, session, stream)));
    }
    Ok(response)
}

/// A stream of whole messages, none longer than a console's.
pub(crate) fn joined(stream: actix_ws::MessageStream) -> AggregatedMessageStream {
    let most = limits::CONSOLE_FRAME_BYTES_MAX;
    stream.max_frame_size(most).aggregate_continuations().max_continuation_size(most)
}

/// Copies what the EP says to the person, and tells them why it ended where the EP cannot.
async fn serve_ep(
    app: web::Data<App>,
    person: Person,
    session: Session,
    mut stream: AggregatedMessageStream,
) {
    let mut last = None;
    let mut types = false;
    let mut end_in = |text: &str| match serde_json::from_str(text) {
        Ok(EpToPerson::End { reason, recording, .. }) => last = Some((reason, recording)),
        Ok(EpToPerson::Typing { you, .. }) if you != types => {
            types = you;
            turn(&app, &person, you);
        }
        _ => {}
    };
    let ends = Ends { app: &app, over: &person.over, own: session.clone(), to: person.session.clone() };
    let done = ends.copy(&mut stream, &mut end_in).await;
    if done == Done::Over {
        // The person is gone; what the EP says last is for the audit log.
        let rest = async {
            while let Some(Ok(message)) = stream.recv().await {
                if let AggregatedMessage::Text(text) = message {
                    end_in(&text);
                }
            }
        };
        drop(tokio::time::timeout(limits::CONSOLE_LEAVE_WAIT, rest).await);
    }
    drop(session.close(None).await);
    if types {
        turn(&app, &person, false);
    }
    let (reason, recording) = last.clone().unwrap_or_else(|| (done.told(&person.ep), None));
    let kept = recording.map_or_else(String::new, |hash| format!("; recording {hash}"));
    audit(&app, &person, "console.close", &format!("{reason}{kept}")).await;
    match (last, done) {
        (Some(_), _) => {
            person.over.cancel();
            drop(person.session.close(None).await);
        }
        (None, Done::Stopped) => person.end(going_down()).await,
        (None, done) => {
            let reason = done.told(&person.ep);
            person.end(End { code: ErrorCode::Unavailable, reason }).await;
        }
    }
}

/// Somebody types from now on, or lets go: lists show it, and so does the run whose session it is.
fn turn(app: &web::Data<App>, person: &Person, types: bool) {
    app.consoles.typing(person.console, types.then(clock::now));
    let Some((run, session)) = person.of.clone() else { return };
    let Person { user, ep, .. } = person;
    let text = if types {
        format!("{user} took over session `{session}` on {ep}; the time limit of its test stands still")
    } else {
        format!("{user} let go of session `{session}` on {ep}; the time limit of its test goes on")
    };
    let engine = app.engine.clone();
    actix_web::rt::spawn(async move {
        if let Err(problem) = engine.event(Event::Noted { run, fact: Fact::Note { text } }).await {
            tracing::warn!("run {run} does not say who typed: {problem}");
        }
    });
}

/// Writes a line of the audit log; a console is not ended because of it.
pub(crate) async fn audit(app: &App, person: &Person, action: &str, detail: &str) {
    let written = async {
        let mut conn = app.store.write().await?;
        let who = person.user.as_str();
        store::audit::add(&mut conn, clock::now(), who, (action, &person.target), detail).await?;
        conn.commit().await
    };
    if let Err(error) = written.await {
        tracing::error!("the audit log of a console cannot be written: {}", error.chain());
    }
}

/// Why nothing more is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    /// The side that is read has closed, or broke.
    Closed,
    /// It was not heard, or the other took nothing, for the silence limit.
    Silent,
    /// The other side is over.
    Over,
    /// The engine goes down.
    Stopped,
}

impl Done {
    fn told(self, ep: &EpName) -> String {
        match self {
            Self::Closed => format!("the connection to EP {ep} broke; is it still running?"),
            Self::Silent => format!("EP {ep} was not heard for the silence limit"),
            Self::Over => "the person went away".to_owned(),
            Self::Stopped => "the engine is going down".to_owned(),
        }
    }
}

/// The two ends of one direction.
struct Ends<'a> {
    app: &'a App,
    over: &'a CancellationToken,
    /// Of the side that is read: for heartbeats.
    own: Session,
    to: Session,
}

impl Ends<'_> {
    /// Copies until it is over; `look` sees the text frames.
    async fn copy(mut self, from: &mut AggregatedMessageStream, mut look: impl FnMut(&str)) -> Done {
        let silence = Duration::from_millis(self.app.terms.link.silence_millis);
        let beat = Duration::from_millis(self.app.terms.link.heartbeat_millis);
        let mut heartbeat = tokio::time::interval(beat);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            let message = tokio::select! {
                biased;
                () = self.app.stop.cancelled() => return Done::Stopped,
                message = from.recv() => message,
                () = self.over.cancelled() => return Done::Over,
                _ = heartbeat.tick() => {
                    if self.own.ping(b"").await.is_err() {
                        return Done::Closed;
                    }
                    continue;
                }
                () = tokio::time::sleep_until(heard + silence) => return Done::Silent,
            };
            let Some(Ok(message)) = message else { return Done::Closed };
            heard = Instant::now();
            let pass = async {
                match message {
                    AggregatedMessage::Binary(bytes) => {
                        self.to.binary(bytes).await.map_err(|_closed| Done::Over)
                    }
                    AggregatedMessage::Text(text) => {
                        look(&text);
                        self.to.text(text).await.map_err(|_closed| Done::Over)
                    }
                    AggregatedMessage::Ping(bytes) => {
                        self.own.pong(&bytes).await.map_err(|_closed| Done::Closed)
                    }
                    AggregatedMessage::Pong(_) => Ok(()),
                    AggregatedMessage::Close(_) => Err(Done::Closed),
                }
            };
            let passed = tokio::select! {
                passed = tokio::time::timeout(silence, pass) => passed.unwrap_or(Err(Done::Silent)),
                () = self.app.stop.cancelled() => Err(Done::Stopped),
            };
            if let Err(done) = passed {
                return done;
            }
            // What was sent may have taken long; the side that is read was not asked meanwhile.
            heard = heard.max(Instant::now());
        }
    }
}
