//! The words of a profile, each through what a test sees of it: a lab's own profile for a device of its own language, and one Python test.

use std::{
    io::{BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use jackfield_protocol::verdict::{TestState, Verdict};
use jackfield_tests::Bench;
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(120);

const PROFILE: &str = r"
name = 'words'
prompt = '^box[>#!][ ]$|^box\(edit\)# $'
line_ending = '\r'
encoding = 'latin1'
setup = ['wide']
errors = ['^\?\? [^\r\n]*']
unasked = ['NEWS: ']
log_commands = ['^news$']
plain_commands = ['^(?:where|kept)$']
logout = 'bye'
[help]
key = '?'
wipe = '\u0015'
[pager]
more = '-- more --'
answer = 'm'
end = '-- end --'
end_answer = 'x'
[[questions]]
asks = 'really\? $'
answer = 'yes'
[[levels]]
name = 'guest'
prompt = '^box> $'
[[levels]]
name = 'operator'
prompt = '^box# $'
enter = 'up'
user = 'who: $'
secret = 'word: $'
leave = 'down'
[[levels]]
name = 'root'
prompt = '^box! $'
enter = 'root'
leave = 'unroot'
questions = [{ asks = 'key: $', answer = 'k', enter = false }]
[config]
enter = 'edit'
leave = 'done'
abort = 'undo'
level = 'operator'
prompt = 'box\(edit\)# $'
text = '^motd (\S)$'
[reboot]
command = 'restart'
questions = [{ asks = 'sure\? $', answer = 'sure' }]
going = 'going down'
pause = '10ms'
timeout = '20s'
proof = 'starts'
";
/// TOML keeps control characters out of its plain texts.
pub(crate) fn profile() -> String {
    PROFILE.replace(r"'\r'", r#""\r""#).replace(r"'\u0015'", r#""\u0015""#)
}

const SCRIPT: &str = r##"
from jackfield import JackfieldError, session

with session("/lab/box") as box:
    # [login] new_password has let us in; levels go up with what they ask, and down to the lowest again.
    assert box.command("typed") == "wide", box.command("typed")
    for level, mark in [("root", "!"), ("guest", ">"), ("operator", "#"), ("root", "!"), ("operator", "#")]:
        box.level(level)
        assert box.command("where") == mark, (level, box.command("where"))
    # A test that went into configuration by hand is brought out of it.
    box.command("edit")
    assert box.command("where") == "edit"
    box.level("operator")
    assert box.command("where") == "#"
    # Configuration: a text of several lines is one item; what is refused is taken back, and the device is out of it.
    box.config(["name café", "motd %", "no", "strangers", "%"])
    assert box.command("kept") == "name café|motd no strangers", box.command("kept")
    try:
        box.config(["name other", "nonsense", "name third"])
        raise AssertionError("nonsense was taken")
    except JackfieldError as error:
        assert "`nonsense`: ?? what" in str(error), error
    assert box.command("kept") == "undone" and box.command("where") == "#"
    # Letters of the device's own encoding, both ways; those it has not are refused before anything is sent.
    assert box.command("echo Grüße") == "Grüße"
    try:
        box.command("echo 漢字")
        raise AssertionError("letters were sent that there are not")
    except JackfieldError as error:
        assert "encoding windows-1252 has not all of its letters" in str(error), error
    # Help at a key, which is never entered.
    assert box.command("show ?") == "one  the first\ntwo  the second", box.command("show ?")
    # A pager, to its end; a question of the profile, and the test's own answer before it.
    assert box.command("pages") == "1\n2\n3\n4", box.command("pages")
    assert box.command("wipe").endswith("wiped by yes")
    assert box.command("wipe", answers=[("really", "no")]).endswith("wiped by no")
    # What came unasked is lifted out, and can be read; a command that asks for it has it.
    early = box.unasked()
    assert early == "", early
    talked = (box.command("talk"), box.unasked())
    assert talked == ("a\nb", "NEWS: fan failed"), talked
    assert "NEWS: fan failed" in box.command("talk", keep_unasked=True)
    assert box.command("news") == "NEWS: one\nNEWS: two" and box.unasked() == ""
    # What was sent by hand is for the one who awaits it.
    box.send("talk")
    assert box.unasked() == ""
    assert "NEWS" in box.expect("b\r\n").before
    # A refusal, which stands in the first lines of what asks for news, and may stand further down.
    for line, check in [("nonsense", True), ("nonsense", False)]:
        try:
            assert box.command(line, check=check) == "?? what" and not check
        except JackfieldError as error:
            assert check and "the device refused `nonsense`: ?? what" in str(error), error
    # A reboot: it asks, goes, and is back when the proof is another.
    assert box.command("starts") == "1"
    box.reboot()
    assert box.command("starts") == "2"
"##;

/// What the device remembers over its connections.
#[derive(Default)]
struct Memory {
    starts: u32,
    heard: Vec<String>,
}

struct Line<'s> {
    stream: &'s TcpStream,
    keys: std::io::Bytes<BufReader<&'s TcpStream>>,
    memory: &'s Mutex<Memory>,
    /// `>`, `#`, `!`, or `edit`.
    place: &'static str,
    kept: Vec<String>,
}

impl Line<'_> {
    fn say(&mut self, text: &str) {
        // Latin-1: a letter is a byte. Who has gone hears nothing.
        let bytes: Vec<u8> =
            text.replace('\n', "\r\n").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let _ = self.stream.write_all(&bytes);
    }

    /// One key, without what telnet says beside it.
    fn key(&mut self) -> Option<u8> {
        loop {
            match self.keys.next()?.ok()? {
                255 => drop((self.keys.next(), self.keys.next())),
                0 | b'\n' => {}
                key => return Some(key),
            }
        }
    }

    /// A line as it was typed, echoed; `?` shows help and keeps it.
    fn line(&mut self, echo: bool) -> Option<String> {
        let mut typed = String::new();
        loop {
            match self.key()? {
                b'\r' => {
                    self.say("\n");
                    return Some(typed);
                }
                0x15 => {
                    self.say(&"\u{8} \u{8}".repeat(typed.len()));
                    typed.clear();
                }
                b'?' => {
                    let prompt = self.prompt();
                    self.say(&format!("?\none  the first\ntwo  the second\n{prompt}{typed}"));
                }
                key => {
                    typed.push(char::from(key));
                    if echo {
                        self.say(&char::from(key).to_string());
                    }
                }
            }
        }
    }

    fn prompt(&self) -> String {
        if self.place == "edit" { "box(edit)# ".to_owned() } else { format!("box{} ", self.place) }
    }

    fn ask(&mut self, question: &str, echo: bool) -> Option<String> {
        self.say(question);
        self.line(echo)
    }

    fn log_in(&mut self) -> Option<()> {
        self.ask("login: ", true)?;
        self.ask("password: ", false)?;
        if self.memory.lock().unwrap().starts == 1 {
            let new = self.ask("Your password has expired.\nNew password: ", false)?;
            let again = self.ask("Retype new password: ", false)?;
            assert_eq!((new.as_str(), again.as_str()), ("new-geheim", "new-geheim"));
        }
        Some(())
    }

    fn dialogue(&mut self) -> Option<()> {
        self.log_in()?;
        loop {
            let prompt = self.prompt();
            let line = self.ask(&prompt, true)?;
            self.memory.lock().unwrap().heard.push(line.clone());
            self.answer(&line)?;
        }
    }

    fn answer(&mut self, line: &str) -> Option<()> {
        match (line, self.place) {
            ("bye", _) => return None,
            ("" | "wide", _) => {}
            ("typed", _) => self.say("wide\n"),
            ("where", place) => self.say(&format!("{place}\n")),
            ("starts", _) => {
                let starts = self.memory.lock().unwrap().starts;
                self.say(&format!("{starts}\n"));
            }
            ("up", ">") => {
                let (who, word) = (self.ask("who: ", true)?, self.ask("word: ", false)?);
                assert_eq!((who.as_str(), word.as_str()), ("ana", "up-geheim"));
                self.place = "#";
            }
            ("down", "#") => self.place = ">",
            ("root", "#") => {
                self.say("key: ");
                assert_eq!(self.key()?, b'k');
                self.say("\n");
                self.place = "!";
            }
            ("unroot", "!") => self.place = "#",
            ("edit", "#") => (self.place, self.kept) = ("edit", Vec::new()),
            ("undo", "edit") => self.kept = vec!["undone".to_owned()],
            ("done", "edit") => self.place = "#",
            ("motd %", "edit") => {
                let mut text = vec!["motd".to_owned()];
                loop {
                    match self.line(true)?.as_str() {
                        "%" => break,
                        line => text.push(line.to_owned()),
                    }
                }
                self.kept.push(text.join(" "));
            }
            ("kept", _) => {
                let kept = self.kept.join("|");
                self.say(&format!("{kept}\n"));
            }
            ("pages", _) => self.pages()?,
            ("wipe", _) => {
                let answer = self.ask("really? ", true)?;
                self.say(&format!("wiped by {answer}\n"));
            }
            ("talk", _) => self.say("a\nNEWS: fan failed\nb\n"),
            ("news", _) => self.say("NEWS: one\nNEWS: two\n"),
            ("restart", _) => {
                assert_eq!(self.ask("sure? ", true)?, "sure");
                self.say("going down\n");
                return None;
            }
            (line, "edit") if line.starts_with("name ") => self.kept.push(line.to_owned()),
            (line, _) if line.starts_with("echo ") => self.say(&format!("{}\n", line.replace("echo ", ""))),
            _ => self.say("?? what\n"),
        }
        Some(())
    }

    fn pages(&mut self) -> Option<()> {
        self.say("1\n2\n-- more --");
        assert_eq!(self.key()?, b'm');
        self.say("\r          \r3\n4\n-- end --");
        assert_eq!(self.key()?, b'x');
        self.say("\r         \r");
        Some(())
    }
}

fn device() -> (u16, Arc<Mutex<Memory>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let memory = Arc::<Mutex<Memory>>::default();
    let shared = Arc::clone(&memory);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            shared.lock().unwrap().starts += 1;
            let keys = BufReader::new(&stream).bytes();
            let mut line = Line { stream: &stream, keys, memory: &shared, place: ">", kept: Vec::new() };
            let _ = line.dialogue();
        }
    });
    (port, memory)
}

#[test]
fn every_word_of_a_profile_does_what_its_page_says() {
    let mut bench = Bench::start("").unwrap();
    let (port, memory) = device();
    bench.write("profiles/words.toml", &profile()).unwrap();
    bench.write("tests/words.py", SCRIPT).unwrap();
    let way = json!({
        "protocol": "telnet", "host": "127.0.0.1", "port": port, "profile": "words", "user": "ana", "password": "old-geheim",
        "new_password": "new-geheim", "enable_password": "up-geheim",
    });
    for (name, parent, properties) in [("lab", "/", json!({})), ("box", "/lab", way)] {
        let body = json!({"parent": parent, "name": name, "properties": properties});
        bench.api.put::<Value>("/resources", &body).unwrap();
    }
    bench.start_ep("EP-1", "").unwrap();
    let row = bench.api.run_files(&["words.py"], LIMIT).unwrap().remove(0);
    let log = bench.api.log(row.attempt.unwrap(), "cli").unwrap_or_default();
    assert_eq!(row.state, TestState::Ended(Verdict::Pass), "{}\n{log}", row.reason);
    let heard = &memory.lock().unwrap().heard;
    // It is left in good order, no secret was typed at its command line, and no help was entered.
    assert_eq!(heard.last().map(String::as_str), Some("bye"));
    assert!(heard.iter().all(|line| !line.contains("geheim") && !line.starts_with("show")), "{heard:?}");
}
