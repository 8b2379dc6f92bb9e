//! The values of a table: each is asked for by its key and its kind, and told of where it is another.

use std::{collections::BTreeMap, fmt::Display, ops::RangeInclusive, sync::Arc, time::Duration};

use serde_json::Value;
use toml::{Spanned, de::DeValue};

use super::{Name, Table};
use crate::{
    problem::suggest,
    value::{self, Expected},
};

impl<'t> Table<'t> {
    /// A value that `take` understands.
    fn get<T>(
        &self,
        key: &'static str,
        expected: &str,
        take: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Option<T> {
        let value = self.entry(key)?;
        let taken = take(value.get_ref());
        if taken.is_none() {
            self.refuse(value, key, expected);
        }
        taken
    }

    /// A text.
    pub(crate) fn text(&self, key: &'static str) -> Option<String> {
        self.get(key, "a text in quotes", |value| value.as_str().map(str::to_owned))
    }

    /// A text that is not empty.
    pub(crate) fn filled_text(&self, key: &'static str) -> Option<String> {
        let filled = |text: &&str| !text.trim().is_empty();
        self.get(key, "a text that is not empty", |value| value.as_str().filter(filled).map(str::to_owned))
    }

    /// A text that must be there.
    pub(crate) fn required_text(&self, key: &'static str) -> Option<String> {
        if !self.has(key) {
            let message = match &self.name {
                Name::Path(path) => format!("there is no `{path}{key}`"),
                Name::Noun(noun) => format!("{noun} has no `{key}`"),
            };
            self.error(message, format!("add `{key} = \"…\"`"));
        }
        self.text(key)
    }

    /// True or false.
    pub(crate) fn flag(&self, key: &'static str) -> Option<bool> {
        self.get(key, "true or false", DeValue::as_bool)
    }

    /// A whole number in a range.
    pub(crate) fn number<N>(&self, key: &'static str, range: RangeInclusive<N>) -> Option<N>
    where
        N: Display + PartialOrd + TryFrom<i64>,
    {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let number = |value| N::try_from(whole(value)?).ok().filter(|number| range.contains(number));
        self.get(key, &expected, number)
    }

    /// A text in one of the grammars of [`crate::value`], or a plain number where that is one of its forms.
    pub(crate) fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Expected>,
    ) -> Option<T> {
        let value = self.entry(key)?;
        let parsed = match value.get_ref() {
            DeValue::String(text) => parse(text),
            DeValue::Integer(number) if number.radix() == 10 => parse(number.as_str()),
            DeValue::Float(number) => parse(number.as_str()),
            DeValue::Integer(_) => Err("a decimal number"),
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                Err("a text or a number")
            }
        };
        parsed.map_err(|expected| self.refuse(value, key, expected)).ok()
    }

    /// A span of time in milliseconds.
    pub(crate) fn millis(&self, key: &'static str) -> Option<u64> {
        self.parsed(key, value::span_millis)
    }

    /// A span of time.
    pub(crate) fn duration(&self, key: &'static str) -> Option<Duration> {
        self.millis(key).map(Duration::from_millis)
    }

    /// A size in bytes.
    pub(crate) fn bytes(&self, key: &'static str) -> Option<u64> {
        self.parsed(key, value::size_bytes)
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let words = choices.iter().map(|(word, _)| *word);
            let message = format!("`{}`: there is no `{text}`", self.shown(key));
            self.error_at(key, message, suggest(&text, words));
        }
        found
    }

    /// A list of texts.
    pub(crate) fn list(&self, key: &'static str) -> Vec<String> {
        let Some(value) = self.entry(key) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            self.refuse(value, key, "a list of texts, such as [\"a\", \"b\"]");
            return Vec::new();
        };
        list.iter().filter_map(|item| self.text_of(key, item)).collect()
    }

    /// A text or a list of texts.
    pub(crate) fn texts(&self, key: &'static str) -> Vec<String> {
        let one = self.entry(key).and_then(|value| value.get_ref().as_str());
        one.map_or_else(|| self.list(key), |text| vec![text.to_owned()])
    }

    fn text_of(&self, key: &str, value: &Spanned<DeValue<'t>>) -> Option<String> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.refuse(value, key, "a text in quotes");
        }
        text.map(str::to_owned)
    }

    /// A section of texts, whatever their keys.
    pub(crate) fn text_map(&self, key: &'static str) -> BTreeMap<Arc<str>, Arc<str>> {
        let Some(section) = self.section(key) else { return BTreeMap::new() };
        let texts = section.entries.iter().filter_map(|(name, value)| {
            let name: &str = name.get_ref();
            section.text_of(name, value).map(|text| (Arc::from(name), Arc::from(text)))
        });
        texts.collect()
    }

    /// A regular expression over bytes, whose syntax is checked.
    pub(crate) fn pattern(&self, key: &'static str) -> Option<String> {
        let text = self.text(key)?;
        self.check_pattern(key, &text).then_some(text)
    }

    /// A regular expression or a list of them, each checked.
    pub(crate) fn patterns(&self, key: &'static str) -> Vec<String> {
        let mut texts = self.texts(key);
        texts.retain(|text| self.check_pattern(key, text));
        texts
    }

    /// Checks a regular expression of a key; it may hold `${variables}`, which stand for themselves here.
    pub(crate) fn check_pattern(&self, key: &str, text: &str) -> bool {
        let built = regex::bytes::RegexBuilder::new(&without_variables(text)).unicode(false).build();
        if let Err(error) = &built {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let message = format!("`{}`: `{text}` is no regular expression: {why}", self.shown(key));
            self.error_at(key, message, "");
        }
        built.is_ok()
    }

    /// Any value, as JSON.
    pub(crate) fn json(&self, key: &'static str) -> Option<Value> {
        self.entry(key).map(|value| plain(value.get_ref()))
    }

    /// A table of anything, by name, as JSON.
    pub(crate) fn values(&self, key: &'static str) -> serde_json::Map<String, Value> {
        let expected = format!("a table: [{}] or {{ … }}", self.shown(key));
        let map = self.get(key, &expected, |value| match plain(value) {
            Value::Object(map) => Some(map),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        });
        map.unwrap_or_default()
    }
}

/// A pattern with a letter where each `${variable}` stands, so that the rest of it can be checked.
fn without_variables(pattern: &str) -> String {
    let mut plain = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        plain.push_str(before);
        let Some((_, after)) = after.split_once('}') else {
            plain.push_str("${");
            rest = after;
            continue;
        };
        plain.push('x');
        rest = after;
    }
    plain.push_str(rest);
    plain
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
}

fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(_) => whole(value).map_or(Value::Null, Value::from),
        DeValue::Float(float) => float.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Datetime(instant) => Value::from(instant.to_string()),
        DeValue::Array(list) => list.iter().map(|item| plain(item.get_ref())).collect(),
        DeValue::Table(table) => {
            table.iter().map(|(key, item)| (key.get_ref().to_string(), plain(item.get_ref()))).collect()
        }
    }
}
