//! The processes of a test: started in a group of their own, and ended to the last grandchild.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io,
    os::fd::OwnedFd,
    path::Path,
    process::Stdio,
};

use rustix::process::{Pid, Resource, Rlimit};
use tokio::{net::unix::pipe, process::Child};

use crate::{
    account::Account,
    limits::{BUSY_PAUSE, BUSY_TRIES},
    settings::ProcessLimits,
};

pub(crate) use tree::{Tree, end_marked, is_asleep, reap_strangers, started_at_millis, without_sessions};
pub(crate) use watch::{Exit, Owner, Pipes, Running, Source, watch};

pub(crate) mod defaults;
mod tree;
mod watch;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program<'a> {
    /// The program, then its arguments.
    pub(crate) command: &'a [OsString],
    /// Its whole environment.
    pub(crate) environment: &'a BTreeMap<OsString, OsString>,
    /// Where it starts.
    pub(crate) folder: &'a Path,
    /// As whom, where it is not this program's own user.
    pub(crate) account: Option<&'a Account>,
}

/// Where a process writes.
#[derive(Debug)]
pub(crate) struct Outputs {
    pub(crate) output: OwnedFd,
    pub(crate) errors: OwnedFd,
}

/// Both ends of what a process writes: one pipe for standard output and error, so that their order is kept; two where what stands on
/// standard output is read by us, and no line of it may be torn apart.
pub(crate) fn pipes(apart: bool) -> io::Result<(Pipes, Outputs)> {
    let (output, write) = output_pipe()?;
    if apart {
        let (errors, errors_write) = output_pipe()?;
        let outputs = Outputs { output: write, errors: errors_write };
        return Ok((Pipes { output, errors: Some(errors) }, outputs));
    }
    let errors = write.try_clone()?;
    Ok((Pipes { output, errors: None }, Outputs { output: write, errors }))
}

fn output_pipe() -> io::Result<(pipe::Receiver, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((pipe::Receiver::from_owned_fd_unchecked(read)?, write))
}

/// Starts a program at the head of a process group of its own, with nothing to read.
pub(crate) async fn start(program: Program<'_>, outputs: Outputs) -> io::Result<Child> {
    let Some(account) = program.account else { return start_own(program, outputs).await };
    for _ in 0..BUSY_TRIES {
        let copies = Outputs { output: outputs.output.try_clone()?, errors: outputs.errors.try_clone()? };
        match account.start(program, copies).await {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            other => return other,
        }
    }
    account.start(program, outputs).await
}

async fn start_own(program: Program<'_>, outputs: Outputs) -> io::Result<Child> {
    let (name, arguments) = program.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = tokio::process::Command::new(name);
    command.args(arguments).env_clear().envs(program.environment).current_dir(program.folder);
    command.stdin(Stdio::null()).stderr(outputs.errors).stdout(outputs.output).process_group(0);
    for _ in 0..BUSY_TRIES {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            other => return other,
        }
    }
    command.spawn()
}

/// Puts the lab's limits on a process that was just started, and so on all it will start.
pub(crate) fn limit(pid: i32, limits: ProcessLimits) {
    let Some(pid) = Pid::from_raw(pid) else { return };
    let set = |resource, most: u64| {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        // A process that has ended, or a limit above what this user may set, is no reason to fail the test.
        if let Err(error) = rustix::process::prlimit(Some(pid), resource, limit) {
            tracing::debug!("a limit was not set: {error}");
        }
    };
    if let Some(bytes) = limits.memory_bytes {
        set(Resource::As, bytes);
    }
    set(Resource::Nofile, limits.open_files);
    set(Resource::Nproc, limits.count);
}

/// A list of folders, before what the variable already holds.
pub(crate) fn prepend_path(old: Option<&OsStr>, folders: &[OsString], separator: &str) -> OsString {
    let mut joined = OsString::new();
    for part in folders.iter().map(OsString::as_os_str).chain(old) {
        if !joined.is_empty() {
            joined.push(separator);
        }
        joined.push(part);
    }
    joined
}
