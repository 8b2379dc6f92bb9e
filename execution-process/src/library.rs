//! What stands on disk for a run: its test files and libraries, as links into the cache.
//!
//! `runs/41/files/1a2b…/login.py` is a test file under its own name; `runs/41/libs/5e6f…` holds the libraries of all tests
//! that name the same ones in the same order. Of two files of one name the later library's stays, so a suite's
//! library goes over the run's, and a user's (which the engine put in the shared one's place) over none.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use jackfield_protocol::{
    id::{BlobHash, RunId},
    link::RunContext,
    plan::{Library, LibraryKind, LibraryLayout},
};

use crate::blobs::{BlobError, Blobs};

/// Why the files of a test cannot be put in place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    /// A file could not be had.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The project names a library that the engine did not send.
    #[error("library `{0}` was not there when the run began")]
    NoLibrary(Arc<str>),
    /// A library has a file whose name leaves its folder.
    #[error("library `{library}` has a file `{file}` outside of itself")]
    Outside { library: Arc<str>, file: Arc<str> },
    /// The EP's disk.
    #[error("`{path}` cannot be made: {source}; free disk space", path = path.display())]
    Disk { path: PathBuf, source: io::Error },
}

/// The files of one run, in place.
#[derive(Debug)]
pub(crate) struct RunFiles {
    folder: PathBuf,
    context: Arc<RunContext>,
    blobs: Blobs,
    /// Test files that are in place.
    linked: BTreeSet<PathBuf>,
    /// Library lists that are in place.
    shelves: BTreeMap<Vec<Arc<str>>, Arc<Shelf>>,
}

/// The libraries of a test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shelf {
    /// Where they are.
    pub(crate) folder: PathBuf,
    /// Archives that are imported as they are.
    pub(crate) archives: Vec<PathBuf>,
}

/// Where the files of a run are.
pub(crate) fn run_folder(work_dir: &Path, run: RunId) -> PathBuf {
    work_dir.join("runs").join(run.to_string())
}

impl RunFiles {
    pub(crate) fn new(work_dir: &Path, context: Arc<RunContext>, blobs: Blobs) -> Self {
        let folder = run_folder(work_dir, context.run);
        Self { folder, context, blobs, linked: BTreeSet::new(), shelves: BTreeMap::new() }
    }

    /// A test file under its own name, in a folder of its own.
    pub(crate) async fn test_file(&mut self, name: &str, hash: BlobHash) -> Result<PathBuf, FilesError> {
        let own_name = Path::new(name).file_name().unwrap_or_else(|| "test".as_ref());
        let short: String = hash.to_string().chars().take(16).collect();
        let path = self.folder.join("files").join(short).join(own_name);
        if !self.linked.contains(&path) {
            self.link(&path, hash).await?;
            self.linked.insert(path.clone());
        }
        Ok(path)
    }

    /// The folder with these libraries.
    pub(crate) async fn shelf(&mut self, names: &[Arc<str>]) -> Result<Arc<Shelf>, FilesError> {
        if let Some(shelf) = self.shelves.get(names) {
            return Ok(Arc::clone(shelf));
        }
        let folder = self.folder.join("libs").join(shelf_name(&self.context, names));
        std::fs::create_dir_all(&folder).map_err(|source| disk(&folder, source))?;
        let mut shelf = Shelf { folder, archives: Vec::new() };
        let context = Arc::clone(&self.context);
        for name in names {
            let library =
                context.libraries.get(name).ok_or_else(|| FilesError::NoLibrary(Arc::clone(name)))?;
            let files = place(name, library, context.library_layout)?;
            for (inside, hash) in &files {
                self.link(&shelf.folder.join(inside), *hash).await?;
            }
            if library.kind == LibraryKind::Archive {
                shelf.archives.extend(files.keys().map(|inside| shelf.folder.join(inside)));
            }
            if context.library_layout == LibraryLayout::Deep && library.kind == LibraryKind::Folder {
                make_packages(&shelf.folder, files.keys()).map_err(|source| disk(&shelf.folder, source))?;
            }
        }
        let shelf = Arc::new(shelf);
        self.shelves.insert(names.to_vec(), Arc::clone(&shelf));
        Ok(shelf)
    }

    async fn link(&self, path: &Path, hash: BlobHash) -> Result<(), FilesError> {
        let source = self.blobs.get(hash).await?;
        let folder = path.parent().unwrap_or(path);
        std::fs::create_dir_all(folder).map_err(|source| disk(folder, source))?;
        let put = || match std::fs::hard_link(&source, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                std::fs::remove_file(path)?;
                std::fs::hard_link(&source, path)
            }
            other => other,
        };
        // Some file systems know no links.
        put().or_else(|_| std::fs::copy(&source, path).map(drop)).map_err(|source| disk(path, source))
    }
}

fn disk(path: &Path, source: io::Error) -> FilesError {
    FilesError::Disk { path: path.to_owned(), source }
}

/// A name for a folder with these libraries: another where anything in them is another.
fn shelf_name(context: &RunContext, names: &[Arc<str>]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(if context.library_layout == LibraryLayout::Deep { b"deep" } else { b"flat" });
    for name in names {
        hasher.update(name.as_bytes()).update(&[0]);
        for (file, hash) in context.libraries.get(name).into_iter().flat_map(|library| &library.files) {
            hasher.update(file.as_bytes()).update(&[0]).update(&hash.0);
        }
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}

/// Where each file of a library goes.
fn place(
    name: &Arc<str>,
    library: &Library,
    layout: LibraryLayout,
) -> Result<BTreeMap<PathBuf, BlobHash>, FilesError> {
    let own_name =
        Path::new(name.as_ref()).file_name().map_or_else(|| PathBuf::from("library"), PathBuf::from);
    let mut placed = BTreeMap::new();
    for (file, hash) in &library.files {
        let inside = Path::new(file.as_ref());
        let safe = inside.components().all(|part| matches!(part, Component::Normal(_)));
        let last = inside.file_name().filter(|_| safe);
        let last =
            last.ok_or_else(|| FilesError::Outside { library: Arc::clone(name), file: Arc::clone(file) })?;
        let target = match (library.kind, layout) {
            (LibraryKind::File | LibraryKind::Archive, _) | (LibraryKind::Folder, LibraryLayout::Flat) => {
                PathBuf::from(last)
            }
            (LibraryKind::Folder, LibraryLayout::Deep) => own_name.join(inside),
        };
        placed.insert(target, *hash);
    }
    Ok(placed)
}

/// Makes every folder on the way to a file a Python package, where it is none yet.
fn make_packages<'a>(shelf: &Path, files: impl Iterator<Item = &'a PathBuf>) -> io::Result<()> {
    let folders: BTreeSet<&Path> = files
        .flat_map(|file| file.ancestors().skip(1))
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect();
    for folder in folders {
        match std::fs::File::create_new(shelf.join(folder).join("__init__.py")) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(kind: LibraryKind, files: &[&str]) -> Library {
        let files = files.iter().map(|file| (Arc::from(*file), BlobHash([1; 32]))).collect();
        Library { kind, files }
    }

    #[test]
    fn each_layout_puts_files_where_tests_import_them() {
        let folder = library(LibraryKind::Folder, &["a.py", "sub/b.py"]);
        let single = library(LibraryKind::File, &["c.py"]);
        let names = |library, layout| {
            let placed = place(&Arc::from("libs/Deep"), library, layout).unwrap();
            placed.keys().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&folder, LibraryLayout::Flat), ["a.py", "b.py"]);
        assert_eq!(names(&folder, LibraryLayout::Deep), ["Deep/a.py", "Deep/sub/b.py"]);
        assert_eq!(names(&single, LibraryLayout::Deep), ["c.py"]);
    }

    #[test]
    fn a_library_cannot_write_outside_of_itself() {
        for bad in ["../x.py", "/etc/x.py", "a/../../x.py", ""] {
            let library = library(LibraryKind::Folder, &[bad]);
            assert!(place(&Arc::from("L"), &library, LibraryLayout::Deep).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_folder_of_a_deep_library_is_a_package_and_its_own_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("Deep/sub")).unwrap();
        std::fs::write(folder.path().join("Deep/__init__.py"), "own = 1").unwrap();
        let files = [PathBuf::from("Deep/__init__.py"), PathBuf::from("Deep/sub/b.py")];
        make_packages(folder.path(), files.iter()).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("Deep/__init__.py")).unwrap(), "own = 1");
        assert_eq!(std::fs::read_to_string(folder.path().join("Deep/sub/__init__.py")).unwrap(), "");
    }
}
