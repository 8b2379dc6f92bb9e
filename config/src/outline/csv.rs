//! A table with a line for each resource, for lab managers with spreadsheets.
//!
//! The first line names the columns: `path`, or `name` with `parent`; `id` where ids are known; each further one is a property. A cell is a text,
//! unless it is a whole number, another as `1.5e0`, `true`, `false`, or JSON in brackets or quotes; an empty one says nothing. Commas, semicolons and tabs part cells.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_resource_allocator::{ResourceId, Tree, plan::Outline};
use serde_json::Value;

use super::Draft;
use crate::{
    problem::Read,
    source::{Source, Span},
};

/// Cells that a line may have.
const CELLS_MAX: usize = 10_000;

pub(super) fn read(source: &Arc<Source>) -> Read<Outline> {
    let mut draft = Draft::new(source);
    let text = source.text();
    let begin = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let first = text.get(begin..).unwrap_or_default().lines().next().unwrap_or_default();
    // Of those that are there as often as each other, the last.
    let parts = ['\t', ';', ','];
    let part = parts.into_iter().max_by_key(|part| first.matches(*part).count()).unwrap_or(',');
    let mut lines = Lines::new(text, begin, part);
    let head = match lines.next().transpose() {
        Ok(head) => head.unwrap_or_default(),
        Err(broken) => return refused(draft, &broken),
    };
    let Some(columns) = Columns::read(&mut draft, &head) else {
        return Read { value: None, problems: draft.problems.finish() };
    };
    let mut ids = BTreeMap::new();
    for line in lines {
        match line {
            Ok(line) if line.iter().all(|cell| cell.text.trim().is_empty()) => {}
            Ok(line) => columns.line(&mut draft, &line, &mut ids),
            Err(broken) => return refused(draft, &broken),
        }
    }
    let mut read = draft.finish();
    for node in read.value.iter_mut().flat_map(|outline| &mut outline.nodes) {
        node.id = ids.remove(&node.path);
    }
    read
}

fn refused(mut draft: Draft, broken: &Broken) -> Read<Outline> {
    draft.problems.error(Span::new(broken.at, broken.at), broken.what, broken.help);
    Read { value: None, problems: draft.problems.finish() }
}

#[derive(Clone, Debug, Default)]
struct Cell {
    at: usize,
    text: String,
}

impl Cell {
    fn span(&self) -> Span {
        Span::new(self.at, self.at)
    }
}

/// What the columns are.
struct Columns {
    path: Option<usize>,
    name: Option<usize>,
    parent: Option<usize>,
    id: Option<usize>,
    properties: Vec<(usize, String)>,
    count: usize,
}

impl Columns {
    fn read(draft: &mut Draft, head: &[Cell]) -> Option<Self> {
        let mut columns = Self {
            path: None,
            name: None,
            parent: None,
            id: None,
            properties: Vec::new(),
            count: head.len(),
        };
        let mut seen = BTreeSet::new();
        for (place, cell) in head.iter().enumerate() {
            let name = cell.text.trim();
            if !name.is_empty() && !seen.insert(name.to_owned()) {
                draft.problems.error(cell.span(), format!("there are two columns `{name}`"), "rename one");
            }
            match name {
                "" => {}
                "path" => columns.path = Some(place),
                "name" => columns.name = Some(place),
                "parent" => columns.parent = Some(place),
                "id" => columns.id = Some(place),
                // `:path` is a property of that name.
                _ => columns.properties.push((place, name.strip_prefix(':').unwrap_or(name).to_owned())),
            }
        }
        if columns.path.is_none() && columns.name.is_none() {
            let help =
                "name a column `path`, with /tb1/r1 in it, or `name`, and `parent` where that is not /";
            draft.problems.error(
                Span::new(0, 0),
                "the first line does not say where the resources are",
                help,
            );
            return None;
        }
        if columns.path.is_some() {
            // Then these are properties like others.
            columns.properties.extend(columns.name.take().map(|place| (place, "name".to_owned())));
            columns.properties.extend(columns.parent.take().map(|place| (place, "parent".to_owned())));
        }
        Some(columns)
    }

    fn line(&self, draft: &mut Draft, line: &[Cell], ids: &mut BTreeMap<Vec<String>, ResourceId>) {
        let cell = |place: Option<usize>| {
            place.and_then(|place| line.get(place)).map_or("", |cell| cell.text.trim())
        };
        let span = line.first().map_or(Span::new(0, 0), Cell::span);
        let mut path: Vec<String> = match self.path {
            Some(_) => names(cell(self.path)),
            None => names(cell(self.parent)),
        };
        if self.path.is_none() && !cell(self.name).is_empty() {
            path.push(cell(self.name).to_owned());
        }
        if path.is_empty() || (self.path.is_none() && cell(self.name).is_empty()) {
            return draft.problems.error(
                span,
                "this line does not say which resource it is about",
                "fill in its path or name",
            );
        }
        if draft.has(&path) {
            let message = format!("`/{}` has a line already", path.join("/"));
            return draft.problems.error(span, message, "a resource has one line");
        }
        for extra in line.iter().skip(self.count).filter(|cell| !cell.text.trim().is_empty()) {
            draft.left_out(
                extra.span(),
                format!("`{}`", extra.text),
                "the first line has no name for this column",
            );
        }
        let value = |(place, key): &(usize, String)| {
            let text = &line.get(*place)?.text;
            (!text.is_empty()).then(|| (key.clone(), value_of(text)))
        };
        let properties = self.properties.iter().filter_map(value).collect();
        let id = cell(self.id);
        match ResourceId::parse(id) {
            Some(id) => drop(ids.insert(path.clone(), id)),
            None if id.is_empty() => {}
            None => {
                draft.problems.error(
                    span,
                    format!("`{id}` is no id"),
                    "ten hexadecimal digits, or an empty cell",
                );
            }
        }
        draft.add(&path, span, properties);
    }
}

fn names(path: &str) -> Vec<String> {
    path.split('/').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Whole numbers without ceremony, and others as we write them: 007, 1.10 and 1e5 are texts.
fn is_number(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|number| number.to_string() == text)
        || text.parse::<u64>().is_ok_and(|number| number.to_string() == text)
        || (text.contains('e') && text.parse().is_ok_and(|number| fraction(number) == text))
}

/// `1.5e0`: a number that nobody takes for the version of something.
fn fraction(number: f64) -> String {
    let text = format!("{number:e}");
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}

fn value_of(text: &str) -> Value {
    let is_json = is_number(text)
        || matches!(text, "true" | "false")
        || [('{', '}'), ('[', ']'), ('"', '"')]
            .iter()
            .any(|(from, to)| text.len() > 1 && text.starts_with(*from) && text.ends_with(*to));
    let json = if is_json { serde_json::from_str(text).ok() } else { None };
    json.unwrap_or_else(|| Value::from(text))
}

/// A value as its cell; one that a spreadsheet would take for a formula, or that would be read as something else, stands in quotes.
fn cell_of(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
            if is_formula || text.is_empty() || value_of(text) != *value {
                value.to_string()
            } else {
                text.clone()
            }
        }
        Value::Number(number) if !number.is_i64() && !number.is_u64() => {
            number.as_f64().map_or_else(|| number.to_string(), fraction)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// All nodes of a tree, with a column for each property that any of them has.
pub(super) fn write(tree: &Tree) -> String {
    let nodes: Vec<_> = tree.walk().filter(|node| node.path != "/").collect();
    let keys: BTreeSet<&String> = nodes.iter().flat_map(|node| node.properties.keys()).collect();
    let mut text = String::new();
    let mut line = |cells: Vec<String>| {
        let cells: Vec<_> = cells.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    };
    let head = ["path", "id"].into_iter().map(str::to_owned);
    let named = |key: &&String| {
        let is_taken = matches!(key.as_str(), "path" | "id" | "name" | "parent") || key.starts_with(':');
        if is_taken { format!(":{key}") } else { (*key).clone() }
    };
    line(head.chain(keys.iter().map(named)).collect());
    for node in &nodes {
        let cells = keys.iter().map(|key| node.properties.get(*key).map(cell_of).unwrap_or_default());
        line([node.path.clone(), node.id.clone()].into_iter().chain(cells).collect());
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', ';', '\t', '\n', '\r']) || cell != cell.trim() {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// Why a text is no table.
struct Broken {
    at: usize,
    what: &'static str,
    help: &'static str,
}

/// Lines of cells (RFC 4180), with places; nothing follows one that is broken.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    part: char,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str, at: usize, part: char) -> Self {
        Self { text, at, part }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn broken(&mut self, at: usize, what: &'static str, help: &'static str) -> Broken {
        self.at = self.text.len();
        Broken { at, what, help }
    }

    /// A cell in quotes, behind the first of them; none where it does not end.
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let end = self.rest().find('"')?;
            text.push_str(self.rest().get(..end).unwrap_or_default());
            self.at += end + 1;
            if self.rest().starts_with('"') {
                text.push('"');
                self.at += 1;
            } else {
                return Some(text);
            }
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<Vec<Cell>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.text.len() {
            return None;
        }
        let mut cells = Vec::new();
        loop {
            let at = self.at;
            let mut text = String::new();
            if self.rest().starts_with('"') {
                self.at += 1;
                match self.quoted() {
                    Some(quoted) => text = quoted,
                    None => {
                        let help = "close it with \", or double the quotes in it";
                        return Some(Err(self.broken(at, "a quoted cell does not end", help)));
                    }
                }
            }
            let end = self.rest().find([self.part, '\n']).unwrap_or(self.rest().len());
            text.push_str(self.rest().get(..end).unwrap_or_default().trim_end_matches('\r'));
            self.at += end;
            if cells.len() >= CELLS_MAX {
                let what = "this line has more than 10,000 cells";
                return Some(Err(self.broken(at, what, "is this the right file?")));
            }
            cells.push(Cell { at, text });
            let next = self.rest().chars().next();
            self.at += next.map_or(0, char::len_utf8);
            if next != Some(self.part) {
                return Some(Ok(cells));
            }
        }
    }
}
