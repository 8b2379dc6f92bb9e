//! SFTP, with several requests under way at once.

use std::path::Path;

use russh_sftp::{
    client::{Config, SftpSession, error::Error, fs::File},
    protocol::{FileAttributes, FileType, OpenFlags, StatusCode},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    TransferError,
    file::{Sink, Source},
    tree::{Entry, Progress, Tree, check_bounds, is_plain, make_folder},
};
use crate::{
    beside::{Beside, Errors, ProgramStream, Start},
    limits::{READ_BYTES, SFTP_ANSWER_SECS_MAX},
};

const WAY: &str = "SFTP";

/// A conversation with the device's SFTP server.
pub(super) struct Sftp {
    session: SftpSession,
    errors: Errors,
}

impl Sftp {
    pub(super) async fn begin(beside: &dyn Beside) -> Result<Self, TransferError> {
        let failed = |why: String| TransferError::Protocol { way: WAY, why };
        let started = beside.start(Start::Subsystem("sftp".to_owned())).await;
        let stream = ProgramStream::new(started.map_err(|error| failed(error.to_string()))?);
        let errors = stream.errors();
        let config = Config { request_timeout_secs: SFTP_ANSWER_SECS_MAX, ..Config::default() };
        let session = SftpSession::new_with_config(stream, config).await;
        let session = session.map_err(|error| failed(format!("{error} {}", errors.told())))?;
        Ok(Self { session, errors })
    }

    fn remote(&self, path: &str, error: &Error) -> TransferError {
        let why = match error {
            Error::Status(status) if status.status_code == StatusCode::NoSuchFile => {
                "there is no such file or folder".to_owned()
            }
            Error::Status(status) if status.status_code == StatusCode::PermissionDenied => {
                "the device does not allow it".to_owned()
            }
            Error::Status(status) if status.error_message.is_empty() => status.status_code.to_string(),
            Error::Status(status) => status.error_message.to_lowercase(),
            Error::Timeout => format!("no answer within {SFTP_ANSWER_SECS_MAX} s"),
            error @ (Error::IO(_)
            | Error::Limited(_)
            | Error::UnexpectedPacket
            | Error::UnexpectedBehavior(_)) => format!("{error} {}", self.errors.told()).trim().to_owned(),
        };
        TransferError::Remote { path: path.to_owned(), why }
    }

    fn broken(path: &str, error: &std::io::Error) -> TransferError {
        TransferError::Remote { path: path.to_owned(), why: error.to_string().to_lowercase() }
    }

    /// How many bytes were sent.
    pub(super) async fn put(&self, mut file: Source, remote: &str) -> Result<u64, TransferError> {
        let flags = OpenFlags::CREATE | OpenFlags::TRUNCATE | OpenFlags::WRITE;
        let mut attributes = FileAttributes::empty();
        attributes.permissions = Some(file.mode);
        let opened = self.session.open_with_flags_and_attributes(remote, flags, attributes).await;
        let mut there: File = opened.map_err(|error| self.remote(remote, &error))?;
        let mut piece = vec![0; READ_BYTES];
        let mut bytes = 0_u64;
        loop {
            let count = file.file.read(&mut piece).await.map_err(|error| file.failed(error))?;
            let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { break };
            there.write_all(read).await.map_err(|error| Self::broken(remote, &error))?;
            bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        // Only here the device says whether it took the last of it.
        there.close().await.map_err(|error| Self::broken(remote, &error))?;
        Ok(bytes)
    }

    /// Each file is written beside its place, and takes it when it is whole.
    pub(super) async fn put_folder(
        &self,
        local: &Path,
        tree: &Tree,
        remote: &str,
        progress: &Progress,
    ) -> Result<(), TransferError> {
        progress.begin(remote);
        self.make_folder(remote).await?;
        for Entry { names, is_folder } in &tree.entries {
            let there = format!("{remote}/{}", names.join("/"));
            progress.begin(&there);
            if *is_folder {
                self.make_folder(&there).await?;
                continue;
            }
            let file =
                Source::open(&names.iter().fold(local.to_owned(), |path, name| path.join(name))).await?;
            let part = format!("{there}.part");
            let put = match self.put(file, &part).await {
                Ok(bytes) => self.give_place(&part, &there).await.map(|()| bytes),
                Err(error) => Err(error),
            };
            match put {
                Ok(bytes) => progress.done(bytes),
                Err(error) => {
                    if let Err(error) = self.session.remove_file(&part).await {
                        tracing::debug!(%error, "the beginning of a file could not be removed from the device");
                    }
                    return Err(error.of(&part, &there));
                }
            }
        }
        Ok(())
    }

    /// Servers of this protocol's version refuse to put a file in the place of another.
    async fn give_place(&self, part: &str, there: &str) -> Result<(), TransferError> {
        if self.session.rename(part, there).await.is_ok() {
            return Ok(());
        }
        if let Err(error) = self.session.remove_file(there).await {
            tracing::debug!(%error, path = there, "no file had to make place on the device");
        }
        self.session.rename(part, there).await.map_err(|error| self.remote(there, &error))
    }

    async fn make_folder(&self, path: &str) -> Result<(), TransferError> {
        let Err(error) = self.session.create_dir(path).await else { return Ok(()) };
        let is_there = self.session.metadata(path).await.is_ok_and(|found| found.is_dir());
        if is_there { Ok(()) } else { Err(self.remote(path, &error)) }
    }

    /// Gets a file or a folder; true for a folder.
    pub(super) async fn get(
        &self,
        remote: &str,
        local: &Path,
        progress: &Progress,
    ) -> Result<bool, TransferError> {
        let found = self.session.metadata(remote).await.map_err(|error| self.remote(remote, &error))?;
        if !found.is_dir() {
            progress.begin(remote);
            let bytes = self.get_file(remote, Sink::create(local).await?).await?;
            progress.done(bytes);
            return Ok(false);
        }
        let mut entries = 0;
        let mut folders = vec![(remote.to_owned(), local.to_owned(), Vec::new())];
        while let Some((there, here, names)) = folders.pop() {
            make_folder(&here).await?;
            for (name, kind) in self.names_in(&there).await? {
                let path = format!("{}/{name}", there.trim_end_matches('/'));
                let mut names: Vec<String> = names.clone();
                names.push(name.clone());
                progress.begin(&path);
                check_bounds(entries, names.len())
                    .map_err(|why| TransferError::Remote { path: path.clone(), why })?;
                entries = entries.saturating_add(1);
                match kind {
                    FileType::Dir => folders.push((path, here.join(&name), names)),
                    FileType::File => {
                        let sink = Sink::create(&here.join(&name)).await?;
                        progress.done(self.get_file(&path, sink).await?);
                    }
                    FileType::Symlink | FileType::Other => progress.skip(names.iter().collect()),
                }
            }
        }
        Ok(true)
    }

    /// What a folder of the device holds, in order.
    async fn names_in(&self, path: &str) -> Result<Vec<(String, FileType)>, TransferError> {
        let found = self.session.read_dir(path).await.map_err(|error| self.remote(path, &error))?;
        let mut names = Vec::new();
        for entry in found {
            let name = entry.file_name();
            if name == "." || name == ".." {
                continue;
            }
            if !is_plain(&name) {
                let why = format!("it holds something named `{name}`, which leads elsewhere");
                return Err(TransferError::Remote { path: path.to_owned(), why });
            }
            names.push((name, entry.file_type()));
        }
        names.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(names)
    }

    async fn get_file(&self, remote: &str, mut file: Sink) -> Result<u64, TransferError> {
        let opened = self.session.open(remote).await;
        let mut there = opened.map_err(|error| self.remote(remote, &error))?;
        let found = there.metadata().await.map_err(|error| self.remote(remote, &error))?;
        let mut piece = vec![0; READ_BYTES];
        let mut bytes = 0_u64;
        loop {
            let count = there.read(&mut piece).await.map_err(|error| Self::broken(remote, &error))?;
            let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { break };
            file.file.write_all(read).await.map_err(|error| file.failed(error))?;
            bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        file.finish(found.permissions).await?;
        Ok(bytes)
    }
}
