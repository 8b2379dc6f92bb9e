//! Steps beside the dialogue: files and commands of an SSH session, and the serial line under one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::plain_text;
use crate::{
    problem::suggest,
    steps::{Beside, FileWay},
    toml_table::Table,
};

/// What can be set of a serial line.
const LINE_KEYS: [&str; 5] = ["speed", "framing", "flow", "dtr", "rts"];

pub(super) fn read_beside(fields: &Table<'_>, action: &str) -> Option<Beside> {
    match action {
        "execute" => Some(Beside::Execute {
            command: fields.text("execute")?,
            allow_error: fields.flag("allow_error").unwrap_or(false),
        }),
        "put" => read_put(fields),
        "get" => read_get(fields),
        "set_line" => read_line(fields),
        "modem_lines" => only_true(fields, "modem_lines", Beside::ModemLines),
        "send_break" => read_break(fields),
        _ => only_true(fields, "wait_break", Beside::WaitBreak),
    }
}

/// `put = "local"` with `to = "remote"`.
fn read_put(fields: &Table<'_>) -> Option<Beside> {
    let (local, way) = (fields.text("put")?, read_way(fields)?);
    let Some(remote) = fields.text("to") else {
        fields.error_at("put", "`put` does not say where to", "add to = \"the name on the device\"");
        return None;
    };
    Some(Beside::Put { local, remote, way })
}

/// `get = "remote"`, kept by `to = "local"`.
fn read_get(fields: &Table<'_>) -> Option<Beside> {
    Some(Beside::Get { remote: fields.text("get")?, local: fields.text("to"), way: read_way(fields)? })
}

fn read_way(fields: &Table<'_>) -> Option<FileWay> {
    let Some(word) = fields.text("way") else { return Some(FileWay::Auto) };
    let way = FileWay::ALL.into_iter().find_map(|(name, way)| (name == word).then_some(way));
    if way.is_none() {
        let names = FileWay::ALL.map(|(name, _)| name);
        fields.error_at("way", format!("`{word}` is no way to move a file"), suggest(&word, names));
    }
    way
}

/// `set_line = { speed = 115200, framing = "8N1" }`; what it is set to may come from variables, and is looked at when it is done.
fn read_line(fields: &Table<'_>) -> Option<Beside> {
    let given = fields.values("set_line");
    if given.is_empty() {
        let help = format!("give it one of: {}", LINE_KEYS.join(", "));
        fields.error_at("set_line", "`set_line` sets nothing", help);
        return None;
    }
    let mut values = BTreeMap::new();
    for (key, value) in &given {
        if !LINE_KEYS.contains(&key.as_str()) {
            let help = suggest(key, LINE_KEYS);
            fields.error_at("set_line", format!("a serial line has no `{key}`"), help);
            return None;
        }
        values.insert(key.clone(), plain_text(value));
    }
    Some(Beside::SetLine { values })
}

/// `send_break = true`, or how long it is.
fn read_break(fields: &Table<'_>) -> Option<Beside> {
    match fields.json("send_break") {
        Some(Value::Bool(true)) => Some(Beside::SendBreak { span: None }),
        Some(Value::Bool(false)) => only_true(fields, "send_break", Beside::SendBreak { span: None }),
        _ => fields.duration("send_break").map(|span| Beside::SendBreak { span: Some(span) }),
    }
}

/// A word that is said with `true`.
pub(super) fn only_true<T>(fields: &Table<'_>, key: &'static str, action: T) -> Option<T> {
    if fields.flag(key)? {
        return Some(action);
    }
    fields.error_at(key, format!("`{key} = false` does nothing"), "leave the step out");
    None
}
