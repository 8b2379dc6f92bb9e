//! Which nodes have which value of a property, so that a selector looks at those that may fit and at no others.
//!
//! Made when the first selector is asked, kept by every edit after that. A column only leaves nodes out: what it gives is
//! looked at itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use crate::{
    node::{NodeRow, ResourceId},
    selector::{Clause, Key, Test, fits},
};

/// Bytes of a text that is kept; longer ones are all looked at.
const TEXT_MAX: usize = 128;
/// Values of a list that are kept; nodes with longer ones are all looked at.
const LIST_MAX: usize = 64;

/// The nodes of a tree by their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    by_key: BTreeMap<Arc<str>, Column>,
    by_name: BTreeMap<String, BTreeSet<ResourceId>>,
}

/// One property.
#[derive(Clone, Debug, Default)]
struct Column {
    by_value: BTreeMap<Cell, BTreeSet<ResourceId>>,
    /// Nodes whose value is none of these: an object, a long text, a long list.
    others: BTreeSet<ResourceId>,
}

/// A single value, as a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Bool(bool),
    Number(String),
    Text(String),
}

impl Cell {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(yes) => Some(Self::Bool(*yes)),
            Value::Number(number) => Some(Self::Number(number.to_string())),
            Value::String(text) if text.len() <= TEXT_MAX => Some(Self::Text(text.clone())),
            Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Bool(yes) => Value::Bool(*yes),
            Self::Number(number) => serde_json::from_str(number).unwrap_or(Value::Null),
            Self::Text(text) => Value::String(text.clone()),
        }
    }
}

/// The values of a property that are kept; none where the node has to be looked at itself.
fn cells(value: &Value) -> Option<Vec<Cell>> {
    match value {
        Value::Array(items) if items.len() <= LIST_MAX && !items.is_empty() => {
            items.iter().map(Cell::of).collect()
        }
        Value::Array(_) => None,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Cell::of(value).map(|cell| vec![cell])
        }
    }
}

impl Columns {
    /// Of all these nodes.
    pub(crate) fn new<'a>(rows: impl Iterator<Item = &'a NodeRow>) -> Self {
        let mut columns = Self::default();
        rows.for_each(|row| columns.insert(row));
        columns
    }

    /// A node came.
    pub(crate) fn insert(&mut self, row: &NodeRow) {
        self.named(&row.id, None, Some(&row.name));
        row.properties.iter().for_each(|(key, value)| self.changed(&row.id, key, None, Some(value)));
    }

    /// A node went.
    pub(crate) fn remove(&mut self, row: &NodeRow) {
        self.named(&row.id, Some(&row.name), None);
        row.properties.iter().for_each(|(key, value)| self.changed(&row.id, key, Some(value), None));
    }

    /// A node has another name.
    pub(crate) fn named(&mut self, id: &ResourceId, before: Option<&str>, after: Option<&str>) {
        if let Some(before) = before {
            take_out(&mut self.by_name, &before.to_owned(), id);
        }
        if let Some(after) = after {
            self.by_name.entry(after.to_owned()).or_default().insert(id.clone());
        }
    }

    /// A property of a node has another value.
    pub(crate) fn changed(
        &mut self,
        id: &ResourceId,
        key: &str,
        before: Option<&Value>,
        after: Option<&Value>,
    ) {
        // Null is nothing, as everywhere in the tree.
        let (before, after) =
            (before.filter(|value| !value.is_null()), after.filter(|value| !value.is_null()));
        if !self.by_key.contains_key(key) {
            self.by_key.insert(key.into(), Column::default());
        }
        let Some(column) = self.by_key.get_mut(key) else { return };
        match before.map(cells) {
            Some(Some(cells)) => cells.iter().for_each(|cell| take_out(&mut column.by_value, cell, id)),
            Some(None) => drop(column.others.remove(id)),
            None => {}
        }
        match after.map(cells) {
            Some(Some(cells)) => cells.into_iter().for_each(|cell| {
                column.by_value.entry(cell).or_default().insert(id.clone());
            }),
            Some(None) => drop(column.others.insert(id.clone())),
            None => {}
        }
        if column.by_value.is_empty() && column.others.is_empty() {
            self.by_key.remove(key);
        }
    }

    /// The nodes among which all are that fit a clause; none where that may be any.
    pub(crate) fn among<'a>(&'a self, clause: &Clause) -> Option<Vec<&'a BTreeSet<ResourceId>>> {
        // What is not there is not equal to anything.
        if crate::selector::absent_fits(&clause.test) {
            return None;
        }
        match &clause.key {
            Key::Name => Some(self.names(&clause.test)),
            Key::Path | Key::Id => None,
            // The words of a text are tags, which a cell is not.
            Key::Tag => Some(["tag", "tags"].iter().flat_map(|key| self.all_of(key)).collect()),
            Key::Property(key) => {
                let inside = key.split_once('.').map(|(outer, _)| self.all_of(outer)).unwrap_or_default();
                Some(self.of(key, &clause.test).into_iter().chain(inside).collect())
            }
        }
    }

    fn names<'a>(&'a self, test: &Test) -> Vec<&'a BTreeSet<ResourceId>> {
        if let Test::Is(super::selector::Comparison::Equal, literal) = test {
            return self.by_name.get(&*literal.text).into_iter().collect();
        }
        let fits = |name: &str| fits(&Value::String(name.to_owned()), test);
        self.by_name.iter().filter(|(name, _)| fits(name)).map(|(_, nodes)| nodes).collect()
    }

    fn of<'a>(&'a self, key: &str, test: &Test) -> Vec<&'a BTreeSet<ResourceId>> {
        let Some(column) = self.by_key.get(key) else { return Vec::new() };
        let may_fit = |cell: &Cell| matches!(test, Test::There) || fits(&cell.value(), test);
        let found = column.by_value.iter().filter(|(cell, _)| may_fit(cell)).map(|(_, nodes)| nodes);
        found.chain(std::iter::once(&column.others)).filter(|nodes| !nodes.is_empty()).collect()
    }

    /// Every node that has a property.
    fn all_of<'a>(&'a self, key: &str) -> Vec<&'a BTreeSet<ResourceId>> {
        self.of(key, &Test::There)
    }

    /// Every value of a property that is a text, with the nodes that have it.
    pub(crate) fn texts<'a>(
        &'a self,
        key: &str,
    ) -> impl Iterator<Item = (&'a str, &'a BTreeSet<ResourceId>)> {
        let cells = self.by_key.get(key).into_iter().flat_map(|column| &column.by_value);
        cells.filter_map(|(cell, nodes)| match cell {
            Cell::Text(text) => Some((text.as_str(), nodes)),
            Cell::Bool(_) | Cell::Number(_) => None,
        })
    }
}

fn take_out<K: Ord>(map: &mut BTreeMap<K, BTreeSet<ResourceId>>, from: &K, id: &ResourceId) {
    if let Some(nodes) = map.get_mut(from) {
        nodes.remove(id);
        if nodes.is_empty() {
            map.remove(from);
        }
    }
}
