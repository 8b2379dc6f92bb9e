//! Files that a test named: taken from its user, and given to it, with its rights and no others.

use std::{
    fs::File,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU64, Ordering},
};

use jackfield_run_as::{Deed, NOT_THERE};

use super::Account;
use crate::limits::ACCOUNT_FILE_LIMIT;

/// Why a file could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// There is none.
    #[error("{0}")]
    NotThere(String),
    /// There is one, and the user may not have it, or it is none, or too large.
    #[error("{0}")]
    Failed(String),
}

/// A file of the EP's own, for as long as it is held.
#[derive(Debug)]
pub(crate) struct Staged {
    folder: PathBuf,
    path: PathBuf,
}

impl Staged {
    /// A place for a file of this name.
    pub(crate) fn new(staging: &Path, name: &Path) -> std::io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let folder = staging.join(COUNT.fetch_add(1, Ordering::Relaxed).to_string());
        std::fs::create_dir(&folder)?;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
        let path = folder.join(name.file_name().unwrap_or("file".as_ref()));
        Ok(Self { folder, path })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!("`{}` cannot be removed: {error}", self.folder.display());
        }
    }
}

impl Account {
    /// Takes a copy of a file of at most so many bytes.
    pub(crate) async fn fetch(&self, file: &Path, most: u64, staging: &Path) -> Result<Staged, FetchError> {
        let failed = |error: std::io::Error| FetchError::Failed(error.to_string());
        let staged = Staged::new(staging, file).map_err(failed)?;
        let copy = File::create_new(staged.path()).map_err(failed)?;
        let mut command = self.command(Deed::Read { most, file: file.to_owned() }).map_err(failed)?;
        command.stdin(Stdio::null()).stdout(copy).stderr(Stdio::piped());
        // Not `output`, which would take what is for the file.
        let child = command.spawn().map_err(failed)?;
        let output = tokio::time::timeout(ACCOUNT_FILE_LIMIT, child.wait_with_output()).await;
        let late = |_| FetchError::Failed(format!("its disk did not answer within {ACCOUNT_FILE_LIMIT:?}"));
        let output = output.map_err(late)?.map_err(failed)?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        match output.status.code() {
            Some(0) => Ok(staged),
            Some(code) if code == i32::from(NOT_THERE) => Err(FetchError::NotThere(said)),
            Some(_) | None => Err(FetchError::Failed(said)),
        }
    }

    /// Gives the user a file.
    pub(crate) async fn give(&self, from: &Path, to: &Path) -> Result<(), String> {
        let source = File::open(from).map_err(|error| error.to_string())?;
        self.carry_out(Deed::Write { file: to.to_owned() }, source.into(), ACCOUNT_FILE_LIMIT).await
    }
}
