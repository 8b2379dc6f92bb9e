//! How inserts are kept: what is one transaction, how it is known later that it happened, and when.

use std::sync::Arc;

use crate::{source::At, value::Expected, xml::Fields};

/// How inserts are kept, as `db_config` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saving {
    /// `commit`: what is one transaction.
    pub each: CommitEach,
    /// `marker`: the table of ours that the lab allows in its database. A row of it is a part of each transaction, so that it can be
    /// known after any failure whether it happened.
    pub marker: Option<At<Arc<str>>>,
    /// `insert` is `live`: each test is inserted as it ends, not when its run has.
    pub live: bool,
}

/// What is one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommitEach {
    /// All statements of a test.
    #[default]
    Test,
    /// Each statement by itself.
    Statement,
    /// All of a run.
    Run,
}

/// PostgreSQL cuts longer names.
const MARKER_CHARS_MAX: usize = 63;

impl Saving {
    pub(super) fn read(fields: &Fields<'_, '_>) -> Self {
        let each = fields.parsed("commit", commit).map(|each| each.value).unwrap_or_default();
        let live = fields.parsed("insert", insert);
        let saving =
            Self { each, marker: fields.parsed("marker", marker), live: live.is_some_and(|at| at.value) };
        if saving.live && saving.each == CommitEach::Run {
            let place = fields.element().name_span();
            let message = "<insert>live</insert> and <commit>run</commit> say opposite things";
            fields.walk().error(place, message, "take one of them away");
        }
        saving
    }
}

fn commit(text: &str) -> Result<CommitEach, Expected> {
    match text {
        "test" => Ok(CommitEach::Test),
        "statement" => Ok(CommitEach::Statement),
        "run" => Ok(CommitEach::Run),
        _ => Err("`test`, `statement` or `run`"),
    }
}

fn insert(text: &str) -> Result<bool, Expected> {
    match text {
        "live" => Ok(true),
        "end" => Ok(false),
        _ => Err("`live` or `end`"),
    }
}

/// The name goes into SQL as it is: so it is one that needs no quotes in any of the databases.
fn marker(text: &str) -> Result<Arc<str>, Expected> {
    let mut letters = text.chars();
    let begins = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    let is_name = begins && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if is_name && text.len() <= MARKER_CHARS_MAX {
        Ok(text.into())
    } else {
        Err("the name of a table: letters, digits and `_`, at most 63, such as `jackfield_saved`")
    }
}
