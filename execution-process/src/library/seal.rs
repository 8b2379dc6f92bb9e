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
pub(super) const IGNORED: &str = "__pycache__";
/// Entries from which it is cheaper to be told of changes than to look. A user may have few such ears (128), and what tests start wants some, too.
const WATCHED_MIN: usize = 64;
/// Entries that are looked at in some microseconds.
const QUICK_MAX: usize = 8;
/// Bytes of notices that are read at once.
const NOTICES_BYTES: usize = 4096;

/// All that is in a folder as it was, but the folder itself, which may be moved.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marks(BTreeMap<PathBuf, Mark>);

/// A folder that is to stay as it is.
#[derive(Debug)]
pub(super) struct Seal {
    marks: Marks,
    /// Where the system tells of what is done in its folders; none for a small one, or where the system has no more to give.
    notices: Option<OwnedFd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    is_folder: bool,
    inode: u64,
    mode: u32,
    size: u64,
    changed: (i64, i64),
}

impl Seal {
    /// Takes note of a folder.
    pub(super) fn set(folder: &Path) -> io::Result<Self> {
        let marks = Marks::of(folder)?;
        let notices = listen(folder, &marks);
        // What counts is how it is from when it is listened to.
        let marks = if notices.is_some() { Marks::of(folder)? } else { marks };
        Ok(Self { marks, notices })
    }

    /// The same of a folder that is known; none if it is not as it was.
    pub(super) fn set_again(folder: &Path, known: Marks) -> io::Result<Option<Self>> {
        let notices = listen(folder, &known);
        let holds = Marks::of(folder)? == known;
        Ok(holds.then_some(Self { marks: known, notices }))
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

    /// Whether to look at it takes less time than to have another thread look.
    pub(super) fn is_quick(&self) -> bool {
        self.marks.entries() <= QUICK_MAX
    }

    /// Whether nothing was changed, added or removed since. What cannot be looked at was changed.
    pub(super) fn holds(&self, folder: &Path) -> bool {
        Marks::of(folder).is_ok_and(|marks| marks == self.marks)
    }

    /// What the folder was, if it is that still; it is not listened to any more.
    pub(super) fn broken_off(self, folder: &Path) -> Option<Marks> {
        self.holds(folder).then_some(self.marks)
    }
}

impl Marks {
    fn of(folder: &Path) -> io::Result<Self> {
        let mut marks = BTreeMap::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(inner) = folders.pop() {
            for entry in std::fs::read_dir(folder.join(&inner))? {
                let entry = entry?;
                if entry.file_name() == IGNORED {
                    continue;
                }
                let (path, mark) = (inner.join(entry.file_name()), Mark::of(&entry.metadata()?));
                if mark.is_folder {
                    folders.push(path.clone());
                }
                marks.insert(path, mark);
            }
        }
        Ok(Self(marks))
    }

    /// The folders in it.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter(|(_, mark)| mark.is_folder).map(|(path, _)| path.as_path())
    }

    pub(super) fn entries(&self) -> usize {
        self.0.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.values().map(|mark| mark.size).fold(0, u64::saturating_add)
    }
}

impl Mark {
    fn of(found: &Metadata) -> Self {
        let is_folder = found.is_dir();
        // The times of a folder change with what interpreters put into it; its entries are looked at themselves.
        let (size, changed) =
            if is_folder { (0, (0, 0)) } else { (found.size(), (found.ctime(), found.ctime_nsec())) };
        Self { is_folder, inode: found.ino(), mode: found.mode(), size, changed }
    }
}

/// Has the system tell what is done in a folder, if that is cheaper than to look, and can be had.
fn listen(folder: &Path, marks: &Marks) -> Option<OwnedFd> {
    if marks.entries() < WATCHED_MIN {
        return None;
    }
    let notices = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok()?;
    let mut all = marks.folders().map(|inner| folder.join(inner)).chain([folder.to_owned()]);
    all.all(|folder| watch(&notices, &folder).is_ok()).then_some(notices)
}

fn watch(notices: &OwnedFd, folder: &Path) -> Result<(), Errno> {
    let changes = WatchFlags::MODIFY | WatchFlags::CLOSE_WRITE | WatchFlags::ATTRIB;
    let entries = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE;
    let itself =
        WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF | WatchFlags::ONLYDIR | WatchFlags::DONT_FOLLOW;
    inotify::add_watch(notices, folder, changes | entries | itself).map(drop)
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
            assert!(seal.holds(&at) && !seal.was_touched(), "{what}");
            change(&at);
            assert!(seal.was_touched() && !seal.holds(&at), "{what}");
        }
        let small = tempfile::tempdir().unwrap();
        assert!(Seal::set(small.path()).unwrap().was_touched(), "a small one is looked at each time");
    }
}
