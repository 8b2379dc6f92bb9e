//! An EP that speaks garbage, out of order, twice, and on a connection of the past.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use jackfield_protocol::{
    link::{LINK_PATH, SUBPROTOCOL},
    verdict::{TestState, Verdict},
};
use jackfield_tests::{Bench, dice::Dice};
use serde_json::{Value, json};

use super::{Campaign, bent, check_whole, weigh};

const LIMIT: Duration = Duration::from_secs(60);
/// How long a connection is listened to before it says the next thing.
const PAUSE: Duration = Duration::from_millis(5);

/// A WebSocket that sends what it likes.
struct Raw(TcpStream);

impl Raw {
    fn dial(bench: &Bench) -> Self {
        let host = bench.api.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(PAUSE)).unwrap();
        let head = format!(
            "GET {LINK_PATH} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
        );
        drop(stream.write_all(head.as_bytes()));
        Self(stream)
    }

    /// A frame of a client, whose mask is zero; one that the engine has closed takes nothing.
    fn frame(&mut self, first: u8, bytes: &[u8]) {
        let length = u64::try_from(bytes.len()).unwrap();
        let mut head = vec![first];
        if let Ok(short @ ..126) = u8::try_from(length) {
            head.push(0x80 | short);
        } else if let Ok(middle) = u16::try_from(length) {
            head.push(0x80 | 126);
            head.extend(middle.to_be_bytes());
        } else {
            head.push(0x80 | 127);
            head.extend(length.to_be_bytes());
        }
        head.extend([0; 4]);
        drop(self.0.write_all(&[&head, bytes].concat()));
    }

    fn says(&mut self, message: &Value) {
        self.frame(0x81, message.to_string().as_bytes());
    }

    fn hears(&mut self) -> Vec<u8> {
        let mut piece = vec![0; 65_536];
        let count = self.0.read(&mut piece).unwrap_or_default();
        piece.truncate(count);
        piece
    }
}

/// What EPs say, as the golden files have it.
fn messages() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/golden/v1/ep_to_engine");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    texts.map(|text| serde_json::from_str(&text).unwrap()).collect()
}

/// The same about a run that there is.
fn of_this_lab(message: &Value) -> Value {
    serde_json::from_str(&message.to_string().replace("41.17.", "1.0.")).unwrap()
}

fn log_frame(dice: &mut Dice) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..dice.below(300)).map(|_| u8::try_from(dice.below(256)).unwrap()).collect();
    if dice.percent(70) {
        // Of the run that there is, at a place that may be anywhere.
        let place = *dice.pick(&[0_u64, 1, 1 << 20, 1 << 40, u64::MAX]).unwrap();
        let head = [
            1_u64.to_be_bytes().as_slice(),
            &0_u32.to_be_bytes(),
            &1_u16.to_be_bytes(),
            &[0, 0],
            &place.to_be_bytes(),
        ]
        .concat();
        frame = [head, frame].concat();
    }
    frame
}

fn one_thing(dice: &mut Dice, raw: &mut Raw, said: &[Value]) {
    match dice.below(12) {
        0 => raw.frame(0x82, &log_frame(dice)),
        1 => raw.frame(0x81, b"{\"type\":"),
        2 => raw.frame(0x81, &[0xff, 0xfe, 0x00]),
        3 => raw.frame(0x89, b"ping"),
        4 => raw.frame(0x01, b"{\"type\":\"heartb"),
        5 => raw.frame(0x80, b"eat\"}"),
        6 => raw.frame(0xf3, b"no such frame"),
        7 => drop(raw.0.write_all(&[0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
        8 => raw.frame(0x81, "[".repeat(100_000).as_bytes()),
        _ => {
            let mut message = dice.pick(said).map(of_this_lab).unwrap();
            if dice.percent(60) {
                bent(dice, &mut message);
            }
            raw.says(&message);
            if dice.percent(20) {
                raw.says(&message);
            }
        }
    }
}

#[test]
fn an_ep_that_talks_nonsense_changes_nothing_for_others() {
    let mut bench = Bench::start("").unwrap();
    bench.write("tests/t.sh", "#!/bin/sh\necho hello\n").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    // The run that the nonsense is about is another EP's, and done.
    bench.api.pass_files(&["t.sh"], LIMIT).unwrap();
    let made: Value = bench.api.post("/tokens", &json!({"name": "mad", "scope": "ep"})).unwrap();
    let said = messages();
    let mut hello = said.iter().find(|message| message.get("type") == Some(&json!("hello"))).unwrap().clone();
    let right = json!({"ep": "mad", "token": made.get("token"), "version_min": 1, "version_max": 1, "held": [], "life": "", "instance": "mad"});
    hello.as_object_mut().unwrap().extend(right.as_object().unwrap().clone());
    let before = weigh(&mut bench);
    let mut campaign = Campaign::begin();
    let mut past: Vec<Raw> = Vec::new();
    let mut connections = 0_u32;
    while campaign.goes_on() {
        connections += 1;
        let mut raw = Raw::dial(&bench);
        let dice = campaign.dice();
        if dice.percent(80) {
            raw.hears();
            raw.says(&hello);
        }
        for _ in 0..dice.below(30) {
            one_thing(dice, &mut raw, &said);
        }
        raw.hears();
        // One that is over by then speaks on beside its successor.
        past.push(raw);
        if past.len() > 20 {
            past.remove(0);
        }
        let old = usize::try_from(campaign.dice().below(u64::try_from(past.len()).unwrap())).unwrap();
        if let Some(raw) = past.get_mut(old) {
            one_thing(&mut campaign.dice().fork(), raw, &said);
        }
    }
    assert!(connections > 20, "only {connections} connections");
    drop(past);
    check_whole(&mut bench, before);
    let tests = bench.api.tests("1".parse().unwrap()).unwrap();
    assert_eq!(tests.iter().map(|test| test.state).collect::<Vec<_>>(), [TestState::Ended(Verdict::Pass)]);
    let attempt = tests.first().and_then(|test| test.attempt).unwrap();
    assert_eq!(bench.api.log(attempt, "cli").unwrap(), "hello\n", "its log is as it was");
    bench.api.pass_files(&["t.sh"], LIMIT).unwrap();
}
