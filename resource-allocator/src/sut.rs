//! SUTs: abstract components, linked by their `_id` to resources, so that a project moves to other hardware.

use std::collections::BTreeMap;

use jackfield_protocol::id::{EpName, SutName, UserName};
use serde_json::Value;

use crate::{
    error::{Names, ResourceError},
    node::{Node, ResourceId},
    query::{Answer, Query, Target},
    tree::Tree,
};

/// The property that links a component to a resource.
const LINK: &str = "_id";

/// Links followed in a row before one is taken for a circle.
const LINKS_MAX: usize = 8;

/// Every SUT of a lab.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suts {
    trees: BTreeMap<SutName, Tree>,
}

impl Suts {
    /// Takes a SUT in, in place of the one of its name.
    pub fn insert(&mut self, name: SutName, sut: Tree) -> Option<Tree> {
        self.trees.insert(name, sut)
    }

    /// Takes one out.
    pub fn remove(&mut self, name: &SutName) -> Option<Tree> {
        self.trees.remove(name)
    }

    /// One by its name (`bench.user`).
    pub fn sut(&self, name: &SutName) -> Option<&Tree> {
        self.trees.get(name)
    }

    /// One by its name, to be changed.
    pub fn sut_mut(&mut self, name: &SutName) -> Option<&mut Tree> {
        self.trees.get_mut(name)
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&SutName, &Tree)> {
        self.trees.iter()
    }

    /// A SUT or a component by id or path (`/bench.user/router:role`). With `follow_links`, a linked component answers
    /// with its resource, and a path may go on below it.
    pub fn get(&self, query: &str, follow_links: bool, beds: &Tree) -> Result<Answer, ResourceError> {
        let query = Query::parse(query)?;
        let found = self.find(&query, follow_links.then_some(beds))?;
        found.tree.answer(found.node, query.key)
    }

    /// The EPs that a SUT names for a user (`_epnames_<user>`), in its order.
    pub fn eps(&self, name: &SutName, user: &UserName) -> Vec<EpName> {
        let key = format!("_epnames_{user}");
        let names = self.trees.get(name).and_then(|sut| sut.root_property(&key)).and_then(Value::as_str);
        names
            .unwrap_or_default()
            .split(';')
            .map(str::trim)
            .filter(|ep| !ep.is_empty())
            .map(Into::into)
            .collect()
    }

    fn find<'a>(&'a self, query: &Query<'_>, beds: Option<&'a Tree>) -> Result<Found<'a>, ResourceError> {
        let nowhere = || ResourceError::NotFound {
            query: query.text.to_owned(),
            nearest: "/".to_owned(),
            there: Names::default(),
        };
        match &query.target {
            Target::Id(id) => {
                let holds = |tree: &'a Tree| tree.nodes.get(id).map(|node| Found { tree, node });
                let found = self.trees.values().find_map(holds).ok_or_else(nowhere)?;
                follow(found, beds)
            }
            Target::Path(names) => {
                let (sut, names) = names.split_first().ok_or_else(nowhere)?;
                let tree = self.trees.get(&SutName::from(*sut)).ok_or_else(nowhere)?;
                let mut found = follow(Found { tree, node: tree.root_node(query)? }, beds)?;
                for name in names {
                    let node = found.tree.descend(found.node, &[*name], query)?;
                    found = follow(Found { tree: found.tree, node }, beds)?;
                }
                Ok(found)
            }
        }
    }
}

/// A node with the tree it stands in.
#[derive(Clone, Copy)]
struct Found<'a> {
    tree: &'a Tree,
    node: &'a Node,
}

/// From a linked component to its resource; stays where there is no link, or none is to be followed.
fn follow<'a>(start: Found<'a>, beds: Option<&'a Tree>) -> Result<Found<'a>, ResourceError> {
    let Some(beds) = beds else { return Ok(start) };
    let mut found = start;
    for _ in 0..LINKS_MAX {
        let Some(link) = found.node.row.properties.get(LINK) else { return Ok(found) };
        let text = link.as_str().unwrap_or_default();
        if text.is_empty() {
            return Ok(found);
        }
        let node = ResourceId::parse(text).and_then(|id| beds.nodes.get(&id));
        let node = node.ok_or_else(|| broken(&found, text))?;
        found = Found { tree: beds, node };
    }
    Err(broken(&start, "that leads back to itself"))
}

fn broken(found: &Found<'_>, id: &str) -> ResourceError {
    ResourceError::BrokenLink { path: found.tree.path(&found.node.row.id), id: id.to_owned() }
}
