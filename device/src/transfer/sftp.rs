//! SFTP, with several requests under way at once.

use russh_sftp::{
    client::{Config, SftpSession, error::Error, fs::File},
    protocol::{FileAttributes, OpenFlags, StatusCode},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Moved, Sink, Source, TransferError};
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

pub(super) async fn put(beside: &dyn Beside, file: Source, remote: &str) -> Result<Moved, TransferError> {
    Sftp::begin(beside).await?.put(file, remote).await
}

pub(super) async fn get(beside: &dyn Beside, remote: &str, file: Sink) -> Result<Moved, TransferError> {
    Sftp::begin(beside).await?.get(remote, file).await
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

    pub(super) async fn put(self, mut file: Source, remote: &str) -> Result<Moved, TransferError> {
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
        Ok(Moved { bytes, way: "sftp" })
    }

    pub(super) async fn get(self, remote: &str, mut file: Sink) -> Result<Moved, TransferError> {
        let opened = self.session.open(remote).await;
        let mut there = opened.map_err(|error| self.remote(remote, &error))?;
        let found = there.metadata().await.map_err(|error| self.remote(remote, &error))?;
        if found.is_dir() {
            let why = "it is no file; move files one by one".to_owned();
            return Err(TransferError::Remote { path: remote.to_owned(), why });
        }
        let mut piece = vec![0; READ_BYTES];
        let mut bytes = 0_u64;
        loop {
            let count = there.read(&mut piece).await.map_err(|error| Self::broken(remote, &error))?;
            let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { break };
            file.file.write_all(read).await.map_err(|error| file.failed(error))?;
            bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        file.finish(found.permissions).await?;
        Ok(Moved { bytes, way: "sftp" })
    }
}
