//! Files of a flat library that hide each other: of two with one name only one arrives.

use std::collections::BTreeMap;

use jackfield_protocol::{
    error::{FileProblem, Severity},
    plan::{LibraryLayout, RunPlan},
};

use super::Lab;
use crate::problem::whole_file;

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
            // One that cannot be read is told of when the run is started.
            let below = self.below(&path).unwrap_or_default();
            let mut by_name: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
            for inside in below.files.keys() {
                let name = inside.rsplit('/').next().unwrap_or(inside);
                by_name.entry(name).or_default().push(inside);
            }
            let hidden =
                by_name.into_iter().filter(|(name, files)| files.len() > 1 && *name != "__init__.py");
            problems.extend(hidden.map(|(_, files)| {
                let shown = files.iter().map(|file| format!("`{file}`")).collect::<Vec<_>>().join(" and ");
                let message = format!("has {shown}, of which only the last is there in a flat layout");
                let help = "write <DownloadLibraries>deep</DownloadLibraries> and import them by their folders, or rename one";
                FileProblem { severity: Severity::Warning, ..whole_file(library, message, help) }
            }));
        }
        problems
    }
}
