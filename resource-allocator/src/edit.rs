//! Changes of a tree, each of which gives its inverse: what is stored, sent, and undone. What people ask for is
//! [`crate::act`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    error::{Names, ResourceError},
    node::{Node, NodeRow, ResourceId, merge},
    tree::{DEPTH_MAX, Tree},
};

/// One change of a tree, which can be stored, sent, applied and undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
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
    /// Puts a node, with everything below it, under another name or into another node.
    Move {
        /// Which.
        id: ResourceId,
        /// The node around it.
        parent: ResourceId,
        /// Its name there.
        name: String,
    },
    /// Merges properties into a node.
    Merge {
        /// Which.
        id: ResourceId,
        /// New values; null removes a property.
        properties: BTreeMap<String, Value>,
    },
    /// All of these, one after the other, or none.
    All {
        /// At least one.
        edits: Vec<Edit>,
    },
}

/// What an edit did.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    /// The node it was about; of several edits, that of the first.
    pub id: ResourceId,
    /// Whether that node is new.
    pub created: bool,
    /// Rows to write: nodes that are new or changed.
    pub changed: Vec<ResourceId>,
    /// Rows to delete.
    pub removed: Vec<ResourceId>,
    /// Nodes that have another path now, with all that is below them.
    pub moved: Vec<ResourceId>,
    /// What was done.
    pub edit: Edit,
    /// Undoes it.
    pub inverse: Edit,
    /// The tree's version after it.
    pub version: u64,
}

impl Edit {
    /// Whether it leads to the same: new nodes may come in another order.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Insert { nodes }, Self::Insert { nodes: others }) => {
                let by_id = |rows: &[NodeRow]| {
                    rows.iter().map(|row| (row.id.clone(), row.clone())).collect::<BTreeMap<_, _>>()
                };
                nodes.len() == others.len() && by_id(nodes) == by_id(others)
            }
            (Self::All { edits }, Self::All { edits: others }) => {
                edits.len() == others.len() && edits.iter().zip(others).all(|(one, other)| one.is_same(other))
            }
            (
                Self::Insert { .. }
                | Self::Remove { .. }
                | Self::Move { .. }
                | Self::Merge { .. }
                | Self::All { .. },
                _,
            ) => self == other,
        }
    }
}

impl Tree {
    /// Makes a change, whole or not at all.
    ///
    /// # Errors
    /// It does not fit the tree, which is as it was then.
    pub fn apply(&mut self, edit: Edit) -> Result<Edited, ResourceError> {
        let mut edited = self.make(edit)?;
        self.version = self.version.saturating_add(1);
        edited.version = self.version;
        Ok(edited)
    }

    /// Takes back what an edit did, as long as what it touched is as it left it. That is an edit like any other, and can be taken back.
    ///
    /// # Errors
    /// Somebody has changed the same since. The tree is as it was then.
    pub fn undo(&mut self, edit: &Edit, inverse: Edit) -> Result<Edited, ResourceError> {
        let before = self.version;
        let undone =
            self.apply(inverse).map_err(|error| ResourceError::NotUndone { why: error.to_string() })?;
        if undone.inverse.is_same(edit) {
            return Ok(undone);
        }
        self.make(undone.inverse).expect("what was done a moment ago can be taken back");
        self.version = before;
        let why = format!("`{}` was changed again; undo that first", self.path_of_any(edit));
        Err(ResourceError::NotUndone { why })
    }

    /// Takes back the newest edit as if it had never been: nobody has seen it.
    ///
    /// # Errors
    /// It is not that of the newest edit.
    pub fn forget(&mut self, inverse: Edit) -> Result<(), ResourceError> {
        self.make(inverse)?;
        self.version = self.version.saturating_sub(1);
        Ok(())
    }

    /// The path of a node that an edit was about.
    fn path_of_any(&self, edit: &Edit) -> String {
        match edit {
            Edit::Insert { nodes } => nodes.first().map(|row| self.path(&row.id)).unwrap_or_default(),
            Edit::Remove { id } | Edit::Move { id, .. } | Edit::Merge { id, .. } => self.path(id),
            Edit::All { edits } => edits.first().map(|edit| self.path_of_any(edit)).unwrap_or_default(),
        }
    }

    /// The same without a new version.
    pub(crate) fn make(&mut self, edit: Edit) -> Result<Edited, ResourceError> {
        match edit {
            Edit::Insert { nodes } => self.insert(nodes),
            Edit::Remove { id } => self.remove(&id),
            Edit::Move { id, parent, name } => self.relocate(id, parent, name),
            Edit::Merge { id, properties } => self.merge(id, properties),
            Edit::All { edits } => {
                let mut done = Together::default();
                for edit in edits {
                    match self.make(edit) {
                        Ok(edited) => done.add(edited),
                        Err(error) => {
                            self.take_back(done);
                            return Err(error);
                        }
                    }
                }
                done.finish()
            }
        }
    }

    /// What was done together is undone together.
    pub(crate) fn take_back(&mut self, done: Together) {
        for edited in done.0.into_iter().rev() {
            self.make(edited.inverse).expect("what was done a moment ago can be taken back");
        }
    }

    fn insert(&mut self, rows: Vec<NodeRow>) -> Result<Edited, ResourceError> {
        let mut done = Vec::new();
        let edit = Edit::Insert { nodes: rows.clone() };
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
        let (removed, moved) = (Vec::new(), Vec::new());
        Ok(Edited { id, created: true, changed: done, removed, moved, edit, inverse, version: 0 })
    }

    fn insert_one(&mut self, row: NodeRow) -> Result<(), ResourceError> {
        if self.nodes.contains_key(&row.id) {
            return Err(ResourceError::IdTaken { id: row.id.to_string(), path: self.path(&row.id) });
        }
        let Some(parent) = &row.parent else { return Err(ResourceError::Root) };
        let path = self.path_in(parent, &row.name);
        if self.depth(parent) >= DEPTH_MAX {
            return Err(ResourceError::TooDeep { path, limit: DEPTH_MAX });
        }
        let above = self.nodes.get_mut(parent).ok_or_else(|| unknown(parent))?;
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
        let (edit, inverse) = (Edit::Remove { id: id.clone() }, Edit::Insert { nodes });
        let (changed, moved) = (Vec::new(), Vec::new());
        Ok(Edited { id: id.clone(), created: false, changed, removed, moved, edit, inverse, version: 0 })
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

    fn relocate(
        &mut self,
        id: ResourceId,
        parent: ResourceId,
        name: String,
    ) -> Result<Edited, ResourceError> {
        let before = self.known(&id)?.row.clone();
        let Some(parent_before) = before.parent.clone() else { return Err(ResourceError::Root) };
        let path = || self.path_in(&parent, &name);
        let above = self.known(&parent)?;
        if above.children.get(&name).is_some_and(|other| *other != id) {
            return Err(ResourceError::NameTaken { path: path() });
        }
        if parent != parent_before {
            let mut up = std::iter::successors(Some(above), |node| self.nodes.get(node.row.parent.as_ref()?));
            if up.any(|node| node.row.id == id) {
                return Err(ResourceError::IntoItself { path: self.path(&id), into: self.path(&parent) });
            }
            if self.depth(&parent).saturating_add(self.height(&id)) > DEPTH_MAX {
                return Err(ResourceError::TooDeep { path: path(), limit: DEPTH_MAX });
            }
        }
        if let Some(above) = self.nodes.get_mut(&parent_before) {
            above.children.remove(&before.name);
        }
        if let Some(above) = self.nodes.get_mut(&parent) {
            above.children.insert(name.clone(), id.clone());
        }
        if let Some(columns) = self.columns.get_mut() {
            columns.named(&id, Some(&before.name), Some(&name));
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.row.name = name.clone();
            node.row.parent = Some(parent.clone());
        }
        let edit = Edit::Move { id: id.clone(), parent, name };
        let inverse = Edit::Move { id: id.clone(), parent: parent_before, name: before.name };
        Ok(Edited { moved: vec![id.clone()], ..one_changed(id, edit, inverse) })
    }

    /// Levels of a node with what is below it.
    fn height(&self, id: &ResourceId) -> usize {
        let mut height = 0;
        let mut level = vec![id];
        while !level.is_empty() {
            height += 1;
            let below =
                level.iter().filter_map(|id| self.nodes.get(*id)).flat_map(|node| node.children.values());
            level = below.collect();
        }
        height
    }

    fn merge(
        &mut self,
        id: ResourceId,
        properties: BTreeMap<String, Value>,
    ) -> Result<Edited, ResourceError> {
        let node = self.nodes.get_mut(&id).ok_or_else(|| unknown(&id))?;
        let edit = Edit::Merge { id: id.clone(), properties: properties.clone() };
        let properties = merge(&mut node.row.properties, properties);
        if let Some(columns) = self.columns.get_mut() {
            for (key, before) in &properties {
                columns.changed(&id, key, Some(before), node.row.properties.get(key));
            }
        }
        Ok(one_changed(id.clone(), edit, Edit::Merge { id, properties }))
    }

    pub(crate) fn known(&self, id: &ResourceId) -> Result<&Node, ResourceError> {
        self.nodes.get(id).ok_or_else(|| unknown(id))
    }

    pub(crate) fn property(&self, node: &Node, key: &str) -> Result<Value, ResourceError> {
        let missing = || ResourceError::NoProperty {
            path: self.path(&node.row.id),
            key: key.to_owned(),
            there: Names::of(node.row.properties.keys()),
        };
        node.row.properties.get(key).cloned().ok_or_else(missing)
    }
}

/// No node has this id.
fn unknown(id: &ResourceId) -> ResourceError {
    ResourceError::NotFound { query: id.to_string(), nearest: "/".to_owned(), there: Names::default() }
}

fn one_changed(id: ResourceId, edit: Edit, inverse: Edit) -> Edited {
    let (removed, moved) = (Vec::new(), Vec::new());
    Edited { id: id.clone(), created: false, changed: vec![id], removed, moved, edit, inverse, version: 0 }
}

/// Edits that were made one after the other, and are one.
#[derive(Debug, Default)]
pub(crate) struct Together(Vec<Edited>);

impl Together {
    pub(crate) fn add(&mut self, edited: Edited) {
        self.0.push(edited);
    }

    /// One edit; refused where there is none.
    pub(crate) fn finish(self) -> Result<Edited, ResourceError> {
        let mut all = self.0.into_iter();
        let Some(first) = all.next() else { return Err(ResourceError::Nothing) };
        let mut edits = vec![first.edit];
        let mut inverses = vec![first.inverse];
        let (mut changed, mut removed, mut moved) = (first.changed, first.removed, first.moved);
        for edited in all {
            changed.extend(edited.changed);
            removed.extend(edited.removed);
            moved.extend(edited.moved);
            edits.push(edited.edit);
            inverses.push(edited.inverse);
        }
        inverses.reverse();
        let (edit, inverse) = (Edit::All { edits }, Edit::All { edits: inverses });
        Ok(Edited {
            id: first.id,
            created: first.created,
            changed,
            removed,
            moved,
            edit,
            inverse,
            version: 0,
        })
    }
}
