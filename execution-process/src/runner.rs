//! How a test file is run: chosen by the ending of its name in `ep.toml`, or by the test's property `runner`.
//!
//! The property names an ending of `ep.toml` (`_pytest.py`, `lua`) or a kind (`pytest`, `robot`, `executable` …): that is
//! how a plain `test_x.py` becomes a pytest file; nothing is guessed from what a file contains. Two endings need no
//! entry in `ep.toml`: `.pyc` and `.pyo` are run as `.py`.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use jackfield_config::ep::{EpSettings, Runner, RunnerKind};
use jackfield_protocol::{
    link::TestOrder,
    verdict::{Cause, Outcome, Verdict},
};

use crate::host::find_program;

pub(crate) mod junit;
pub(crate) mod warm;

/// The property of a test that names its runner.
const PROPERTY: &str = "runner";
/// Where a runner of ours leaves its results, below the test's work folder.
const RESULTS: &str = ".jackfield-results.xml";

/// How one test is run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// As a program of its own.
    Program {
        /// The program and its arguments.
        command: Vec<OsString>,
        /// The file with the tests inside the test, below the work folder.
        results: Option<Results>,
    },
    /// In a child of the warm interpreter.
    Warm,
    /// By the EP itself.
    Steps,
}

/// Where the tests inside a test are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Results {
    /// A JUnit file below the work folder.
    pub(crate) file: String,
    /// What writes it, for messages.
    pub(crate) tool: RunnerKind,
}

/// Where things are that a command may name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    pub(crate) file: &'a Path,
    pub(crate) work: &'a Path,
    pub(crate) sdk: &'a Path,
}

/// Chooses how to run a test, or says why it cannot be run here.
pub(crate) fn choose(settings: &EpSettings, test: &TestOrder, places: Places<'_>) -> Result<Plan, Outcome> {
    let runner = runner_of(settings, test)?;
    let params = test.params.iter().map(|param| OsString::from(param.as_ref()));
    match runner.kind {
        RunnerKind::Steps => Ok(Plan::Steps),
        RunnerKind::Python => Ok(Plan::Warm),
        RunnerKind::Executable => {
            let command = std::iter::once(places.file.into()).chain(params).collect();
            Ok(Plan::Program { command, results: results(&runner) })
        }
        RunnerKind::Command | RunnerKind::Pytest | RunnerKind::Robot => {
            let mut command = fill(settings, &runner.command, places)?;
            command.extend(own_arguments(runner.kind, places));
            if !runner.command.iter().any(|part| part.contains("{file}")) {
                command.push(places.file.into());
            }
            command.extend(params);
            Ok(Plan::Program { command, results: results(&runner) })
        }
        RunnerKind::Java => {
            let mut command = fill(settings, &runner.command, places)?;
            installed(settings.interpreter("javac"))?;
            command.extend(java_arguments(&runner.classpath, places));
            command.extend(params);
            Ok(Plan::Program { command, results: results(&runner) })
        }
    }
}

fn runner_of(settings: &EpSettings, test: &TestOrder) -> Result<Runner, Outcome> {
    let file_name = Path::new(test.file.as_ref()).file_name().unwrap_or_default().to_string_lossy();
    let Some(wanted) = test.properties.get(PROPERTY).map(AsRef::as_ref) else {
        return built_in(settings, &file_name)
            .or_else(|| settings.runner(&file_name).map(|(_, runner)| runner.clone()))
            .ok_or_else(|| {
                invalid(Cause::Test, format!("no runner of ep.toml fits `{file_name}`; add [runners.ENDING]"))
            });
    };
    let by_ending = settings.runners.get(wanted.trim_start_matches('.'));
    let by_kind = || settings.runners.values().find(|runner| runner.kind.as_str() == wanted);
    by_ending.or_else(by_kind).cloned().ok_or_else(|| {
        let known: Vec<&str> =
            settings.runners.keys().map(AsRef::as_ref).filter(|name| !name.is_empty()).collect();
        let reason =
            format!("property runner=`{wanted}` is no runner of ep.toml; there are {}", known.join(", "));
        invalid(Cause::Test, reason)
    })
}

/// Files that a lab expects to run although its `ep.toml` does not name them.
fn built_in(settings: &EpSettings, file_name: &str) -> Option<Runner> {
    let (_, ending) = file_name.rsplit_once('.')?;
    let is_built_in = matches!(ending, "pyc" | "pyo") && !settings.runners.contains_key(ending);
    if is_built_in { settings.runners.get("py").cloned() } else { None }
}

/// A command with interpreters and places filled in.
fn fill(settings: &EpSettings, command: &[String], places: Places<'_>) -> Result<Vec<OsString>, Outcome> {
    let mut filled: Vec<OsString> = Vec::new();
    for (index, part) in command.iter().enumerate() {
        let whole = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let program = whole.filter(|name| settings.interpreters.contains_key(*name));
        let text = match program {
            Some(name) => settings.interpreter(name).to_owned(),
            None => part
                .replace("{file}", &places.file.to_string_lossy())
                .replace("{work}", &places.work.to_string_lossy())
                .replace("{sdk}", &places.sdk.to_string_lossy()),
        };
        if index == 0 {
            filled.push(installed(&text)?.into());
        } else {
            filled.push(text.into());
        }
    }
    if let Some(wrapper) = wrapper(command) {
        filled.push(places.sdk.join(wrapper).into());
    }
    Ok(filled)
}

/// Where a program is.
fn installed(program: &str) -> Result<PathBuf, Outcome> {
    find_program(program).ok_or_else(|| {
        let reason =
            format!("`{program}` is not installed on this EP; install it, or name another in ep.toml");
        invalid(Cause::Lab, reason)
    })
}

/// The script of ours that gives a language Twister's names, where `ep.toml` runs it in the ordinary way.
fn wrapper(command: &[String]) -> Option<&'static str> {
    let parts: Vec<&str> = command.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["{tcl}"] | ["{expect}"] | ["{expect}", "-f"] => Some("tcl/run.tcl"),
        ["{perl}"] => Some("perl/run.pl"),
        ["{shell}"] => Some("shell/run.sh"),
        ["{python}"] => Some("python/run.py"),
        _ => None,
    }
}

fn own_arguments(kind: RunnerKind, places: Places<'_>) -> Vec<OsString> {
    let at = |option: &str, path: &Path| {
        let mut text = OsString::from(option);
        text.push(path);
        text
    };
    let results = places.work.join(RESULTS);
    // Names of cases count from the root; the file stands alone in its folder.
    let root = places.file.parent().unwrap_or(places.work);
    match kind {
        RunnerKind::Pytest => vec![
            "-p".into(),
            "no:cacheprovider".into(),
            "-o".into(),
            "junit_family=xunit1".into(),
            at("--rootdir=", root),
            at("--junitxml=", &results),
        ],
        RunnerKind::Robot => vec![at("--xunit=", &results), at("--outputdir=", places.work)],
        RunnerKind::Command
        | RunnerKind::Executable
        | RunnerKind::Python
        | RunnerKind::Steps
        | RunnerKind::Java => Vec::new(),
    }
}

/// What a Java machine is told to run our wrapper on the file.
fn java_arguments(classpath: &[String], places: Places<'_>) -> Vec<OsString> {
    let sdk = places.sdk.join("java");
    let mut home = OsString::from("-Djackfield.sdk=");
    home.push(&sdk);
    vec![
        home,
        "-cp".into(),
        classpath.join(":").into(),
        sdk.join("jackfield/Run.java").into(),
        places.work.join(RESULTS).into(),
        places.file.into(),
    ]
}

fn results(runner: &Runner) -> Option<Results> {
    let file = match runner.kind {
        RunnerKind::Pytest | RunnerKind::Robot | RunnerKind::Java => Some(RESULTS.to_owned()),
        RunnerKind::Command | RunnerKind::Executable | RunnerKind::Python | RunnerKind::Steps => {
            runner.junit.clone()
        }
    };
    file.map(|file| Results { file, tool: runner.kind })
}

fn invalid(cause: Cause, reason: String) -> Outcome {
    Outcome::not_pass(Verdict::Invalid, cause, reason)
}

/// Why a program could not be started, for people.
pub(crate) fn not_started(command: &[OsString], file: &Path, error: &std::io::Error) -> Outcome {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let program = command.first().map(|program| program.to_string_lossy()).unwrap_or_default();
    let no_format = error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error());
    if no_format {
        let reason = format!(
            "`{name}` is no program this machine can run; begin it with a line such as #!/bin/sh, or add its ending to [runners] in ep.toml"
        );
        return invalid(Cause::Test, reason);
    }
    if error.kind() == std::io::ErrorKind::NotFound && Path::new(program.as_ref()) == file {
        let reason = format!("the interpreter in the first line of `{name}` is not installed on this EP");
        return invalid(Cause::Lab, reason);
    }
    invalid(Cause::Lab, format!("`{program}` cannot be started: {error}"))
}

#[cfg(test)]
mod tests;
