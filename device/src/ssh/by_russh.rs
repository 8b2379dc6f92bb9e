//! SSH by russh: no thread of its own, every wait a future.

mod link;
mod login;
mod program;
mod shell;
mod words;

pub(super) use link::enter;
