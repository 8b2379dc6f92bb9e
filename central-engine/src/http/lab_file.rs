//! Files of the lab that people edit, here and by hand in turns: read with their version, and written over the version that was seen.
//!
//! The version of a file is the hash of its content. Whoever saves says which version they replace, so what somebody else saved meanwhile is
//! never written over unseen; and a file that went is not made again by who thinks it is there.

use std::{
    fs::Permissions,
    io::{self, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use jackfield_config::{FileError, InRoom, Lab};
use jackfield_protocol::error::ErrorCode;
use serde::Serialize;
use tokio::sync::Mutex;

use super::{Answer, project::cancelled};
use crate::{
    app::{App, audit_alone},
    auth::Caller,
    failure::Failure,
    feed::FileChanged,
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
    sent_as(request, "application/xml", text)
}

/// The same, of another type.
pub(super) fn sent_as(request: &HttpRequest, content_type: &'static str, text: Vec<u8>) -> HttpResponse {
    let etag = format!("\"{}\"", version(&text));
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.trim().trim_start_matches("W/") == etag) {
        return HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish();
    }
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, content_type))
        .insert_header((header::CONTENT_DISPOSITION, "attachment"))
        .insert_header((header::ETAG, etag))
        .body(text)
}

/// The answer to who wrote a file, with the version that it has now.
pub(super) fn written(version: &str, answer: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, format!("\"{version}\""))).json(answer)
}

/// A kind of files that people name: what one is called, and where a lab has it.
#[derive(Debug)]
pub(super) struct Kind {
    /// What stands before the name in a message: `test file`.
    pub(super) noun: &'static str,
    /// What a request calls the name.
    pub(super) field: &'static str,
    pub(super) content_type: &'static str,
    /// Bytes of one that is read or written here; `usize::MAX`: any number.
    pub(super) bytes_max: usize,
    /// The file there is.
    pub(super) file: fn(&Lab, &str) -> Result<InRoom, FileError>,
    /// Where one is written.
    pub(super) place: fn(&Lab, &str) -> Result<PathBuf, FileError>,
}

impl Kind {
    /// One in a message.
    pub(super) fn called(&self, name: &str) -> String {
        format!("{} `{name}`", self.noun)
    }

    pub(super) fn place_of(&self, lab: &Lab, name: &str) -> Result<PathBuf, Failure> {
        (self.place)(lab, name).map_err(|error| {
            Failure::new(ErrorCode::BadRequest, format!("{} {error}", self.called(name))).field(self.field)
        })
    }

    /// What the file holds; none where there is none.
    pub(super) fn there(&self, lab: &Lab, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let Ok(file) = (self.file)(lab, name) else { return Ok(None) };
        let unread = |error: io::Error| cannot(&self.called(name), "read", &error);
        let mut file = file.open().map_err(unread)?;
        let most = u64::try_from(self.bytes_max).unwrap_or(u64::MAX);
        if file.metadata().map_err(unread)?.len() > most {
            return Err(self.too_large());
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(unread)?;
        Ok(Some(bytes))
    }

    /// What the file holds, which must be there.
    pub(super) fn found(&self, lab: &Lab, name: &str) -> Result<Vec<u8>, Failure> {
        self.there(lab, name)?.ok_or_else(|| Failure::not_found(self.called(name)))
    }

    pub(super) fn too_large(&self) -> Failure {
        let title = format!(
            "a {} of more than {} MiB is not read or written here; put it into the lab folder by hand",
            self.noun,
            self.bytes_max / (1024 * 1024)
        );
        Failure::new(ErrorCode::TooLarge, title)
    }

    /// The answer to who reads one.
    pub(super) async fn read(
        &'static self,
        request: &HttpRequest,
        app: &App,
        caller: &Caller,
        name: String,
    ) -> Answer {
        let lab = app.lab.as_user(&caller.user);
        let text = web::block(move || self.found(&lab, &name));
        Ok(sent_as(request, self.content_type, text.await.map_err(cancelled)??))
    }

    /// Deletes one, if it is what the caller has seen.
    pub(super) async fn delete(
        &'static self,
        request: &HttpRequest,
        app: &App,
        caller: &Caller,
        (action, name): (&'static str, &str),
    ) -> Answer {
        let lab = app.lab.as_user(&caller.user);
        let (seen, asked) = (Seen::of(request), name.to_owned());
        let _writing = WRITING.lock().await;
        let place = web::block(move || {
            seen.check(&self.called(&asked), Some(&self.found(&lab, &asked)?))?;
            self.place_of(&lab, &asked)
        });
        let place = place.await.map_err(cancelled)??;
        remove(app, caller, place, &self.called(name), (action, name)).await
    }
}

/// A file on its way into the lab folder: whole on the disk, and not yet under its name. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct Part {
    file: tempfile::NamedTempFile,
    place: PathBuf,
    is_new: bool,
    /// How people call what it is.
    what: String,
    /// The version that it will have.
    version: String,
}

impl Part {
    /// A hidden file with this text beside its place, safe on the disk: a power cut after it has its name leaves no empty file.
    pub(super) fn write(
        place: PathBuf,
        text: impl AsRef<[u8]>,
        is_new: bool,
        what: String,
    ) -> Result<Self, Failure> {
        let text = text.as_ref();
        let file = write_part(&place, text).map_err(|error| cannot(&what, "written", &error))?;
        Ok(Self { file, place, is_new, what, version: version(text) })
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
        let Self { file, place, is_new, what, version } = self;
        let to = place.clone();
        let put = move || if is_new { file.persist_noclobber(to) } else { file.persist(to) };
        match web::block(put).await.map_err(cancelled)? {
            Ok(_) => {
                tell(app, caller, &place, Some(version));
                Ok(())
            }
            Err(error) => {
                Err(failed(app, caller, cannot(&what, "written", &error.error), (action, target)).await)
            }
        }
    }
}

fn write_part(place: &Path, text: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let folder = place.parent().unwrap_or(place);
    std::fs::create_dir_all(folder)?;
    // Who may read the file that is there may read the new one, and nobody else, from its first byte on.
    let there = std::fs::metadata(place).ok().map(|there| there.permissions());
    let rights = there.clone().unwrap_or_else(|| Permissions::from_mode(0o644));
    let mut part =
        tempfile::Builder::new().prefix(".").suffix(".part").permissions(rights).tempfile_in(folder)?;
    // A new file lacks what the umask takes of it; one that was there keeps all.
    if let Some(there) = there {
        part.as_file().set_permissions(there)?;
    }
    part.write_all(text)?;
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
    let gone = place.clone();
    match web::block(move || std::fs::remove_file(gone)).await.map_err(cancelled)? {
        Ok(()) => {
            tell(app, caller, &place, None);
            Ok(HttpResponse::NoContent().finish())
        }
        Err(error) => Err(failed(app, caller, cannot(what, "deleted", &error), (action, target)).await),
    }
}

/// Tells whoever watches the lab that a file has this version now, or is gone. One that is somebody's alone is no news for others.
pub(super) fn tell(app: &App, caller: &Caller, place: &Path, version: Option<String>) {
    if !app.lab.is_private(place) {
        let file = shown_place(&app.lab, place);
        app.feed.file_changed(&FileChanged { file, by: caller.user.clone(), version });
    }
}

/// Writes down that a deed, which is written down before it is tried, came to nothing; answers why.
pub(super) async fn failed(
    app: &App,
    caller: &Caller,
    why: Failure,
    (action, target): (&'static str, &str),
) -> Failure {
    match audit_alone(app, caller, action, target, &format!("failed: {why}")).await {
        Ok(()) => why,
        Err(error) => error.into(),
    }
}
