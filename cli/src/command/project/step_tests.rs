//! Step tests of a project: they can be checked without running them, and so can the templates that they name.

use std::collections::BTreeSet;

use jackfield_config::{Lab, limits::FILE_BYTES_MAX, load::read_source, steps::StepTest};
use jackfield_device::textfsm::Templates;
use jackfield_protocol::{
    error::{FileProblem, Severity},
    plan::RunPlan,
};

/// How their names end.
const ENDING: &str = ".steps.toml";

/// Everything that is wrong in the step tests that would run.
pub(super) fn problems(plan: &RunPlan, lab: &Lab) -> Vec<FileProblem> {
    let files: BTreeSet<&str> =
        plan.tests.iter().map(|test| test.file.as_ref()).filter(|file| file.ends_with(ENDING)).collect();
    let (templates, mut problems) = match files.is_empty() {
        true => return Vec::new(),
        false => lab.templates(),
    };
    let templates = Templates::new(templates);
    for file in files {
        // One that is not there has been told of.
        let Ok(path) = lab.test_file(file) else { continue };
        match read_source(path.path(), FILE_BYTES_MAX) {
            Err(problem) => problems.push(*problem),
            Ok(source) => {
                // By the path that opens it from here, as the problems of the project are told.
                let file = path.path().display().to_string();
                match StepTest::parse(&file, source.text()) {
                    Err(more) => problems.extend(more),
                    Ok(test) => problems.extend(wrong_templates(&file, &test, &templates)),
                }
            }
        }
    }
    problems
}

fn wrong_templates(file: &str, test: &StepTest, templates: &Templates) -> Vec<FileProblem> {
    let mut problems = Vec::new();
    for (name, line) in test.templates() {
        // A name with a variable is known when the test runs.
        if name.contains("${") {
            continue;
        }
        if let Err(error) = templates.named(name) {
            problems.push(FileProblem {
                file: file.to_owned(),
                line,
                column: 1,
                severity: Severity::Error,
                message: error.to_string(),
                help: String::new(),
            });
        }
    }
    problems
}
