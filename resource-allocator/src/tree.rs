//! The tree itself: nodes by id, children by name, one version for all.

use std::{collections::BTreeMap, sync::OnceLock};

use jackfield_protocol::resource::Resource;
use serde_json::Value;

use crate::{
    book::Spot,
    columns::Columns,
    error::{Names, ResourceError},
    node::{Node, NodeRow, ResourceId},
    query::{Answer, Query, Target},
};

/// Levels below the root that a tree may have.
pub(crate) const DEPTH_MAX: usize = 64;

/// All test beds of a lab, or one SUT.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(crate) nodes: BTreeMap<ResourceId, Node>,
    pub(crate) root: ResourceId,
    pub(crate) version: u64,
    /// By what selectors find nodes; there is none before the first.
    pub(crate) columns: OnceLock<Columns>,
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        // Columns say again what the nodes say.
        self.nodes == other.nodes && self.root == other.root && self.version == other.version
    }
}

impl Tree {
    /// Test beds: nothing but a root.
    pub fn new() -> Self {
        Self::with_root(NodeRow {
            id: ResourceId::root(),
            parent: None,
            name: "/".to_owned(),
            properties: BTreeMap::new(),
            unknown: BTreeMap::new(),
        })
    }

    /// A SUT without components. Its name is `name.user` or `name.system`.
    pub fn new_sut(name: &str, id: ResourceId) -> Self {
        Self::with_root(NodeRow {
            id,
            parent: None,
            name: name.to_owned(),
            properties: BTreeMap::new(),
            unknown: BTreeMap::new(),
        })
    }

    pub(crate) fn with_root(row: NodeRow) -> Self {
        let root = row.id.clone();
        Self {
            nodes: BTreeMap::from([(root.clone(), Node::new(row))]),
            root,
            version: 0,
            columns: OnceLock::new(),
        }
    }

    /// A tree from the rows of the store, in any order, the root among them.
    pub fn from_rows(version: u64, rows: impl IntoIterator<Item = NodeRow>) -> Result<Self, ResourceError> {
        let mut nodes: BTreeMap<_, _> =
            rows.into_iter().map(|row| (row.id.clone(), Node::new(row))).collect();
        let links: Vec<_> = nodes
            .values()
            .filter_map(|node| Some((node.row.parent.clone()?, node.row.name.clone(), node.row.id.clone())))
            .collect();
        for (parent, name, id) in links {
            let orphan = || bad_rows(&name, "the node around it is missing");
            let parent = nodes.get_mut(&parent).ok_or_else(orphan)?;
            if parent.children.insert(name.clone(), id).is_some() {
                return Err(bad_rows(&name, "its parent has two nodes of this name"));
            }
        }
        let mut roots = nodes.values().filter(|node| node.row.parent.is_none());
        match (roots.next(), roots.next()) {
            (Some(root), None) => {
                let root = root.row.id.clone();
                Ok(Self { nodes, root, version, columns: OnceLock::new() })
            }
            _ => Err(bad_rows("/", "there must be exactly one root")),
        }
    }

    /// The same, to try edits on which nobody selects in between.
    pub(crate) fn without_columns(&self) -> Self {
        let Self { nodes, root, version, columns: _ } = self;
        Self { nodes: nodes.clone(), root: root.clone(), version: *version, columns: OnceLock::new() }
    }

    /// Grows with each edit.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many nodes there are, without the root.
    pub fn len(&self) -> usize {
        self.nodes.len().saturating_sub(1)
    }

    /// Whether there is nothing below the root.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A node by id or path, or one property of it (`/tb1/dev2:ip`).
    pub fn get(&self, query: &str) -> Result<Answer, ResourceError> {
        let query = Query::parse(query)?;
        let node = self.find(&query)?;
        self.answer(node, query.key)
    }

    /// The row of a node, for the store.
    pub fn row(&self, id: &ResourceId) -> Option<&NodeRow> {
        self.nodes.get(id).map(|node| &node.row)
    }

    /// Every row, the root's included, by id.
    pub fn rows(&self) -> impl Iterator<Item = &NodeRow> {
        self.nodes.values().map(|node| &node.row)
    }

    /// Every node as people see it, parents before children, siblings by name.
    pub fn walk(&self) -> impl Iterator<Item = Resource> {
        let mut open = vec![self.root.clone()];
        std::iter::from_fn(move || {
            let node = self.nodes.get(&open.pop()?)?;
            open.extend(node.children.values().rev().cloned());
            Some(self.resource(node))
        })
    }

    pub(crate) fn answer(&self, node: &Node, key: Option<&str>) -> Result<Answer, ResourceError> {
        let Some(key) = key else { return Ok(Answer::Node(self.resource(node))) };
        let missing = || ResourceError::NoProperty {
            path: self.path(&node.row.id),
            key: key.to_owned(),
            there: Names::of(node.row.properties.keys()),
        };
        node.row.properties.get(key).cloned().map(Answer::Property).ok_or_else(missing)
    }

    pub(crate) fn find(&self, query: &Query<'_>) -> Result<&Node, ResourceError> {
        match &query.target {
            Target::Id(id) => self.nodes.get(id).ok_or_else(|| not_found(query, "/".to_owned())),
            Target::Path(names) => self.descend(self.root_node(query)?, names, query),
        }
    }

    /// From a node down a list of names.
    pub(crate) fn descend<'a>(
        &'a self,
        start: &'a Node,
        names: &[&str],
        query: &Query<'_>,
    ) -> Result<&'a Node, ResourceError> {
        let mut at = start;
        for name in names {
            let below = at.children.get(*name).and_then(|id| self.nodes.get(id));
            at = below.ok_or_else(|| ResourceError::NotFound {
                query: query.text.to_owned(),
                nearest: self.path(&at.row.id),
                there: Names::of(at.children.keys()),
            })?;
        }
        Ok(at)
    }

    pub(crate) fn root_node(&self, query: &Query<'_>) -> Result<&Node, ResourceError> {
        self.nodes.get(&self.root).ok_or_else(|| not_found(query, "/".to_owned()))
    }

    /// `/tb1/dev2`; `/` for the root of the test beds, `/name.user` for that of a SUT.
    pub fn path(&self, id: &ResourceId) -> String {
        let mut names: Vec<&str> = std::iter::successors(self.nodes.get(id), |node| {
            node.row.parent.as_ref().and_then(|parent| self.nodes.get(parent))
        })
        .map(|node| node.row.name.as_str())
        .filter(|name| *name != "/")
        .collect();
        names.reverse();
        format!("/{}", names.join("/"))
    }

    /// The path of a node of this name in another, whether there is one or not.
    pub(crate) fn path_in(&self, parent: &ResourceId, name: &str) -> String {
        format!("{}/{name}", self.path(parent).trim_end_matches('/'))
    }

    /// A node by id or path, with the ids above it, as the book of leases wants it.
    ///
    /// # Errors
    /// There is none, or a property is named.
    pub fn spot(&self, query: &str) -> Result<Spot, ResourceError> {
        let query = Query::parse_node(query)?;
        let id = self.find(&query)?.row.id.clone();
        self.spot_at(&id).ok_or_else(|| not_found(&query, "/".to_owned()))
    }

    /// A node with the ids above it; none where there is no such node.
    pub fn spot_at(&self, id: &ResourceId) -> Option<Spot> {
        let node = self.nodes.get(id)?;
        let parent = |id: &ResourceId| self.nodes.get(id)?.row.parent.clone();
        let mut above: Vec<_> = std::iter::successors(node.row.parent.clone(), parent).collect();
        above.reverse();
        Some(Spot { node: id.clone(), path: self.path(id), above })
    }

    pub(crate) fn depth(&self, id: &ResourceId) -> usize {
        let up = |node: &&Node| node.row.parent.as_ref().and_then(|parent| self.nodes.get(parent));
        std::iter::successors(self.nodes.get(id), up).count().saturating_sub(1)
    }

    /// A node as people see it.
    pub fn resource_at(&self, id: &ResourceId) -> Option<Resource> {
        self.nodes.get(id).map(|node| self.resource(node))
    }

    pub(crate) fn resource(&self, node: &Node) -> Resource {
        Resource {
            id: node.row.id.to_string(),
            path: self.path(&node.row.id),
            properties: node.row.properties.clone(),
            children: node.children.values().map(ToString::to_string).collect(),
            version: self.version,
        }
    }

    /// A property of the root, such as a SUT's `_epnames_ana`.
    pub fn root_property(&self, key: &str) -> Option<&Value> {
        self.nodes.get(&self.root)?.row.properties.get(key)
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

fn not_found(query: &Query<'_>, nearest: String) -> ResourceError {
    ResourceError::NotFound { query: query.text.to_owned(), nearest, there: Names::default() }
}

fn bad_rows(at: &str, problem: &str) -> ResourceError {
    ResourceError::BadFile { at: at.to_owned(), problem: problem.to_owned() }
}
