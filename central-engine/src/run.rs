//! What people do with runs: start them, give them more tests, run again what failed, and read how they went.

pub(crate) mod asked;
pub(crate) mod check;
pub(crate) mod delete;
pub(crate) mod notices;
pub(crate) mod open;
pub(crate) mod outline;
pub(crate) mod queue;
pub(crate) mod results;
pub(crate) mod retry;
pub(crate) mod rights;
pub(crate) mod submit;
pub(crate) mod tags;
mod taking;
