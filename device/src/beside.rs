//! What an SSH connection carries beside its dialogue: programs with streams of their own, for commands and for files.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::limits::{EXEC_BYTES_MAX, STDERR_BYTES_MAX};

/// A connection that can start programs.
pub trait Beside: Send + Sync {
    /// Starts one.
    fn start(&self, what: Start) -> BoxFuture<'_, io::Result<Box<dyn Program>>>;
}

/// What is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A command, given to the user's shell, without a terminal.
    Command(String),
    /// Something the server has by name: `sftp`.
    Subsystem(String),
}

/// What a program said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// On its standard output.
    Output(Vec<u8>),
    /// On its standard error.
    Error(Vec<u8>),
    /// It ended.
    Status(Status),
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// With a code.
    Code(u32),
    /// By a signal.
    Signal(String),
}

/// A program at the other end. Dropped, its channel is closed.
pub trait Program: Send {
    /// What it says next; none when it has said everything.
    fn poll_said(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Said>>>;

    /// Takes some of the bytes for its standard input.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Sends what was taken.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends its standard input.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// What a command left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Its standard output.
    pub output: Vec<u8>,
    /// Its standard error.
    pub error: Vec<u8>,
    /// How it ended; none where the server does not tell.
    pub status: Option<Status>,
    /// It said more than is kept.
    pub cut: bool,
}

/// Runs a command to its end.
///
/// # Errors
/// It cannot be started, or the connection is lost before it ends.
pub async fn execute(beside: &dyn Beside, command: &str) -> io::Result<Executed> {
    let mut program = beside.start(Start::Command(command.to_owned())).await?;
    poll_fn(|cx| program.poll_end(cx)).await?;
    let mut left = Executed { output: Vec::new(), error: Vec::new(), status: None, cut: false };
    while let Some(said) = poll_fn(|cx| program.poll_said(cx)).await? {
        match said {
            Said::Output(bytes) => left.cut |= keep(&mut left.output, &bytes, EXEC_BYTES_MAX),
            Said::Error(bytes) => left.cut |= keep(&mut left.error, &bytes, EXEC_BYTES_MAX),
            Said::Status(status) => left.status = Some(status),
        }
    }
    Ok(left)
}

/// Appends up to a limit; true where something was left out.
fn keep(into: &mut Vec<u8>, bytes: &[u8], max: usize) -> bool {
    let room = max.saturating_sub(into.len());
    let kept = bytes.get(..room).unwrap_or(bytes);
    into.extend_from_slice(kept);
    kept.len() < bytes.len()
}

/// A program as one stream; what it says on its standard error is kept aside.
pub struct ProgramStream {
    program: Box<dyn Program>,
    waiting: VecDeque<u8>,
    errors: Errors,
}

/// The standard error of a program, for whoever reports that it failed.
#[derive(Clone, Debug, Default)]
pub struct Errors(Arc<Mutex<Vec<u8>>>);

impl Errors {
    /// What was said so far, as one line.
    pub fn told(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).trim().replace(['\r', '\n'], " ")
    }

    fn add(&self, bytes: &[u8]) {
        keep(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), bytes, STDERR_BYTES_MAX);
    }
}

impl ProgramStream {
    /// The stream of a program.
    pub fn new(program: Box<dyn Program>) -> Self {
        Self { program, waiting: VecDeque::new(), errors: Errors::default() }
    }

    /// What it says on its standard error, now and later.
    pub fn errors(&self) -> Errors {
        self.errors.clone()
    }
}

impl AsyncRead for ProgramStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.waiting.is_empty() {
            match ready!(this.program.poll_said(cx))? {
                None => return Poll::Ready(Ok(())),
                Some(Said::Output(bytes)) => this.waiting = bytes.into(),
                Some(Said::Error(bytes)) => this.errors.add(&bytes),
                Some(Said::Status(_)) => {}
            }
        }
        let (front, _) = this.waiting.as_slices();
        let taken = front.get(..into.remaining()).unwrap_or(front);
        into.put_slice(taken);
        let taken = taken.len();
        this.waiting.drain(..taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ProgramStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().program.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().program.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().program.poll_end(cx)
    }
}
