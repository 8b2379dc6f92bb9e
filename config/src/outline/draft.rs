//! An outline in the making: each node once, secrets told, and what is left out listed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::secret::names_a_secret;
use jackfield_resource_allocator::{
    Tree,
    plan::{Outline, Wanted},
};
use serde_json::Value;

use super::{NODES_MAX, TEXT_BYTES_MAX};
use crate::{
    problem::{Problems, Read},
    source::{Source, Span},
};

/// What is read so far.
pub(super) struct Draft {
    pub(super) problems: Problems,
    nodes: Vec<Wanted>,
    places: BTreeMap<Vec<String>, usize>,
    /// Values that are found out when tests run elsewhere, and what else is told once.
    told: BTreeSet<String>,
    is_full: bool,
    /// Bytes of all values, with what is repeated counted as often.
    bytes: usize,
    /// The last number of nodes that would have one name.
    numbers: BTreeMap<Vec<String>, u32>,
    /// Where lines begin.
    lines: Vec<usize>,
}

impl Draft {
    pub(super) fn new(source: &Arc<Source>) -> Self {
        let lines = std::iter::once(0).chain(source.text().match_indices('\n').map(|(at, _)| at + 1));
        Self {
            lines: lines.collect(),
            problems: Problems::new(source),
            nodes: Vec::new(),
            places: BTreeMap::new(),
            told: BTreeSet::new(),
            is_full: false,
            bytes: 0,
            numbers: BTreeMap::new(),
        }
    }

    /// A node, or more of one that is there: what comes later counts.
    pub(super) fn add(&mut self, path: &[String], span: Span, properties: BTreeMap<String, Value>) {
        if !self.holds(span, bytes_of(&properties)) {
            return;
        }
        for (key, value) in &properties {
            self.tell_secret(path, span, key, value);
        }
        if let Some(node) = self.places.get(path).and_then(|place| self.nodes.get_mut(*place)) {
            node.properties.extend(properties);
            return;
        }
        if self.nodes.len() >= NODES_MAX {
            if !self.is_full {
                let message = format!("the file has more than {NODES_MAX} resources");
                self.problems.error(span, message, "take it in in parts");
            }
            self.is_full = true;
            return;
        }
        self.places.insert(path.to_vec(), self.nodes.len());
        self.nodes.push(Wanted { path: path.to_vec(), id: None, properties, unknown: BTreeMap::new() });
    }

    /// Whether so many bytes more are not too many: files of other tools say once what counts for many, and it is written out here.
    pub(super) fn holds(&mut self, span: Span, bytes: usize) -> bool {
        let before = self.bytes;
        self.bytes = before.saturating_add(bytes);
        if self.bytes > TEXT_BYTES_MAX && before <= TEXT_BYTES_MAX {
            let message = format!("what the file says of its resources is more than {TEXT_BYTES_MAX} bytes");
            self.problems.error(span, message, "take it in in parts, and say less of many at once");
        }
        self.bytes <= TEXT_BYTES_MAX
    }

    /// Where a node of this name goes: the second that would be `ATM` is `ATM 2`.
    pub(super) fn free(&mut self, around: &[String], name: &str) -> Vec<String> {
        let named = |name: String| [around, &[name]].concat();
        let mut path = named(name.to_owned());
        let number = self.numbers.entry(path.clone()).or_insert(1);
        while self.places.contains_key(&path) {
            *number = number.saturating_add(1);
            path = named(format!("{name} {number}"));
        }
        path
    }

    /// Whether there is such a node already.
    pub(super) fn has(&self, path: &[String]) -> bool {
        self.places.contains_key(path)
    }

    /// One more property of a node that is there.
    pub(super) fn put(&mut self, path: &[String], span: Span, key: &str, value: Value) {
        if !self.holds(span, bytes_of([(&key.to_owned(), &value)])) {
            return;
        }
        if let Some(node) = self.places.get(path).and_then(|place| self.nodes.get_mut(*place)) {
            node.properties.insert(key.to_owned(), value);
        }
    }

    /// Something that is not carried over.
    pub(super) fn left_out(&mut self, span: Span, what: impl Into<String>, why: impl Into<String>) {
        self.problems.warn(span, format!("{} is not carried over", what.into()), why);
    }

    /// The same, once for all that are alike.
    pub(super) fn left_out_once(&mut self, span: Span, what: &str, why: &str) {
        if self.told.insert(what.to_owned()) {
            self.left_out(span, what, why);
        }
    }

    /// A node name, and the property that keeps what was written where that cannot be one.
    pub(super) fn name(&self, text: &str) -> (String, Option<(String, Value)>) {
        let name: String = text
            .trim()
            .chars()
            .map(|letter| if matches!(letter, '/' | ':') { '-' } else { letter })
            .collect();
        let is_other = name != text;
        (name, is_other.then(|| ("name".to_owned(), Value::from(text))))
    }

    fn tell_secret(&mut self, path: &[String], span: Span, key: &str, value: &Value) {
        let mut open = vec![(key.to_owned(), key, value)];
        while let Some((shown, name, value)) = open.pop() {
            match value {
                Value::String(text) if names_a_secret(name) && is_plain(text) => {
                    let message = format!("`/{}:{shown}` is a plain secret in the file", path.join("/"));
                    let help = "it is kept as a secret here; take it out of the file, and out of its history";
                    self.problems.warn(span, message, help);
                }
                Value::Object(fields) => {
                    open.extend(
                        fields
                            .iter()
                            .map(|(inner, value)| (format!("{shown}.{inner}"), inner.as_str(), value)),
                    );
                }
                Value::Array(items) => open.extend(items.iter().map(|item| (shown.clone(), name, item))),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }

    pub(super) fn finish(self) -> Read<Outline> {
        Read { value: Some(Outline { nodes: self.nodes }), problems: self.problems.finish() }
    }
}

/// Bytes that properties take, about.
pub(super) fn bytes_of<'v>(properties: impl IntoIterator<Item = (&'v String, &'v Value)>) -> usize {
    let mut bytes = 0_usize;
    let mut open = Vec::new();
    for (key, value) in properties {
        bytes = bytes.saturating_add(key.len());
        open.push(value);
    }
    while let Some(value) = open.pop() {
        bytes = bytes.saturating_add(size_of::<Value>());
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => bytes = bytes.saturating_add(text.len()),
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => {
                for (key, value) in fields {
                    bytes = bytes.saturating_add(key.len());
                    open.push(value);
                }
            }
        }
    }
    bytes
}

/// Whether a text is a secret itself, and not a word for one that is found elsewhere.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(['*', '%', '$']) && !text.contains("{{")
}

/// `resources.json`, which has ids.
pub(super) fn read_tree(source: &Arc<Source>) -> Read<Outline> {
    let mut draft = Draft::new(source);
    let whole = Span::new(0, 0);
    let text = source.text().trim_start_matches('\u{feff}');
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => {
            let span = draft.span_at(error.line(), error.column());
            let told = error.to_string();
            let message = told.split(" at line ").next().unwrap_or_default().to_owned();
            draft.problems.error(span, message, "export the tree again, or mend it by hand");
            return Read { value: None, problems: draft.problems.finish() };
        }
    };
    if value.get("id").is_some() {
        draft.problems.error(
            whole,
            "this is a SUT and no tree of resources",
            "take it in with `jackfield sut import`",
        );
        return Read { value: None, problems: draft.problems.finish() };
    }
    match Tree::from_json(value) {
        Ok(tree) => {
            let outline = Outline::of(&tree);
            for node in &outline.nodes {
                node.properties
                    .iter()
                    .for_each(|(key, value)| draft.tell_secret(&node.path, whole, key, value));
            }
            Read { value: Some(outline), problems: draft.problems.finish() }
        }
        Err(error) => {
            draft.problems.error(
                whole,
                error.to_string(),
                "is this resources.json? `jackfield resource export` writes one",
            );
            Read { value: None, problems: draft.problems.finish() }
        }
    }
}

impl Draft {
    /// The place of a line and a column, both from 1.
    pub(super) fn span_at(&self, line: usize, column: usize) -> Span {
        let end = self.problems.source().text().len();
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(end);
        self.span_behind(start, column.saturating_sub(1))
    }

    /// The place so many letters behind another.
    pub(super) fn span_behind(&self, start: usize, letters: usize) -> Span {
        let text = self.problems.source().text();
        let rest = text.get(start..).unwrap_or_default();
        let within = rest.char_indices().nth(letters).map_or(0, |(at, _)| at);
        let at = start.saturating_add(within).min(text.len());
        Span::new(at, at)
    }
}
