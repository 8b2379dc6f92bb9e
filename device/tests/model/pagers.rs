//! Every length of a page against every length of an answer, for the pagers of all kinds: an answer that ends exactly where a page does, one that
//! is wiped in any way, one whose prompt stands on the pager's own line.

use std::{ops::Range, time::Duration};

use jackfield_device::{
    channel::Raw,
    session::{Session, SessionSettings},
    target::SessionTarget,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const TIMEOUT: Duration = Duration::from_secs(60);
/// Pages of an answer, at most.
const PAGES: usize = 2;

/// How a pager makes place for the next page.
#[derive(Clone, Copy, Debug)]
enum Wipe {
    /// CR, blanks, CR.
    Blanks,
    /// Backspaces, blanks, backspaces.
    Backspaces,
    /// The same behind a zero, as FRR's daemons do.
    ZeroFirst,
    /// CR and the code that erases a line.
    Erase,
    /// It stays, and a line end follows.
    LineEnd,
}

const WIPES: [Wipe; 5] = [Wipe::Blanks, Wipe::Backspaces, Wipe::ZeroFirst, Wipe::Erase, Wipe::LineEnd];

impl Wipe {
    fn bytes(self, pager: &str) -> String {
        let wide = pager.len();
        let (blanks, back) = (" ".repeat(wide), "\x08".repeat(wide));
        match self {
            Self::Blanks => format!("\r{blanks}\r"),
            Self::Backspaces => format!("{back}{blanks}{back}"),
            Self::ZeroFirst => format!("\0{back}{blanks}{back}"),
            Self::Erase => "\r\x1b[K".to_owned(),
            Self::LineEnd => "\r\n".to_owned(),
        }
    }
}

/// The pager of a kind of device.
#[derive(Clone, Copy, Debug)]
struct Pager {
    profile: &'static str,
    prompt: &'static str,
    shows: &'static str,
    /// What it shows after the last page, where it waits there too with another text.
    end: Option<&'static str>,
    /// It shows all of the rest at this key.
    rest: Option<u8>,
}

const fn pager(profile: &'static str, prompt: &'static str, shows: &'static str) -> Pager {
    Pager { profile, prompt, shows, end: None, rest: None }
}

const PAGERS: &[Pager] = &[
    pager("frr", "r1# ", "--More--"),
    Pager { end: Some("(END)"), ..pager("frr", "r1# ", ":") },
    pager("ios", "R1#", " --More-- "),
    pager("nxos", "n9k# ", "--More--"),
    pager("asa", "ciscoasa# ", "<--- More --->"),
    pager("vrp", "<ne1>", "  ---- More ----"),
    pager("junos", "lab@mx1> ", "---(more)---"),
    pager("procurve", "HP-2530# ", "-- MORE --, next page: Space, next line: Enter, quit: Control-C"),
    pager("aoscx", "cx1# ", "-- MORE --, next page: Space, next line: Enter, quit: q"),
    pager("sros", "A:pe1# ", "Press any key to continue (Q to quit)"),
    pager("exos", "X440G2.2 # ", "Press <SPACE> to continue or <Q> to quit:"),
    pager("omniswitch", "-> ", "More? [next screen <sp>, next line <cr>, filter pattern </>, quit <q>]"),
    pager("fortios", "FGT1 # ", "--More-- "),
    Pager { end: Some("(END) "), ..pager("panos", "lab@PA-VM> ", "lines 1-24 ") },
    Pager { end: Some("(END)"), ..pager("vyos", "lab@vyos:~$ ", ":") },
    Pager { rest: Some(b'D'), ..pager("routeros", "[lab@MikroTik] > ", "-- [Q quit|D dump|down]") },
];

/// A device that shows as many lines as it is asked for, page by page.
struct Device {
    line: DuplexStream,
    pager: Pager,
    page: usize,
    wipe: Wipe,
}

impl Device {
    async fn say(&mut self, text: &str) {
        // Who has hung up hears no more.
        drop(self.line.write_all(text.as_bytes()).await);
    }

    async fn run(mut self) {
        self.say(self.pager.prompt).await;
        let mut typed = String::new();
        while let Ok(key) = self.line.read_u8().await {
            match key {
                b'\r' | b'\n' => {
                    self.say("\r\n").await;
                    if let Some(lines) = typed.strip_prefix("show ").and_then(|lines| lines.parse().ok()) {
                        self.show(lines).await;
                    }
                    typed.clear();
                    self.say(self.pager.prompt).await;
                }
                key => {
                    typed.push(char::from(key));
                    self.say(&char::from(key).to_string()).await;
                }
            }
        }
    }

    async fn show(&mut self, lines: usize) {
        let mut left = self.page;
        for line in 1..=lines {
            if left == 0 {
                left = match self.turn(self.pager.shows).await {
                    Some(b'\r' | b'\n') => 1,
                    Some(key) if self.pager.rest == Some(key) => usize::MAX,
                    Some(b' ') => self.page,
                    Some(_) | None => return,
                };
            }
            self.say(&format!("line {line} of {lines}\r\n")).await;
            left -= 1;
        }
        match self.pager.end {
            Some(end) if lines > self.page => drop(self.turn(end).await),
            // It waits behind a page that was the last one, and the prompt stands on its line.
            None if left == 0 && lines > 0 => drop(self.turn(self.pager.shows).await),
            Some(_) | None => {}
        }
    }

    async fn turn(&mut self, shown: &str) -> Option<u8> {
        self.say(shown).await;
        let key = self.line.read_u8().await.ok()?;
        let wipe = self.wipe.bytes(shown);
        self.say(&wipe).await;
        Some(key)
    }
}

async fn play(pager: Pager, page: usize, wipe: Wipe) {
    let (near, line) = tokio::io::duplex(64 * 1024);
    let device = tokio::spawn(Device { line, pager, page, wipe }.run());
    let folder = tempfile::tempdir().unwrap();
    let settings = SessionSettings::new(folder.path().join("known_hosts"));
    let properties = json!({
        "protocol": "tcp", "host": "model", "port": 1, "profile": pager.profile,
        "profile_settings": {"setup": [], "login": {"confirm": true}},
    });
    let properties = properties.as_object().unwrap().clone().into_iter().collect();
    let target = SessionTarget::from_properties(&properties).unwrap();
    let mut session =
        Session::over(Box::new(Raw::new(near)), target, &settings, TIMEOUT, Vec::new()).await.unwrap();
    for lines in 0..=PAGES * page + 2 {
        let wanted: Vec<String> = (1..=lines).map(|line| format!("line {line} of {lines}")).collect();
        let answer = session.command(&format!("show {lines}"), TIMEOUT).await;
        let answer =
            answer.unwrap_or_else(|why| panic!("{pager:?}, {wipe:?}, {page} a page, {lines}: {why}"));
        assert_eq!(answer, wanted.join("\n"), "{pager:?}, {wipe:?}, {page} lines a page, {lines} lines");
    }
    drop(session);
    device.await.unwrap();
}

fn play_all(pagers: &[Pager], pages: Range<usize>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.unwrap();
    for pager in pagers {
        for page in pages.clone() {
            for wipe in WIPES {
                runtime.block_on(play(*pager, page, wipe));
            }
        }
    }
}

#[test]
fn every_page_length_goes_with_every_answer_length() {
    play_all(PAGERS.get(..1).unwrap(), 1..41);
}

#[test]
fn the_pagers_of_all_kinds_are_turned_to_their_end() {
    play_all(PAGERS.get(1..).unwrap(), 1..6);
}
