//! Predefined suites: small project files of a folder of their own, whose suites people put into their projects.

use std::{collections::BTreeMap, path::PathBuf};

use super::{FileError, InRoom, Lab, Room};
use crate::{lab::is_plain_name, limits::SUITES_MAX};

impl Lab {
    /// Every file of predefined suites by its name without `.xml`; that of the user comes before that of all. Of a lab that has more than the
    /// limit, the first.
    pub fn suite_files(&self) -> BTreeMap<String, InRoom> {
        let names = self.names_in(&self.layout().suites, Some("xml")).into_iter().take(SUITES_MAX);
        names.filter_map(|name| Some((name.clone(), self.suite_file(&name).ok()?))).collect()
    }

    /// A file of predefined suites, by its name with or without `.xml`.
    ///
    /// # Errors
    /// No such file, or one outside of the lab.
    pub fn suite_file(&self, name: &str) -> Result<InRoom, FileError> {
        let folders = &self.layout().suites;
        let stem = name.strip_suffix(".xml").unwrap_or(name);
        if !is_plain_name(stem) {
            return Err(FileError::Outside(folders.clone()));
        }
        self.find(Room::Projects, folders, &format!("{stem}.xml"))
    }

    /// Where predefined suites of this name are written: over the file there is, else in the folder that all share.
    ///
    /// # Errors
    /// A name that is no plain file name, or that of something else.
    pub fn suite_place(&self, name: &str) -> Result<PathBuf, FileError> {
        let stem = name.strip_suffix(".xml").unwrap_or(name);
        if stem.starts_with('.') {
            return Err(FileError::Hidden(Room::Projects));
        }
        match self.suite_file(name) {
            Ok(there) => Ok(there.path().to_owned()),
            Err(FileError::Missing(folders)) => {
                let shared = folders.last().map(|folder| folder.join(format!("{stem}.xml")));
                shared.ok_or(FileError::Missing(folders))
            }
            Err(other) => Err(other),
        }
    }
}
