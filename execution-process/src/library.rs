//! What stands on disk for a run: its test files with what comes along with them, and libraries, as copies out of the cache.
//!
//! `runs/41/tests/1a2b…/1/router/login.py` is a test file under its own name, in its folder; `runs/41/libs/5e6f…/1` holds the libraries of all
//! tests that name the same ones in the same order. Of two files of one name the later library's stays, so a suite's
//! library goes over the run's, and a user's (which the engine put in the shared one's place) over none.
//!
//! Tests share these folders as long as they leave them as they found them; one that did not leaves them to itself ([`Seal`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use jackfield_protocol::{
    id::{BlobHash, RunId},
    link::RunContext,
    plan::{Library, LibraryKind, LibraryLayout, TestFolder},
};
use seal::Seal;

use crate::blobs::{BlobError, Blobs};

mod kept;
mod seal;

pub(crate) use kept::KeptFolders;

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
    /// What earlier runs left, and this one will.
    kept: Arc<KeptFolders>,
    /// What was asked for, in place.
    placed: BTreeMap<PathBuf, Placed>,
    /// What the libraries of these names are together.
    shelves: BTreeMap<Vec<Arc<str>>, Arc<Wanted>>,
    /// What comes along with the tests of a folder: it may be thousands of files.
    beside: BTreeMap<Arc<str>, Arc<Wanted>>,
}

/// Files that stand together.
#[derive(Debug)]
struct Wanted {
    /// Where, below the run's folder.
    place: PathBuf,
    /// In a folder of this name.
    inner: PathBuf,
    files: BTreeMap<PathBuf, BlobHash>,
    archives: Vec<PathBuf>,
    /// Its folders are Python packages.
    packages: bool,
}

/// Files that were put in place, as they were then.
#[derive(Debug)]
struct Placed {
    /// Below the run's folder.
    place: PathBuf,
    content: blake3::Hash,
    seal: Arc<Seal>,
    /// How often that was done.
    count: u32,
}

/// The libraries of a test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shelf {
    /// Where they are.
    pub(crate) folder: PathBuf,
    /// Archives that are imported as they are.
    pub(crate) archives: Vec<PathBuf>,
}

/// A test file in its place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TestFile {
    /// The file.
    pub(crate) path: PathBuf,
    /// The folder of all that came along with it.
    pub(crate) root: PathBuf,
}

/// Where the files of a run are.
pub(crate) fn run_folder(work_dir: &Path, run: RunId) -> PathBuf {
    work_dir.join("runs").join(run.to_string())
}

impl RunFiles {
    pub(crate) fn new(
        work_dir: &Path,
        context: Arc<RunContext>,
        blobs: Blobs,
        kept: Arc<KeptFolders>,
    ) -> Self {
        let folder = run_folder(work_dir, context.run);
        Self {
            folder,
            context,
            blobs,
            kept,
            placed: BTreeMap::new(),
            shelves: BTreeMap::new(),
            beside: BTreeMap::new(),
        }
    }

    /// A test file under its own name, with all that comes along with it.
    pub(crate) async fn test_file(&mut self, name: &str, hash: BlobHash) -> Result<TestFile, FilesError> {
        let context = Arc::clone(&self.context);
        let mut folders = context.folders.iter();
        let beside = folders.find_map(|(key, folder)| Some((key, folder, folder.tests.get(name)?)));
        let (wanted, inside) = match beside {
            // A test that came into the run later may be another file of the same name: it stands alone.
            Some((key, folder, inside)) if folder.files.get(inside) == Some(&hash) => {
                (self.beside(key, folder)?, PathBuf::from(inside.as_ref()))
            }
            _ => {
                let own_name = PathBuf::from(Path::new(name).file_name().unwrap_or_else(|| "test".as_ref()));
                let short: String = hash.to_string().chars().take(16).collect();
                let files = BTreeMap::from([(own_name.clone(), hash)]);
                (Arc::new(Wanted::new(Path::new("files").join(short), files)), own_name)
            }
        };
        let root = self.ensure(&wanted).await?;
        Ok(TestFile { path: root.join(inside), root })
    }

    fn beside(&mut self, key: &Arc<str>, folder: &TestFolder) -> Result<Arc<Wanted>, FilesError> {
        if let Some(known) = self.beside.get(key) {
            return Ok(Arc::clone(known));
        }
        let wanted = Arc::new(of_folder(key, folder)?);
        self.beside.insert(Arc::clone(key), Arc::clone(&wanted));
        Ok(wanted)
    }

    /// The folder with these libraries.
    pub(crate) async fn shelf(&mut self, names: &[Arc<str>]) -> Result<Arc<Shelf>, FilesError> {
        let wanted = match self.shelves.get(names) {
            Some(known) => Arc::clone(known),
            None => Arc::clone(
                self.shelves.entry(names.to_vec()).or_insert(Arc::new(of_libraries(&self.context, names)?)),
            ),
        };
        let folder = self.ensure(&wanted).await?;
        let archives = wanted.archives.iter().map(|inside| folder.join(inside)).collect();
        Ok(Arc::new(Shelf { folder, archives }))
    }

    /// Puts files in place, where they are not there, or not any more as they were.
    async fn ensure(&mut self, wanted: &Wanted) -> Result<PathBuf, FilesError> {
        let known = self.placed.get(&wanted.place);
        if let Some(known) = known {
            let folder = self.folder.join(&known.place);
            if !known.was_changed(&folder).await {
                return Ok(folder);
            }
            tracing::info!("`{}` was changed by a test; the next ones get it anew", folder.display());
        }
        let count = known.map_or(1, |known| known.count.saturating_add(1));
        let place = wanted.place.join(count.to_string()).join(&wanted.inner);
        let folder = self.folder.join(&place);
        let content = wanted.content();
        let told = |source| disk(&folder, source);
        // What a try left behind that did not get to its end.
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(error)),
            _ => {}
        }
        std::fs::create_dir_all(folder.parent().unwrap_or(&folder)).map_err(told)?;
        let seal = match self.kept.take(content, &folder) {
            Some(seal) => seal,
            None => self.copied(wanted, &folder).await?,
        };
        self.placed.insert(wanted.place.clone(), Placed { place, content, seal: Arc::new(seal), count });
        Ok(folder)
    }

    async fn copied(&self, wanted: &Wanted, folder: &Path) -> Result<Seal, FilesError> {
        let told = |source| disk(folder, source);
        std::fs::create_dir_all(folder).map_err(told)?;
        for (inside, hash) in &wanted.files {
            let path = folder.join(inside);
            if let Some(parent) = inside.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder.join(parent)).map_err(told)?;
            }
            self.blobs.place(*hash, path).await?;
        }
        if wanted.packages {
            make_packages(folder, wanted.files.keys()).map_err(told)?;
        }
        Seal::set(folder).map_err(told)
    }

    /// The run is over, and its folder was moved: what its tests left as it was is kept for others.
    pub(crate) fn leave(self, moved: &Path) {
        for Placed { place, content, seal, .. } in self.placed.into_values() {
            if let Some(seal) = Arc::into_inner(seal) {
                self.kept.keep(content, &moved.join(place), seal);
            }
        }
    }
}

impl Placed {
    async fn was_changed(&self, folder: &Path) -> bool {
        if !self.seal.was_touched() {
            return false;
        }
        if self.seal.is_quick() {
            return !self.seal.holds(folder);
        }
        let (seal, folder) = (Arc::clone(&self.seal), folder.to_owned());
        let holds = tokio::task::spawn_blocking(move || seal.holds(&folder)).await;
        !holds.unwrap_or(false)
    }
}

impl Wanted {
    fn new(place: PathBuf, files: BTreeMap<PathBuf, BlobHash>) -> Self {
        Self { place, inner: PathBuf::new(), files, archives: Vec::new(), packages: false }
    }

    /// What makes two of them the same: their files and names, wherever they stand.
    fn content(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[u8::from(self.packages)]);
        for (file, hash) in &self.files {
            hasher.update(file.as_os_str().as_bytes()).update(&[0]).update(&hash.0);
        }
        hasher.finalize()
    }
}

/// A folder of tests, under its own name: a package is imported by it.
fn of_folder(key: &Arc<str>, folder: &TestFolder) -> Result<Wanted, FilesError> {
    let (unique, own_name) = key.rsplit_once('/').unwrap_or((key, "tests"));
    let outside = |file: &Arc<str>| FilesError::Outside { library: Arc::clone(key), file: Arc::clone(file) };
    let mut files = BTreeMap::new();
    for (file, hash) in &folder.files {
        let inside = PathBuf::from(file.as_ref());
        if !is_inside(&inside) {
            return Err(outside(file));
        }
        files.insert(inside, *hash);
    }
    let names = [unique, own_name];
    if names.iter().any(|name| !is_inside(Path::new(name))) {
        return Err(outside(key));
    }
    Ok(Wanted { inner: own_name.into(), ..Wanted::new(Path::new("tests").join(unique), files) })
}

fn of_libraries(context: &RunContext, names: &[Arc<str>]) -> Result<Wanted, FilesError> {
    let place = Path::new("libs").join(shelf_name(context, names));
    let mut wanted = Wanted::new(place, BTreeMap::new());
    for name in names {
        let library = context.libraries.get(name).ok_or_else(|| FilesError::NoLibrary(Arc::clone(name)))?;
        let placed = placed_files(name, library, context.library_layout)?;
        if library.kind == LibraryKind::Archive {
            wanted.archives.extend(placed.keys().cloned());
        }
        wanted.packages |=
            context.library_layout == LibraryLayout::Deep && library.kind == LibraryKind::Folder;
        wanted.files.extend(placed);
    }
    Ok(wanted)
}

/// Whether a path stays below the folder that it is joined to.
pub(crate) fn is_inside(path: &Path) -> bool {
    path.file_name().is_some() && path.components().all(|part| matches!(part, Component::Normal(_)))
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
fn placed_files(
    name: &Arc<str>,
    library: &Library,
    layout: LibraryLayout,
) -> Result<BTreeMap<PathBuf, BlobHash>, FilesError> {
    let own_name =
        Path::new(name.as_ref()).file_name().map_or_else(|| PathBuf::from("library"), PathBuf::from);
    let mut placed = BTreeMap::new();
    for (file, hash) in &library.files {
        let inside = Path::new(file.as_ref());
        let last = inside.file_name().filter(|_| is_inside(inside));
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
            let placed = placed_files(&Arc::from("libs/Deep"), library, layout).unwrap();
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
            assert!(placed_files(&Arc::from("L"), &library, LibraryLayout::Deep).is_err(), "{bad}");
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
