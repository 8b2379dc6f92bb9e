//! Files by their names: in the first place that has them, and never outside of the lab.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use super::{Kind, Lab};

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such file in any of its places.
    #[error("is not in {}", shown(.0))]
    Missing(Vec<PathBuf>),
    /// It lies outside of the lab's folders.
    #[error("is outside of the lab; only files below {} are used", shown(.0))]
    Outside(Vec<PathBuf>),
    /// It is a folder, or something else that is no file.
    #[error("is not a file")]
    NotAFile,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
}

impl Lab {
    /// A file by its name in the first place that has it.
    pub(super) fn find(&self, places: &[PathBuf], name: &str) -> Result<PathBuf, FileError> {
        let path = self.locate(places, name)?;
        let found = fs::metadata(&path).map_err(FileError::Unreadable)?;
        if found.is_file() { Ok(path) } else { Err(FileError::NotAFile) }
    }

    /// The same, also by the name with this ending.
    pub(super) fn find_with(
        &self,
        places: &[PathBuf],
        name: &str,
        ending: &str,
    ) -> Result<PathBuf, FileError> {
        match self.find(places, name) {
            Ok(path) => Ok(path),
            Err(error) => self.find(places, &format!("{name}{ending}")).or(Err(error)),
        }
    }

    /// The real path of something by its name in the first place that has it, if it is inside of the lab.
    pub(super) fn locate(&self, places: &[PathBuf], name: &str) -> Result<PathBuf, FileError> {
        let mut outside = false;
        for place in places {
            let path = place.join(name);
            match fs::canonicalize(&path) {
                Ok(real) if self.is_inside(&real) => return Ok(real),
                Ok(_) => outside = true,
                Err(_) => outside |= !self.may_be_inside(&path),
            }
        }
        if outside {
            let mut roots = self.layout.roots.clone();
            roots.dedup();
            return Err(FileError::Outside(roots));
        }
        let absolute = Path::new(name).is_absolute();
        let folder = Path::new(name).parent().filter(|_| absolute).map(|folder| vec![folder.to_owned()]);
        Err(FileError::Missing(folder.unwrap_or_else(|| places.to_vec())))
    }

    fn is_inside(&self, real: &Path) -> bool {
        self.roots.iter().any(|root| real.starts_with(root))
            && !self.hidden.iter().any(|folder| real.starts_with(folder))
            && !self.is_private_to_another(real)
    }

    /// What is below `users/<name>/` is that user's alone.
    fn is_private_to_another(&self, real: &Path) -> bool {
        let users = self.layout.root.join("users");
        let owner = real.strip_prefix(users).ok().and_then(|rest| rest.components().next());
        let owner = owner.map(|owner| owner.as_os_str().to_string_lossy().into_owned());
        let own = self.user.as_ref().map(|user| user.as_str());
        matches!(self.kind, Kind::Folder) && owner.is_some() && owner.as_deref() != own
    }

    /// Whether a path that does not exist would be inside.
    fn may_be_inside(&self, path: &Path) -> bool {
        let mut plain = PathBuf::new();
        for part in path.components() {
            match part {
                Component::ParentDir => drop(plain.pop()),
                Component::CurDir => {}
                Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
            }
        }
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

fn shown(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    shown.join(" or ")
}
