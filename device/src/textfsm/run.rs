//! A template at work: line by line, rule by rule, record by record.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Table, TextFsmError, join,
    rule::{LineOp, RecordOp, Rule},
    template::{Column, Template, ValueOption},
};

impl Template {
    /// Makes a table of a text.
    ///
    /// # Errors
    /// A rule with `Error` has matched, or an expression goes astray.
    pub fn run(&self, text: &str) -> Result<Table, TextFsmError> {
        let extended = |table, other: &Arc<Self>| Ok(join::extend(table, &other.run(text)?, &self.joined_by));
        self.joined.iter().try_fold(self.run_alone(text)?, extended)
    }

    fn run_alone(&self, text: &str) -> Result<Table, TextFsmError> {
        let cells = self.columns.iter().map(|_| Cell::default()).collect();
        let mut run = Run { template: self, cells, rows: Vec::new() };
        let mut state = "Start";
        for (index, line) in lines(text).enumerate() {
            state = run.line(state, line, index.saturating_add(1))?;
            if matches!(state, "End" | "EOF") {
                break;
            }
        }
        // The end of the text records what there is, unless the template has an empty state for it.
        if state != "End" && !self.states.contains_key("EOF") {
            run.record();
        }
        Ok(Table { header: self.header(), rows: run.rows })
    }
}

/// Lines as Python parts them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    const ENDS: [char; 9] =
        ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}'];
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let is_end = |letter: char| ENDS.contains(&letter) || letter == '\u{2029}';
        let Some(at) = rest.find(is_end) else { return Some(std::mem::take(&mut rest)) };
        let (line, end) = rest.split_at_checked(at)?;
        rest = end.strip_prefix("\r\n").unwrap_or_else(|| {
            let mut letters = end.chars();
            letters.next();
            letters.as_str()
        });
        Some(line)
    })
}

/// What a value holds while the record is made.
#[derive(Clone, Debug, Default)]
struct Cell {
    value: Option<Value>,
    /// What a value that fills down falls back to.
    filldown: Option<Value>,
    list: Vec<Value>,
}

struct Run<'t> {
    template: &'t Template,
    cells: Vec<Cell>,
    rows: Vec<Vec<Value>>,
}

impl<'t> Run<'t> {
    /// Tries the rules of a state on a line; the answer is the next state.
    fn line(&mut self, state: &'t str, line: &str, number: usize) -> Result<&'t str, TextFsmError> {
        for rule in self.template.states.get(state).into_iter().flatten() {
            let captures = rule.regex.captures(line).map_err(|error| TextFsmError::Astray {
                line: number,
                rule: rule.line,
                why: error.to_string(),
            })?;
            let Some(captures) = captures else { continue };
            // In the order of the rule's own groups, as a value that fills up sees what is there.
            for name in rule.regex.capture_names().flatten() {
                let text = captures.name(name).map(|found| found.as_str());
                self.assign(name, text)?;
            }
            match rule.record_op {
                RecordOp::NoRecord => {}
                RecordOp::Record => self.record(),
                RecordOp::Clear => self.clear(),
                RecordOp::Clearall => self.cells.iter_mut().for_each(|cell| *cell = Cell::default()),
            }
            match rule.line_op {
                LineOp::Continue => {}
                LineOp::Error => return Err(refused(rule, line, number)),
                LineOp::Next => return Ok(rule.then.as_deref().unwrap_or(state)),
            }
        }
        Ok(state)
    }

    fn assign(&mut self, name: &str, text: Option<&str>) -> Result<(), TextFsmError> {
        let Some(index) = self.template.columns.iter().position(|column| column.name == name) else {
            return Ok(());
        };
        let (Some(column), Some(cell)) = (self.template.columns.get(index), self.cells.get_mut(index)) else {
            return Ok(());
        };
        let value = text.map(Value::from);
        cell.value.clone_from(&value);
        for option in &column.options {
            match option {
                ValueOption::Filldown => cell.filldown.clone_from(&value),
                ValueOption::List => cell.list.push(item(column, text)),
                ValueOption::Fillup if text.is_some_and(|text| !text.is_empty()) => {
                    for row in self.rows.iter_mut().rev() {
                        let Some(place) = row.get_mut(index).filter(|place| is_empty(place)) else { break };
                        *place = value.clone().unwrap_or_default();
                    }
                }
                ValueOption::Fillup | ValueOption::Required | ValueOption::Key => {}
            }
        }
        Ok(())
    }

    /// Takes the record as a row, if it has what it must and is not empty.
    fn record(&mut self) {
        let mut row = Vec::with_capacity(self.cells.len());
        for (column, cell) in self.template.columns.iter().zip(&mut self.cells) {
            for option in &column.options {
                match option {
                    ValueOption::Required if cell.value.as_ref().is_none_or(is_empty) => {
                        self.clear();
                        return;
                    }
                    ValueOption::List => cell.value = Some(Value::Array(cell.list.clone())),
                    ValueOption::Required
                    | ValueOption::Filldown
                    | ValueOption::Fillup
                    | ValueOption::Key => {}
                }
            }
            row.push(cell.value.clone());
        }
        let nothing = |value: &Option<Value>| match value {
            None => true,
            Some(value) => value.as_array().is_some_and(Vec::is_empty),
        };
        if row.iter().all(nothing) {
            return;
        }
        self.rows.push(row.into_iter().map(|value| value.unwrap_or_else(|| "".into())).collect());
        self.clear();
    }

    fn clear(&mut self) {
        for (column, cell) in self.template.columns.iter().zip(&mut self.cells) {
            let fills_down = column.options.contains(&ValueOption::Filldown);
            cell.value = cell.filldown.clone().filter(|_| fills_down);
            if !fills_down {
                cell.list.clear();
            }
        }
    }
}

/// What a list takes in: a text, or an object where its expression has named groups.
fn item(column: &Column, text: Option<&str>) -> Value {
    let plain = text.map_or(Value::Null, Value::from);
    let (Some(nested), Some(text)) = (&column.nested, text) else { return plain };
    let Ok(Some(captures)) = nested.captures(text) else { return plain };
    let named: serde_json::Map<String, Value> = nested
        .capture_names()
        .flatten()
        .map(|name| (name.to_owned(), captures.name(name).map_or(Value::Null, |found| found.as_str().into())))
        .collect();
    if named.is_empty() { plain } else { Value::Object(named) }
}

/// What Python takes for nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn refused(rule: &Rule, line: &str, number: usize) -> TextFsmError {
    let message = rule.then.as_deref().map_or("it is an error", |words| words.trim_matches('"'));
    TextFsmError::Refused {
        line: number,
        rule: rule.line,
        message: message.to_owned(),
        text: line.to_owned(),
    }
}
