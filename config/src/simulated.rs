//! A simulated device: prompts, modes, commands, and the state that commands change, as data.
//!
//! ```toml
//! name = "router"
//! start = "exec"
//! [modes.exec]
//! prompt = "{{hostname}}# "
//! [state]
//! hostname = "r1"
//! [state.routes]
//! [[commands]]
//! command = "ip route {prefix} {via}"
//! put = { table = "routes", key = "{{prefix}}", value = { via = "{{via}}" } }
//! [[commands]]
//! command = "show ip route"
//! output = "{{#each routes}}S {{pad @key 20}} via {{this.via}}\n{{/each}}"
//! ```
//!
//! Texts that the device shows are handlebars templates over its state, the words of the command and the context of the mode, with
//! two helpers more: `pad` fills up to a width, `count` counts a table. A command may need or forbid an entry (`needs`, `forbids`), ask
//! for a secret (`ask`), change the state now or some time later (`set`, `put`, `remove`, `add`, `later`), lead to another mode (`go`: a
//! mode, `back` or `close`), be slow (`delay`) or fail on purpose (`fault`).

mod read;

use std::{collections::BTreeMap, time::Duration};

use jackfield_protocol::error::FileProblem;
use serde_json::{Map, Value};

use crate::toml_table;

/// A simulated device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceModel {
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// Shown on connection, before the login.
    pub banner: String,
    /// Shown after the login.
    pub welcome: String,
    /// Who may log in; none: everyone, without being asked.
    pub login: Option<ModelLogin>,
    /// What a line that is no command is answered with.
    pub unknown: String,
    /// What a line that could be several commands is answered with.
    pub ambiguous: String,
    /// Words of commands may be shortened as far as they stay unique.
    pub abbreviate: bool,
    /// A line editor beside the device draws the prompt as soon as a line was entered, and wipes it when the answer comes.
    pub redraws: bool,
    /// Its line editor draws prompt and line anew at each key, instead of an echo.
    pub redraws_keys: bool,
    /// Lines after which `--More--` is shown; none: never.
    pub pager: Option<ModelPager>,
    /// The mode after the login.
    pub start: String,
    /// Modes by name.
    pub modes: BTreeMap<String, Mode>,
    /// Commands in the order in which they are tried.
    pub commands: Vec<ModelCommand>,
    /// The state at the start; shared by all connections.
    pub state: Map<String, Value>,
}

/// Who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelLogin {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
    /// Asks for the user.
    pub user_prompt: String,
    /// Asks for the password.
    pub password_prompt: String,
    /// Says that they were not right.
    pub failed: String,
    /// Over SSH the password is taken only as the answer to a question (keyboard-interactive).
    pub questions: bool,
    /// What else is asked on the way in.
    pub asks: Vec<LoginAsk>,
}

/// A question on the way in, beside those for user and password: a notice to accept, a one-time code, a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginAsk {
    /// Shown before it.
    pub text: String,
    /// Asks.
    pub prompt: String,
    /// What is right.
    pub answer: LoginAnswer,
    /// The answer is not echoed.
    pub hidden: bool,
    /// It is asked behind the password, not before everything else.
    pub after_password: bool,
}

/// What a question on the way in takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginAnswer {
    /// This line.
    Line(String),
    /// Any key, with no line end behind it. An SSH server that asks such a thing takes any line.
    Key,
    /// The one-time code that this secret makes now.
    Code(String),
}

/// The device's pager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPager {
    /// Lines of a page.
    pub lines: u32,
    /// What is shown after a page.
    pub text: String,
}

/// A mode of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mode {
    /// A template.
    pub prompt: String,
    /// The mode whose commands work here too.
    pub also: Option<String>,
}

/// A command.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelCommand {
    /// The line it is written at.
    pub line: u32,
    /// The modes it works in; empty: all.
    pub modes: Vec<String>,
    /// Words, `{name}` for a word to keep, `{name...}` for the rest of the line.
    pub words: Vec<Word>,
    /// What must be so; else the command is refused.
    pub conditions: Vec<Condition>,
    /// A secret to ask for first.
    pub ask: Option<Ask>,
    /// What it changes.
    pub changes: Vec<Change>,
    /// What it changes some time later.
    pub later: Vec<(Duration, Vec<Change>)>,
    /// What it shows: a template over the state after the changes.
    pub output: String,
    /// What it shows behind the next prompt, after a time: the result of an order.
    pub result: Option<LaterResult>,
    /// Where it leads.
    pub go: Go,
    /// What the new mode remembers: templates by name.
    pub context: BTreeMap<String, String>,
    /// Lines of a page from here on, for this connection; 0: no pager.
    pub page_lines: Option<String>,
    /// Time before the answer.
    pub delay: Duration,
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// How long a device that reboots is not there.
    pub down: Duration,
}

/// A word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// This word.
    Literal(String),
    /// Any word, kept under a name.
    Any(String),
    /// The rest of the line, kept under a name.
    Rest(String),
}

/// What comes behind a prompt that was shown already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaterResult {
    /// Time after the prompt.
    pub after: Duration,
    /// A template.
    pub output: String,
}

/// Something that must be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// A table of the state, as `interfaces` or `vlans`.
    pub table: String,
    /// The key in it: a template.
    pub key: String,
    /// Must it be there, or must it not?
    pub present: bool,
    /// What is shown otherwise: a template.
    pub otherwise: String,
}

/// A secret that a command asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Asks for it.
    pub prompt: String,
    /// The right one.
    pub answer: String,
    /// Shown for another.
    pub wrong: String,
}

/// A change of the state.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Sets one value: dotted path and template.
    Set {
        /// Where.
        path: String,
        /// A template.
        value: String,
    },
    /// Puts an entry into a table, or merges into the one that is there.
    Put {
        /// The table.
        table: String,
        /// The key: a template.
        key: String,
        /// Templates by field.
        value: BTreeMap<String, String>,
    },
    /// Removes an entry from a table.
    Remove {
        /// The table.
        table: String,
        /// The key: a template.
        key: String,
    },
    /// Adds to a number.
    Add {
        /// Where.
        path: String,
        /// How much.
        amount: i64,
    },
}

/// Where a command leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Go {
    /// Nowhere.
    Stay,
    /// Into a mode; back to it where it was entered before.
    Enter(String),
    /// To the mode this one was entered from; from the first one, out.
    Back,
    /// Out: the connection is closed.
    Close,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The device never answers.
    Hang,
    /// It shows half of its answer and drops the connection.
    Drop,
    /// It sends bytes without end and without a line end.
    Flood,
    /// It sends bytes that are no text before its answer.
    Garble,
    /// It drops every connection, forgets what commands changed, and takes no connection for a while.
    Reboot,
}

impl DeviceModel {
    /// Reads a model.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<FileProblem>> {
        toml_table::read_document(file, text, read::read_model)
    }
}

#[cfg(test)]
mod tests;
