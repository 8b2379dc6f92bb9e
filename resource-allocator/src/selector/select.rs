//! The nodes that a selector means, in the order of their paths.
//!
//! Clauses say among which nodes it has to look ([`crate::columns`]); those are looked at one by one. What is found of a
//! node's surroundings is remembered, so that a bracket in a bracket costs as much again, not as much as it squared.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use jackfield_protocol::error::ErrorCode;
use serde_json::Value;

use super::{Clause, Key, Near, Relation, Selector, Term, compare};
use crate::{
    columns::Columns,
    node::{Node, ResourceId},
    query::Query,
    tree::Tree,
};

/// Looks at nodes that one selector may take.
const LOOKS_MAX: u64 = 4_000_000;
/// Of more nodes than these no list is made: the tree is gone through in its order, until there is a page.
const LISTED_MAX: usize = 4_096;
/// Of more candidates than these no list is made either.
const CANDIDATES_MAX: usize = 40_000;

/// Whose eyes look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// They may see everything.
    All,
    /// Secrets are hidden from them: a text that may hold one by its form is only there or not.
    Open,
}

/// The selector would take too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the selector looks at too many resources; begin with what few of them are, such as kind=router")]
pub struct TooMuch;

impl TooMuch {
    /// The word scripts compare.
    pub fn code(self) -> ErrorCode {
        ErrorCode::TooLarge
    }
}

/// What a selector found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// In the order of their paths, level by level: `/a/b` before `/a-1`.
    pub nodes: Vec<ResourceId>,
    /// There are more.
    pub more: bool,
}

impl Tree {
    /// The first nodes that fit, below a node of the tree and behind another.
    ///
    /// # Errors
    /// It would take too long.
    pub fn select(
        &self,
        selector: &Selector,
        sight: Sight,
        within: &ResourceId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Found, TooMuch> {
        let look = Look::new(self, sight);
        let candidates = look.candidates(&selector.term).filter(|all| all.len() <= CANDIDATES_MAX);
        let listed = match candidates {
            None => None,
            Some(candidates) => {
                let mut fit = BTreeSet::new();
                for id in candidates {
                    if self.nodes.get(id).is_some_and(|node| look.fits(node, &selector.term)) {
                        fit.insert(id.clone());
                    }
                    look.check()?;
                }
                Some(fit)
            }
        };
        let after = after.map(names_of);
        match listed {
            Some(fit) if fit.len() <= LISTED_MAX => Ok(self.page_of(fit, within, after.as_deref(), limit)),
            listed => self.page_through(&look, selector, listed.as_ref(), Stretch { within, after, limit }),
        }
    }

    /// Sorts what was found and cuts the page out of it.
    fn page_of(
        &self,
        fit: BTreeSet<ResourceId>,
        within: &ResourceId,
        after: Option<&[String]>,
        limit: usize,
    ) -> Found {
        let inside =
            |id: &ResourceId| *id != self.root && (*within == self.root || self.is_at_or_below(id, within));
        let mut named: Vec<_> =
            fit.into_iter().filter(|id| inside(id)).map(|id| (self.names(&id), id)).collect();
        named.retain(|(names, _)| after.is_none_or(|after| names.as_slice() > after));
        named.sort();
        let more = named.len() > limit;
        Found { nodes: named.into_iter().take(limit).map(|(_, id)| id).collect(), more }
    }

    /// Goes through the tree in its order until the page is full.
    fn page_through(
        &self,
        look: &Look<'_>,
        selector: &Selector,
        listed: Option<&BTreeSet<ResourceId>>,
        stretch: Stretch<'_>,
    ) -> Result<Found, TooMuch> {
        let Stretch { within, after, limit } = stretch;
        let mut found = Found::default();
        let mut open = vec![within.clone()];
        while let Some(id) = open.pop() {
            let Some(node) = self.nodes.get(&id) else { continue };
            look.step(1);
            look.check()?;
            let names = after.as_ref().map(|after| (self.names(&id), after));
            // A whole branch that lies before the page is passed over.
            if let Some((names, after)) = &names
                && names < *after
                && !after.starts_with(names)
            {
                continue;
            }
            open.extend(node.children.values().rev().cloned());
            let is_before = names.is_some_and(|(names, after)| names <= *after);
            let fits =
                || listed.map_or_else(|| look.fits(node, &selector.term), |listed| listed.contains(&id));
            if id != self.root && !is_before && fits() {
                if found.nodes.len() >= limit {
                    found.more = true;
                    break;
                }
                found.nodes.push(id);
            }
        }
        Ok(found)
    }

    /// The names from below the root to a node.
    fn names(&self, id: &ResourceId) -> Vec<String> {
        names_of(&self.path(id))
    }

    fn is_at_or_below(&self, id: &ResourceId, above: &ResourceId) -> bool {
        let up = |id: &ResourceId| self.nodes.get(id)?.row.parent.clone();
        std::iter::successors(Some(id.clone()), up).any(|id| id == *above)
    }

    /// What the nodes of each value are; made when it is first asked for.
    pub(crate) fn columns(&self) -> &Columns {
        self.columns.get_or_init(|| Columns::new(self.rows()))
    }
}

/// Which part of what fits is wanted.
struct Stretch<'a> {
    within: &'a ResourceId,
    after: Option<Vec<String>>,
    limit: usize,
}

fn names_of(path: &str) -> Vec<String> {
    path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// One look at the tree, with what it remembers and how much it may still look at.
pub(super) struct Look<'t> {
    tree: &'t Tree,
    sight: Sight,
    looks: Cell<u64>,
    /// How many nodes around a node fit, by the number of the bracket.
    counts: RefCell<BTreeMap<(usize, ResourceId), u64>>,
    links: RefCell<Option<BTreeMap<ResourceId, Vec<ResourceId>>>>,
}

impl<'t> Look<'t> {
    pub(super) fn new(tree: &'t Tree, sight: Sight) -> Self {
        Self {
            tree,
            sight,
            looks: Cell::new(0),
            counts: RefCell::new(BTreeMap::new()),
            links: RefCell::new(None),
        }
    }

    fn step(&self, looks: u64) {
        self.looks.set(self.looks.get().saturating_add(looks));
    }

    pub(super) fn check(&self) -> Result<(), TooMuch> {
        if self.looks.get() > LOOKS_MAX { Err(TooMuch) } else { Ok(()) }
    }

    /// The nodes among which all are that fit; none where those may be any.
    fn candidates(&self, term: &Term) -> Option<BTreeSet<&'t ResourceId>> {
        Some(self.among(term)?.into_iter().flatten().collect())
    }

    fn among(&self, term: &Term) -> Option<Vec<&'t BTreeSet<ResourceId>>> {
        let size = |sets: &Vec<&BTreeSet<ResourceId>>| sets.iter().map(|set| set.len()).sum::<usize>();
        match term {
            Term::Is(clause) => self.tree.columns().among(clause),
            Term::All(terms) => terms.iter().filter_map(|term| self.among(term)).min_by_key(size),
            Term::Any(terms) => {
                let all: Option<Vec<_>> = terms.iter().map(|term| self.among(term)).collect();
                all.map(|all| all.into_iter().flatten().collect())
            }
            Term::Not(_) | Term::Near(_) => None,
        }
    }

    /// Whether a node fits. Once there were too many looks nothing does: whoever asks has to check.
    pub(super) fn fits(&self, node: &Node, term: &Term) -> bool {
        if self.check().is_err() {
            return false;
        }
        match term {
            Term::All(terms) => terms.iter().all(|term| self.fits(node, term)),
            Term::Any(terms) => terms.iter().any(|term| self.fits(node, term)),
            Term::Not(term) => !self.fits(node, term),
            Term::Is(clause) => self.has(node, clause),
            Term::Near(near) => near.comparison.holds(self.count(node, near).cmp(&near.count)),
        }
    }

    fn has(&self, node: &Node, Clause { key, test }: &Clause) -> bool {
        self.step(1);
        let row = &node.row;
        let text = |text: String| compare::fits(&Value::String(text), test);
        match key {
            Key::Name => text(row.name.clone()),
            Key::Path => text(self.tree.path(&row.id)),
            Key::Id => text(row.id.to_string()),
            Key::Tag => {
                let hides = self.sight == Sight::Open && !matches!(test, super::Test::There);
                let is_shown = |value: &Value| !hides || !may_hold_a_secret(value);
                let found = ["tags", "tag"].into_iter().filter_map(|key| row.properties.get(key));
                compare::fits(&Value::Array(tags(found, &is_shown)), test)
            }
            Key::Property(name) => {
                let value = row.properties.get(&**name).or_else(|| inside(&row.properties, name));
                match value {
                    None | Some(Value::Null) => compare::absent_fits(test),
                    Some(value) if self.sight == Sight::Open && may_hold_a_secret(value) => {
                        matches!(test, super::Test::There)
                    }
                    Some(value) => {
                        self.step(weight(value));
                        compare::fits(value, test)
                    }
                }
            }
        }
    }

    /// How many nodes around one fit; of links, how many lead to the node that most lead to.
    fn count(&self, node: &Node, near: &Near) -> u64 {
        let key = (near.number, node.row.id.clone());
        if let Some(known) = self.counts.borrow().get(&key) {
            return *known;
        }
        self.step(1);
        let nodes = &self.tree.nodes;
        let fits = |id: &ResourceId| nodes.get(id).is_some_and(|node| self.fits(node, &near.term));
        let parent = node.row.parent.as_ref();
        let count = match near.relation {
            Relation::Child => count(node.children.values().filter(|id| fits(id)).count()),
            Relation::Below => {
                let children = node.children.values().filter_map(|id| nodes.get(id));
                children.fold(0_u64, |sum, child| {
                    let own = u64::from(self.fits(child, &near.term));
                    sum.saturating_add(own).saturating_add(self.count(child, near))
                })
            }
            Relation::Parent => count(parent.into_iter().filter(|id| fits(id)).count()),
            Relation::Above => parent.and_then(|id| nodes.get(id)).map_or(0, |parent| {
                u64::from(self.fits(parent, &near.term)).saturating_add(self.count(parent, near))
            }),
            Relation::Link => self.most_links(node, near),
        };
        self.counts.borrow_mut().insert(key, count);
        count
    }

    fn most_links(&self, node: &Node, near: &Near) -> u64 {
        let mut ends: BTreeMap<ResourceId, u64> = BTreeMap::new();
        let mut open = vec![node.row.id.clone()];
        while let Some(id) = open.pop() {
            self.step(1);
            open.extend(
                self.tree.nodes.get(&id).into_iter().flat_map(|node| node.children.values().cloned()),
            );
            for end in self.links_of(&id) {
                // What is above both ends is not linked to itself.
                let up = |id: &ResourceId| self.tree.nodes.get(id)?.row.parent.clone();
                let own: BTreeSet<_> = std::iter::successors(Some(node.row.id.clone()), up).collect();
                for end in std::iter::successors(Some(end), up).take_while(|end| !own.contains(end)) {
                    self.step(1);
                    let known = ends.entry(end).or_default();
                    *known = known.saturating_add(1);
                }
            }
        }
        let fits = |id: &ResourceId| self.tree.nodes.get(id).is_some_and(|end| self.fits(end, &near.term));
        ends.into_iter().filter(|(end, _)| fits(end)).map(|(_, links)| links).max().unwrap_or(0)
    }

    /// The other ends of a node's links, whichever end names the other.
    fn links_of(&self, id: &ResourceId) -> Vec<ResourceId> {
        let known = self.links.borrow().as_ref().map(|links| links.get(id).cloned().unwrap_or_default());
        known.unwrap_or_else(|| {
            let links = self.all_links();
            let found = links.get(id).cloned().unwrap_or_default();
            *self.links.borrow_mut() = Some(links);
            found
        })
    }

    fn all_links(&self) -> BTreeMap<ResourceId, Vec<ResourceId>> {
        let columns = self.tree.columns();
        let mut pairs = BTreeSet::new();
        for (text, nodes) in ["link", "links"].iter().flat_map(|key| columns.texts(key)) {
            let found = Query::parse_node(text).ok().and_then(|query| self.tree.find(&query).ok());
            let Some(end) = found.map(|node| node.row.id.clone()) else { continue };
            for node in nodes {
                self.step(1);
                pairs.insert((node.clone(), end.clone()));
                pairs.insert((end.clone(), node.clone()));
            }
        }
        let mut links: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (node, end) in pairs {
            links.entry(node).or_default().push(end);
        }
        links
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// What it costs to look at a value, beside the look itself.
fn weight(value: &Value) -> u64 {
    match value {
        Value::String(text) => count(text.len()) / 64,
        Value::Array(items) => count(items.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => 0,
    }
}

/// What is inside of a property: `power.snmp.outlet`.
fn inside<'a>(properties: &'a BTreeMap<String, Value>, name: &str) -> Option<&'a Value> {
    let mut names = name.split('.');
    let outer = properties.get(names.next()?)?;
    names.try_fold(outer, |value, name| value.get(name))
}

/// Tags are a list, or words with commas, semicolons or spaces between them. A text is shown or not as a whole: a word of
/// it does not tell any more what it is a part of.
fn tags<'a>(found: impl Iterator<Item = &'a Value>, is_shown: &dyn Fn(&Value) -> bool) -> Vec<Value> {
    let words = |value: &Value| -> Vec<Value> {
        match value {
            Value::Array(items) => items.iter().filter(|item| is_shown(item)).cloned().collect(),
            Value::String(_) if !is_shown(value) => Vec::new(),
            Value::String(text) => {
                let words = text.split(|letter: char| letter.is_whitespace() || ",;".contains(letter));
                words.filter(|word| !word.is_empty()).map(Value::from).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => vec![value.clone()],
        }
    };
    found.flat_map(words).collect()
}

/// An address with a password in it, a private key: texts that hold a secret whatever the name of the property is.
fn may_hold_a_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("://") || text.contains("PRIVATE KEY"),
        Value::Array(items) => items.iter().any(may_hold_a_secret),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}
