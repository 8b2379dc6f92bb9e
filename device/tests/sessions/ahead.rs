//! Commands that are known to ask nothing: the empty line that proves the end of their answer goes out with them, and what a device may do
//! with it harms no answer.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jackfield_device::{
    channel::Raw,
    session::{Order, Session, SessionError},
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::{LONG, settings, target};

/// What a device shows for a line, without its echo and the prompt behind it.
type Says = fn(&str) -> Option<&'static str>;

/// A device that echoes, and shows `R1#`. `drops` takes bytes that it was sent at once, before it reads them.
async fn device(mut line: DuplexStream, sent: Arc<Mutex<Vec<String>>>, says: Says, drops: fn(&mut String)) {
    let mut bytes = vec![0; 4096];
    line.write_all(b"R1#").await.unwrap();
    while let Ok(read @ 1..) = line.read(&mut bytes).await {
        let mut text = String::from_utf8(bytes.get(..read).unwrap().to_vec()).unwrap();
        sent.lock().unwrap().push(text.clone());
        drops(&mut text);
        for typed in text.split_terminator('\r') {
            let shown = says(typed).unwrap_or_default();
            line.write_all(format!("{typed}\r\n{shown}R1#").as_bytes()).await.unwrap();
        }
    }
}

struct Bench {
    session: Session,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    /// A session with it, at its first prompt; all of the setup was taken.
    async fn new(says: Says, drops: fn(&mut String)) -> Self {
        let (near, line) = tokio::io::duplex(64 * 1024);
        let sent = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(device(line, Arc::clone(&sent), says, drops));
        let (_folder, settings) = settings();
        let target = target([], json!({"protocol": "tcp", "host": "r1", "port": 1, "profile": "ios"}));
        let session = Session::over(Box::new(Raw::new(near)), target, &settings, LONG, Vec::new()).await;
        let mut bench = Self { session: session.unwrap(), sent };
        // What proves that it answers empty lines.
        bench.gives("write memory").await.unwrap();
        bench
    }

    async fn gives(&mut self, command: &str) -> Result<String, SessionError> {
        self.sent.lock().unwrap().clear();
        self.session.command(command, Duration::from_secs(20)).await
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

fn version(typed: &str) -> Option<&'static str> {
    match typed {
        "write memory" => Some("[OK]\r\n"),
        "show version" => Some("IOS 15.2\r\nuptime is 2 weeks\r\n"),
        _ => None,
    }
}

const VERSION: &str = "IOS 15.2\nuptime is 2 weeks";

#[tokio::test]
async fn what_proves_the_end_goes_out_with_the_command() {
    let mut bench = Bench::new(version, |_| {}).await;
    for _ in 0..3 {
        assert_eq!(bench.gives("show version").await.unwrap(), VERSION);
        assert_eq!(bench.sent(), ["show version\r\r"]);
    }
    // What may ask something, or is no command of that kind, goes alone.
    assert_eq!(bench.gives("write memory").await.unwrap(), "[OK]");
    assert_eq!(bench.sent(), ["write memory\r", "\r"]);
    // Into a file the answer goes unseen.
    let folder = tempfile::tempdir().unwrap();
    bench.sent.lock().unwrap().clear();
    let file = folder.path().join("version");
    bench.session.give_to_file(&Order::new("show version"), &file, LONG).await.unwrap();
    assert_eq!(bench.sent(), ["show version\r", "\r"]);
    assert_eq!(std::fs::read_to_string(file).unwrap().trim_end(), VERSION);
    assert_eq!(bench.gives("show version | redirect flash:v").await.unwrap(), "");
    assert_eq!(bench.sent().first().unwrap(), "show version | redirect flash:v\r");
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_echoes_by_itself_shows_both_prompts_in_one_line() {
    let (near, mut line) = tokio::io::duplex(64 * 1024);
    tokio::spawn(async move {
        let mut bytes = vec![0; 4096];
        line.write_all(b"R1#").await.unwrap();
        while let Ok(read @ 1..) = line.read(&mut bytes).await {
            let text = String::from_utf8(bytes.get(..read).unwrap().to_vec()).unwrap();
            let mut shown = text.replace('\r', "\r\n");
            for typed in text.split_terminator('\r') {
                shown += version(typed).unwrap_or_default();
                shown += "R1#";
            }
            line.write_all(shown.as_bytes()).await.unwrap();
        }
    });
    let (_folder, settings) = settings();
    let target = target([], json!({"protocol": "tcp", "host": "r1", "port": 1, "profile": "ios"}));
    let session = Session::over(Box::new(Raw::new(near)), target, &settings, LONG, Vec::new()).await;
    let mut session = session.unwrap();
    assert_eq!(session.command("write memory", LONG).await.unwrap(), "[OK]");
    for _ in 0..3 {
        let begin = tokio::time::Instant::now();
        assert_eq!(session.command("show version", LONG).await.unwrap(), VERSION);
        assert!(begin.elapsed() < Duration::from_secs(1), "the empty line was taken for lost");
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_throws_away_what_is_typed_ahead_is_asked_as_others_are() {
    let only_the_first_line = |text: &mut String| {
        let end = text.find('\r').map_or(text.len(), |at| at + 1);
        text.truncate(end);
    };
    let mut bench = Bench::new(version, only_the_first_line).await;
    for first in ["show version\r\r", "show version\r", "show version\r"] {
        assert_eq!(bench.gives("show version").await.unwrap(), VERSION);
        assert_eq!(bench.sent().first().unwrap(), first);
        assert!(bench.sent().iter().skip(1).all(|sent| sent == "\r"), "{:?}", bench.sent());
    }
}

#[tokio::test(start_paused = true)]
async fn the_empty_line_alone_is_no_answer_to_a_command_that_was_lost() {
    let all_but_the_last_line = |text: &mut String| {
        if text.starts_with("show") {
            text.drain(..text.trim_end_matches('\r').len() + 1);
        }
    };
    let mut bench = Bench::new(version, all_but_the_last_line).await;
    let error = bench.gives("show version").await.unwrap_err();
    assert!(error.to_string().contains("not the echo of the command"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_pager_that_came_back_is_never_a_line_of_the_answer() {
    // It is not wiped; the empty line has turned it already.
    let pages = |typed: &str| match typed {
        "show version" => Some("IOS 15.2\r\n --More-- \r\nuptime is 2 weeks\r\n"),
        _ => version(typed),
    };
    let mut bench = Bench::new(pages, |_| {}).await;
    let error = bench.gives("show version").await.unwrap_err();
    assert!(error.to_string().contains("looks like a pager's"), "{error}");
    bench.gives("show clock").await.unwrap();
    assert_eq!(bench.sent(), ["show clock\r", "\r"]);
    // Who changes what the setup has set may have brought it back.
    let mut bench = Bench::new(version, |_| {}).await;
    bench.gives("terminal length 24").await.unwrap();
    bench.gives("show version").await.unwrap();
    assert_eq!(bench.sent(), ["show version\r", "\r"]);
}
