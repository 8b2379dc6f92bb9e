//! What whoever owns a lab folder does to it from outside of a running engine: another key for the store, and a backup.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    clock,
    data_folder::{self, part_of},
    key_file::KeyFile,
    lock::LabLock,
    open_lab, open_store,
    settings::Data,
    store,
};

/// What became of the keys.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Rotated {
    /// The file that they stand in.
    pub file: PathBuf,
    /// The name of the key that all is sealed with now.
    pub key: String,
    /// Older keys that were kept for backups that need them.
    pub kept: bool,
}

/// What a backup holds.
#[derive(Clone, Debug, serde::Serialize)]
pub struct BackedUp {
    /// Where it is.
    pub to: PathBuf,
    /// The key file that is not in it, and that it needs.
    pub key_file: PathBuf,
    /// Files that were copied, the store not counted.
    pub files: u64,
}

/// What of a data folder belongs to the engine that runs and to no copy of it.
const NOT_COPIED: [&str; 4] = ["engine.lock", "engine.sqlite", "engine.sqlite-wal", "engine.sqlite-shm"];

/// Makes another key and seals everything with it, while no engine runs in the lab folder. The old key is forgotten where it is not to be kept.
/// Killed in the middle, both keys are in the file: the next start seals the rest, and the old key stays in it until the next rotation.
///
/// # Errors
/// An engine has the folder, it has none yet, or store or key file cannot be used.
pub async fn rotate_key(folder: &Path, keep: bool) -> Result<Rotated> {
    let (_, settings) = open_lab(folder, None)?;
    let Data { folder: data, key, store: url, log_bytes: _ } = settings.data;
    check_there(folder, &data)?;
    let lock = LabLock::take(folder, &data)?;
    let file = KeyFile::new(key, &data);
    // With the old keys first: what cannot be opened now is told before anything is changed.
    let (store, _) = open_store(&data, &file, url.clone()).await?;
    store.close().await;
    let old = file.read()?.context("the key file was there a moment ago; put it back")?;
    let both = old.with_new_key().context("drawing a key")?;
    file.write(&both)?;
    let (store, _) = open_store(&data, &file, url).await?;
    store.close().await;
    if !keep {
        file.write(&both.newest_alone())?;
    }
    drop(lock);
    Ok(Rotated { file: file.path().to_owned(), key: both.name().to_string(), kept: keep })
}

fn check_there(folder: &Path, data: &Path) -> Result<()> {
    if data.is_dir() {
        return Ok(());
    }
    let folder = folder.display();
    bail!("{folder} has no data folder of an engine yet; start `jackfield engine --lab {folder}` once")
}

/// Copies a lab folder with its store and without the store's key, also while an engine runs there.
///
/// # Errors
/// The folder has no store of its own, or the place is not empty or cannot be written.
pub async fn back_up(folder: &Path, to: &Path) -> Result<BackedUp> {
    let (_, settings) = open_lab(folder, None)?;
    let Data { folder: data, key, store: url, log_bytes: _ } = settings.data;
    check_there(folder, &data)?;
    if url.is_some() {
        bail!(
            "the store is the database that `data.store` of engine.toml names: back it up with that database's own tools, and copy {} beside it without its key file",
            folder.display()
        );
    }
    let data = fs::canonicalize(&data).with_context(|| format!("looking at {}", data.display()))?;
    let root = fs::canonicalize(folder).with_context(|| format!("looking at {}", folder.display()))?;
    check_elsewhere(&root, to)?;
    make_empty(to)?;
    let to = fs::canonicalize(to).with_context(|| format!("looking at {}", to.display()))?;
    // Where `..` follows on a folder that was not there, it is only known now where that leads.
    check_elsewhere(&root, &to)?;
    let file = KeyFile::new(key, &data);
    let key_file = fs::canonicalize(file.path()).unwrap_or_else(|_not_there| file.path().to_owned());
    // The store first: what comes after it may name more files than the store knows, and never fewer.
    let data_to = match data.strip_prefix(&root) {
        Ok(inner) => to.join(inner),
        Err(_elsewhere) => to.join(".jackfield"),
    };
    make_private(&data_to)?;
    store::copy_sqlite(&data.join("engine.sqlite"), &data_to.join("engine.sqlite"))
        .await
        .context("copying the store")?;
    let copy = Copy { key_file: &key_file, data: &data };
    let mut files = copy.below(&root, &to)?;
    if !data.starts_with(&root) {
        files = files.saturating_add(copy.below(&data, &data_to)?);
    }
    tracing::info!(at = %clock::now(), "a backup was made");
    Ok(BackedUp { to, key_file, files })
}

/// Looks at what is there of the way already, and makes nothing of it.
fn check_elsewhere(root: &Path, to: &Path) -> Result<()> {
    let whole = std::path::absolute(to).with_context(|| format!("looking at {}", to.display()))?;
    let there = whole.ancestors().find_map(|folder| fs::canonicalize(folder).ok());
    if there.is_some_and(|there| there.starts_with(root)) {
        bail!(
            "{} is in the lab folder: a backup in it would hold the one before; name a place elsewhere",
            to.display()
        );
    }
    Ok(())
}

fn make_empty(folder: &Path) -> Result<()> {
    make_private(folder)?;
    let mut inside = fs::read_dir(folder).with_context(|| format!("looking into {}", folder.display()))?;
    if inside.next().is_some() {
        bail!("{} is not empty; name a folder that is not there yet", folder.display());
    }
    Ok(())
}

fn make_private(folder: &Path) -> Result<()> {
    data_folder::make_private(folder).with_context(|| format!("making {}", folder.display()))
}

/// A copy of folders that leaves out what belongs to no copy.
struct Copy<'a> {
    key_file: &'a Path,
    data: &'a Path,
}

impl Copy<'_> {
    /// Copies what is below a folder; how many files that were.
    fn below(&self, from: &Path, to: &Path) -> Result<u64> {
        let mut files = 0_u64;
        let mut folders = vec![(from.to_owned(), to.to_owned())];
        while let Some((from, to)) = folders.pop() {
            make_private(&to)?;
            let entries = fs::read_dir(&from).with_context(|| format!("looking into {}", from.display()))?;
            for entry in entries {
                let entry = entry.with_context(|| format!("looking into {}", from.display()))?;
                let (path, target) = (entry.path(), to.join(entry.file_name()));
                let kind = entry.file_type().with_context(|| format!("looking at {}", path.display()))?;
                if kind.is_dir() {
                    folders.push((path, target));
                } else if !self.is_left_out(&path) && copy_one(&path, &target, kind.is_symlink())? {
                    files = files.saturating_add(1);
                }
            }
            // Last, so that a folder that may not be written can be filled.
            let rights = fs::metadata(&from).map(|about| about.permissions());
            rights
                .and_then(|rights| fs::set_permissions(&to, rights))
                .with_context(|| format!("copying {}", from.display()))?;
        }
        Ok(files)
    }

    fn is_left_out(&self, path: &Path) -> bool {
        let is_of_engine = path.parent() == Some(self.data)
            && path.file_name().is_some_and(|name| NOT_COPIED.iter().any(|left_out| name == *left_out));
        let is_key = path == self.key_file || path == part_of(self.key_file);
        is_of_engine || is_key || fs::canonicalize(path).is_ok_and(|real| real == self.key_file)
    }
}

/// Copies a file or a link; false for what went while it was copied, and for sockets and the like.
fn copy_one(from: &Path, to: &Path, is_link: bool) -> Result<bool> {
    let copied = if is_link {
        fs::read_link(from).and_then(|goal| symlink(goal, to))
    } else if fs::metadata(from).is_ok_and(|about| !about.is_file()) {
        return Ok(false);
    } else {
        fs::copy(from, to).map(drop)
    };
    match copied {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("copying {}", from.display())),
    }
}
