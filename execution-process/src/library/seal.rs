//! Whether a folder is still as it was when it was made.
//!
//! A test can write to its own file, to its libraries, and beside them. What it did there must not be what the next test finds, and to make
//! everything anew for each test would cost more than most tests. So it is looked at again before each where the system says that something
//! was done in it: a folder of a thousand tests must not be read a thousand times. What counts is what is found then: the system notes every
//! change of a file, and of what stands in a folder, with a time that nobody but it can set. Of a large folder it is not told what is written
//! through a hard link from elsewhere, though of the making of that link.

use std::{
    collections::BTreeMap,
    fs::Metadata,
    io,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::inotify::{self, CreateFlags, WatchFlags},
    io::Errno,
};

/// What interpreters put beside sources by themselves.
const IGNORED: &str = "__pycache__";
/// Entries from which it is cheaper to be told of changes than to look. A user may have few such ears (128), and what tests start wants some, too.
const WATCHED_MIN: usize = 64;
/// Bytes of notices that are read at once.
const NOTICES_BYTES: usize = 4096;

/// A folder and all that is in it, as they were.
#[derive(Debug)]
pub(super) struct Seal {
    folder: PathBuf,
    marks: BTreeMap<PathBuf, Mark>,
    /// Where the system tells of what is done in its folders; none for a small one, or where the system has no more to give.
    notices: Option<OwnedFd>,
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
        let (mut marks, folders) = look(folder)?;
        let notices = (marks.len() >= WATCHED_MIN).then(new_notices).flatten().filter(|notices| {
            watch(notices, folder).is_ok() && folders.iter().all(|inner| watch(notices, inner).is_ok())
        });
        if notices.is_some() {
            // What counts is how it is from when it is watched.
            marks = look(folder)?.0;
        }
        Ok(Self { folder: folder.to_owned(), marks, notices })
    }

    /// Whether something was done in it since this was asked last, or may have been.
    pub(super) fn was_touched(&self) -> bool {
        let Some(notices) = &self.notices else { return true };
        let mut buffer = [MaybeUninit::uninit(); NOTICES_BYTES];
        let mut reader = inotify::Reader::new(notices, &mut buffer);
        let mut is_touched = false;
        loop {
            match reader.next() {
                Ok(notice) => {
                    let name = notice.file_name().map(std::ffi::CStr::to_bytes);
                    is_touched |= name != Some(IGNORED.as_bytes());
                }
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) => return is_touched,
                Err(_) => return true,
            }
        }
    }

    /// Whether nothing was changed, added or removed since. What cannot be looked at was changed.
    pub(super) fn holds(&self) -> bool {
        look(&self.folder).is_ok_and(|(marks, _)| marks == self.marks)
    }
}

fn new_notices() -> Option<OwnedFd> {
    inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok()
}

fn watch(notices: &OwnedFd, folder: &Path) -> Result<(), Errno> {
    let changes = WatchFlags::MODIFY | WatchFlags::CLOSE_WRITE | WatchFlags::ATTRIB;
    let entries = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE;
    let itself =
        WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF | WatchFlags::ONLYDIR | WatchFlags::DONT_FOLLOW;
    inotify::add_watch(notices, folder, changes | entries | itself).map(drop)
}

/// All that is in a folder, and the folders in it.
fn look(folder: &Path) -> io::Result<(BTreeMap<PathBuf, Mark>, Vec<PathBuf>)> {
    let (mut marks, mut inner) = (BTreeMap::new(), Vec::new());
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
                inner.push(path.clone());
            }
            marks.insert(path, mark(&found));
        }
    }
    Ok((marks, inner))
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
            for number in 0..WATCHED_MIN {
                std::fs::write(at.join(format!("{number}.txt")), "").unwrap();
            }
            let seal = Seal::set(&at).unwrap();
            std::fs::create_dir(at.join("__pycache__")).unwrap();
            std::fs::write(at.join("__pycache__/a.pyc"), "").unwrap();
            assert!(seal.holds() && !seal.was_touched(), "{what}");
            change(&at);
            assert!(seal.was_touched() && !seal.holds(), "{what}");
        }
        let small = tempfile::tempdir().unwrap();
        assert!(Seal::set(small.path()).unwrap().was_touched(), "a small one is looked at each time");
    }
}
