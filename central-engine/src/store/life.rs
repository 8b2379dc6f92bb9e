//! The lives of this engine: one row for each start.

use std::collections::BTreeMap;

use jackfield_protocol::{id::RunId, time::Time};

use super::{
    StoreError, counter,
    db::{Conn, binds},
};

/// What is known of the engine's lives: by word, the newest run that each may have given out; none for the present one.
pub type Lives = BTreeMap<String, Option<RunId>>;

/// The word of the first life, by which one store is told from another; none where it has had none.
///
/// # Errors
/// The store does not answer.
pub async fn first(conn: &mut Conn) -> Result<Option<String>, StoreError> {
    let line = conn.row("SELECT word FROM life ORDER BY number LIMIT 1", vec![]).await?;
    line.map(|line| line.text(0)).transpose()
}

/// Begins a life; the answer is all of them.
///
/// # Errors
/// The store does not answer.
pub async fn begin(conn: &mut Conn, word: &str, now: Time) -> Result<Lives, StoreError> {
    let last_run = counter::last(conn, counter::RUN).await?;
    let newest = conn.row("SELECT MAX(number) FROM life", vec![]).await?;
    let number = newest.map(|line| line.int_opt(0)).transpose()?.flatten().unwrap_or(0).saturating_add(1);
    let sql = "INSERT INTO life (number, word, started, last_run) VALUES ($1, $2, $3, $4)";
    conn.run(sql, binds![number, word, now.0, last_run]).await?;
    let lines = conn.rows("SELECT word, last_run FROM life ORDER BY number DESC", vec![]).await?;
    let mut lives = Lives::new();
    // Read backwards: what a life gave out ended where the next one began.
    let mut end = None;
    for line in lines {
        lives.insert(line.text(0)?, end);
        end = Some(RunId(line.number(1)?));
    }
    Ok(lives)
}
