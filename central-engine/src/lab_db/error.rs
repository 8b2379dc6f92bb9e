//! Why the lab's database did not take something.

use std::time::Duration;

use crate::limits::LAB_DB_WAIT;

/// Why the lab's database did not take something.
#[derive(Debug, thiserror::Error)]
pub enum LabDbError {
    /// It said no, in these words.
    #[error("the database refused: {0}")]
    Refused(String),
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

impl From<sqlx::Error> for LabDbError {
    /// The database's own words, without ours around them.
    fn from(error: sqlx::Error) -> Self {
        if let Some(error) = error.as_database_error() {
            return Self::Refused(error.message().to_owned());
        }
        Self::Lost(error.to_string())
    }
}

/// What is asked of the database, with its limit.
pub(super) async fn in_time<T>(asked: impl Future<Output = Result<T, LabDbError>>) -> Result<T, LabDbError> {
    tokio::time::timeout(LAB_DB_WAIT, asked).await.unwrap_or(Err(LabDbError::Late(LAB_DB_WAIT)))
}
