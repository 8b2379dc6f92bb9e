//! What SUTs link to, for the book of leases: whoever has a SUT has the resources in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::id::SutName;
use jackfield_resource_allocator::{ResourceId, Tree, book::Spot};
use serde_json::Value;
use tokio::sync::watch;

use super::Bench;

/// The nodes of each SUT that links to any.
pub(crate) type Links = BTreeMap<SutName, Arc<[Spot]>>;

/// Keeps them as tree and SUTs are edited. An edit costs as much as it changes.
#[derive(Debug)]
pub(super) struct Linker {
    /// Which SUTs name a node, whether there is one or not.
    named: BTreeMap<ResourceId, BTreeSet<SutName>>,
    /// The nodes that a SUT names.
    names: BTreeMap<SutName, BTreeSet<ResourceId>>,
    links: watch::Sender<Links>,
}

impl Linker {
    pub(super) fn new(bench: &Bench) -> (Self, watch::Receiver<Links>) {
        let (links, followed) = watch::channel(Links::new());
        let mut linker = Self { named: BTreeMap::new(), names: BTreeMap::new(), links };
        linker.look_again(bench, bench.suts.iter().map(|(name, _)| name.clone()).collect());
        (linker, followed)
    }

    /// Nodes came, went or changed, or SUTs did. A node that is renamed is another path for all that is below it.
    pub(super) fn edited(&mut self, bench: &Bench, edit: &Edited) {
        let mut suts = edit.suts.clone();
        if edit.renamed {
            suts.extend(bench.suts.iter().map(|(name, _)| name.clone()));
        }
        for node in &edit.nodes {
            suts.extend(self.named.get(node).into_iter().flatten().cloned());
        }
        self.look_again(bench, suts);
    }

    fn look_again(&mut self, bench: &Bench, suts: BTreeSet<SutName>) {
        let mut news = Vec::new();
        for name in suts {
            let named: BTreeSet<_> = bench.suts.sut(&name).into_iter().flat_map(links_of).collect();
            let spots: BTreeSet<_> = named.iter().filter_map(|id| bench.tree.spot_at(id)).collect();
            for id in self.names.remove(&name).into_iter().flatten() {
                if let Some(users) = self.named.get_mut(&id) {
                    users.remove(&name);
                }
            }
            for id in &named {
                self.named.entry(id.clone()).or_default().insert(name.clone());
            }
            if !named.is_empty() {
                self.names.insert(name.clone(), named);
            }
            news.push((name, spots.into_iter().collect::<Arc<[Spot]>>()));
        }
        self.links.send_if_modified(|links| {
            let mut changed = false;
            for (name, spots) in news {
                let wanted = Some(spots).filter(|spots| !spots.is_empty());
                if links.get(&name) != wanted.as_ref() {
                    changed = true;
                    match wanted {
                        Some(spots) => drop(links.insert(name, spots)),
                        None => drop(links.remove(&name)),
                    }
                }
            }
            changed
        });
    }
}

/// What a batch of edits touched.
#[derive(Debug, Default)]
pub(super) struct Edited {
    pub(super) nodes: BTreeSet<ResourceId>,
    pub(super) suts: BTreeSet<SutName>,
    pub(super) renamed: bool,
}

/// The ids that the components of a SUT are linked with.
fn links_of(sut: &Tree) -> impl Iterator<Item = ResourceId> {
    sut.rows().filter_map(|row| ResourceId::parse(row.properties.get("_id").and_then(Value::as_str)?))
}
