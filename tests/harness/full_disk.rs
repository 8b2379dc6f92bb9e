//! A disk that can be filled: a small file system in memory. Needs root.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

/// A file system of its own; unmounted with this value.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// A disk of so many megabytes, mounted on a folder that is made.
    ///
    /// # Errors
    /// This is no root, or the kernel has no tmpfs.
    pub fn mount(folder: &Path, megabytes: u32) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let size = format!("size={megabytes}m");
        let status =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "jackfield"]).arg(folder).status()?;
        ensure!(status.success(), "cannot mount a small disk on {} (are you root?)", folder.display());
        Ok(Self { folder: folder.to_owned() })
    }

    /// Writes until nothing more fits.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn fill(&self) -> Result<()> {
        let mut file = fs::File::create(self.folder.join("filler"))?;
        // Ever smaller pieces, so that not even a page is left.
        for piece in [1 << 20, 1 << 16, 1 << 12] {
            while file.write_all(&vec![0; piece]).is_ok() {}
        }
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// The filler cannot be removed.
    pub fn make_room(&self) -> Result<()> {
        Ok(fs::remove_file(self.folder.join("filler"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: what still has a file open there goes on until it is closed.
        drop(Command::new("umount").arg("-l").arg(&self.folder).status());
    }
}
