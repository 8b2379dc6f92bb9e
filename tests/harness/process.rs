//! Child processes that end with their owner, and are killed by their own pid only.
//!
//! A test that is killed drops nothing: so the kernel is asked to kill what it started. It does so when the thread that started it ends.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::wait;

/// The `jackfield` binary beside the test binaries; `cargo xtask test` builds it first.
///
/// # Panics
/// It is not there.
pub fn jackfield() -> PathBuf {
    let here = std::env::current_exe().expect("a test knows its own path");
    let folder = here.ancestors().nth(2).expect("test binaries are in target/<profile>/deps");
    let binary = folder.join("jackfield");
    assert!(
        binary.is_file(),
        "{} is missing: run `cargo xtask test`, or `cargo build -p jackfield-cli`",
        binary.display()
    );
    binary
}

/// A child process with its output in a file.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
    output: PathBuf,
}

impl Process {
    /// Starts a command; what it prints goes into `output`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(name: &str, command: &mut Command, output: &Path) -> Result<Self> {
        let out = File::options().create(true).append(true).open(output)?;
        let mut command = ending_with_us(command);
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = command.spawn().with_context(|| format!("starting {name}"))?;
        Ok(Self { child, name: name.to_owned(), output: output.to_owned() })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Its exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        // Ended already is as good as killed.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// TERM, and waits for its end.
    ///
    /// # Errors
    /// It does not end in time.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(rustix::process::Signal::TERM);
        let what = format!("{} to end after TERM; it printed:\n{}", self.name, self.output());
        wait::until(Duration::from_secs(30), &what, || Ok(self.ended()))
    }

    /// Sends a signal to it alone.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // A process that is gone needs no signal.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }
}

/// The same command, killed by the kernel when this thread ends, whatever ends it. `setpriv` becomes the command: the pid is the same.
pub fn ending_with_us(command: &Command) -> Command {
    let mut guarded = Command::new("setpriv");
    guarded.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => guarded.env(name, value),
            None => guarded.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        guarded.current_dir(folder);
    }
    guarded
}

/// Whether a process of this number is there, and is more than an entry that nobody has taken away.
pub fn lives(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    status.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{BufRead, BufReader},
    };

    use super::*;

    /// The owner in the story below, which starts it again as a process of its own; alone it does nothing.
    #[test]
    fn an_owner_that_is_killed() {
        let Some(folder) = std::env::var_os("JACKFIELD_TEST_OWNER") else { return };
        let log = Path::new(&folder).join("log");
        let mut sleeping = Command::new("sleep");
        let process = Process::start("sleep", sleeping.arg("600"), &log).unwrap();
        let pid = process.pid().to_string();
        wait::until(Duration::from_secs(10), "sleep to be what runs", || {
            Ok(fs::read_to_string(format!("/proc/{pid}/comm"))?.starts_with("sleep").then_some(()))
        })
        .unwrap();
        fs::write(Path::new(&folder).join("pid"), pid).unwrap();
        println!("started");
        // Until the kill.
        std::io::stdin().lines().count();
    }

    #[test]
    fn what_a_killed_test_started_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut owner = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::tests::an_owner_that_is_killed", "--nocapture"])
            .env("JACKFIELD_TEST_OWNER", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(owner.stdout.take().unwrap());
        assert!(said.lines().any(|line| line.unwrap().ends_with("started")), "the owner did not start");
        let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
        assert!(lives(&pid));
        owner.kill().unwrap();
        owner.wait().unwrap();
        wait::until(Duration::from_secs(10), "the end of what it started", || {
            Ok((!lives(&pid)).then_some(()))
        })
        .unwrap();
    }
}
