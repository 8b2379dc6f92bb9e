//! Files of people that were taken over once, as they were then: later edits can be told from what was taken.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    StoreError,
    db::{Conn, binds},
    json,
};

/// Remembers what was taken of a file.
///
/// # Errors
/// The store does not answer.
pub async fn put(conn: &mut Conn, name: &str, body: &impl Serialize) -> Result<(), StoreError> {
    let sql = "INSERT INTO taken (name, body) VALUES ($1, $2) \
               ON CONFLICT (name) DO UPDATE SET body = excluded.body";
    conn.run(sql, binds![name, json(body)?]).await.map(drop)
}

/// What was taken of a file; none where it never was.
///
/// # Errors
/// The store does not answer, or the row cannot be read.
pub async fn fetch<T: DeserializeOwned>(conn: &mut Conn, name: &str) -> Result<Option<T>, StoreError> {
    let line = conn.row("SELECT body FROM taken WHERE name = $1", binds![name]).await?;
    line.map(|line| line.json(0)).transpose()
}
