//! What the tree says of the health of resources, for the book of leases: which are out of service, and which project checks
//! which.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_config::engine::HealthSettings;
use jackfield_resource_allocator::{
    NodeRow, ResourceId, Tree,
    book::{Outage, Upkeep},
};
use serde_json::Value;
use tokio::sync::watch;

use super::links::Edited;

/// The property that names the project which checks a resource, and what is in it; an empty text: none does.
const HEALTH_CHECK: &str = "health_check";

/// What is said of nodes, by those that say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signs {
    out: BTreeMap<ResourceId, Option<Outage>>,
    checks: BTreeMap<ResourceId, Arc<str>>,
}

impl Signs {
    fn of(tree: &Tree) -> Self {
        let mut signs = Self::default();
        tree.rows().for_each(|row| signs.look(tree, row));
        signs
    }

    fn look(&mut self, tree: &Tree, row: &NodeRow) {
        if let Some(said) = tree.says_out_of_service(&row.id) {
            let outage = said.map(|why| Outage { path: tree.path(&row.id), why });
            self.out.insert(row.id.clone(), outage);
        }
        if let Some(project) = row.properties.get(HEALTH_CHECK).and_then(Value::as_str) {
            self.checks.insert(row.id.clone(), project.trim().into());
        }
    }

    /// With what the settings say where the tree says nothing.
    pub(crate) fn upkeep(&self, settings: &HealthSettings) -> Upkeep {
        let HealthSettings { check, after_each, spoiled_max } = settings;
        let mut checks = self.checks.clone();
        if !check.is_empty() {
            checks.entry(ResourceId::root()).or_insert_with(|| check.as_str().into());
        }
        Upkeep { out: self.out.clone(), checks, spoiled_max: *spoiled_max, after_each: *after_each }
    }
}

/// Keeps them as the tree is edited. An edit costs as much as it changes.
#[derive(Debug)]
pub(super) struct Lookout(watch::Sender<Signs>);

impl Lookout {
    pub(super) fn new(tree: &Tree) -> (Self, watch::Receiver<Signs>) {
        let (signs, followed) = watch::channel(Signs::of(tree));
        (Self(signs), followed)
    }

    pub(super) fn edited(&self, tree: &Tree, edit: &Edited) {
        self.0.send_if_modified(|signs| {
            if edit.renamed {
                // What is renamed is another path for all that is below it.
                let before = std::mem::replace(signs, Signs::of(tree));
                return *signs != before;
            }
            let mut is_new = false;
            for id in &edit.nodes {
                let before = (signs.out.remove(id), signs.checks.remove(id));
                if let Some(row) = tree.row(id) {
                    signs.look(tree, row);
                }
                is_new |= (signs.out.get(id), signs.checks.get(id)) != (before.0.as_ref(), before.1.as_ref());
            }
            is_new
        });
    }
}
