//! What an edit did, in the steps of a plan.

use std::collections::BTreeMap;

use super::{Changed, Deed, Step};
use crate::{
    edit::{Edit, Edited},
    node::{NodeRow, ResourceId},
    tree::Tree,
};

impl Tree {
    /// What an edit did a moment ago, for people: at most so many nodes, and how many there are.
    pub fn told<'t>(&'t self, edited: &'t Edited, most: usize) -> (Vec<Step>, usize) {
        let mut told = Told { tree: self, gone: BTreeMap::new(), steps: Vec::new(), count: 0, most };
        told.look_for_gone(&edited.inverse);
        told.add(&edited.edit, &edited.inverse);
        (told.steps, told.count)
    }
}

/// What edits did, in the tree after them.
struct Told<'t> {
    tree: &'t Tree,
    /// What is not in the tree any more: the one below another may have gone first.
    gone: BTreeMap<&'t ResourceId, &'t NodeRow>,
    steps: Vec<Step>,
    count: usize,
    most: usize,
}

impl<'t> Told<'t> {
    fn look_for_gone(&mut self, inverse: &'t Edit) {
        match inverse {
            Edit::All { edits } => edits.iter().for_each(|edit| self.look_for_gone(edit)),
            Edit::Insert { nodes } => self.gone.extend(nodes.iter().map(|row| (&row.id, row))),
            Edit::Remove { .. } | Edit::Move { .. } | Edit::Merge { .. } => {}
        }
    }

    fn add(&mut self, edit: &Edit, inverse: &Edit) {
        match (edit, inverse) {
            (Edit::All { edits }, Edit::All { edits: inverses }) => {
                edits.iter().zip(inverses.iter().rev()).for_each(|(edit, inverse)| self.add(edit, inverse));
            }
            (Edit::Insert { nodes }, _) => {
                for row in nodes {
                    let path = self.path(row);
                    let properties =
                        row.properties.iter().map(|(key, value)| Changed::new(key, None, Some(value)));
                    self.step(|| Step { path, deed: Deed::Create, properties: properties.collect() });
                }
            }
            (Edit::Remove { .. }, Edit::Insert { nodes }) => {
                if let Some(row) = nodes.first() {
                    let path = self.path(row);
                    self.step(|| Step { path, deed: Deed::Delete, properties: Vec::new() });
                }
            }
            (Edit::Move { id, .. }, Edit::Move { parent, name, .. }) => {
                let from = self.tree.path_in(parent, name);
                let path = self.tree.path(id);
                self.step(|| Step { path, deed: Deed::Move { from }, properties: Vec::new() });
            }
            (Edit::Merge { id, properties }, Edit::Merge { properties: before, .. }) => {
                let changed =
                    properties.iter().map(|(key, after)| Changed::new(key, before.get(key), Some(after)));
                let properties = changed.filter(|changed| changed.before != changed.after).collect();
                let path = self.tree.path(id);
                self.step(|| Step { path, deed: Deed::Change, properties });
            }
            (Edit::Remove { .. } | Edit::Move { .. } | Edit::Merge { .. } | Edit::All { .. }, _) => {}
        }
    }

    fn step(&mut self, step: impl FnOnce() -> Step) {
        self.count += 1;
        if self.steps.len() < self.most {
            self.steps.push(step());
        }
    }

    /// Also of a node that is not there any more.
    fn path(&self, row: &NodeRow) -> String {
        match &row.parent {
            Some(parent) => match self.gone.get(parent) {
                Some(above) => format!("{}/{}", self.path(above), row.name),
                None => self.tree.path_in(parent, &row.name),
            },
            None => "/".to_owned(),
        }
    }
}
