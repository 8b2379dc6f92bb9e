//! One edit of the bench, applied in memory, with what it takes to store it and to undo it.

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::SutName,
};
use jackfield_resource_allocator::{
    Act, Edit, Edited, ResourceError, ResourceId, Tree,
    plan::{Extent, Outline},
};
use serde_json::Value;

use super::{Bench, Refused};
use crate::{limits, store};

/// What may be asked of the bench.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Do one thing with the tree.
    Act(Act),
    /// Do several things with it, all or none.
    All(Vec<Act>),
    /// Make it as a file says.
    TakeIn {
        /// What the file says.
        outline: Outline,
        /// Below which node: id or path.
        into: String,
        /// How much of what is there the file is about.
        extent: Extent,
    },
    /// Take back an edit.
    Undo {
        /// The version that it led to.
        version: u64,
        /// What it did.
        edit: Box<Edit>,
        /// What undoes it.
        inverse: Box<Edit>,
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
    /// The node it was about; for a SUT its name. Empty where nothing had to be done.
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
    pub(super) detail: String,
    /// Nodes to write or delete.
    pub(super) nodes: Vec<ResourceId>,
    /// Nodes that have another path, with all that is below them.
    pub(super) moved: Vec<ResourceId>,
    /// Nodes that are gone, of which the ones around are not.
    pub(super) gone: Vec<ResourceId>,
    /// The SUT to write or delete.
    pub(super) sut: Option<SutName>,
    /// For the history of the tree.
    pub(super) kept: Option<store::edit::Edit>,
    /// The version of the edit that is taken back.
    pub(super) undid: Option<u64>,
    pub(super) undo: Undo,
}

#[derive(Debug)]
pub(super) enum Undo {
    Nothing,
    Edit(Box<Edit>),
    Sut(SutName, Option<Tree>),
}

/// Where new ids come from: the numbers that follow a random one.
pub(super) struct Ids(u64);

impl Ids {
    pub(super) fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// A step of `SplitMix64`: one seed gives ids that nobody foresees.
    pub(super) fn draw(&mut self) -> ResourceId {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ResourceId::from_number(mixed ^ (mixed >> 31))
    }
}

pub(super) fn apply(
    bench: &mut Bench,
    expected: Option<u64>,
    change: Change,
    ids: &mut Ids,
) -> Result<Applied, Problem> {
    let now = match &change {
        Change::Act(_) | Change::All(_) | Change::TakeIn { .. } | Change::Undo { .. } => bench.tree.version(),
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
    let mut draw = || ids.draw();
    let tree = &mut bench.tree;
    match change {
        Change::Act(act) => {
            let (action, query) = match &act {
                Act::Set { .. } => ("resource.set", None),
                Act::Rename { .. } => ("resource.rename", None),
                Act::Delete { query } => ("resource.delete", Some(query.clone())),
                Act::Move { .. } => ("resource.move", None),
                Act::Copy { .. } => ("resource.copy", None),
            };
            let edited = tree.act(act, &mut draw).map_err(Refused)?;
            let applied = node(bench, action, edited);
            Ok(Applied { target: query.unwrap_or(applied.target), ..applied })
        }
        Change::All(acts) => {
            let edited = tree.act_all(acts, &mut draw).map_err(|(number, error)| numbered(number, &error))?;
            Ok(node(bench, "resource.edit", edited))
        }
        Change::TakeIn { outline, into, extent } => {
            let plan = tree.plan(outline, &into, extent, &mut draw).map_err(Refused)?;
            let Some(edit) = plan.edit else { return Ok(nothing(now, into)) };
            let edited = tree.apply(edit).map_err(Refused)?;
            Ok(Applied { target: into, ..node(bench, "resource.apply", edited) })
        }
        Change::Undo { version, edit, inverse } => {
            let edited = tree.undo(&edit, *inverse).map_err(Refused)?;
            let detail = format!("the edit of version {version}");
            Ok(Applied { detail, undid: Some(version), ..node(bench, "resource.undo", edited) })
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

fn numbered(number: usize, error: &ResourceError) -> Problem {
    let title = format!("edit {} of the list: {error}; none of them was made", number.saturating_add(1));
    Problem::new(error.code(), title).field(format!("edits.{number}"))
}

/// The tree is as the file says.
fn nothing(version: u64, target: String) -> Applied {
    let done = Done { id: String::new(), created: false, version };
    Applied { target, ..applied(done, "resource.apply", Undo::Nothing) }
}

fn applied(done: Done, action: &'static str, undo: Undo) -> Applied {
    Applied {
        done,
        action,
        target: String::new(),
        detail: String::new(),
        nodes: Vec::new(),
        moved: Vec::new(),
        gone: Vec::new(),
        sut: None,
        kept: None,
        undid: None,
        undo,
    }
}

fn node(bench: &Bench, action: &'static str, edited: Edited) -> Applied {
    let (steps, count) = bench.tree.told(&edited, limits::EDIT_STEPS_KEPT_MAX);
    let target = match steps.first() {
        Some(step) if count == 1 => step.path.clone(),
        Some(step) => format!("{} and {} more", step.path, count.saturating_sub(1)),
        None => bench.tree.path(&edited.id),
    };
    let Edited { id, created, changed, removed, moved, edit, inverse, version } = edited;
    let gone = removed.clone();
    let nodes = changed.into_iter().chain(removed).collect();
    let done = Done { id: id.to_string(), created, version };
    let kept = Some(store::edit::Edit { undo: Some((edit, inverse.clone())), steps, count });
    let undo = Undo::Edit(Box::new(inverse));
    Applied { target, nodes, moved, gone, kept, ..applied(done, action, undo) }
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
    let target = name.to_string();
    Applied { target, sut: Some(name.clone()), ..applied(done, action, Undo::Sut(name, old)) }
}

/// Takes back what could not be stored, the newest first.
pub(super) fn undo(bench: &mut Bench, undo: Undo) {
    match undo {
        Undo::Nothing => {}
        Undo::Edit(inverse) => {
            if let Err(error) = bench.tree.forget(*inverse) {
                tracing::error!(%error, "an edit that was not stored could not be undone; restart the engine");
            }
        }
        Undo::Sut(name, Some(old)) => drop(bench.suts.insert(name, old)),
        Undo::Sut(name, None) => drop(bench.suts.remove(&name)),
    }
}
