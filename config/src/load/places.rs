//! Where the lab's files of named values are written, and which there are.

use std::{collections::BTreeMap, fs, path::PathBuf};

use super::{FileError, InRoom, Lab, Room, first_there};
use crate::{lab::is_plain_name, limits::TEST_CONFIGS_MAX};

impl Lab {
    /// Every test configuration, by the name that projects use; that of the user comes before that of all. Of a lab that has more than the limit,
    /// the first.
    pub fn test_configs(&self) -> BTreeMap<String, InRoom> {
        let mut configs = BTreeMap::new();
        for folder in &self.layout.configs {
            // One that is not there has none.
            let Ok(folder) = self.locate(Room::Configs, std::slice::from_ref(folder), ".") else { continue };
            let Ok(below) = self.below(&folder) else { continue };
            for (name, file) in below.files {
                let name = name.strip_suffix(".xml").unwrap_or(&name);
                if configs.len() < TEST_CONFIGS_MAX {
                    configs.entry(name.to_owned()).or_insert(file);
                }
            }
        }
        configs
    }

    /// Where a test configuration of this name is written: over the one there is, else in the folder that all share.
    ///
    /// # Errors
    /// A name that is no plain file name, or that of something else.
    pub fn test_config_place(&self, name: &str) -> Result<PathBuf, FileError> {
        match self.test_config_file(name) {
            Ok(there) => return Ok(there.path().to_owned()),
            Err(FileError::Missing(_)) => {}
            Err(other) => return Err(other),
        }
        if name.starts_with('.') {
            return Err(FileError::Hidden(Room::Configs));
        }
        let folders = &self.layout.configs;
        let shared = folders.first().filter(|_| self.is_twister()).or(folders.last());
        let shared = shared.filter(|_| is_plain_name(name));
        shared.map(|folder| folder.join(name)).ok_or_else(|| FileError::Outside(folders.clone()))
    }

    /// The file of the global parameters, where the user has one or all have; links are followed.
    ///
    /// # Errors
    /// It lies outside of the lab.
    pub fn globals_file(&self) -> Result<Option<PathBuf>, FileError> {
        self.single_file(&self.layout.globals)
    }

    /// Where the global parameters are written: over the file there is, else into that of all.
    ///
    /// # Errors
    /// The file lies outside of the lab.
    pub fn globals_place(&self) -> Result<PathBuf, FileError> {
        self.single_place(&self.layout.globals)
    }

    /// The file of the bindings, likewise.
    ///
    /// # Errors
    /// It lies outside of the lab.
    pub fn bindings_file(&self) -> Result<Option<PathBuf>, FileError> {
        self.single_file(&self.layout.bindings)
    }

    /// Where the bindings are written, likewise.
    ///
    /// # Errors
    /// The file lies outside of the lab.
    pub fn bindings_place(&self) -> Result<PathBuf, FileError> {
        self.single_place(&self.layout.bindings)
    }

    pub(super) fn single_file(&self, places: &[PathBuf]) -> Result<Option<PathBuf>, FileError> {
        let Some(file) = first_there(places) else { return Ok(None) };
        let real = fs::canonicalize(file).map_err(FileError::Unreadable)?;
        // A link to something else of the lab is not to be written over.
        let is_itself = real.file_name() == file.file_name();
        if is_itself && self.is_reached(&real) { Ok(Some(real)) } else { Err(self.outside()) }
    }

    pub(super) fn single_place(&self, places: &[PathBuf]) -> Result<PathBuf, FileError> {
        let there = self.single_file(places)?;
        let place = there.or_else(|| places.last().cloned());
        place.ok_or_else(|| self.outside())
    }
}
