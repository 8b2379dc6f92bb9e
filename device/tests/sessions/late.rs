//! Devices in the hands of the test: answers that come late, which are none to the next command, and a prompt that is written over.

use std::time::Duration;

use jackfield_device::{
    channel::Raw,
    session::{Session, SessionError},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    join,
};

use crate::{LONG, settings, target};

const SHORT: Duration = Duration::from_millis(200);
/// Half of it is waited for what is late.
const HALVED: Duration = Duration::from_secs(2);

/// The device's end of a line, in the hands of a test.
struct Far(DuplexStream);

impl Far {
    async fn says(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Takes a line, and shows nothing of it.
    async fn takes(&mut self, line: &str) {
        let mut taken = Vec::new();
        while !matches!(taken.last(), Some(b'\n' | b'\r')) {
            taken.push(self.0.read_u8().await.unwrap());
        }
        assert_eq!(String::from_utf8_lossy(&taken).trim(), line);
    }

    /// Takes a line and echoes it.
    async fn hears(&mut self, line: &str) {
        self.takes(line).await;
        self.says(&format!("{line}\r\n")).await;
    }

    async fn answers(&mut self, line: &str, answer: &str) {
        self.hears(line).await;
        self.says(&format!("{answer}\r\nr1#")).await;
    }
}

/// A session that has seen one answer.
async fn session() -> (Session, Far) {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let (_folder, settings) = settings();
    let target = target([], json!({"protocol": "tcp", "host": "r1", "port": 1, "profile": "generic"}));
    let mut far = Far(far);
    far.says("r1#").await;
    let mut session =
        Session::over(Box::new(Raw::new(near)), target, &settings, LONG, Vec::new()).await.unwrap();
    let (answer, ()) = join!(session.command("hello", LONG), far.answers("hello", "hello to you"));
    assert_eq!(answer.unwrap(), "hello to you");
    (session, far)
}

fn assert_timeout(answer: Result<String, SessionError>) {
    let error = answer.unwrap_err();
    assert!(error.to_string().contains("timed out after 200.0ms"), "{error}");
}

#[tokio::test]
async fn what_is_late_is_waited_for_and_dropped() {
    let (mut session, mut far) = session().await;
    let (answer, ()) = join!(session.command("slow", SHORT), far.hears("slow"));
    assert_timeout(answer);
    let (answer, ()) = join!(session.command("fast", LONG), async {
        far.says("at last\r\nr1#").await;
        far.answers("fast", "at once").await;
    });
    assert_eq!(answer.unwrap(), "at once");
}

#[tokio::test]
async fn what_was_lost_is_not_waited_for_without_end() {
    let (mut session, mut far) = session().await;
    let (answer, ()) = join!(session.command("lost", SHORT), far.takes("lost"));
    assert_timeout(answer);
    for _ in 0..2 {
        let (answer, ()) = join!(session.command("fast", HALVED), far.answers("fast", "at once"));
        assert_eq!(answer.unwrap(), "at once");
    }
}

#[tokio::test]
async fn a_device_that_comes_to_itself_answers_everything_in_its_turn() {
    let (mut session, mut far) = session().await;
    let (answer, ()) = join!(session.command("slow", SHORT), far.takes("slow"));
    assert_timeout(answer);
    let (answer, ()) = join!(session.command("fast", HALVED), async {
        far.takes("fast").await;
        far.says("slow\r\nat last\r\nr1#fast\r\nat once\r\nr1#").await;
    });
    assert_eq!(answer.unwrap(), "at once");
}

#[tokio::test]
async fn of_a_command_given_twice_the_second_answer_is_not_the_next_ones() {
    let (mut session, mut far) = session().await;
    let (answer, ()) = join!(session.command("poll", SHORT), far.takes("poll"));
    assert_timeout(answer);
    let (answer, ()) = join!(session.command("poll", HALVED), async {
        far.takes("poll").await;
        far.says("poll\r\n1\r\nr1#").await;
    });
    assert_eq!(answer.unwrap(), "1");
    let (answer, ()) = join!(session.command("fast", LONG), async {
        far.says("poll\r\n2\r\nr1#").await;
        far.answers("fast", "at once").await;
    });
    assert_eq!(answer.unwrap(), "at once");
}

#[tokio::test]
async fn a_device_that_is_still_busy_is_told_as_such() {
    let (mut session, mut far) = session().await;
    let (answer, ()) = join!(session.command("slow", SHORT), far.hears("slow"));
    assert_timeout(answer);
    let (answer, ()) = join!(session.command("fast", SHORT), far.says("still at it\r\n"));
    let told = answer.unwrap_err().to_string();
    let begins = "command `fast`: the answer to `slow`, which was given before: timed out after 100.0ms";
    assert!(told.starts_with(begins), "{told}");
    assert!(told.ends_with(r"last seen: slow\nstill at it\n"), "{told}");
}

#[tokio::test]
async fn who_goes_on_by_hand_is_let_alone() {
    let (mut session, mut far) = session().await;
    let (answer, ()) = join!(session.command("slow", SHORT), far.hears("slow"));
    assert_timeout(answer);
    let (sent, ()) = join!(session.send("\u{3}", false, LONG), async {
        assert_eq!(far.0.read_u8().await.unwrap(), 3);
        far.says("^C\r\nr1#").await;
    });
    sent.unwrap();
    let prompt = jackfield_device::expect::Patterns::regexes(&["r1#"]).unwrap();
    session.expect(&prompt, LONG).await.unwrap();
    let (answer, ()) = join!(session.command("fast", LONG), far.answers("fast", "at once"));
    assert_eq!(answer.unwrap(), "at once");
}

#[tokio::test]
async fn a_prompt_is_known_without_the_codes_behind_it() {
    let (mut session, mut far) = session().await;
    let (answer, ()) = join!(session.command("one", LONG), async {
        far.hears("one").await;
        far.says("1\r\nsh# \x1b[6n").await;
    });
    assert_eq!((answer.unwrap().as_str(), session.prompt().as_str()), ("1", "sh#"));
    let (answer, ()) = join!(session.command("two", LONG), async {
        far.hears("two").await;
        // The kernel interrupts the shell before it has asked its terminal.
        far.says("2\r\nsh# [    3.14] e1000: eth0 is up\r\n").await;
    });
    assert_eq!(answer.unwrap(), "2");
}
