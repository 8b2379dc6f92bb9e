//! Why a statement of `db.xml` is refused: where, what, and what to do.

use std::fmt;

use super::STATEMENT_BYTES_MAX;

/// Where in a statement, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The statement, in the order of `db.xml`.
    pub statement: usize,
    /// The line in it.
    pub line: usize,
    /// The character in that line.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}, line {}, column {}", self.statement, self.line, self.column)
    }
}

/// Why a template cannot become a statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsertError {
    /// A name that nothing defines.
    #[error("{at}: nothing defines `{name}`; {help}")]
    Unknown {
        /// Where.
        at: Position,
        /// As it was written.
        name: String,
        /// The nearest name, or where names come from.
        help: String,
    },
    /// A value where only a name may stand.
    #[error(
        "{at}: `{text}` stands where the name of a table, column or function belongs; only values can be filled in, so write the name itself"
    )]
    Name {
        /// Where.
        at: Position,
        /// As it was written.
        text: String,
    },
    /// A value in a list of columns.
    #[error(
        "{at}: `{text}` stands in the list of columns; only values can be filled in, so write the column's name itself"
    )]
    Column {
        /// Where.
        at: Position,
        /// As it was written.
        text: String,
    },
    /// Two values without anything between.
    #[error(
        "{at}: `{text}` stands right beside another value; write both inside one pair of quotes, or a comma between them"
    )]
    Beside {
        /// Where.
        at: Position,
        /// As it was written.
        text: String,
    },
    /// A name in quotes that has a template inside.
    #[error(
        "{at}: `{text}` is a quoted name in this database, and names cannot be filled in; for a text write single quotes"
    )]
    QuotedName {
        /// Where.
        at: Position,
        /// As it was written.
        text: String,
    },
    /// A text of a special kind that has a template inside.
    #[error("{at}: `{text}` is a text with a prefix, which cannot be filled in; write it without the prefix")]
    Prefixed {
        /// Where.
        at: Position,
        /// As it was written.
        text: String,
    },
    /// A placeholder of the database's own.
    #[error("{at}: `{text}` is a place for a value, but nothing fills it; write `$name` or `@field@`")]
    Placeholder {
        /// Where.
        at: Position,
        /// As it was written.
        text: String,
    },
    /// A text, quoted name or comment without an end.
    #[error("{at}: this {what} does not end; close it, or double the quote inside it")]
    Open {
        /// Where it begins.
        at: Position,
        /// What it is.
        what: &'static str,
    },
    /// `/*! … */`.
    #[error(
        "{at}: a comment that MySQL runs (`/*! … */`) cannot be checked; write its content without the comment"
    )]
    ConditionalComment {
        /// Where.
        at: Position,
    },
    /// `$$` where it is no text.
    #[error("{at}: `$$` stands for a dollar sign inside quotes only; put it into quotes")]
    DollarDollar {
        /// Where.
        at: Position,
    },
    /// A further statement.
    #[error("{at}: a second statement begins here; give each its own `sql_statement` element")]
    Second {
        /// Where.
        at: Position,
    },
    /// Nothing but space and comments.
    #[error("statement {0} is empty; remove its `sql_statement` element")]
    Empty(usize),
    /// Longer than [`STATEMENT_BYTES_MAX`].
    #[error("statement {0} is longer than {STATEMENT_BYTES_MAX} bytes")]
    TooLong(usize),
}

impl InsertError {
    /// Where in the statement; none where all of it is meant.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Unknown { at, .. }
            | Self::Name { at, .. }
            | Self::Column { at, .. }
            | Self::Beside { at, .. }
            | Self::QuotedName { at, .. }
            | Self::Prefixed { at, .. }
            | Self::Placeholder { at, .. }
            | Self::Open { at, .. }
            | Self::ConditionalComment { at }
            | Self::DollarDollar { at }
            | Self::Second { at } => Some(*at),
            Self::Empty(_) | Self::TooLong(_) => None,
        }
    }
}
