//! Devices in the hands of the test: answers that come late, which are none to the next command, and a prompt that is written over.

use std::time::Duration;

use jackfield_device::{
    channel::Raw,
    session::{Session, SessionError},
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::{LONG, settings, target};

const SHORT: Duration = Duration::from_millis(200);
/// Half of it is waited for what is late, and half of that for the echo of what may be lost.
const HALVED: Duration = Duration::from_secs(13);

/// The device's end of a line, in the hands of a test. It shows its prompt again at an empty line, as all do.
struct Far {
    line: DuplexStream,
    prompt: &'static str,
    empty_lines: u32,
}

impl Far {
    async fn says(&mut self, text: &str) {
        self.line.write_all(text.as_bytes()).await.unwrap();
    }

    async fn line(&mut self) -> String {
        let mut taken = Vec::new();
        while !matches!(taken.last(), Some(b'\n' | b'\r')) {
            taken.push(self.line.read_u8().await.unwrap());
        }
        String::from_utf8_lossy(&taken).trim().to_owned()
    }

    /// Takes a line, and shows nothing of it.
    async fn takes(&mut self, wanted: &str) {
        loop {
            let line = self.line().await;
            if !line.is_empty() {
                assert_eq!(line, wanted);
                return;
            }
            self.empty_line().await;
        }
    }

    async fn empty_line(&mut self) {
        self.empty_lines += 1;
        self.says(&format!("\r\n{}", self.prompt)).await;
    }

    /// Takes a line and echoes it.
    async fn hears(&mut self, line: &str) {
        self.takes(line).await;
        self.says(&format!("{line}\r\n")).await;
    }

    async fn answers(&mut self, line: &str, answer: &str) {
        self.hears(line).await;
        self.says(&format!("{answer}\r\n{}", self.prompt)).await;
    }

    /// What the device does while something is asked of the session; then it stands at its prompt.
    async fn meanwhile<T>(&mut self, asked: impl Future<Output = T>, does: impl AsyncFnOnce(&mut Self)) -> T {
        let device = async {
            does(self).await;
            loop {
                assert_eq!(self.line().await, "", "a line that nobody awaits");
                self.empty_line().await;
            }
        };
        tokio::select! {
            answer = asked => answer,
            () = device => unreachable!("the device stands at its prompt"),
        }
    }
}

/// A session that has seen one answer.
async fn session() -> (Session, Far) {
    session_with(json!({})).await
}

async fn session_with(profile_settings: serde_json::Value) -> (Session, Far) {
    let (near, line) = tokio::io::duplex(64 * 1024);
    let (_folder, settings) = settings();
    let target = target(
        [],
        json!({"protocol": "tcp", "host": "r1", "port": 1, "profile": "generic", "profile_settings": profile_settings}),
    );
    let mut far = Far { line, prompt: "r1#", empty_lines: 0 };
    far.says("r1#").await;
    let mut session =
        Session::over(Box::new(Raw::new(near)), target, &settings, LONG, Vec::new()).await.unwrap();
    let answer =
        far.meanwhile(session.command("hello", LONG), async |far| far.answers("hello", "hello to you").await);
    assert_eq!(answer.await.unwrap(), "hello to you");
    (session, far)
}

fn assert_timeout(answer: Result<String, SessionError>) {
    let error = answer.unwrap_err();
    assert!(error.to_string().contains("timed out after 200.0ms"), "{error}");
}

#[tokio::test]
async fn what_is_late_is_waited_for_and_dropped() {
    let (mut session, mut far) = session().await;
    let answer = far.meanwhile(session.command("slow", SHORT), async |far| far.hears("slow").await).await;
    assert_timeout(answer);
    let answer = far
        .meanwhile(session.command("fast", LONG), async |far| {
            far.says("at last\r\nr1#").await;
            far.answers("fast", "at once").await;
        })
        .await;
    assert_eq!(answer.unwrap(), "at once");
}

#[tokio::test]
async fn what_follows_an_answer_that_is_too_large_is_not_lost_with_it() {
    let (mut session, mut far) = session().await;
    let piece = "x".repeat(1023) + "\n";
    let answer = far
        .meanwhile(session.command("large", LONG), async |far| {
            far.hears("large").await;
            // The session gives it up on the way, and the device goes on.
            for _ in 0..65 * 1024 {
                far.says(&piece).await;
            }
        })
        .await;
    assert!(answer.unwrap_err().to_string().contains("larger than 64 MiB"));
    let answer = far
        .meanwhile(session.command("fast", LONG), async |far| {
            for _ in 0..66 * 1024 {
                far.says(&piece).await;
            }
            far.says("r1#").await;
            far.answers("fast", "at once").await;
        })
        .await;
    assert_eq!(answer.unwrap(), "at once");
}

#[tokio::test]
async fn what_was_lost_is_not_waited_for_without_end() {
    let (mut session, mut far) = session().await;
    let answer = far.meanwhile(session.command("lost", SHORT), async |far| far.takes("lost").await).await;
    assert_timeout(answer);
    for _ in 0..2 {
        let answer = far
            .meanwhile(session.command("fast", HALVED), async |far| far.answers("fast", "at once").await)
            .await;
        assert_eq!(answer.unwrap(), "at once");
    }
}

#[tokio::test]
async fn a_device_that_comes_to_itself_answers_everything_in_its_turn() {
    let (mut session, mut far) = session().await;
    let answer = far.meanwhile(session.command("slow", SHORT), async |far| far.takes("slow").await).await;
    assert_timeout(answer);
    let answer = far
        .meanwhile(session.command("fast", HALVED), async |far| {
            far.takes("fast").await;
            far.says("slow\r\nat last\r\nr1#fast\r\nat once\r\nr1#").await;
        })
        .await;
    assert_eq!(answer.unwrap(), "at once");
}

#[tokio::test]
async fn of_a_command_given_twice_the_second_answer_is_not_the_next_ones() {
    let (mut session, mut far) = session().await;
    let answer = far.meanwhile(session.command("poll", SHORT), async |far| far.takes("poll").await).await;
    assert_timeout(answer);
    let answer = far
        .meanwhile(session.command("poll", HALVED), async |far| {
            far.takes("poll").await;
            far.says("poll\r\n1\r\nr1#").await;
        })
        .await;
    assert_eq!(answer.unwrap(), "1");
    let answer = far
        .meanwhile(session.command("fast", LONG), async |far| {
            far.says("poll\r\n2\r\nr1#").await;
            far.answers("fast", "at once").await;
        })
        .await;
    assert_eq!(answer.unwrap(), "at once");
}

#[tokio::test]
async fn a_device_that_is_still_busy_is_told_as_such() {
    let (mut session, mut far) = session().await;
    let answer = far.meanwhile(session.command("slow", SHORT), async |far| far.hears("slow").await).await;
    assert_timeout(answer);
    let answer =
        far.meanwhile(session.command("fast", SHORT), async |far| far.says("still at it\r\n").await).await;
    let told = answer.unwrap_err().to_string();
    let begins = "command `fast` was not sent: uncertain: the device is still busy with `slow`, which was given before";
    assert!(told.starts_with(begins), "{told}");
    assert!(told.ends_with(r"last seen: slow\nstill at it\n"), "{told}");
}

#[tokio::test]
async fn who_goes_on_by_hand_is_let_alone() {
    let (mut session, mut far) = session().await;
    let answer = far.meanwhile(session.command("slow", SHORT), async |far| far.hears("slow").await).await;
    assert_timeout(answer);
    session.send("\u{3}", false, LONG).await.unwrap();
    assert_eq!(far.line.read_u8().await.unwrap(), 3);
    far.says("^C\r\nr1#").await;
    let prompt = jackfield_device::expect::Patterns::regexes(&["r1#"]).unwrap();
    session.expect(&prompt, LONG).await.unwrap();
    let answer =
        far.meanwhile(session.command("fast", LONG), async |far| far.answers("fast", "at once").await).await;
    assert_eq!(answer.unwrap(), "at once");
}

#[tokio::test]
async fn a_prompt_is_known_without_the_codes_behind_it() {
    let (mut session, mut far) = session_with(json!({"unasked": [r"\[ {0,6}\d{1,10}\.\d{6}\] "]})).await;
    far.prompt = "sh# ";
    let answer = far
        .meanwhile(session.command("one", LONG), async |far| {
            far.hears("one").await;
            far.says("1\r\nsh# \x1b[6n").await;
        })
        .await;
    assert_eq!((answer.unwrap().as_str(), session.prompt().as_str()), ("1", "sh#"));
    let answer = far
        .meanwhile(session.command("two", LONG), async |far| {
            far.hears("two").await;
            // The kernel interrupts the shell before it has asked its terminal.
            far.says("2\r\nsh# [    3.141592] e1000: eth0 is up\r\n").await;
        })
        .await;
    assert_eq!(answer.unwrap(), "2");
}
