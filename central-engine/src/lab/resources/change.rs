//! One edit of the bench, applied in memory, with what it takes to store it and to undo it.

use std::collections::BTreeMap;

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::SutName,
};
use jackfield_resource_allocator::{Edit, Edited, ResourceId, Tree};
use serde_json::Value;

use super::{Bench, Refused};
use crate::limits;

/// What may be asked of the bench.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Create a node or merge properties into one.
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
    /// Make or replace a whole SUT.
    PutSut {
        /// `name.user` or `name.system`.
        name: SutName,
        /// In the shape of a SUT file.
        body: Value,
    },
    /// Delete a SUT.
    DeleteSut {
        /// Which.
        name: SutName,
    },
}

/// What a change led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The node it was about; for a SUT its name.
    pub id: String,
    /// Whether that is new.
    pub created: bool,
    /// The version of the tree, or of the SUT, after it.
    pub version: u64,
}

/// A change that is in memory and not stored yet.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) done: Done,
    pub(super) action: &'static str,
    pub(super) target: String,
    /// Nodes to write or delete.
    pub(super) nodes: Vec<ResourceId>,
    /// The SUT to write or delete.
    pub(super) sut: Option<SutName>,
    pub(super) undo: Undo,
}

#[derive(Debug)]
pub(super) enum Undo {
    Edit(Edit),
    Sut(SutName, Option<Tree>),
}

pub(super) fn apply(
    bench: &mut Bench,
    expected: Option<u64>,
    change: Change,
    new_id: fn() -> Result<ResourceId, Problem>,
) -> Result<Applied, Problem> {
    let now = match &change {
        Change::Set { .. } | Change::Rename { .. } | Change::Delete { .. } => bench.tree.version(),
        Change::PutSut { name, .. } | Change::DeleteSut { name } => {
            bench.suts.sut(name).map_or(0, Tree::version)
        }
    };
    if let Some(expected) = expected.filter(|expected| *expected != now) {
        let title = format!(
            "it changed since you read it: you saw version {expected}, now it is {now}; read it again"
        );
        return Err(Problem::new(ErrorCode::Changed, title));
    }
    let tree = &mut bench.tree;
    match change {
        Change::Set { parent, name, properties } => {
            check_size(&properties)?;
            let edited = tree.set(&name, &parent, properties, new_id()?).map_err(Refused)?;
            Ok(node(bench, "resource.set", edited))
        }
        Change::Rename { query, name } => {
            let edited = tree.rename(&query, &name).map_err(Refused)?;
            Ok(node(bench, "resource.rename", edited))
        }
        Change::Delete { query } => {
            let edited = tree.delete(&query).map_err(Refused)?;
            Ok(Applied { target: query, ..node(bench, "resource.delete", edited) })
        }
        Change::PutSut { name, body } => put_sut(bench, name, body, now),
        Change::DeleteSut { name } => {
            let Some(old) = bench.suts.remove(&name) else {
                return Err(Problem::new(ErrorCode::NotFound, format!("there is no SUT {name}")));
            };
            let done = Done { id: name.to_string(), created: false, version: now };
            Ok(sut("sut.delete", name, Some(old), done))
        }
    }
}

fn node(bench: &Bench, action: &'static str, edited: Edited) -> Applied {
    let Edited { id, created, changed, removed, inverse, version } = edited;
    let target = bench.tree.path(&id);
    let nodes = changed.into_iter().chain(removed).collect();
    let done = Done { id: id.to_string(), created, version };
    Applied { done, action, target, nodes, sut: None, undo: Undo::Edit(inverse) }
}

fn put_sut(bench: &mut Bench, name: SutName, mut body: Value, now: u64) -> Result<Applied, Problem> {
    if !name.as_str().contains('.') {
        let title =
            format!("`{name}` is no name of a SUT; write NAME.USER, or NAME.system for one that all share");
        return Err(Problem::new(ErrorCode::BadRequest, title).field("name"));
    }
    let version = now.saturating_add(1);
    if let Some(fields) = body.as_object_mut() {
        fields.insert("version".to_owned(), version.into());
        // Twister's files name a SUT here.
        fields.insert("path".to_owned(), vec![name.as_str()].into());
    }
    let tree = Tree::from_json(body).map_err(Refused)?;
    let old = bench.suts.insert(name.clone(), tree);
    let done = Done { id: name.to_string(), created: old.is_none(), version };
    Ok(sut("sut.put", name, old, done))
}

fn sut(action: &'static str, name: SutName, old: Option<Tree>, done: Done) -> Applied {
    let undo = Undo::Sut(name.clone(), old);
    Applied { done, action, target: name.to_string(), nodes: Vec::new(), sut: Some(name), undo }
}

fn check_size(properties: &BTreeMap<String, Value>) -> Result<(), Problem> {
    let bytes = serde_json::to_vec(properties).map_or(usize::MAX, |text| text.len());
    if bytes <= limits::RESOURCE_BYTES_MAX {
        return Ok(());
    }
    let title =
        format!("the properties take {bytes} bytes; a resource may have {}", limits::RESOURCE_BYTES_MAX);
    Err(Problem::new(ErrorCode::TooLarge, title).field("properties"))
}

/// Takes back what could not be stored.
pub(super) fn undo(bench: &mut Bench, undo: Undo) {
    match undo {
        Undo::Edit(inverse) => {
            if let Err(error) = bench.tree.apply(inverse) {
                tracing::error!(%error, "an edit that was not stored could not be undone; restart the engine");
            }
        }
        Undo::Sut(name, Some(old)) => drop(bench.suts.insert(name, old)),
        Undo::Sut(name, None) => drop(bench.suts.remove(&name)),
    }
}
