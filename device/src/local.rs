//! Programs of this machine that resources and tests name: as whom they run, and which of them do.
//!
//! A resource may be a local program, and so may what switches its power. They are people's, not this program's own: where the tests of an EP
//! run as another user, so do they. Who is not root can then not end them by itself, and has that done, too.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal};

/// What ends a local program takes some milliseconds.
const END_LOOKS: u32 = 1_000;
const END_PAUSE: Duration = Duration::from_millis(2);

/// How local programs are started and ended.
#[derive(Clone, Debug, Default)]
pub struct LocalPrograms {
    /// What stands before a program and its arguments.
    start: Arc<[String]>,
    /// What stands before a signal and a process; empty where this process may signal them itself.
    end: Arc<[String]>,
    /// Where each has a control group of its own, made by what stands before all else.
    groups: Option<Arc<Groups>>,
    running: Arc<Mutex<BTreeSet<i32>>>,
}

/// Control groups of the kernel, one for each program.
#[derive(Debug)]
struct Groups {
    parent: PathBuf,
    /// The program that goes into a new group below it, and becomes what stands behind.
    starter: Vec<String>,
}

/// What the group of a process is called; whoever goes into it is that process.
pub fn group_name(pid: u32) -> String {
    format!("program-{pid}")
}

impl LocalPrograms {
    /// Programs that another program starts, and that yet another, or the same, ends.
    pub fn through(start: Vec<String>, end: Vec<String>) -> Self {
        Self { start: start.into(), end: end.into(), groups: None, running: Arc::default() }
    }

    /// The same, each in a control group of its own below this one. `starter` is given that group and the command.
    #[must_use]
    pub fn in_groups(mut self, parent: PathBuf, starter: Vec<String>) -> Self {
        self.groups = Some(Arc::new(Groups { parent, starter }));
        self
    }

    /// The whole command that starts this one.
    pub fn command(&self, command: &[String]) -> Vec<String> {
        let groups = self.groups.iter();
        let groups = groups.flat_map(|groups| {
            groups.starter.iter().cloned().chain([groups.parent.to_string_lossy().into_owned()])
        });
        groups.chain(self.start.iter().chain(command).cloned()).collect()
    }

    /// Which of them run: each leads a session.
    pub fn running(&self) -> BTreeSet<i32> {
        self.set().clone()
    }

    /// One of them runs, for as long as the answer is held.
    pub fn enter(&self, pid: Option<u32>) -> LocalProgram {
        let pid = pid.and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid {
            self.set().insert(pid);
        }
        LocalProgram { programs: self.clone(), pid }
    }

    fn set(&self) -> MutexGuard<'_, BTreeSet<i32>> {
        // A set is whole after each of its methods.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A local program that runs.
#[derive(Debug)]
pub struct LocalProgram {
    programs: LocalPrograms,
    pid: Option<i32>,
}

impl LocalProgram {
    /// Kills it, where somebody else has to do that; waits for a moment, and no longer: this may be the last deed of a task.
    pub fn kill(&self) {
        let (Some((program, words)), Some(pid)) = (self.programs.end.split_first(), self.pid) else { return };
        let signal = Signal::KILL.as_raw();
        let ended = Command::new(program)
            .env_clear()
            .args(words)
            .args([signal.to_string(), pid.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match ended.map(ends_in_time) {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!("`{program}`, which ends local programs, does not end");
            }
            Err(error) => {
                tracing::warn!("`{program}`, which ends local programs, cannot be started: {error}");
            }
        }
    }
}

/// Waits for it, and kills it where it takes too long; one of root's helpers is left to itself then.
fn ends_in_time(mut child: Child) -> bool {
    if is_gone(&mut child) {
        return true;
    }
    if child.kill().is_ok() {
        is_gone(&mut child);
    }
    false
}

/// Kills whatever is in a control group, and removes it; waits for a moment, and no longer.
fn end_group(folder: &Path) {
    let is_removed = || match std::fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            kill_group(folder);
            false
        }
        Ok(()) | Err(_) => true,
    };
    if !comes_true(is_removed) {
        tracing::warn!("control group `{}` of a session cannot be removed", folder.display());
    }
}

fn kill_group(folder: &Path) {
    if std::fs::write(folder.join("cgroup.kill"), "1").is_ok() {
        return;
    }
    // A kernel before 5.14.
    let text = std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    for pid in text.lines().filter_map(|line| line.parse::<i32>().ok()).filter_map(Pid::from_raw) {
        // Who has ended meanwhile is what is wanted.
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}

fn is_gone(child: &mut Child) -> bool {
    comes_true(|| !matches!(child.try_wait(), Ok(None)))
}

/// Looks again and again, for a moment, and no longer.
fn comes_true(mut is_so: impl FnMut() -> bool) -> bool {
    (0..END_LOOKS).any(|look| {
        if look > 0 {
            std::thread::sleep(END_PAUSE);
        }
        is_so()
    })
}

impl Drop for LocalProgram {
    fn drop(&mut self) {
        let Some(pid) = self.pid else { return };
        self.programs.set().remove(&pid);
        if let Some(groups) = &self.programs.groups {
            let name = group_name(pid.unsigned_abs());
            end_group(&groups.parent.join(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_program_is_not_waited_for_without_end() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let programs = LocalPrograms::through(Vec::new(), words("/bin/sh -c true"));
        programs.enter(Some(7)).kill();
        let child = Command::new("/bin/sleep").arg("3600").spawn().unwrap();
        let pid = child.id();
        assert!(!ends_in_time(child));
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).try_exists().unwrap(), "it was killed");
    }

    #[test]
    fn who_runs_is_known_for_as_long_as_it_does() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let programs = LocalPrograms::through(words("as other --"), Vec::new());
        assert_eq!(programs.command(&words("sh -c x")), words("as other -- sh -c x"));
        let first = programs.enter(Some(7));
        let second = programs.clone().enter(None);
        assert_eq!(programs.running(), BTreeSet::from([7]));
        drop((first, second));
        assert!(programs.running().is_empty());
    }
}
