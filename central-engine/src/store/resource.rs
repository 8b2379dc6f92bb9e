//! The nodes of the test-bed tree, a row each.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    StoreError, bulk, counter,
    db::{Conn, binds},
    json,
};

/// A node as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceRow {
    /// Ten hexadecimal digits.
    pub id: String,
    /// The id of the node above it; empty for a node right below the root.
    pub parent: String,
    /// Its name in its parent.
    pub name: String,
    /// Its properties.
    pub properties: BTreeMap<String, Value>,
}

/// Writes nodes, new or changed, and deletes others, as one edit of the tree with this version.
///
/// # Errors
/// The store does not answer.
pub async fn edit(
    conn: &mut Conn,
    version: u64,
    put: &[ResourceRow],
    gone: &[String],
) -> Result<(), StoreError> {
    for id in gone {
        conn.run("DELETE FROM resource WHERE id = $1", binds![id.as_str()]).await?;
    }
    let rows = put.iter().map(|row| {
        Ok(binds![row.id.as_str(), row.parent.as_str(), row.name.as_str(), json(&row.properties)?])
    });
    let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
    let head = "INSERT INTO resource (id, parent, name, properties)";
    let tail = "ON CONFLICT (id) DO UPDATE SET parent = excluded.parent, name = excluded.name, \
                properties = excluded.properties";
    bulk::insert(conn, head, 4, tail, rows).await?;
    counter::raise(conn, counter::RESOURCE, version).await
}

/// Every node, and the version of the tree; version 0 means that nothing was ever written.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn load(conn: &mut Conn) -> Result<(u64, Vec<ResourceRow>), StoreError> {
    let version = counter::last(conn, counter::RESOURCE).await?;
    let lines = conn.rows("SELECT id, parent, name, properties FROM resource ORDER BY id", vec![]).await?;
    let read = lines.iter().map(|line| {
        Ok(ResourceRow {
            id: line.text(0)?,
            parent: line.text(1)?,
            name: line.text(2)?,
            properties: line.json(3)?,
        })
    });
    Ok((version, read.collect::<Result<_, StoreError>>()?))
}
