//! SUTs, each a whole tree in one row.

use jackfield_protocol::id::SutName;
use serde_json::Value;

use super::{
    StoreError,
    db::{Conn, Line, binds},
    from_json, json,
    reseal::place,
};

/// A SUT as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct SutRow {
    /// `name.user` or `name.system`.
    pub name: SutName,
    /// Grows with each edit.
    pub version: u64,
    /// The tree, in the shape of a SUT file.
    pub body: Value,
}

/// Makes or replaces a SUT.
///
/// # Errors
/// The store does not answer.
pub async fn put(conn: &mut Conn, sut: &SutRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO sut (name, version, body) VALUES ($1, $2, $3) \
               ON CONFLICT (name) DO UPDATE SET version = excluded.version, body = excluded.body";
    let body = conn.seal().seal_text(&place("sut", &[sut.name.as_str()]), &json(&sut.body)?)?;
    conn.run(sql, binds![sut.name.as_str(), sut.version, body]).await.map(drop)
}

/// The SUT of this name.
///
/// # Errors
/// The store does not answer, or the row cannot be read.
pub async fn fetch(conn: &mut Conn, name: &SutName) -> Result<Option<SutRow>, StoreError> {
    let sql = "SELECT name, version, body FROM sut WHERE name = $1";
    let line = conn.row(sql, binds![name.as_str()]).await?;
    line.map(|line| read(conn, &line)).transpose()
}

/// All SUTs, by name.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn list(conn: &mut Conn) -> Result<Vec<SutRow>, StoreError> {
    let lines = conn.rows("SELECT name, version, body FROM sut ORDER BY name", vec![]).await?;
    lines.iter().map(|line| read(conn, line)).collect()
}

/// Removes a SUT; false where there was none.
///
/// # Errors
/// The store does not answer.
pub async fn delete(conn: &mut Conn, name: &SutName) -> Result<bool, StoreError> {
    Ok(conn.run("DELETE FROM sut WHERE name = $1", binds![name.as_str()]).await? > 0)
}

fn read(conn: &Conn, line: &Line) -> Result<SutRow, StoreError> {
    let name = line.text(0)?;
    let body = conn.seal().open_text(&place("sut", &[&name]), &line.text(2)?)?;
    Ok(SutRow { name: name.as_str().into(), version: line.number(1)?, body: from_json(&body)? })
}
