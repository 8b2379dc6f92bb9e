//! Whether this machine has what a story needs. What is missing ends the story, unless a person has said that it is to be left out.

use std::path::Path;

/// Names, separated by commas, of what a machine does not have and its tests shall do without.
const WITHOUT: &str = "JACKFIELD_WITHOUT";

/// Names, separated by commas, of what takes too long to fetch to be tested unasked.
const WITH: &str = "JACKFIELD_WITH";

/// Whether somebody asked for stories with this, which are otherwise left out; `how` says what asking for them takes.
#[expect(clippy::print_stderr, reason = "a story that is left out says so")]
#[expect(
    clippy::disallowed_methods,
    reason = "what a machine shall fetch is told to tests by its environment"
)]
pub fn asked_for(name: &str, how: &str) -> bool {
    let with = std::env::var(WITH).unwrap_or_default();
    let asked = with.split(',').any(|word| word.trim() == name);
    if !asked {
        eprintln!("left out: {WITH}={name} asks for it; {how}");
    }
    asked
}

/// Whether stories with this Debian package are left out here; `shows` is a file of it.
///
/// # Panics
/// It is missing, and nobody said that it may be.
#[expect(clippy::print_stderr, reason = "a story that is left out says so")]
#[expect(clippy::disallowed_methods, reason = "what a machine lacks is told to tests by its environment")]
pub fn left_out(package: &str, shows: &str) -> bool {
    let without = std::env::var(WITHOUT).unwrap_or_default();
    if without.split(',').any(|name| name.trim() == package) {
        eprintln!("left out: {WITHOUT} names {package}");
        return true;
    }
    let is_there = Path::new(shows).try_exists().unwrap_or(false);
    assert!(is_there, "{shows} is missing: run `cargo xtask setup`, or do without by {WITHOUT}={package}");
    false
}
