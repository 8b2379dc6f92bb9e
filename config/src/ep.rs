//! `ep.toml`: an Execution Process's settings. The default file is compiled in, and is also their documentation.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use jackfield_protocol::{
    id::{EpName, UserName},
    secret::Secret,
};

use crate::{
    engine::{filled, set},
    problem::Read,
    source::Source,
    toml_table::{self, Table},
};

pub use cgroup::{Cgroup, CgroupUse};
pub use run_as::RunAs;

mod cgroup;
mod run_as;

/// The commented file with every key and its default.
pub const DEFAULT_FILE: &str = include_str!("ep.default.toml");

/// An Execution Process's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpSettings {
    /// Unique in one engine; none: the machine's name.
    pub name: Option<EpName>,
    /// Where the engine listens, without a slash at the end.
    pub engine: String,
    /// The token itself.
    pub token: Option<Secret>,
    /// A file that holds the token.
    pub token_file: Option<PathBuf>,
    /// PEM file of the authorities to believe, and nobody else.
    pub ca: Option<PathBuf>,
    /// What the authority of the engine's certificate must be, where neither the token nor a file says it.
    pub fingerprint: Option<String>,
    /// Folder for spool, cache and running tests; none: a folder of the EP's name in the user's data folder.
    pub work: Option<PathBuf>,
    /// Tests at once.
    pub lanes: u16,
    /// Take only this user's work.
    pub pool: Option<UserName>,
    /// For placing suites.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// How test files are run.
    pub languages: Languages,
    /// What a person may do to the sessions of this EP's tests.
    pub console: ConsolePolicy,
    /// The language of tests, whatever that of whoever started the EP is.
    pub locale: String,
    /// The users that tests run as; none: the EP's own.
    pub run_as: Option<RunAs>,
    /// The program by which an EP that is not root has its tests run so.
    pub run_as_helper: PathBuf,
    /// Control groups of tests.
    pub cgroup: Cgroup,
    /// What is too much.
    pub limits: EpLimits,
}

/// What runs which test file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Languages {
    /// Programs by the names that runners use in braces: `python`, `tcl`, `perl`, …
    pub interpreters: BTreeMap<Arc<str>, Arc<str>>,
    /// How test files are run, by the ending of their name, without its dot; the empty ending fits every file.
    pub runners: BTreeMap<Arc<str>, Runner>,
}

/// How a kind of test file is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner {
    /// The way.
    pub kind: RunnerKind,
    /// Program and arguments; `{file}` stands for the test file, `{python}` and the like for interpreters.
    pub command: Vec<String>,
    /// The file of results that a command leaves, below the test's work folder.
    pub results: Option<String>,
    /// What it prints.
    pub output: RunnerOutput,
    /// Jars and folders that Java tests use, JUnit's among them; what is not there is passed over.
    pub classpath: Vec<String>,
}

/// What a test prints, where its tests are told there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunnerOutput {
    /// Text for people.
    #[default]
    Text,
    /// TAP, the Test Anything Protocol.
    Tap,
    /// TAP, where it shows itself by a plan; else text.
    TapIfAny,
    /// The events of `go test -json`.
    GoTest,
}

impl RunnerOutput {
    /// Reads the word of `ep.toml`.
    ///
    /// # Errors
    /// The words there are.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "text" => Ok(Self::Text),
            "tap" => Ok(Self::Tap),
            "tap-if-any" => Ok(Self::TapIfAny),
            "go-test-json" => Ok(Self::GoTest),
            _ => Err("text, tap, tap-if-any or go-test-json"),
        }
    }
}

/// A way of running a test file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunnerKind {
    /// The file is an argument of a command.
    Command,
    /// The file is the program.
    Executable,
    /// In a child of the warm Python interpreter.
    Python,
    /// By the EP itself.
    Steps,
    /// By pytest.
    Pytest,
    /// By Robot Framework.
    Robot,
    /// Compiled, and run by JUnit or by its `main`.
    Java,
}

impl RunnerKind {
    const ALL: [Self; 7] =
        [Self::Command, Self::Executable, Self::Python, Self::Steps, Self::Pytest, Self::Robot, Self::Java];

    /// The word in `ep.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Executable => "executable",
            Self::Python => "python",
            Self::Steps => "steps",
            Self::Pytest => "pytest",
            Self::Robot => "robot",
            Self::Java => "java",
        }
    }
}

/// What a person may do at a console of an EP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConsolePolicy {
    /// Nothing.
    Off,
    /// Watch.
    Watch,
    /// Watch, and take over.
    #[default]
    Take,
}

impl ConsolePolicy {
    /// Reads the word of a file or a resource.
    ///
    /// # Errors
    /// The words there are.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "off" => Ok(Self::Off),
            "watch" => Ok(Self::Watch),
            "take" => Ok(Self::Take),
            _ => Err("off, watch or take"),
        }
    }
}

/// The EP's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpLimits {
    /// Files and libraries kept for later runs.
    pub cache_bytes: u64,
    /// Logs the engine has not taken yet.
    pub log_spool_bytes: u64,
    /// One file kept with an attempt.
    pub artifact_bytes: u64,
    /// Processes of one test.
    pub processes: u64,
    /// Memory of one process of a test; none: no limit.
    pub memory_bytes: Option<u64>,
    /// Open files of one process of a test.
    pub open_files: u64,
    /// Between asking a test to end and killing it.
    pub stop_grace_millis: u64,
    /// Limit of one clean-up that sets none.
    pub cleanup_millis: u64,
    /// How long a person who types nothing keeps a session or a device.
    pub console_idle_millis: u64,
}

impl Default for EpLimits {
    fn default() -> Self {
        Self {
            cache_bytes: 2 << 30,
            log_spool_bytes: 2 << 30,
            artifact_bytes: 256 << 20,
            processes: 4096,
            memory_bytes: None,
            open_files: 4096,
            stop_grace_millis: 10_000,
            cleanup_millis: 120_000,
            console_idle_millis: 900_000,
        }
    }
}

impl Default for EpSettings {
    /// What the default file says.
    fn default() -> Self {
        let source = Arc::new(Source::new("ep.toml", DEFAULT_FILE));
        let (value, _) = toml_table::read_settings(&source, |top| Self::bare().with(top));
        value.unwrap_or_else(Self::bare)
    }
}

impl EpSettings {
    /// Reads `ep.toml`; what it does not say has its default.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        let (value, problems) = toml_table::read_settings(source, |top| Self::default().with(top));
        Read { value, problems }
    }

    fn bare() -> Self {
        Self {
            name: None,
            engine: String::new(),
            token: None,
            token_file: None,
            ca: None,
            fingerprint: None,
            work: None,
            lanes: 1,
            pool: None,
            labels: BTreeMap::new(),
            languages: Languages::default(),
            console: ConsolePolicy::default(),
            locale: String::new(),
            run_as: None,
            run_as_helper: PathBuf::new(),
            cgroup: Cgroup::default(),
            limits: EpLimits::default(),
        }
    }

    fn with(mut self, top: &Table<'_>) -> Self {
        self.name = filled(top.text("name")).map(EpName::from);
        set(&mut self.engine, top.parsed("engine", engine_url));
        self.token = filled(top.text("token")).map(Secret::new);
        self.token_file = filled(top.text("token_file")).map(PathBuf::from);
        self.ca = filled(top.text("ca")).map(PathBuf::from);
        self.fingerprint = filled(top.text("fingerprint"));
        self.work = filled(top.text("work")).map(PathBuf::from);
        set(&mut self.lanes, top.number("lanes", 1..=1024));
        self.pool = filled(top.text("pool")).map(UserName::from);
        set(&mut self.console, top.parsed("console", ConsolePolicy::parse));
        set(&mut self.locale, filled(top.text("locale")));
        set(&mut self.run_as, top.parsed("run_as", RunAs::parse));
        set(&mut self.run_as_helper, filled(top.text("run_as_helper")).map(PathBuf::from));
        self.labels.extend(top.text_map("labels"));
        self.languages.interpreters.extend(top.text_map("interpreters"));
        self.read_runners(top);
        self.cgroup.read(top);
        self.limits.read(top);
        self
    }

    fn read_runners(&mut self, top: &Table<'_>) {
        for (ending, table) in top.named_sections("runners") {
            let kind = table.parsed("kind", |text| {
                let kind = RunnerKind::ALL.into_iter().find(|kind| kind.as_str() == text);
                kind.ok_or("command, executable, python, steps, pytest, robot or java")
            });
            let command = table.list("command");
            // The word for it while it could be nothing but JUnit.
            let junit = filled(table.text("junit"));
            let results = filled(table.text("results")).or(junit);
            let output = table.parsed("output", RunnerOutput::parse).unwrap_or_default();
            let classpath = table.list("classpath");
            table.finish();
            let default = if command.is_empty() { None } else { Some(RunnerKind::Command) };
            let kind = kind.or(default);
            let needs_command = matches!(
                kind,
                Some(RunnerKind::Command | RunnerKind::Pytest | RunnerKind::Robot | RunnerKind::Java)
            );
            if kind.is_none() || (needs_command && command.is_empty()) {
                let message = format!("runner `{ending}` has no command");
                table.error(message, "write command = [\"program\", \"argument\"]");
                continue;
            }
            if let Some(kind) = kind {
                let ending = ending.trim_start_matches('.');
                self.languages
                    .runners
                    .insert(ending.into(), Runner { kind, command, results, output, classpath });
            }
        }
    }
}

impl Languages {
    /// The runner whose ending fits the file's name best.
    pub fn runner(&self, file_name: &str) -> Option<(&str, &Runner)> {
        let fits = |ending: &str| match ending.chars().next() {
            None => true,
            Some(first) if first.is_alphanumeric() => {
                file_name.strip_suffix(ending).is_some_and(|stem| stem.ends_with('.'))
            }
            Some(_) => file_name.ends_with(ending),
        };
        let best =
            self.runners.iter().filter(|(ending, _)| fits(ending)).max_by_key(|(ending, _)| ending.len());
        best.map(|(ending, runner)| (ending.as_ref(), runner))
    }

    /// A program for a name in `[interpreters]`, or the name itself.
    pub fn interpreter<'a>(&'a self, name: &'a str) -> &'a str {
        self.interpreters.get(name).map_or(name, AsRef::as_ref)
    }
}

impl EpLimits {
    fn read(&mut self, top: &Table<'_>) {
        let Some(limits) = top.section("limits") else { return };
        set(&mut self.cache_bytes, limits.bytes("cache"));
        set(&mut self.log_spool_bytes, limits.bytes("log_spool"));
        set(&mut self.artifact_bytes, limits.bytes("artifact"));
        set(&mut self.processes, limits.number("processes", 1..=4_194_304));
        let memory =
            |text: &str| if text.is_empty() { Ok(None) } else { crate::value::size_bytes(text).map(Some) };
        set(&mut self.memory_bytes, limits.parsed("memory", memory));
        set(&mut self.open_files, limits.number("open_files", 16..=1_048_576));
        set(&mut self.stop_grace_millis, limits.millis("stop_grace"));
        set(&mut self.cleanup_millis, limits.millis("cleanup"));
        set(&mut self.console_idle_millis, limits.millis("console_idle"));
        limits.finish();
    }
}

/// An address such as `http://engine.lab:8000`; a slash at its end is dropped.
fn engine_url(text: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "an address such as http://engine.lab:8000";
    let text = text.trim_end_matches('/');
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).ok_or(EXPECTED)?;
    let wrong = host.is_empty() || host.starts_with(':') || host.contains(char::is_whitespace);
    if wrong { Err(EXPECTED) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Read<EpSettings> {
        EpSettings::read(&Arc::new(Source::new("ep.toml", text)))
    }

    #[test]
    fn the_default_file_is_complete_and_right() {
        let (settings, warnings) = read(DEFAULT_FILE).usable().unwrap();
        assert_eq!(settings, EpSettings::default());
        assert_eq!(warnings, []);
        assert_eq!(settings.limits, EpLimits::default());
        assert_eq!(settings.engine, "http://127.0.0.1:8000");
    }

    #[test]
    fn the_longest_ending_takes_the_file() {
        let (settings, _) = read("[runners.lua]\ncommand = [\"lua\"]\n[runners.sh]\nkind = \"executable\"\n")
            .usable()
            .unwrap();
        let kind = |name| settings.languages.runner(name).map(|(_, runner)| runner.kind).unwrap();
        for (name, expect) in [
            ("a.py", RunnerKind::Python),
            ("a_pytest.py", RunnerKind::Pytest),
            ("vlan.steps.toml", RunnerKind::Steps),
            ("a.lua", RunnerKind::Command),
            ("a.sh", RunnerKind::Executable),
            ("spy", RunnerKind::Executable),
            ("happy", RunnerKind::Executable),
        ] {
            assert_eq!(kind(name), expect, "{name}");
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let text = "nmae = \"x\"\nengine = \"engine.lab\"\nlanes = 0\n[labels]\nsite = 3\n[runners.x]\nkind = \"lua\"\n[limits]\nmemory = \"lots\"\n";
        let problems: Vec<_> = read(text).problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(problems.join("\n"));
    }
}
