//! Folders that a run left as they were, for the next run that wants the same files.
//!
//! To copy a thousand files and to remove them again takes longer than most of the tests in them. What one run does reaches no other all the
//! same: a folder is in one run at a time, comes here when nothing of that run is left, and is looked at, file by file, when it comes and
//! when it goes.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::seal::{Marks, Seal};
use crate::limits::{KEPT_BYTES_MAX, KEPT_ENTRIES_MAX, KEPT_ENTRIES_MIN, KEPT_FOLDERS_MAX};

/// The folders, and where they are.
#[derive(Debug)]
pub(crate) struct KeptFolders {
    folder: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Gives each a name of its own.
    count: u64,
    /// Those that wait, and longest first.
    folders: Vec<Folder>,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    content: blake3::Hash,
    marks: Marks,
}

impl KeptFolders {
    /// The place must be there, and empty.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, kept: Mutex::default() }
    }

    /// Moves a folder of this content to `target`, which is not there, if one waits and is still as it was.
    pub(super) fn take(&self, content: blake3::Hash, target: &Path) -> Option<Seal> {
        loop {
            let Folder { path, marks, .. } = self.next(content)?;
            if std::fs::rename(&path, target).is_ok() {
                if let Ok(Some(seal)) = Seal::set_again(target, marks) {
                    return Some(seal);
                }
                tracing::warn!(
                    "`{}` was changed while no run had it; its files are copied anew",
                    path.display()
                );
                // Whoever asks finds the place free.
                let _ = std::fs::rename(target, &path);
            }
            remove(&path);
        }
    }

    /// Takes a folder that a run left, if it is still as its seal says.
    pub(super) fn keep(&self, content: blake3::Hash, folder: &Path, seal: Seal) {
        let Some(marks) = seal.broken_off(folder) else { return };
        if marks.entries() < KEPT_ENTRIES_MIN || clear_leavings(folder, &marks).is_err() {
            return;
        }
        let path = {
            let mut kept = self.kept();
            kept.count = kept.count.saturating_add(1);
            self.folder.join(kept.count.to_string())
        };
        if std::fs::rename(folder, &path).is_ok() {
            let too_many = self.kept().add(Folder { path, content, marks });
            too_many.iter().for_each(|folder| remove(&folder.path));
        }
    }

    fn next(&self, content: blake3::Hash) -> Option<Folder> {
        let mut kept = self.kept();
        let place = kept.folders.iter().rposition(|folder| folder.content == content)?;
        Some(kept.folders.remove(place))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A panic between two statements of this module leaves a folder that nobody takes.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Those that have waited for longest go where there are too many.
    fn add(&mut self, folder: Folder) -> Vec<Folder> {
        self.folders.push(folder);
        let (mut entries, mut bytes) = (0_usize, 0_u64);
        let fits = self.folders.iter().rev().take(KEPT_FOLDERS_MAX).take_while(|folder| {
            entries = entries.saturating_add(folder.marks.entries());
            bytes = bytes.saturating_add(folder.marks.bytes());
            entries <= KEPT_ENTRIES_MAX && bytes <= KEPT_BYTES_MAX
        });
        let too_many = self.folders.len().saturating_sub(fits.count());
        self.folders.drain(..too_many).collect()
    }
}

/// Removes what interpreters put beside the sources: a test could have put something else there under its name.
fn clear_leavings(folder: &Path, marks: &Marks) -> io::Result<()> {
    for inner in marks.folders().chain([Path::new("")]) {
        match std::fs::remove_dir_all(folder.join(inner).join(super::seal::IGNORED)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn remove(folder: &Path) {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("`{}` cannot be removed: {error}", folder.display());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        at: tempfile::TempDir,
        kept: KeptFolders,
    }

    impl Bench {
        fn new() -> Self {
            let at = tempfile::tempdir().unwrap();
            std::fs::create_dir(at.path().join("kept")).unwrap();
            let kept = KeptFolders::new(at.path().join("kept"));
            Self { at, kept }
        }

        /// A folder of a run that its tests leave so.
        fn left(&self, run: &str, content: &str, tests: impl FnOnce(&Path)) {
            let folder = self.at.path().join(run);
            std::fs::create_dir_all(folder.join("sub")).unwrap();
            std::fs::write(folder.join("a.py"), content).unwrap();
            for number in 0..KEPT_ENTRIES_MIN {
                std::fs::write(folder.join(format!("sub/{number}.py")), "").unwrap();
            }
            let seal = Seal::set(&folder).unwrap();
            tests(&folder);
            self.kept.keep(blake3::hash(content.as_bytes()), &folder, seal);
        }

        fn taken(&self, run: &str, content: &str) -> Option<Seal> {
            self.kept.take(blake3::hash(content.as_bytes()), &self.at.path().join(run))
        }
    }

    #[test]
    fn what_a_run_left_as_it_was_is_had_by_the_next_and_by_one_alone() {
        let bench = Bench::new();
        bench.left("1", "x = 1", |_| {});
        assert!(bench.taken("2", "x = 2").is_none(), "another content");
        let seal = bench.taken("3", "x = 1").unwrap();
        let folder = bench.at.path().join("3");
        assert_eq!(std::fs::read_to_string(folder.join("a.py")).unwrap(), "x = 1");
        assert!(seal.holds(&folder));
        assert!(bench.taken("4", "x = 1").is_none());
        std::fs::write(folder.join("a.py"), "x = 9").unwrap();
        assert!(!seal.holds(&folder), "it is watched in its new run as in its first");
    }

    #[test]
    fn what_a_test_changed_or_put_there_reaches_no_other_run() {
        let bench = Bench::new();
        bench.left("1", "x = 1", |folder| std::fs::write(folder.join("a.py"), "x = 2").unwrap());
        bench.left("2", "x = 1", |folder| std::fs::write(folder.join("sub/json.py"), "").unwrap());
        assert!(bench.taken("3", "x = 1").is_none());
        bench.left("4", "x = 1", |folder| {
            for place in ["__pycache__", "sub/__pycache__"] {
                std::fs::create_dir(folder.join(place)).unwrap();
                std::fs::write(folder.join(place).join("a.cpython-311.pyc"), "not what a.py says").unwrap();
            }
        });
        assert!(bench.taken("5", "x = 1").is_some());
        for place in ["__pycache__", "sub/__pycache__"] {
            assert!(!bench.at.path().join("5").join(place).try_exists().unwrap(), "{place}");
        }
    }

    #[test]
    fn what_was_changed_while_it_waited_is_not_given() {
        let bench = Bench::new();
        bench.left("1", "x = 1", |_| {});
        let waiting =
            std::fs::read_dir(bench.at.path().join("kept")).unwrap().next().unwrap().unwrap().path();
        std::fs::write(waiting.join("a.py"), "x = 2").unwrap();
        assert!(bench.taken("2", "x = 1").is_none());
        assert!(!bench.at.path().join("2").try_exists().unwrap() && !waiting.try_exists().unwrap());
    }

    #[test]
    fn those_that_waited_for_longest_go_where_there_are_too_many() {
        let bench = Bench::new();
        let folder = bench.at.path().join("large");
        std::fs::create_dir(&folder).unwrap();
        for number in 0..KEPT_ENTRIES_MIN {
            let part = std::fs::File::create(folder.join(number.to_string())).unwrap();
            part.set_len(KEPT_BYTES_MAX / 8).unwrap();
        }
        bench.left("1", "x = 1", |_| {});
        bench.kept.keep(blake3::hash(b"large"), &folder, Seal::set(&folder).unwrap());
        assert!(bench.taken("2", "x = 1").is_none());
        assert!(bench.taken("3", "large").is_some());
    }
}
