//! Runs that go: for a person who deletes one, and by the lab's rules for old runs.

use jackfield_protocol::id::RunId;

use crate::{
    app::App,
    logs::LogError,
    store::{self, Conn, StoreError},
};

/// Why a run is not gone, or not all of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeleteError {
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its logs are still there.
    #[error(transparent)]
    Logs(#[from] LogError),
}

/// Removes a run: with the transaction that `conn` is and whatever was written in it, it is gone for everybody; then what lies behind it. A crash
/// after the first leaves rows and logs to which nothing leads, and [`clear`] takes up there.
///
/// # Errors
/// The store or the disk refused; where the first step was done, the rest is done later.
pub(crate) async fn delete(app: &App, mut conn: Conn, run: RunId) -> Result<(), DeleteError> {
    let owner = store::run::summary(&mut conn, run).await?.map(|summary| summary.user);
    store::retention::forget(&mut conn, run).await?;
    conn.commit().await?;
    // Pages that show it learn that it is gone.
    if let Some(owner) = owner {
        app.feed.run_deleted(run, owner);
    }
    clear(app, run).await
}

/// Removes what lies behind a run that is gone.
///
/// # Errors
/// The store or the disk refused; the rest is done later.
pub(crate) async fn clear(app: &App, run: RunId) -> Result<(), DeleteError> {
    app.store.forget_plan(run);
    app.logs.delete(run).await?;
    loop {
        let mut conn = app.store.write().await?;
        let more = store::retention::clear_some(&mut conn, run).await?;
        conn.commit().await?;
        if !more {
            return Ok(());
        }
    }
}
