//! What an EP is told before it starts.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use jackfield_protocol::id::EpName;

/// Everything an EP needs to know. `ep.toml` is read by the `config` crate and becomes this.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name: unique in the engine.
    pub name: EpName,
    /// The engine's address: `http://engine:8000` or `https://…`.
    pub engine_url: String,
    /// The secret an administrator made for it.
    pub token: String,
    /// For placing suites.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// How many tests it runs at once.
    pub lanes: u16,
    /// Where it keeps its spool, cache, and the folders of running tests; made if absent.
    pub work_dir: PathBuf,
    /// The `jackfield` program that tests find in `JACKFIELD_BIN`; none means this very program.
    pub program: Option<PathBuf>,
    /// Programs that read tests: `python` → `/opt/py3.12/bin/python3`. Absent ones are looked for on `PATH`.
    pub interpreters: BTreeMap<String, String>,
    /// Runners of the lab's own, by name.
    pub runners: BTreeMap<String, RunnerSettings>,
    /// What is held back, and where it ends.
    pub limits: Limits,
}

/// A language in three lines: how files with some ending are run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunnerSettings {
    /// Endings without the dot (`lua`, `steps.toml`).
    pub extensions: Vec<String>,
    /// File name patterns with `*` (`test_*.py`); they go before endings.
    pub files: Vec<String>,
    /// Program and arguments; `{file}`, `{results}` and `{work}` are replaced. Without `{file}` the file and the
    /// test's params follow at the end.
    pub command: Vec<String>,
    /// The command writes a JUnit file to `{results}`, whose cases become parts of the test.
    pub junit: bool,
}

/// Every limit of an EP, in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Between TERM and KILL.
    pub kill_grace_millis: u64,
    /// The longest one clean-up may take where it names no limit.
    pub cleanup_millis: u64,
    /// The most bytes of logs on disk that the engine has not stored; then tests wait when they write.
    pub log_spool_bytes: u64,
    /// The most bytes of cached files.
    pub cache_bytes: u64,
    /// The largest file that is fetched or kept as an artifact.
    pub file_bytes: u64,
    /// Address space of each process of a test; none means no limit.
    pub memory_bytes: Option<u64>,
    /// Open files of each process of a test; none means the EP's own.
    pub open_files: Option<u64>,
    /// Processes of the EP's user while a test runs; none means the EP's own.
    pub processes: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            kill_grace_millis: 5_000,
            cleanup_millis: 30_000,
            log_spool_bytes: 1 << 30,
            cache_bytes: 4 << 30,
            file_bytes: 1 << 30,
            memory_bytes: None,
            open_files: None,
            processes: None,
        }
    }
}

impl Settings {
    /// Settings with every default, for an EP of this name at this engine.
    pub fn new(name: EpName, engine_url: String, token: String, work_dir: PathBuf) -> Self {
        Self {
            name,
            engine_url,
            token,
            labels: BTreeMap::new(),
            lanes: 1,
            work_dir,
            program: None,
            interpreters: BTreeMap::new(),
            runners: BTreeMap::new(),
            limits: Limits::default(),
        }
    }
}
