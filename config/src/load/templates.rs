//! The TextFSM templates of a lab, as files.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use jackfield_protocol::error::{FileProblem, Severity};

use super::{Lab, Room};
use crate::{
    limits::{TEMPLATE_BYTES_MAX, TEMPLATES_BYTES_MAX, TEMPLATES_MAX},
    problem::whole_file,
};

impl Lab {
    /// The names of those templates that come out of the user's own folder.
    pub fn private_templates(&self) -> BTreeSet<String> {
        self.private_names(&self.layout.templates)
    }

    /// The templates in the lab's `templates` folders, and their index: file name and text, with warnings for what cannot be read. What a
    /// user has of their own goes before what all share.
    pub fn templates(&self) -> (BTreeMap<String, String>, Vec<FileProblem>) {
        let (mut templates, mut problems) = (BTreeMap::new(), Vec::new());
        let mut bytes = 0_usize;
        for folder in &self.layout.templates {
            // A folder that is not there has no templates.
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
            files.sort();
            for file in files {
                let name =
                    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let is_one = name == "index" || name.ends_with(".textfsm") || name.ends_with(".template");
                if !is_one || templates.contains_key(&name) {
                    continue;
                }
                if templates.len() >= TEMPLATES_MAX || bytes > TEMPLATES_BYTES_MAX {
                    let mib = TEMPLATES_BYTES_MAX >> 20;
                    let told = format!("there are more than {TEMPLATES_MAX} templates, or {mib} MB of them");
                    problems.push(whole_file(
                        &folder.to_string_lossy(),
                        told,
                        "take out those that no test uses",
                    ));
                    break;
                }
                match self.read_in(Room::Templates, &file, TEMPLATE_BYTES_MAX) {
                    Ok(source) => {
                        bytes = bytes.saturating_add(source.text().len());
                        templates.insert(name, source.text().to_owned());
                    }
                    Err(problem) => problems.push(*problem),
                }
            }
        }
        let warning = |problem| FileProblem { severity: Severity::Warning, ..problem };
        (templates, problems.into_iter().map(warning).collect())
    }
}
