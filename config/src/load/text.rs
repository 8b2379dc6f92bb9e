//! From a file on disk to its text, in bounded memory.

use std::{
    fs,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield_protocol::error::FileProblem;

use crate::{
    ep::EpSettings,
    epname::EpNames,
    limits::FILE_BYTES_MAX,
    problem::{Read, whole_file},
    source::Source,
};

/// The first of these places that has something, whatever it is: a link into a folder that is not mounted, or a file that must not be read,
/// is no reason to go on without what it says.
pub fn first_there(places: &[PathBuf]) -> Option<&PathBuf> {
    let is_absent = |kind: ErrorKind| matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory);
    places
        .iter()
        .find(|place| fs::symlink_metadata(place).map_or_else(|error| !is_absent(error.kind()), |_| true))
}

/// Reads the text of a file that is not larger than a limit.
///
/// # Errors
/// A file that is not there, no file, too large, or not UTF-8.
pub fn read_source(file: &Path, bytes_max: u64) -> Result<Arc<Source>, Box<FileProblem>> {
    let name = file.to_string_lossy();
    let refuse = |message: String, help: &str| Box::new(whole_file(&name, message, help));
    let unreadable = |error: std::io::Error| refuse(format!("the file cannot be read: {error}"), "");
    let found = fs::metadata(file).map_err(|error| match fs::read_link(file) {
        Ok(to) if error.kind() == ErrorKind::NotFound => {
            let message = format!("this is a link to `{}`, which is not there", to.display());
            refuse(message, "mount or make what it leads to, or remove the link")
        }
        _ => unreadable(error),
    })?;
    // A pipe or device would never end, so it is not even opened.
    if !found.is_file() {
        return Err(refuse("this is not a file".to_owned(), "name the file itself"));
    }
    if found.len() > bytes_max {
        return Err(Box::new(too_large(&name, bytes_max)));
    }
    let opened = fs::File::open(file).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // It may grow while it is read.
    opened.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(Box::new(too_large(&name, bytes_max)));
    }
    Source::from_bytes(&name, bytes).map(Arc::new)
}

pub(super) fn too_large(name: &str, bytes_max: u64) -> FileProblem {
    let message = format!("the file is larger than {} MB", bytes_max >> 20);
    let mut problem = whole_file(name, message, "split it, or use <Repeat> and iterators");
    (problem.line, problem.column) = (1, 1);
    problem
}

pub(super) fn read_as<T>(file: &Path, bytes_max: u64, read: impl FnOnce(&Arc<Source>) -> Read<T>) -> Read<T> {
    match read_source(file, bytes_max) {
        Ok(source) => read(&source),
        Err(problem) => Read::failed(*problem),
    }
}

impl EpSettings {
    /// Reads `ep.toml`.
    pub fn load(file: &Path) -> Read<Self> {
        read_as(file, FILE_BYTES_MAX, Self::read)
    }
}

impl EpNames {
    /// Reads `epname.ini`.
    pub fn load(file: &Path) -> Read<Self> {
        read_as(file, FILE_BYTES_MAX, Self::read)
    }
}
