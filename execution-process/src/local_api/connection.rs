//! One connection of one test.

use std::sync::Arc;

use jackfield_protocol::error::{ErrorCode, Problem};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
};

use super::{
    Desk, hello,
    rpc::{self, Failure},
};
use crate::event::Guest;
use crate::limits::CALL_BYTES_MAX;

pub(super) async fn serve(stream: UnixStream, desk: Arc<Desk>) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut guest = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut read).take(CALL_BYTES_MAX).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if line.last() != Some(&b'\n') && line.len() > 1 << 20 {
            let title = format!("a request is longer than {CALL_BYTES_MAX} bytes");
            let refused = Failure::NoRequest(Problem::new(ErrorCode::TooLarge, title));
            let _ = write.write_all(&rpc::answer(None, Err(refused)).unwrap_or_default()).await;
            return;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let (id, result) = match rpc::read(&line) {
            Ok(request) => {
                let result = serve_one(&desk, &mut guest, &request.method, request.params).await;
                (request.id, result)
            }
            Err(failure) => (None, Err(failure)),
        };
        if let Some(answer) = rpc::answer(id, result)
            && write.write_all(&answer).await.is_err()
        {
            return;
        }
    }
}

async fn serve_one(
    desk: &Desk,
    guest: &mut Option<Guest>,
    method: &str,
    params: Value,
) -> Result<Value, Failure> {
    if method == "hello" {
        let (known, answer) = hello::hello(desk, params).await?;
        *guest = Some(known);
        return Ok(answer);
    }
    match guest {
        Some(guest) => Box::pin(desk.serve(guest, method, params)).await,
        None => {
            let title = "say hello with the token in JACKFIELD_TOKEN first";
            Err(Problem::new(ErrorCode::Unauthenticated, title).into())
        }
    }
}
