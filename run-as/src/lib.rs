//! Programs and small chores as another user than the one who asks.
//!
//! An Execution Process has a token, a spool and the files of everybody's tests; a test must have none of them. So tests run as users of their
//! own, and what an EP does with a path that a test named, it has done as the test's user too. Two programs get there: that of an EP, called with
//! the word `run-as`, which root alone may do, and `jackfield-run-as`, which root installs with the set-user-ID bit for EPs that are not root ([`Permits`]).
//!
//! ```text
//! who asks, and for whom ──permitted──▶ limits that root may raise ──▶ the user is taken on, for good ──▶ deed
//! ```
//!
//! Nothing that the caller says is looked at with more rights than those of the user: paths and programs come after the change.

use std::{ffi::OsString, path::Path, process::ExitCode};

pub use account::{Account, Possession, possessions};
pub use deed::{Deed, Limits, Order, Whom};
pub use permits::{PERMITS, Permits};
pub use start::{GO, heard};

mod account;
mod chores;
mod deed;
mod permits;
mod start;

/// The exit status of a chore whose file is not there.
pub const NOT_THERE: u8 = 3;
/// The exit status of whoever could not do what was asked; why, it says on standard error.
pub const FAILED: u8 = 1;
/// The exit status of whoever does not take part in this at all: not permitted, or no such user.
pub const REFUSED: u8 = 4;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The arguments are no order.
    #[error("{0}; this program is called by an execution process")]
    NoOrder(String),
    /// There is no such user.
    #[error("there is no user `{0}` on this machine")]
    NoUser(String),
    /// Nobody may become this one.
    #[error("tests never run as `{0}`, who is root")]
    Root(String),
    /// The caller may not.
    #[error("user {caller} may not run as `{user}`: root adds the line `{caller}: {user}` to {file}")]
    NotPermitted {
        /// By the real user id.
        caller: String,
        /// As whom.
        user: String,
        /// Where it would stand.
        file: String,
    },
    /// The file of permits cannot be believed.
    #[error("{file}: {why}")]
    Permits {
        /// The file.
        file: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// This program has not the rights that it needs.
    #[error(
        "{0} has no right to change users: it belongs to root and has the set-user-ID bit, or is called by root"
    )]
    Powerless(String),
    /// The system did not do it, or not wholly.
    #[error("user `{user}` cannot be taken on: {why}")]
    Change {
        /// As whom.
        user: String,
        /// What went wrong.
        why: String,
    },
    /// A file that a chore needs is not there.
    #[error("`{0}`: no such file or directory")]
    NotThere(String),
    /// A chore did not succeed.
    #[error("{0}")]
    Chore(String),
}

/// Who decides whether the caller may become somebody else.
#[derive(Clone, Copy, Debug)]
pub enum Gate<'a> {
    /// The caller is root, and root may.
    Root,
    /// A file that root wrote.
    File(&'a Path),
}

/// Does what the arguments say. Comes back only where a chore is done, or where something went wrong.
pub fn carry_out(gate: Gate<'_>, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let done = Order::read(arguments).and_then(|order| become_and_do(gate, &order));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            start::complain(&fault);
            ExitCode::from(match fault {
                Fault::NotThere(_) => NOT_THERE,
                Fault::Chore(_) | Fault::NoOrder(_) => FAILED,
                Fault::NoUser(_)
                | Fault::Root(_)
                | Fault::NotPermitted { .. }
                | Fault::Permits { .. }
                | Fault::Powerless(_)
                | Fault::Change { .. } => REFUSED,
            })
        }
    }
}

/// Becomes a program as soon as whoever stands at the other end of standard input says [`GO`]: until then it can be put where it belongs. Comes
/// back only where something went wrong.
pub fn when_told(command: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command: Vec<OsString> = command.into_iter().collect();
    if let Err(fault) = start::when_told(&command) {
        start::complain(&fault);
    }
    ExitCode::from(FAILED)
}

/// Goes into a control group of this name below the first word, and becomes the program behind it. Comes back only where something went wrong.
pub fn in_group(name: &str, words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut words = words.into_iter();
    let parent = std::path::PathBuf::from(words.next().unwrap_or_default());
    let command: Vec<OsString> = words.collect();
    if let Err(fault) = start::in_group(&parent, name, &command) {
        start::complain(&fault);
    }
    ExitCode::from(FAILED)
}

fn become_and_do(gate: Gate<'_>, order: &Order) -> Result<(), Fault> {
    let account = Account::find(&order.user)?;
    permits::check(gate, &account)?;
    if let Deed::Start { limits, .. } = &order.deed {
        start::raise(*limits);
    }
    account.take_on()?;
    match &order.deed {
        Deed::Start { home, plain, waits, command, .. } => {
            start::start(&account, home.as_deref(), start::Manner { plain: *plain, waits: *waits }, command)
        }
        Deed::Read { most, file } => chores::read(file, *most),
        Deed::Write { file } => chores::write(file),
        Deed::End { signal, whom } => chores::end(*signal, whom),
        Deed::Clear { folder, since } => chores::clear(folder, *since),
        Deed::Reach { paths } => chores::reach(paths),
    }
}
