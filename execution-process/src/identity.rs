//! Which EP this is, and whose orders it holds.
//!
//! A name can be given twice, and a work folder can be taken to another engine: numbers of runs and tests begin anew there, and what was
//! recorded for one lab would be taken for the other's. So the folder has an id of its own, drawn once, and remembers the start (`life`) of the
//! engine that gave out what is in it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Random bytes of an id.
const ID_BYTES: usize = 16;
const INSTANCE: &str = "instance";
const LIFE: &str = "engine-life";

/// Of one work folder.
#[derive(Debug)]
pub(crate) struct Identity {
    folder: PathBuf,
    instance: String,
    life: String,
}

impl Identity {
    /// Reads it, or draws it.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let mut instance = read(&folder.join(INSTANCE))?;
        if instance.is_empty() {
            instance = draw()?;
            write(&folder.join(INSTANCE), &instance)?;
        }
        Ok(Self { folder: folder.to_owned(), instance, life: read(&folder.join(LIFE))? })
    }

    /// Tells this EP from another one of its name.
    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    /// The start of the engine that gave out what is here; empty where nothing is, or the engine was an older one.
    pub(crate) fn life(&self) -> &str {
        &self.life
    }

    /// What is given out from now on is given out by this one. On disk when this returns: before an order is taken.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn belong_to(&mut self, life: &str) -> io::Result<()> {
        if life != self.life {
            write(&self.folder.join(LIFE), life)?;
            life.clone_into(&mut self.life);
        }
        Ok(())
    }
}

fn draw() -> io::Result<String> {
    let mut bytes = [0; ID_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn read(path: &Path) -> io::Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// Whole or not at all.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    // Nobody else's, also where users of tests may go through this folder.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    std::fs::rename(&new, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_id_and_remembers_whose_orders_are_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Identity::open(folder.path()).unwrap();
        assert_eq!((first.instance().len(), first.life()), (2 * ID_BYTES, ""));
        first.belong_to("life-1").unwrap();
        let again = Identity::open(folder.path()).unwrap();
        assert_eq!((again.instance(), again.life()), (first.instance(), "life-1"));
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Identity::open(other.path()).unwrap().instance(), first.instance());
    }
}
