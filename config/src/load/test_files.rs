//! The test files of a lab, by the names that projects give them.

use std::collections::BTreeMap;

use super::{InRoom, Lab, Room};
use crate::limits::TEST_FILES_MAX;

impl Lab {
    /// Every test file below the folders for tests, by name. A name means the file in the first folder that has it, as in a project. Reads the
    /// disk; of a lab that has more than the limit, the first.
    pub fn test_files(&self) -> BTreeMap<String, InRoom> {
        let mut files = BTreeMap::new();
        // The lab folder itself is where tests are looked for last, and everything else of the lab lies in it.
        let folders = self.layout.tests.iter().filter(|folder| **folder != self.layout.root);
        for folder in folders {
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
}
