//! What a step waits for, on the wire and on the screen, and the keys it presses.

use serde_json::Value;

use crate::{
    steps::{Action, Awaited},
    toml_table::Table,
};

/// One pattern or exact text, or a list of them.
pub(super) fn read_awaited(fields: &Table<'_>, key: &'static str) -> Option<Vec<Awaited>> {
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
pub(super) fn read_screen(fields: &Table<'_>) -> Option<Action> {
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
pub(super) fn read_keys(fields: &Table<'_>) -> Option<Vec<String>> {
    let keys = fields.texts("press");
    if keys.is_empty() {
        fields.error_at("press", "`press` names no key", "write one, such as \"F5\", or a list of them");
        return None;
    }
    Some(keys)
}
