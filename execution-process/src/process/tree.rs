//! Finds and ends every process of a test.
//!
//! A process of a test is one that is in its process group or session, or descends from one that is, or carries the
//! test's mark in its environment. The mark finds those that left group, session and parents behind: this program is their
//! subreaper, so they cannot go further than to be its children. A process that clears its environment *and* leaves its
//! session *and* loses its parents is let go: that is how a test starts something that is to outlive it. Where the test has a control group,
//! nothing does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rustix::process::{Pid, Signal, WaitOptions};

use crate::{
    account::Account,
    cgroup::Group,
    limits::{KILL_PAUSE, KILL_ROUNDS},
};

/// The processes of one test.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    /// The first process, which leads group and session.
    leader: i32,
    /// What stands in the environment of each of them: all of these.
    marks: Vec<Vec<u8>>,
    /// A child of this program with this in its environment is the test's, unless it is in this program's own session:
    /// that is the interpreter, and what it forks for a test gets a session of its own.
    forked_from: Option<Vec<u8>>,
    /// Whose its processes are, where that is not this program's own user.
    account: Option<Arc<Account>>,
    /// Whatever is that user's is the test's.
    has_all_of_it: bool,
    /// Whatever is in it is the test's.
    group: Option<Arc<Group>>,
}

#[derive(Clone, Copy, Debug)]
struct Process {
    pid: i32,
    parent: i32,
    group: i32,
    session: i32,
    zombie: bool,
}

impl Tree {
    /// The tree under this process, whose members carry all of the marks (`NAME=value`).
    pub(crate) fn new(leader: i32, marks: &[&str]) -> Self {
        let marks = marks.iter().map(|mark| mark.as_bytes().to_vec()).collect();
        Self { leader, marks, forked_from: None, account: None, has_all_of_it: false, group: None }
    }

    /// The same for a test that was forked from a warm interpreter: its own forks show the interpreter's environment.
    #[must_use]
    pub(crate) fn forked_from(mut self, mark: &str) -> Self {
        self.forked_from = Some(mark.as_bytes().to_vec());
        self
    }

    /// The same for one that runs as a user of its own: what is that user's is its, wherever it hides.
    #[must_use]
    pub(crate) fn all_of(mut self, account: Option<&Arc<Account>>) -> Self {
        self.has_all_of_it = account.is_some();
        self.beside(account)
    }

    /// The same for one that runs as a user who has others beside it.
    #[must_use]
    pub(crate) fn beside(mut self, account: Option<&Arc<Account>>) -> Self {
        self.account = account.cloned();
        self
    }

    /// The same for one that has a control group.
    #[must_use]
    pub(crate) fn in_group(mut self, group: Option<&Arc<Group>>) -> Self {
        self.group = group.cloned();
        self
    }

    /// How many there are, where that could be more than this; looking costs nothing on a machine that has fewer at all.
    pub(crate) fn more_than(&self, most: u64) -> Option<usize> {
        let on_this_machine = threads_on_this_machine().unwrap_or(u64::MAX);
        let count = (on_this_machine > most).then(|| self.members().len())?;
        u64::try_from(count).is_ok_and(|count| count > most).then_some(count)
    }

    /// Asks every process to end.
    pub(crate) async fn terminate(&self) {
        self.signal(Signal::TERM).await;
    }

    /// Whether the first process has ended, whoever should have noticed.
    pub(crate) fn leader_is_dead(&self) -> bool {
        process(self.leader).is_none_or(|process| process.zombie)
    }

    /// Whether anything is left now that the first process has ended. Cheap where nothing is, which is nearly always.
    pub(crate) fn has_leftovers(&self) -> bool {
        let Some(group) = Pid::from_raw(self.leader) else { return false };
        while let Ok(Some(_)) = rustix::process::waitpgid(group, WaitOptions::NOHANG) {}
        if self.account.is_some() {
            return !self.members().is_empty();
        }
        // Of a control group the kernel knows it; a test that is root may have left it.
        self.group.as_ref().is_some_and(|group| group.is_populated())
            || rustix::process::test_kill_process_group(group).is_ok()
            || own_children().into_iter().any(|child| self.is_marked(child))
    }

    /// Kills what there is until nothing is left, and says which programs that were.
    pub(crate) async fn kill(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for _ in 0..KILL_ROUNDS {
            let left = self.members();
            if left.is_empty() {
                break;
            }
            names.extend(left.iter().filter_map(|pid| name_of(*pid)));
            if let Some(group) = &self.group {
                group.kill();
            }
            self.signal(Signal::KILL).await;
            for pid in own_children() {
                if left.contains(&pid) {
                    reap(pid);
                }
            }
            tokio::time::sleep(KILL_PAUSE).await;
        }
        names
    }

    async fn signal(&self, signal: Signal) {
        if let Some(account) = &self.account {
            account.signal(signal, self.members()).await;
            return;
        }
        // Those outside the group first: they are found by their parents, which the signal may end.
        for pid in self.members().into_iter().filter_map(Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, signal);
        }
        if let Some(group) = Pid::from_raw(self.leader) {
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }

    /// Every living process of the test.
    fn members(&self) -> BTreeSet<i32> {
        let all = processes();
        let own = own_pid();
        let account = self.account.as_ref().filter(|_| self.has_all_of_it);
        let mut owned = account.map(|account| account.processes()).unwrap_or_default();
        owned.extend(self.group.iter().flat_map(|group| group.processes()));
        let belongs = |process: &Process| {
            let led = [process.pid, process.group, process.session].contains(&self.leader);
            // The kernel's own threads have no group and no session.
            (led && self.leader > 0)
                || (process.parent == own && self.is_marked(process.pid))
                || owned.contains(&process.pid)
        };
        let mut members: BTreeSet<i32> =
            all.iter().filter(|process| belongs(process)).map(|process| process.pid).collect();
        loop {
            let before = members.len();
            for process in &all {
                if members.contains(&process.parent) {
                    members.insert(process.pid);
                }
            }
            if members.len() == before {
                break;
            }
        }
        all.iter()
            .filter(|process| !process.zombie && members.contains(&process.pid))
            .map(|p| p.pid)
            .collect()
    }

    fn is_marked(&self, pid: i32) -> bool {
        let environment = environment_of(pid);
        let marked = self.marks.iter().all(|mark| has_entry(&environment, mark));
        let forked = self.forked_from.as_ref().is_some_and(|mark| {
            has_entry(&environment, mark)
                && process(pid).is_some_and(|process| process.session != own_session())
        });
        (marked && !self.marks.is_empty()) || forked
    }
}

/// These processes, but for those of sessions, and what descends from them.
pub(crate) fn without_sessions(mut pids: BTreeSet<i32>, leaders: &BTreeSet<i32>) -> BTreeSet<i32> {
    if leaders.is_empty() {
        return pids;
    }
    let all = processes();
    let parents: BTreeMap<i32, i32> = all.iter().map(|process| (process.pid, process.parent)).collect();
    for process in &all {
        let is_of = |leader: &i32| process.session == *leader || descends(&parents, process.pid, *leader);
        if leaders.iter().any(is_of) {
            pids.remove(&process.pid);
        }
    }
    pids
}

/// Kills every process on this machine that carries the mark: what an earlier life of this EP left behind. What descends from
/// this program is of this life, such as the interpreter that is being warmed and whatever that starts: orphans of an earlier
/// life are children of the system's first process, or of whoever else adopts them.
pub(crate) async fn end_marked(mark: &str, leaders: &[i32]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let all = processes();
    let parents: BTreeMap<i32, i32> = all.iter().map(|process| (process.pid, process.parent)).collect();
    for process in all {
        if !descends(&parents, process.pid, own_pid())
            && has_entry(&environment_of(process.pid), mark.as_bytes())
        {
            names.extend(Tree::new(process.pid, &[]).kill().await);
        }
    }
    for leader in leaders {
        names.extend(Tree::new(*leader, &[]).kill().await);
    }
    names
}

/// Whether a process is this one, or one of its descendants.
fn descends(parents: &BTreeMap<i32, i32>, pid: i32, from: i32) -> bool {
    let mut next = Some(pid);
    // Numbers are given out again: what was read while processes came and went may hold a circle.
    for _ in 0..=parents.len() {
        match next {
            Some(pid) if pid == from => return true,
            Some(pid) => next = parents.get(&pid).copied(),
            None => return false,
        }
    }
    false
}

/// When a process was started, in milliseconds since 1970; none where there is no such process.
pub(crate) fn started_at_millis(pid: i32) -> Option<i64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let ticks: i64 = rest.split(' ').nth(19)?.parse().ok()?;
    let per_second = i64::try_from(rustix::param::clock_ticks_per_second()).ok()?;
    let boot = std::fs::read_to_string("/proc/stat").ok()?;
    let boot: i64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    boot.checked_mul(1000)?.checked_add(ticks.checked_mul(1000)?.checked_div(per_second)?)
}

/// Takes away dead children that nobody waits for: orphans of tests that this program adopted. `known_dead` are those
/// that were dead at the last look; whoever started them would have noticed since.
pub(crate) fn reap_strangers(known_dead: &mut BTreeSet<i32>) {
    let dead: BTreeSet<i32> = own_children().into_iter().filter(|pid| is_zombie(*pid)).collect();
    for pid in dead.intersection(known_dead) {
        reap(*pid);
    }
    *known_dead = dead;
}

fn reap(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

/// The children of the thread that adopts orphans: the first of this program.
fn own_children() -> Vec<i32> {
    let own = own_pid();
    match std::fs::read_to_string(format!("/proc/self/task/{own}/children")) {
        Ok(text) => text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect(),
        // A kernel without that file: the long way.
        Err(_) => processes().iter().filter(|process| process.parent == own).map(|p| p.pid).collect(),
    }
}

/// The fourth field of `/proc/loadavg` is `running/all`, see proc(5).
fn threads_on_this_machine() -> Option<u64> {
    let load = std::fs::read_to_string("/proc/loadavg").ok()?;
    let (_, all) = load.split(' ').nth(3)?.split_once('/')?;
    all.parse().ok()
}

fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

/// Zero in a container whose first process was started from outside and made no session of its own.
fn own_session() -> i32 {
    process(own_pid()).map_or(0, |own| own.session)
}

fn processes() -> Vec<Process> {
    let Ok(folder) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(process).collect()
}

fn process(pid: i32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses and may hold anything, parentheses too.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let zombie = matches!(fields.next()?, "Z" | "X");
    let mut number = || fields.next()?.parse().ok();
    Some(Process { pid, parent: number()?, group: number()?, session: number()?, zombie })
}

/// Whether a process waits for something.
pub(crate) fn is_asleep(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| !rest.starts_with('R'))
}

fn is_zombie(pid: i32) -> bool {
    process(pid).is_some_and(|process| process.zombie)
}

fn environment_of(pid: i32) -> Vec<u8> {
    std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default()
}

fn has_entry(environment: &[u8], entry: &[u8]) -> bool {
    environment.split(|byte| *byte == 0).any(|have| have == entry)
}

fn name_of(pid: i32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(format!("{} ({pid})", name.trim_end()))
}
