//! SFTP, with several requests under way at once.

mod place;

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use russh_sftp::{
    client::{Config, RawSftpSession, SftpSession, error::Error, fs::File},
    protocol::{FileAttributes, FileType, OpenFlags, StatusCode},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::OnceCell,
};

use self::place::Placed;
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
pub(super) struct Sftp<'b> {
    session: SftpSession,
    errors: Errors,
    beside: &'b dyn Beside,
    /// What can put one file over another in a single step; opened when it is first needed.
    one_step: OnceCell<Option<RawSftpSession>>,
    /// The server has shown that it renames nothing.
    renames_nothing: AtomicBool,
}

impl<'b> Sftp<'b> {
    pub(super) async fn begin(beside: &'b dyn Beside) -> Result<Self, TransferError> {
        let failed = |why: String| TransferError::Protocol { way: WAY, why };
        let started = beside.start(Start::Subsystem("sftp".to_owned())).await;
        let stream = ProgramStream::new(started.map_err(|error| failed(error.to_string()))?);
        let errors = stream.errors();
        let config = Config { request_timeout_secs: SFTP_ANSWER_SECS_MAX, ..Config::default() };
        let session = SftpSession::new_with_config(stream, config).await;
        let session = session.map_err(|error| failed(format!("{error} {}", errors.told())))?;
        let (one_step, renames_nothing) = (OnceCell::new(), AtomicBool::new(false));
        Ok(Self { session, errors, beside, one_step, renames_nothing })
    }

    fn remote(&self, path: &str, error: &Error) -> TransferError {
        TransferError::Remote { path: path.to_owned(), why: self.why(error) }
    }

    /// An error in words.
    fn why(&self, error: &Error) -> String {
        match error {
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
        }
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
            let file = names.iter().fold(local.to_owned(), |path, name| path.join(name));
            progress.done(self.put_in_place(&file, &there, progress).await?);
        }
        Ok(())
    }

    /// Writes a file beside its place, and gives it the place when it is whole.
    async fn put_in_place(
        &self,
        file: &Path,
        there: &str,
        progress: &Progress,
    ) -> Result<u64, TransferError> {
        if self.renames_nothing.load(Ordering::Relaxed) {
            return self.put_new(file, there).await;
        }
        let part = format!("{there}.part");
        let put = self.put(Source::open(file).await?, &part).await;
        let bytes = match put {
            Ok(bytes) => bytes,
            Err(error) => {
                self.remove_part(&part).await;
                return Err(error.of(&part, there));
            }
        };
        match self.give_place(&part, there, progress).await {
            Ok(Placed::Done) => Ok(bytes),
            Ok(Placed::NoRename) => {
                self.remove_part(&part).await;
                self.renames_nothing.store(true, Ordering::Relaxed);
                self.put_new(file, there).await
            }
            Err(unplaced) => {
                if !unplaced.keep_part {
                    self.remove_part(&part).await;
                }
                Err(unplaced.error)
            }
        }
    }

    /// Writes a file where it is to stand, if nothing stands there yet.
    async fn put_new(&self, file: &Path, there: &str) -> Result<u64, TransferError> {
        let file = Source::open(file).await?;
        self.check_free(there).await?;
        let put = self.put(file, there).await;
        if put.is_err() {
            self.remove_part(there).await;
        }
        put
    }

    async fn remove_part(&self, part: &str) {
        if let Err(error) = self.session.remove_file(part).await {
            tracing::debug!(%error, path = part, "the beginning of a file could not be removed from the device");
        }
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
