//! What a device answers to what: what it sends, and what a terminal shows of it.

use crate::traits::{Echo, Traits};

/// A secret that is asked for in the middle of a dialogue.
pub(crate) const SECRET: &str = "mid-secret-77";
/// A command whose answer is larger than may wait, and how often its text is said.
pub(crate) const FLOOD: &str = "show flood";
const FLOOD_LINES: usize = 1_100_000;
/// What a device shows at its help key.
pub(crate) const HELP: [&str; 2] =
    ["  clock    Display the system clock", "  version  Software and hardware"];

/// A question that a command leads to.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Its text.
    pub(crate) asks: String,
    /// What a test awaits.
    pub(crate) pattern: &'static str,
    pub(crate) takes: Takes,
    /// The answer of a test.
    pub(crate) reply: String,
}

/// What a question takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    Key,
    YesOrNo,
    Line,
    Secret,
}

/// The question that a command leads to, where it leads to one.
pub(crate) fn question(command: &str) -> Option<Question> {
    let (verb, number) = command.split_once(' ')?;
    let (asks, pattern, takes, reply) = match verb {
        "clear" => {
            (format!("Clear counters of {number} [confirm]"), r"\[confirm\]$", Takes::Key, String::new())
        }
        "delete" => (format!("Delete {number}? [y/n]: "), r"\[y/n\]: $", Takes::YesOrNo, "y".to_owned()),
        "copy" => (
            "Destination filename [startup-config]? ".to_owned(),
            r"^Destination filename \[.*\]\? $",
            Takes::Line,
            format!("backup-{number}"),
        ),
        "unlock" => ("Password: ".to_owned(), "^Password: $", Takes::Secret, SECRET.to_owned()),
        _ => return None,
    };
    Some(Question { asks, pattern, takes, reply })
}

/// The right answer to a command; to one that asks, where it is answered as a test does.
pub(crate) fn answer(traits: &Traits, command: &str) -> String {
    if command == "show ?" {
        return HELP.join("\n");
    }
    let mut shown: Vec<String> = Vec::new();
    if let Some(question) = question(command) {
        let is_seen = match question.takes {
            Takes::Key | Takes::Secret => false,
            // A shell is told not to echo.
            Takes::YesOrNo | Takes::Line => traits.echo != Echo::No && traits.profile != "linux",
        };
        shown.push(question.asks + if is_seen { &question.reply } else { "" });
    }
    shown.extend(lines(traits, command).into_iter().map(|line| line.shown));
    let shown = shown.join("\n").trim_end_matches([' ', '\n']).to_owned();
    // The result of an order stands behind a prompt.
    shown.trim_start_matches('\n').to_owned()
}

/// A line of an answer.
pub(crate) struct Line {
    pub(crate) sent: String,
    shown: String,
}

fn plain(text: impl Into<String>) -> Line {
    let text = text.into();
    Line { shown: text.clone(), sent: text }
}

fn drawn(sent: impl Into<String>, shown: impl Into<String>) -> Line {
    Line { sent: sent.into(), shown: shown.into() }
}

/// The lines of an answer, behind what was asked.
pub(crate) fn lines(traits: &Traits, command: &str) -> Vec<Line> {
    let mut words = command.split([' ', ':']);
    let (verb, what) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let number = words.next().unwrap_or_default();
    let own = |text: &str| plain(format!("{}{text}", traits.prompt));
    match (verb, what) {
        ("clear" | "delete" | "copy" | "unlock", number) => vec![plain(format!("done {number}"))],
        // One line is said as many are; that of a megabyte, often.
        ("show", "flood") => {
            let lines = format!("{}\r\n", "x".repeat(62)).repeat(FLOOD_LINES / 1_000);
            (0..1_000).map(|_| plain(lines.trim_end())).collect()
        }
        ("show", "clock") => vec![plain(format!("12:00:0{number}"))],
        ("show", "lines") => (0..9).map(|line| plain(format!("line {line} of {number}"))).collect(),
        // Its own prompt stands in what it shows, as in a saved session.
        ("show", "own") => vec![
            plain(format!("session {number}")),
            own("show version"),
            plain(format!("version {number}")),
            own("exit"),
            plain("end"),
        ],
        ("show", "config") => vec![
            plain(format!("hostname {}", traits.prompt.trim())),
            own(""),
            plain(format!("interface {number}")),
            plain(format!("description -> {}", traits.prompt.trim())),
            plain("!"),
        ],
        ("show", "comments") => {
            vec![plain("# first"), plain(format!("port {number}")), plain("# last one > here"), plain("$ x")]
        }
        ("show", "asked") => vec![
            plain("Delete it? [y/n]: "),
            plain("Password: "),
            plain(format!("Destination filename [startup-config]? {number}")),
            plain("Clear counters [confirm]"),
            plain("Username: lab"),
        ],
        ("show", "partial") => vec![plain(format!("progress {number} ########> 100%"))],
        ("show", "codes") => vec![
            drawn(format!("one\x1bEtwo\x1bEthree {number}"), format!("one\ntwo\nthree {number}")),
            drawn("left\x1b[5Cright", "left     right"),
            drawn("\x1b[1mbold\x1b[0m\x1b[12Gcolumn", "bold       column"),
            drawn("\x1bPq#0;2;0;0;0#0~~\x1b\\behind", "behind"),
            drawn("10%\r55%\r100%", "100%"),
        ],
        ("show", "logging") | ("dmesg", _) => {
            let mut lines = vec![plain(format!("Log Buffer ({number} bytes):"))];
            lines.extend((9_001..9_004).map(|number| plain(traits.log_line(number))));
            lines
        }
        ("show", "drawn") => vec![drawn(format!("one<<redraw>> two {number}"), format!("one two {number}"))],
        ("CACLP", number) => vec![plain("DATE    TIME"), plain(format!("{number}  101010")), plain("END")],
        ("STRSP", number) => {
            vec![plain("ORDERED"), plain("DEVICE STATE SURVEY"), plain(format!("TRK{number}")), plain("END")]
        }
        _ => Vec::new(),
    }
}
