//! Files of a flat library that hide each other: of two with one name only one arrives.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jackfield_protocol::{
    error::{FileProblem, Severity},
    plan::{LibraryLayout, RunPlan},
};

use super::Lab;
use crate::problem::whole_file;

/// Folders inside each other that are looked into.
const DEPTH_MAX: usize = 32;

impl Lab {
    /// The files that a test would look for and not find, because the project has its libraries flat. `__init__.py` is in every package
    /// and means nothing outside of one.
    pub fn hidden_files(&self, plan: &RunPlan) -> Vec<FileProblem> {
        if plan.options.library_layout != LibraryLayout::Flat {
            return Vec::new();
        }
        let named =
            plan.options.libraries.iter().chain(plan.suites.iter().flat_map(|suite| &suite.libraries));
        let named: std::collections::BTreeSet<_> = named.collect();
        let mut problems = Vec::new();
        for library in named {
            let Ok(path) = self.library(library) else { continue };
            let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
            list(&path, &path, DEPTH_MAX, &mut by_name);
            let hidden = by_name.into_iter().filter(|(name, files)| files.len() > 1 && name != "__init__.py");
            problems.extend(hidden.map(|(_, mut files)| {
                files.sort();
                let shown = files.iter().map(|file| format!("`{file}`")).collect::<Vec<_>>().join(" and ");
                let message = format!("has {shown}, of which only the last is there in a flat layout");
                let help = "write <DownloadLibraries>deep</DownloadLibraries> and import them by their folders, or rename one";
                FileProblem { severity: Severity::Warning, ..whole_file(library, message, help) }
            }));
        }
        problems
    }
}

fn list(root: &Path, folder: &Path, depth: usize, by_name: &mut BTreeMap<String, Vec<String>>) {
    // One that cannot be read is told of when the run is started.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path: PathBuf = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        if kind.is_dir() && name != "__pycache__" && depth > 0 {
            list(root, &path, depth.saturating_sub(1), by_name);
        } else if path.is_file() {
            let inside = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            by_name.entry(name).or_default().push(inside);
        }
    }
}
