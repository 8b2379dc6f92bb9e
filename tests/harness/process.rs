//! Child processes that end with their owner, and are killed by their own pid only.

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

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
