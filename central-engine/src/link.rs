//! The engine's side of an EP's connection: one task each, with a small queue.
//!
//! ```text
//! socket ──▶ Hello ──▶ checked ──▶ loop: Connect ──▶ Welcome … ──▶ until silence, goodbye, a full queue or stop ──▶ loop: EpGone
//! ```
//!
//! The loop hears *connected* before anything of the connection and *gone* after the last of it. Log bytes go to
//! the log store from here and never through the loop.

mod calls;
mod greetings;
mod own;
mod receipt;
mod refusals;

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, Message, MessageStream, Session};
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    event::Fact,
    id::{AttemptId, EpName, Epoch},
    link::{CallResult, EngineToEp, EpToEngine, Hello, Report, SUBPROTOCOL, VERSION},
    log::{HEADER_BYTES, LogFrame},
};
use jackfield_scheduler::Event;
use tokio::sync::{mpsc, oneshot};

use self::{
    greetings::Greeting,
    own::OwnAttempts,
    receipt::{Receipts, Stored},
};
use crate::{
    app::App,
    auth,
    engine::{Command, questions::Asked},
    lab::eps::Said,
    limits,
    link::calls::Calls,
    logs::{LogError, LogKey},
};

/// `GET /link`: turns the request into a link and serves it in a task of its own.
///
/// # Errors
/// The request is no WebSocket handshake with our subprotocol.
pub(crate) async fn accept(
    request: HttpRequest,
    body: web::Payload,
    app: web::Data<App>,
) -> Result<HttpResponse, actix_web::Error> {
    let (response, session, stream) = actix_ws::handle_with_protocols(&request, body, &[SUBPROTOCOL])?;
    let stream = stream.max_frame_size(limits::HELLO_BYTES_MAX);
    let peer = request.peer_addr().map(|address| address.ip().to_string()).unwrap_or_default();
    let tasks = app.tasks.clone();
    actix_web::rt::spawn(tasks.track_future(serve(session, stream, app, peer)));
    Ok(response)
}

/// Serves one connection to its end.
async fn serve(session: Session, mut stream: MessageStream, app: web::Data<App>, peer: String) {
    let (outgoing, queue) = mpsc::channel(limits::LINK_QUEUE_MAX);
    let (ep, epoch) = match open(&mut stream, &app, outgoing, peer).await {
        Ok(opened) => opened,
        Err(problem) => return refuse(session, problem).await,
    };
    let mut stream = stream
        .max_frame_size(limits::LINK_FRAME_BYTES_MAX)
        .aggregate_continuations()
        .max_continuation_size(limits::LINK_FRAME_BYTES_MAX);
    tracing::info!(ep.name = %ep, link.epoch = %epoch, "EP connected");
    let mut link = Link {
        ep: ep.clone(),
        epoch,
        calls: Calls::new(app.clone()),
        own: OwnAttempts::new(app.store.clone(), ep.clone()),
        receipts: Receipts::new(app.logs.clone(), app.terms.link.log_window_bytes),
        app: app.clone(),
        session,
        queue,
    };
    let why = link.converse(&mut stream).await;
    tracing::info!(ep.name = %ep, link.epoch = %epoch, "EP disconnected: {why}");
    drop(link.session.close(None).await);
    let gone = Command::FromEp(Event::EpGone { ep, epoch });
    // A loop that has ended restores from its rows, where no EP is connected.
    drop(app.engine.tell(gone).await);
}

async fn refuse(mut session: Session, problem: Problem) {
    refusals::tell(&problem);
    // The peer may be gone already; then there is nobody to tell.
    drop(say(&mut session, &EngineToEp::Refused(problem)).await);
    drop(session.close(None).await);
}

/// Reads and checks the Hello, and enters the connection with the loop.
async fn open(
    stream: &mut MessageStream,
    app: &web::Data<App>,
    outgoing: mpsc::Sender<EngineToEp>,
    peer: String,
) -> Result<(EpName, Epoch), Problem> {
    let greeting = Greeting::begin();
    let first = tokio::select! {
        first = tokio::time::timeout(limits::HELLO_WAIT_MAX, stream.recv()) => first,
        () = greeting.lost() => {
            let title = "too many connections have not said who they are; this one waited longest";
            return Err(Problem::new(ErrorCode::TooMany, title));
        }
    };
    drop(greeting);
    let text = match first {
        Ok(Some(Ok(Message::Text(text)))) => text,
        Ok(Some(Ok(_))) => {
            return Err(Problem::new(ErrorCode::BadRequest, "a link begins with Hello as text"));
        }
        Ok(Some(Err(error))) => {
            return Err(Problem::new(ErrorCode::BadRequest, format!("broken frame: {error}")));
        }
        Ok(None) => return Err(Problem::new(ErrorCode::BadRequest, "closed before Hello")),
        Err(_) => return Err(Problem::new(ErrorCode::BadRequest, "no Hello came in time")),
    };
    let mut hello = match serde_json::from_str(&text) {
        Ok(EpToEngine::Hello(hello)) => hello,
        Ok(_) => return Err(Problem::new(ErrorCode::BadRequest, "the first frame is not Hello")),
        Err(error) => return Err(Problem::new(ErrorCode::BadRequest, format!("cannot read Hello: {error}"))),
    };
    check_version(&hello)?;
    check_name(&hello.ep)?;
    let pass = auth::check_ep(&app.store, &hello).await?;
    if hello.host.ip.is_empty() {
        hello.host.ip = peer;
    }
    let (ep, instance, pool) = (hello.ep.clone(), hello.instance.clone(), hello.pool.clone());
    let pass_of = pass.clone();
    let (reply, answer) = oneshot::channel();
    app.engine.tell(Command::Connect { hello, pass, outgoing, reply }).await?;
    let epoch = answer
        .await
        .ok()
        .unwrap_or_else(|| Err(Problem::new(ErrorCode::Unavailable, "the engine is going down")))?;
    if let Err(problem) = auth::join(&app.store, &pass_of, (&ep, &instance, pool.as_ref())).await {
        drop(app.engine.tell(Command::FromEp(Event::EpGone { ep, epoch })).await);
        return Err(problem);
    }
    Ok((ep, epoch))
}

/// A name is shown in tables, mails and file names.
fn check_name(ep: &EpName) -> Result<(), Problem> {
    let name = ep.as_str();
    let is_plain = name.chars().all(|letter| !letter.is_control() && letter != '/');
    let is_one =
        !name.trim().is_empty() && name.trim() == name && name.chars().count() <= limits::NAME_CHARS_MAX;
    if is_plain && is_one && !name.starts_with('.') {
        return Ok(());
    }
    let title = format!(
        "`{}` is no name of an EP; take up to {} letters, digits and signs but `/`, and no `.` first",
        name.escape_debug(),
        limits::NAME_CHARS_MAX
    );
    Err(Problem::new(ErrorCode::Forbidden, title).field("ep"))
}

fn check_version(hello: &Hello) -> Result<(), Problem> {
    if (hello.version_min..=hello.version_max).contains(&VERSION) {
        return Ok(());
    }
    let Hello { ep, version_min, version_max, .. } = hello;
    let advice = if *version_min > VERSION { "update the engine" } else { "update the EP" };
    let title = format!(
        "EP {ep} speaks protocol versions {version_min} to {version_max}, this engine speaks {VERSION}; {advice}"
    );
    Err(Problem::new(ErrorCode::ProtocolVersion, title))
}

async fn say(session: &mut Session, message: &EngineToEp) -> Result<(), actix_ws::Closed> {
    match serde_json::to_string(message) {
        Ok(text) => session.text(text).await,
        Err(error) => {
            tracing::error!(%error, "a message to an EP cannot be written as JSON");
            Err(actix_ws::Closed)
        }
    }
}

/// An open connection.
struct Link {
    ep: EpName,
    epoch: Epoch,
    app: web::Data<App>,
    calls: Calls,
    receipts: Receipts,
    own: OwnAttempts,
    session: Session,
    queue: mpsc::Receiver<EngineToEp>,
}

/// Why a connection is over: the end of the sentence "EP disconnected: …".
type Why = &'static str;

const CLOSED: Why = "it closed the connection";

impl Link {
    /// Both directions, heartbeats and silence, until the connection is over.
    async fn converse(&mut self, stream: &mut AggregatedMessageStream) -> Why {
        let stop = self.app.stop.clone();
        let silence = Duration::from_millis(self.app.terms.link.silence_millis);
        let mut heartbeat =
            tokio::time::interval(Duration::from_millis(self.app.terms.link.heartbeat_millis));
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut heard = tokio::time::Instant::now();
        loop {
            let done = tokio::select! {
                biased;
                () = stop.cancelled() => Err("the engine is going down"),
                message = self.queue.recv() => match message {
                    Some(message) => self.say(&message).await,
                    None => Err("a newer connection took its place, or it did not read what it was told"),
                },
                frame = stream.recv() => {
                    heard = tokio::time::Instant::now();
                    self.hear(frame).await
                }
                settled = self.receipts.settle() => match settled {
                    Ok(stored) => self.give_receipts(stored).await,
                    Err(error) => Err(self.logs_refused(None, &error).await),
                },
                _ = heartbeat.tick() => self.say(&EngineToEp::Heartbeat).await,
                () = tokio::time::sleep_until(heard + silence) => Err("nothing was heard of it for the silence limit"),
            };
            if let Err(why) = done {
                return why;
            }
        }
    }

    async fn say(&mut self, message: &EngineToEp) -> Result<(), Why> {
        if let EngineToEp::Assign(assignment) = message {
            self.own.given(assignment.attempt);
        }
        say(&mut self.session, message).await.map_err(|_closed| CLOSED)
    }

    async fn hear(
        &mut self,
        frame: Option<Result<AggregatedMessage, actix_ws::ProtocolError>>,
    ) -> Result<(), Why> {
        match frame {
            None | Some(Ok(AggregatedMessage::Close(_))) => Err(CLOSED),
            // A machine that loses its power or its cable says nothing: that is no fault of what it said before.
            Some(Err(actix_ws::ProtocolError::Io(_))) => Err("it went away"),
            Some(Err(error)) => {
                tracing::warn!(ep.name = %self.ep, %error, "a broken frame");
                Err("a frame could not be read")
            }
            Some(Ok(AggregatedMessage::Text(text))) => match serde_json::from_str(&text) {
                Ok(message) => self.hear_message(message).await,
                Err(error) => {
                    tracing::warn!(ep.name = %self.ep, %error, "a message that cannot be read");
                    Err("a message could not be read")
                }
            },
            Some(Ok(AggregatedMessage::Binary(bytes))) => self.hear_log(bytes).await,
            Some(Ok(AggregatedMessage::Ping(bytes))) => {
                self.session.pong(&bytes).await.map_err(|_closed| CLOSED)
            }
            Some(Ok(AggregatedMessage::Pong(_))) => Ok(()),
        }
    }

    async fn hear_message(&mut self, message: EpToEngine) -> Result<(), Why> {
        let (ep, epoch) = (self.ep.clone(), self.epoch);
        match message {
            EpToEngine::Hello(_) => Err("it said Hello twice"),
            EpToEngine::Report { seq, report } => {
                let event = match report {
                    Report::Started { attempt, at } => {
                        Event::AttemptStarted { ep: ep.clone(), epoch, attempt, at }
                    }
                    Report::ScriptEnded(ended) => Event::ScriptEnded { ep: ep.clone(), epoch, ended },
                    Report::Ended(ended) => Event::AttemptEnded { ep: ep.clone(), epoch, ended },
                };
                self.tell(Command::Report { ep, epoch, seq, event }).await
            }
            EpToEngine::Returned { attempts } => {
                self.tell(Command::FromEp(Event::AttemptsReturned { ep, epoch, attempts })).await
            }
            EpToEngine::Call { id, attempt, .. } | EpToEngine::Ask { id, attempt, .. }
                if !self.is_own(attempt).await? =>
            {
                let title = format!("attempt {attempt} was not given to {ep}, which cannot ask for it");
                let result = CallResult::Error(Problem::new(ErrorCode::Forbidden, title));
                self.say(&EngineToEp::Answer { id, result }).await
            }
            EpToEngine::Call { id, attempt, call } => {
                let result = self.calls.answer(attempt, call).await;
                self.say(&EngineToEp::Answer { id, result }).await
            }
            EpToEngine::Ask { id, attempt, ask } => {
                self.tell(Command::Question(Asked::new(ep, epoch, id, attempt, ask))).await
            }
            EpToEngine::Notices { notices } => {
                self.tell(Command::FromEp(Event::EpNotices { ep, epoch, notices })).await
            }
            EpToEngine::Sessions { id, sessions } => {
                self.app.eps.answered(&ep, id, Said::Sessions(sessions));
                Ok(())
            }
            EpToEngine::Modules { id, missing } => {
                self.app.eps.answered(&ep, id, Said::Modules(missing));
                Ok(())
            }
            EpToEngine::PowerDone { id, result } => {
                self.app.eps.answered(&ep, id, Said::Power(result));
                Ok(())
            }
            EpToEngine::Heartbeat => {
                self.app.eps.heard(&self.ep);
                Ok(())
            }
            EpToEngine::Goodbye { reason } => {
                tracing::info!(ep.name = %self.ep, "EP says goodbye: {reason}");
                Err("it said goodbye")
            }
        }
    }

    /// Puts log bytes where they belong, and opens the EP's window again. A disk that takes nothing ends the
    /// connection: the EP keeps the bytes and sends them again when it is back.
    async fn hear_log(&mut self, frame: actix_web::web::Bytes) -> Result<(), Why> {
        let (attempt, stream, offset, length) = match LogFrame::decode(&frame) {
            Ok(frame) => (frame.attempt, frame.stream, frame.offset, frame.bytes.len()),
            Err(error) => {
                tracing::warn!(ep.name = %self.ep, %error, "a log frame that cannot be read");
                return Err("a log frame could not be read");
            }
        };
        let bytes = frame.slice(HEADER_BYTES..);
        let (end, length) = (
            u64::try_from(length).unwrap_or(u64::MAX).saturating_add(offset),
            u64::try_from(length).unwrap_or(u64::MAX),
        );
        if !self.is_own(attempt).await? {
            // It is told that they are stored, so that it forgets them: nobody ever wants them here.
            let bytes = end;
            return self.say(&EngineToEp::LogStored { attempt, stream, bytes }).await;
        }
        if let Err(error) = self.app.logs.write(attempt, stream, offset, bytes).await {
            return Err(self.logs_refused(Some(attempt), &error).await);
        }
        self.receipts.owe(LogKey { attempt, stream }, end, length);
        Ok(())
    }

    /// Whether this EP may speak for an attempt: it was given it.
    async fn is_own(&mut self, attempt: AttemptId) -> Result<bool, Why> {
        self.own.is_own(attempt).await.map_err(|error| {
            tracing::error!(ep.name = %self.ep, "whose an attempt is cannot be found out: {}", error.chain());
            "the store does not answer"
        })
    }

    async fn give_receipts(&mut self, stored: Stored) -> Result<(), Why> {
        for (LogKey { attempt, stream }, bytes) in stored {
            self.say(&EngineToEp::LogStored { attempt, stream, bytes }).await?;
        }
        Ok(())
    }

    /// Tells people that a log cannot be stored, where it is known of which test.
    async fn logs_refused(&self, attempt: Option<AttemptId>, error: &LogError) -> Why {
        tracing::error!(ep.name = %self.ep, %error, "logs cannot be stored");
        if let Some(attempt) = attempt {
            let text = format!(
                "the log of {attempt} cannot be stored: {error}; {} keeps it and tries again",
                self.ep
            );
            let noted = Event::Noted { run: attempt.run, fact: Fact::Note { text } };
            if let Err(why) = self.tell(Command::FromEp(noted)).await {
                return why;
            }
        }
        "its logs cannot be stored"
    }

    async fn tell(&self, command: Command) -> Result<(), Why> {
        self.app.engine.tell(command).await.map_err(|_gone| "the engine is going down")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_tables_and_files_can_have() {
        for good in ["EP-1001", "lab 2, rack 3", "bänk", "a.b"] {
            check_name(&good.into()).unwrap();
        }
        for bad in ["", " ", "../x", "a/b", ".hidden", "a\nb", "\u{1b}[2J", " EP-1", &"x".repeat(101)] {
            assert!(check_name(&bad.into()).is_err(), "{bad:?}");
        }
        let told = check_name(&"a\u{1b}b".into()).unwrap_err().title;
        assert!(told.starts_with("`a\\u{1b}b` is no name of an EP"), "{told}");
    }
}
