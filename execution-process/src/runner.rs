//! How a test file is run: chosen by the ending of its name in `ep.toml`, or by the test's property `runner`.
//!
//! The property names an ending of `ep.toml` (`_pytest.py`, `lua`) or a kind (`pytest`, `robot`, `executable` …). Where it names none, a
//! file that has one of pytest's own names (`test_*.py`, `*_test.py`) and tests of its kind is run by pytest: a plain Python would define
//! them, call none, and be content. Two endings need no entry in `ep.toml`: `.pyc` and `.pyo` are run as `.py`.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(crate) use jackfield_config::ep::RunnerOutput as Output;
use jackfield_config::ep::{Languages, Runner, RunnerKind};
use jackfield_protocol::{
    link::TestOrder,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};

use crate::{host::find_program, process::Program, results::Habits};
use first_look::FirstLook;

mod first_look;
mod shell;

pub(crate) mod warm;

/// The property of a test that names its runner.
const PROPERTY: &str = "runner";
/// Where a runner of ours leaves its results, below the test's work folder.
const RESULTS: &str = ".jackfield-results.xml";
/// The command of shell scripts, where `ep.toml` runs them in the ordinary way.
const SHELL: &str = "{shell}";

/// How one test is run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// As a program of its own.
    Program {
        /// The program and its arguments.
        command: Vec<OsString>,
        /// The file with the tests inside the test, below the work folder.
        results: Option<Results>,
        /// What it prints.
        output: Output,
    },
    /// In a child of the warm interpreter.
    Warm,
    /// By the EP itself.
    Steps,
}

/// Where the tests inside a test are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Results {
    /// A file below the work folder.
    pub(crate) file: String,
    /// What writes it.
    pub(crate) tool: RunnerKind,
}

impl Results {
    /// How the tool writes them.
    pub(crate) fn habits(&self) -> Habits {
        match self.tool {
            RunnerKind::Pytest => Habits { reruns: true, own_faults: &[] },
            RunnerKind::Robot => Habits { reruns: false, own_faults: ROBOT_OWN_FAULTS },
            RunnerKind::Command
            | RunnerKind::Executable
            | RunnerKind::Python
            | RunnerKind::Steps
            | RunnerKind::Java => Habits::default(),
        }
    }
}

/// How Robot Framework's messages begin where the test, and not the product, is wrong: all failures are alike to it.
const ROBOT_OWN_FAULTS: &[&str] = &[
    "No keyword with name",
    "Multiple keywords with name",
    "Variable '",
    "Keyword '",
    "Setup failed:\nNo keyword with name",
    "Setup failed:\nVariable '",
    "Parent suite setup failed:\nNo keyword with name",
    "Test contains no keywords",
    "Test cannot be empty",
    "Invalid ",
    "Importing ",
];

/// Where things are that a command may name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    pub(crate) file: &'a Path,
    /// The folder of all that came along with it.
    pub(crate) root: &'a Path,
    pub(crate) work: &'a Path,
    pub(crate) sdk: &'a Path,
}

/// Chooses how to run a test, or says why it cannot be run here.
pub(crate) fn choose(languages: &Languages, test: &TestOrder, places: Places<'_>) -> Result<Plan, Outcome> {
    let look = FirstLook::take(places.file)?;
    let runner = runner_of(languages, test, &look)?;
    look.refuse(runner.kind, reads_first_line(&runner))?;
    if comments_with_hash(&runner) {
        look.refuse_comments()?;
    }
    let params: Vec<OsString> = test.params.iter().map(|param| OsString::from(param.as_ref())).collect();
    let command = match runner.kind {
        RunnerKind::Steps => return Ok(Plan::Steps),
        RunnerKind::Python => return Ok(Plan::Warm),
        RunnerKind::Executable => std::iter::once(places.file.into()).chain(params).collect(),
        RunnerKind::Command if runner.command == [SHELL] => {
            let usual = languages.interpreter("shell");
            let mut command = shell::command(&look.first_line(), places.file, places.sdk, usual)?;
            command.extend(params);
            command
        }
        RunnerKind::Command | RunnerKind::Pytest | RunnerKind::Robot => {
            refuse_a_mere_try(&runner, &test.params)?;
            let mut command = fill(languages, &runner.command, places, &look)?;
            command.extend(own_arguments(runner.kind, places));
            let (options, params) = options_first(runner.kind, params);
            command.extend(options);
            command.extend(last_option(runner.kind));
            if !runner.command.iter().any(|part| part.contains("{file}")) {
                command.push(places.file.into());
            }
            command.extend(params);
            command
        }
        RunnerKind::Java => {
            let mut command = fill(languages, &runner.command, places, &look)?;
            installed(languages.interpreter("javac"))?;
            command.extend(java_arguments(&runner.classpath, places));
            command.extend(params);
            command
        }
    };
    Ok(Plan::Program { command, results: results(&runner), output: runner.output })
}

/// Robot Framework and pytest can go through tests without running them, and tell of each as of one that passed. Here it is seen among what is
/// said to them; what stands in files of theirs, [`last_option`] and the SDK's plug-in for pytest take back or refuse.
fn refuse_a_mere_try(runner: &Runner, params: &[Arc<str>]) -> Result<(), Outcome> {
    let words: &[&str] = match runner.kind {
        // It takes its options in any case, with hyphens anywhere, and shortened as far as no other begins so.
        RunnerKind::Robot => &["dr", "dry", "dryr", "dryru", "dryrun"],
        RunnerKind::Pytest => &["collectonly", "co", "setuponly", "setupplan"],
        RunnerKind::Steps
        | RunnerKind::Python
        | RunnerKind::Executable
        | RunnerKind::Command
        | RunnerKind::Java => &[],
    };
    let is_one = |word: &&str| {
        let plain = word.strip_prefix("--").map(|name| name.to_ascii_lowercase().replace('-', ""));
        plain.is_some_and(|plain| words.contains(&plain.as_str()))
    };
    let all = runner.command.iter().map(String::as_str).chain(params.iter().map(AsRef::as_ref));
    match all.into_iter().find(is_one) {
        Some(word) => {
            Err(invalid(Cause::Test, format!("with `{word}` nothing in it would be run; take it away")))
        }
        None => Ok(()),
    }
}

/// A Python test in an interpreter of its own, with all that it would find in the warm one.
pub(crate) fn cold_python(languages: &Languages, test: &TestOrder, places: Places<'_>) -> Plan {
    let python = languages.interpreter("python");
    let python = find_program(python).unwrap_or_else(|| python.into());
    let wrapper = places.sdk.join("python/run.py");
    let params = test.params.iter().map(|param| OsString::from(param.as_ref()));
    let command = [python.into(), "-u".into(), wrapper.into(), places.file.into()];
    let command = command.into_iter().chain(params).collect();
    Plan::Program { command, results: None, output: Output::Text }
}

/// Whether the kernel or a shell of ours makes something of the file's first line.
fn reads_first_line(runner: &Runner) -> bool {
    let is_shell = runner.command.first().is_some_and(|program| program == SHELL);
    runner.kind == RunnerKind::Executable || is_shell
}

/// Whether a line that begins with `#` says nothing to the runner.
fn comments_with_hash(runner: &Runner) -> bool {
    let program = runner.command.first().map_or("", String::as_str);
    runner.kind == RunnerKind::Python || matches!(program, SHELL | "{perl}" | "{tcl}" | "{expect}")
}

/// Robot takes what stands behind the file for further files, so its options, with their values, go before it. So do pytest's, to be read alike.
fn options_first(kind: RunnerKind, params: Vec<OsString>) -> (Vec<OsString>, Vec<OsString>) {
    if !matches!(kind, RunnerKind::Robot | RunnerKind::Pytest) {
        return (Vec::new(), params);
    }
    let mut before = params;
    let first = before.iter().position(|param| param.as_encoded_bytes().starts_with(b"-"));
    let options = before.split_off(first.unwrap_or(before.len()));
    (options, before)
}

fn runner_of(languages: &Languages, test: &TestOrder, look: &FirstLook) -> Result<Runner, Outcome> {
    let file_name = Path::new(test.file.as_ref()).file_name().unwrap_or_default().to_string_lossy();
    let by_kind = |wanted: &str| languages.runners.values().find(|runner| runner.kind.as_str() == wanted);
    let Some(wanted) = test.properties.get(PROPERTY).map(AsRef::as_ref) else {
        let by_ending = languages.runner(&file_name).map(|(_, runner)| runner.kind);
        if by_ending == Some(RunnerKind::Python) && look.is_for_pytest() {
            return by_kind(RunnerKind::Pytest.as_str()).cloned().ok_or_else(|| {
                let reason = format!(
                    "`{file_name}` has pytest's name and tests, and ep.toml has no runner of kind pytest; add one, or give the test the property runner=py"
                );
                invalid(Cause::Test, reason)
            });
        }
        return built_in(languages, &file_name)
            .or_else(|| languages.runner(&file_name).map(|(_, runner)| runner.clone()))
            .ok_or_else(|| {
                invalid(Cause::Test, format!("no runner of ep.toml fits `{file_name}`; add [runners.ENDING]"))
            });
    };
    let by_ending = languages.runners.get(wanted.trim_start_matches('.'));
    by_ending.or_else(|| by_kind(wanted)).cloned().ok_or_else(|| {
        let known: Vec<&str> =
            languages.runners.keys().map(AsRef::as_ref).filter(|name| !name.is_empty()).collect();
        let reason =
            format!("property runner=`{wanted}` is no runner of ep.toml; there are {}", known.join(", "));
        invalid(Cause::Test, reason)
    })
}

/// Files that a lab expects to run although its `ep.toml` does not name them.
fn built_in(languages: &Languages, file_name: &str) -> Option<Runner> {
    let (_, ending) = file_name.rsplit_once('.')?;
    let is_built_in = matches!(ending, "pyc" | "pyo") && !languages.runners.contains_key(ending);
    if is_built_in { languages.runners.get("py").cloned() } else { None }
}

/// A command with interpreters and places filled in.
fn fill(
    languages: &Languages,
    command: &[String],
    places: Places<'_>,
    look: &FirstLook,
) -> Result<Vec<OsString>, Outcome> {
    let mut filled: Vec<OsString> = Vec::new();
    for (index, part) in command.iter().enumerate() {
        let whole = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let program = whole.filter(|name| languages.interpreters.contains_key(*name));
        let text = match program {
            Some(name) => languages.interpreter(name).to_owned(),
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
    if command == ["{perl}"] {
        filled.extend(perl_arguments(places, look));
    } else if let Some(wrapper) = wrapper(command) {
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
        ["{python}"] => Some("python/run.py"),
        _ => None,
    }
}

/// Perl runs the file itself, with a module of ours that gives it Twister's names.
fn perl_arguments(places: Places<'_>, look: &FirstLook) -> Vec<OsString> {
    if look.is_for_another_than_perl() {
        return Vec::new();
    }
    let mut folder = OsString::from("-I");
    folder.push(places.sdk.join("perl"));
    let tainted = look.perl_is_tainted().then(|| OsString::from("-T"));
    tainted.into_iter().chain([folder, "-MJackfield::Script".into()]).collect()
}

fn own_arguments(kind: RunnerKind, places: Places<'_>) -> Vec<OsString> {
    let at = |option: &str, path: &Path| {
        let mut text = OsString::from(option);
        text.push(path);
        text
    };
    let results = places.work.join(RESULTS);
    // Names of cases count from the root, wherever the file stands.
    let root = places.file.parent().unwrap_or(places.work);
    match kind {
        RunnerKind::Pytest => vec![
            "-p".into(),
            "no:cacheprovider".into(),
            "-p".into(),
            "jackfield_pytest".into(),
            "-o".into(),
            "junit_family=xunit1".into(),
            at("--rootdir=", root),
            // Above it there is nothing of the test's.
            at("--confcutdir=", places.root),
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

/// What is said behind a test's own options: of Robot Framework's the last counts, and a file of them (`--argumentfile`) can have any.
fn last_option(kind: RunnerKind) -> Option<OsString> {
    (kind == RunnerKind::Robot).then(|| "--nodryrun".into())
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
            runner.results.clone()
        }
    };
    file.map(|file| Results { file, tool: runner.kind })
}

/// It cannot be run: by the test's fault, or because this EP lacks something.
fn invalid(cause: Cause, reason: String) -> Outcome {
    let by = if cause == Cause::Test { DecidedBy::File } else { DecidedBy::NotStarted };
    Outcome::not_pass(Verdict::Invalid, cause, by, reason)
}

/// Why a program could not be started, for people.
pub(crate) fn not_started(started: Program<'_>, file: &Path, error: &std::io::Error) -> Outcome {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let program = started.command.first().map(|program| program.to_string_lossy()).unwrap_or_default();
    if error.raw_os_error() == Some(rustix::io::Errno::TOOBIG.raw_os_error()) {
        return invalid(Cause::Test, too_big(started));
    }
    let no_format = error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error());
    if no_format {
        let reason = format!(
            "`{name}` is no program this machine can run; begin it with a line such as #!/bin/sh, or add its ending to [runners] in ep.toml"
        );
        return invalid(Cause::Test, reason);
    }
    if error.kind() == std::io::ErrorKind::NotFound && Path::new(program.as_ref()) == file {
        let first = std::fs::read(file).unwrap_or_default();
        let first = first.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let first = String::from_utf8_lossy(first.get(..80).unwrap_or(first)).into_owned();
        let reason =
            format!("the interpreter in the first line of `{name}`, `{first}`, is not installed on this EP");
        return invalid(Cause::Lab, reason);
    }
    invalid(Cause::Lab, format!("`{program}` cannot be started: {error}"))
}

/// The system takes no more than so much for a program; what is largest is most likely the reason.
fn too_big(started: Program<'_>) -> String {
    let argument = started.command.iter().skip(1).enumerate().max_by_key(|(_, text)| text.len());
    let variable = started.environment.iter().max_by_key(|(_, value)| value.len());
    let argument = argument.map_or((0, 0), |(index, text)| (index.saturating_add(1), text.len()));
    let (name, length) =
        variable.map_or(("".into(), 0), |(name, value)| (name.to_string_lossy(), value.len()));
    let what = if argument.1 > length {
        format!("argument {} has {} bytes; shorten the test's property `param`", argument.0, argument.1)
    } else if name == "JACKFIELD_PROPERTIES" {
        format!("its properties have {length} bytes; put long texts into a test configuration")
    } else {
        format!("the variable {name} has {length} bytes")
    };
    format!("it cannot be started, because the system takes no arguments and variables that long: {what}")
}

#[cfg(test)]
mod tests;
