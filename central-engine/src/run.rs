//! What people do with runs: start them, give them more tests, run again what failed, and read how they went.

pub(crate) mod queue;
pub(crate) mod results;
pub(crate) mod retry;
pub(crate) mod submit;
