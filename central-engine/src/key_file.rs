//! The file with the keys of the store: beside it, or wherever `data.key` of `engine.toml` says.
//!
//! Whoever has the store alone, a backup or a disk that was thrown away, has no password of a device; whoever has both has all of them. So the file
//! is its owner's alone, and no key is made silently for a store that is sealed with another.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, bail};

use crate::{data_folder::write_private, store::Seal};

/// Where the file is when nobody says where it is to be.
const NAME: &str = "store.key";

/// The file.
#[derive(Clone, Debug)]
pub(crate) struct KeyFile(PathBuf);

impl KeyFile {
    /// The one that the settings name, else the one in the data folder.
    pub(crate) fn new(named: Option<PathBuf>, data: &Path) -> Self {
        Self(named.unwrap_or_else(|| data.join(NAME)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The keys in it; none where there is no file.
    ///
    /// # Errors
    /// It cannot be read, others may read it, or it is no key file.
    pub(crate) fn read(&self) -> Result<Option<Seal>> {
        let shown = self.0.display();
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => zeroize::Zeroizing::new(text),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading the key file {shown}")),
        };
        let mode = fs::metadata(&self.0)
            .with_context(|| format!("looking at the key file {shown}"))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            bail!(
                "others may read the key file {shown} (mode {:03o}): `chmod 600 {shown}`, and `jackfield secret rotate` if somebody may have read it",
                mode & 0o777
            );
        }
        Seal::read(&text).map(Some).map_err(|why| anyhow!("the key file {shown}: {why}"))
    }

    /// Writes keys, all or nothing, and to the disk before anything is sealed with them.
    ///
    /// # Errors
    /// The disk does not take it.
    pub(crate) fn write(&self, seal: &Seal) -> Result<()> {
        write_private(&self.0, &seal.expose_for_key_file())
            .with_context(|| format!("writing the key file {}", self.0.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_folder::part_of;

    #[test]
    fn the_file_is_its_owners_alone_and_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(None, folder.path());
        assert!(file.read().unwrap().is_none());
        let first = Seal::random().unwrap();
        file.write(&first).unwrap();
        // What a kill left behind is in nobody's way.
        fs::write(part_of(file.path()), "half").unwrap();
        file.write(&first.with_new_key().unwrap()).unwrap();
        let mode = fs::metadata(file.path()).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode, fs::read_dir(folder.path()).unwrap().count()), (0o600, 1));
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).unwrap();
        let told = file.read().unwrap_err().to_string();
        assert!(
            told.contains("others may read the key file") && told.contains("(mode 640): `chmod 600 "),
            "{told}"
        );
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(file.path(), "nonsense\n").unwrap();
        assert!(
            file.read()
                .unwrap_err()
                .to_string()
                .ends_with("line 1 is no key: put the file back as it was written")
        );
    }
}
