//! Keys that clients chose, so that asking twice starts one run.

use jackfield_protocol::id::{RunId, UserName};

use super::{
    StoreError,
    db::{Conn, binds},
};

/// A run that was started with a key of the client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Who started it.
    pub owner: UserName,
    /// The client's key.
    pub key: String,
    /// The run.
    pub run: RunId,
}

pub(super) async fn insert(conn: &mut Conn, submission: &Submission) -> Result<(), StoreError> {
    let sql = "INSERT INTO submission (owner, client_key, run) VALUES ($1, $2, $3)";
    let Submission { owner, key, run } = submission;
    conn.run(sql, binds![owner.as_str(), key.as_str(), run.0]).await.map(drop)
}

/// The run that this key of this user started.
///
/// # Errors
/// The store does not answer.
pub async fn find(conn: &mut Conn, owner: &UserName, key: &str) -> Result<Option<RunId>, StoreError> {
    let sql = "SELECT run FROM submission WHERE owner = $1 AND client_key = $2";
    let line = conn.row(sql, binds![owner.as_str(), key]).await?;
    line.map(|line| Ok(RunId(line.number(0)?))).transpose()
}
