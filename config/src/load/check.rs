//! A project checked whole: its text, and everything it names in the lab.

use std::{path::Path, sync::Arc};

use jackfield_protocol::{error::FileProblem, plan::RunPlan};

use super::{
    Lab,
    imports::WantedModule,
    text::{read_source, too_large},
};
use crate::{
    limits::PROJECT_BYTES_MAX,
    problem::{Read, has_errors},
    project::{
        Project,
        edit::ProjectFile,
        expand::{ExpandOptions, expand},
    },
    source::Source,
};

/// A project with everything that is wrong in it, and its plan where nothing is.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The project, where its text could be understood.
    pub project: Option<Project>,
    /// What would run; none where a problem is an error. Its `files` and `libraries` are empty.
    pub plan: Option<RunPlan>,
    /// Everything that is wrong, in this file and in those it names.
    pub problems: Vec<FileProblem>,
    /// What its tests import that only the Pythons of EPs can have: to be asked of these.
    pub modules: Vec<WantedModule>,
}

/// Reads a project file and expands it against the lab.
pub fn check_project(file: &Path, lab: &Lab, options: &ExpandOptions) -> Checked {
    match read_source(file, PROJECT_BYTES_MAX) {
        Ok(source) => check_source(&project_name(file), &source, lab, options),
        Err(problem) => failed(*problem),
    }
}

/// The same for a text that did not come from a file; `file` is what messages call it.
pub fn check_project_text(file: &str, text: String, lab: &Lab, options: &ExpandOptions) -> Checked {
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > PROJECT_BYTES_MAX {
        let problem = too_large(file, PROJECT_BYTES_MAX);
        return failed(problem);
    }
    check_source(&project_name(Path::new(file)), &Arc::new(Source::new(file, text)), lab, options)
}

/// The same for a file that is edited, which was read already.
pub fn check_project_file(file: &ProjectFile, lab: &Lab, options: &ExpandOptions) -> Checked {
    let name = project_name(Path::new(file.name()));
    check_read(Project::of(&name, file), file.name(), lab, options)
}

fn failed(problem: FileProblem) -> Checked {
    Checked { project: None, plan: None, problems: vec![problem], modules: Vec::new() }
}

fn check_source(name: &str, source: &Arc<Source>, lab: &Lab, options: &ExpandOptions) -> Checked {
    check_read(Project::read(name, source), source.name(), lab, options)
}

fn check_read(read: Read<Project>, file: &str, lab: &Lab, options: &ExpandOptions) -> Checked {
    let Read { value: project, mut problems } = read;
    let mut modules = Vec::new();
    let plan = project.as_ref().and_then(|project| {
        let lab = match &options.user {
            Some(user) => lab.as_user(user),
            None => lab.clone(),
        };
        let (plan, more) = expand(project, &lab, options);
        problems.extend(more);
        if let Some(plan) = &plan {
            let along = lab.gather(plan);
            problems.extend(along.problems);
            modules = along.modules;
            problems.extend(lab.hidden_files(plan));
        }
        plan
    });
    problems
        .sort_by_key(|problem| (problem.file != file, problem.file.clone(), problem.line, problem.column));
    Checked { plan: plan.filter(|_| !has_errors(&problems)), project, problems, modules }
}

pub(super) fn project_name(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
