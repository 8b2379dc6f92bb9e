//! Files that a test names in its text and that will not be there when it runs: told before the run instead of by a failure in its middle.
//!
//! Only what can be seen for certain: paths relative to the test's own file, in the forms in which Robot Framework, shell and Tcl name them.

use std::path::Path;

use jackfield_protocol::{
    error::{FileProblem, Severity},
    plan::RunPlan,
};

use super::{InRoom, Lab, beside::Gathered, find::plain};
use crate::limits::REFERENCES_BYTES_MAX;

/// What a test names that does not come along.
pub(super) fn missing(lab: &Lab, plan: &RunPlan, folders: &[Gathered]) -> Vec<FileProblem> {
    let mut seen = std::collections::BTreeSet::new();
    let mut problems = Vec::new();
    for test in plan.tests.iter().filter(|test| seen.insert(&test.file)) {
        let Ok(file) = lab.test_file(&test.file) else { continue };
        let Some(named) = references(&file) else { continue };
        let folder = folders.iter().find(|folder| folder.tests.contains_key(&test.file));
        for (line, name) in named {
            let own = file.path().parent().unwrap_or(file.path());
            let path = plain(&own.join(&name));
            let comes = folder.is_some_and(|folder| {
                let inside = path.strip_prefix(&folder.root).ok().map(|inside| inside.to_string_lossy());
                inside.is_some_and(|inside| folder.files.contains_key(inside.as_ref()))
            });
            if !comes && !in_a_library(lab, plan, &name) {
                problems.push(FileProblem {
                    severity: Severity::Warning,
                    file: test.file.to_string(),
                    line,
                    column: 0,
                    message: format!("names `{name}`, which will not be there when it runs"),
                    help: "put it beside the test, name it in the test's property `files`, or mark a folder above both with an empty file `.beside`".to_owned(),
                });
            }
        }
    }
    problems
}

/// Whether a library of the run has a file of this name: interpreters look there as well.
fn in_a_library(lab: &Lab, plan: &RunPlan, name: &str) -> bool {
    let base = Path::new(name).file_name().unwrap_or_default();
    libraries(lab, plan).any(|library| {
        let path = library.path();
        path.file_name() == Some(base) || path.join(name).is_file() || path.join(base).is_file()
    })
}

/// The libraries of a run that are there; of others is told elsewhere.
pub(super) fn libraries(lab: &Lab, plan: &RunPlan) -> impl Iterator<Item = InRoom> {
    let named = plan.options.libraries.iter().chain(plan.suites.iter().flat_map(|suite| &suite.libraries));
    named.filter_map(|library| lab.library(library).ok())
}

/// The paths that a test names relative to its own file, with their lines; none for files that are not looked into.
fn references(file: &InRoom) -> Option<Vec<(u32, String)>> {
    let find: fn(&str) -> Option<&str> = match file.path().extension()?.to_str()? {
        "robot" => of_robot,
        "sh" => of_shell,
        "tcl" | "exp" => of_tcl,
        _ => return None,
    };
    let text = text_of(file)?;
    let found =
        (1_u32..).zip(text.lines()).filter_map(|(number, line)| Some((number, find(line)?.to_owned())));
    Some(found.filter(|(_, name)| !name.is_empty() && !name.contains(['$', '{', '[', '*'])).collect())
}

/// The text of a file that is looked into; none of one that is too large, or cannot be read.
pub(super) fn text_of(file: &InRoom) -> Option<String> {
    if std::fs::metadata(file.path()).ok()?.len() > REFERENCES_BYTES_MAX {
        return None;
    }
    Some(String::from_utf8_lossy(&file.read().ok()?).into_owned())
}

/// `Resource    common.resource`, and Python files named as such.
fn of_robot(line: &str) -> Option<&str> {
    let mut cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
    let word = cells.next()?;
    if line.starts_with(' ') {
        return None;
    }
    let name = cells.next()?;
    let name = name.strip_prefix("${CURDIR}/").unwrap_or(name);
    let is_file = name.ends_with(".py") || name.ends_with(".yaml") || name.ends_with(".json");
    match word.to_ascii_lowercase().as_str() {
        "resource" if name.contains('.') => Some(name),
        "library" | "variables" if is_file => Some(name),
        _ => None,
    }
    .filter(|name| !Path::new(name).is_absolute())
}

/// `. "$(dirname "$0")/common.sh"`, and the other ways to say it.
fn of_shell(line: &str) -> Option<&str> {
    const OWN_FOLDER: [&str; 4] =
        ["$(dirname \"$0\")/", "$(dirname $0)/", "${0%/*}/", "$(dirname \"${BASH_SOURCE[0]}\")/"];
    let line = line.trim();
    let rest =
        line.strip_prefix(". ").or_else(|| line.strip_prefix("source "))?.trim().trim_start_matches('"');
    let name = OWN_FOLDER.iter().find_map(|own| rest.strip_prefix(own))?;
    let end = name.find(['"', ' ', ';', '|', '&']).unwrap_or(name.len());
    name.get(..end)
}

/// `source [file join [file dirname [info script]] common.tcl]`
fn of_tcl(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("source ")?.trim();
    let rest = rest.strip_prefix("[file join [file dirname [info script]] ")?;
    rest.split_once(']').map(|(name, _)| name.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_relative_to_the_test_is_looked_for() {
        type Find = fn(&str) -> Option<&str>;
        let cases: [(Find, &str, Option<&str>); 10] = [
            (of_robot, "Resource    common.resource", Some("common.resource")),
            (of_robot, "Library    lib/tools.py    arg", Some("lib/tools.py")),
            (of_robot, "Resource    ${CURDIR}/../x.resource", Some("../x.resource")),
            (of_robot, "Library    OperatingSystem", None),
            (of_robot, "    Resource    inside.resource", None),
            (of_shell, ". \"$(dirname \"$0\")/common.sh\"", Some("common.sh")),
            (of_shell, "source ${0%/*}/../lib.sh; x", Some("../lib.sh")),
            (of_shell, ". ./x.sh", None),
            (of_tcl, "source [file join [file dirname [info script]] common.tcl]", Some("common.tcl")),
            (of_tcl, "source $x", None),
        ];
        for (find, line, expect) in cases {
            assert_eq!(find(line), expect, "{line}");
        }
    }
}
