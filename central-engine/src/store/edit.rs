//! The history of the resource tree: what each edit did, who made it and when, and what undoes it. The newest are kept.

use jackfield_protocol::time::Time;
use jackfield_resource_allocator::{Edit as TreeEdit, plan::Step};
use serde::{Deserialize, Serialize};

use super::{
    StoreError, bulk,
    db::{Conn, Line, binds},
    from_json, json,
    reseal::place,
};
use crate::limits::{EDIT_BYTES_LARGE, EDIT_BYTES_MAX, EDITS_KEPT_MAX, LARGE_EDITS_KEPT_MAX};

/// An edit that was stored.
#[derive(Clone, Debug, PartialEq)]
pub struct EditRow {
    /// The version of the tree that it led to.
    pub version: u64,
    /// When.
    pub at: Time,
    /// Who.
    pub who: String,
    /// What was done: `resource.set`.
    pub action: String,
    /// The version of the edit that took it back.
    pub undone: Option<u64>,
    /// What it did.
    pub edit: Edit,
}

/// What an edit did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// The edit and what undoes it; none where that was too large to be kept.
    pub undo: Option<(TreeEdit, TreeEdit)>,
    /// For people: the first of what it did, node by node.
    pub steps: Vec<Step>,
    /// How many nodes it was about.
    pub count: usize,
}

const COLUMNS: &str = "version, at, who, action, undone, body";

/// Remembers edits, and forgets the oldest.
///
/// # Errors
/// The store does not answer.
pub async fn add(conn: &mut Conn, rows: &[EditRow]) -> Result<(), StoreError> {
    let Some(newest) = rows.iter().map(|row| row.version).max() else { return Ok(()) };
    let mut has_large = false;
    let mut lines = Vec::new();
    for row in rows {
        let body = kept(&row.edit)?;
        has_large |= body.len() > EDIT_BYTES_LARGE;
        let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let body = conn.seal().seal_text(&place("edit", &[&row.version.to_string()]), &body)?;
        let (who, action) = (row.who.as_str(), row.action.as_str());
        lines.push(binds![row.version, row.at.0, who, action, bytes, body]);
    }
    bulk::insert(conn, "INSERT INTO edit (version, at, who, action, bytes, body)", 6, "", lines).await?;
    if let Some(oldest) = newest.checked_sub(EDITS_KEPT_MAX) {
        conn.run("DELETE FROM edit WHERE version <= $1", binds![oldest]).await?;
    }
    if has_large {
        let newest = format!(
            "SELECT version FROM edit WHERE bytes > {EDIT_BYTES_LARGE} ORDER BY version DESC LIMIT {LARGE_EDITS_KEPT_MAX}"
        );
        let sql = format!(
            "DELETE FROM edit WHERE bytes > {EDIT_BYTES_LARGE} AND version < (SELECT MIN(version) FROM ({newest}) AS newest)"
        );
        conn.run(sqlx::AssertSqlSafe(sql), vec![]).await?;
    }
    Ok(())
}

/// What of an edit is kept: a large one cannot be undone, and of one that set very long values is told which nodes those are of.
fn kept(edit: &Edit) -> Result<String, StoreError> {
    let whole = json(edit)?;
    if whole.len() <= EDIT_BYTES_MAX {
        return Ok(whole);
    }
    let told = json(&Edit { undo: None, steps: edit.steps.clone(), count: edit.count })?;
    if told.len() <= EDIT_BYTES_MAX {
        return Ok(told);
    }
    let named =
        |step: &Step| Step { path: step.path.clone(), deed: step.deed.clone(), properties: Vec::new() };
    json(&Edit { undo: None, steps: edit.steps.iter().map(named).collect(), count: edit.count })
}

/// An edit was taken back by another.
///
/// # Errors
/// The store does not answer.
pub async fn undone(conn: &mut Conn, version: u64, by: u64) -> Result<(), StoreError> {
    conn.run("UPDATE edit SET undone = $2 WHERE version = $1", binds![version, by]).await.map(drop)
}

/// The newest before a version, newest first: at most so many, and no more of large ones than take as much as the largest.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn list(conn: &mut Conn, before: Option<u64>, limit: u32) -> Result<Vec<EditRow>, StoreError> {
    let before = before.unwrap_or(u64::MAX);
    let sql =
        format!("SELECT version, bytes FROM edit WHERE version < $1 ORDER BY version DESC LIMIT {limit}");
    let sizes = conn.rows(sqlx::AssertSqlSafe(sql), binds![before]).await?;
    let most = u64::try_from(EDIT_BYTES_MAX).unwrap_or(u64::MAX);
    let (mut oldest, mut bytes) = (before, 0_u64);
    for size in &sizes {
        bytes = bytes.saturating_add(size.number(1)?);
        if oldest < before && bytes > most {
            break;
        }
        oldest = size.number(0)?;
    }
    let sql =
        format!("SELECT {COLUMNS} FROM edit WHERE version < $1 AND version >= $2 ORDER BY version DESC");
    let lines = conn.rows(sqlx::AssertSqlSafe(sql), binds![before, oldest]).await?;
    lines.iter().map(|line| read(conn, line)).collect()
}

/// The edit that led to a version.
///
/// # Errors
/// The store does not answer, or the row cannot be read.
pub async fn find(conn: &mut Conn, version: u64) -> Result<Option<EditRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM edit WHERE version = $1");
    let line = conn.row(sqlx::AssertSqlSafe(sql), binds![version]).await?;
    line.map(|line| read(conn, &line)).transpose()
}

/// The newest of somebody's that was not taken back, and takes none back itself.
///
/// # Errors
/// The store does not answer, or the row cannot be read.
pub async fn newest_of(conn: &mut Conn, who: &str) -> Result<Option<EditRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM edit WHERE who = $1 AND undone IS NULL AND action <> 'resource.undo' ORDER BY version DESC LIMIT 1"
    );
    let line = conn.row(sqlx::AssertSqlSafe(sql), binds![who]).await?;
    line.map(|line| read(conn, &line)).transpose()
}

fn read(conn: &Conn, line: &Line) -> Result<EditRow, StoreError> {
    let version: u64 = line.number(0)?;
    let body = conn.seal().open_text(&place("edit", &[&version.to_string()]), &line.text(5)?)?;
    Ok(EditRow {
        version,
        at: Time(line.int(1)?),
        who: line.text(2)?,
        action: line.text(3)?,
        undone: line.int_opt(4)?.and_then(|undone| u64::try_from(undone).ok()),
        edit: from_json(&body)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As schema 13 keeps it: never changed.
    const STORED: &str = r#"{"undo":[{"edit":"all","edits":[{"edit":"insert","nodes":[{"id":"00000000a1","parent":"1","name":"r1","properties":{"ports":4}}]},{"edit":"merge","id":"00000000a1","properties":{"ports":null}},{"edit":"move","id":"00000000a1","parent":"1","name":"r2"}]},{"edit":"remove","id":"00000000a1"}],"steps":[{"path":"/r2","deed":{"move":{"from":"/r1"}},"properties":[{"key":"ports","before":4,"after":8}]},{"path":"/r3","deed":"create"}],"count":2}"#;

    #[test]
    fn what_an_earlier_build_remembered_is_read() {
        let edit: Edit = from_json(STORED).unwrap();
        assert_eq!(json(&edit).unwrap(), STORED);
    }

    #[test]
    fn of_a_very_large_edit_the_nodes_are_kept() {
        let mut edit: Edit = from_json(STORED).unwrap();
        edit.steps[0].properties[0].after = Some("x".repeat(EDIT_BYTES_MAX).into());
        let kept: Edit = from_json(&kept(&edit).unwrap()).unwrap();
        assert_eq!((kept.undo, kept.count), (None, 2));
        let paths: Vec<_> = kept.steps.iter().map(|step| step.path.as_str()).collect();
        assert_eq!(paths, ["/r2", "/r3"]);
        assert!(kept.steps.iter().all(|step| step.properties.is_empty()));
    }
}
