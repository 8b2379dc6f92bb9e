//! From what a file says of resources to one edit that makes the tree so, and the steps that a person reads before.
//!
//! A node of the file is the one with its id, wherever that is, else the one at its path. Nothing that the file does not name is touched, unless
//! the file is all there is to be ([`Extent::Exact`]).
//!
//! ```text
//!  1. what stands where another is to be steps aside        (two nodes may change places)
//!  2. from the top down: moved, created, changed
//!  3. what the file does not name goes                      (Exact)
//! ```
//!
//! What an edit did is told in the same steps (`told.rs`).

mod told;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    act::{EDIT_NODES_MAX, Ids, check_size},
    edit::{Edit, Edited, Together},
    error::ResourceError,
    name::{check_key, name_of, short},
    node::{NodeRow, ResourceId},
    query::Query,
    tree::Tree,
};

/// What a file says that there is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// In any order; nodes above one that is named are there, too.
    pub nodes: Vec<Wanted>,
}

/// A node of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Names from the top down, its own last.
    pub path: Vec<String>,
    /// Its id, in files that have ids.
    pub id: Option<ResourceId>,
    /// Its properties.
    pub properties: BTreeMap<String, Value>,
    /// What the file says of it that means nothing to us, for writing it back.
    pub unknown: BTreeMap<String, Value>,
}

/// How much of the tree a file is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// What it names, and nothing else.
    #[default]
    Named,
    /// All there is to be below the place it is taken to.
    Exact,
}

/// What would be done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// For people: a line for each node, in the order of the paths.
    pub steps: Vec<Step>,
    /// For the tree; none where it is so already.
    pub edit: Option<Edit>,
    /// Ids of the file that its nodes do not get, because they are there under others.
    pub ids_left: Vec<(String, ResourceId)>,
}

/// What becomes of one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Where it is afterwards, or was.
    pub path: String,
    /// What is done.
    pub deed: Deed,
    /// Its properties that change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Changed>,
}

/// What is done with a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It is new.
    Create,
    /// Some of its properties change.
    Change,
    /// It comes from elsewhere.
    Move {
        /// From where.
        from: String,
    },
    /// It goes, with all that is below it.
    Delete,
}

/// A property before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// Which.
    pub key: String,
    /// None: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// None: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl Changed {
    /// Null is no value.
    fn new(key: &str, before: Option<&Value>, after: Option<&Value>) -> Self {
        let some = |value: Option<&Value>| value.filter(|value| !value.is_null()).cloned();
        Self { key: key.to_owned(), before: some(before), after: some(after) }
    }
}

impl Outline {
    /// What a tree has.
    pub fn of(tree: &Tree) -> Self {
        let node = |row: &NodeRow| {
            row.parent.as_ref()?;
            let path = tree.path(&row.id).split('/').skip(1).map(str::to_owned).collect();
            let NodeRow { id, properties, unknown, .. } = row.clone();
            Some(Wanted { path, id: Some(id), properties, unknown })
        };
        Self { nodes: tree.rows().filter_map(node).collect() }
    }
}

impl Tree {
    /// What makes the nodes below `into` as a file says.
    ///
    /// # Errors
    /// It cannot be so: a name that is none, a node that stands where another is to be, too much.
    pub fn plan(
        &self,
        outline: Outline,
        into: &str,
        extent: Extent,
        ids: Ids<'_>,
    ) -> Result<Plan, ResourceError> {
        if outline.nodes.len() > EDIT_NODES_MAX {
            return Err(ResourceError::TooMany { count: outline.nodes.len(), limit: EDIT_NODES_MAX });
        }
        let base = self.find(&Query::parse_node(into)?)?.row.id.clone();
        let wanted = by_path(outline)?;
        let reserved = wanted.values().flatten().filter_map(|node| node.id.clone()).collect();
        let planner = Planner {
            before: self,
            next: self.without_columns(),
            extent,
            reserved,
            placed: BTreeMap::from([(Vec::new(), base.clone())]),
            done: Together::default(),
            count: 0,
            plan: Plan::default(),
        };
        planner.run(&base, wanted, ids)
    }
}

/// A node under each path that is named, and under those above it.
fn by_path(outline: Outline) -> Result<BTreeMap<Vec<String>, Option<Wanted>>, ResourceError> {
    let mut wanted: BTreeMap<Vec<String>, Option<Wanted>> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for node in outline.nodes {
        // A name alone would not be found in a large file.
        let told = |error: ResourceError| ResourceError::BadFile {
            at: short(&format!("/{}", node.path.join("/"))),
            problem: error.to_string(),
        };
        let path = node.path.iter().map(|name| name_of(name)).collect::<Result<Vec<_>, _>>().map_err(told)?;
        let at = || format!("/{}", path.join("/"));
        if path.is_empty() {
            return Err(ResourceError::BadFile {
                at: "/".to_owned(),
                problem: "a node has no name".to_owned(),
            });
        }
        node.properties.keys().map(String::as_str).try_for_each(check_key).map_err(told)?;
        check_size(at, &node.properties)?;
        if let Some(id) = &node.id
            && let Some(other) = ids.insert(id.clone(), at())
        {
            return Err(ResourceError::IdTaken { id: id.to_string(), path: other });
        }
        for end in 1..path.len() {
            wanted.entry(path.iter().take(end).cloned().collect()).or_default();
        }
        let place = wanted.entry(path.clone()).or_default();
        if place.is_some() {
            return Err(ResourceError::BadFile { at: at(), problem: "the file has it twice".to_owned() });
        }
        *place = Some(node);
    }
    Ok(wanted)
}

/// A plan in the making.
struct Planner<'t> {
    before: &'t Tree,
    /// The tree as it is after what is done so far.
    next: Tree,
    extent: Extent,
    /// Ids that the file gives its nodes.
    reserved: BTreeSet<ResourceId>,
    /// Nodes of the file that are where they are to be.
    placed: BTreeMap<Vec<String>, ResourceId>,
    done: Together,
    count: usize,
    plan: Plan,
}

impl Planner<'_> {
    fn run(
        mut self,
        base: &ResourceId,
        wanted: BTreeMap<Vec<String>, Option<Wanted>>,
        ids: Ids<'_>,
    ) -> Result<Plan, ResourceError> {
        let named = self.named(base, &wanted)?;
        let aside = self.step_aside(&wanted, &named)?;
        for (path, node) in wanted {
            self.place(&path, node, &named, ids)?;
        }
        if self.extent == Extent::Exact {
            self.clear(base)?;
        }
        // What stepped aside and was not to be anywhere else would be left under a name that nobody gave it.
        let placed: BTreeSet<_> = self.placed.values().collect();
        if let Some(id) = aside.iter().find(|id| !placed.contains(id) && self.next.row(id).is_some()) {
            let path = self.before.path(id);
            let why = "another resource is there, which the file does not name; move it away, or let the file say all there is".to_owned();
            return Err(ResourceError::Misplaced { path, why });
        }
        self.plan.steps.sort_by(|one, other| one.path.cmp(&other.path));
        self.plan.edit = if self.count == 0 { None } else { Some(self.done.finish()?.edit) };
        Ok(self.plan)
    }

    /// Those that the file names by an id that is there.
    fn named(
        &self,
        base: &ResourceId,
        wanted: &BTreeMap<Vec<String>, Option<Wanted>>,
    ) -> Result<BTreeMap<Vec<String>, ResourceId>, ResourceError> {
        let mut named = BTreeMap::new();
        for (path, node) in wanted {
            let Some(id) = node.as_ref().and_then(|node| node.id.clone()) else { continue };
            let Some(row) = self.before.row(&id) else { continue };
            let is_above =
                id == *base || self.before.spot_at(base).is_some_and(|spot| spot.above.contains(&id));
            if row.parent.is_none() || is_above {
                let why = format!("its id {id} is that of `{}`", self.before.path(&id));
                return Err(ResourceError::Misplaced { path: format!("/{}", path.join("/")), why });
            }
            named.insert(path.clone(), id);
        }
        Ok(named)
    }

    /// What stands where another is to be gets a name out of the way.
    fn step_aside(
        &mut self,
        wanted: &BTreeMap<Vec<String>, Option<Wanted>>,
        named: &BTreeMap<Vec<String>, ResourceId>,
    ) -> Result<BTreeSet<ResourceId>, ResourceError> {
        let base = self.placed.get(&Vec::new()).cloned();
        let places: BTreeMap<_, _> = named.iter().map(|(path, id)| (id, path)).collect();
        let mut aside = BTreeSet::new();
        for path in wanted.keys() {
            let Some(there) = base.as_ref().and_then(|base| self.at(base, path)) else { continue };
            let is_other = named.get(path).is_some_and(|id| *id != there);
            let is_to_move = places.get(&there).is_some_and(|place| *place != path);
            if is_other || is_to_move {
                aside.insert(there);
            }
        }
        for id in &aside {
            let Some(parent) = self.next.row(id).and_then(|row| row.parent.clone()) else { continue };
            self.make(Edit::Move { id: id.clone(), parent, name: format!("~{id}") })?;
        }
        Ok(aside)
    }

    /// The node at a path in the tree as it was.
    fn at(&self, base: &ResourceId, path: &[String]) -> Option<ResourceId> {
        let start = self.before.nodes.get(base)?;
        let step = |node: &crate::node::Node, name: &String| self.before.nodes.get(node.children.get(name)?);
        let mut at = start;
        for name in path {
            at = step(at, name)?;
        }
        Some(at.row.id.clone())
    }

    fn place(
        &mut self,
        path: &[String],
        node: Option<Wanted>,
        named: &BTreeMap<Vec<String>, ResourceId>,
        ids: Ids<'_>,
    ) -> Result<(), ResourceError> {
        let Some((name, above)) = path.split_last() else { return Ok(()) };
        let parent = self.placed.get(above).cloned().ok_or(ResourceError::Root)?;
        let is_named = node.is_some();
        let node = node.unwrap_or_default();
        let there = self.next.known(&parent)?.children.get(name).cloned();
        let id = match (named.get(path), there) {
            (Some(id), Some(there)) if *id == there => there,
            (Some(id), _) => {
                self.make(Edit::Move { id: id.clone(), parent, name: name.clone() })?;
                id.clone()
            }
            (None, Some(there)) => {
                self.plan.ids_left.extend(node.id.map(|id| (self.next.path(&there), id)));
                there
            }
            (None, None) => {
                let id = node.id.unwrap_or_else(|| self.next.fresh(ids, &self.reserved));
                return self.create(path, id, parent, (name, node.properties, node.unknown));
            }
        };
        self.placed.insert(path.to_vec(), id.clone());
        self.change(id, is_named.then_some(node.properties))
    }

    fn create(
        &mut self,
        path: &[String],
        id: ResourceId,
        parent: ResourceId,
        (name, properties, unknown): (&str, BTreeMap<String, Value>, BTreeMap<String, Value>),
    ) -> Result<(), ResourceError> {
        let properties: BTreeMap<_, _> =
            properties.into_iter().filter(|(_, value)| !value.is_null()).collect();
        self.next.check_new(self.next.known(&parent)?, name, None)?;
        let changes = properties.iter().map(|(key, value)| Changed::new(key, None, Some(value))).collect();
        let row =
            NodeRow { id: id.clone(), parent: Some(parent), name: name.to_owned(), properties, unknown };
        self.make(Edit::Insert { nodes: vec![row] })?;
        self.plan.steps.push(Step { path: self.next.path(&id), deed: Deed::Create, properties: changes });
        self.placed.insert(path.to_vec(), id);
        Ok(())
    }

    /// The properties of a node that is there; one that the file does not speak of keeps its own.
    fn change(
        &mut self,
        id: ResourceId,
        wanted: Option<BTreeMap<String, Value>>,
    ) -> Result<(), ResourceError> {
        let now = &self.next.known(&id)?.row.properties;
        let mut news: BTreeMap<String, Value> = BTreeMap::new();
        if let Some(wanted) = wanted {
            if self.extent == Extent::Exact {
                let gone = now.keys().filter(|key| !wanted.contains_key(*key));
                news.extend(gone.map(|key| (key.clone(), Value::Null)));
            }
            let differs = |(key, value): &(String, Value)| now.get(key).unwrap_or(&Value::Null) != value;
            news.extend(wanted.into_iter().filter(differs));
        }
        let properties: Vec<_> =
            news.iter().map(|(key, value)| Changed::new(key, now.get(key), Some(value))).collect();
        let (path, from) = (self.next.path(&id), self.before.path(&id));
        if !news.is_empty() {
            self.make(Edit::Merge { id: id.clone(), properties: news })?;
        }
        let is_moved = self.before.row(&id).map(|row| (&row.parent, &row.name))
            != self.next.row(&id).map(|row| (&row.parent, &row.name));
        let deed = if is_moved { Deed::Move { from } } else { Deed::Change };
        if is_moved || !properties.is_empty() {
            self.plan.steps.push(Step { path, deed, properties });
        }
        Ok(())
    }

    /// Takes out what the file does not name.
    fn clear(&mut self, base: &ResourceId) -> Result<(), ResourceError> {
        let placed: BTreeSet<_> = self.placed.values().cloned().collect();
        let mut open = vec![base.clone()];
        while let Some(id) = open.pop() {
            let below: Vec<_> = self.next.known(&id)?.children.values().cloned().collect();
            for child in below {
                if placed.contains(&child) {
                    open.push(child);
                } else {
                    let path = self.before.path(&child);
                    self.make(Edit::Remove { id: child })?;
                    self.plan.steps.push(Step { path, deed: Deed::Delete, properties: Vec::new() });
                }
            }
        }
        Ok(())
    }

    fn make(&mut self, edit: Edit) -> Result<(), ResourceError> {
        let edited: Edited = self.next.make(edit)?;
        self.count += edited.changed.len() + edited.removed.len();
        if self.count > EDIT_NODES_MAX {
            return Err(ResourceError::TooMany { count: self.count, limit: EDIT_NODES_MAX });
        }
        self.done.add(edited);
        Ok(())
    }
}
