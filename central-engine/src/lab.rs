//! What the engine knows of the lab at this moment: its resources, its EPs, and who sits at consoles.
//!
//! Resources and global parameters are rows; connections and consoles live no longer than this process.

pub(crate) mod calendar_event;
pub mod consoles;
pub mod eps;
pub(crate) mod first_files;
pub(crate) mod git;
pub mod globals;
pub(crate) mod held;
pub(crate) mod open_files;
pub mod resources;
pub(crate) mod veil;
