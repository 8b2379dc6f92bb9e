//! The tree as a list of paths with their properties: slow, and too simple to be wrong.

use std::collections::BTreeMap;

use jackfield_resource_allocator::{Act, Tree};
use serde_json::Value;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model(pub(crate) BTreeMap<Vec<String>, BTreeMap<String, Value>>);

fn names(path: &str) -> Vec<String> {
    path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Path and property.
fn parts(query: &str) -> (Vec<String>, Option<&str>) {
    match query.split_once(':') {
        Some((path, key)) => (names(path), Some(key)),
        None => (names(query), None),
    }
}

fn inside(parent: &[String], name: &str) -> Vec<String> {
    [parent, &[name.to_owned()]].concat()
}

impl Model {
    pub(crate) fn of(tree: &Tree) -> Self {
        let nodes = tree.walk().map(|node| (names(&node.path), node.properties));
        Self(nodes.filter(|(path, properties)| !path.is_empty() || !properties.is_empty()).collect())
    }

    fn has(&self, path: &[String]) -> bool {
        path.is_empty() || self.0.contains_key(path)
    }

    /// Does it, and says whether it could be done.
    pub(crate) fn act(&mut self, act: &Act) -> bool {
        match act {
            Act::Set { parent, name, properties } => {
                let parent = names(parent);
                if !self.has(&parent) {
                    return false;
                }
                let node = self.0.entry(inside(&parent, name)).or_default();
                for (key, value) in properties {
                    node.remove(key);
                    if !value.is_null() {
                        node.insert(key.clone(), value.clone());
                    }
                }
                true
            }
            Act::Rename { query, name } => match parts(query) {
                (path, Some(key)) => self.rename_property(&path, key, name),
                (path, None) => match path.split_last() {
                    Some((_, parent)) => self.put(&path, &inside(parent, name), true),
                    None => false,
                },
            },
            Act::Delete { query } => match parts(query) {
                (path, Some(key)) => self.0.get_mut(&path).is_some_and(|node| node.remove(key).is_some()),
                (path, None) => {
                    let is_there = self.0.contains_key(&path);
                    self.0.retain(|other, _| !is_there || !other.starts_with(&path));
                    is_there
                }
            },
            Act::Move { query, parent, name } => self.carry(query, parent, name.as_deref(), true),
            Act::Copy { query, parent, name } => self.carry(query, parent, name.as_deref(), false),
        }
    }

    fn carry(&mut self, query: &str, parent: &str, name: Option<&str>, is_move: bool) -> bool {
        let (path, parent) = (names(query), names(parent));
        let Some(last) = name.or(path.last().map(String::as_str)) else { return false };
        let to = inside(&parent, last);
        self.has(&parent) && self.put(&path, &to, is_move)
    }

    fn put(&mut self, from: &[String], to: &[String], is_move: bool) -> bool {
        if from == to && is_move {
            return self.0.contains_key(from);
        }
        // The root can be copied into itself: it is a node with all that is in it.
        let is_there = self.0.contains_key(from) || (from.is_empty() && !is_move);
        if !is_there || self.0.contains_key(to) || (is_move && to.starts_with(from)) {
            return false;
        }
        let whole: Vec<_> = self
            .0
            .iter()
            .filter(|(path, _)| path.starts_with(from))
            .map(|(path, node)| ([to, &path[from.len()..]].concat(), node.clone()))
            .collect();
        if is_move {
            self.0.retain(|path, _| !path.starts_with(from));
        }
        self.0.entry(to.to_vec()).or_default();
        self.0.extend(whole);
        true
    }

    fn rename_property(&mut self, path: &[String], key: &str, name: &str) -> bool {
        let Some(node) = self.0.get_mut(path) else { return false };
        if !node.contains_key(key) || (key != name && node.contains_key(name)) {
            return false;
        }
        let value = node.remove(key).unwrap();
        node.insert(name.to_owned(), value);
        true
    }
}
