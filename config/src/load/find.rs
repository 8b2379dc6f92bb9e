//! Files by their names: in the first place that has them, and never outside of the lab.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use super::{InRoom, Lab, Room};

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such file in any of its places.
    #[error("is not in {}", shown(.0))]
    Missing(Vec<PathBuf>),
    /// It lies outside of the lab's folders.
    #[error("is outside of the lab; only files below {} are used", shown(.0))]
    Outside(Vec<PathBuf>),
    /// Its name, or that of a folder on its way, begins with `.`.
    #[error("is hidden (a name that begins with `.`), and hidden files are never {0}")]
    Hidden(Room),
    /// It is a setting of the lab.
    #[error("lies among the lab's settings, which are never {0}; put it into a folder of its kind")]
    Setting(Room),
    /// It is a folder with more in it than what was asked for.
    #[error("holds `{}`, so it is never {room}; name a folder or file below it", held.display())]
    Holds {
        /// What it was wanted for.
        room: Room,
        /// What is in it.
        held: PathBuf,
    },
    /// It is a folder, or something else that is no file.
    #[error("is not a file")]
    NotAFile,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
}

impl Lab {
    /// A file by its name in the first place that has it.
    pub(super) fn find(&self, room: Room, places: &[PathBuf], name: &str) -> Result<InRoom, FileError> {
        let found = self.locate(room, places, name)?;
        let about = fs::metadata(found.path()).map_err(FileError::Unreadable)?;
        if about.is_file() { Ok(found) } else { Err(FileError::NotAFile) }
    }

    /// The same, also by the name with this ending.
    pub(super) fn find_with(
        &self,
        room: Room,
        places: &[PathBuf],
        name: &str,
        ending: &str,
    ) -> Result<InRoom, FileError> {
        match self.find(room, places, name) {
            Ok(path) => Ok(path),
            Err(error) => self.find(room, places, &format!("{name}{ending}")).or(Err(error)),
        }
    }

    /// Something by its name in the first place that has it, if it is in its room.
    pub(super) fn locate(&self, room: Room, places: &[PathBuf], name: &str) -> Result<InRoom, FileError> {
        let mut refused = None;
        for place in places {
            let path = place.join(name);
            match fs::canonicalize(&path).map(|real| self.admit(room, real)) {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(error)) => refused = Some(refused.unwrap_or(error)),
                Err(_) if !self.may_be_inside(&path) => refused = refused.or_else(|| Some(self.outside())),
                Err(_) => {}
            }
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        let absolute = Path::new(name).is_absolute();
        let folder = Path::new(name).parent().filter(|_| absolute).map(|folder| vec![folder.to_owned()]);
        Err(FileError::Missing(folder.unwrap_or_else(|| places.to_vec())))
    }

    /// Whether a path that does not exist would be inside.
    fn may_be_inside(&self, path: &Path) -> bool {
        let plain = plain(path);
        self.layout.roots.iter().any(|root| plain.starts_with(root))
    }

    /// The names of the files in some folders, below them as well, without their ending where one is wanted.
    pub(super) fn names_in(&self, folders: &[PathBuf], ending: Option<&str>) -> Vec<String> {
        let mut names = std::collections::BTreeSet::new();
        for folder in folders {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let name = match ending {
                    Some(wanted) if path.extension().is_some_and(|found| found == wanted) => path.file_stem(),
                    Some(_) => None,
                    None => path.file_name(),
                };
                names.extend(
                    name.map(|name| name.to_string_lossy().into_owned())
                        .filter(|name| !name.starts_with('.')),
                );
            }
        }
        names.into_iter().collect()
    }
}

/// A path without `.` and `..`, as it is written: links are not followed.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

fn shown(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    shown.join(" or ")
}
