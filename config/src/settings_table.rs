//! TOML files, read key by key: every problem at once, each with its place, unknown keys with the nearest known one.
//!
//! A reader asks a [`Table`] for each key it knows; [`Table::finish`] then reports the keys nobody asked for.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

use jackfield_protocol::error::FileProblem;
use toml::de::{DeTable, DeValue};

use crate::{
    problem::{Problems, suggest},
    source::{At, Source, Span},
    value::{self, Expected},
};

/// Reads a file with `read`, which asks the top table for what it knows.
pub(crate) fn read<T>(
    source: &Arc<Source>,
    read: impl FnOnce(&Table<'_>) -> T,
) -> (Option<T>, Vec<FileProblem>) {
    let problems = Rc::new(RefCell::new(Problems::new(source)));
    let (document, faults) = DeTable::parse_recoverable(source.text());
    for fault in &faults {
        let span = fault.span().map(|range| Span::new(range.start, range.end)).unwrap_or_default();
        let message = fault.message().lines().collect::<Vec<_>>().join(", ");
        problems.borrow_mut().error(span, message, "");
    }
    let value = faults.is_empty().then(|| {
        let top = Table::new(document.get_ref(), Span::default(), String::new(), &problems);
        let value = read(&top);
        top.finish();
        value
    });
    let list = problems.borrow().clone().finish();
    (value, list)
}

/// A table of the file.
pub(crate) struct Table<'t> {
    entries: &'t DeTable<'t>,
    span: Span,
    /// `runners.py.`, for messages; empty at the top.
    path: String,
    asked: RefCell<Vec<&'static str>>,
    problems: Rc<RefCell<Problems>>,
}

impl<'t> Table<'t> {
    fn new(entries: &'t DeTable<'t>, span: Span, path: String, problems: &Rc<RefCell<Problems>>) -> Self {
        Self { entries, span, path, asked: RefCell::default(), problems: Rc::clone(problems) }
    }

    /// Where the table stands.
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// Reports a problem of the reader's own.
    pub(crate) fn error(&self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.problems.borrow_mut().error(span, message, help);
    }

    fn entry(&self, key: &'static str) -> Option<(Span, &'t DeValue<'t>)> {
        self.asked.borrow_mut().push(key);
        let value = self.entries.get(key)?;
        Some((Span::new(value.span().start, value.span().end), value.get_ref()))
    }

    fn refuse(&self, span: Span, key: &str, value: &DeValue<'_>, expected: &str) {
        let shown = match value {
            DeValue::String(text) => format!("\"{text}\""),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(truth) => truth.to_string(),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => format!("a {}", value.type_str()),
        };
        self.error(span, format!("`{}{key}` is {shown}", self.path), format!("write {expected}"));
    }

    /// A value that `take` understands.
    fn get<T>(
        &self,
        key: &'static str,
        expected: &str,
        take: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Option<At<T>> {
        let (span, value) = self.entry(key)?;
        let taken = take(value);
        if taken.is_none() {
            self.refuse(span, key, value, expected);
        }
        Some(At::new(taken?, span))
    }

    /// A text.
    pub(crate) fn text(&self, key: &'static str) -> Option<At<String>> {
        self.get(key, "a text in quotes", |value| value.as_str().map(str::to_owned))
    }

    /// A text that is not empty.
    pub(crate) fn filled_text(&self, key: &'static str) -> Option<At<String>> {
        let filled = |text: &&str| !text.trim().is_empty();
        self.get(key, "a text that is not empty", |value| value.as_str().filter(filled).map(str::to_owned))
    }

    /// A text in one of the grammars of [`crate::value`], or a plain number where that is one of its forms.
    pub(crate) fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Expected>,
    ) -> Option<At<T>> {
        let (span, value) = self.entry(key)?;
        let parsed = match value {
            DeValue::String(text) => parse(text),
            DeValue::Integer(number) if number.radix() == 10 => parse(number.as_str()),
            DeValue::Float(number) => parse(number.as_str()),
            DeValue::Integer(_) => Err("a decimal number"),
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                Err("a text or a number")
            }
        };
        match parsed {
            Ok(parsed) => Some(At::new(parsed, span)),
            Err(expected) => {
                self.refuse(span, key, value, expected);
                None
            }
        }
    }

    /// A span of time in milliseconds.
    pub(crate) fn millis(&self, key: &'static str) -> Option<At<u64>> {
        self.parsed(key, value::span_millis)
    }

    /// A size in bytes.
    pub(crate) fn bytes(&self, key: &'static str) -> Option<At<u64>> {
        self.parsed(key, value::size_bytes)
    }

    /// A whole number in a range.
    pub(crate) fn number(&self, key: &'static str, range: std::ops::RangeInclusive<u64>) -> Option<At<u64>> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.get(key, &expected, |value| {
            let number = value.as_integer()?;
            let digits = number.as_str().replace('_', "");
            u64::from_str_radix(&digits, number.radix()).ok().filter(|number| range.contains(number))
        })
    }

    /// A list of texts.
    pub(crate) fn texts(&self, key: &'static str) -> Option<At<Vec<At<String>>>> {
        self.get(key, "a list of texts, such as [\"a\", \"b\"]", |value| {
            let text = |entry: &toml::Spanned<DeValue<'_>>| {
                let text = entry.get_ref().as_str()?.to_owned();
                Some(At::new(text, Span::new(entry.span().start, entry.span().end)))
            };
            value.as_array()?.iter().map(text).collect::<Option<Vec<_>>>()
        })
    }

    /// A table of texts, whatever their keys.
    pub(crate) fn text_map(&self, key: &'static str) -> BTreeMap<Arc<str>, At<Arc<str>>> {
        let Some(table) = self.table(key) else { return BTreeMap::new() };
        let mut map = BTreeMap::new();
        for (name, entry) in table.entries {
            let span = Span::new(entry.span().start, entry.span().end);
            match entry.get_ref().as_str() {
                Some(text) => {
                    map.insert(Arc::from(name.get_ref().as_ref()), At::new(Arc::from(text), span));
                }
                None => table.refuse(span, name.get_ref(), entry.get_ref(), "a text in quotes"),
            }
        }
        map
    }

    /// A table below this one.
    pub(crate) fn table(&self, key: &'static str) -> Option<Table<'t>> {
        let (span, value) = self.entry(key)?;
        let table = value.as_table();
        if table.is_none() {
            self.refuse(span, key, value, &format!("a table: [{}{key}]", self.path));
        }
        Some(Table::new(table?, span, format!("{}{key}.", self.path), &self.problems))
    }

    /// All tables of a table, whatever their names.
    pub(crate) fn named_tables(&self, key: &'static str) -> Vec<(At<String>, Table<'t>)> {
        let Some(table) = self.table(key) else { return Vec::new() };
        let mut tables = Vec::new();
        for (name, entry) in table.entries {
            let span = Span::new(entry.span().start, entry.span().end);
            let path = format!("{}{}.", table.path, name.get_ref());
            match entry.get_ref().as_table() {
                Some(inner) => {
                    let place = Span::new(name.span().start, name.span().end);
                    let name = At::new(name.get_ref().to_string(), place);
                    tables.push((name, Table::new(inner, span, path, &self.problems)));
                }
                None => table.refuse(span, name.get_ref(), entry.get_ref(), &format!("a table: [{path}…]")),
            }
        }
        tables
    }

    /// Reports every key that nobody asked for.
    pub(crate) fn finish(&self) {
        let asked = self.asked.borrow();
        for name in self.entries.keys() {
            let key = name.get_ref().as_ref();
            if !asked.contains(&key) {
                let span = Span::new(name.span().start, name.span().end);
                let help = suggest(key, asked.iter().copied());
                self.error(span, format!("unknown key `{}{key}`", self.path), help);
            }
        }
    }
}
