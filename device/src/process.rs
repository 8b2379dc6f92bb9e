//! A local command in a terminal of its own.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use pty_process::{Command, Pty, Size};
use tokio::{
    io::AsyncWrite,
    process::Child,
    time::{Duration, timeout},
};

use crate::{
    channel::{Channel, Window, poll_stream, scratch},
    local::{LocalProgram, LocalPrograms},
};

/// Linux says EIO where a terminal's last process has gone; to us that is the end.
const END_OF_TERMINAL: i32 = 5;
/// Where an EP may have found its token: nobody's program finds it there again.
pub(crate) const EP_TOKEN: &str = "JACKFIELD_EP_TOKEN";
/// Time for a command to go by itself when its terminal is gone; then it is killed.
const GRACE: Duration = Duration::from_millis(500);

/// A command in a pseudo-terminal; killed with all that it started when the channel is dropped.
pub struct Process {
    pty: Pty,
    child: Child,
    running: LocalProgram,
    scratch: Box<[u8]>,
}

impl Process {
    /// Starts a command.
    ///
    /// # Errors
    /// No terminal to be had, no such command, or it may not be run.
    pub fn start(
        command: &[String],
        programs: &LocalPrograms,
        window: Window,
        terminal: &str,
    ) -> io::Result<Self> {
        if command.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"));
        }
        let command = programs.command(command);
        let (program, arguments) = command
            .split_first()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"))?;
        let (pty, pts) = pty_process::open().map_err(io::Error::other)?;
        pty.resize(Size::new(window.rows, window.columns)).map_err(io::Error::other)?;
        let child = Command::new(program)
            .args(arguments)
            .env("TERM", terminal)
            .env_remove(EP_TOKEN)
            .kill_on_drop(true)
            .spawn(pts)
            .map_err(plain_error)?;
        let running = programs.enter(child.id());
        Ok(Self { pty, child, running, scratch: scratch() })
    }

    fn signal_group(&self, signal: rustix::process::Signal) {
        let group =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(Err(error)) = group.map(|group| rustix::process::kill_process_group(group, signal)) {
            tracing::debug!(%error, "a session's command was gone already");
        }
    }
}

/// The system's own error, so that "no such file" stays what it is.
fn plain_error(error: pty_process::Error) -> io::Error {
    match error {
        pty_process::Error::Io(error) => error,
        pty_process::Error::Rustix(error) => error.into(),
        error @ (pty_process::Error::TokioAsyncFd(_) | pty_process::Error::Unsplit(..)) => {
            io::Error::other(error)
        }
    }
}

impl Channel for Process {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        poll_stream(&mut self.pty, cx, &mut self.scratch, into).map(|result| match result {
            Err(error) if error.raw_os_error() == Some(END_OF_TERMINAL) => Ok(0),
            result => result,
        })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pty).poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pty).poll_flush(cx)
    }

    fn resize(&mut self, window: Window) -> BoxFuture<'_, io::Result<()>> {
        let result = self.pty.resize(Size::new(window.rows, window.columns)).map_err(io::Error::other);
        Box::pin(async { result })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.signal_group(rustix::process::Signal::HUP);
            if timeout(GRACE, self.child.wait()).await.is_err() {
                self.signal_group(rustix::process::Signal::KILL);
                self.running.kill();
                if let Err(error) = self.child.wait().await {
                    tracing::warn!(%error, "a session's command could not be ended");
                }
            }
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It was waited for where it has been closed.
        if self.child.id().is_some() {
            self.signal_group(rustix::process::Signal::KILL);
            self.running.kill();
        }
    }
}
