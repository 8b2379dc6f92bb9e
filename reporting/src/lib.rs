//! Results in, documents out. Nothing here reads a disk, a clock or a database: the shell gathers [`results::Results`],
//! and each module turns them into one kind of document.
//!
//! - [`results`] is what all documents are made from; [`excerpt`] is how much of a log they show.

pub mod excerpt;
pub mod results;
