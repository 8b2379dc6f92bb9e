//! Resources that are not fit to be given, or that the lab spoiled a use of; what is sound has no row.

use jackfield_resource_allocator::book::Health;

use super::{
    StoreError,
    db::{Conn, binds},
    json,
};

pub(super) async fn write(conn: &mut Conn, rows: impl Iterator<Item = Health>) -> Result<(), StoreError> {
    for health in rows {
        let node = health.spot.node.as_str();
        if health.is_sound() {
            conn.run("DELETE FROM health WHERE node = $1", binds![node]).await?;
            continue;
        }
        let sql = "INSERT INTO health (node, body) VALUES ($1, $2) \
                   ON CONFLICT (node) DO UPDATE SET body = excluded.body";
        conn.run(sql, binds![node, json(&health)?]).await?;
    }
    Ok(())
}

/// All that there are, by node.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn all(conn: &mut Conn) -> Result<Vec<Health>, StoreError> {
    let lines = conn.rows("SELECT body FROM health ORDER BY node", vec![]).await?;
    lines.iter().map(|line| line.json(0)).collect()
}
