//! A template: values, and states with their rules.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    TextFsmError, join, regex,
    rule::{LineOp, RecordOp, Rule},
};

/// Letters of the name of a value or a state.
const NAME_CHARS_MAX: usize = 48;
/// Bytes of a template.
const TEMPLATE_BYTES_MAX: usize = 1024 * 1024;

/// What is special about a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueOption {
    Required,
    Filldown,
    Fillup,
    Key,
    List,
}

impl ValueOption {
    const ALL: [(&'static str, Self); 5] = [
        ("Required", Self::Required),
        ("Filldown", Self::Filldown),
        ("Fillup", Self::Fillup),
        ("Key", Self::Key),
        ("List", Self::List),
    ];
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) options: Vec<ValueOption>,
    /// Of a list whose expression has groups within: each item is taken apart by it.
    pub(super) nested: Option<fancy_regex::Regex>,
}

/// A template that was read and can be used for any number of texts.
#[derive(Debug)]
pub struct Template {
    pub(super) columns: Vec<Column>,
    pub(super) states: BTreeMap<String, Vec<Rule>>,
    /// Those whose columns are added to its table, and by which values their rows are found.
    pub(super) joined: Vec<Arc<Self>>,
    pub(super) joined_by: Vec<String>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its line.
    pub fn parse(text: &str) -> Result<Self, TextFsmError> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(wrong(0, format!("it has more than {TEMPLATE_BYTES_MAX} bytes")));
        }
        let mut reader = Reader { lines: text.lines().enumerate(), number: 0 };
        let mut values = BTreeMap::new();
        let columns = read_values(&mut reader, &mut values)?;
        let mut states = BTreeMap::new();
        while read_state(&mut reader, &values, &mut states)? {}
        check_states(&mut states)?;
        Ok(Self { columns, states, joined: Vec::new(), joined_by: Vec::new() })
    }

    /// The same, with the columns of other templates in its table.
    ///
    /// # Errors
    /// One lacks the values by which rows are found.
    pub fn with_joined(self, others: Vec<Arc<Self>>) -> Result<Self, TextFsmError> {
        let joined_by = join::keys(std::iter::once(&self).chain(others.iter().map(Arc::as_ref)));
        join::check(&self, &joined_by)?;
        others.iter().try_for_each(|other| join::check(other, &joined_by))?;
        Ok(Self { joined: others, joined_by, ..self })
    }

    /// The names of its values, in order.
    pub fn header(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The names of the values that tell one row from another.
    pub fn keys(&self) -> Vec<String> {
        let is_key = |column: &&Column| column.options.contains(&ValueOption::Key);
        self.columns.iter().filter(is_key).map(|column| column.name.clone()).collect()
    }
}

fn wrong(line: usize, why: impl Into<String>) -> TextFsmError {
    TextFsmError::Template { line, why: why.into() }
}

/// The lines of a template, without the space at their ends.
struct Reader<'t> {
    lines: std::iter::Enumerate<std::str::Lines<'t>>,
    /// The line that was read last.
    number: usize,
}

impl<'t> Reader<'t> {
    fn line(&mut self) -> Option<&'t str> {
        let (index, line) = self.lines.next()?;
        self.number = index.saturating_add(1);
        Some(line.trim_end())
    }
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

fn read_values(
    reader: &mut Reader<'_>,
    values: &mut BTreeMap<String, String>,
) -> Result<Vec<Column>, TextFsmError> {
    let mut columns: Vec<Column> = Vec::new();
    while let Some(line) = reader.line().filter(|line| !line.is_empty()) {
        let at = reader.number;
        if is_comment(line) {
            continue;
        }
        let Some(declaration) = line.strip_prefix("Value ") else {
            let why = if columns.is_empty() {
                "a template begins with Value lines"
            } else {
                "a blank line ends the values"
            };
            return Err(wrong(at, why));
        };
        let (column, expression) = read_value(declaration).map_err(|why| wrong(at, why))?;
        if values.insert(column.name.clone(), expression).is_some() {
            return Err(wrong(at, format!("value `{}` is there twice", column.name)));
        }
        columns.push(column);
    }
    Ok(columns)
}

/// `[options] name (expression)`.
fn read_value(declaration: &str) -> Result<(Column, String), String> {
    let mut words = declaration.splitn(3, ' ');
    let (Some(first), Some(second)) = (words.next(), words.next()) else {
        return Err("a value needs a name and an expression: Value NAME (\\S+)".to_owned());
    };
    let third = words.next();
    let (options, name, regex) = if second.starts_with('(') {
        (Vec::new(), first, [Some(second), third].into_iter().flatten().collect::<Vec<_>>().join(" "))
    } else {
        (read_options(first)?, second, third.unwrap_or_default().to_owned())
    };
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(format!("`{name}` is no name for a value: it has 1 to {NAME_CHARS_MAX} letters"));
    }
    let inside = regex.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let Some(inside) = inside.filter(|inside| !inside.ends_with('\\')) else {
        return Err(format!("the expression of `{name}` must stand in brackets: ({regex})"));
    };
    let compiled =
        regex::compile(&regex).map_err(|why| format!("`{regex}` is no regular expression: {why}"))?;
    // The expression as a whole is a group already.
    let nested = options.contains(&ValueOption::List) && compiled.captures_len() > 2;
    let column = Column { name: name.to_owned(), options, nested: nested.then_some(compiled) };
    Ok((column, format!("(?P<{name}>{inside})")))
}

fn read_options(words: &str) -> Result<Vec<ValueOption>, String> {
    let mut options = Vec::new();
    for word in words.split(',') {
        let option = ValueOption::ALL.into_iter().find_map(|(name, option)| (name == word).then_some(option));
        let option = option.ok_or_else(|| {
            let names = ValueOption::ALL.map(|(name, _)| name).join(", ");
            format!("there is no option `{word}`: there are {names}")
        })?;
        if options.contains(&option) {
            return Err(format!("option `{word}` is there twice"));
        }
        options.push(option);
    }
    Ok(options)
}

/// Reads a state with its rules; false when there are no more.
fn read_state(
    reader: &mut Reader<'_>,
    values: &BTreeMap<String, String>,
    states: &mut BTreeMap<String, Vec<Rule>>,
) -> Result<bool, TextFsmError> {
    let name = loop {
        match reader.line() {
            None => return Ok(false),
            Some(line) if line.is_empty() || is_comment(line) => {}
            Some(line) => break line,
        }
    };
    let named = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let reserved = LineOp::parse(name).is_some() || RecordOp::parse(name).is_some();
    if !named || reserved || name.chars().count() > NAME_CHARS_MAX {
        return Err(wrong(reader.number, format!("`{name}` is no name for a state")));
    }
    if states.contains_key(name) {
        return Err(wrong(reader.number, format!("state `{name}` is there twice")));
    }
    let mut rules = Vec::new();
    while let Some(line) = reader.line().filter(|line| !line.is_empty()) {
        if is_comment(line) {
            continue;
        }
        if ![" ^", "  ^", "\t^"].iter().any(|begin| line.starts_with(begin)) {
            return Err(wrong(reader.number, "a rule begins with one or two spaces and `^`"));
        }
        let rule = Rule::parse(line, reader.number, values).map_err(|why| wrong(reader.number, why))?;
        rules.push(rule);
    }
    states.insert(name.to_owned(), rules);
    Ok(true)
}

fn check_states(states: &mut BTreeMap<String, Vec<Rule>>) -> Result<(), TextFsmError> {
    if !states.contains_key("Start") {
        return Err(wrong(0, "there is no state `Start`"));
    }
    for name in ["End", "EOF"] {
        if let Some(rule) = states.get(name).and_then(|rules| rules.first()) {
            return Err(wrong(rule.line, format!("state `{name}` has no rules")));
        }
    }
    states.remove("End");
    for rule in states.values().flatten().filter(|rule| rule.line_op != LineOp::Error) {
        if let Some(then) = &rule.then
            && !matches!(then.as_str(), "End" | "EOF")
            && !states.contains_key(then)
        {
            return Err(wrong(rule.line, format!("there is no state `{then}`")));
        }
    }
    Ok(())
}
