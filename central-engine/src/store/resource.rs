//! The nodes of the test-bed tree, a row each.

use jackfield_resource_allocator::NodeRow;

use super::{
    StoreError, bulk, counter,
    db::{Conn, binds},
    from_json, json,
    reseal::place,
};

/// Writes nodes, new or changed, and deletes others, as edits that lead to this version of the tree.
///
/// # Errors
/// The store does not answer.
pub async fn edit(conn: &mut Conn, version: u64, put: &[NodeRow], gone: &[String]) -> Result<(), StoreError> {
    let ids = gone.iter().map(|id| binds![id.as_str()]).collect();
    bulk::insert(conn, "DELETE FROM resource WHERE id IN (", 1, ")", ids).await?;
    let rows = put.iter().map(|row| {
        let body = conn.seal().seal_text(&place("resource", &[row.id.as_str()]), &json(row)?)?;
        Ok(binds![row.id.as_str().to_owned(), body])
    });
    let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
    let tail = "ON CONFLICT (id) DO UPDATE SET body = excluded.body";
    bulk::insert(conn, "INSERT INTO resource (id, body)", 2, tail, rows).await?;
    counter::raise(conn, counter::RESOURCE, version).await
}

/// Every node, and the version of the tree; none where nothing was ever written.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn load(conn: &mut Conn) -> Result<Option<(u64, Vec<NodeRow>)>, StoreError> {
    let lines = conn.rows("SELECT id, body FROM resource ORDER BY id", vec![]).await?;
    if lines.is_empty() {
        return Ok(None);
    }
    let version = counter::last(conn, counter::RESOURCE).await?;
    let rows = lines.iter().map(|line| {
        let body = conn.seal().open_text(&place("resource", &[line.text(0)?]), &line.text(1)?)?;
        from_json(&body)
    });
    let rows = rows.collect::<Result<_, StoreError>>()?;
    Ok(Some((version, rows)))
}
