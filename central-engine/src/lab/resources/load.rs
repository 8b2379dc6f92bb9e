//! The bench at the start of the engine: from the store's rows, or at the first start from the lab's files.

use jackfield_protocol::error::Problem;
use jackfield_resource_allocator::{NodeRow, ResourceError, Suts, Tree};

use super::{Bench, FirstResources, Refused};
use crate::store::{self, Store, sut::SutRow};

pub(super) async fn load(store: &Store, first: FirstResources) -> Result<Bench, Problem> {
    let mut conn = store.read().await?;
    let stored = store::resource::load(&mut conn).await?;
    let suts = store::sut::list(&mut conn).await?;
    drop(conn);
    let bad = |error: ResourceError| Problem::from(Refused(error));
    let Some((version, rows)) = stored else { return take_in(store, first).await };
    let mut bench = Bench { tree: Tree::from_rows(version, rows).map_err(bad)?, suts: Suts::default() };
    for SutRow { name, version, mut body } in suts {
        if let Some(fields) = body.as_object_mut() {
            fields.insert("version".to_owned(), version.into());
        }
        bench.suts.insert(name, Tree::from_json(body).map_err(bad)?);
    }
    Ok(bench)
}

/// The first start: the lab's files become rows, all or none.
async fn take_in(store: &Store, first: FirstResources) -> Result<Bench, Problem> {
    let named = |file: &str, error: ResourceError| Problem::new(error.code(), format!("{file}: {error}"));
    let tree = first.tree.map(Tree::from_json).transpose().map_err(|error| named("resources.json", error))?;
    let mut bench = Bench { tree: tree.unwrap_or_default(), suts: Suts::default() };
    let mut conn = store.write().await?;
    let rows: Vec<NodeRow> = bench.tree.rows().cloned().collect();
    store::resource::edit(&mut conn, bench.tree.version(), &rows, &[]).await?;
    for (name, body) in first.suts {
        let sut = Tree::from_json(body).map_err(|error| named(&format!("sut/{name}"), error))?;
        let row = SutRow { name: name.clone(), version: sut.version(), body: sut.to_json() };
        store::sut::put(&mut conn, &row).await?;
        bench.suts.insert(name, sut);
    }
    conn.commit().await?;
    Ok(bench)
}
