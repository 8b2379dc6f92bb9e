//! The folder of an attempt: empty when a test begins, gone when it has ended.
//!
//! To make and remove a folder costs some file systems more than all else that a short test needs, so one that a test
//! left as it found it is put aside, under another name, for the next.

use std::{
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::{
    account::{self, Tenant},
    limits::IDLE_FOLDERS_MAX,
};

const MODE: u32 = 0o755;

/// The folders of an EP's attempts.
#[derive(Debug)]
pub(crate) struct WorkFolders {
    /// Where attempts have theirs.
    folder: PathBuf,
    /// Where empty ones wait.
    aside: PathBuf,
    idle: Mutex<Vec<PathBuf>>,
}

impl WorkFolders {
    /// Both places must be there.
    pub(crate) fn new(folder: PathBuf, aside: PathBuf) -> Self {
        Self { folder, aside, idle: Mutex::default() }
    }

    /// An empty folder of this name.
    pub(crate) fn take(&self, name: &str, tenant: Option<&Tenant>) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        if let Some(tenant) = tenant {
            // Access lists stay with a folder, so none is used again.
            account::lend(&path, &tenant.account)?;
            return Ok(path);
        }
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if idle.is_some_and(|idle| std::fs::rename(idle, &path).is_ok()) {
            return Ok(path);
        }
        match std::fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                std::fs::remove_dir_all(&path)?;
                std::fs::create_dir(&path)?;
            }
            other => other?,
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(MODE))?;
        Ok(path)
    }

    /// Takes a folder away, with whatever is in it, and with what the user that it was lent to has left elsewhere since then.
    pub(crate) async fn give_back(&self, path: &Path, tenant: Option<&Tenant>) {
        if let Some(tenant) = tenant {
            tenant.clear(path).await;
        } else if is_as_new(path) && self.put_aside(path) {
            return;
        }
        let removed = path.to_owned();
        let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(removed)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!("`{}` cannot be removed: {error}", path.display());
        }
    }

    fn put_aside(&self, path: &Path) -> bool {
        let Some(name) = path.file_name() else { return false };
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let aside = self.aside.join(name);
        let put = idle.len() < IDLE_FOLDERS_MAX && std::fs::rename(path, &aside).is_ok();
        if put {
            idle.push(aside);
        }
        put
    }
}

/// Whether nothing is in the folder, and nobody changed who may use it.
fn is_as_new(path: &Path) -> bool {
    let mode = std::fs::symlink_metadata(path).map(|found| found.permissions().mode() & 0o7777);
    mode.is_ok_and(|mode| mode == MODE)
        && std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_is_empty_whatever_the_test_before_did_to_it() {
        let base = tempfile::tempdir().unwrap();
        let (folder, aside) = (base.path().join("work"), base.path().join("idle"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::create_dir(&aside).unwrap();
        let folders = WorkFolders::new(folder.clone(), aside.clone());
        let clean = folders.take("1", None).unwrap();
        folders.give_back(&clean, None).await;
        assert_eq!(std::fs::read_dir(&aside).unwrap().count(), 1);
        let used = folders.take("2", None).unwrap();
        assert_eq!(std::fs::read_dir(&aside).unwrap().count(), 0);
        std::fs::write(used.join("file"), "x").unwrap();
        folders.give_back(&used, None).await;
        let shut = folders.take("3", None).unwrap();
        std::fs::set_permissions(&shut, std::fs::Permissions::from_mode(0o500)).unwrap();
        folders.give_back(&shut, None).await;
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        assert_eq!(std::fs::read_dir(&aside).unwrap().count(), 0);
    }
}
