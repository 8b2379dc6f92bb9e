//! The users of an EP's tests: one for each lane, and one for what runs beside the lanes.
//!
//! What is wrong with them is told before the first test, not by the first test.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener},
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield_config::ep::RunAs;
use jackfield_protocol::id::RunId;
use jackfield_run_as::{Deed, Limits};

use super::{
    Account,
    rooms::{self, Room},
};
use crate::{host::find_program, settings::ProcessLimits};

/// What is wanted, as `ep.toml` says.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) users: RunAs,
    /// Of an EP that is not root.
    pub(crate) helper: PathBuf,
}

/// The users of an EP's tests.
#[derive(Debug)]
pub(crate) struct Accounts {
    lanes: Vec<Arc<Account>>,
    beside: Arc<Account>,
    rooms: Arc<rooms::Rooms>,
    /// Names in the kernel that no other EP of this machine can take while this one lives.
    held: Vec<UnixListener>,
}

impl Accounts {
    /// Finds the users; an error is a sentence with its remedy.
    pub(crate) fn find(
        wanted: &Wanted,
        (program, lanes): (&Path, u16),
        limits: ProcessLimits,
    ) -> Result<Self, String> {
        let users = &wanted.users;
        if lanes > 1 && !users.is_each_its_own() {
            return Err(format!(
                "`{name}` is one user for {lanes} lanes, whose tests could read each other's files: write `{name}{{lane}}`, so that the users {name}0 to {name}{lanes} are taken, or lanes = 1",
                name = users.as_str()
            ));
        }
        let is_root = rustix::process::geteuid().is_root();
        let helper = helper(wanted, program, is_root)?;
        let limits = Limits {
            open_files: Some(limits.open_files),
            processes: Some(limits.count),
            memory: limits.memory_bytes,
        };
        let account = |name: String| -> Result<Arc<Account>, String> {
            let who = found(&name)?;
            Ok(Arc::new(Account::new(who, &helper, limits, is_root)?))
        };
        let lanes = (1..=lanes).map(|lane| account(users.of_lane(lane))).collect::<Result<Vec<_>, _>>()?;
        let beside = match lanes.first().filter(|_| !users.is_each_its_own()) {
            // One user for everything: then what runs beside is not the test's, and is known by its sessions.
            Some(only) => Arc::clone(only),
            None => account(users.beside())?,
        };
        let accounts = Self { lanes, beside, rooms: Arc::default(), held: Vec::new() };
        if users.is_each_its_own() && accounts.all().len() <= accounts.lanes.len() {
            return Err(format!(
                "two of the users `{}` have one number (uid), so that their tests could read each other's files; give each its own",
                users.as_str()
            ));
        }
        Ok(accounts)
    }

    /// Keeps them for this EP.
    pub(crate) fn hold(mut self) -> Result<Self, String> {
        self.held = self.all().into_iter().map(|account| held(account)).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Whether each can be become; an error is a sentence with its remedy. Tells their names.
    pub(crate) async fn look(&self) -> Result<Vec<String>, String> {
        for account in self.all() {
            let name = &account.who.name;
            let reached = account.chore(Deed::Reach { paths: vec!["/".into()] }).await;
            reached.map_err(|why| format!("user `{name}` cannot be used: {why}"))?;
        }
        Ok(self.all().into_iter().map(|account| account.who.name.clone()).collect())
    }

    /// Whether what this EP forks can become them: else each test starts as its own.
    pub(crate) fn are_forked_to(&self) -> bool {
        self.beside.for_a_fork().is_some()
    }

    /// The user of a lane; they count from 0.
    pub(crate) fn of_lane(&self, lane: u16) -> &Arc<Account> {
        self.lanes.get(usize::from(lane)).unwrap_or(&self.beside)
    }

    /// The user of scripts around runs, of consoles and of what switches power.
    pub(crate) fn beside(&self) -> &Arc<Account> {
        &self.beside
    }

    /// Whether what runs beside the lanes has the user that their tests have.
    pub(crate) fn is_one_for_all(&self) -> bool {
        self.lanes.iter().any(|lane| lane.uid() == self.beside.uid())
    }

    /// A test of a run is about to need its files, which are in this folder; it may come to them for as long as the answer is held.
    pub(crate) fn enter(&self, folder: PathBuf, run: RunId, lane: u16) -> io::Result<Room> {
        self.rooms.enter(folder, run, self.of_lane(lane).uid())
    }

    /// Opens the work folder to them, ends what an earlier life of this EP left of them, and sees that each can be become and comes to its
    /// files; an error is a sentence with its remedy.
    pub(crate) async fn admit(
        &self,
        (work_dir, socket): (&Path, &Path),
        secret_files: &[PathBuf],
        mark: &str,
    ) -> Result<(), String> {
        let all = self.all();
        let uids: Vec<u32> = all.iter().map(|account| account.uid()).collect();
        rooms::open(work_dir, socket, &uids).map_err(|error| {
            format!(
                "`{}` cannot be opened to other users by access lists: {error}; name a folder of ext4, xfs or btrfs as `work` of ep.toml",
                work_dir.display()
            )
        })?;
        for account in all {
            let name = &account.who.name;
            let paths = ["sdk", "runs", "work"].map(|inner| work_dir.join(inner)).to_vec();
            account.chore(Deed::Reach { paths }).await.map_err(|why| {
                let way = "open the folders above it (chmod o+x), or name another as `work` of ep.toml, such as /var/lib/jackfield/ep";
                let is_closed = why.contains("is closed to it");
                let told = format!("user `{name}` cannot be used: {why}");
                if is_closed { format!("{told}; {way}") } else { told }
            })?;
            for file in secret_files.iter().filter_map(|file| std::path::absolute(file).ok()) {
                if account.chore(Deed::Reach { paths: vec![file.clone()] }).await.is_ok() {
                    let file = file.display();
                    return Err(format!(
                        "user `{name}` can read `{file}`, where the token is: chmod 600 {file}"
                    ));
                }
            }
            let left = account.end_marked(mark).await;
            if !left.is_empty() {
                let left: Vec<String> = left.into_iter().take(3).map(named).collect();
                return Err(format!(
                    "user `{name}` has processes that are no tests of this EP: {}; take a user that is for tests alone, or end them",
                    left.join(", ")
                ));
            }
        }
        Ok(())
    }

    /// Groups of these users that make root of whoever is in them: each a sentence.
    pub(crate) fn mighty_groups(&self) -> Vec<String> {
        let all = self.all();
        let told = all.iter().filter_map(|account| {
            let group = account.who.mighty_group()?;
            let name = &account.who.name;
            Some(format!("user `{name}`, as whom tests run, is in group `{group}`, which can become root"))
        });
        told.collect()
    }

    /// Programs that tests are run by, and that their users cannot come to: each a sentence with its remedy.
    pub(crate) async fn closed_programs(&self, programs: &BTreeMap<Arc<str>, Arc<str>>) -> Vec<String> {
        let mut told = Vec::new();
        for (name, program) in programs {
            let found = find_program(program).and_then(|path| path.canonicalize().ok());
            for (account, path) in self.all().into_iter().take(1).zip(found) {
                if let Err(why) = account.chore(Deed::Reach { paths: vec![path] }).await {
                    told.push(format!(
                        "tests cannot use `{program}`: {why}; name another as `{name}` of [interpreters] in ep.toml, such as /usr/bin/{program}"
                    ));
                }
            }
        }
        told
    }

    fn all(&self) -> Vec<&Arc<Account>> {
        let mut seen = BTreeSet::new();
        self.lanes.iter().chain([&self.beside]).filter(|account| seen.insert(account.uid())).collect()
    }
}

/// What changes the user.
fn helper(wanted: &Wanted, program: &Path, is_root: bool) -> Result<Arc<[OsString]>, String> {
    if is_root {
        return Ok(Arc::from([program.as_os_str().to_owned(), "run-as".into()]));
    }
    let helper = &wanted.helper;
    match helper.try_exists() {
        Ok(true) => Ok(Arc::from([helper.as_os_str().to_owned()])),
        Ok(false) | Err(_) => Err(format!(
            "this EP is not root, and the helper `{}` is not there: have root install it (install -o root -m 4755 jackfield-run-as {0}), or start the EP as root",
            helper.display()
        )),
    }
}

fn found(name: &str) -> Result<jackfield_run_as::Account, String> {
    let who = jackfield_run_as::Account::find(name).map_err(|fault| {
        format!("{fault}; make it: useradd --system --no-create-home --shell /usr/sbin/nologin {name}")
    })?;
    if who.uid == 0 {
        return Err(format!("`{name}` is root, and tests never are; name a user that is for tests alone"));
    }
    if who.uid == rustix::process::geteuid().as_raw() {
        return Err(format!("`{name}` is the user of this EP itself; name one that is for tests alone"));
    }
    Ok(who)
}

/// Keeps every other EP of this machine from the user: each would end what it takes for left behind.
fn held(account: &Account) -> Result<UnixListener, String> {
    let name = format!("jackfield-run-as-{}", account.uid());
    let bound = SocketAddr::from_abstract_name(&name).and_then(|address| UnixListener::bind_addr(&address));
    bound.map_err(|error| {
        let user = &account.who.name;
        if error.kind() == io::ErrorKind::AddrInUse {
            return format!(
                "another EP on this machine has its tests run as `{user}`; give each EP users of its own"
            );
        }
        format!("user `{user}` cannot be kept for this EP: {error}")
    })
}

fn named(pid: i32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("{} ({pid})", name.trim_end())
}
