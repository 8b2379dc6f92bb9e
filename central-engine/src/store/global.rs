//! Global parameters that tests set while they run, per user; `globals.xml` holds those that people write.

use jackfield_protocol::id::UserName;
use serde_json::Value;

use super::{
    StoreError,
    db::{Conn, binds},
    from_json, json,
    reseal::place,
};

/// Sets a parameter of a user.
///
/// # Errors
/// The store does not answer.
pub async fn put(conn: &mut Conn, owner: &UserName, path: &str, value: &Value) -> Result<(), StoreError> {
    let sql = "INSERT INTO global (owner, path, value) VALUES ($1, $2, $3) \
               ON CONFLICT (owner, path) DO UPDATE SET value = excluded.value";
    let value = conn.seal().seal_text(&place("global", &[owner.as_str(), path]), &json(value)?)?;
    conn.run(sql, binds![owner.as_str(), path, value]).await.map(drop)
}

/// The value of a parameter, if a test has set it.
///
/// # Errors
/// The store does not answer, or the value cannot be read.
pub async fn fetch(conn: &mut Conn, owner: &UserName, path: &str) -> Result<Option<Value>, StoreError> {
    let sql = "SELECT value FROM global WHERE owner = $1 AND path = $2";
    let line = conn.row(sql, binds![owner.as_str(), path]).await?;
    line.map(|line| open(conn, owner, path, &line.text(0)?)).transpose()
}

/// Forgets a parameter that a test has set; false where none has.
///
/// # Errors
/// The store does not answer.
pub async fn forget(conn: &mut Conn, owner: &UserName, path: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM global WHERE owner = $1 AND path = $2";
    Ok(conn.run(sql, binds![owner.as_str(), path]).await? > 0)
}

/// Everything the tests of a user have set, by path.
///
/// # Errors
/// The store does not answer, or a value cannot be read.
pub async fn list(conn: &mut Conn, owner: &UserName) -> Result<Vec<(String, Value)>, StoreError> {
    let sql = "SELECT path, value FROM global WHERE owner = $1 ORDER BY path";
    let lines = conn.rows(sql, binds![owner.as_str()]).await?;
    let opened = lines.iter().map(|line| {
        let path = line.text(0)?;
        let value = open(conn, owner, &path, &line.text(1)?)?;
        Ok((path, value))
    });
    opened.collect()
}

fn open(conn: &Conn, owner: &UserName, path: &str, sealed: &str) -> Result<Value, StoreError> {
    from_json(&conn.seal().open_text(&place("global", &[owner.as_str(), path]), sealed)?)
}
