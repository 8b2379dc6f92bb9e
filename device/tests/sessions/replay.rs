//! A dialogue that was recorded is a device: the same test passes on it, and is told where it departs.

use std::sync::{Arc, Mutex};

use jackfield_device::{
    channel::Window,
    record::{Recorder, Tap, cast::Cast},
    session::{Session, SessionError},
    simulate::{Listen, Running, serve_recording},
};
use jackfield_protocol::secret::Secret;
use serde_json::json;

use crate::{LONG, WAYS, device, properties, settings, target};

/// The same dialogue with whatever answers; what a command said.
async fn dialogue(
    router: &Running,
    way: &str,
    taps: Vec<Box<dyn Tap>>,
    last: &str,
) -> Result<String, SessionError> {
    let (_folder, settings) = settings();
    let login = json!({"profile": "ios", "level": "privileged", "user": "lab", "password": "lab", "enable_password": "lab-enable"});
    let target = target(properties(router, way), login);
    let mut session = Session::open(target, &settings, LONG, taps).await?;
    session.config(&["ip route 10.50.0.0/16 192.0.2.7".to_owned()], LONG).await?;
    let answer = session.command(last, LONG).await;
    session.close().await;
    answer
}

async fn recorded(way: &str) -> (Cast, String) {
    let router = device("router").await;
    let written = Arc::<Mutex<Vec<u8>>>::default();
    let recorder =
        Recorder::new(Written(Arc::clone(&written)), "r1", Window::default(), &[Secret::new("lab-enable")]);
    let answer = dialogue(&router, way, vec![Box::new(recorder)], "show ip route").await.unwrap();
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("lab-enable"), "{text}");
    (Cast::parse(&text).unwrap(), answer)
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

#[tokio::test]
async fn a_test_passes_on_its_own_recording() {
    for first in WAYS {
        let (cast, answer) = recorded(first).await;
        assert!(answer.contains("10.50.0.0/16"), "{answer}");
        let replay = serve_recording("r1", &cast, Listen::default()).await.unwrap();
        // What is asked beside the commands, an empty line, depends on the way to the device.
        for way in WAYS {
            let again = dialogue(&replay, way, Vec::new(), "show ip route").await.unwrap();
            assert_eq!(again, answer, "{first}, then {way}");
        }
    }
}

#[tokio::test]
async fn a_test_that_departs_is_told_where() {
    let (cast, _) = recorded("telnet").await;
    let replay = serve_recording("r1", &cast, Listen::default()).await.unwrap();
    let error = dialogue(&replay, "telnet", Vec::new(), "show interfaces").await.unwrap_err().to_string();
    assert!(error.contains("at command 13 of 14: it has `show ip route`, not `show interfaces`"), "{error}");
}

#[tokio::test]
async fn a_recording_without_keys_says_that_nothing_can_be_typed() {
    let text =
        "{\"version\": 3}\n[0.1, \"o\", \"r1# \"]\n[1, \"o\", \"show version\\r\\nVersion 1\\r\\nr1# \"]\n";
    let replay = serve_recording("r1", &Cast::parse(text).unwrap(), Listen::default()).await.unwrap();
    let (_folder, settings) = settings();
    for way in WAYS {
        let target = target(properties(&replay, way), json!({"profile": "generic"}));
        let mut session = Session::open(target, &settings, LONG, Vec::new()).await.unwrap();
        let told = match session.command("show version", LONG).await {
            Ok(answer) => answer,
            Err(error) => error.to_string(),
        };
        assert!(told.contains("holds no typed keys, so nothing can be typed"), "{way}: {told}");
    }
}
