//! Words of profiles that `words.rs` has not: ways in, consoles that need a push, exchanges that answer late, old SSH. Each is used by a Python test on
//! a device that has no other way; and no key of the language is left that neither of the two uses.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use jackfield_protocol::verdict::{TestState, Verdict};
use jackfield_tests::Bench;
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(120);

/// A gate that asks everything there is to ask on the way in, is told its terminal, and counts what is configured at the seal.
const GATE: &str = r#"
name = "gate"
description = "Gates of the site"
platform = "site_gate"
prompt = '^gate(?: edit)?: $'
line_ending = "\r"
terminal = "site-term"
screen = "100x30"
[login]
user = '^who goes there\? $'
password = '^the word\? $'
new_password = '^another word\? $'
code = '^the number\? $'
wake = '^touch me'
failed = 'begone'
nudge = "60s"
[[login.questions]]
asks = '^friend or foe\? $'
answer = "f"
enter = false
[[questions]]
asks = '^sure\? $'
answer = "y"
enter = false
[config]
enter = "edit"
commit = "seal"
leave = "out"
prompt = '^gate edit: $'
"#;

/// A boot loader that is stopped by a key of its own, to which an empty line is an order, on a console that stays.
const LOADER: &str = r#"
name = "loader"
prompt = '^load> $'
line_ending = "\r"
settle = "600ms"
pace = "2ms"
[login]
nudge = "80ms"
nudge_text = "\u0015"
nudge_always = true
confirm = false
[reboot]
command = "reset"
going = "resetting"
pause = "10ms"
timeout = "20s"
console = true
"#;

/// An exchange whose command line draws its prompt before the answer, whose answers come in pieces, and whose orders have a result later.
const EXCHANGE: &str = r#"
name = "exchange"
prompt = '^ex\*> $'
line_ending = "\n"
prompt_before_answer = true
redrawn = ['<<again>>']
[answer_end]
command = "mark"
shows = "no such thing 'mark'[^\\r\\n]*[\\r\\n]"
[login]
confirm = false
"#;

const ORDERS: &str = r#"
name = "orders"
based_on = "mml"
[[more_goes_on]]
says = '^TAKEN'
until = '(?m)^(?:DONE|FAILED)'
"#;

const OLD: &str = "name = \"old\"\nbased_on = \"generic\"\nlegacy_ssh = true\nssh_backend = \"libssh2\"\n";

const TEMPLATE: &str = "Value WING (\\w+)\nValue STATE (open|shut)\n\nStart\n  ^${WING} ${STATE} -> Record\n";

const SCRIPT: &str = r#"
import time
from jackfield import JackfieldError, session

with session("/lab/gate") as gate:
    assert gate.rows("list") == [{"WING": "north", "STATE": "open"}, {"WING": "south", "STATE": "shut"}]
    assert gate.command("told") == "site-term 100x30", gate.command("told")
    assert gate.command("shut") == "sure? \nshut", gate.command("shut")
    gate.config(["name west"])
    assert gate.command("kept") == "west", gate.command("kept")

for name, word in [("/lab/stranger", "the device says `begone`"), ("/lab/changed", "another word?")]:
    try:
        session(name, timeout=20)
        raise AssertionError(name + " got in")
    except JackfieldError as error:
        assert word in str(error) and "timed out" not in str(error), error

begun = time.monotonic()
with session("/lab/loader") as loader:
    assert time.monotonic() - begun >= 0.6, "the settle time was not waited for"
    begun = time.monotonic()
    assert loader.command("echo " + "x" * 95) == "x" * 95
    assert time.monotonic() - begun >= 0.18, "bytes were not paced"
    assert loader.command("empties") == "0"
    assert loader.command("starts") == "1"
    loader.reboot()
    assert loader.command("starts") == "2" and loader.command("callers") == "1"

with session("/lab/exchange") as exchange:
    for _ in range(3):
        assert exchange.command("calls") == "0 channels\n0 calls\n0 processed", exchange.command("calls")
        assert exchange.command("status") == "all is well", exchange.command("status")

with session("/lab/orders") as orders:
    for number in range(3):
        assert orders.command(f"TEST:{number};") == f"TAKEN\nRESULT {number}\nDONE", orders.command(f"TEST:{number};")
        assert orders.command("CACLP;") == "TIME 101010\nEND"

for name in ["/lab/old", "/lab/new"]:
    try:
        session(name, timeout=20)
        raise AssertionError(name + " got in")
    except JackfieldError:
        pass
"#;

/// What the devices have heard.
#[derive(Default)]
struct Heard {
    starts: u32,
    callers: u32,
    empties: u32,
    kept: String,
    /// What SSH clients said first.
    ssh: Vec<String>,
}

/// The device's end of a connection.
struct Far {
    stream: TcpStream,
    /// What telnet said beside the keys: kind of terminal, size.
    terminal: String,
    size: String,
}

impl Far {
    fn say(&mut self, text: &str) {
        // Who has gone hears nothing.
        drop(self.stream.write_all(text.replace('\n', "\r\n").as_bytes()));
    }

    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).ok()?;
        byte.first().copied()
    }

    /// One key; what telnet says between keys is noted.
    fn key(&mut self) -> Option<u8> {
        loop {
            match self.byte()? {
                255 => self.telnet()?,
                0 => {}
                key => return Some(key),
            }
        }
    }

    fn telnet(&mut self) -> Option<()> {
        match self.byte()? {
            250 => {
                let mut told = Vec::new();
                while !told.ends_with(&[255, 240]) {
                    told.push(self.byte()?);
                }
                match told.as_slice() {
                    [24, 0, kind @ .., 255, 240] => {
                        self.terminal = String::from_utf8_lossy(kind).to_lowercase()
                    }
                    [31, 0, columns, 0, rows, 255, 240] => self.size = format!("{columns}x{rows}"),
                    _ => {}
                }
            }
            // Whoever will tell its terminal is asked for it.
            251 if self.byte()? == 24 => drop(self.stream.write_all(&[255, 250, 24, 1, 255, 240])),
            252..=254 => drop(self.byte()?),
            _ => {}
        }
        Some(())
    }

    fn line(&mut self, echo: bool) -> Option<String> {
        let mut typed = String::new();
        loop {
            match self.key()? {
                b'\r' | b'\n' => {
                    self.say("\n");
                    return Some(typed);
                }
                // One that came when it was stopped already.
                0x15 => typed.clear(),
                key => {
                    typed.push(char::from(key));
                    if echo {
                        self.say(&char::from(key).to_string());
                    }
                }
            }
        }
    }

    fn ask(&mut self, question: &str, echo: bool) -> Option<String> {
        self.say(question);
        self.line(echo)
    }

    /// Talks until a key comes.
    fn chatter_until(&mut self, wanted: u8) -> Option<()> {
        self.stream.set_read_timeout(Some(Duration::from_millis(20))).ok()?;
        loop {
            let mut byte = [0];
            match self.stream.read(&mut byte) {
                Ok(0) => return None,
                Ok(_) if byte == [wanted] => break,
                Ok(_) => {}
                Err(_) => self.say("."),
            }
        }
        self.stream.set_read_timeout(None).ok()
    }
}

fn gate(far: &mut Far, heard: &Mutex<Heard>) -> Option<()> {
    drop(far.stream.write_all(&[255, 253, 24, 255, 253, 31]));
    while !far.ask("touch me to begin\n", false)?.is_empty() {}
    let user = far.ask("who goes there? ", true)?;
    if far.ask("the word? ", false)? != "open-geheim" {
        far.say("alas\nbegone\nby order\n");
        return far.ask("who goes there? ", true).map(drop);
    }
    if user == "old" {
        return far.ask("another word? ", false).map(drop);
    }
    let number = far.ask("the number? ", false)?;
    assert!(number.len() == 6 && number.bytes().all(|digit| digit.is_ascii_digit()), "{number}");
    far.say("friend or foe? ");
    assert_eq!(far.key()?, b'f');
    far.say("\n");
    let (mut prompt, mut candidate) = ("gate: ", String::new());
    loop {
        let line = far.ask(prompt, true)?;
        match (line.as_str(), prompt) {
            ("list", _) => far.say("north open\nsouth shut\n"),
            ("told", _) => far.say(&format!("{} {}\n", far.terminal, far.size)),
            ("kept", _) => far.say(&format!("{}\n", heard.lock().unwrap().kept)),
            ("shut", _) => {
                far.say("sure? ");
                assert_eq!(far.key()?, b'y');
                far.say("\nshut\n");
            }
            ("edit", _) => prompt = "gate edit: ",
            ("out", _) => prompt = "gate: ",
            ("seal", "gate edit: ") => heard.lock().unwrap().kept.clone_from(&candidate),
            (line, "gate edit: ") => line.trim_start_matches("name ").clone_into(&mut candidate),
            _ => {}
        }
    }
}

fn loader(far: &mut Far, heard: &Mutex<Heard>) -> Option<()> {
    heard.lock().unwrap().callers += 1;
    loop {
        heard.lock().unwrap().starts += 1;
        far.chatter_until(0x15)?;
        far.say("\n");
        loop {
            let line = far.ask("load> ", true)?;
            let mut heard = heard.lock().unwrap();
            match line.as_str() {
                "" => heard.empties += 1,
                "empties" => far.say(&format!("{}\n", heard.empties)),
                "starts" => far.say(&format!("{}\n", heard.starts)),
                "callers" => far.say(&format!("{}\n", heard.callers)),
                "reset" => break far.say("resetting ...\n"),
                line => far.say(&format!("{}\n", line.trim_start_matches("echo "))),
            }
        }
    }
}

fn exchange(far: &mut Far, _heard: &Mutex<Heard>) -> Option<()> {
    far.say("ex*> ");
    let mut late = String::new();
    loop {
        let line = far.line(true)?;
        let (now, then) = match line.as_str() {
            "calls" => ("0 channels\n", "0 calls\n0 processed\n"),
            "status" => ("all is<<again>> well\n", ""),
            "mark" => ("", ""),
            _ => ("what?\n", ""),
        };
        // The prompt stands there at once, and is wiped when a piece of the answer comes.
        let piece =
            |text: &str| if text.is_empty() { String::new() } else { format!("ex*> \r\x1b[0K{text}") };
        let mark = if line == "mark" { "ex*> \r\x1b[0Kno such thing 'mark'\n" } else { "" };
        far.say(&format!("{}{}{mark}ex*> ", piece(&std::mem::take(&mut late)), piece(now)));
        then.clone_into(&mut late);
    }
}

fn orders(far: &mut Far, _heard: &Mutex<Heard>) -> Option<()> {
    far.say("\n\x03<");
    loop {
        let line = far.line(true)?;
        match line.strip_prefix("TEST:").and_then(|rest| rest.strip_suffix(';')) {
            Some(number) => {
                far.say("TAKEN\n\x03<");
                far.say(&format!("\nRESULT {number}\nDONE\n\x03<"));
            }
            None if line == "CACLP;" => far.say("TIME 101010\nEND\n\x03<"),
            None if line == "EXIT;" => return None,
            None => far.say("\x03<"),
        }
    }
}

/// A server of SSH that hears what its caller offers, and hangs up.
fn old_ssh(far: &mut Far, heard: &Mutex<Heard>) -> Option<()> {
    far.say("SSH-2.0-old\n");
    let mut said = Vec::new();
    // The list of what is offered ends with five empty bytes.
    while !(said.len() > 600 && said.ends_with(&[0; 5])) && said.len() < 4_000 {
        said.push(far.byte()?);
    }
    heard.lock().unwrap().ssh.push(String::from_utf8_lossy(&said).into_owned());
    None
}

type Does = fn(&mut Far, &Mutex<Heard>) -> Option<()>;

fn serve(does: Does, heard: &Arc<Mutex<Heard>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::clone(heard);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut far = Far { stream: stream.unwrap(), terminal: String::new(), size: String::new() };
            let _gone = does(&mut far, &heard);
        }
    });
    port
}

#[test]
fn ways_in_consoles_and_late_answers_are_as_profiles_say() {
    let mut bench = Bench::start("").unwrap();
    let profiles =
        [("gate", GATE), ("loader", LOADER), ("exchange", EXCHANGE), ("orders", ORDERS), ("old", OLD)];
    for (name, text) in profiles {
        bench.write(&format!("profiles/{name}.toml"), text).unwrap();
    }
    bench.write("templates/site_gate_list.textfsm", TEMPLATE).unwrap();
    bench.write("tests/consoles.py", SCRIPT).unwrap();
    let heard = Arc::<Mutex<Heard>>::default();
    let way = |does: Does, profile: &str, more: Value| {
        let mut way = json!({"protocol": "telnet", "host": "127.0.0.1", "port": serve(does, &heard), "profile": profile, "user": "ana", "password": "open-geheim", "retries": 0});
        way.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        way
    };
    let code = || json!({"totp_secret": "JBSWY3DPEHPK3PXP"});
    let ssh = || json!({"protocol": "ssh", "host_key": "accept-new"});
    for (name, parent, properties) in [
        ("lab", "/", json!({})),
        ("gate", "/lab", way(gate, "gate", code())),
        ("stranger", "/lab", way(gate, "gate", json!({"password": "wrong-geheim"}))),
        ("changed", "/lab", way(gate, "gate", json!({"user": "old"}))),
        ("loader", "/lab", way(loader, "loader", json!({}))),
        ("exchange", "/lab", way(exchange, "exchange", json!({"protocol": "tcp"}))),
        ("orders", "/lab", way(orders, "orders", json!({}))),
        ("old", "/lab", way(old_ssh, "old", ssh())),
        ("new", "/lab", way(old_ssh, "generic", ssh())),
    ] {
        let body = json!({"parent": parent, "name": name, "properties": properties});
        bench.api.put::<Value>("/resources", &body).unwrap();
    }
    bench.start_ep("EP-1", "").unwrap();
    let row = bench.api.run_files(&["consoles.py"], LIMIT).unwrap().remove(0);
    let log = bench.api.log(row.attempt.unwrap(), "cli").unwrap_or_default();
    assert_eq!(row.state, TestState::Ended(Verdict::Pass), "{}\n{log}", row.reason);
    let said = &heard.lock().unwrap().ssh;
    let of_old = |said: &String| said.contains("libssh2") && said.contains("diffie-hellman-group1-sha1");
    let of_new = |said: &String| !said.contains("libssh2") && !said.contains("diffie-hellman-group1-sha1");
    assert!(said.iter().any(of_old) && said.iter().any(of_new), "{said:?}");
}

/// The keys of a profile, with the table that they are in.
fn keys_of(table: &toml::Table, of: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (key, value) in table {
        let name = key.strip_prefix("more_").unwrap_or(key);
        let path = if of.is_empty() { name.to_owned() } else { format!("{of}.{name}") };
        let inner: Vec<&toml::Table> = match value {
            toml::Value::Table(table) => vec![table],
            toml::Value::Array(list) => list.iter().filter_map(toml::Value::as_table).collect(),
            _ => Vec::new(),
        };
        inner.iter().for_each(|table| keys.extend(keys_of(table, &path)));
        keys.insert(path);
    }
    keys
}

/// The same as the book's table tells them: `[login]` `user`.
fn keys_of_the_book() -> BTreeSet<String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/profiles.md")).unwrap();
    let table = page.split_once("## Keys").unwrap().1.split_once("## The login").unwrap().0;
    let mut keys = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 4, "a cell is cut off: {row}");
        let words: Vec<&str> = row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2).collect();
        let of = words.iter().find_map(|word| word.strip_prefix('[')).unwrap_or_default();
        let of = of.trim_matches(['[', ']']);
        for word in words.iter().filter(|word| !word.starts_with('[')) {
            keys.insert(if of.is_empty() { (*word).to_owned() } else { format!("{of}.{word}") });
        }
    }
    keys
}

#[test]
fn every_key_of_a_profile_is_used_by_a_test() {
    let profiles =
        [super::words::profile(), GATE.into(), LOADER.into(), EXCHANGE.into(), ORDERS.into(), OLD.into()];
    let used: BTreeSet<String> =
        profiles.iter().flat_map(|text| keys_of(&text.parse().unwrap(), "")).collect();
    let told = keys_of_the_book();
    assert!(told.len() > 60, "the book's table is written otherwise now: {told:?}");
    let unused: Vec<_> = told.difference(&used).collect();
    assert!(unused.is_empty(), "no test of words.rs or of this file uses {unused:?}");
}
