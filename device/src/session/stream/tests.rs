//! A device that says much, in memory: what goes into the file is what a command would have given, and little of it waits at once.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::*;
use crate::{
    channel::{Channel, Window},
    session::SessionSettings,
    target::SessionTarget,
};

const LONG: Duration = Duration::from_secs(60);
const PROMPT: &[u8] = b"r1#";

type Answer = Box<dyn Fn(&str) -> Vec<u8> + Send>;

/// Echoes each line, and answers it.
struct Talker {
    answer: Answer,
    typed: Vec<u8>,
    out: VecDeque<Vec<u8>>,
    /// Bytes in one read.
    piece: usize,
    most_waiting: Arc<AtomicUsize>,
}

impl Talker {
    fn take_line(&mut self) {
        let line = String::from_utf8(std::mem::take(&mut self.typed)).unwrap();
        let line = line.trim_end();
        let mut said = format!("{line}\r\n").into_bytes();
        let answer = if line.is_empty() { Vec::new() } else { (self.answer)(line) };
        said.extend_from_slice(&answer);
        let hangs_up = said.ends_with(b"\x04");
        if !hangs_up {
            said.extend_from_slice(PROMPT);
        }
        self.out.extend(said.chunks(self.piece).map(<[u8]>::to_vec));
    }
}

impl Channel for Talker {
    fn poll_read(&mut self, _: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        self.most_waiting.fetch_max(into.len(), Ordering::Relaxed);
        match self.out.pop_front() {
            None => Poll::Pending,
            Some(piece) if piece == b"\x04" => Poll::Ready(Ok(0)),
            Some(piece) => {
                let piece = piece.strip_suffix(b"\x04").map_or(piece.clone(), |rest| {
                    self.out.push_front(b"\x04".to_vec());
                    rest.to_vec()
                });
                into.extend_from_slice(&piece);
                Poll::Ready(Ok(piece.len()))
            }
        }
    }

    fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        for byte in bytes {
            self.typed.push(*byte);
            if matches!(byte, b'\r' | b'\n') {
                self.take_line();
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn resize(&mut self, _: Window) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

async fn session(
    piece: usize,
    answer: impl Fn(&str) -> Vec<u8> + Send + 'static,
) -> (Session, Arc<AtomicUsize>) {
    let most_waiting = Arc::<AtomicUsize>::default();
    let talker = Talker {
        answer: Box::new(answer),
        typed: Vec::new(),
        out: VecDeque::from([PROMPT.to_vec()]),
        piece,
        most_waiting: Arc::clone(&most_waiting),
    };
    let properties =
        [("protocol", "telnet"), ("host", "r1"), ("profile", "ios"), ("password", "top-secret-word")];
    let properties: BTreeMap<String, Value> =
        properties.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    let target = SessionTarget::from_properties(&properties).unwrap();
    let settings = SessionSettings::new("/nowhere/known_hosts");
    let session = Session::over(Box::new(talker), target, &settings, LONG, Vec::new()).await.unwrap();
    (session, most_waiting)
}

/// Lines that look like prompts, news and comments, and one that is drawn twice.
fn much(lines: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for line in 0..lines {
        let line = match line % 1000 {
            7 => "*Mar  1 00:00:09.123: %SYS-5-CONFIG_I: Configured\r\n".to_owned(),
            8 => "# a comment\r\nr1#\r\n".to_owned(),
            9 => format!("loading 1%\rline {line} of many\r\n"),
            _ => format!("line {line} of many, with words enough to fill it up to a usual length\r\n"),
        };
        text.extend_from_slice(line.as_bytes());
    }
    text
}

/// What went into a file, and how it ended.
async fn filed(session: &mut Session, order: &Order) -> (String, Result<Written, SessionError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answer.txt");
    let written = session.give_to_file(order, &path, LONG).await;
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, std::slice::from_ref(&path));
    (std::fs::read_to_string(&path).unwrap(), written)
}

#[tokio::test(start_paused = true)]
async fn a_file_holds_what_the_command_would_have_given_and_little_waits_at_once() {
    for piece in [1000, 4096, 65_536] {
        let (mut session, most_waiting) = session(piece, |line| match line {
            "show lines" => much(100_000),
            _ => Vec::new(),
        })
        .await;
        let (file, written) = filed(&mut session, &Order::new("show lines")).await;
        assert!(most_waiting.load(Ordering::Relaxed) < 2 * STREAM_READ_BYTES_MAX);
        assert_eq!(written.unwrap().bytes, u64::try_from(file.len()).unwrap());
        let answer = session.command("show lines", LONG).await.unwrap();
        assert!(answer.len() > 6_000_000);
        assert!(file == format!("{answer}\n"), "{} and {} bytes", file.len(), answer.len());
        assert!(session.unasked().unwrap().contains("SYS-5-CONFIG_I"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_answer_and_none_are_the_same_as_those_of_a_command() {
    let (mut session, _) = session(10, |line| match line {
        "show clock" => b"\r\n10:00:00\r\n\r\n".to_vec(),
        _ => Vec::new(),
    })
    .await;
    let (file, written) = filed(&mut session, &Order::new("show clock")).await;
    assert_eq!((file.as_str(), written.unwrap().bytes), ("10:00:00\n", 9));
    let (file, written) = filed(&mut session, &Order::new("clear counters")).await;
    assert_eq!((file.as_str(), written.unwrap().bytes), ("", 0));
}

#[tokio::test(start_paused = true)]
async fn a_line_longer_than_all_that_waits_is_whole() {
    let long = "añ".repeat(1_000_000);
    let said = format!("{long}\r\nend\r\n").into_bytes();
    let (mut session, _) =
        session(4096, move |line| if line == "show blob" { said.clone() } else { Vec::new() }).await;
    let (file, written) = filed(&mut session, &Order::new("show blob")).await;
    written.unwrap();
    let answer = session.command("show blob", LONG).await.unwrap();
    assert!(answer == format!("{long}\nend"), "{} bytes", answer.len());
    assert!(file == format!("{long}\nend\n"), "{} bytes", file.len());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_in_the_file_and_in_the_error() {
    let refused = |line: &str| match line {
        "show tehc" => b"         ^\r\n% Invalid input detected at '^' marker.\r\n".to_vec(),
        _ => Vec::new(),
    };
    let (mut session, _) = session(100, refused).await;
    let (file, written) = filed(&mut session, &Order::new("show tehc").checked()).await;
    assert!(file.contains("% Invalid input"), "{file}");
    let error = written.unwrap_err();
    assert!(!error.is_lab() && !error.is_test());
    let told = error.to_string();
    assert!(told.starts_with("the device refused `show tehc`: % Invalid input detected"), "{told}");
    assert!(told.ends_with("answer.txt"), "{told}");
    filed(&mut session, &Order::new("show tehc")).await.1.unwrap();
    // In a log the same words are of something else.
    let log = |line: &str| match line {
        "show log" => [&much(10_000)[..], b"% Invalid input\r\n"].concat(),
        _ => Vec::new(),
    };
    let (mut session, _) = self::session(4096, log).await;
    filed(&mut session, &Order::new("show log").checked()).await.1.unwrap();
    session.give(&Order::new("show log").checked(), LONG).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_file_says_where_the_session_broke_and_tells_no_secret() {
    let cut = |line: &str| match line {
        "show tech" => [&much(20_000)[..], b"half of top-secret-word\x04"].concat(),
        _ => Vec::new(),
    };
    let (mut session, _) = session(4096, cut).await;
    let (file, written) = filed(&mut session, &Order::new("show tech")).await;
    assert!(file.starts_with("line 0 of many"), "{} bytes", file.len());
    let last: Vec<&str> = file.lines().rev().take(3).collect();
    let [note, half, line] = last.as_slice() else { panic!("{last:?}") };
    assert!(
        note.starts_with("[the answer ends here: command `show tech`: the device closed the connection"),
        "{note}"
    );
    assert!(!note.contains("top-secret-word"), "{note}");
    assert!(half.starts_with("half of"), "{half}");
    assert!(line.starts_with("line 19999 of many"), "{line}");
    let error = written.unwrap_err();
    assert!(error.is_lost() && error.is_lab());
    assert!(!error.to_string().contains("top-secret-word"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_end_is_in_the_file_and_no_part_of_the_next() {
    let stuck = |line: &str| match line {
        "show tech" => [&much(9000)[..], b"still busy"].concat(),
        _ => b"fine\r\n".to_vec(),
    };
    let (mut session, _) = session(4096, stuck).await;
    // The prompt that the device writes behind the open line is proven as such; without one the time is over.
    let (file, _) = filed(&mut session, &Order::new("show tech")).await;
    assert!(file.contains("line 8999 of many") && file.contains("still busy"), "{} bytes", file.len());
    assert_eq!(session.command("show clock", LONG).await.unwrap(), "fine");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_made_is_named_before_anything_is_sent() {
    let (mut session, _) = session(100, |_| b"fine\r\n".to_vec()).await;
    let error =
        session.give_to_file(&Order::new("show tech"), Path::new("/nowhere/answer"), LONG).await.unwrap_err();
    assert!(error.is_test(), "{error}");
    assert_eq!(error.to_string(), "`/nowhere/answer`: No such file or directory (os error 2)");
    assert_eq!(session.command("show clock", LONG).await.unwrap(), "fine");
}
