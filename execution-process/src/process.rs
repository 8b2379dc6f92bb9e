//! The processes of a test: started in a group of their own, and ended to the last grandchild.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io::{self, Write as _},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::Stdio,
};

use rustix::process::{Pid, Resource, Rlimit};
use tokio::{net::unix::pipe, process::Child};

use crate::{
    account::Account,
    cgroup::Group,
    limits::{BUSY_PAUSE, BUSY_TRIES, GONE_LIMIT, START_LIMIT},
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
    /// Its control group, where it has one.
    pub(crate) group: Option<&'a Group>,
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
    for _ in 0..BUSY_TRIES {
        let copies = Outputs { output: outputs.output.try_clone()?, errors: outputs.errors.try_clone()? };
        match start_once(program, copies).await {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            other => return other,
        }
    }
    start_once(program, outputs).await
}

async fn start_once(program: Program<'_>, outputs: Outputs) -> io::Result<Child> {
    if let Some(account) = program.account {
        return account.start(program, outputs).await;
    }
    let waiting = program.group.map(Group::starter).unwrap_or_default();
    let mut words = waiting.iter().chain(program.command);
    let mut command = tokio::process::Command::new(words.next().ok_or(io::ErrorKind::InvalidInput)?);
    command.args(words).env_clear().envs(program.environment).current_dir(program.folder);
    command.stdin(Stdio::null()).stderr(outputs.errors).stdout(outputs.output).process_group(0);
    let Some(group) = program.group else { return command.spawn() };
    let (ours, theirs) = UnixStream::pair()?;
    let child = command.stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
    // It holds the other ends.
    drop(command);
    let_begin(child, ours, Some(group)).await
}

/// Puts what waits at the other end of a socket into its group, lets it become its program, and hears whether it did.
pub(crate) async fn let_begin(
    mut child: Child,
    ours: UnixStream,
    group: Option<&Group>,
) -> io::Result<Child> {
    match begun(child.id(), ours, group).await {
        Ok(()) => Ok(child),
        Err(error) => {
            let _ = child.start_kill();
            let _ = tokio::time::timeout(GONE_LIMIT, child.wait()).await;
            Err(error)
        }
    }
}

async fn begun(pid: Option<u32>, mut ours: UnixStream, group: Option<&Group>) -> io::Result<()> {
    if let Some(group) = group {
        let told =
            |error: io::Error| io::Error::other(format!("it cannot be put into its control group: {error}"));
        // 0 would be this program itself.
        let pid = pid.and_then(|pid| i32::try_from(pid).ok()).ok_or(io::ErrorKind::NotFound)?;
        group.put(pid).map_err(told)?;
        match ours.write_all(jackfield_run_as::GO) {
            // Who is gone already has said why.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            written => written?,
        }
    }
    let heard = tokio::task::spawn_blocking(move || jackfield_run_as::heard(ours));
    let late = |_elapsed| io::Error::other(format!("it was not started within {START_LIMIT:?}"));
    tokio::time::timeout(START_LIMIT, heard).await.map_err(late)?.map_err(io::Error::other)?
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
