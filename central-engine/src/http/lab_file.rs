//! Files of the lab that people edit, here and by hand in turns: read with their version, and written over the version that was seen.
//!
//! The version of a file is the hash of its content. Whoever saves says which version they replace, so what somebody else saved meanwhile is
//! never written over unseen; and a file that went is not made again by who thinks it is there.

use std::{
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use jackfield_config::Lab;
use jackfield_protocol::error::ErrorCode;
use tokio::sync::Mutex;

use super::{Answer, project::cancelled};
use crate::{
    app::{App, audit_alone},
    auth::Caller,
    failure::Failure,
};

/// One file of a lab is written at a time.
pub(super) static WRITING: Mutex<()> = Mutex::const_new(());

/// The version of a content.
pub(super) fn version(text: &[u8]) -> String {
    blake3::hash(text).to_hex().to_string()
}

/// The file, as people know it: below the lab folder.
pub(super) fn shown_place(lab: &Lab, place: &Path) -> String {
    place.strip_prefix(&lab.layout().root).unwrap_or(place).to_string_lossy().into_owned()
}

/// What a caller has seen, or wants to be new.
#[derive(Debug, Default)]
pub(super) struct Seen {
    version: Option<String>,
    is_new: bool,
    /// Any version will do, but there must be one.
    is_there: bool,
}

impl Seen {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let seen = text(header::IF_MATCH);
        Self {
            version: seen
                .filter(|tag| *tag != "*")
                .map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned()),
            is_new: text(header::IF_NONE_MATCH) == Some("*"),
            is_there: seen == Some("*"),
        }
    }

    /// Wants it to be new.
    pub(super) fn new_only() -> Self {
        Self { is_new: true, ..Self::default() }
    }

    /// Whether what is there is what was seen; `what` is how people call it: ``project `nightly` ``.
    pub(super) fn check(&self, what: &str, there: Option<&[u8]>) -> Result<(), Failure> {
        if self.is_new && there.is_some() {
            return Err(is_there_already(what));
        }
        if self.is_there && there.is_none() {
            return Err(is_gone(what));
        }
        let Some(seen) = &self.version else { return Ok(()) };
        match there.map(version) {
            Some(now) if now == *seen => Ok(()),
            Some(_) => {
                let title = format!("somebody else saved {what} since it was read; read it again");
                Err(Failure::new(ErrorCode::Changed, title))
            }
            None => Err(is_gone(what)),
        }
    }
}

fn is_gone(what: &str) -> Failure {
    let title = format!("{what} is not there any more: it was deleted, or has another name");
    Failure::new(ErrorCode::Changed, title)
}

fn is_there_already(what: &str) -> Failure {
    let title = format!("there is a {what} already; choose another name");
    Failure::new(ErrorCode::AlreadyExists, title)
}

/// An answer with the text of a file. Its version is in `ETag`; who has it already is sent nothing.
pub(super) fn sent(request: &HttpRequest, text: Vec<u8>) -> HttpResponse {
    let etag = format!("\"{}\"", version(&text));
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.trim().trim_start_matches("W/") == etag) {
        return HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish();
    }
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/xml"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment"))
        .insert_header((header::ETAG, etag))
        .body(text)
}

/// A file on its way into the lab folder: whole on the disk, and not yet under its name. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct Part {
    file: tempfile::NamedTempFile,
    place: PathBuf,
    is_new: bool,
    /// How people call what it is.
    what: String,
}

impl Part {
    /// A hidden file with this text beside its place, safe on the disk: a power cut after it has its name leaves no empty file.
    pub(super) fn write(place: PathBuf, text: &str, is_new: bool, what: String) -> Result<Self, Failure> {
        let folder = place.parent().unwrap_or(&place);
        let file = write_part(folder, text).map_err(|error| cannot(&what, "written", &error))?;
        // Who may read the file that is there may read the new one, and nobody else.
        if let Ok(there) = std::fs::metadata(&place) {
            let set = file.as_file().set_permissions(there.permissions());
            set.map_err(|error| cannot(&what, "written", &error))?;
        }
        Ok(Self { file, place, is_new, what })
    }

    /// Gives it its name, and writes down who did; a new one is never put over another.
    pub(super) async fn put(
        self,
        app: &App,
        caller: &Caller,
        (action, target): (&'static str, &str),
    ) -> Result<(), Failure> {
        // Before the deed, which no transaction of the store can hold: what cannot be written down is not done.
        audit_alone(app, caller, action, target, "").await?;
        let Self { file, place, is_new, what } = self;
        let put = move || if is_new { file.persist_noclobber(place) } else { file.persist(place) };
        if let Err(error) = web::block(put).await.map_err(cancelled)? {
            let failed = cannot(&what, "written", &error.error);
            audit_alone(app, caller, action, target, &format!("failed: {failed}")).await?;
            return Err(failed);
        }
        Ok(())
    }
}

fn write_part(folder: &Path, text: &str) -> io::Result<tempfile::NamedTempFile> {
    std::fs::create_dir_all(folder)?;
    let readable = std::fs::Permissions::from_mode(0o644);
    let mut part =
        tempfile::Builder::new().prefix(".").suffix(".part").permissions(readable).tempfile_in(folder)?;
    part.write_all(text.as_bytes())?;
    part.as_file().sync_all()?;
    Ok(part)
}

/// What the operating system refused.
pub(super) fn cannot(what: &str, done: &str, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return is_there_already(what);
    }
    Failure::new(ErrorCode::Storage, format!("{what} cannot be {done}: {error}"))
}

/// Removes a file, and writes down who did.
pub(super) async fn remove(
    app: &App,
    caller: &Caller,
    place: PathBuf,
    what: &str,
    (action, target): (&'static str, &str),
) -> Answer {
    audit_alone(app, caller, action, target, "").await?;
    let removed = web::block(move || std::fs::remove_file(place)).await.map_err(cancelled)?;
    removed.map_err(|error| cannot(what, "deleted", &error))?;
    Ok(HttpResponse::NoContent().finish())
}
