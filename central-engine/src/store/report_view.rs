//! Views of reports that people keep under a name: which report, with which values, sorted and filtered how.

use std::collections::BTreeMap;

use jackfield_protocol::id::UserName;
use serde::{Deserialize, Serialize};

use super::{
    StoreError,
    db::{Conn, Line, binds},
    json,
};

/// What a view shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The report.
    pub report: String,
    /// What the page's address says: values of fields, order, filters.
    pub query: BTreeMap<String, String>,
    /// Whether everybody sees the view, or its owner alone.
    pub everybody: bool,
}

/// A view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewRow {
    /// Who keeps it.
    pub owner: UserName,
    /// Under which name; each of theirs has another.
    pub name: String,
    /// What it shows.
    pub shown: Shown,
}

/// Keeps a view, in the place of one that has its name.
///
/// # Errors
/// The store does not answer.
pub async fn put(conn: &mut Conn, view: &ViewRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO report_view (owner, name, body) VALUES ($1, $2, $3) \
               ON CONFLICT (owner, name) DO UPDATE SET body = excluded.body";
    let binds = binds![view.owner.as_str(), view.name.as_str(), json(&view.shown)?];
    conn.run(sql, binds).await.map(drop)
}

/// Everybody's views, by owner and name.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn list(conn: &mut Conn) -> Result<Vec<ViewRow>, StoreError> {
    let sql = "SELECT owner, name, body FROM report_view ORDER BY owner, name";
    conn.rows(sql, vec![]).await?.iter().map(read).collect()
}

/// Forgets a view; false where there is none.
///
/// # Errors
/// The store does not answer.
pub async fn delete(conn: &mut Conn, owner: &UserName, name: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM report_view WHERE owner = $1 AND name = $2";
    Ok(conn.run(sql, binds![owner.as_str(), name]).await? > 0)
}

fn read(line: &Line) -> Result<ViewRow, StoreError> {
    Ok(ViewRow { owner: line.text(0)?.into(), name: line.text(1)?, shown: line.json(2)? })
}
