//! The daemon on a lab workstation.
//!
//! It dials out to the engine, takes tests ahead of time, runs them one by one on each of its lanes, and reports what
//! came of them, whatever dies on the way.

mod clock;
mod settings;

pub use settings::{Limits, RunnerSettings, Settings};
use tokio_util::sync::CancellationToken;

/// Why an EP cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EpError {
    /// Its work folder cannot be used.
    #[error("work folder `{path}` cannot be used; make it writable or name another in ep.toml")]
    WorkFolder {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another EP uses the folder.
    #[error("work folder `{0}` is in use by another execution process; give each its own")]
    WorkFolderInUse(std::path::PathBuf),
    /// The engine's address cannot be read.
    #[error("engine address `{0}` is not one such as http://engine:8000")]
    EngineAddress(String),
    /// The engine does not want it.
    #[error("the engine refused this execution process: {0}")]
    Refused(jackfield_protocol::error::Problem),
}

/// Runs an EP until `shutdown` is cancelled: running tests are then ended, reported, and the engine is told goodbye.
///
/// # Errors
/// Only what no retry can mend: a folder that cannot be used, a token the engine refuses.
#[expect(clippy::unused_async, reason = "the contract of callers stands before the body")]
pub async fn run(settings: Settings, shutdown: CancellationToken) -> Result<(), EpError> {
    let _ = (clock::moment(), clock::wall(), settings, shutdown);
    Ok(())
}
