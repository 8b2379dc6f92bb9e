//! TOML files of people, read with positions: every problem at once, unknown keys with the nearest known one.
//!
//! A [`Document`] is the parsed text; [`Fields`] is one table of it. A reader asks a table for its keys, one by one; what it
//! asked for is what the table may contain, so [`Fields::finish`] can tell every key that nobody asked for.

use std::{cell::RefCell, collections::BTreeSet, ops::Range, sync::Arc, time::Duration};

use jackfield_protocol::error::FileProblem;
use serde_json::Value;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    limits::FILE_BYTES_MAX,
    problem::{Problems, suggest, whole_file},
    source::{Source, Span},
};

/// A file with the problems found in it so far.
#[derive(Debug)]
pub(crate) struct Document {
    source: Arc<Source>,
    problems: RefCell<Problems>,
}

impl Document {
    /// Reads a file through `read`, which is given its top table; `None` from it must come with a problem.
    ///
    /// # Errors
    /// Every problem of the file, in the order of their places.
    pub(crate) fn read<T>(
        file: &str,
        text: &str,
        read: impl FnOnce(&Fields<'_>) -> Option<T>,
    ) -> Result<T, Vec<FileProblem>> {
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
            let message = format!("the file is larger than {FILE_BYTES_MAX} bytes");
            return Err(vec![whole_file(file, message, "split it")]);
        }
        let source = Arc::new(Source::new(file, text));
        let document = Self { problems: RefCell::new(Problems::new(&source)), source };
        let value = match DeTable::parse(text) {
            Ok(table) => {
                let fields = Fields::new(&document, table.get_ref(), table.span(), "the file");
                let value = read(&fields);
                fields.finish();
                value
            }
            Err(error) => {
                document.error(error.span().unwrap_or(0..0), error.message().replace('\n', "; "), "");
                None
            }
        };
        let problems = document.problems.into_inner().finish();
        value.filter(|_| problems.is_empty()).ok_or(problems)
    }

    /// Notes a problem at a place of the text.
    fn error(&self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.borrow_mut().error(Span::new(span.start, span.end), message, help);
    }

    /// The line of a place, from 1.
    fn line(&self, span: &Range<usize>) -> u32 {
        self.source.position(Span::new(span.start, span.end).start).0
    }
}

/// One table of a file.
#[derive(Debug)]
pub(crate) struct Fields<'d> {
    document: &'d Document,
    table: &'d DeTable<'d>,
    span: Range<usize>,
    what: &'static str,
    asked: RefCell<BTreeSet<String>>,
}

impl<'d> Fields<'d> {
    fn new(document: &'d Document, table: &'d DeTable<'d>, span: Range<usize>, what: &'static str) -> Self {
        Self { document, table, span, what, asked: RefCell::default() }
    }

    /// The line this table begins at, from 1.
    pub(crate) fn line(&self) -> u32 {
        self.document.line(&self.span)
    }

    /// Notes a problem of this table as a whole.
    pub(crate) fn error(&self, message: impl Into<String>, help: impl Into<String>) {
        self.document.error(self.span.clone(), message, help);
    }

    /// Notes a problem of one key.
    pub(crate) fn error_at(&self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        let span = self.table.get(key).map_or_else(|| self.span.clone(), Spanned::span);
        self.document.error(span, message, help);
    }

    /// Whether the key is there; counts as asked.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    fn value(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.table.get(key)
    }

    fn wrong(&self, value: &Spanned<DeValue<'d>>, key: &str, wanted: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.document.error(value.span(), format!("`{key}` is {found}"), format!("write {wanted}"));
    }

    /// A text.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let value = self.value(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong(value, key, "a text in quotes");
        }
        text.map(str::to_owned)
    }

    /// A text that must be there.
    pub(crate) fn required_text(&self, key: &str) -> Option<String> {
        if !self.has(key) {
            self.error(format!("{} has no `{key}`", self.what), format!("add `{key} = \"…\"`"));
        }
        self.text(key)
    }

    /// True or false.
    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(value, key, "true or false");
        }
        flag
    }

    /// A whole number of a type's range.
    pub(crate) fn number<N: TryFrom<i64>>(&self, key: &str) -> Option<N> {
        let value = self.value(key)?;
        let number = whole(value.get_ref()).and_then(|number| N::try_from(number).ok());
        if number.is_none() {
            self.wrong(value, key, "a whole number that fits");
        }
        number
    }

    /// A span of time: `"500ms"`, `"10s"`, `"2m"`, `"1h"`, or a number of seconds.
    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        let value = self.value(key)?;
        let seconds = match value.get_ref() {
            DeValue::String(text) => return self.duration_text(value, key, text),
            DeValue::Integer(_) | DeValue::Float(_) => plain(value.get_ref()).as_f64(),
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        };
        let span = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        if span.is_none() {
            self.wrong(value, key, "a time such as \"500ms\", \"10s\" or \"2m\"");
        }
        span
    }

    fn duration_text(&self, value: &Spanned<DeValue<'d>>, key: &str, text: &str) -> Option<Duration> {
        let span = parse_duration(text);
        if span.is_none() {
            self.document.error(
                value.span(),
                format!("`{key}`: `{text}` is no span of time"),
                "write it as \"500ms\", \"10s\", \"2m\" or \"1h\"",
            );
        }
        span
    }

    /// A text or a list of texts.
    pub(crate) fn texts(&self, key: &str) -> Vec<String> {
        let Some(value) = self.value(key) else { return Vec::new() };
        if let Some(text) = value.get_ref().as_str() {
            return vec![text.to_owned()];
        }
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(value, key, "a text or a list of texts");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => self.wrong(item, key, "texts in quotes"),
            }
        }
        texts
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let words = choices.iter().map(|(word, _)| *word);
            self.error_at(key, format!("`{key}`: there is no `{text}`"), suggest(&text, words));
        }
        found
    }

    /// A regular expression over bytes, whose syntax is checked.
    pub(crate) fn pattern(&self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        self.check_pattern(key, &text).then_some(text)
    }

    /// A regular expression or a list of them, each checked.
    pub(crate) fn patterns(&self, key: &str) -> Vec<String> {
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
            self.error_at(key, format!("`{key}`: `{text}` is no regular expression: {why}"), "");
        }
        built.is_ok()
    }

    /// Any value, as JSON.
    pub(crate) fn json(&self, key: &str) -> Option<Value> {
        self.value(key).map(|value| plain(value.get_ref()))
    }

    /// A table inside this one.
    pub(crate) fn table(&self, key: &str, what: &'static str) -> Option<Fields<'d>> {
        let value = self.value(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong(value, key, &format!("a table: [{key}] or {{ … }}"));
        }
        table.map(|table| Fields::new(self.document, table, value.span(), what))
    }

    /// A table, or a list of tables.
    pub(crate) fn tables(&self, key: &str, what: &'static str) -> Vec<Fields<'d>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        if let Some(table) = value.get_ref().as_table() {
            return vec![Fields::new(self.document, table, value.span(), what)];
        }
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(value, key, &format!("a list of tables: [[{key}]]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_table() {
                Some(table) => tables.push(Fields::new(self.document, table, item.span(), what)),
                None => self.wrong(item, key, "tables"),
            }
        }
        tables
    }

    /// A table of tables, by name.
    pub(crate) fn named_tables(&self, key: &str, what: &'static str) -> Vec<(String, Fields<'d>)> {
        let Some(outer) = self.table(key, what) else { return Vec::new() };
        let names: Vec<String> = outer.table.keys().map(|name| name.get_ref().to_string()).collect();
        names.into_iter().filter_map(|name| outer.table(&name, what).map(|inner| (name, inner))).collect()
    }

    /// A table of anything, by name, as JSON.
    pub(crate) fn values(&self, key: &str) -> serde_json::Map<String, Value> {
        match self.value(key).map(|value| (value, plain(value.get_ref()))) {
            None => serde_json::Map::new(),
            Some((_, Value::Object(map))) => map,
            Some((value, _)) => {
                self.wrong(value, key, &format!("a table: [{key}] or {{ … }}"));
                serde_json::Map::new()
            }
        }
    }

    /// Tells of every key that nobody asked for.
    pub(crate) fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !asked.contains(name) {
                self.document.error(
                    key.span(),
                    format!("{} has no key `{name}`", self.what),
                    suggest(name, asked.iter().map(String::as_str)),
                );
            }
        }
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

/// `500ms`, `10s`, `2m`, `1.5h`, `1d`; a bare number is seconds.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = match unit.trim() {
        "ms" => 0.001,
        "" | "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * factor).ok()
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_are_read() {
        for (text, millis) in
            [("500ms", Some(500)), ("10s", Some(10_000)), ("2m", Some(120_000)), ("1.5", Some(1500))]
        {
            assert_eq!(parse_duration(text).map(|span| span.as_millis()), millis, "{text}");
        }
        for text in ["", "ten", "5 parsecs", "-1s", "1e9999s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_wrong_key_is_told_with_the_nearest_one() {
        let text = "titel = 'a'\nwait = '5x'\n";
        let problems = Document::read("a.toml", text, |fields| {
            fields.text("title");
            fields.duration("wait")
        })
        .unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        a.toml:1:1: error: the file has no key `titel`; did you mean `title`?
        a.toml:2:8: error: `wait`: `5x` is no span of time; write it as "500ms", "10s", "2m" or "1h"
        "#);
    }

    #[test]
    fn broken_text_is_told_with_its_place() {
        let problems = Document::read("a.toml", "a = 1\nb = [", |_| Some(())).unwrap_err();
        assert_eq!(problems[0].line, 2);
    }
}
