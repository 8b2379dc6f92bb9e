//! Why the lab's database did not take something.

use std::{borrow::Cow, time::Duration};

use sqlx::{error::DatabaseError, mysql::MySqlDatabaseError, sqlite::SqliteError};

use crate::limits::LAB_DB_WAIT;

/// Why the lab's database did not take something.
#[derive(Debug, thiserror::Error)]
pub enum LabDbError {
    /// It said no, in these words.
    #[error("the database refused: {0}")]
    Refused(String),
    /// It said not now, in these words.
    #[error("the database cannot do it now: {0}")]
    Busy(String),
    /// The connection did not come to be, or is gone.
    #[error("the database cannot be reached: {0}")]
    Lost(String),
    /// It did not answer.
    #[error("the database did not answer within {0:?}")]
    Late(Duration),
    /// It gave something that we cannot read.
    #[error("the database gave {0}, which cannot be read as text")]
    Unreadable(String),
}

impl LabDbError {
    /// Whether the database said, to all that was asked in the transaction, that it did nothing.
    pub fn is_certain(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Busy(_) => true,
            Self::Lost(_) | Self::Late(_) | Self::Unreadable(_) => false,
        }
    }
}

/// What a server says when it goes down, ends this connection, or is not up yet: the first is an SQL state of PostgreSQL, the second a
/// number of MySQL.
fn is_leaving(state: &str, number: Option<u16>) -> bool {
    state.starts_with("57P") || matches!(number, Some(1053 | 1077 | 1079 | 1927 | 1317))
}

/// What passes by itself or when a person has made room: deadlocks, locks that were held for too long, a server with too many
/// connections, a full disk.
fn is_busy(state: &str, number: Option<u16>) -> bool {
    state.starts_with("53")
        || matches!(state, "40001" | "40P01" | "55P03")
        || matches!(number, Some(1021 | 1040 | 1114 | 1203 | 1205 | 1213))
}

/// The same of SQLite, by the lower byte of its number: busy, locked, full.
fn is_busy_file(code: &str) -> bool {
    code.parse().is_ok_and(|code: u32| matches!(code & 0xff, 5 | 6 | 13))
}

/// What an error has for programs: an SQL state (of SQLite its number), MySQL's number, and whether it is SQLite's.
fn codes<'a>(said: &'a (dyn DatabaseError + 'static)) -> (Cow<'a, str>, Option<u16>, bool) {
    let number = said.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number);
    let is_file = said.try_downcast_ref::<SqliteError>().is_some();
    (said.code().unwrap_or_default(), number, is_file)
}

impl From<sqlx::Error> for LabDbError {
    /// The database's own words, without ours around them.
    fn from(error: sqlx::Error) -> Self {
        let Some(said) = error.as_database_error() else { return Self::Lost(error.to_string()) };
        let (state, number, is_file) = codes(said);
        let words = said.message().to_owned();
        if is_leaving(&state, number) {
            Self::Lost(words)
        } else if is_busy(&state, number) || (is_file && is_busy_file(&state)) {
            Self::Busy(words)
        } else {
            Self::Refused(words)
        }
    }
}

/// What is asked of the database, with its limit.
pub(super) async fn in_time<T>(asked: impl Future<Output = Result<T, LabDbError>>) -> Result<T, LabDbError> {
    tokio::time::timeout(LAB_DB_WAIT, asked).await.unwrap_or(Err(LabDbError::Late(LAB_DB_WAIT)))
}

/// Why rows of a query stopped coming.
pub(super) enum Interrupted {
    /// The database ended it, since its time was over.
    TooLong,
    /// Whatever else.
    Other(LabDbError),
}

impl From<sqlx::Error> for Interrupted {
    fn from(error: sqlx::Error) -> Self {
        let is_over = error.as_database_error().is_some_and(|said| {
            let (state, number, is_file) = codes(said);
            // PostgreSQL's, MariaDB's and MySQL's, SQLite's.
            state == "57014" || matches!(number, Some(1969 | 3024)) || (is_file && state == "9")
        });
        if is_over { Self::TooLong } else { Self::Other(error.into()) }
    }
}

impl From<LabDbError> for Interrupted {
    fn from(error: LabDbError) -> Self {
        Self::Other(error)
    }
}
