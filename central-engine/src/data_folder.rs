//! The engine's own folder: nobody else's to read, and of one store.
//!
//! Logs and files in it mean nothing without the rows that name them. A store that was emptied, deleted or swapped would begin a lab anew beside
//! what is left of the old one, so the folder remembers whose it is, and the engine looks at every start and while it runs.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::store::{self, Store};

/// The file with the identity of the store.
const STORE_ID: &str = "store-id";
/// Folders that hold something only where a store names it.
const NAMED_BY_STORE: [&str; 2] = ["logs", "blobs"];
/// For the owner alone.
const MODE: u32 = 0o700;
/// A file for the owner alone.
const FILE_MODE: u32 = 0o600;

/// Makes the folder where it is not there, and keeps others out of it, whatever the umask or an earlier build made of it.
///
/// # Errors
/// It cannot be made, or is another user's.
pub(crate) fn prepare(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("making the data folder {}", folder.display()))?;
    let mode = fs::metadata(folder)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(MODE))
            .with_context(|| format!("keeping others out of the data folder {}", folder.display()))?;
    }
    Ok(())
}

/// Makes a folder for its owner alone; one that is there stays as it is.
///
/// # Errors
/// It cannot be made.
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(MODE).create(folder)
}

/// Writes a file that its owner alone may read, whole or not at all, and to the disk before this returns.
///
/// # Errors
/// The disk does not take it.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let part = part_of(path);
    // What a kill left behind may have other rights.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Whether a file lies in the folder of an engine, with links followed; one that is not there yet by the folder that is to hold it.
pub(crate) fn holds(file: &Path) -> bool {
    let real = file.ancestors().find_map(|part| fs::canonicalize(part).ok());
    real.is_some_and(|real| real.ancestors().any(|folder| fs::metadata(folder.join(STORE_ID)).is_ok()))
}

/// What such a file is called until it is whole.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// The file of an SQLite store, as it was when the engine started.
#[derive(Clone, Debug)]
pub(crate) struct StoreFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl StoreFile {
    /// Makes the file before SQLite would, for its owner alone: what SQLite puts beside it has the same rights.
    ///
    /// # Errors
    /// It cannot be made or looked at.
    pub(crate) fn prepare(path: &Path) -> Result<()> {
        let told = || format!("preparing the store {}", path.display());
        let file = fs::OpenOptions::new().create(true).append(true).open(path).with_context(told)?;
        file.set_permissions(fs::Permissions::from_mode(FILE_MODE)).with_context(told)
    }

    /// The file as it is now.
    ///
    /// # Errors
    /// It is not there.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let about = fs::metadata(path).with_context(|| format!("looking at the store {}", path.display()))?;
        Ok(Self { path: path.to_owned(), device: about.dev(), inode: about.ino() })
    }

    /// Whether it is still there: SQLite goes on writing to a file that was deleted, and nobody would ever read it.
    ///
    /// # Errors
    /// It is not; why and what to do.
    pub(crate) fn check(&self) -> Result<(), String> {
        let there = fs::metadata(&self.path)
            .is_ok_and(|about| (about.dev(), about.ino()) == (self.device, self.inode));
        if there {
            return Ok(());
        }
        let path = self.path.display();
        Err(format!(
            "the file {path} was deleted or replaced under the running engine: what it stores is lost when it stops; stop it and restore a backup"
        ))
    }
}

/// Whether the store that was opened is the one this folder belongs to.
///
/// # Errors
/// It is another one, or one without anything in it.
pub(crate) async fn check_store(folder: &Path, store: &Store, shown: &str) -> Result<()> {
    let remembered = match fs::read_to_string(folder.join(STORE_ID)) {
        Ok(text) => Some(text.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).context("reading whose the data folder is"),
    };
    let found = store::life::first(&mut store.read().await?).await?;
    let remedy = format!(
        "restore the backup of the store, or, to begin anew and leave all runs behind, move {} away",
        folder.display()
    );
    match (remembered, found) {
        (Some(remembered), Some(found)) if remembered == found => Ok(()),
        (Some(_), None) => bail!(
            "the store {shown} is empty, and the data folder {} belongs to one with runs in it; {remedy}",
            folder.display()
        ),
        (Some(_), Some(_)) => bail!(
            "the store {shown} is another one than that of the data folder {}; {remedy}",
            folder.display()
        ),
        (None, None) if has_rest(folder) => {
            bail!("the store {shown} is empty, but {} has logs or files of runs; {remedy}", folder.display())
        }
        (None, _) => Ok(()),
    }
}

/// Remembers whose the folder is.
///
/// # Errors
/// The store does not answer, or the folder cannot be written.
pub(crate) async fn belong_to(folder: &Path, store: &Store) -> Result<()> {
    let first = store::life::first(&mut store.read().await?).await?;
    let first = first.context("a store that has begun a life has none")?;
    let (path, part) = (folder.join(STORE_ID), folder.join("store-id.part"));
    let is_written = fs::read_to_string(&path).is_ok_and(|text| text.trim() == first);
    if !is_written {
        fs::write(&part, first + "\n")
            .and_then(|()| fs::rename(&part, &path))
            .context("writing whose the data folder is")?;
    }
    Ok(())
}

/// Whether something is there that only a store could have named.
fn has_rest(folder: &Path) -> bool {
    let mut folders: Vec<PathBuf> = NAMED_BY_STORE.iter().map(|name| folder.join(name)).collect();
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(_) => return true,
                Err(_) => {}
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::time::Time;

    use super::*;

    async fn begin(store: &Store, word: &str) {
        let mut conn = store.write().await.unwrap();
        store::life::begin(&mut conn, word, Time(0)).await.unwrap();
        conn.commit().await.unwrap();
    }

    async fn store(path: &Path) -> Store {
        Store::open(&path.display().to_string(), Time(0)).await.unwrap()
    }

    #[tokio::test]
    async fn a_folder_knows_its_store() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        prepare(&data).unwrap();
        let own = store(&data.join("engine.sqlite")).await;
        check_store(&data, &own, "own").await.unwrap();
        begin(&own, "first").await;
        belong_to(&data, &own).await.unwrap();
        begin(&own, "second").await;
        check_store(&data, &own, "own").await.unwrap();
        belong_to(&data, &own).await.unwrap();
        let empty = store(&folder.path().join("empty")).await;
        let other = store(&folder.path().join("other")).await;
        begin(&other, "another").await;
        let mut said = Vec::new();
        for (store, shown) in [(&empty, "empty"), (&other, "other")] {
            let told = check_store(&data, store, shown).await.unwrap_err().to_string();
            said.push(told.replace(&data.display().to_string(), "DATA"));
        }
        fs::remove_file(data.join(STORE_ID)).unwrap();
        check_store(&data, &empty, "empty").await.unwrap();
        fs::create_dir_all(data.join("logs/1/0")).unwrap();
        check_store(&data, &empty, "empty").await.unwrap();
        fs::write(data.join("logs/1/0/0.1.cli"), "x").unwrap();
        let told = check_store(&data, &empty, "empty").await.unwrap_err().to_string();
        said.push(told.replace(&data.display().to_string(), "DATA"));
        check_store(&data, &other, "other").await.unwrap();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn others_are_kept_out_and_a_file_that_went_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
        prepare(&data).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data), MODE);
        let path = data.join("engine.sqlite");
        StoreFile::prepare(&path).unwrap();
        assert_eq!(mode(&path), FILE_MODE);
        let file = StoreFile::of(&path).unwrap();
        file.check().unwrap();
        fs::rename(&path, data.join("aside")).unwrap();
        assert!(file.check().unwrap_err().contains("deleted or replaced"));
        StoreFile::prepare(&path).unwrap();
        assert!(file.check().is_err(), "another file of the same name");
        fs::rename(data.join("aside"), &path).unwrap();
        file.check().unwrap();
    }
}
