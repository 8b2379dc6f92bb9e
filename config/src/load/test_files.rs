//! The test files of a lab, by the names that projects give them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{FileError, InRoom, Lab, Room};
use crate::{
    lab::{is_plain_name, stays_inside},
    limits::TEST_FILES_MAX,
};

impl Lab {
    /// Every test file below the folders for tests, by name. A name means the file in the first folder that has it, as in a project. Reads the
    /// disk; of a lab that has more than the limit, the first.
    pub fn test_files(&self) -> BTreeMap<String, InRoom> {
        let mut files = BTreeMap::new();
        for folder in self.test_folders() {
            // One that is not there, or may not be looked at as a whole, has no tests to choose from.
            let Ok(folder) = self.locate(Room::Tests, std::slice::from_ref(folder), ".") else { continue };
            let Ok(below) = self.below(&folder) else { continue };
            for (name, file) in below.files {
                if files.len() < TEST_FILES_MAX {
                    files.entry(name).or_insert(file);
                }
            }
        }
        files
    }

    /// Where a test file of this name is written: over the one there is, else in the folder that all share. What a project may name as a test,
    /// but lies elsewhere in the lab, is not written here.
    ///
    /// # Errors
    /// A name that leads out of the folders for tests, or that of something else.
    pub fn test_file_place(&self, name: &str) -> Result<PathBuf, FileError> {
        let folders: Vec<PathBuf> = self.test_folders().cloned().collect();
        let outside = || FileError::Outside(folders.clone());
        // What a project would read otherwise (`~`, and blanks at the ends) cannot be the name of a file there.
        let is_itself = self.layout().resolve(name) == name && name.trim() == name;
        if !is_itself || !stays_inside(name) || !name.split('/').all(is_plain_name) {
            return Err(outside());
        }
        if name.split('/').any(|part| part.starts_with('.')) {
            return Err(FileError::Hidden(Room::Tests));
        }
        let is_below = |real: &Path| {
            folders.iter().any(|folder| fs::canonicalize(folder).is_ok_and(|folder| real.starts_with(folder)))
        };
        match self.find(Room::Tests, &folders, name) {
            // A link that leads somewhere else in the lab is not written through.
            Ok(there) if is_below(there.path()) => return Ok(there.path().to_owned()),
            Ok(_) => return Err(outside()),
            Err(FileError::Missing(_)) => {}
            Err(other) => return Err(other),
        }
        let shared = folders.last().ok_or_else(outside)?;
        let place = shared.join(name);
        // Folders on the way may be links, too, and the folder for tests need not be there yet.
        let there =
            place.ancestors().skip(1).find(|above| fs::metadata(above).is_ok_and(|about| about.is_dir()));
        let there = there.ok_or_else(outside)?;
        let real = fs::canonicalize(there).map_err(FileError::Unreadable)?;
        if there.starts_with(shared) && !is_below(&real) {
            return Err(outside());
        }
        let rest = place.strip_prefix(there).unwrap_or(&place);
        self.admit(Room::Tests, real.join(rest)).map(|place| place.path().to_owned())
    }

    /// The lab folder itself is where tests are looked for last, and everything else of the lab lies in it.
    fn test_folders(&self) -> impl Iterator<Item = &PathBuf> {
        let layout = self.layout();
        layout.tests.iter().filter(|folder| **folder != layout.root && **folder != layout.home)
    }
}
