//! A file that is whole takes its place on the device; what stood there before goes only then.
//!
//! Servers differ in what they can do, so that this is tried in turn:
//!
//! 1. `rename`: enough where nothing stands there, and on servers that put one file over another;
//! 2. `posix-rename@openssh.com`, as OpenSSH and its kin have it: one over the other in a single step;
//! 3. the old file is put aside by `rename`, the new one takes its place, the old one is removed; where the second step is refused the old one is put back;
//! 4. a server that renames nothing: a file that is not there yet is written where it is to stand; one that is there stays as it is, with an error.
//!
//! Whatever is refused, and wherever the connection breaks, the old file or the new one is on the device, whole; an error names where, if not in its place.

use russh_sftp::{
    client::{Config, RawSftpSession, error::Error},
    extensions::HardlinkExtension,
    protocol::{Packet, StatusCode},
};

use super::{Sftp, TransferError};
use crate::{
    beside::{ProgramStream, Start},
    limits::SFTP_ANSWER_SECS_MAX,
    transfer::tree::Progress,
};

/// The request of OpenSSH that puts one file over another.
const POSIX_RENAME: &str = "posix-rename@openssh.com";
/// What the name of an old file ends with while the new one takes its place.
pub(super) const ASIDE: &str = ".jackfield-old";

/// What stands where a file is to go.
enum Standing {
    Nothing,
    File,
    Folder,
}

/// What came of it.
pub(super) enum Placed {
    Done,
    /// The server renames nothing, and nothing stands there.
    NoRename,
}

/// A file that did not take its place.
pub(super) struct Unplaced {
    pub(super) error: TransferError,
    /// The new file is told of in the error, and must stay where it is.
    pub(super) keep_part: bool,
}

impl From<TransferError> for Unplaced {
    fn from(error: TransferError) -> Self {
        Self { error, keep_part: false }
    }
}

impl Sftp<'_> {
    /// Puts a whole file in its place.
    pub(super) async fn give_place(
        &self,
        part: &str,
        there: &str,
        progress: &Progress,
    ) -> Result<Placed, Unplaced> {
        let Err(error) = self.session.rename(part, there).await else { return Ok(Placed::Done) };
        if !is_refusal(&error) {
            return Err(self.remote(there, &error).into());
        }
        match self.standing(there).await? {
            Standing::Nothing => Ok(Placed::NoRename),
            Standing::Folder => Err(folder_there(there).into()),
            Standing::File if self.rename_over(part, there).await => Ok(Placed::Done),
            // Not given up halfway, also where the time is over: between its steps the place is empty.
            Standing::File => progress.without_pause(self.swap(part, there)).await.map(|()| Placed::Done),
        }
    }

    /// Refuses a place where something stands already, for a server that renames nothing.
    pub(super) async fn check_free(&self, there: &str) -> Result<(), TransferError> {
        match self.standing(there).await? {
            Standing::Nothing => Ok(()),
            Standing::Folder => Err(folder_there(there)),
            Standing::File => Err(stays(there, "it renames nothing")),
        }
    }

    async fn standing(&self, path: &str) -> Result<Standing, TransferError> {
        match self.session.symlink_metadata(path).await {
            Ok(found) if found.is_dir() => Ok(Standing::Folder),
            Ok(_) => Ok(Standing::File),
            Err(Error::Status(status)) if status.status_code == StatusCode::NoSuchFile => {
                Ok(Standing::Nothing)
            }
            Err(error) => Err(self.remote(path, &error)),
        }
    }

    /// Whether the server has put one over the other in a single step.
    async fn rename_over(&self, part: &str, there: &str) -> bool {
        let Some(raw) = self.one_step.get_or_init(|| self.begin_one_step()).await else { return false };
        // Two names, as a hard link has them.
        let names = HardlinkExtension { oldpath: part.to_owned(), newpath: there.to_owned() };
        let Ok(names) = names.try_into() else { return false };
        let answer = raw.extended(POSIX_RENAME, names).await;
        matches!(answer, Ok(Packet::Status(status)) if status.status_code == StatusCode::Ok)
    }

    /// A second conversation, since the first has no way to say it; none with a server that does not know the request.
    async fn begin_one_step(&self) -> Option<RawSftpSession> {
        let program = self.beside.start(Start::Subsystem("sftp".to_owned())).await.ok()?;
        let config = Config { request_timeout_secs: SFTP_ANSWER_SECS_MAX, ..Config::default() };
        let raw = RawSftpSession::new_with_config(ProgramStream::new(program), config);
        let version = raw.init().await.ok()?;
        version.extensions.contains_key(POSIX_RENAME).then_some(raw)
    }

    /// The old file goes aside, the new one takes its place, the old one goes.
    async fn swap(&self, part: &str, there: &str) -> Result<(), Unplaced> {
        let aside = format!("{there}{ASIDE}");
        let scattered = |error: &Error| {
            let why = self.why(error);
            let why = format!("{why}; the old file stands there or as `{aside}`, the new one as `{part}`");
            let error = TransferError::Remote { path: there.to_owned(), why };
            Unplaced { error, keep_part: true }
        };
        match self.put_aside(there, &aside).await {
            Ok(()) => {}
            Err(error) if is_refusal(&error) => return Err(stays(there, &self.why(&error)).into()),
            Err(error) => return Err(scattered(&error)),
        }
        if let Err(refused) = self.session.rename(part, there).await {
            return match self.session.rename(&aside, there).await {
                Ok(()) => Err(stays(there, &self.why(&refused)).into()),
                Err(_) => Err(scattered(&refused)),
            };
        }
        self.session.remove_file(&aside).await.map_err(|error| {
            let why = format!("{}; it is the old `{there}`, whose new one is in its place", self.why(&error));
            TransferError::Remote { path: aside.clone(), why }.into()
        })
    }

    async fn put_aside(&self, there: &str, aside: &str) -> Result<(), Error> {
        let Err(refused) = self.session.rename(there, aside).await else { return Ok(()) };
        // One that was left by an earlier copy may go: what stands in its place now is whole.
        if !is_refusal(&refused) || self.session.remove_file(aside).await.is_err() {
            return Err(refused);
        }
        self.session.rename(there, aside).await
    }
}

/// The server has answered that it will not; anything else leaves open what it has done.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Status(_))
}

fn folder_there(there: &str) -> TransferError {
    TransferError::Remote {
        path: there.to_owned(),
        why: "a folder stands where the file is to go".to_owned(),
    }
}

fn stays(there: &str, why: &str) -> TransferError {
    let why = format!(
        "the server puts no file in the place of another ({why}); the old one was left as it is: remove it first, or move the folder by SCP"
    );
    TransferError::Remote { path: there.to_owned(), why }
}
