//! Where nodes were that an edit moved or took out.

use std::collections::BTreeSet;

use crate::{
    book::{Moved, Spot},
    edit::Edit,
    error::ResourceError,
    node::ResourceId,
    tree::Tree,
};

/// What an edit does to the places of nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Nodes that are elsewhere, or have another name.
    pub moved: Vec<Moved>,
    /// Nodes that are gone with all that was in them, where they were.
    pub gone: Vec<Spot>,
}

impl Replaced {
    /// Whether every node is where it was.
    pub fn is_nothing(&self) -> bool {
        self.moved.is_empty() && self.gone.is_empty()
    }
}

impl Tree {
    /// What the newest edit did to the places of nodes. The tree is taken back for a look at where they were, and is as it was found then.
    ///
    /// # Errors
    /// That was not the newest edit.
    pub fn replaced(
        &mut self,
        moved: &[ResourceId],
        gone: &[ResourceId],
        inverse: &Edit,
    ) -> Result<Replaced, ResourceError> {
        if moved.is_empty() && gone.is_empty() {
            return Ok(Replaced::default());
        }
        let after: Vec<_> = moved.iter().filter_map(|id| self.spot_at(id)).collect();
        let back = self.make(inverse.clone())?;
        let moved = after.into_iter().filter_map(|to| Some(Moved { from: self.spot_at(&to.node)?, to }));
        let moved = moved.filter(|moved| moved.from != moved.to).collect();
        let all: BTreeSet<&ResourceId> = gone.iter().collect();
        let outermost = |spot: &Spot| !spot.above.last().is_some_and(|parent| all.contains(parent));
        let gone = all.iter().filter_map(|id| self.spot_at(id)).filter(outermost).collect();
        self.make(back.inverse)?;
        Ok(Replaced { moved, gone })
    }
}
