//! What holds for every request and every answer below `/api`, before and after any handler.
//!
//! A body comes in time or not at all, and comes as it is: packed, eight kilobytes would become gigabytes before any limit could count them. An
//! answer is never a page: what people wrote is data, whatever a browser would make of it. What a connection asked for ends with it, but a deed
//! that has begun is done.

use std::time::Duration;

use actix_web::{
    Error, HttpMessage as _,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web,
};
use futures_util::{StreamExt as _, stream};
use jackfield_protocol::error::ErrorCode;
use tokio::time::{Instant, timeout_at};

use crate::{app::App, failure::Failure, limits};

/// What a browser may do with an answer that says nothing else of itself: nothing, and in a place of its own, away from our cookie.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";
/// The same for a report, which is a page: its own script runs, but not as ours, and reaches nobody.
pub(super) const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
     base-uri 'none'; form-action 'none'; sandbox allow-scripts allow-popups allow-downloads allow-top-navigation-by-user-activation";

/// Around every handler.
///
/// # Errors
/// Those of what is inside.
pub(super) async fn keep(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if is_packed(request.headers()) {
        let title = "send the body as it is: this engine unpacks none (`Content-Encoding`)";
        let refused = Failure::new(ErrorCode::BadRequest, title).field("Content-Encoding");
        let mut response = request.error_response(refused);
        harden(response.headers_mut());
        return Ok(response);
    }
    // What follows an upgrade is no body, and has limits of its own.
    if !request.headers().contains_key(header::UPGRADE) {
        let is_file = request.path().starts_with("/api/v1/blobs/");
        let payload = request.take_payload();
        request.set_payload(in_time(payload, (!is_file).then_some(limits::BODY_WAIT_MAX)));
    }
    let mut response = answered(request, next).await?.map_into_boxed_body();
    harden(response.headers_mut());
    Ok(response)
}

/// What is inside, which for a deed goes on without its connection: the server ends handlers whose client has gone, and one that was ended
/// between its row and its line of the audit log would have done half.
async fn answered<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let tasks = request.app_data::<web::Data<App>>().map(|app| app.tasks.clone());
    match tasks {
        Some(tasks) if !request.method().is_safe() => {
            let deed = tasks.spawn_local(async move { next.call(request).await });
            match deed.await.map_err(tokio::task::JoinError::try_into_panic) {
                Ok(answer) => answer,
                // A panic of the handler is one of the connection, as if it had run there.
                Err(Ok(panic)) => std::panic::resume_unwind(panic),
                Err(Err(_)) => Err(Failure::new(ErrorCode::Unavailable, "the engine goes down").into()),
            }
        }
        Some(_) | None => next.call(request).await,
    }
}

fn is_packed(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_ENCODING).any(|coding| coding.as_bytes() != b"identity")
}

fn harden(headers: &mut HeaderMap) {
    let mut unless_said = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    unless_said(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    unless_said(header::CONTENT_SECURITY_POLICY, POLICY);
    unless_said(header::CACHE_CONTROL, "no-store");
    unless_said(header::REFERRER_POLICY, "no-referrer");
}

/// The body, as long as it goes on and, where it has a limit as a whole, comes to its end before that. The time runs from when it is first read.
fn in_time(body: Payload, whole: Option<Duration>) -> Payload {
    let pieces = stream::unfold((Some(body), None), move |(body, over)| async move {
        let mut body = body?;
        let now = Instant::now();
        let over = over.or_else(|| whole.map(|whole| now + whole));
        let silent = now + limits::BODY_SILENCE_MAX;
        match timeout_at(over.map_or(silent, |over| over.min(silent)), body.next()).await {
            Ok(Some(Ok(piece))) => Some((Ok(piece), (Some(body), over))),
            Ok(Some(Err(error))) => Some((Err(error), (None, over))),
            Ok(None) => None,
            Err(_) => {
                let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "the body did not come in time");
                Some((Err(PayloadError::Io(late)), (None, over)))
            }
        }
    });
    Payload::Stream { payload: Box::pin(pieces) }
}

#[cfg(test)]
mod tests {
    use actix_web::web::Bytes;

    use super::*;

    fn body(pieces: usize, pause: Duration) -> Payload {
        let pieces = stream::unfold(pieces, move |left| async move {
            tokio::time::sleep(pause).await;
            (left > 0).then(|| (Ok(Bytes::from_static(b"x")), left.saturating_sub(1)))
        });
        Payload::Stream { payload: Box::pin(pieces) }
    }

    async fn read(mut body: Payload) -> Result<usize, String> {
        let mut count = 0;
        while let Some(piece) = body.next().await {
            piece.map_err(|error| error.to_string())?;
            count += 1;
        }
        Ok(count)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_goes_on_and_comes_to_its_end_or_is_given_up() {
        let second = Duration::from_secs(1);
        assert_eq!(read(in_time(body(10, second), Some(limits::BODY_WAIT_MAX))).await, Ok(10));
        let late = || Err("the body did not come in time".to_owned());
        let told =
            |read: Result<usize, String>| read.map_err(|error| error.rsplit(": ").next().unwrap().to_owned());
        assert_eq!(told(read(in_time(body(10, limits::BODY_SILENCE_MAX * 2), None)).await), late());
        assert_eq!(told(read(in_time(body(1_000, second), Some(limits::BODY_WAIT_MAX))).await), late());
        assert_eq!(read(in_time(body(1_000, second), None)).await, Ok(1_000), "a large file");
    }
}
