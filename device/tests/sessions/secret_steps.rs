//! Step tests that send secrets: none is in a log, a report or a recording.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use jackfield_config::steps::StepTest;
use jackfield_device::{
    channel::Window,
    record::{Recorder, Tap},
    steps::{StepEnvironment, StepReport, run},
};
use jackfield_protocol::{secret::Secret, verdict::Verdict};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

use crate::settings;

/// Keeps the log and the recordings.
#[derive(Default)]
struct Lab {
    port: u16,
    log: Vec<String>,
    recordings: Arc<Mutex<Vec<u8>>>,
}

struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl StepEnvironment for Lab {
    async fn resource(&mut self, path: &str) -> Result<BTreeMap<String, Value>, String> {
        Err(format!("there is no resource {path}"))
    }

    async fn variable(&mut self, name: &str) -> Option<String> {
        (name == "port").then(|| self.port.to_string())
    }

    fn log(&mut self, line: &str) {
        self.log.push(line.to_owned());
    }

    fn taps(&mut self, session: &str, _title: &str, secrets: &[Secret]) -> Vec<Box<dyn Tap>> {
        let to = Written(Arc::clone(&self.recordings));
        vec![Box::new(Recorder::new(to, session, Window::default(), secrets))]
    }
}

/// A device that asks for a password at `enable`, and shows all that it was ever sent.
async fn device(listener: TcpListener) {
    let (stream, _) = listener.accept().await.unwrap();
    let (from, mut to) = stream.into_split();
    let mut lines = BufReader::new(from).split(b'\r');
    let mut heard = Vec::new();
    to.write_all(b"r1> ").await.unwrap();
    while let Some(line) = lines.next_segment().await.unwrap() {
        let line = String::from_utf8_lossy(&line).trim_matches(['\n', '\0']).to_owned();
        let answer = match line.as_str() {
            "enable" => "enable\r\nPassword: ".to_owned(),
            "show" => format!("show\r\n{}\r\nr1> ", heard.join("\r\n")),
            _ => "\r\nr1> ".to_owned(),
        };
        heard.push(line);
        if to.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn run_text(text: &str) -> (StepReport, Lab) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut lab = Lab { port: listener.local_addr().unwrap().port(), ..Lab::default() };
    let serving = tokio::spawn(device(listener));
    let head = "title = 't'\n[variables]\npw = 'planted-variable'\n[sessions.r]\nconnect = { protocol = 'telnet', host = '127.0.0.1', port = '${port}', profile = 'generic', login = false }\n";
    let test = StepTest::parse("t.steps.toml", &format!("{head}{text}"))
        .unwrap_or_else(|problems| panic!("{problems:#?}"));
    let (_folder, settings) = settings();
    let report = run(&test, &settings, &mut lab).await;
    serving.abort();
    (report, lab)
}

/// Everything that somebody may read afterwards.
fn readable((report, lab): &(StepReport, Lab)) -> String {
    let recordings = String::from_utf8(lab.recordings.lock().unwrap().clone()).unwrap();
    format!("{report:?}\n{}\n{recordings}", lab.log.join("\n"))
}

const STEPS: &str = r#"
[[steps]]
send = "enable"
[[steps]]
expect = "[Pp]assword: "
[[steps]]
send = "planted-after-question"
[[steps]]
send = "${pw}"
secret = true
[[steps]]
send = "enable"
[[steps]]
expect = "word: "
[[steps]]
send = "planted-unmarked"
[[steps]]
send = "show"
[[steps]]
expect = '(?s)show\r\n.*r1> $'
"#;

#[tokio::test]
async fn no_secret_that_a_step_sends_is_readable() {
    let ran = run_text(STEPS).await;
    assert_eq!(ran.0.outcome.verdict, Verdict::Pass, "{:?}\n{}", ran.0, ran.1.log.join("\n"));
    let text = readable(&ran);
    assert!(!text.contains("planted"), "{text}");
    let names: Vec<&str> = ran.0.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names[2], "send a secret");
    assert_eq!(names[6], "send a secret");
    assert!(text.contains("********"), "{text}");
}

#[tokio::test]
async fn an_answer_that_is_never_sent_is_no_more_readable() {
    let ran =
        run_text("[[steps]]\nexpect = '(?i)passphrase'\ntimeout = '50ms'\n[[steps]]\nsend = '${pw} too'\n")
            .await;
    assert_eq!(ran.0.parts[1].verdict, Verdict::NotExecuted);
    let text = readable(&ran);
    assert!(!text.contains("planted"), "{text}");
}
