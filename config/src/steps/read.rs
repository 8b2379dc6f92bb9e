//! A step test from its TOML.

mod awaited;
mod beside;
mod command;
mod describe;

use std::collections::BTreeMap;

use jackfield_protocol::power::NoPowerAction;
use serde_json::Value;

pub(super) use self::describe::describe_send;
use self::{
    awaited::{read_awaited, read_keys, read_screen},
    beside::{only_true, read_beside},
    command::read_command,
    describe::describe,
};
use super::{
    Action, Check, EVERY_DEFAULT, Pick, REPEAT_MAX, Relation, STEP_TIMEOUT_DEFAULT, SessionSource, Step,
    StepTest, TableBy, secret::mark_answers,
};
use crate::{problem::suggest, toml_table::Table};

/// How deep `repeat` may be nested.
const DEPTH_MAX: u32 = 8;

pub(super) fn read_test(fields: &Table<'_>) -> Option<StepTest> {
    let sessions: BTreeMap<String, SessionSource> = fields
        .named_tables("sessions", "a session")
        .into_iter()
        .filter_map(|(name, session)| read_session(&session).map(|session| (name.to_owned(), session)))
        .collect();
    let names: Vec<&str> = sessions.keys().map(String::as_str).collect();
    let steps = read_steps(fields, "steps", &names, 0);
    let none_given = match fields.json("steps") {
        None => true,
        Some(given) => given.as_array().is_some_and(Vec::is_empty),
    };
    if none_given {
        fields.error("the test has no steps", "add [[steps]] with a `command`, `expect` or another action");
    }
    // A title that is not there is told of: a document with a problem gives no value.
    Some(StepTest {
        title: fields.required_text("title").unwrap_or_default(),
        description: fields.text("description").unwrap_or_default(),
        timeout: fields.duration("timeout").unwrap_or(STEP_TIMEOUT_DEFAULT),
        variables: texts_of(fields, "variables"),
        steps,
        cleanup: read_steps(fields, "cleanup", &names, 0),
        sessions,
    })
}

fn read_session(fields: &Table<'_>) -> Option<SessionSource> {
    let source = SessionSource {
        line: fields.line(),
        resource: fields.text("resource"),
        connect: fields.values("connect"),
        timeout: fields.duration("timeout"),
        level: fields.text("level"),
    };
    fields.finish();
    if source.resource.is_none() && source.connect.is_empty() {
        fields.error(
            "a session has neither `resource` nor `connect`",
            "add resource = \"/path\" or connect = { protocol = \"telnet\", host = \"…\" }",
        );
        return None;
    }
    Some(source)
}

fn read_steps(fields: &Table<'_>, key: &'static str, sessions: &[&str], depth: u32) -> Vec<Step> {
    if depth > DEPTH_MAX {
        fields.error(format!("`repeat` is nested deeper than {DEPTH_MAX}"), "use variables, or a script");
        return Vec::new();
    }
    let tables = fields.tables(key, "a step");
    let mut steps: Vec<Step> = tables.iter().filter_map(|step| read_step(step, sessions, depth)).collect();
    mark_answers(&mut steps);
    steps
}

const ACTIONS: [&str; 21] = [
    "send",
    "expect",
    "command",
    "unasked",
    "config",
    "level",
    "reboot",
    "power",
    "press",
    "screen",
    "wait_until",
    "execute",
    "put",
    "get",
    "set_line",
    "modem_lines",
    "send_break",
    "wait_break",
    "repeat",
    "pause",
    "set",
];

fn read_step(fields: &Table<'_>, sessions: &[&str], depth: u32) -> Option<Step> {
    let given: Vec<&'static str> = ACTIONS.into_iter().filter(|action| fields.has(action)).collect();
    let checks = read_checks(fields);
    let captures = fields.patterns("capture");
    let action = match given.as_slice() {
        [] if checks.is_empty() && captures.is_empty() => {
            fields.error(
                "a step does nothing",
                format!("give it one of: {}, capture, check", ACTIONS.join(", ")),
            );
            None
        }
        [] => Some(Action::Look),
        [one] => read_action(fields, one, sessions, depth),
        [first, second, ..] => {
            let message = format!("a step has both `{first}` and `{second}`");
            fields.error_at(second, message, "make two steps of it");
            None
        }
    };
    let (name, table) = (fields.text("name"), read_table(fields, action.as_ref()));
    let session = read_step_session(fields, action.as_ref(), sessions);
    let (timeout, go_on) = (fields.duration("timeout"), fields.flag("go_on").unwrap_or(false));
    fields.finish();
    let action = action?;
    if matches!(action, Action::WaitUntil { .. }) && checks.is_empty() {
        fields.error("`wait_until` has no `check`", "say what is awaited: check = { contains = \"…\" }");
    }
    let name = name.unwrap_or_else(|| describe(&action));
    Some(Step {
        line: fields.line(),
        name,
        session: session?,
        action,
        timeout,
        go_on,
        table,
        captures,
        checks,
    })
}

fn read_step_session(fields: &Table<'_>, action: Option<&Action>, sessions: &[&str]) -> Option<String> {
    let needed = match action {
        None | Some(Action::Look | Action::Repeat { .. } | Action::Pause { .. } | Action::Set { .. }) => {
            false
        }
        Some(
            Action::Send { .. }
            | Action::Expect { .. }
            | Action::Command(_)
            | Action::Unasked
            | Action::Config { .. }
            | Action::Level { .. }
            | Action::Reboot
            | Action::Power { .. }
            | Action::Press { .. }
            | Action::Screen { .. }
            | Action::WaitUntil { .. }
            | Action::Beside(_),
        ) => true,
    };
    match (fields.text("session"), sessions) {
        (Some(name), _) if sessions.contains(&name.as_str()) => Some(name),
        (Some(name), _) => {
            let help = suggest(&name, sessions.iter().copied());
            fields.error_at("session", format!("there is no session `{name}`"), help);
            None
        }
        (None, _) if !needed => Some(String::new()),
        (None, [only]) => Some((*only).to_owned()),
        (None, []) => {
            fields.error("the test has no sessions", "add [sessions.NAME] with a `resource` or `connect`");
            None
        }
        (None, _) => {
            fields.error(
                "the step does not say which session",
                format!("add session = one of: {}", sessions.join(", ")),
            );
            None
        }
    }
}

fn read_action(fields: &Table<'_>, action: &str, sessions: &[&str], depth: u32) -> Option<Action> {
    Some(match action {
        "send" => Action::Send {
            text: fields.text("send")?,
            enter: fields.flag("enter").unwrap_or(true),
            secret: fields.flag("secret").unwrap_or(false),
        },
        "expect" => Action::Expect { patterns: read_awaited(fields, "expect")? },
        "press" => Action::Press { keys: read_keys(fields)? },
        "screen" => read_screen(fields)?,
        "command" => Action::Command(read_command(fields)?),
        "unasked" => only_true(fields, "unasked", Action::Unasked)?,
        "config" => Action::Config { lines: fields.texts("config") },
        "level" => Action::Level { level: fields.text("level")? },
        "reboot" => only_true(fields, "reboot", Action::Reboot)?,
        "power" => read_power(fields)?,
        "wait_until" => Action::WaitUntil {
            command: fields.text("wait_until")?,
            every: fields.duration("every").unwrap_or(EVERY_DEFAULT),
        },
        "execute" | "put" | "get" | "set_line" | "modem_lines" | "send_break" | "wait_break" => {
            Action::Beside(read_beside(fields, action)?)
        }
        "repeat" => Action::Repeat {
            times: fields.number("repeat", 0..=REPEAT_MAX)?,
            steps: read_steps(fields, "steps", sessions, depth.saturating_add(1)),
        },
        "pause" => Action::Pause { span: fields.duration("pause")? },
        _ => Action::Set { values: texts_of(fields, "set") },
    })
}

fn read_power(fields: &Table<'_>) -> Option<Action> {
    match fields.text("power")?.parse() {
        Ok(action) => Some(Action::Power { action }),
        Err(error) => {
            let error: NoPowerAction = error;
            fields.error_at("power", error.to_string(), "write power = \"cycle\"");
            None
        }
    }
}

/// `textfsm`, the text of a template, or `template`: the name of one, or `true` for that of the command.
fn read_table(fields: &Table<'_>, action: Option<&Action>) -> Option<TableBy> {
    let text = fields.text("textfsm").map(TableBy::Text);
    if fields.has("template") && text.is_some() {
        fields.error_at("template", "a step has both `textfsm` and `template`", "keep one of them");
    }
    let by_command = match fields.json("template") {
        None => return text,
        Some(Value::Bool(true)) => true,
        Some(_) => false,
    };
    // A step without an action has been told of.
    let has_command = matches!(action, None | Some(Action::Command(_) | Action::WaitUntil { .. }));
    match by_command {
        true if has_command => Some(TableBy::Command),
        true => {
            let help = "name the template, or put it where the command is";
            fields.error_at("template", "the step has no command that says which template", help);
            None
        }
        false => fields.text("template").map(TableBy::Named),
    }
}

fn read_checks(fields: &Table<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for table in fields.tables("check", "a check") {
        let (value, pick) = (table.text("value"), read_pick(&table));
        let before = checks.len();
        for (word, relation) in Relation::ALL {
            let limit = match relation {
                Relation::Matches | Relation::NotMatches => table.pattern(word),
                Relation::Contains
                | Relation::NotContains
                | Relation::Equals
                | Relation::NotEquals
                | Relation::Above
                | Relation::Below
                | Relation::AtLeast
                | Relation::AtMost => table.json(word).map(|limit| plain_text(&limit)),
            };
            let (value, pick) = (value.clone(), pick.clone());
            checks.extend(limit.map(|limit| Check { value, pick, relation, limit }));
        }
        table.finish();
        if checks.len() == before {
            let words: Vec<&str> = Relation::ALL.into_iter().map(|(word, _)| word).collect();
            table.error("a check checks nothing", format!("give it one of: {}", words.join(", ")));
        }
    }
    checks
}

/// `column` (with `rows`), `count` (with `rows`) or `json`.
fn read_pick(table: &Table<'_>) -> Option<Pick> {
    let (rows, column) = (texts_of(table, "rows"), table.text("column"));
    let (count, pointer) = (table.flag("count").unwrap_or(false), table.text("json"));
    let given = [column.is_some(), count, pointer.is_some()].into_iter().filter(|given| *given).count();
    if given > 1 || (given == 0 && !rows.is_empty()) {
        table.error("a check looks at one thing", "give it one of: column, count = true, json = \"/a/b\"");
        return None;
    }
    match (column, pointer) {
        (Some(column), _) => Some(Pick::Cell { rows, column }),
        (None, Some(pointer)) => Some(Pick::Json { pointer }),
        (None, None) => count.then_some(Pick::Count { rows }),
    }
}

fn texts_of(fields: &Table<'_>, key: &'static str) -> BTreeMap<String, String> {
    fields.values(key).iter().map(|(name, value)| (name.clone(), plain_text(value))).collect()
}

fn plain_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
