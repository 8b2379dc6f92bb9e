//! What people and tests ask of the tree: the guide's `set`, `rename` and `delete`, and `move` and `copy`, by id or path. Each becomes an
//! [`Edit`], several become one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    edit::{Edit, Edited, Together},
    error::ResourceError,
    name::{check_key, look_alike, name_of},
    node::{Node, NodeRow, ResourceId, meant, merge},
    query::Query,
    tree::Tree,
};

/// Resources that one edit may touch.
pub const EDIT_NODES_MAX: usize = 100_000;
/// Bytes of the properties of one resource.
pub const PROPERTIES_BYTES_MAX: usize = 1024 * 1024;
/// The properties by which a resource names what it is linked to.
const LINKS: [&str; 2] = ["link", "links"];

/// Where new ids come from. The tree asks again where one is taken.
pub type Ids<'a> = &'a mut dyn FnMut() -> ResourceId;

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Create a node, or merge properties into the one that is there.
    Set {
        /// Id or path of the node above.
        parent: String,
        /// The node's name in it.
        name: String,
        /// Properties; null removes one.
        properties: BTreeMap<String, Value>,
    },
    /// Rename a node, or a property.
    Rename {
        /// Id or path, with `:key` for a property.
        query: String,
        /// The new name.
        name: String,
    },
    /// Delete a node with everything below it, or a property.
    Delete {
        /// Id or path, with `:key` for a property.
        query: String,
    },
    /// Put a node into another, with everything below it.
    Move {
        /// Id or path.
        query: String,
        /// Id or path of the node above, from then on.
        parent: String,
        /// Its name there; the one it has, without.
        name: Option<String>,
    },
    /// The same nodes once more. What is linked within them is linked within the copy; a link to what is outside stays with the one that has it.
    Copy {
        /// Id or path.
        query: String,
        /// Id or path of the node above the copy.
        parent: String,
        /// The name of the copy; that of the one copied, without.
        name: Option<String>,
    },
}

impl Tree {
    /// Does one thing.
    ///
    /// # Errors
    /// It cannot be done; the tree is as it was.
    pub fn act(&mut self, act: Act, ids: Ids<'_>) -> Result<Edited, ResourceError> {
        let edit = self.edit_of(act, ids)?;
        self.apply(edit)
    }

    /// Does all of these, each in the tree that those before it left, as one edit.
    ///
    /// # Errors
    /// The number of the first that cannot be done, from 0, and why; the tree is as it was.
    pub fn act_all(&mut self, acts: Vec<Act>, ids: Ids<'_>) -> Result<Edited, (usize, ResourceError)> {
        let mut done = Together::default();
        for (number, act) in acts.into_iter().enumerate() {
            match self.edit_of(act, ids).and_then(|edit| self.make(edit)) {
                Ok(edited) => done.add(edited),
                Err(error) => {
                    self.take_back(done);
                    return Err((number, error));
                }
            }
        }
        let mut edited = done.finish().map_err(|error| (0, error))?;
        self.version = self.version.saturating_add(1);
        edited.version = self.version;
        Ok(edited)
    }

    /// Creates the node `name` below `parent` with this id, or merges the properties into the one that is there.
    ///
    /// # Errors
    /// See [`Self::act`].
    pub fn set(
        &mut self,
        name: &str,
        parent: &str,
        properties: BTreeMap<String, Value>,
        id: ResourceId,
    ) -> Result<Edited, ResourceError> {
        let edit = self.edit_of_set(name, parent, properties, || id)?;
        self.apply(edit)
    }

    /// Renames a node, or one property of it where the query ends in `:key`.
    ///
    /// # Errors
    /// See [`Self::act`].
    pub fn rename(&mut self, query: &str, name: &str) -> Result<Edited, ResourceError> {
        let edit = self.edit_of_rename(query, name)?;
        self.apply(edit)
    }

    /// Deletes a node with everything below it, or one property of it where the query ends in `:key`.
    ///
    /// # Errors
    /// See [`Self::act`].
    pub fn delete(&mut self, query: &str) -> Result<Edited, ResourceError> {
        let edit = self.edit_of_delete(query)?;
        self.apply(edit)
    }

    fn edit_of(&self, act: Act, ids: Ids<'_>) -> Result<Edit, ResourceError> {
        match act {
            Act::Set { parent, name, properties } => {
                self.edit_of_set(&name, &parent, properties, || self.fresh(ids, &BTreeSet::new()))
            }
            Act::Rename { query, name } => self.edit_of_rename(&query, &name),
            Act::Delete { query } => self.edit_of_delete(&query),
            Act::Move { query, parent, name } => {
                let node = self.find(&Query::parse_node(&query)?)?;
                let parent = self.find(&Query::parse_node(&parent)?)?;
                let name = name_of(name.as_deref().unwrap_or(&node.row.name))?;
                self.check_new(parent, &name, Some(&node.row.id))?;
                Ok(Edit::Move { id: node.row.id.clone(), parent: parent.row.id.clone(), name })
            }
            Act::Copy { query, parent, name } => {
                let node = self.find(&Query::parse_node(&query)?)?;
                let parent = self.find(&Query::parse_node(&parent)?)?;
                let name = name_of(name.as_deref().unwrap_or(&node.row.name))?;
                self.check_new(parent, &name, None)?;
                self.edit_of_copy(node, parent, name, ids)
            }
        }
    }

    fn edit_of_set(
        &self,
        name: &str,
        parent: &str,
        properties: BTreeMap<String, Value>,
        id: impl FnOnce() -> ResourceId,
    ) -> Result<Edit, ResourceError> {
        let parent = self.find(&Query::parse_node(parent)?)?;
        let properties = meant(properties);
        let name = name.trim_matches('/');
        // What has its name from before there were rules for names keeps it.
        if let Some(id) = parent.children.get(name.trim()) {
            let node = self.known(id)?;
            let news = properties.keys().filter(|key| !node.row.properties.contains_key(*key));
            news.map(String::as_str).try_for_each(check_key)?;
            let mut merged = node.row.properties.clone();
            merge(&mut merged, properties.clone());
            check_size(|| self.path(id), &merged)?;
            return Ok(Edit::Merge { id: id.clone(), properties });
        }
        let name = name_of(name)?;
        self.check_new(parent, &name, None)?;
        let mut values = BTreeMap::new();
        merge(&mut values, properties);
        values.keys().map(String::as_str).try_for_each(check_key)?;
        check_size(|| self.path_in(&parent.row.id, &name), &values)?;
        let parent = Some(parent.row.id.clone());
        Ok(Edit::Insert {
            nodes: vec![NodeRow { id: id(), parent, name, properties: values, unknown: BTreeMap::new() }],
        })
    }

    fn edit_of_rename(&self, query: &str, name: &str) -> Result<Edit, ResourceError> {
        let query = Query::parse(query)?;
        let node = self.find(&query)?;
        let id = node.row.id.clone();
        let Some(key) = query.key else {
            let name = name_of(name)?;
            let Some(parent) = node.row.parent.clone() else { return Err(ResourceError::Root) };
            self.check_new(self.known(&parent)?, &name, Some(&id))?;
            return Ok(Edit::Move { id, parent, name });
        };
        check_key(name)?;
        let value = self.property(node, key)?;
        if name != key && node.row.properties.contains_key(name) {
            return Err(ResourceError::NameTaken { path: format!("{}:{name}", self.path(&id)) });
        }
        let mut properties = BTreeMap::from([(key.to_owned(), Value::Null)]);
        properties.insert(name.to_owned(), value);
        Ok(Edit::Merge { id, properties })
    }

    fn edit_of_delete(&self, query: &str) -> Result<Edit, ResourceError> {
        let query = Query::parse(query)?;
        let node = self.find(&query)?;
        let id = node.row.id.clone();
        let Some(key) = query.key else { return Ok(Edit::Remove { id }) };
        self.property(node, key)?;
        Ok(Edit::Merge { id, properties: BTreeMap::from([(key.to_owned(), Value::Null)]) })
    }

    fn edit_of_copy(
        &self,
        node: &Node,
        parent: &Node,
        name: String,
        ids: Ids<'_>,
    ) -> Result<Edit, ResourceError> {
        let mut news: BTreeMap<ResourceId, ResourceId> = BTreeMap::new();
        let mut taken = BTreeSet::new();
        let mut rows = Vec::new();
        let mut open = vec![node];
        while let Some(next) = open.pop() {
            if rows.len() >= EDIT_NODES_MAX {
                return Err(ResourceError::TooMany { count: rows.len() + 1, limit: EDIT_NODES_MAX });
            }
            let id = self.fresh(ids, &taken);
            taken.insert(id.clone());
            news.insert(next.row.id.clone(), id.clone());
            open.extend(next.children.values().rev().filter_map(|id| self.nodes.get(id)));
            rows.push(NodeRow { id, ..next.row.clone() });
        }
        let new_parent = |before: &Option<ResourceId>| before.as_ref().and_then(|id| news.get(id)).cloned();
        let (from, to) = (self.path(&node.row.id), self.path_in(&parent.row.id, &name));
        for row in &mut rows {
            row.parent = new_parent(&row.parent).or_else(|| Some(parent.row.id.clone()));
            for key in LINKS {
                if let Some(value) = row.properties.remove(key)
                    && let Some(value) = self.link_within(value, &news, (&from, &to))
                {
                    row.properties.insert(key.to_owned(), value);
                }
            }
        }
        if let Some(first) = rows.first_mut() {
            first.name = name;
            first.parent = Some(parent.row.id.clone());
        }
        Ok(Edit::Insert { nodes: rows })
    }

    /// The value of a link as the copy has it: what leads to something that is copied leads to its copy, and the rest does not come along.
    fn link_within(
        &self,
        value: Value,
        news: &BTreeMap<ResourceId, ResourceId>,
        (from, to): (&str, &str),
    ) -> Option<Value> {
        match value {
            Value::String(text) => {
                let target = Query::parse_node(&text).and_then(|query| self.find(&query)).ok()?;
                let new = news.get(&target.row.id)?;
                if ResourceId::parse(text.trim()).is_some() {
                    return Some(Value::String(new.to_string()));
                }
                let path = self.path(&target.row.id);
                Some(Value::String(format!("{to}{}", path.strip_prefix(from)?)))
            }
            Value::Array(items) => {
                let kept = items.into_iter().filter_map(|item| self.link_within(item, news, (from, to)));
                let kept: Vec<_> = kept.collect();
                (!kept.is_empty()).then_some(Value::Array(kept))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        }
    }

    /// Whether a node may come under this name: no other has it, and none that is there could be taken for it.
    pub(crate) fn check_new(
        &self,
        parent: &Node,
        name: &str,
        but: Option<&ResourceId>,
    ) -> Result<(), ResourceError> {
        if parent.children.get(name).is_some_and(|other| Some(other) != but) {
            return Err(ResourceError::NameTaken { path: self.path_in(&parent.row.id, name) });
        }
        match look_alike(parent, name).filter(|other| parent.children.get(*other) != but) {
            Some(other) => {
                let other = self.path_in(&parent.row.id, other);
                Err(ResourceError::LooksAlike { name: name.to_owned(), other })
            }
            None => Ok(()),
        }
    }

    /// An id that nothing has.
    pub(crate) fn fresh(&self, ids: Ids<'_>, taken: &BTreeSet<ResourceId>) -> ResourceId {
        loop {
            let id = ids();
            if !self.nodes.contains_key(&id) && !taken.contains(&id) {
                return id;
            }
        }
    }
}

/// Whether a node may have these properties.
pub(crate) fn check_size(
    path: impl FnOnce() -> String,
    properties: &BTreeMap<String, Value>,
) -> Result<(), ResourceError> {
    let bytes = serde_json::to_vec(properties).map_or(usize::MAX, |text| text.len());
    if bytes <= PROPERTIES_BYTES_MAX {
        return Ok(());
    }
    Err(ResourceError::TooLarge { path: path(), bytes, limit: PROPERTIES_BYTES_MAX })
}
