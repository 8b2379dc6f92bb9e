//! What an EP is told before it starts: `ep.toml`, with what it leaves open filled in.
//!
//! The file is taken apart here without `..`, into fields that are private to this crate: a setting that is read and used by nobody does
//! not compile.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jackfield_config::ep::{Cgroup, ConsolePolicy, EpLimits, EpSettings, Languages};
use jackfield_protocol::{
    id::{EpName, UserName},
    secret::Secret,
};
use rustls::ClientConfig;

use crate::{
    EpError,
    account::{Accounts, Wanted},
    trust,
};

/// Everything an EP needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name: unique in the engine.
    pub name: EpName,
    /// The secret an administrator made for it.
    pub(crate) token: Secret,
    /// Where the engine listens.
    pub(crate) engine: String,
    /// How the engine is known; none where it is reached without TLS.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// Where it keeps its spool, cache, and the folders of running tests; made if absent.
    pub work_dir: PathBuf,
    /// The `jackfield` program, which tests find in `JACKFIELD_BIN`.
    pub program: PathBuf,
    pub(crate) offer: Offer,
    pub(crate) languages: Languages,
    /// What a person may do to the sessions of its tests.
    pub(crate) console: ConsolePolicy,
    /// The language of tests.
    pub(crate) locale: String,
    /// The users that tests run as; none: this EP's own.
    pub(crate) run_as: Option<Wanted>,
    /// Files with its token: no user of tests may read them.
    pub(crate) secret_files: Vec<PathBuf>,
    /// Control groups of its tests.
    pub(crate) cgroup: Cgroup,
    pub(crate) limits: Limits,
}

/// What it brings to the engine.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// Tests at once.
    pub(crate) lanes: u16,
    /// Whose work alone it takes.
    pub(crate) pool: Option<UserName>,
    /// For placing suites.
    pub(crate) labels: BTreeMap<Arc<str>, Arc<str>>,
}

/// What is held back, and where it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) cache_bytes: u64,
    pub(crate) log_spool_bytes: u64,
    pub(crate) artifact_bytes: u64,
    /// Between asking a test to end and killing it.
    pub(crate) stop_grace: Duration,
    /// Of one clean-up that sets none.
    pub(crate) cleanup_millis: u64,
    /// How long a person who types nothing keeps a session or a device.
    pub(crate) console_idle: Duration,
    pub(crate) process: ProcessLimits,
}

/// What one test may take of the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessLimits {
    /// Processes of one test.
    pub(crate) count: u64,
    /// Memory of one of them.
    pub(crate) memory_bytes: Option<u64>,
    /// Open files of one of them.
    pub(crate) open_files: u64,
}

impl Settings {
    /// Fills in what `ep.toml` leaves open: this machine's name, the token of its file, a folder below `data_dir`.
    ///
    /// # Errors
    /// There is no token, or its file cannot be read.
    pub fn new(file: EpSettings, data_dir: &Path, program: PathBuf) -> Result<Self, EpError> {
        let EpSettings {
            name,
            engine,
            token,
            token_file,
            ca,
            fingerprint,
            work,
            lanes,
            pool,
            labels,
            languages,
            console,
            locale,
            run_as,
            run_as_helper: helper,
            cgroup,
            limits,
        } = file;
        let name = name.unwrap_or_else(|| EpName::from(crate::host::name()));
        let secret_files = token_file.iter().cloned().collect();
        let token = match (token, token_file) {
            (Some(token), _) => token,
            (None, Some(path)) => match std::fs::read_to_string(&path) {
                Ok(text) => Secret::new(text.trim()),
                Err(source) => return Err(EpError::TokenFile { path, source }),
            },
            (None, None) => return Err(EpError::NoToken),
        };
        let (token, tls) = trust::of(&engine, &token, fingerprint.as_deref(), ca)?;
        let work_dir = work.unwrap_or_else(|| data_dir.join(folder_name(name.as_str())));
        let offer = Offer { lanes, pool, labels };
        let limits = Limits::of(limits);
        let run_as = run_as.map(|users| Wanted { users, helper });
        Ok(Self {
            name,
            token,
            engine,
            tls,
            work_dir,
            program,
            offer,
            languages,
            console,
            locale,
            run_as,
            secret_files,
            cgroup,
            limits,
        })
    }

    /// The same, read from this file, which may hold the token.
    #[must_use]
    pub fn read_from(mut self, file: PathBuf) -> Self {
        self.secret_files.push(file);
        self
    }
}

/// Looks whether tests can run as the users that a file names; their names, and none where they run as the EP's own.
///
/// # Errors
/// They cannot: a sentence with its remedy.
pub async fn users_of_tests(file: &EpSettings, program: &Path) -> Result<Vec<String>, String> {
    let Some(users) = file.run_as.clone() else { return Ok(Vec::new()) };
    let wanted = Wanted { users, helper: file.run_as_helper.clone() };
    Accounts::find(&wanted, (program, file.lanes), Limits::of(file.limits).process)?.look().await
}

/// What an EP with these settings cannot keep of `[cgroup]`, as far as that is seen from outside of its own group: a sentence each.
///
/// # Errors
/// There can be no groups at all: a sentence with its remedy.
pub fn cgroup_missing(file: &EpSettings) -> Result<Vec<String>, String> {
    crate::cgroup::look(&file.cgroup)
}

impl Limits {
    fn of(file: EpLimits) -> Self {
        let EpLimits {
            cache_bytes,
            log_spool_bytes,
            artifact_bytes,
            processes,
            memory_bytes,
            open_files,
            stop_grace_millis,
            cleanup_millis,
            console_idle_millis,
        } = file;
        Self {
            cache_bytes,
            log_spool_bytes,
            artifact_bytes,
            stop_grace: Duration::from_millis(stop_grace_millis),
            cleanup_millis,
            console_idle: Duration::from_millis(console_idle_millis),
            process: ProcessLimits { count: processes, memory_bytes, open_files },
        }
    }
}

/// A name as one folder: whatever could leave the folder or confuse a shell becomes `_`.
pub(crate) fn folder_name(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let folder: String = name.chars().map(plain).collect();
    if folder.trim_matches('.').is_empty() { format!("_{folder}") } else { folder }
}
