//! Files by the hash of their content: test files, libraries, artifacts, reports.
//!
//! A file is written beside its place, synced and renamed, so what has a name is whole. Content never changes, so a
//! name can be cached for ever.

pub(crate) mod sweep;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::BlobHash,
};

/// Why a file could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The disk refused.
    #[error("the blob store could not be used: {0}")]
    Io(#[from] io::Error),
    /// The content is not what its name says.
    #[error("the content has the hash {got}, not {wanted}; send it again")]
    Mismatch {
        /// The hash it was to have.
        wanted: BlobHash,
        /// The hash it has.
        got: BlobHash,
    },
    /// Larger than allowed.
    #[error("the file is larger than {0} bytes, which is what `limits.upload` of engine.toml allows")]
    TooLarge(u64),
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        let told = error.to_string();
        match error {
            BlobError::Io(_) => Self::new(ErrorCode::Storage, told.clone()).because(told),
            BlobError::Mismatch { .. } => Self::new(ErrorCode::BadRequest, told),
            BlobError::TooLarge(_) => Self::new(ErrorCode::TooLarge, told),
        }
    }
}

/// The store of files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: Arc<Path>,
    uploads: Arc<AtomicU64>,
    /// Held while it is decided whether a file is still wanted: by who wants it, and by who removes what nobody names.
    deciding: Arc<Mutex<()>>,
}

/// Files that are stored together: a project of a thousand tests has a thousand of them, and to wait for the disk twice for each
/// would take longer than its tests. Nothing is stored before [`Together::finish`]; dropped without it, nothing is left.
#[derive(Debug)]
pub struct Together {
    blobs: Blobs,
    waiting: BTreeMap<BlobHash, Upload>,
}

/// Files and folders that are synced one by one; of more, the whole file system is.
const SYNCED_EACH_MAX: usize = 8;

/// A file on its way in: hashed as it is written. Dropped before [`Upload::finish`], it leaves nothing.
#[derive(Debug)]
pub struct Upload {
    blobs: Blobs,
    path: PathBuf,
    file: Option<std::fs::File>,
    hasher: blake3::Hasher,
    bytes: u64,
    bytes_max: u64,
}

impl Blobs {
    /// The store in this folder, which is made if it is not there. What uploads of an earlier life left is removed.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder: PathBuf = folder.into();
        let uploads = folder.join("upload");
        match std::fs::remove_dir_all(&uploads) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        std::fs::create_dir_all(&uploads)?;
        Ok(Self { folder: folder.into(), uploads: Arc::default(), deciding: Arc::default() })
    }

    /// Where they are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, hash: &BlobHash) -> PathBuf {
        let text = hash.to_string();
        let shard: String = text.chars().take(2).collect();
        self.folder.join(shard).join(text)
    }

    /// The file of this content and its size, where it is stored.
    ///
    /// # Errors
    /// It is there and cannot be opened.
    pub fn open_blob(&self, hash: &BlobHash) -> io::Result<Option<(std::fs::File, u64)>> {
        match std::fs::File::open(self.path(hash)) {
            Ok(file) => {
                let size = file.metadata()?.len();
                Ok(Some((file, size)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether this content is stored.
    pub fn contains(&self, hash: &BlobHash) -> bool {
        self.path(hash).try_exists().unwrap_or(false)
    }

    /// Stores some bytes; the answer is their name. Blocks on the disk.
    ///
    /// # Errors
    /// The disk refused.
    pub fn put(&self, bytes: &[u8]) -> Result<BlobHash, BlobError> {
        let hash = BlobHash(*blake3::hash(bytes).as_bytes());
        if self.claim(&hash) {
            return Ok(hash);
        }
        let mut upload = self.begin(u64::MAX)?;
        upload.write(bytes)?;
        upload.finish(None)
    }

    /// Begins to store files that belong together.
    pub fn together(&self) -> Together {
        Together { blobs: self.clone(), waiting: BTreeMap::new() }
    }

    /// Puts all of these, which are in the store's folder, on the disk.
    fn sync<'a>(&self, paths: impl ExactSizeIterator<Item = &'a Path>) -> io::Result<()> {
        if paths.len() > SYNCED_EACH_MAX {
            return Ok(rustix::fs::syncfs(std::fs::File::open(&self.folder)?)?);
        }
        for path in paths {
            std::fs::File::open(path)?.sync_all()?;
        }
        Ok(())
    }

    /// All bytes of a file, where it is stored. Blocks on the disk.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(&self, hash: &BlobHash) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.path(hash)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Begins to store a file that comes in pieces, of at most so many bytes.
    ///
    /// # Errors
    /// The disk refused.
    pub fn begin(&self, bytes_max: u64) -> Result<Upload, BlobError> {
        let number = self.uploads.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join("upload").join(number.to_string());
        let file = Some(std::fs::File::create(&path)?);
        Ok(Upload { blobs: self.clone(), path, file, hasher: blake3::Hasher::new(), bytes: 0, bytes_max })
    }
}

impl Together {
    /// Takes some bytes in; the answer is the name they will have. Blocks on the disk.
    ///
    /// # Errors
    /// The disk refused.
    pub fn put(&mut self, bytes: &[u8]) -> Result<BlobHash, BlobError> {
        let hash = BlobHash(*blake3::hash(bytes).as_bytes());
        if !self.waiting.contains_key(&hash) && !self.blobs.claim(&hash) {
            let mut upload = self.blobs.begin(u64::MAX)?;
            upload.write(bytes)?;
            // A thousand open files are more than a process may have.
            upload.file = None;
            self.waiting.insert(hash, upload);
        }
        Ok(hash)
    }

    /// Gives all of them their names, once they are safe on the disk. Blocks on the disk.
    ///
    /// # Errors
    /// The disk refused; some of them may be stored.
    pub fn finish(self) -> Result<(), BlobError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.blobs.sync(self.waiting.values().map(|upload| upload.path.as_path()))?;
        let mut shards = BTreeSet::new();
        for (hash, upload) in &self.waiting {
            let place = self.blobs.path(hash);
            if let Some(shard) = place.parent() {
                std::fs::create_dir_all(shard)?;
                std::fs::rename(&upload.path, &place)?;
                shards.insert(shard.to_owned());
            }
        }
        // The names themselves must survive a power cut, too.
        Ok(self.blobs.sync(shards.iter().map(PathBuf::as_path))?)
    }
}

impl Upload {
    /// The next piece. Blocks on the disk.
    ///
    /// # Errors
    /// The disk refused, or the file is too large.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.bytes > self.bytes_max {
            return Err(BlobError::TooLarge(self.bytes_max));
        }
        self.hasher.update(bytes);
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        Ok(())
    }

    /// Gives the file its name, once it is safe on the disk. Blocks on the disk.
    ///
    /// # Errors
    /// The disk refused, or the content has another hash than the one wanted.
    pub fn finish(mut self, wanted: Option<BlobHash>) -> Result<BlobHash, BlobError> {
        let got = BlobHash(*self.hasher.finalize().as_bytes());
        if let Some(wanted) = wanted.filter(|wanted| *wanted != got) {
            return Err(BlobError::Mismatch { wanted, got });
        }
        if let Some(file) = self.file.take() {
            file.sync_all()?;
        }
        let place = self.blobs.path(&got);
        if let Some(shard) = place.parent() {
            std::fs::create_dir_all(shard)?;
            std::fs::rename(&self.path, &place)?;
            // The name itself must survive a power cut, too.
            std::fs::File::open(shard)?.sync_all()?;
        }
        Ok(got)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %self.path.display(), "an unfinished upload stays until the next start");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_comes_back_under_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let hash = blobs.put(b"show version\n").unwrap();
        assert_eq!(hash, BlobHash(*blake3::hash(b"show version\n").as_bytes()));
        assert_eq!(blobs.read(&hash).unwrap().unwrap(), b"show version\n");
        assert_eq!(blobs.put(b"show version\n").unwrap(), hash, "twice is once");
        assert!(blobs.contains(&hash));
        assert!(blobs.read(&BlobHash([0; 32])).unwrap().is_none());
    }

    #[test]
    fn many_are_stored_at_once_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let texts: Vec<String> = (0..SYNCED_EACH_MAX * 3).map(|number| (number / 2).to_string()).collect();
        let mut dropped = blobs.together();
        let hash = dropped.put(b"0").unwrap();
        drop(dropped);
        assert!(!blobs.contains(&hash));
        for few in [SYNCED_EACH_MAX, texts.len()] {
            let mut together = blobs.together();
            let texts = texts.iter().take(few);
            let hashes: Vec<_> = texts.clone().map(|text| together.put(text.as_bytes()).unwrap()).collect();
            together.finish().unwrap();
            for (text, hash) in texts.zip(hashes) {
                assert_eq!(blobs.read(&hash).unwrap().unwrap(), text.as_bytes());
            }
        }
        assert_eq!(std::fs::read_dir(folder.path().join("upload")).unwrap().count(), 0);
    }

    #[test]
    fn wrong_content_and_broken_uploads_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let mut upload = blobs.begin(100).unwrap();
        upload.write(b"one").unwrap();
        assert!(matches!(upload.finish(Some(BlobHash([7; 32]))), Err(BlobError::Mismatch { .. })));
        drop(blobs.begin(100).unwrap());
        let mut large = blobs.begin(5).unwrap();
        large.write(b"12345").unwrap();
        assert!(matches!(large.write(b"6"), Err(BlobError::TooLarge(5))));
        drop(large);
        let left: Vec<_> = std::fs::read_dir(folder.path().join("upload")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
