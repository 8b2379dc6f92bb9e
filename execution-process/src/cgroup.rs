//! Control groups (cgroup v2): one for each test, which ends as a whole and has limits for all of its processes together.
//!
//! A limit of one process says nothing of what it forks, and a process that leaves its session, its parents and its environment behind is
//! found by nothing else where tests run as the EP's own user. The kernel keeps whatever a process starts in its group.
//!
//! ```text
//! parent, which this EP may divide ─┬─ jackfield-HASH.ep    this EP itself, where the parent was its own group: what is divided must be empty
//!                                   └─ jackfield-HASH ─┬─ 7.3.1         the processes of an attempt
//!                                                      ├─ script-7-pre  those of a script around a run
//!                                                      └─ program-815   those of a session or console with a local program
//! ```
//!
//! A process is put into its group before it becomes the test: it waits for a word ([`crate::process`]), or goes there itself where it is a
//! fork of the warm interpreter.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield_config::ep::{Cgroup, CgroupUse};
use jackfield_device::local::LocalPrograms;
use rustix::process::{Pid, Signal};

use crate::limits::{KILL_PAUSE, KILL_ROUNDS};

pub(crate) use limits::Limit;
pub(crate) use place::look;

mod limits;
mod place;
mod probe;

const PROCESSES: &str = "cgroup.procs";
const KILL: &str = "cgroup.kill";
const EVENTS: &str = "cgroup.events";

/// What an EP can have of what it is to have.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    /// None where there are no groups.
    pub(crate) groups: Option<Groups>,
    /// What cannot be kept, and why; none where all of it can.
    pub(crate) missing: Option<String>,
}

/// The groups of an EP's tests.
#[derive(Debug)]
pub(crate) struct Groups {
    folder: PathBuf,
    limits: Vec<Limit>,
    /// The program that waits until it is where it belongs, and what stands before the command.
    starter: Arc<[OsString]>,
}

/// The group of one test.
#[derive(Debug)]
pub(crate) struct Group {
    folder: PathBuf,
    limits: Vec<Limit>,
    starter: Arc<[OsString]>,
}

/// Where the programs with which sessions talk have groups: one each, without limits. What one leaves behind ends with its session, also after a
/// kill of this EP.
#[derive(Clone, Debug)]
pub(crate) struct SessionGroups {
    parent: PathBuf,
    starter: Vec<String>,
}

impl SessionGroups {
    pub(crate) fn hold(&self, programs: LocalPrograms) -> LocalPrograms {
        programs.in_groups(self.parent.clone(), self.starter.clone())
    }
}

/// Takes the groups that `ep.toml` asks for, and ends what an earlier life of this EP left in its own.
///
/// # Errors
/// Where they are required, what of it cannot be had: a sentence with its remedy.
pub(crate) async fn open(wanted: &Cgroup, work_dir: &Path, program: &Path) -> Result<Opened, String> {
    if wanted.wanted == CgroupUse::Off {
        return Ok(Opened::default());
    }
    let starter: Arc<[OsString]> = Arc::from([program.as_os_str().to_owned(), "when-told".into()]);
    let (groups, missing) = match divide(wanted, work_dir, &starter).await {
        Ok((groups, missing)) => (Some(groups), missing),
        Err(why) => (None, vec![why]),
    };
    let missing = (!missing.is_empty()).then(|| missing.join("; "));
    match (wanted.wanted, missing) {
        (CgroupUse::Require, Some(missing)) => Err(missing),
        (CgroupUse::Off | CgroupUse::Try | CgroupUse::Require, missing) => Ok(Opened { groups, missing }),
    }
}

/// Makes the group in which those of tests will be, with the limits that can be had; and says which cannot.
async fn divide(
    wanted: &Cgroup,
    work_dir: &Path,
    starter: &Arc<[OsString]>,
) -> Result<(Groups, Vec<String>), String> {
    let hash: String =
        blake3::hash(work_dir.as_os_str().as_encoded_bytes()).to_hex().chars().take(16).collect();
    let name = format!("jackfield-{hash}");
    let place = place::find(wanted.parent.as_deref())?;
    let (limits, mut missing) = limits::of(wanted, &place.controllers());
    if !limits.is_empty() {
        place.make_empty(&format!("{name}.ep"))?;
    }
    let mut kept = limits::let_down(&place.folder, limits, &mut missing);
    let folder = place.folder.join(&name);
    make(&folder).map_err(|error| {
        format!("no control group can be made in `{}`: {error}; {}", place.folder.display(), place::REMEDY)
    })?;
    sweep(&folder).await;
    kept = limits::let_down(&folder, kept, &mut missing);
    let groups = Groups { folder, limits: kept, starter: Arc::clone(starter) };
    probe::run(&groups).await?;
    Ok((groups, missing))
}

fn make(folder: &Path) -> io::Result<()> {
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Ends what is in the groups of an earlier life.
async fn sweep(folder: &Path) {
    for left in below(folder) {
        Group { folder: left, limits: Vec::new(), starter: Arc::from([]) }.end().await;
    }
}

impl Groups {
    /// Groups for the programs with which sessions talk.
    pub(crate) fn of_sessions(&self) -> SessionGroups {
        let program = self.starter.first().map(|program| program.to_string_lossy().into_owned());
        let starter = vec![program.unwrap_or_default(), "in-group".to_owned()];
        SessionGroups { parent: self.folder.clone(), starter }
    }

    /// Makes a group with this name, which nothing else has.
    pub(crate) fn make(&self, name: &str) -> io::Result<Group> {
        let group = Group {
            folder: self.folder.join(name),
            limits: self.limits.clone(),
            starter: self.starter.clone(),
        };
        std::fs::create_dir(&group.folder)?;
        for limit in &self.limits {
            if let Err(error) = limit.set(&group.folder) {
                let _ = std::fs::remove_dir(&group.folder);
                return Err(error);
            }
        }
        Ok(group)
    }
}

impl Group {
    /// What waits to be put into the group, and then becomes the command that stands behind.
    pub(crate) fn starter(&self) -> &[OsString] {
        &self.starter
    }

    /// Puts a process into it, and so all that it will start.
    pub(crate) fn put(&self, pid: i32) -> io::Result<()> {
        write(&self.way_in(), &pid.to_string())
    }

    /// The file into which a process writes `0` that goes there itself.
    pub(crate) fn way_in(&self) -> PathBuf {
        self.folder.join(PROCESSES)
    }

    /// Its living processes, also in groups that one of them made below.
    pub(crate) fn processes(&self) -> BTreeSet<i32> {
        let mut found = BTreeSet::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            let text = std::fs::read_to_string(folder.join(PROCESSES)).unwrap_or_default();
            // One that is in another namespace has no number here: 0.
            found.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()).filter(|pid| *pid > 0));
            folders.extend(below(&folder));
        }
        found
    }

    /// Kills all of it at once: nothing that forks meanwhile gets away.
    pub(crate) fn kill(&self) {
        if write(&self.folder.join(KILL), "1").is_ok() {
            return;
        }
        // A kernel before 5.14.
        for pid in self.processes().into_iter().filter_map(Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
    }

    /// The limit that was reached, where one was.
    pub(crate) fn reached(&self) -> Option<&Limit> {
        self.limits.iter().find(|limit| limit.was_reached(&self.folder))
    }

    /// Kills all that is left in it, and removes it.
    pub(crate) async fn end(&self) {
        for _ in 0..KILL_ROUNDS {
            if !self.is_populated() {
                break;
            }
            self.kill();
            tokio::time::sleep(KILL_PAUSE).await;
        }
        if let Err(error) = remove(&self.folder)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("control group `{}` cannot be removed: {error}", self.folder.display());
        }
    }

    /// Whether a process is in it, or below; one that has ended, and was not waited for, does not count.
    pub(crate) fn is_populated(&self) -> bool {
        let text = std::fs::read_to_string(self.folder.join(EVENTS)).unwrap_or_default();
        text.lines().any(|line| line == "populated 1")
    }
}

/// Removes a group with those that a process of it made below. Files of the kernel's go with their folder.
fn remove(folder: &Path) -> io::Result<()> {
    for inner in below(folder) {
        remove(&inner)?;
    }
    std::fs::remove_dir(folder)
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_folder = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    entries.filter(is_folder).map(|entry| entry.path()).collect()
}

/// Writes to a file of the kernel's, which is there or the kernel does not have it.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).open(file)?;
    io::Write::write_all(&mut file, text.as_bytes())
}
