//! One engine to a lab folder: two would end each other's runs. The lock is the kernel's, so it ends with the process,
//! however that ends; what the file says is for whoever meets the lock.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, Write as _},
    net::SocketAddr,
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use rustix::fs::{FlockOperation, flock};

use crate::clock;

/// Held as long as the engine may touch the lab's state.
#[derive(Debug)]
pub(crate) struct LabLock {
    file: File,
}

impl LabLock {
    /// Takes the lock of a data folder.
    ///
    /// # Errors
    /// Another engine has it, or the folder cannot be written to.
    pub(crate) fn take(lab: &Path, data: &Path) -> Result<Self> {
        let path = data.join("engine.lock");
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.with_context(|| format!("opening {}", path.display()))?;
        if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                bail!(
                    "{} cannot be locked: {error}; put `data.folder` on a disk of this machine",
                    path.display()
                );
            }
            let mut holder = String::new();
            // Who holds it may be about to write; then it stays unnamed.
            drop(file.read_to_string(&mut holder));
            let holder = if holder.is_empty() { "another engine" } else { holder.trim() };
            bail!(
                "the lab folder {} is in use by {holder}; stop that one, or give this one a folder of its own",
                lab.display()
            );
        }
        let mut lock = Self { file };
        lock.tell(None)?;
        Ok(lock)
    }

    /// Writes down who holds it, and where they are found.
    ///
    /// # Errors
    /// The disk takes nothing.
    pub(crate) fn tell(&mut self, address: Option<SocketAddr>) -> Result<()> {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let at = address.map_or_else(String::new, |address| format!(", which listens on {address}"));
        let pid = std::process::id();
        let text = format!("the engine with process id {pid} on {host}, since {}{at}\n", clock::now());
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(text.as_bytes())
        };
        write(&mut self.file).context("writing engine.lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_engine_is_told_who_has_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = LabLock::take(Path::new("/lab"), folder.path()).unwrap();
        first.tell(Some("127.0.0.1:8000".parse().unwrap())).unwrap();
        let told = LabLock::take(Path::new("/lab"), folder.path()).unwrap_err().to_string();
        let process =
            format!("the lab folder /lab is in use by the engine with process id {}", std::process::id());
        assert!(told.starts_with(&process), "{told}");
        assert!(told.contains(", which listens on 127.0.0.1:8000; stop that one"), "{told}");
        drop(first);
        LabLock::take(Path::new("/lab"), folder.path()).unwrap();
    }
}
