//! A file out of the cache: a copy of its own, whose content was looked at on the way.
//!
//! Tests run as the same user as the EP and can write wherever it can. A link into the cache would let a test that appends to its own file
//! change it for every later run, and a changed cache would hand it out under the old hash.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use jackfield_protocol::id::BlobHash;

use super::{BlobError, Blobs, Copy, copy_hashed};

/// Everybody may read and run it. A test that writes to its own file writes to its copy.
const MODE: u32 = 0o555;

impl Blobs {
    /// Puts a copy at `target`, whose folder is there, in the place of what may be there.
    pub(crate) async fn place(&self, hash: BlobHash, target: PathBuf) -> Result<(), BlobError> {
        self.out_of_cache(hash, move |source| {
            match std::fs::remove_file(&target) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut copy = File::create_new(&target)?;
            let found = copied(source, &mut copy)?;
            copy.set_permissions(std::fs::Permissions::from_mode(MODE))?;
            Ok((found, ()))
        })
        .await
    }

    /// What is in it.
    pub(crate) async fn read(&self, hash: BlobHash) -> Result<Vec<u8>, BlobError> {
        self.out_of_cache(hash, |source| {
            let mut bytes = Vec::new();
            let found = copied(source, &mut bytes)?;
            Ok((found, bytes))
        })
        .await
    }

    /// Takes something out of the cache, and again out of what the engine sends anew, where somebody changed it there.
    async fn out_of_cache<T: Send + 'static>(
        &self,
        hash: BlobHash,
        take: impl Fn(&Path) -> io::Result<(BlobHash, T)> + Clone + Send + 'static,
    ) -> Result<T, BlobError> {
        for _ in 0..2 {
            let source = self.get(hash).await?;
            let (take, path) = (take.clone(), source.clone());
            let taken = tokio::task::spawn_blocking(move || take(&path)).await;
            let disk = |error| BlobError::Disk { hash, path: source.clone(), source: error };
            match taken.map_err(io::Error::other).and_then(|taken| taken) {
                Ok((found, value)) if found == hash => return Ok(value),
                Ok(_) => tracing::warn!("file {hash} was changed in the cache; it is fetched anew"),
                // Somebody removed it; the engine has it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(disk(error)),
            }
            self.forget(hash);
        }
        Err(BlobError::Damaged { hash })
    }
}

fn copied(source: &Path, to: &mut impl Write) -> io::Result<BlobHash> {
    let (_, found) = copy_hashed(&mut File::open(source)?, to).map_err(|error| match error {
        Copy::Read(error) | Copy::Write(error) => error,
    })?;
    Ok(found)
}
