//! Nodes that get another place, or go: whoever has them is asked before, and the book of leases is told.
//!
//! The loop of the engine decides who holds what, this task where nodes are. So the task waits for the loop's word, in the middle of an edit that
//! nobody has seen yet; the loop waits for nobody.

use jackfield_protocol::{error::Problem, id::UserName};
use jackfield_resource_allocator::{
    Replaced, Tree,
    book::{Moved, Spot},
};
use jackfield_scheduler::Event;

use super::change::{Applied, Undo};
use crate::engine::EngineHandle;

/// What an edit that was just made did to the places of nodes.
pub(super) fn replaced(tree: &mut Tree, applied: &Applied) -> Replaced {
    let Undo::Edit(inverse) = &applied.undo else { return Replaced::default() };
    tree.replaced(&applied.moved, &applied.gone, inverse).unwrap_or_else(|error| {
        tracing::error!(%error, "an edit could not be looked at again; restart the engine");
        Replaced::default()
    })
}

/// Tells the loop; refused where somebody has what is to be moved or deleted.
pub(super) async fn tell(replaced: Replaced, engine: &EngineHandle, by: &UserName) -> Result<(), Problem> {
    let Replaced { moved, gone } = replaced;
    engine.event(Event::Replaced { moved, gone, by: by.clone() }).await
}

/// The way back, of an edit that was not stored. Nothing of it is refused, since it changes no more than names there: whoever has it, has it.
pub(super) fn back(replaced: Replaced) -> Replaced {
    let back = |Moved { from, to }| Moved { from: Spot { above: from.above.clone(), ..to }, to: from };
    Replaced { moved: replaced.moved.into_iter().rev().map(back).collect(), gone: Vec::new() }
}
