//! A step test, `*.steps.toml`: a device tested without a programming language.
//!
//! ```toml
//! title = "A static route can be added and is shown"
//! [sessions.router]
//! resource = "/lab/router"
//! [[steps]]
//! command = "show ip route"
//! capture = 'via (?<gateway>[\d.]+)'
//! check = { contains = "10.50.0.0/16" }
//! ```
//!
//! `${name}` stands for a variable in every text: captured before, given in `[variables]`, or known to the one who runs the test.

mod read;
pub mod secret;

use std::{collections::BTreeMap, time::Duration};

use jackfield_protocol::{error::FileProblem, power::PowerAction};
use serde_json::{Map, Value};

use crate::toml_table;

/// A step's time where neither it nor the file says another.
pub const STEP_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// The time between two tries of `wait_until` where the step does not say.
pub const EVERY_DEFAULT: Duration = Duration::from_secs(1);
/// Most times a `repeat` may repeat.
pub const REPEAT_MAX: u32 = 1_000_000;

/// A step test.
#[derive(Clone, Debug, PartialEq)]
pub struct StepTest {
    /// What it shows.
    pub title: String,
    /// For people.
    pub description: String,
    /// Each step's time, unless it says another.
    pub timeout: Duration,
    /// Variables with their first values.
    pub variables: BTreeMap<String, String>,
    /// The devices it talks to, by the names its steps use.
    pub sessions: BTreeMap<String, SessionSource>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What is done after the steps, however they ended.
    pub cleanup: Vec<Step>,
}

/// Where a session comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSource {
    /// The line it is written at.
    pub line: u32,
    /// The path of a resource; its properties say how to connect.
    pub resource: Option<String>,
    /// The same properties written here; they go before those of the resource.
    pub connect: Map<String, Value>,
    /// Time to connect and log in.
    pub timeout: Option<Duration>,
    /// The privilege level to work at.
    pub level: Option<String>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The line it begins at.
    pub line: u32,
    /// What people call it; a name is made from what it does where none is given.
    pub name: String,
    /// Which session; empty for a step that needs none.
    pub session: String,
    /// What it does.
    pub action: Action,
    /// Its time.
    pub timeout: Option<Duration>,
    /// Go on with the next step though this one failed; the test fails all the same.
    pub go_on: bool,
    /// What makes a table of the output, for checks that look at rows.
    pub table: Option<TableBy>,
    /// Regular expressions whose named groups become variables; each must match.
    pub captures: Vec<String>,
    /// What must hold of its output.
    pub checks: Vec<Check>,
}

/// A TextFSM template that makes a table of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableBy {
    /// Written in the step.
    Text(String),
    /// A file of the lab's `templates`.
    Named(String),
    /// The one that the lab has for the step's command and its kind of device.
    Command,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sends a text.
    Send {
        /// The text.
        text: String,
        /// End it as a line.
        enter: bool,
        /// Nobody is to read it in a record.
        secret: bool,
    },
    /// Waits until one of some things is seen; its output is what came before and the thing itself.
    Expect {
        /// What to wait for.
        patterns: Vec<Awaited>,
    },
    /// Presses keys, by their names.
    Press {
        /// `up`, `F5`, `ctrl-c`, `q`.
        keys: Vec<String>,
    },
    /// Waits until one of some things stands on the screen; its output is the screen.
    Screen {
        /// What to wait for; nothing: until the device is quiet.
        patterns: Vec<Awaited>,
        /// Wait until none of them is there.
        gone: bool,
    },
    /// Gives a command; its output is the answer.
    Command(Command),
    /// Looks at what the device has said without being asked; that is its output.
    Unasked,
    /// Applies lines of configuration.
    Config {
        /// The lines.
        lines: Vec<String>,
    },
    /// Goes to a privilege level of the profile.
    Level {
        /// Its name.
        level: String,
    },
    /// Starts the device anew, and waits until it is back; in the profile's time, where the step has none.
    Reboot,
    /// Switches the mains of the session's resource, without opening the session; its output is `on`, `off` or `unknown`.
    Power {
        /// What to do.
        action: PowerAction,
    },
    /// Does something beside the dialogue.
    Beside(Beside),
    /// Does nothing to the device: captures and checks look at the last output.
    Look,
    /// Repeats a command until its checks hold.
    WaitUntil {
        /// The command.
        command: String,
        /// Time between two tries.
        every: Duration,
    },
    /// Repeats some steps; `${index}` counts from 1.
    Repeat {
        /// How often.
        times: u32,
        /// What.
        steps: Vec<Step>,
    },
    /// Waits.
    Pause {
        /// How long.
        span: Duration,
    },
    /// Sets variables.
    Set {
        /// Their names and values.
        values: BTreeMap<String, String>,
    },
}

/// A command, and how it is to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The command.
    pub line: String,
    /// An answer that the profile calls an error is fine.
    pub allow_error: bool,
    /// Answers to what it may ask, before those of the profile.
    pub answers: Vec<Answer>,
    /// What looks as if it had come unasked stays in the answer.
    pub keep_unasked: bool,
    /// Where the answer goes as it comes; its output is then the size of the file.
    pub to_file: Option<ToFile>,
}

/// An answer to what a command may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// A regular expression for the line that asks.
    pub asks: String,
    /// What is sent.
    pub answer: String,
    /// A line end is sent behind it.
    pub enter: bool,
    /// Nobody is to read it in a record.
    pub secret: bool,
}

/// A file of the test's own that an answer goes into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToFile {
    /// Its name; a relative path begins in the test's own folder.
    pub path: String,
    /// It is kept with the test.
    pub artifact: bool,
}

/// What a step does beside the dialogue: with files and commands over SSH, and with the serial line under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Copies a file or a folder to the device.
    Put {
        /// Ours; a relative path begins in the test's own folder.
        local: String,
        /// The name there; one that ends with `/` is a folder.
        remote: String,
        /// By which protocol.
        way: FileWay,
    },
    /// Copies a file or a folder of the device here; its output is what is in the file, where it is not kept.
    Get {
        /// The name there.
        remote: String,
        /// Where it is kept.
        local: Option<String>,
        /// By which protocol.
        way: FileWay,
    },
    /// Runs a command; its output is what the command wrote.
    Execute {
        /// The command.
        command: String,
        /// A status that is not 0 is fine.
        allow_error: bool,
    },
    /// Sets the serial line under the session.
    SetLine {
        /// `speed`, `framing`, `flow`, `dtr`, `rts`.
        values: BTreeMap<String, String>,
    },
    /// Looks at the modem lines; its output is JSON with `cts`, `dsr`, `ri` and `cd`.
    ModemLines,
    /// Holds the serial line down.
    SendBreak {
        /// How long; what consoles take for a break where nothing is said.
        span: Option<Duration>,
    },
    /// Waits until the device has held the serial line down.
    WaitBreak,
}

/// By which protocol a file is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileWay {
    /// SFTP; SCP where the device does not have it.
    Auto,
    /// SFTP.
    Sftp,
    /// SCP.
    Scp,
}

impl FileWay {
    /// Each with its word in files.
    pub const ALL: [(&'static str, Self); 3] =
        [("auto", Self::Auto), ("sftp", Self::Sftp), ("scp", Self::Scp)];
}

/// A thing to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// A regular expression over bytes.
    Pattern(String),
    /// A text as it stands.
    Exact(String),
    /// The end of the dialogue: the device closes it.
    End,
    /// The end of the time: nothing else came until then.
    Timeout,
}

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The text to look at; the step's output where there is none.
    pub value: Option<String>,
    /// What of it: cells or rows of a table, or a place in JSON; the whole where there is none.
    pub pick: Option<Pick>,
    /// How it is to be.
    pub relation: Relation,
    /// What it is compared with; numbers keep their unit (`"20 ms"`).
    pub limit: String,
}

/// What a check looks at in an output with structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// One column of the rows that have these values; it must hold for each of them, and there must be one.
    Cell {
        /// Values by column.
        rows: BTreeMap<String, String>,
        /// Which column.
        column: String,
    },
    /// How many rows have these values.
    Count {
        /// Values by column.
        rows: BTreeMap<String, String>,
    },
    /// A place in output that is JSON: a pointer such as `/interfaces/0/mtu`.
    Json {
        /// The pointer.
        pointer: String,
    },
}

/// How a value and a limit relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The text is in it.
    Contains,
    /// The text is not in it.
    NotContains,
    /// The regular expression matches somewhere.
    Matches,
    /// The regular expression matches nowhere.
    NotMatches,
    /// Equal as numbers with units, or as texts without the space around them.
    Equals,
    /// Not equal.
    NotEquals,
    /// A number greater than the limit.
    Above,
    /// A number less than the limit.
    Below,
    /// A number not less than the limit.
    AtLeast,
    /// A number not greater than the limit.
    AtMost,
}

impl Relation {
    /// Every relation with its word in files.
    pub const ALL: [(&'static str, Self); 10] = [
        ("contains", Self::Contains),
        ("not_contains", Self::NotContains),
        ("matches", Self::Matches),
        ("not_matches", Self::NotMatches),
        ("equals", Self::Equals),
        ("not_equals", Self::NotEquals),
        ("above", Self::Above),
        ("below", Self::Below),
        ("at_least", Self::AtLeast),
        ("at_most", Self::AtMost),
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, relation)| *relation == self).map_or("", |(word, _)| word)
    }
}

impl StepTest {
    /// The names of the lab's templates that its steps use, with the line of the step.
    pub fn templates(&self) -> Vec<(&str, u32)> {
        let mut found = Vec::new();
        let mut left: Vec<&Step> = self.steps.iter().chain(&self.cleanup).collect();
        while let Some(step) = left.pop() {
            if let Some(TableBy::Named(name)) = &step.table {
                found.push((name.as_str(), step.line));
            }
            if let Action::Repeat { steps, .. } = &step.action {
                left.extend(steps);
            }
        }
        found.sort_by_key(|(_, line)| *line);
        found
    }

    /// Reads a step test.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<FileProblem>> {
        toml_table::read_document(file, text, read::read_test)
    }
}

#[cfg(test)]
mod tests;
