//! Changes: the guide's `set`, `rename` and `delete`, each of which is an [`Edit`], and each edit gives its inverse.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    error::{Names, ResourceError},
    node::{Node, NodeRow, ResourceId, meant, merge},
    query::Query,
    tree::{DEPTH_MAX, Tree},
};

/// One change of a tree, which can be stored, sent, applied and undone.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Puts nodes in, parents before children.
    Insert {
        /// With their place.
        nodes: Vec<NodeRow>,
    },
    /// Takes a node out with everything below it.
    Remove {
        /// Which.
        id: ResourceId,
    },
    /// Gives a node another name.
    Rename {
        /// Which.
        id: ResourceId,
        /// The new name.
        name: String,
    },
    /// Merges properties into a node.
    Merge {
        /// Which.
        id: ResourceId,
        /// New values; null removes a property.
        properties: BTreeMap<String, Value>,
    },
}

/// What an edit did.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    /// The node it was about.
    pub id: ResourceId,
    /// Whether that node is new.
    pub created: bool,
    /// Rows to write: nodes that are new or changed.
    pub changed: Vec<ResourceId>,
    /// Rows to delete.
    pub removed: Vec<ResourceId>,
    /// Undoes it.
    pub inverse: Edit,
    /// The tree's version after it.
    pub version: u64,
}

impl Tree {
    /// Creates the node `name` below `parent` with this id, or merges the properties into the one that is there.
    pub fn set(
        &mut self,
        name: &str,
        parent: &str,
        properties: BTreeMap<String, Value>,
        id: ResourceId,
    ) -> Result<Edited, ResourceError> {
        let name = name_of(name.trim_matches('/'))?;
        let parent = self.find(&Query::parse_node(parent)?)?;
        let properties = meant(properties);
        if let Some(id) = parent.children.get(&name) {
            return self.apply(Edit::Merge { id: id.clone(), properties });
        }
        let mut values = BTreeMap::new();
        merge(&mut values, properties);
        let parent = Some(parent.row.id.clone());
        let row = NodeRow { id, parent, name, properties: values, unknown: BTreeMap::new() };
        self.apply(Edit::Insert { nodes: vec![row] })
    }

    /// Renames a node, or one property of it where the query ends in `:key`.
    pub fn rename(&mut self, query: &str, name: &str) -> Result<Edited, ResourceError> {
        let query = Query::parse(query)?;
        let node = self.find(&query)?;
        let id = node.row.id.clone();
        let Some(key) = query.key else {
            return self.apply(Edit::Rename { id, name: name_of(name)? });
        };
        if name.is_empty() {
            return Err(ResourceError::BadName { name: String::new(), problem: "it is empty" });
        }
        let value = self.property(node, key)?;
        if name != key && node.row.properties.contains_key(name) {
            return Err(ResourceError::NameTaken { path: format!("{}:{name}", self.path(&id)) });
        }
        let mut properties = BTreeMap::from([(key.to_owned(), Value::Null)]);
        properties.insert(name.to_owned(), value);
        self.apply(Edit::Merge { id, properties })
    }

    /// Deletes a node with everything below it, or one property of it where the query ends in `:key`.
    pub fn delete(&mut self, query: &str) -> Result<Edited, ResourceError> {
        let query = Query::parse(query)?;
        let node = self.find(&query)?;
        let id = node.row.id.clone();
        let Some(key) = query.key else { return self.apply(Edit::Remove { id }) };
        self.property(node, key)?;
        self.apply(Edit::Merge { id, properties: BTreeMap::from([(key.to_owned(), Value::Null)]) })
    }

    /// Makes a change, whole or not at all.
    pub fn apply(&mut self, edit: Edit) -> Result<Edited, ResourceError> {
        let mut edited = match edit {
            Edit::Insert { nodes } => self.insert(nodes),
            Edit::Remove { id } => self.remove(&id),
            Edit::Rename { id, name } => self.rename_node(id, name),
            Edit::Merge { id, properties } => self.merge(id, properties),
        }?;
        self.version = self.version.saturating_add(1);
        edited.version = self.version;
        Ok(edited)
    }

    fn insert(&mut self, rows: Vec<NodeRow>) -> Result<Edited, ResourceError> {
        let mut done = Vec::new();
        for row in rows {
            let id = row.id.clone();
            match self.insert_one(row) {
                Ok(()) => done.push(id),
                Err(error) => {
                    for id in done.iter().rev() {
                        self.unlink(id);
                    }
                    return Err(error);
                }
            }
        }
        let Some(id) = done.first().cloned() else { return Err(ResourceError::Root) };
        let inverse = Edit::Remove { id: id.clone() };
        Ok(Edited { id, created: true, changed: done, removed: Vec::new(), inverse, version: 0 })
    }

    fn insert_one(&mut self, row: NodeRow) -> Result<(), ResourceError> {
        if self.nodes.contains_key(&row.id) {
            return Err(ResourceError::IdTaken { id: row.id.to_string(), path: self.path(&row.id) });
        }
        let Some(parent) = &row.parent else { return Err(ResourceError::Root) };
        let path = format!("{}/{}", self.path(parent).trim_end_matches('/'), row.name);
        if self.depth(parent) >= DEPTH_MAX {
            return Err(ResourceError::TooDeep { path, limit: DEPTH_MAX });
        }
        let missing = || ResourceError::NotFound {
            query: parent.to_string(),
            nearest: "/".to_owned(),
            there: Names::default(),
        };
        let above = self.nodes.get_mut(parent).ok_or_else(missing)?;
        if above.children.contains_key(&row.name) {
            return Err(ResourceError::NameTaken { path });
        }
        above.children.insert(row.name.clone(), row.id.clone());
        if let Some(columns) = self.columns.get_mut() {
            columns.insert(&row);
        }
        self.nodes.insert(row.id.clone(), Node::new(row));
        Ok(())
    }

    fn remove(&mut self, id: &ResourceId) -> Result<Edited, ResourceError> {
        if *id == self.root {
            return Err(ResourceError::Root);
        }
        let mut open = vec![id.clone()];
        let mut nodes = Vec::new();
        while let Some(next) = open.pop() {
            let node = self.known(&next)?;
            open.extend(node.children.values().cloned());
            nodes.push(node.row.clone());
        }
        let removed: Vec<_> = nodes.iter().map(|row| row.id.clone()).collect();
        for id in removed.iter().rev() {
            self.unlink(id);
        }
        let inverse = Edit::Insert { nodes };
        Ok(Edited { id: id.clone(), created: false, changed: Vec::new(), removed, inverse, version: 0 })
    }

    fn unlink(&mut self, id: &ResourceId) {
        let Some(node) = self.nodes.remove(id) else { return };
        if let Some(columns) = self.columns.get_mut() {
            columns.remove(&node.row);
        }
        if let Some(parent) = node.row.parent.as_ref().and_then(|parent| self.nodes.get_mut(parent)) {
            parent.children.remove(&node.row.name);
        }
    }

    fn rename_node(&mut self, id: ResourceId, name: String) -> Result<Edited, ResourceError> {
        let before = self.known(&id)?.row.clone();
        let Some(parent) = &before.parent else { return Err(ResourceError::Root) };
        let above = self.known(parent)?;
        if name != before.name && above.children.contains_key(&name) {
            let path = format!("{}/{name}", self.path(parent).trim_end_matches('/'));
            return Err(ResourceError::NameTaken { path });
        }
        if let Some(above) = self.nodes.get_mut(parent) {
            above.children.remove(&before.name);
            above.children.insert(name.clone(), id.clone());
        }
        if let Some(columns) = self.columns.get_mut() {
            columns.named(&id, Some(&before.name), Some(&name));
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.row.name = name;
        }
        let inverse = Edit::Rename { id: id.clone(), name: before.name };
        Ok(one_changed(id, inverse))
    }

    fn merge(
        &mut self,
        id: ResourceId,
        properties: BTreeMap<String, Value>,
    ) -> Result<Edited, ResourceError> {
        let missing = || ResourceError::NotFound {
            query: id.to_string(),
            nearest: "/".to_owned(),
            there: Names::default(),
        };
        let node = self.nodes.get_mut(&id).ok_or_else(missing)?;
        let properties = merge(&mut node.row.properties, properties);
        if let Some(columns) = self.columns.get_mut() {
            for (key, before) in &properties {
                columns.changed(&id, key, Some(before), node.row.properties.get(key));
            }
        }
        Ok(one_changed(id.clone(), Edit::Merge { id, properties }))
    }

    fn known(&self, id: &ResourceId) -> Result<&Node, ResourceError> {
        let missing = || ResourceError::NotFound {
            query: id.to_string(),
            nearest: "/".to_owned(),
            there: Names::default(),
        };
        self.nodes.get(id).ok_or_else(missing)
    }

    fn property(&self, node: &Node, key: &str) -> Result<Value, ResourceError> {
        let missing = || ResourceError::NoProperty {
            path: self.path(&node.row.id),
            key: key.to_owned(),
            there: Names::of(node.row.properties.keys()),
        };
        node.row.properties.get(key).cloned().ok_or_else(missing)
    }
}

fn one_changed(id: ResourceId, inverse: Edit) -> Edited {
    Edited { id: id.clone(), created: false, changed: vec![id], removed: Vec::new(), inverse, version: 0 }
}

/// Longest name of a node, in bytes.
const NAME_MAX: usize = 255;

/// A name as a node may bear it.
fn name_of(name: &str) -> Result<String, ResourceError> {
    let problem = match name.trim() {
        "" => "it is empty",
        name if name.contains(['/', ':']) => "`/` and `:` have a meaning in queries",
        name if name.chars().any(char::is_control) => "it contains a control character",
        name if name.len() > NAME_MAX => "it is longer than 255 bytes",
        name => return Ok(name.to_owned()),
    };
    Err(ResourceError::BadName { name: name.to_owned(), problem })
}
