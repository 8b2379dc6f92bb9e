//! The tree of lab resources, the SUTs that point into it, and the book of who holds what of it. Pure: no I/O, no
//! clock, no dice (new ids are given).
//!
//! ```text
//! Tree          test beds, or one SUT: nodes by id, children by name
//!   query.rs    `/tb1/dev2:ip`, `0c651e3670:ip`         what people and tests ask
//!   selector.rs `kind=router, ports>=4`                 which resources are meant
//!   act.rs      set, rename, delete, move, copy         what people and tests ask, alone or several as one
//!   edit.rs     Edit ── apply ──▶ its inverse Edit      what that becomes; undone later, if nobody touched the same
//!   plan.rs     Outline ── plan ──▶ steps, Edit         from what a file says to what makes the tree so
//!   json.rs     Twister's resources.json, sut/*.json    read and written without loss
//!   needs.rs    `2x kind=router; same bench`            what is needed together, and what fits
//! Suts          all SUTs by name; their `_id` properties are links into the test beds
//! Book          leases: who has what, who waits for it, who has booked it
//!   recurrence.rs `each Monday at 06:00`              when bookings that recur begin
//! ```
//!
//! Reading or changing one node costs its depth, whatever the size of the tree.

mod act;
pub mod book;
mod columns;
mod edit;
mod error;
mod json;
mod name;
pub mod needs;
mod node;
pub mod plan;
mod query;
pub mod recurrence;
mod replaced;
pub mod selector;
mod sut;
#[cfg(test)]
mod tests;
mod tree;

pub use crate::{
    act::{Act, EDIT_NODES_MAX, Ids, PROPERTIES_BYTES_MAX},
    edit::{Edit, Edited},
    error::{Names, ResourceError},
    node::{NodeRow, ResourceId},
    query::Answer,
    replaced::Replaced,
    sut::Suts,
    tree::Tree,
};
