//! TOML files of people, read with positions: every problem at once, unknown keys with the nearest known one.
//!
//! A reader asks a [`Table`] for each key it knows; what it asked for is what the table may contain, so [`Table::finish`] can
//! tell of every key that nobody asked for. A table of settings stands once and is named by where it stands (`listen.port`);
//! one of many alike is named by what it is (a step).

mod values;

use std::{cell::RefCell, sync::Arc};

use jackfield_protocol::error::FileProblem;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    limits::FILE_BYTES_MAX,
    problem::{Problems, suggest, whole_file},
    source::{Source, Span},
};

/// Reads a file of settings: each table is named by where it stands. `read` asks the top table for what it knows.
pub(crate) fn read_settings<T>(
    source: &Arc<Source>,
    read: impl FnOnce(&Table<'_>) -> T,
) -> (Option<T>, Vec<FileProblem>) {
    read_named(source, Name::Path(String::new()), read)
}

/// Reads a file whose tables are named by what they are. `None` from `read` must come with a problem.
///
/// # Errors
/// Every problem of the file, in the order of their places.
pub(crate) fn read_document<T>(
    file: &str,
    text: &str,
    read: impl FnOnce(&Table<'_>) -> Option<T>,
) -> Result<T, Vec<FileProblem>> {
    let source = Arc::new(Source::new(file, text));
    let (value, problems) = read_named(&source, Name::Noun("the file"), read);
    value.flatten().filter(|_| problems.is_empty()).ok_or(problems)
}

fn read_named<T>(
    source: &Arc<Source>,
    name: Name,
    read: impl FnOnce(&Table<'_>) -> T,
) -> (Option<T>, Vec<FileProblem>) {
    if u64::try_from(source.text().len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        let message = format!("the file is larger than {FILE_BYTES_MAX} bytes");
        return (None, vec![whole_file(source.name(), message, "split it")]);
    }
    let document = Document { problems: RefCell::new(Problems::new(source)), source };
    let (entries, faults) = DeTable::parse_recoverable(source.text());
    for fault in &faults {
        let span = fault.span().map(|range| Span::new(range.start, range.end)).unwrap_or_default();
        document.error(span, fault.message().lines().collect::<Vec<_>>().join(", "), "");
    }
    let value = faults.is_empty().then(|| {
        let top = Table::new(&document, entries.get_ref(), Span::default(), name);
        let value = read(&top);
        top.finish();
        value
    });
    (value, document.problems.into_inner().finish())
}

/// A file with the problems found in it so far.
struct Document<'s> {
    source: &'s Source,
    problems: RefCell<Problems>,
}

impl Document<'_> {
    fn error(&self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.problems.borrow_mut().error(span, message, help);
    }
}

/// What messages call a table.
enum Name {
    /// By where it stands, with a dot at the end: `runners.py.`; empty at the top.
    Path(String),
    /// By what it is: `a step`.
    Noun(&'static str),
}

/// A table of the file.
pub(crate) struct Table<'t> {
    document: &'t Document<'t>,
    entries: &'t DeTable<'t>,
    span: Span,
    name: Name,
    asked: RefCell<Vec<&'static str>>,
}

impl<'t> Table<'t> {
    fn new(document: &'t Document<'t>, entries: &'t DeTable<'t>, span: Span, name: Name) -> Self {
        Self { document, entries, span, name, asked: RefCell::default() }
    }

    /// The line this table begins at, from 1.
    pub(crate) fn line(&self) -> u32 {
        self.document.source.position(self.span.start).0
    }

    /// Reports a problem of this table as a whole.
    pub(crate) fn error(&self, message: impl Into<String>, help: impl Into<String>) {
        self.document.error(self.span, message, help);
    }

    /// Reports a problem of one key, or of the table where the key is not there.
    pub(crate) fn error_at(&self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        let span = self.entries.get(key).map_or(self.span, span_of);
        self.document.error(span, message, help);
    }

    /// Whether the key is there; counts as asked.
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.entry(key).is_some()
    }

    fn entry(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        self.entries.get(key)
    }

    /// A key as messages show it.
    fn shown(&self, key: &str) -> String {
        match &self.name {
            Name::Path(path) => format!("{path}{key}"),
            Name::Noun(_) => key.to_owned(),
        }
    }

    /// Reports a value that is not what it should be.
    fn refuse(&self, value: &Spanned<DeValue<'t>>, key: &str, expected: &str) {
        let shown = match value.get_ref() {
            DeValue::String(text) => format!("\"{}\"", shortened(text)),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(truth) => truth.to_string(),
            DeValue::Datetime(_) => "a date".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        };
        let message = format!("`{}` is {shown}", self.shown(key));
        self.document.error(span_of(value), message, format!("write {expected}"));
    }

    /// A table below this one that stands once, named by where it stands.
    pub(crate) fn section(&self, key: &'static str) -> Option<Table<'t>> {
        self.below(key, Name::Path(format!("{}.", self.shown(key))))
    }

    /// A table below this one, named by what it is.
    pub(crate) fn table(&self, key: &'static str, noun: &'static str) -> Option<Table<'t>> {
        self.below(key, Name::Noun(noun))
    }

    fn below(&self, key: &'static str, name: Name) -> Option<Table<'t>> {
        let value = self.entry(key)?;
        self.as_table(value, key, name)
    }

    fn as_table(&self, value: &'t Spanned<DeValue<'t>>, key: &str, name: Name) -> Option<Table<'t>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.refuse(value, key, &format!("a table: [{}] or {{ … }}", self.shown(key)));
        }
        table.map(|table| Table::new(self.document, table, span_of(value), name))
    }

    /// A table or a list of tables, each named by what it is.
    pub(crate) fn tables(&self, key: &'static str, noun: &'static str) -> Vec<Table<'t>> {
        let Some(value) = self.entry(key) else { return Vec::new() };
        if let Some(list) = value.get_ref().as_array() {
            return list.iter().filter_map(|item| self.as_table(item, key, Name::Noun(noun))).collect();
        }
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.refuse(value, key, &format!("a list of tables: [[{}]]", self.shown(key)));
        }
        let one = |table| Table::new(self.document, table, span_of(value), Name::Noun(noun));
        table.map(one).into_iter().collect()
    }

    /// All sections of a section, whatever their names.
    pub(crate) fn named_sections(&self, key: &'static str) -> Vec<(&'t str, Table<'t>)> {
        let Some(outer) = self.section(key) else { return Vec::new() };
        outer.all(|name| Name::Path(format!("{}.", outer.shown(name))))
    }

    /// All tables of a table, whatever their names, each named by what it is.
    pub(crate) fn named_tables(&self, key: &'static str, noun: &'static str) -> Vec<(&'t str, Table<'t>)> {
        let Some(outer) = self.table(key, noun) else { return Vec::new() };
        outer.all(|_| Name::Noun(noun))
    }

    fn all(&self, named: impl Fn(&str) -> Name) -> Vec<(&'t str, Table<'t>)> {
        let tables = self.entries.iter().filter_map(|(key, value)| {
            let key: &'t str = key.get_ref();
            self.as_table(value, key, named(key)).map(|table| (key, table))
        });
        tables.collect()
    }

    /// Reports every key that nobody asked for.
    pub(crate) fn finish(&self) {
        let asked = self.asked.borrow();
        for name in self.entries.keys() {
            let key: &str = name.get_ref();
            if asked.contains(&key) {
                continue;
            }
            let message = match &self.name {
                Name::Path(path) => format!("unknown key `{path}{key}`"),
                Name::Noun(noun) => format!("{noun} has no key `{key}`"),
            };
            let span = Span::new(name.span().start, name.span().end);
            self.document.error(span, message, suggest(key, asked.iter().copied()));
        }
    }
}

fn span_of(value: &Spanned<DeValue<'_>>) -> Span {
    Span::new(value.span().start, value.span().end)
}

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    match text.char_indices().nth(CHARS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_key_is_told_with_the_nearest_one() {
        let text = "titel = 'a'\nwait = '5x'\nlist = [1]\n";
        let problems = read_document("a.toml", text, |table| {
            table.text("title");
            table.texts("list");
            table.duration("wait")
        })
        .unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        a.toml:1:1: error: the file has no key `titel`; did you mean `title`?
        a.toml:2:8: error: `wait` is "5x"; write a time such as 90, 500ms, 5m or 2h
        a.toml:3:9: error: `list` is 1; write a text in quotes
        "#);
    }

    #[test]
    fn broken_text_is_told_with_its_place() {
        let problems = read_document("a.toml", "a = 1\nb = [", |_| Some(())).unwrap_err();
        assert_eq!(problems[0].line, 2);
    }

    #[test]
    fn tables_are_named_by_place_or_by_what_they_are() {
        let text = "[tests]\nwait = 'x'\nwiat = 1\n[many.one]\nwait = []\nwiat = 1\n[[alike]]\nwait = true\nwiat = 1\n";
        let source = Arc::new(Source::new("a.toml", text));
        let (_, problems) = read_settings(&source, |top| {
            let mut tables: Vec<_> = top.section("tests").into_iter().collect();
            tables.extend(top.named_sections("many").into_iter().map(|(_, table)| table));
            tables.extend(top.tables("alike", "a step"));
            for table in tables {
                table.millis("wait");
                table.finish();
            }
        });
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        a.toml:2:8: error: `tests.wait` is "x"; write a time such as 90, 500ms, 5m or 2h
        a.toml:3:1: error: unknown key `tests.wiat`; did you mean `wait`?
        a.toml:5:8: error: `many.one.wait` is a list; write a text or a number
        a.toml:6:1: error: unknown key `many.one.wiat`; did you mean `wait`?
        a.toml:8:8: error: `wait` is true; write a text or a number
        a.toml:9:1: error: a step has no key `wiat`; did you mean `wait`?
        "#);
    }

    #[test]
    fn a_long_text_is_shown_by_its_beginning() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"é".repeat(100)).chars().count(), 81);
    }
}
