//! Files by content that nobody names any more.
//!
//! A row names a file after the file is there, and what is there already is not written again: so whoever wants a file says so ([`Blobs::claim`]),
//! which makes it young, and young files stay. Both look under one lock.

use std::{
    collections::BTreeSet,
    fs, io,
    path::Path,
    sync::PoisonError,
    time::{Duration, SystemTime},
};

use jackfield_protocol::id::BlobHash;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW};

use super::Blobs;

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Blobs {
    /// Whether this content is stored; if so, it stays for as long as a young file does, until a row names it.
    pub fn claim(&self, hash: &BlobHash) -> bool {
        let _deciding = self.deciding.lock().unwrap_or_else(PoisonError::into_inner);
        touch(&self.path(hash)).is_ok()
    }

    /// How many bytes these files have together; those that are not there have none.
    pub fn bytes_of(&self, hashes: &BTreeSet<BlobHash>) -> u64 {
        let sizes = hashes.iter().filter_map(|hash| fs::metadata(self.path(hash)).ok());
        sizes.map(|found| found.len()).fold(0, u64::saturating_add)
    }

    /// Removes the files that are not among these and were last wanted longer ago than this. Blocks on the disk.
    ///
    /// # Errors
    /// The disk refused; some may be removed.
    pub fn sweep(&self, named: &BTreeSet<BlobHash>, now: SystemTime, young: Duration) -> io::Result<Swept> {
        let mut swept = Swept::default();
        for shard in fs::read_dir(&self.folder)? {
            let shard = shard?;
            if !shard.file_type()?.is_dir() || shard.file_name() == "upload" {
                continue;
            }
            for file in fs::read_dir(shard.path())? {
                let file = file?;
                // What is no file of ours stays.
                let hash = file.file_name().to_str().and_then(|name| name.parse::<BlobHash>().ok());
                if hash.is_some_and(|hash| !named.contains(&hash))
                    && let Some(bytes) = self.remove_old(&file.path(), now, young)?
                {
                    swept.files = swept.files.saturating_add(1);
                    swept.bytes = swept.bytes.saturating_add(bytes);
                }
            }
        }
        Ok(swept)
    }

    /// Removes a file, if it is old; the answer is what it had.
    fn remove_old(&self, path: &Path, now: SystemTime, young: Duration) -> io::Result<Option<u64>> {
        let _deciding = self.deciding.lock().unwrap_or_else(PoisonError::into_inner);
        let found = fs::metadata(path)?;
        // A file of the future was written before the clock was set back: nobody knows how old it is.
        let is_old = now.duration_since(found.modified()?).is_ok_and(|age| age > young);
        if !is_old {
            return Ok(None);
        }
        fs::remove_file(path)?;
        Ok(Some(found.len()))
    }
}

/// Makes a file young, if it is there.
fn touch(path: &Path) -> io::Result<()> {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let both = Timestamps { last_access: now, last_modification: now };
    Ok(rustix::fs::utimensat(CWD, path, &both, AtFlags::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn what_nobody_names_goes_when_it_is_old_and_nobody_wanted_it_since() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let [named, old, wanted, young] =
            ["named", "old", "wanted", "young"].map(|text| blobs.put(text.as_bytes()).unwrap());
        let now = fs::metadata(blobs.path(&young)).unwrap().modified().unwrap();
        for hash in [named, old, wanted] {
            let file = fs::File::options().write(true).open(blobs.path(&hash)).unwrap();
            file.set_modified(now - DAY * 3).unwrap();
        }
        assert_eq!(blobs.put(b"wanted").unwrap(), wanted, "it is there, and wanted once more");
        fs::write(folder.path().join("ab").join("README"), "not ours").unwrap_or_default();
        let swept = blobs.sweep(&BTreeSet::from([named]), now + Duration::from_secs(60), DAY).unwrap();
        assert_eq!(swept, Swept { files: 1, bytes: 3 });
        assert!(!blobs.contains(&old));
        assert!([named, wanted, young].iter().all(|hash| blobs.contains(hash)));
        assert!(!blobs.claim(&old), "who wants it must bring it again");
        let back = blobs.sweep(&BTreeSet::new(), now - DAY * 400, DAY).unwrap();
        assert_eq!(back, Swept::default(), "a clock that was set back makes nothing old");
    }
}
