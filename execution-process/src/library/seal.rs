//! Whether a folder is still as it was when it was made.
//!
//! A test can write to its own file, to its libraries, and beside them. What it did there must not be what the next test finds, and to make
//! everything anew for each test would cost more than most tests. So it is looked at again before each: the system notes every change of a
//! file, and of what stands in a folder, with a time that nobody but it can set.

use std::{
    collections::BTreeMap,
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What interpreters put beside sources by themselves.
const IGNORED: &str = "__pycache__";

/// A folder and all that is in it, as they were.
#[derive(Debug)]
pub(super) struct Seal {
    folder: PathBuf,
    marks: BTreeMap<PathBuf, Mark>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    inode: u64,
    mode: u32,
    size: u64,
    changed: (i64, i64),
}

impl Seal {
    /// Takes note of a folder.
    pub(super) fn set(folder: &Path) -> io::Result<Self> {
        Ok(Self { folder: folder.to_owned(), marks: look(folder)? })
    }

    /// Whether nothing was changed, added or removed since. What cannot be looked at was changed.
    pub(super) fn holds(&self) -> bool {
        look(&self.folder).is_ok_and(|marks| marks == self.marks)
    }
}

fn look(folder: &Path) -> io::Result<BTreeMap<PathBuf, Mark>> {
    let mut marks = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_name() == IGNORED {
                continue;
            }
            let (path, found) = (entry.path(), entry.metadata()?);
            if found.is_dir() {
                folders.push(path.clone());
            }
            marks.insert(path, mark(&found));
        }
    }
    Ok(marks)
}

fn mark(found: &Metadata) -> Mark {
    // The times of a folder change with what interpreters put into it; its entries are looked at themselves.
    let (size, changed) =
        if found.is_dir() { (0, (0, 0)) } else { (found.size(), (found.ctime(), found.ctime_nsec())) };
    Mark { inode: found.ino(), mode: found.mode(), size, changed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_breaks_it_but_what_interpreters_do() {
        type Change = fn(&Path);
        let changes: [(&str, Change); 6] = [
            ("written to", |at| std::fs::write(at.join("a.py"), "x = 2").unwrap()),
            ("replaced", |at| {
                std::fs::write(at.join("new"), "x = 1").unwrap();
                std::fs::rename(at.join("new"), at.join("a.py")).unwrap();
            }),
            ("removed", |at| std::fs::remove_file(at.join("a.py")).unwrap()),
            ("added", |at| std::fs::write(at.join("sub/json.py"), "").unwrap()),
            ("made a link", |at| std::os::unix::fs::symlink("a.py", at.join("b.py")).unwrap()),
            ("gone", |at| std::fs::remove_dir_all(at).unwrap()),
        ];
        for (what, change) in changes {
            let folder = tempfile::tempdir().unwrap();
            let at = folder.path().join("f");
            std::fs::create_dir_all(at.join("sub")).unwrap();
            std::fs::write(at.join("a.py"), "x = 1").unwrap();
            let seal = Seal::set(&at).unwrap();
            std::fs::create_dir(at.join("__pycache__")).unwrap();
            std::fs::write(at.join("__pycache__/a.pyc"), "").unwrap();
            assert!(seal.holds(), "{what}");
            change(&at);
            assert!(!seal.holds(), "{what}");
        }
    }
}
