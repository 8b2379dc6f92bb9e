//! The expect engine: patterns over bytes as they arrive.
//!
//! - [`pattern`] is what is awaited: texts and regular expressions, compiled once;
//! - [`matcher`] finds them, looking at each byte once, however the bytes were cut on their way;
//! - [`dialogue`] joins a matcher with a channel, a deadline and a record; [`outcome`] is what comes of it.

pub mod dialogue;
mod literal;
pub mod matcher;
pub mod outcome;
pub mod pattern;

pub use dialogue::Dialogue;
pub use outcome::{ExpectError, Match, Seen};
pub use pattern::{PatternError, Patterns};
