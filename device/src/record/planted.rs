//! Secrets are planted in made-up dialogues, and looked for in their recordings.

use proptest::prelude::*;

use super::{tests::Shared, *};
use crate::record::cast::{Cast, Happened};

/// How a secret is given to the device.
#[derive(Clone, Copy, Debug)]
enum Given {
    /// In one piece, with its line end.
    Whole,
    /// In one piece, and the line end after it.
    EnterLater,
    /// Key by key.
    Keys,
    /// Key by key, with a slip that is taken back.
    Slips,
    /// By one who says that it is secret, whatever was asked.
    AsSecret,
    /// The same key by key, as a console does.
    KeysAsSecret,
}

const GIVEN: [Given; 6] =
    [Given::Whole, Given::EnterLater, Given::Keys, Given::Slips, Given::AsSecret, Given::KeysAsSecret];

const QUESTIONS: [&str; 7] = [
    "Password: ",
    "\r\n\u{1b}[1mEnter passphrase for key '/k':\u{1b}[0m ",
    "[sudo] password for ana: ",
    "New SNMP community? ",
    "Verification code: ",
    "Passwort:\u{1b}[K",
    "请输入密码：",
];

/// Gives the secret; the device echoes each piece, or nothing.
fn give(recorder: &mut impl Tap, given: Given, secret: &str, echoes: bool) {
    let mut send = |keys: &[u8], declared: Option<&[u8]>| {
        if let Some(shown) = declared {
            recorder.secret(keys);
            recorder.input(shown);
        } else {
            recorder.input(keys);
        }
        if echoes {
            recorder.output(keys);
        }
    };
    let whole = format!("{secret}\r");
    match given {
        Given::Whole => send(whole.as_bytes(), None),
        Given::EnterLater => {
            send(secret.as_bytes(), None);
            send(b"\r", None);
        }
        Given::Keys => whole.as_bytes().chunks(1).for_each(|key| send(key, None)),
        Given::Slips => {
            send(b"x", None);
            send(b"\x7f", None);
            whole.as_bytes().chunks(1).for_each(|key| send(key, None));
        }
        Given::AsSecret => send(whole.as_bytes(), Some(redact::STARS)),
        Given::KeysAsSecret => {
            for key in whole.as_bytes().chunks(1) {
                let shown: &[u8] = if key == b"\r" { redact::STARS } else { b"" };
                send(key, Some(shown));
            }
        }
    }
}

proptest! {
    #[test]
    fn no_planted_secret_is_readable_in_a_recording(
        secrets in proptest::collection::vec(("[a-z][a-z0-9]{4,10}[0-9]", prop::sample::select(&GIVEN[..]), prop::sample::select(&QUESTIONS[..]), any::<bool>()), 1..4),
        cut in 1_usize..9,
    ) {
        let file = Shared::default();
        let mut recorder = Recorder::new(file.clone(), "r1", Window::default(), &[]);
        for (secret, given, question, echoes) in &secrets {
            recorder.output(b"r1> ");
            recorder.input(b"enable\r");
            // One that is said to be secret needs no question.
            if !matches!(given, Given::AsSecret | Given::KeysAsSecret) {
                recorder.output(question.as_bytes());
            }
            give(&mut recorder, *given, secret, *echoes);
            // The device tells it all, and a test asks for it by name.
            let told = format!("\r\nr1# show running-config\r\nenable secret {secret}\r\nr1# ");
            told.as_bytes().chunks(cut).for_each(|piece| recorder.output(piece));
            recorder.mark(&format!("send `{secret}`"));
            recorder.input(format!("show key {secret}\r").as_bytes());
        }
        recorder.end();
        let text = String::from_utf8(file.0.lock().unwrap().clone()).unwrap();
        let cast = Cast::parse(&text).unwrap();
        let (mut said, mut sent) = (String::new(), String::new());
        for event in &cast.events {
            match &event.what {
                Happened::Output(text) => said.push_str(text),
                Happened::Input(text) => sent.push_str(text),
                Happened::Resize(_) | Happened::Mark(_) => {}
            }
        }
        for (secret, ..) in &secrets {
            for (what, whole) in [("the file", &text), ("what was said", &said), ("what was sent", &sent)] {
                prop_assert!(!whole.contains(secret.as_str()), "{secret} is in {what}: {whole}");
            }
        }
        // What is no secret is still there.
        prop_assert!(said.contains("show running-config") && sent.contains("show key ********"));
    }
}
