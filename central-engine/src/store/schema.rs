//! The tables, as a list of steps that only grows. A store remembers which steps it has taken.
//!
//! Column types are BIGINT, TEXT and BYTES; the last is spelled per database. Instants are milliseconds since 1970.

use jackfield_protocol::time::Time;

use super::{
    StoreError,
    db::{Conn, binds},
};

/// Each step is applied once, in order, in one transaction with its mark.
const STEPS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
    include_str!("schema/9.sql"),
    include_str!("schema/10.sql"),
    include_str!("schema/11.sql"),
    include_str!("schema/12.sql"),
    include_str!("schema/13.sql"),
    include_str!("schema/14.sql"),
    include_str!("schema/15.sql"),
];

/// Any number that no other program on the same PostgreSQL takes by chance: the lock that keeps two engines from
/// migrating at once.
const MIGRATION_LOCK: i64 = 7_306_350_841;

/// Brings the tables up to this build.
pub(super) async fn migrate(conn: &mut Conn, now: Time) -> Result<(), StoreError> {
    take_steps(conn, now, STEPS).await
}

/// Brings the tables up to an earlier build, for the tests of what comes after it.
#[cfg(test)]
pub(super) async fn migrate_to(conn: &mut Conn, now: Time, step: usize) -> Result<(), StoreError> {
    take_steps(conn, now, &STEPS[..step]).await
}

/// The steps that there are.
#[cfg(test)]
pub(super) const NEWEST: usize = STEPS.len();

async fn take_steps(conn: &mut Conn, now: Time, steps: &[&str]) -> Result<(), StoreError> {
    if conn.is_postgres() {
        conn.rows("SELECT pg_advisory_xact_lock($1)", binds![MIGRATION_LOCK]).await?;
    }
    let table = "CREATE TABLE IF NOT EXISTS migration (step BIGINT PRIMARY KEY, applied BIGINT NOT NULL)";
    conn.run(table, vec![]).await?;
    let newest = conn.row("SELECT MAX(step) FROM migration", vec![]).await?;
    let done = newest.map(|line| line.int_opt(0)).transpose()?.flatten().unwrap_or(0);
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if done > known {
        return Err(StoreError::Newer { store: done, build: known });
    }
    for (step, sql) in (1_i64..).zip(steps) {
        if step > done {
            let bytes = if conn.is_postgres() { "BYTEA" } else { "BLOB" };
            conn.script(sql.replace(" BYTES ", &format!(" {bytes} "))).await?;
            conn.run("INSERT INTO migration (step, applied) VALUES ($1, $2)", binds![step, now.0]).await?;
        }
    }
    Ok(())
}
