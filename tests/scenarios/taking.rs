//! A person who wants to take a session over while its test is still logging in: they get it when the test has it, or are told that it never did.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use jackfield_protocol::verdict::{TestState, Verdict};
use jackfield_tests::Bench;
use serde_json::{Value, json};

use crate::console::Sitting;

const LIMIT: Duration = Duration::from_secs(60);

const SCRIPT: &str = r#"
import pathlib, time
from jackfield import session

router = session("/lab/slow")
assert router.command("show one") == "answer to show one"
while not pathlib.Path("@FOLDER@/enough").exists():
    time.sleep(0.02)
assert router.command("show two") == "answer to show two"
"#;

const STEPS: &str = r#"
title = "logs in, and asks"
[sessions.router]
resource = "/lab/slow"
[[steps]]
command = "show one"
check = { equals = "answer to show one" }
[[steps]]
repeat = 200
[[steps.steps]]
command = "show two"
check = { equals = "answer to show two" }
[[steps.steps]]
pause = "20ms"
"#;

/// A device that answers the password when it is told to.
struct Slow {
    port: u16,
    lets_in: Sender<bool>,
    asked: Receiver<String>,
}

impl Slow {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (lets_in, told) = channel();
        let (tells, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serve(&stream.unwrap(), &told, &tells).is_none() {
                    break;
                }
            }
        });
        Self { port, lets_in, asked }
    }

    fn properties(&self) -> Value {
        json!({
            "protocol": "telnet", "host": "127.0.0.1", "port": self.port, "profile": "ios", "user": "lab", "password": "geheim-wort",
        })
    }

    /// What was typed at its command line so far.
    fn heard(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }
}

/// None where nobody wants a device any more.
fn serve(stream: &TcpStream, told: &Receiver<bool>, tells: &Sender<String>) -> Option<()> {
    let mut out = stream;
    let mut lines = BufReader::new(stream).split(b'\r');
    let mut next = || lines.next().and_then(Result::ok).map(|line| plain(&line));
    out.write_all(b"\r\nUsername: ").ok()?;
    next();
    out.write_all(b"\r\nPassword: ").ok()?;
    next();
    tells.send("the password".to_owned()).ok()?;
    if !told.recv().ok()? {
        // It asks again what it has not taken.
        let _ = out.write_all(b"\r\n% Login invalid\r\n\r\nUsername: ");
        while next().is_some() {
            let _ = out.write_all(b"\r\nPassword: ");
        }
        return Some(());
    }
    let _ = out.write_all(b"\r\nr1#");
    while let Some(line) = next() {
        let answer = if line.starts_with("show") { format!("answer to {line}\r\n") } else { String::new() };
        if !line.is_empty() {
            tells.send(line.clone()).ok()?;
        }
        let _ = out.write_all(format!("{line}\r\n{answer}r1#").as_bytes());
    }
    Some(())
}

/// A line without what telnet says beside it.
fn plain(line: &[u8]) -> String {
    line.iter().filter(|byte| (b' '..0x7f).contains(*byte)).map(|byte| char::from(*byte)).collect()
}

fn lab() -> (Bench, Slow) {
    let mut bench = Bench::start("").unwrap();
    let slow = Slow::start();
    for (name, parent, properties) in [("lab", "/", json!({})), ("slow", "/lab", slow.properties())] {
        let body = json!({"parent": parent, "name": name, "properties": properties});
        bench.api.put::<Value>("/resources", &body).unwrap();
    }
    let script = SCRIPT.replace("@FOLDER@", &bench.path().display().to_string());
    bench.write("tests/slow.py", &script).unwrap();
    bench.write("tests/slow.steps.toml", STEPS).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    (bench, slow)
}

fn project(file: &str) -> String {
    format!(
        "<Root><TestSuite><tsName>a</tsName><TestCase><tcName>{file}</tcName></TestCase></TestSuite></Root>"
    )
}

/// Waits until the test has given its password; the session before may say good-bye only now.
fn logs_in(slow: &Slow) {
    let mut typed = std::iter::from_fn(|| slow.asked.recv_timeout(LIMIT).ok());
    assert_eq!(typed.find(|line| line != "exit").unwrap(), "the password");
}

#[test]
fn who_takes_over_while_a_test_logs_in_types_when_it_has() {
    let (bench, slow) = lab();
    for (file, notice) in [
        ("slow.py", "you type as soon as what the test does now is done"),
        ("slow.steps.toml", "the test is logging in: you type when it has"),
    ] {
        let run = bench.api.submit(file, &project(file)).unwrap();
        logs_in(&slow);
        let mut taker = Sitting::begin(&bench, &bench.api, file, &["/lab/slow", "--take", "--quiet", "300"]);
        taker.awaits(notice);
        taker.types("show clock\n");
        slow.lets_in.send(true).unwrap();
        taker.awaits("answer to show clock");
        // Nobody has typed at the login, and nothing was sent into a line half typed.
        assert!(!taker.reads().contains("Login invalid"), "{}", taker.reads());
        taker.goes();
        assert!(taker.ended().success(), "{}", taker.reads());
        bench.write("../enough", "").unwrap();
        bench.api.wait(run, LIMIT).unwrap();
        let row = bench.api.tests(run).unwrap().remove(0);
        assert_eq!(row.state, TestState::Ended(Verdict::Pass), "{file}: {}", row.reason);
        let heard = slow.heard();
        assert!(
            heard.contains(&"show clock".to_owned()) && heard.contains(&"show two".to_owned()),
            "{heard:?}"
        );
    }
}

#[test]
fn who_waits_for_a_login_that_fails_is_told() {
    let (bench, slow) = lab();
    for file in ["slow.py", "slow.steps.toml"] {
        let run = bench.api.submit(file, &project(file)).unwrap();
        logs_in(&slow);
        let mut taker = Sitting::begin(&bench, &bench.api, file, &["/lab/slow", "--take"]);
        taker.awaits("you type");
        slow.lets_in.send(false).unwrap();
        taker.ended();
        let told = taker.reads();
        assert!(
            told.contains("the session was closed") || told.contains("the test did not get in"),
            "{told}"
        );
        bench.api.wait(run, LIMIT).unwrap();
        let row = bench.api.tests(run).unwrap().remove(0);
        assert_eq!(row.state, TestState::Ended(Verdict::Fail), "{}", row.reason);
        assert!(
            row.reason.contains("user or password is wrong") && !row.reason.contains("geheim"),
            "{}",
            row.reason
        );
    }
}
