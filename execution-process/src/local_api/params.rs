//! The parameters of each method.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use jackfield_config::steps::Awaited;
use jackfield_protocol::link::InteractKind;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct Log {
    pub(super) log: String,
    pub(super) text: String,
}

#[derive(Deserialize)]
pub(super) struct Result {
    pub(super) verdict: String,
    #[serde(default)]
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) crashed: bool,
    #[serde(default)]
    pub(super) because: Because,
}

/// Which rule a verdict follows, where a test's runner says it and not the test itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Because {
    /// The test's own word.
    #[default]
    Said,
    /// What stands in its file: it cannot be run as it is.
    File,
}

#[derive(Deserialize)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) verdict: String,
    #[serde(default)]
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) elapsed_millis: u64,
}

#[derive(Deserialize)]
pub(super) struct Mark {
    pub(super) label: String,
}

#[derive(Deserialize)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) value: Value,
    #[serde(default)]
    pub(super) unit: Option<String>,
    /// By the word of the relation, as in a step test.
    #[serde(default)]
    pub(super) limits: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct Variable {
    pub(super) name: Arc<str>,
    pub(super) value: Value,
}

#[derive(Deserialize)]
pub(super) struct Artifact {
    pub(super) name: Arc<str>,
    pub(super) path: PathBuf,
}

#[derive(Deserialize)]
pub(super) struct Cleanup {
    pub(super) name: String,
    pub(super) command: Vec<String>,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct CaptureStart {
    pub(super) interface: String,
    #[serde(default)]
    pub(super) filter: String,
    #[serde(default)]
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Power {
    pub(super) resource: String,
    pub(super) action: String,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct CaptureStop {
    pub(super) capture: String,
}

#[derive(Deserialize)]
pub(super) struct GetGlobal {
    pub(super) path: String,
}

#[derive(Deserialize)]
pub(super) struct SetGlobal {
    pub(super) path: String,
    pub(super) value: Value,
}

#[derive(Deserialize)]
pub(super) struct GetConfig {
    pub(super) config: String,
    #[serde(default)]
    pub(super) path: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Query {
    pub(super) query: String,
}

#[derive(Deserialize)]
pub(super) struct SetResource {
    pub(super) name: String,
    pub(super) parent: String,
    #[serde(default)]
    pub(super) properties: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct Rename {
    pub(super) query: String,
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct GetSut {
    pub(super) query: String,
    #[serde(default)]
    pub(super) follow_links: bool,
}

#[derive(Deserialize)]
pub(super) struct GetBind {
    pub(super) component: String,
    #[serde(default)]
    pub(super) config: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Interact {
    pub(super) kind: InteractKind,
    pub(super) message: String,
    #[serde(default)]
    pub(super) options: Vec<String>,
    #[serde(default)]
    pub(super) default: Value,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Breakpoint {
    #[serde(default)]
    pub(super) locals: String,
}

#[derive(Deserialize)]
pub(super) struct SessionOpen {
    #[serde(default)]
    pub(super) resource: Option<String>,
    #[serde(default)]
    pub(super) connect: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    pub(super) name: Option<String>,
    /// `80x24`
    #[serde(default)]
    pub(super) screen: Option<String>,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct SessionSend {
    pub(super) session: String,
    pub(super) text: String,
    #[serde(default = "yes")]
    pub(super) enter: bool,
    /// Nobody is to read it in a record.
    #[serde(default)]
    pub(super) secret: bool,
}

#[derive(Deserialize)]
pub(super) struct SessionExpect {
    pub(super) session: String,
    pub(super) patterns: Vec<Pattern>,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

/// A regular expression, a text to be found as it is, or the end of the dialogue or of the time.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Pattern {
    Regex(String),
    Exact { exact: String },
    End { end: True },
    Timeout { timeout: True },
}

pub(super) fn awaited(patterns: Vec<Pattern>) -> Vec<Awaited> {
    let one = |pattern| match pattern {
        Pattern::Regex(text) => Awaited::Pattern(text),
        Pattern::Exact { exact } => Awaited::Exact(exact),
        Pattern::End { end: True } => Awaited::End,
        Pattern::Timeout { timeout: True } => Awaited::Timeout,
    };
    patterns.into_iter().map(one).collect()
}

#[derive(Deserialize)]
pub(super) struct SessionScreen {
    pub(super) session: String,
    #[serde(default)]
    pub(super) rows: Option<u16>,
    #[serde(default)]
    pub(super) columns: Option<u16>,
    #[serde(default)]
    pub(super) quiet_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct SessionScreenWait {
    pub(super) session: String,
    pub(super) patterns: Vec<Pattern>,
    /// Wait until none of them is there.
    #[serde(default)]
    pub(super) gone: bool,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct SessionPress {
    pub(super) session: String,
    pub(super) keys: Vec<String>,
}

/// An answer to what a command may ask.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// A regular expression for the line that asks.
    pub(super) asks: String,
    pub(super) answer: String,
    #[serde(default = "yes")]
    pub(super) enter: bool,
    #[serde(default)]
    pub(super) secret: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionCommand {
    pub(super) session: String,
    pub(super) command: String,
    #[serde(default)]
    pub(super) answers: Vec<Answer>,
    #[serde(default)]
    pub(super) keep_unasked: bool,
    /// A line that the device refuses is an error.
    #[serde(default = "yes")]
    pub(super) check: bool,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionCommandToFile {
    pub(super) session: String,
    pub(super) command: String,
    pub(super) path: PathBuf,
    #[serde(default)]
    pub(super) answers: Vec<Answer>,
    #[serde(default)]
    pub(super) keep_unasked: bool,
    #[serde(default = "yes")]
    pub(super) check: bool,
    /// The file is kept with the test.
    #[serde(default)]
    pub(super) artifact: bool,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct SessionExecute {
    pub(super) session: String,
    pub(super) command: String,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

/// The word `true`.
#[derive(Deserialize)]
#[serde(try_from = "bool")]
pub(super) struct True;

impl TryFrom<bool> for True {
    type Error = &'static str;

    fn try_from(value: bool) -> std::result::Result<Self, Self::Error> {
        value.then_some(Self).ok_or("only true means something here")
    }
}

#[derive(Deserialize)]
pub(super) struct SessionRows {
    pub(super) session: String,
    pub(super) command: String,
    /// The text of a TextFSM template, or the name of one of the lab's; none: the one for the command.
    #[serde(default)]
    pub(super) template: Option<String>,
    /// A line that the device refuses is an error.
    #[serde(default = "yes")]
    pub(super) check: bool,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct SessionConfig {
    pub(super) session: String,
    pub(super) lines: Vec<String>,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct SessionLevel {
    pub(super) session: String,
    pub(super) level: String,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct SessionReboot {
    pub(super) session: String,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct TextFsm {
    #[serde(default)]
    pub(super) template: Option<String>,
    /// What the lab's template is for, where none is named.
    #[serde(default)]
    pub(super) platform: Option<String>,
    #[serde(default)]
    pub(super) command: Option<String>,
    pub(super) text: String,
}

#[derive(Deserialize)]
pub(super) struct SessionFile {
    pub(super) session: String,
    pub(super) local: PathBuf,
    pub(super) remote: String,
    #[serde(default)]
    pub(super) way: Option<String>,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct SessionLine {
    pub(super) session: String,
    #[serde(default)]
    pub(super) speed: Option<u32>,
    #[serde(default)]
    pub(super) framing: Option<String>,
    #[serde(default)]
    pub(super) flow: Option<String>,
    #[serde(default)]
    pub(super) dtr: Option<bool>,
    #[serde(default)]
    pub(super) rts: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct SessionBreak {
    pub(super) session: String,
    #[serde(default)]
    pub(super) millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct SessionWaitBreak {
    pub(super) session: String,
    #[serde(default)]
    pub(super) timeout_millis: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct SessionName {
    pub(super) session: String,
}

fn yes() -> bool {
    true
}
