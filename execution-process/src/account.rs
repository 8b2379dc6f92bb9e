//! Whom tests run as, where `ep.toml` says so: users who can read neither the EP's token and spool nor each other's files.
//!
//! An EP that is root changes the user by itself (its own program, called with `run-as`), one that is not has a helper of root's do it; both are
//! [`jackfield_run_as`]. Whatever a test names, a file to keep or a program to talk to, is opened and started as its user too, so that nothing
//! of the EP's own can be had through it. One user serves one lane: what belongs to that user when a test has ended is the test's, wherever it
//! hid, and is ended and removed ([`Account::clear`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use jackfield_device::local::LocalPrograms;
use jackfield_protocol::time::Time;
use jackfield_run_as::{Deed, Limits, Order, Whom};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::{
    clock,
    limits::{ACCOUNT_CHORE_LIMIT, CLEAR_LIMIT, KILL_PAUSE, KILL_ROUNDS},
    process::{self, Outputs, Program},
};

pub(crate) use accounts::{Accounts, Wanted};
pub(crate) use files::{FetchError, Staged};
pub(crate) use rooms::{Room, lend};

mod accounts;
mod acl;
mod files;
mod rooms;

/// Of the environment of whoever started the EP, what leads to things of that user's own.
const OTHERS_OWN: [&str; 12] = [
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "GNUPGHOME",
    "PYTHONUSERBASE",
    "MAIL",
    "SHELL",
];

const MILLIS: i64 = 1000;

/// A user that tests run as.
#[derive(Debug)]
pub(crate) struct Account {
    who: jackfield_run_as::Account,
    /// The program that changes the user, and what stands before the user's name.
    helper: Arc<[OsString]>,
    limits: Limits,
    /// What sessions and consoles run on this machine as this user.
    pub(crate) programs: LocalPrograms,
    /// The EP is root: it can signal this user's processes itself, and what it forks can become this user.
    is_ours: bool,
}

/// A user, and since when it is a test's, or a script's.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) account: Arc<Account>,
    since: Time,
    /// Whatever is that user's is the tenant's; else its folder alone.
    has_all_of_it: bool,
}

impl Tenant {
    /// From now on.
    pub(crate) fn new(account: &Arc<Account>) -> Self {
        Self { account: Arc::clone(account), since: clock::wall(), has_all_of_it: true }
    }

    /// The same for a script around a run: where one user serves everything, a test may have that one meanwhile.
    pub(crate) fn beside(accounts: &Accounts) -> Self {
        Self { has_all_of_it: !accounts.is_one_for_all(), ..Self::new(accounts.beside()) }
    }

    /// Ends what is left of the user's, and removes what stands in a folder of its test and what it put beside since then.
    pub(crate) async fn clear(&self, folder: &Path) {
        let mut since = i64::MAX;
        if self.has_all_of_it {
            self.account.end_all().await;
            since = self.since.0.div_euclid(MILLIS);
        }
        self.account.clear(folder, since).await;
    }
}

impl Account {
    fn new(
        who: jackfield_run_as::Account,
        helper: &Arc<[OsString]>,
        limits: Limits,
        is_ours: bool,
    ) -> Result<Self, String> {
        let text = |words: Vec<OsString>| -> Result<Vec<String>, String> {
            let told = |word: OsString| format!("`{}` is no plain text", word.display());
            words.into_iter().map(|word| word.into_string().map_err(told)).collect()
        };
        let words = |deed: &str| {
            let own = [OsString::from(&who.name), OsString::from(deed)];
            helper.iter().cloned().chain(own).collect::<Vec<OsString>>()
        };
        let mut start = words("start");
        start.extend(["--plain".into(), "--".into()]);
        let programs = LocalPrograms::through(text(start)?, text(words("end"))?);
        Ok(Self { who, helper: Arc::clone(helper), limits, programs, is_ours })
    }

    /// Its number.
    pub(crate) fn uid(&self) -> u32 {
        self.who.uid
    }

    /// What a fork of a program of root's needs to become this user; none where the EP is not root.
    pub(crate) fn for_a_fork(&self) -> Option<Value> {
        let jackfield_run_as::Account { uid, gid, groups, .. } = &self.who;
        self.is_ours.then(|| json!({ "uid": uid, "gid": gid, "groups": groups }))
    }

    /// Makes the environment of the EP's user into one of this user's, whose home is the folder of the test: the next one has another.
    pub(crate) fn dress(&self, all: &mut BTreeMap<OsString, OsString>, home: &Path) {
        for name in OTHERS_OWN {
            all.remove(&OsString::from(name));
        }
        for name in ["HOME", "TMPDIR"] {
            all.insert(name.into(), home.into());
        }
        for name in ["USER", "LOGNAME"] {
            all.insert(name.into(), self.who.name.clone().into());
        }
    }

    /// Starts a program as this user.
    pub(crate) async fn start(&self, program: Program<'_>, outputs: Outputs) -> io::Result<Child> {
        let deed = Deed::Start {
            limits: self.limits,
            home: Some(program.folder.to_owned()),
            plain: false,
            waits: program.group.is_some(),
            command: program.command.to_vec(),
        };
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        let mut command = self.command(deed)?;
        command.envs(program.environment).current_dir(program.folder);
        command.stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)));
        let child = command.stdout(outputs.output).stderr(outputs.errors).spawn()?;
        // It holds the other ends.
        drop(command);
        process::let_begin(child, ours, program.group).await
    }

    /// Signals processes of this user.
    pub(crate) async fn signal(&self, signal: Signal, pids: BTreeSet<i32>) {
        if self.is_ours {
            for pid in pids.into_iter().filter_map(rustix::process::Pid::from_raw) {
                let _ = rustix::process::kill_process(pid, signal);
            }
        } else if !pids.is_empty() {
            self.end(signal, Whom::These(pids.into_iter().collect())).await;
        }
    }

    async fn end(&self, signal: Signal, whom: Whom) {
        if let Err(error) = self.chore(Deed::End { signal: signal.as_raw(), whom }).await {
            tracing::warn!("processes of user `{}` cannot be ended: {error}", self.who.name);
        }
    }

    /// The living processes of this user, but for those that sessions and consoles run, and what these started.
    pub(crate) fn processes(&self) -> BTreeSet<i32> {
        let own = self.possessions();
        if own.is_empty() { own } else { crate::process::without_sessions(own, &self.programs.running()) }
    }

    /// Every living process of this user.
    fn possessions(&self) -> BTreeSet<i32> {
        let is_own =
            |found: &jackfield_run_as::Possession| [found.real, found.effective].contains(&self.who.uid);
        jackfield_run_as::possessions().into_iter().filter(is_own).map(|found| found.pid).collect()
    }

    async fn clear(&self, folder: &Path, since: i64) {
        let deed = Deed::Clear { folder: folder.to_owned(), since };
        let cleared = self.carry_out(deed, Stdio::null(), CLEAR_LIMIT).await;
        if let Err(error) = cleared {
            tracing::warn!("not all that user `{}` left can be removed: {error}", self.who.name);
        }
    }

    /// Ends every process of this user.
    pub(crate) async fn end_all(&self) {
        if !self.is_ours && self.programs.running().is_empty() {
            // A machine may hide the processes of others from whoever is not root.
            self.end(Signal::KILL, Whom::All).await;
        }
        for _ in 0..KILL_ROUNDS {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            // A bomb of forks outruns everything but a signal to all at once.
            match self.programs.running().is_empty() {
                true => self.end(Signal::KILL, Whom::All).await,
                false => self.signal(Signal::KILL, left).await,
            }
            tokio::time::sleep(KILL_PAUSE).await;
        }
        tracing::error!("user `{}` has processes that do not end", self.who.name);
    }

    /// Ends what an earlier life of this EP left behind; the answer is what is there all the same.
    async fn end_marked(&self, mark: &str) -> BTreeSet<i32> {
        self.end(Signal::KILL, Whom::Marked(mark.into())).await;
        for _ in 0..KILL_ROUNDS {
            if self.possessions().is_empty() {
                break;
            }
            // What was killed needs a moment to be gone.
            tokio::time::sleep(KILL_PAUSE).await;
        }
        self.possessions()
    }

    /// Has something done as this user; an error is what is told about it.
    async fn chore(&self, deed: Deed) -> Result<(), String> {
        self.carry_out(deed, Stdio::null(), ACCOUNT_CHORE_LIMIT).await
    }

    async fn carry_out(&self, deed: Deed, input: Stdio, limit: Duration) -> Result<(), String> {
        let told = |error: io::Error| error.to_string();
        let mut command = self.command(deed).map_err(told)?;
        let output = tokio::time::timeout(limit, command.stdin(input).output()).await;
        let output = output.map_err(|_elapsed| format!("it took longer than {limit:?}"))?.map_err(told)?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(if said.is_empty() { output.status.to_string() } else { said })
    }

    /// Nothing of this EP's environment, such as a token, comes along.
    fn command(&self, deed: Deed) -> io::Result<Command> {
        let (program, words) = self.helper.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let order = Order { user: self.who.name.clone(), deed };
        let mut command = Command::new(program);
        command.args(words).args(order.arguments()).env_clear().current_dir("/").kill_on_drop(true);
        Ok(command)
    }
}

/// Where files wait that were taken from a test's user, or are to be given to one: the EP's alone.
pub(crate) fn staging(work_dir: &Path) -> PathBuf {
    work_dir.join("staging")
}
