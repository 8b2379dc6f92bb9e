//! Files to and from a device, beside a session: by SFTP, and by SCP where a device has nothing better.

mod scp;
mod sftp;

use std::{
    io,
    path::{Path, PathBuf},
};

use tokio::{fs::File, time::timeout_at};

use crate::{beside::Beside, clock::Deadline};

/// By which protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// SFTP; SCP where the device does not have it.
    #[default]
    Either,
    /// SFTP.
    Sftp,
    /// SCP.
    Scp,
}

impl std::str::FromStr for Way {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "" | "auto" => Ok(Self::Either),
            "sftp" => Ok(Self::Sftp),
            "scp" => Ok(Self::Scp),
            _ => Err(format!("`{text}` is no way to move a file: use sftp, scp or auto")),
        }
    }
}

/// What was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// How much.
    pub bytes: u64,
    /// By which protocol.
    pub way: &'static str,
}

/// Why a file was not moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The session carries no files.
    #[error("a session over {0} carries no files; only SSH does")]
    NoWay(String),
    /// The file here.
    #[error("`{}`: {source}", path.display())]
    Local {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file there.
    #[error("`{path}` on the device: {why}")]
    Remote {
        /// Which.
        path: String,
        /// Why.
        why: String,
    },
    /// The device does not speak the protocol, or not as it should.
    #[error("{way} failed: {why}")]
    Protocol {
        /// Which protocol.
        way: &'static str,
        /// Why.
        why: String,
    },
    /// It took too long.
    #[error("`{path}` was not moved within {within:.1?}")]
    Late {
        /// Which.
        path: String,
        /// How long it had.
        within: std::time::Duration,
    },
}

impl TransferError {
    /// Whether the test is to blame: it names a file of its own that is not there, or a session that carries none.
    pub fn is_test(&self) -> bool {
        match self {
            Self::NoWay(_) | Self::Local { .. } => true,
            Self::Remote { .. } | Self::Protocol { .. } | Self::Late { .. } => false,
        }
    }
}

/// Copies a file of ours to the device. A remote name that ends with `/` is a folder, and the file keeps its name.
///
/// # Errors
/// There is no such file, the device does not take it, or not in time; then part of it may be there.
pub async fn put(
    beside: &dyn Beside,
    local: &Path,
    remote: &str,
    way: Way,
    deadline: Deadline,
) -> Result<Moved, TransferError> {
    let name = local.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let remote = if remote.is_empty() || remote.ends_with('/') {
        format!("{remote}{name}")
    } else {
        remote.to_owned()
    };
    let moving = async {
        let file = Source::open(local).await?;
        match way {
            Way::Sftp => sftp::put(beside, file, &remote).await,
            Way::Scp => scp::put(beside, file, &remote).await,
            Way::Either => match sftp::Sftp::begin(beside).await {
                Ok(sftp) => sftp.put(file, &remote).await,
                Err(error) if is_lack(&error) => scp::put(beside, file, &remote).await,
                Err(error) => Err(error),
            },
        }
    };
    within(deadline, &remote, Box::pin(moving)).await
}

/// Copies a file of the device here; it appears under its name when it is whole. A local name that is a folder keeps the file's name.
///
/// # Errors
/// There is no such file, it cannot be written here, or not in time; then nothing is left here.
pub async fn get(
    beside: &dyn Beside,
    remote: &str,
    local: &Path,
    way: Way,
    deadline: Deadline,
) -> Result<Moved, TransferError> {
    let name = remote.rsplit('/').next().unwrap_or_default();
    let is_folder = tokio::fs::metadata(local).await.is_ok_and(|found| found.is_dir());
    let local = if is_folder { local.join(name) } else { local.to_owned() };
    let moving = async {
        let file = Sink::create(&local).await?;
        match way {
            Way::Sftp => sftp::get(beside, remote, file).await,
            Way::Scp => scp::get(beside, remote, file).await,
            Way::Either => match sftp::Sftp::begin(beside).await {
                Ok(sftp) => sftp.get(remote, file).await,
                Err(error) if is_lack(&error) => scp::get(beside, remote, file).await,
                Err(error) => Err(error),
            },
        }
    };
    within(deadline, remote, Box::pin(moving)).await
}

/// Whether the device simply does not have the protocol.
fn is_lack(error: &TransferError) -> bool {
    matches!(error, TransferError::Protocol { .. })
}

async fn within(
    deadline: Deadline,
    path: &str,
    moving: impl Future<Output = Result<Moved, TransferError>>,
) -> Result<Moved, TransferError> {
    let late = |_| TransferError::Late { path: path.to_owned(), within: deadline.span() };
    timeout_at(deadline.instant(), moving).await.map_err(late)?
}

/// A file of ours that is sent.
struct Source {
    path: PathBuf,
    file: File,
    bytes: u64,
    mode: u32,
}

impl Source {
    async fn open(path: &Path) -> Result<Self, TransferError> {
        let failed = |source| TransferError::Local { path: path.to_owned(), source };
        let file = File::open(path).await.map_err(failed)?;
        let found = file.metadata().await.map_err(failed)?;
        if !found.is_file() {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "it is no file; move files one by one");
            return Err(failed(source));
        }
        let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777;
        Ok(Self { path: path.to_owned(), file, bytes: found.len(), mode })
    }

    fn failed(&self, source: io::Error) -> TransferError {
        TransferError::Local { path: self.path.clone(), source }
    }
}

/// A file of ours that is received: beside its place until it is whole.
struct Sink {
    path: PathBuf,
    part: PathBuf,
    file: File,
    whole: bool,
}

impl Sink {
    async fn create(path: &Path) -> Result<Self, TransferError> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let failed = |source| TransferError::Local { path: path.to_owned(), source };
        let file = File::create(&part).await.map_err(failed)?;
        Ok(Self { path: path.to_owned(), part, file, whole: false })
    }

    fn failed(&self, source: io::Error) -> TransferError {
        TransferError::Local { path: self.path.clone(), source }
    }

    /// It is all there.
    async fn finish(mut self, mode: Option<u32>) -> Result<(), TransferError> {
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
