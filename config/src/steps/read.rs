//! A step test from its TOML.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Action, Awaited, Check, EVERY_DEFAULT, Pick, REPEAT_MAX, Relation, STEP_TIMEOUT_DEFAULT, SessionSource,
    Step, StepTest,
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
    tables.iter().filter_map(|step| read_step(step, sessions, depth)).collect()
}

const ACTIONS: [&str; 10] =
    ["send", "expect", "command", "config", "press", "screen", "wait_until", "repeat", "pause", "set"];

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
    let (name, textfsm) = (fields.text("name"), fields.text("textfsm"));
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
        textfsm,
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
            | Action::Command { .. }
            | Action::Config { .. }
            | Action::Press { .. }
            | Action::Screen { .. }
            | Action::WaitUntil { .. },
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
        "send" => Action::Send { text: fields.text("send")?, enter: fields.flag("enter").unwrap_or(true) },
        "expect" => Action::Expect { patterns: read_awaited(fields, "expect")? },
        "press" => Action::Press { keys: read_keys(fields)? },
        "screen" => read_screen(fields)?,
        "command" => Action::Command {
            command: fields.text("command")?,
            allow_error: fields.flag("allow_error").unwrap_or(false),
        },
        "config" => Action::Config { lines: fields.texts("config") },
        "wait_until" => Action::WaitUntil {
            command: fields.text("wait_until")?,
            every: fields.duration("every").unwrap_or(EVERY_DEFAULT),
        },
        "repeat" => Action::Repeat {
            times: fields.number("repeat", 0..=REPEAT_MAX)?,
            steps: read_steps(fields, "steps", sessions, depth.saturating_add(1)),
        },
        "pause" => Action::Pause { span: fields.duration("pause")? },
        _ => Action::Set { values: texts_of(fields, "set") },
    })
}

/// One pattern or exact text, or a list of them.
fn read_awaited(fields: &Table<'_>, key: &'static str) -> Option<Vec<Awaited>> {
    let items = match fields.json(key)? {
        Value::Array(items) => items,
        one @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            vec![one]
        }
    };
    let mut awaited = Vec::new();
    for item in items {
        match item {
            Value::String(text) => {
                fields.check_pattern(key, &text);
                awaited.push(Awaited::Pattern(text));
            }
            Value::Object(table) => match read_special(&table) {
                Some(one) => awaited.push(one),
                None => wrong_awaited(fields, key),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => wrong_awaited(fields, key),
        }
    }
    if awaited.is_empty() {
        wrong_awaited(fields, key);
    }
    Some(awaited)
}

/// `{ exact = "text" }`, `{ end = true }` or `{ timeout = true }`.
fn read_special(table: &serde_json::Map<String, Value>) -> Option<Awaited> {
    let (key, value) = table.iter().next().filter(|_| table.len() == 1)?;
    match (key.as_str(), value) {
        ("exact", Value::String(text)) => Some(Awaited::Exact(text.clone())),
        ("end", Value::Bool(true)) => Some(Awaited::End),
        ("timeout", Value::Bool(true)) => Some(Awaited::Timeout),
        _ => None,
    }
}

fn wrong_awaited(fields: &Table<'_>, key: &'static str) {
    let help = "write a regular expression in quotes, { exact = \"text\" }, { end = true }, { timeout = true }, or a list of them";
    fields.error_at(key, format!("`{key}` does not say what to wait for"), help);
}

/// `true` for the screen as it is, or what is to stand on it; with `gone`, what is not.
fn read_screen(fields: &Table<'_>) -> Option<Action> {
    let gone = fields.flag("gone").unwrap_or(false);
    if fields.json("screen") == Some(Value::Bool(true)) && !gone {
        return Some(Action::Screen { patterns: Vec::new(), gone });
    }
    let patterns = read_awaited(fields, "screen")?;
    if patterns.iter().any(|one| matches!(one, Awaited::End | Awaited::Timeout)) {
        let message = "a screen shows neither the end of the dialogue nor that of the time";
        fields.error_at("screen", message, "look for texts and regular expressions");
    }
    Some(Action::Screen { patterns, gone })
}

/// One key, or a list of them.
fn read_keys(fields: &Table<'_>) -> Option<Vec<String>> {
    let keys = fields.texts("press");
    if keys.is_empty() {
        fields.error_at("press", "`press` names no key", "write one, such as \"F5\", or a list of them");
        return None;
    }
    Some(keys)
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

fn describe(action: &Action) -> String {
    match action {
        Action::Send { text, .. } => format!("send `{text}`"),
        Action::Expect { patterns } => {
            format!("expect `{}`", shown(patterns).join("` or `"))
        }
        Action::Press { keys } => format!("press {}", keys.join(", ")),
        Action::Screen { patterns, .. } if patterns.is_empty() => "look at the screen".to_owned(),
        Action::Screen { patterns, gone } => {
            let verb = if *gone { "screen without" } else { "screen with" };
            format!("{verb} `{}`", shown(patterns).join("` or `"))
        }
        Action::Command { command, .. } => format!("command `{command}`"),
        Action::Config { lines } => match lines.as_slice() {
            [line] => format!("config `{line}`"),
            lines => format!("config of {} lines", lines.len()),
        },
        Action::Look => "check".to_owned(),
        Action::WaitUntil { command, .. } => format!("wait until `{command}` shows it"),
        Action::Repeat { times, .. } => format!("repeat {times} times"),
        Action::Pause { span } => format!("pause {span:?}"),
        Action::Set { values } => {
            format!("set {}", values.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
        }
    }
}

fn shown(patterns: &[Awaited]) -> Vec<&str> {
    let mut shown = Vec::new();
    for one in patterns {
        shown.push(match one {
            Awaited::Pattern(text) | Awaited::Exact(text) => text.as_str(),
            Awaited::End => "the end of the dialogue",
            Awaited::Timeout => "the end of the time",
        });
    }
    shown
}
