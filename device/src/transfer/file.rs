//! Files of ours that are moved.

use std::{
    io,
    path::{Path, PathBuf},
};

use tokio::fs::File;

use super::TransferError;

/// A file of ours that is sent.
pub(super) struct Source {
    path: PathBuf,
    pub(super) file: File,
    pub(super) bytes: u64,
    pub(super) mode: u32,
}

impl Source {
    pub(super) async fn open(path: &Path) -> Result<Self, TransferError> {
        let failed = |source| TransferError::Local { path: path.to_owned(), source };
        let file = File::open(path).await.map_err(failed)?;
        let found = file.metadata().await.map_err(failed)?;
        if !found.is_file() {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "it is neither a file nor a folder");
            return Err(failed(source));
        }
        let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777;
        Ok(Self { path: path.to_owned(), file, bytes: found.len(), mode })
    }

    pub(super) fn failed(&self, source: io::Error) -> TransferError {
        TransferError::Local { path: self.path.clone(), source }
    }
}

/// A file of ours that is received: beside its place until it is whole.
pub(super) struct Sink {
    path: PathBuf,
    part: PathBuf,
    pub(super) file: File,
    whole: bool,
}

impl Sink {
    pub(super) async fn create(path: &Path) -> Result<Self, TransferError> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let failed = |source| TransferError::Local { path: path.to_owned(), source };
        let file = File::create(&part).await.map_err(failed)?;
        Ok(Self { path: path.to_owned(), part, file, whole: false })
    }

    pub(super) fn failed(&self, source: io::Error) -> TransferError {
        TransferError::Local { path: self.path.clone(), source }
    }

    /// It is all there.
    pub(super) async fn finish(mut self, mode: Option<u32>) -> Result<(), TransferError> {
        let done = async {
            tokio::io::AsyncWriteExt::flush(&mut self.file).await?;
            if let Some(mode) = mode {
                let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode & 0o777);
                self.file.set_permissions(permissions).await?;
            }
            tokio::fs::rename(&self.part, &self.path).await
        };
        match done.await {
            Ok(()) => {
                self.whole = true;
                Ok(())
            }
            Err(error) => Err(self.failed(error)),
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if !self.whole
            && let Err(error) = std::fs::remove_file(&self.part)
        {
            tracing::debug!(%error, "the beginning of a file could not be removed");
        }
    }
}
