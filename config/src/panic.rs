//! `PanicDetectData.json`: expressions that end a test when its output matches one.

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
        Self::read_for(source, None)
    }

    /// Reads the expressions of one user, or of all: what others wrote wrongly is not this user's problem.
    pub fn read_for(source: &Arc<Source>, user: Option<&str>) -> Read<Self> {
        let mut problems = Problems::new(source);
        let json: Result<Value, _> = serde_json::from_str(source.text().trim_start_matches('\u{feff}'));
        let value = match json {
            Ok(Value::Object(users)) => {
                let wanted = users.iter().filter(|(name, _)| user.is_none_or(|user| user == *name));
                let read =
                    wanted.map(|(name, list)| (name.clone(), read_user(source, name, list, &mut problems)));
                Some(Self { by_user: read.collect() })
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

fn read_user(
    source: &Source,
    user: &str,
    list: &Value,
    problems: &mut Problems,
) -> BTreeMap<String, PanicPattern> {
    let mut patterns = BTreeMap::new();
    let section = source.text().find(&format!("\"{user}\"")).unwrap_or(0);
    for (id, pattern) in list.as_object().into_iter().flatten() {
        let enabled = match pattern.get("enabled") {
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            Some(Value::Bool(enabled)) => *enabled,
            _ => false,
        };
        let expression = pattern.get("expression").and_then(Value::as_str);
        // The id is unique enough in the user's part of the text to point at.
        let rest = source.text().get(section..).unwrap_or_default();
        let at = rest.find(&format!("\"{id}\"")).map_or(section, |at| section.saturating_add(at));
        let span = Span::new(at, at);
        match expression.map(|text| (text, Regex::new(text))) {
            Some((text, Ok(_))) => {
                patterns.insert(id.clone(), PanicPattern { expression: text.to_owned(), enabled });
            }
            Some((text, Err(error))) => {
                let shown = error.to_string();
                let why = shown.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
                let message = format!("`{text}` is not a regular expression: {why}");
                if enabled {
                    problems.error(span, message, "correct it, or set `enabled` to \"false\"");
                } else {
                    problems.warn(span, message, "correct it before it is enabled");
                }
            }
            None => {
                problems.error(span, format!("pattern `{id}` has no `expression`"), "add one, or remove it")
            }
        }
    }
    patterns
}
