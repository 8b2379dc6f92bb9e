//! One connection of one test.

use std::sync::Arc;

use jackfield_protocol::error::{ErrorCode, Problem};
use serde_json::Value;
use tokio::{io::AsyncWriteExt, net::UnixStream};

use super::{
    Desk, hello,
    line::{Line, Lines},
    rpc::{self, Failure},
    seats::Seat,
};
use crate::{event::Guest, limits::CONNECTIONS_OF_ONE_MAX};

pub(super) async fn serve(stream: UnixStream, desk: Arc<Desk>) {
    let (read, mut write) = stream.into_split();
    let mut lines = Lines::new(read, Arc::clone(&desk.large));
    let mut known = None;
    let mut visitor = Some(desk.lobby.enter());
    loop {
        let came = match &visitor {
            Some(visitor) => tokio::select! {
                () = visitor.sent_away() => return,
                came = lines.hello() => came,
            },
            None => lines.next().await,
        };
        let (line, place) = match came {
            Line::Whole(line, place) => (line, place),
            Line::Over => return,
            Line::TooLong(most) => {
                let title = format!(
                    "a request is longer than {most} bytes{}",
                    if visitor.is_some() { " before hello" } else { "" }
                );
                let refused = Failure::NoRequest(Problem::new(ErrorCode::TooLarge, title));
                let _ = write.write_all(&rpc::answer(None, Err(refused)).unwrap_or_default()).await;
                return;
            }
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let request = rpc::read(&line);
        // What waits for a person or a device must not keep others from saying something large.
        drop((line, place));
        let (id, result) = match request {
            Ok(request) => {
                let result = serve_one(&desk, &mut known, &request.method, request.params).await;
                (request.id, result)
            }
            Err(failure) => (None, Err(failure)),
        };
        if known.is_some() {
            visitor = None;
        }
        if let Some(answer) = rpc::answer(id, result)
            && write.write_all(&answer).await.is_err()
        {
            return;
        }
    }
}

async fn serve_one(
    desk: &Desk,
    known: &mut Option<(Guest, Seat)>,
    method: &str,
    params: Value,
) -> Result<Value, Failure> {
    if method == "hello" {
        let (guest, answer) = hello::hello(desk, params).await?;
        // The seat of whom it was before is free first.
        *known = None;
        let seat = desk.seats.take(guest.order.attempt).ok_or_else(|| {
            let title =
                format!("this test has {CONNECTIONS_OF_ONE_MAX} connections, which are the most; close some");
            Problem::new(ErrorCode::TooMany, title)
        })?;
        *known = Some((guest, seat));
        return Ok(answer);
    }
    match known {
        Some((guest, _)) => Box::pin(desk.serve(guest, method, params)).await,
        None => {
            let title = "say hello with the token in JACKFIELD_TOKEN first";
            Err(Problem::new(ErrorCode::Unauthenticated, title).into())
        }
    }
}
