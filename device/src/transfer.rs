//! Files and folders to and from a device, beside a session: by SFTP, and by SCP where a device has nothing better.

mod file;
mod scp;
mod sftp;
mod tree;

use std::{
    io,
    path::{Path, PathBuf},
    task::Poll,
};

use tokio::time::timeout_at;

use self::{
    file::Source,
    tree::{Progress, Tree},
};
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// How much.
    pub bytes: u64,
    /// How many files.
    pub files: u64,
    /// What was left out of a folder: symbolic links, and what is neither file nor folder.
    pub skipped: Vec<String>,
    /// By which protocol.
    pub way: &'static str,
}

/// Why a file was not moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The session carries no files.
    #[error("a session over {0} carries neither files nor commands beside its dialogue; only SSH does")]
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
    /// A folder was not moved to its end.
    #[error("{failed}; {files} files of the folder were moved before it")]
    Partial {
        /// How many files are whole at the other end.
        files: u64,
        /// What stopped it, with the file that it was at.
        failed: Box<TransferError>,
    },
}

impl TransferError {
    /// Whether the test is to blame: it names a file of its own that is not there, or a session that carries none.
    pub fn is_test(&self) -> bool {
        match self {
            Self::NoWay(_) | Self::Local { .. } => true,
            Self::Remote { .. } | Self::Protocol { .. } | Self::Late { .. } => false,
            Self::Partial { failed, .. } => failed.is_test(),
        }
    }
}

impl TransferError {
    /// The same of another name: that of the file, not of the place where it is written first.
    fn of(self, written: &str, meant: &str) -> Self {
        match self {
            Self::Remote { path, why } if path == written => Self::Remote { path: meant.to_owned(), why },
            same @ (Self::NoWay(_)
            | Self::Local { .. }
            | Self::Remote { .. }
            | Self::Protocol { .. }
            | Self::Late { .. }
            | Self::Partial { .. }) => same,
        }
    }
}

/// Copies a file or a folder of ours to the device. A remote name that ends with `/` is a folder, and what is copied keeps its name in it. A
/// folder that is there already is filled.
///
/// # Errors
/// There is no such file, the device does not take it, or not in time. Then part of a single file may be there; of a folder, by SFTP, whole files
/// only, and the error names the one that failed.
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
    let progress = Progress::default();
    let is_folder = tokio::fs::metadata(local).await.is_ok_and(|found| found.is_dir());
    let moving = async {
        if is_folder {
            let tree = Tree::of(local).await?;
            tree.skipped.iter().for_each(|path| progress.skip(path.into()));
            return match sftp_or_scp(beside, way).await? {
                Some(sftp) => sftp.put_folder(local, &tree, &remote, &progress).await.map(|()| "sftp"),
                None => scp::put_folder(beside, local, &tree, &remote, &progress).await.map(|()| "scp"),
            };
        }
        let file = Source::open(local).await?;
        let (bytes, way) = match sftp_or_scp(beside, way).await? {
            Some(sftp) => (sftp.put(file, &remote).await?, "sftp"),
            None => (scp::put(beside, file, &remote).await?, "scp"),
        };
        progress.done(bytes);
        Ok(way)
    };
    let moved = within(deadline, &remote, &progress, Box::pin(moving)).await;
    told(moved, &progress, is_folder)
}

/// Copies a file or a folder of the device here; each file appears under its name when it is whole. A local name that is a folder keeps the name.
///
/// # Errors
/// There is no such file, it cannot be written here, or not in time; then nothing is left here but files of a folder that are whole, and the error
/// names the one that failed.
pub async fn get(
    beside: &dyn Beside,
    remote: &str,
    local: &Path,
    way: Way,
    deadline: Deadline,
) -> Result<Moved, TransferError> {
    let remote = if remote.len() > 1 { remote.trim_end_matches('/') } else { remote };
    let name = remote.rsplit('/').next().unwrap_or_default();
    let is_folder = tokio::fs::metadata(local).await.is_ok_and(|found| found.is_dir());
    let local = if is_folder { local.join(name) } else { local.to_owned() };
    let progress = Progress::default();
    let moving = async {
        if let Some(sftp) = sftp_or_scp(beside, way).await? {
            return sftp.get(remote, &local, &progress).await.map(|is_folder| ("sftp", is_folder));
        }
        scp::get(beside, remote, &local, &progress).await.map(|is_folder| ("scp", is_folder))
    };
    let moved = within(deadline, remote, &progress, Box::pin(moving)).await;
    let is_folder = match &moved {
        Ok((_, is_folder)) => *is_folder,
        // A single file says nothing of its beginning.
        Err(_) => progress.told().path.len() > remote.len(),
    };
    told(moved.map(|(way, _)| way), &progress, is_folder)
}

/// SFTP, or none where it is to be SCP.
async fn sftp_or_scp(beside: &dyn Beside, way: Way) -> Result<Option<sftp::Sftp<'_>>, TransferError> {
    match way {
        Way::Scp => Ok(None),
        Way::Sftp => sftp::Sftp::begin(beside).await.map(Some),
        Way::Either => match sftp::Sftp::begin(beside).await {
            Err(error) if is_lack(&error) => Ok(None),
            begun => begun.map(Some),
        },
    }
}

fn told(
    moved: Result<&'static str, TransferError>,
    progress: &Progress,
    is_folder: bool,
) -> Result<Moved, TransferError> {
    let step = progress.told();
    match moved {
        Ok(way) => Ok(Moved { bytes: step.bytes, files: step.files, skipped: step.skipped, way }),
        Err(failed) if is_folder => {
            Err(TransferError::Partial { files: step.files, failed: Box::new(failed) })
        }
        Err(failed) => Err(failed),
    }
}

/// Whether the device simply does not have the protocol.
fn is_lack(error: &TransferError) -> bool {
    matches!(error, TransferError::Protocol { .. })
}

/// The file that was under way when the time was over is named; where there was none yet, what was asked for. A file that is just taking its
/// place is let take it: each of its requests has a limit of its own.
async fn within<T>(
    deadline: Deadline,
    asked: &str,
    progress: &Progress,
    moving: impl Future<Output = Result<T, TransferError>>,
) -> Result<T, TransferError> {
    let late = || {
        let path = progress.told().path;
        let path = if path.is_empty() { asked.to_owned() } else { path };
        TransferError::Late { path, within: deadline.span() }
    };
    let mut moving = std::pin::pin!(moving);
    if let Ok(moved) = timeout_at(deadline.instant(), moving.as_mut()).await {
        return moved;
    }
    std::future::poll_fn(|cx| match moving.as_mut().poll(cx) {
        Poll::Ready(moved) => Poll::Ready(moved),
        Poll::Pending if progress.is_busy() => Poll::Pending,
        Poll::Pending => Poll::Ready(Err(late())),
    })
    .await
}
