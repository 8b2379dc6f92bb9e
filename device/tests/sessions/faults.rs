//! Devices that misbehave: every wait ends by its deadline, with words that say what was seen, and memory stays bounded.

use std::time::Duration;

use jackfield_device::{
    Deadline,
    channel::Raw,
    expect::{Dialogue, ExpectError, Patterns},
    record::Tap,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{LONG, WAYS, device, router_session};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_silent_device_ends_at_the_deadline() {
    let router = device("router").await;
    for way in WAYS {
        let mut session = router_session(&router, way).await;
        let error = session.command("debug hang", SHORT).await.unwrap_err();
        assert!(!error.is_lab());
        let told = error.to_string();
        assert!(
            told.starts_with(
                "command `debug hang`: timed out after 300.0ms waiting for the prompt `router1#`; "
            ),
            "{told}"
        );
        assert!(told.ends_with(r"last seen: debug hang\n"), "{told}");
    }
}

#[tokio::test]
async fn a_device_that_drops_mid_line_is_told_with_what_it_said() {
    let router = device("router").await;
    for way in WAYS {
        let mut session = router_session(&router, way).await;
        let error = session.command("debug drop", LONG).await.unwrap_err();
        assert!(error.is_lab(), "{error}");
        let told = error.to_string();
        assert!(told.contains("the device closed the connection"), "{told}");
        assert!(
            told.ends_with(
                "waiting for the prompt `router1#`; last seen: debug drop\\nthe connection is cut in"
            ),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_flood_ends_at_the_deadline_with_bounded_memory() {
    let router = device("router").await;
    for way in WAYS {
        let mut session = router_session(&router, way).await;
        let error = session.command("debug flood", SHORT).await.unwrap_err();
        let told = error.to_string();
        let is_bounded = told.contains("larger than 64 MiB") || told.contains("timed out after 300.0ms");
        assert!(is_bounded, "{told}");
    }
    let (near, mut far) = tokio::io::duplex(64 * 1024);
    let flood = tokio::spawn(async move { while far.write_all(&[b'#'; 4096]).await.is_ok() {} });
    let mut dialogue = Dialogue::new(Box::new(Raw::new(near)), SHORT, Vec::new()).with_window_bytes(100_000);
    let never = Patterns::regexes(&["never"]).unwrap();
    let error = dialogue.expect(&never, Deadline::after(SHORT)).await.unwrap_err();
    assert!(matches!(error, ExpectError::Timeout { .. }), "{error}");
    assert!(dialogue.pending().len() <= 200_000, "{}", dialogue.pending().len());
    drop(dialogue);
    flood.await.unwrap();
}

#[tokio::test]
async fn garbage_is_passed_over() {
    let router = device("router").await;
    let mut session = router_session(&router, "telnet").await;
    let answer = session.command("debug garble", LONG).await.unwrap();
    assert!(answer.ends_with("and then this"), "{answer:?}");
    assert!(session.command("show version", LONG).await.unwrap().contains("uptime"));
}

#[tokio::test]
async fn a_match_survives_a_window_that_slides() {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let mut dialogue = Dialogue::new(Box::new(Raw::new(near)), SHORT, Vec::new()).with_window_bytes(1000);
    let mut text = vec![b'.'; 50_000];
    text.extend_from_slice(b"the end# ");
    far.write_all(&text).await.unwrap();
    let prompt = Patterns::regexes(&["(?<word>end)# "]).unwrap();
    let seen = dialogue.expect(&prompt, Deadline::after(LONG)).await.unwrap();
    assert!(seen.cut);
    assert_eq!((seen.text.as_slice(), seen.named["word"].as_slice()), (&b"end# "[..], &b"end"[..]));
}

#[tokio::test]
async fn a_device_that_talks_while_it_is_fed_does_not_lock() {
    // Both directions hold 1 KiB; the device echoes everything before it takes more.
    let (near, mut far) = tokio::io::duplex(1024);
    let echo = tokio::spawn(async move {
        let mut piece = [0; 512];
        while let Ok(count @ 1..) = far.read(&mut piece).await {
            if far.write_all(&piece[..count]).await.is_err() {
                return;
            }
        }
    });
    let mut dialogue = Dialogue::new(Box::new(Raw::new(near)), SHORT, Vec::new());
    let mut lines = b"a line of configuration\n".repeat(4000);
    lines.extend_from_slice(b"done");
    dialogue.send(&lines, Deadline::after(LONG)).await.unwrap();
    let done = Patterns::regexes(&["done"]).unwrap();
    let seen = dialogue.expect(&done, Deadline::after(LONG)).await.unwrap();
    assert_eq!(seen.before.len(), lines.len() - 4);
    drop(dialogue);
    echo.await.unwrap();
}

#[tokio::test]
async fn a_device_that_takes_nothing_ends_at_the_deadline() {
    let (near, _far) = tokio::io::duplex(1024);
    let mut dialogue = Dialogue::new(Box::new(Raw::new(near)), SHORT, Vec::new());
    let error = dialogue.send(&[b'x'; 5000], Deadline::after(SHORT)).await.unwrap_err();
    assert!(error.to_string().contains("waiting for the device to take what was sent"), "{error}");
}

struct Heard(std::sync::Arc<std::sync::Mutex<Vec<String>>>);

impl Tap for Heard {
    fn output(&mut self, _bytes: &[u8]) {}

    fn input(&mut self, bytes: &[u8]) {
        self.0.lock().unwrap().push(String::from_utf8_lossy(bytes).into_owned());
    }
}

#[tokio::test]
async fn listeners_never_hear_a_secret() {
    let router = device("router").await;
    let heard = std::sync::Arc::<std::sync::Mutex<Vec<String>>>::default();
    let more = serde_json::json!({"profile": "ios", "level": "privileged", "enable_password": "lab-enable"});
    let target = crate::target(router.properties("telnet"), more);
    let (_folder, settings) = crate::settings();
    let taps: Vec<Box<dyn Tap>> = vec![Box::new(Heard(std::sync::Arc::clone(&heard)))];
    let mut session = jackfield_device::session::Session::open(target, &settings, LONG, taps).await.unwrap();
    session.close().await;
    let heard = heard.lock().unwrap().join("|");
    assert_eq!(
        heard,
        "lab\r|********|\r|enable\r|********|\r|terminal length 0\r|terminal width 511\r|exit\r"
    );
}
