//! Every function of the store, on SQLite and on PostgreSQL.

pub(crate) mod both;
mod damaged;
pub(crate) mod fixture;
mod others;
mod retention;
mod runs;
mod sealed;
mod upgrade;
