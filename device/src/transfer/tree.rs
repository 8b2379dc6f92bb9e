//! Folders: what is in one, within bounds, and how far its move has come.
//!
//! What is neither a file nor a folder is not moved, a symbolic link among it: where it leads may not be there, or lead back. Whoever moves the
//! folder is told the names.

use std::{
    fs::DirEntry,
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::TransferError;
use crate::limits::{FOLDER_DEPTH_MAX, FOLDER_ENTRIES_MAX};

/// Something in a folder, by its names from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) names: Vec<String>,
    pub(super) is_folder: bool,
}

/// What is in a folder of ours: each folder stands before what is in it.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) entries: Vec<Entry>,
    pub(super) skipped: Vec<String>,
}

impl Tree {
    /// Looks through a folder.
    pub(super) async fn of(root: &Path) -> Result<Self, TransferError> {
        let path = root.to_owned();
        let looking = tokio::task::spawn_blocking(move || {
            let mut tree = Self::default();
            tree.add(&path, &mut Vec::new()).map(|()| tree)
        });
        looking.await.map_err(|error| local(root, io::Error::other(error)))?
    }

    fn add(&mut self, folder: &Path, names: &mut Vec<String>) -> Result<(), TransferError> {
        let failed = |source| local(folder, source);
        let found: io::Result<Vec<DirEntry>> = std::fs::read_dir(folder).map_err(failed)?.collect();
        let mut found = found.map_err(failed)?;
        found.sort_by_key(DirEntry::file_name);
        for entry in found {
            let path = entry.path();
            let name = entry.file_name().into_string();
            let name = name.map_err(|_name| refused(&path, "its name is no text in UTF-8"))?;
            let kind = entry.file_type().map_err(|source| local(&path, source))?;
            names.push(name);
            if kind.is_dir() || kind.is_file() {
                check_bounds(self.entries.len(), names.len()).map_err(|why| refused(&path, &why))?;
                self.entries.push(Entry { names: names.clone(), is_folder: kind.is_dir() });
            } else {
                self.skipped.push(names.join("/"));
            }
            if kind.is_dir() {
                self.add(&path, names)?;
            }
            names.pop();
        }
        Ok(())
    }
}

/// Whether there may be one more, so deep.
pub(super) fn check_bounds(entries: usize, depth: usize) -> Result<(), String> {
    if entries >= FOLDER_ENTRIES_MAX {
        return Err(format!("the folder holds more than {FOLDER_ENTRIES_MAX} files and folders"));
    }
    if depth > FOLDER_DEPTH_MAX {
        return Err(format!("it stands deeper than {FOLDER_DEPTH_MAX} folders"));
    }
    Ok(())
}

/// Whether a device may name something so: a name that leads elsewhere would be written there.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0'])
}

/// Makes a folder of ours where there is none.
pub(super) async fn make_folder(path: &Path) -> Result<(), TransferError> {
    match tokio::fs::create_dir(path).await {
        Ok(()) => Ok(()),
        Err(error) => {
            // One that is there already is filled; a link that leads to one is not followed.
            let found = tokio::fs::symlink_metadata(path).await;
            if found.is_ok_and(|found| found.is_dir()) { Ok(()) } else { Err(local(path, error)) }
        }
    }
}

fn local(path: &Path, source: io::Error) -> TransferError {
    TransferError::Local { path: path.to_owned(), source }
}

fn refused(path: &Path, why: &str) -> TransferError {
    local(path, io::Error::new(io::ErrorKind::InvalidInput, why))
}

/// How far a move has come, for the one who has to tell that it was not all.
#[derive(Debug, Default)]
pub(super) struct Progress {
    step: Mutex<Step>,
    /// Something is done that must not be left halfway.
    busy: AtomicBool,
}

/// What is being moved, and what was.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    pub(super) path: String,
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) skipped: Vec<String>,
}

impl Progress {
    pub(super) fn begin(&self, path: &str) {
        self.with(|step| path.clone_into(&mut step.path));
    }

    pub(super) fn done(&self, bytes: u64) {
        self.with(|step| {
            step.files = step.files.saturating_add(1);
            step.bytes = step.bytes.saturating_add(bytes);
        });
    }

    pub(super) fn skip(&self, path: PathBuf) {
        self.with(|step| step.skipped.push(path.to_string_lossy().into_owned()));
    }

    /// As it stands.
    pub(super) fn told(&self) -> Step {
        self.with(|step| step.clone())
    }

    /// Does something that is not to be left halfway, also where the time is over.
    pub(super) async fn without_pause<T>(&self, doing: impl Future<Output = T>) -> T {
        self.busy.store(true, Ordering::Relaxed);
        let done = doing.await;
        self.busy.store(false, Ordering::Relaxed);
        done
    }

    /// Whether such a thing is being done.
    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Step) -> T) -> T {
        change(&mut self.step.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_is_looked_through_in_order_and_links_are_told() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("b/empty")).unwrap();
        std::fs::write(root.path().join("b/two"), "2").unwrap();
        std::fs::write(root.path().join("a"), "1").unwrap();
        std::os::unix::fs::symlink("..", root.path().join("b/loop")).unwrap();
        let tree = Tree::of(root.path()).await.unwrap();
        let told: Vec<(String, bool)> =
            tree.entries.iter().map(|entry| (entry.names.join("/"), entry.is_folder)).collect();
        let wanted = [("a", false), ("b", true), ("b/empty", true), ("b/two", false)];
        assert_eq!(told, wanted.map(|(path, is_folder)| (path.to_owned(), is_folder)));
        assert_eq!(tree.skipped, ["b/loop"]);
    }

    #[tokio::test]
    async fn a_folder_may_only_be_so_deep() {
        let root = tempfile::tempdir().unwrap();
        let deep = "d/".repeat(FOLDER_DEPTH_MAX + 1);
        std::fs::create_dir_all(root.path().join(deep)).unwrap();
        let error = Tree::of(root.path()).await.unwrap_err();
        assert!(error.is_test());
        assert!(error.to_string().ends_with("`: it stands deeper than 64 folders"), "{error}");
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_none() {
        for (name, plain) in
            [("a", true), (".a", true), ("..", false), ("a/b", false), ("", false), (".", false)]
        {
            assert_eq!(is_plain(name), plain, "{name}");
        }
    }
}
