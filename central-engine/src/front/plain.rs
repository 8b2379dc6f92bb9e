//! Whoever speaks plain HTTP from another machine: told in words where TLS is spoken. A browser is sent there.

use std::io;

use jackfield_protocol::error::{ErrorCode, Problem};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::limits;

/// Answers the first request, and closes. The time it may take is the caller's.
///
/// # Errors
/// The connection broke.
pub(super) async fn send_away(mut stream: TcpStream) -> io::Result<()> {
    let local = stream.local_addr()?;
    let head = head(&mut stream).await?;
    stream.write_all(answer(&head, &local.to_string()).as_bytes()).await?;
    stream.shutdown().await?;
    // Closed with something unread, the connection would be reset, and the answer lost with it.
    let rest = async {
        let mut bytes = [0; 1024];
        while stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
    };
    // What is still on its way after that was not waited for by anybody.
    let _ = tokio::time::timeout(limits::PLAIN_REST_WAIT, rest).await;
    Ok(())
}

/// The head of a request, or its beginning.
async fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut bytes = [0; 1024];
    while head.len() < limits::PLAIN_HEAD_BYTES && !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut bytes).await?;
        if count == 0 {
            break;
        }
        head.extend_from_slice(bytes.get(..count).unwrap_or_default());
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn answer(head: &str, local: &str) -> String {
    let mut lines = head.lines();
    let mut request = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (request.next().unwrap_or_default(), request.next().unwrap_or_default());
    let header = |name: &str| {
        let of = |line: &str| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        head.lines().skip(1).find_map(of)
    };
    let host = header("host").filter(|host| is_host(host)).unwrap_or_else(|| local.to_owned());
    let is_page =
        method == "GET" && is_path(path) && header("accept").is_some_and(|kinds| kinds.contains("text/html"));
    let title = format!("this port speaks TLS; nothing was done: use https://{host}");
    let problem = Problem::new(ErrorCode::BadRequest, title);
    // A problem is made of texts and numbers.
    let body = serde_json::to_string(&problem).unwrap_or_default() + "\n";
    let first = if is_page {
        format!("307 Temporary Redirect\r\nLocation: https://{host}{path}\r\nConnection: close")
    } else {
        "426 Upgrade Required\r\nUpgrade: TLS/1.2\r\nConnection: Upgrade, close".to_owned()
    };
    format!(
        "HTTP/1.1 {first}\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// What may stand in an address without leading elsewhere.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:[]".contains(c))
}

fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && !text.starts_with("//")
        && text.chars().all(|c| c.is_ascii_graphic() && c != '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_told_and_a_browser_is_sent() {
        let page = "GET /runs/1?tab=log HTTP/1.1\r\nHost: bench:8000\r\naccept: text/html,*/*\r\n\r\n";
        let curl = "POST /api/v1/login HTTP/1.1\r\nHost: bench:8000\r\nAccept: */*\r\n\r\n{\"user\"";
        let evil = "GET //evil.example/ HTTP/1.1\r\nHost: evil\u{1}\r\nAccept: text/html\r\n\r\n";
        let told: Vec<String> =
            [page, curl, evil, "", "\u{16}\u{3}"].iter().map(|head| answer(head, "[::1]:8000")).collect();
        insta::assert_snapshot!(told.join("----\n").replace('\r', ""));
    }
}
