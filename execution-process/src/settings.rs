//! What an EP is told before it starts: `ep.toml`, with what it leaves open filled in.

use std::path::{Path, PathBuf};

use jackfield_config::ep::{EpLimits, EpSettings};
use jackfield_protocol::id::EpName;

use crate::EpError;

/// Everything an EP needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name: unique in the engine.
    pub name: EpName,
    /// The secret an administrator made for it.
    pub token: String,
    /// Where it keeps its spool, cache, and the folders of running tests; made if absent.
    pub work_dir: PathBuf,
    /// The `jackfield` program, which tests find in `JACKFIELD_BIN`.
    pub program: PathBuf,
    /// What `ep.toml` says.
    pub file: EpSettings,
}

impl Settings {
    /// Fills in what `ep.toml` leaves open: this machine's name, the token of its file, a folder below `data_dir`.
    ///
    /// # Errors
    /// There is no token, or its file cannot be read.
    pub fn new(file: EpSettings, data_dir: &Path, program: PathBuf) -> Result<Self, EpError> {
        let name = file.name.clone().unwrap_or_else(|| EpName::from(crate::host::name()));
        let token = match (&file.token, &file.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|source| EpError::TokenFile { path: path.clone(), source })?
                .trim()
                .to_owned(),
            (None, None) => return Err(EpError::NoToken),
        };
        let work_dir = file.work.clone().unwrap_or_else(|| data_dir.join(folder_name(name.as_str())));
        Ok(Self { name, token, work_dir, program, file })
    }

    /// What is held back, and where it ends.
    pub(crate) fn limits(&self) -> &EpLimits {
        &self.file.limits
    }
}

/// A name as one folder: whatever could leave the folder or confuse a shell becomes `_`.
pub(crate) fn folder_name(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let folder: String = name.chars().map(plain).collect();
    if folder.trim_matches('.').is_empty() { format!("_{folder}") } else { folder }
}
