//! `PanicDetectData.json`: expressions that stop an EP when its output matches one.

use std::{collections::BTreeMap, sync::Arc};

use regex::bytes::Regex;
use serde_json::Value;

use crate::{
    problem::{Problems, Read},
    source::{Source, Span},
};

/// The expressions of each user, by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PanicPatterns {
    /// By user, then by id.
    pub by_user: BTreeMap<String, BTreeMap<String, PanicPattern>>,
}

/// One expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanicPattern {
    /// A regular expression, which compiles.
    pub expression: String,
    /// Whether it counts.
    pub enabled: bool,
}

impl PanicPatterns {
    /// Reads the file.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        let mut problems = Problems::new(source);
        let json: Result<Value, _> = serde_json::from_str(source.text().trim_start_matches('\u{feff}'));
        let value = match json {
            Ok(Value::Object(users)) => {
                let users =
                    users.iter().map(|(user, list)| (user.clone(), read_user(source, list, &mut problems)));
                Some(Self { by_user: users.collect() })
            }
            Ok(_) => {
                problems.error(
                    Span::default(),
                    "the file is not a table of users",
                    "write {\"user\": {\"id\": {\"expression\": …}}}",
                );
                None
            }
            Err(error) => {
                let text = error.to_string();
                let message = text.split(" at line ").next().unwrap_or_default().to_owned();
                problems.error(crate::resources::place(source, &error), message, "mend the JSON");
                None
            }
        };
        Read { value, problems: problems.finish() }
    }

    /// The expressions that count for a user.
    pub fn enabled(&self, user: &str) -> Vec<String> {
        let patterns = self.by_user.get(user).into_iter().flat_map(BTreeMap::values);
        patterns.filter(|pattern| pattern.enabled).map(|pattern| pattern.expression.clone()).collect()
    }
}

fn read_user(source: &Source, list: &Value, problems: &mut Problems) -> BTreeMap<String, PanicPattern> {
    let mut patterns = BTreeMap::new();
    for (id, pattern) in list.as_object().into_iter().flatten() {
        let enabled = match pattern.get("enabled") {
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            Some(Value::Bool(enabled)) => *enabled,
            _ => false,
        };
        let expression = pattern.get("expression").and_then(Value::as_str);
        // The id is unique enough in the text to point at.
        let at = source.text().find(&format!("\"{id}\"")).unwrap_or(0);
        let span = Span::new(at, at);
        match expression.map(|text| (text, Regex::new(text))) {
            Some((text, Ok(_))) => {
                patterns.insert(id.clone(), PanicPattern { expression: text.to_owned(), enabled });
            }
            Some((text, Err(error))) => {
                let why = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
                problems.error(span, format!("`{text}` is not a regular expression: {why}"), "correct it");
            }
            None => {
                problems.error(span, format!("pattern `{id}` has no `expression`"), "add one, or remove it")
            }
        }
    }
    patterns
}
