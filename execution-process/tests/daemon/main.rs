//! The whole EP against an engine that is a fake with a memory: real processes, real sockets, real files.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests may panic as the tests do"
)]

mod deaths;
mod engine;
mod fixture;
mod guests;
mod hostile;
mod languages;
mod link;
mod local_api;
mod logs;
mod verdicts;
