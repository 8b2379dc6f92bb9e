//! What the logs of runs take, and of which runs there are any.

use std::{collections::BTreeSet, fs, io, path::Path};

use jackfield_protocol::id::RunId;

use super::{LogError, Logs, blocking};

impl Logs {
    /// The runs that have logs, whether or not anything else is known of them.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn runs(&self) -> Result<BTreeSet<RunId>, LogError> {
        let folder = self.0.folder.clone();
        blocking(move || {
            let list = || -> io::Result<BTreeSet<RunId>> {
                let mut runs = BTreeSet::new();
                for entry in fs::read_dir(&folder)? {
                    // What has another name was put there by somebody else.
                    runs.extend(
                        entry?.file_name().to_str().and_then(|name| name.parse::<u64>().ok()).map(RunId),
                    );
                }
                Ok(runs)
            };
            list().map_err(|error| LogError::new(&folder, error))
        })
        .await
    }

    /// How many bytes the logs of a run take on the disk.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn bytes_of(&self, run: RunId) -> Result<u64, LogError> {
        let folder = self.run_folder(run);
        blocking(move || bytes_below(&folder).map_err(|error| LogError::new(&folder, error))).await
    }
}

fn bytes_below(folder: &Path) -> io::Result<u64> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut bytes = 0_u64;
    for entry in entries {
        let entry = entry?;
        let more =
            if entry.file_type()?.is_dir() { bytes_below(&entry.path())? } else { entry.metadata()?.len() };
        bytes = bytes.saturating_add(more);
    }
    Ok(bytes)
}
