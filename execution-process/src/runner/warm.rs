//! The warm Python interpreter: started once, each Python test is a child forked from it.
//!
//! One task owns the interpreter's socket. It starts the interpreter when the EP starts and again whenever it has
//! died; tests that ran when it died are told so ([`WarmEvent::Lost`]).

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    process::Stdio,
};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::UnixStream,
    process::Child,
    sync::{mpsc, watch},
};
use tokio_util::sync::CancellationToken;

use crate::host::find_program;

/// The environment variable that marks the interpreter, and so whatever its tests fork without starting a program.
pub(crate) const MARK: &str = "JACKFIELD_WARM";
/// Requests that wait for the interpreter.
const REQUESTS_MAX: usize = 64;
/// An interpreter that dies this often in a row before it is ready is not started again until the EP is.
const FAILED_STARTS_MAX: u32 = 3;
const MESSAGE_BYTES_MAX: u32 = 1 << 20;

/// How the interpreter is started.
#[derive(Clone, Debug)]
pub(crate) struct WarmSettings {
    /// The interpreter, as `ep.toml` names it.
    pub(crate) python: String,
    /// `warm.py`.
    pub(crate) script: PathBuf,
    /// What it inherits.
    pub(crate) environment: BTreeMap<OsString, OsString>,
    /// The value of [`MARK`].
    pub(crate) mark: OsString,
}

/// A test to run.
#[derive(Debug)]
pub(crate) struct WarmRun {
    /// The `run` message, without `op` and `id`.
    pub(crate) message: Map<String, Value>,
    /// Where it writes.
    pub(crate) output: OwnedFd,
    /// Where what becomes of it is told.
    pub(crate) events: mpsc::UnboundedSender<WarmEvent>,
}

/// What becomes of a test in the warm interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WarmEvent {
    /// It runs, as this process.
    Started { pid: i32 },
    /// It ended by itself.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// The interpreter died, or cannot be started; why.
    Lost(String),
}

/// What is known of the interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WarmState {
    /// It is being started.
    Starting,
    /// It runs, and is of this version.
    Ready(String),
    /// It cannot be had; why, and what to do.
    Absent(String),
}

/// The way to the interpreter.
#[derive(Clone, Debug)]
pub(crate) struct Warm {
    requests: mpsc::Sender<WarmRun>,
    state: watch::Receiver<WarmState>,
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum FromWarm {
    Ready { version: String },
    Started { id: u64, pid: i32 },
    Exited { id: u64, code: Option<i32>, signal: Option<i32> },
}

impl Warm {
    /// Starts the task that owns the interpreter; it ends with `shutdown`.
    pub(crate) fn start(
        settings: WarmSettings,
        shutdown: CancellationToken,
    ) -> (Self, impl Future<Output = ()>) {
        let (requests, inbox) = mpsc::channel(REQUESTS_MAX);
        let (told, state) = watch::channel(WarmState::Starting);
        let keeper = Keeper { settings, inbox, told, failed_starts: 0 };
        (Self { requests, state }, keeper.run(shutdown))
    }

    /// Hands a test over.
    pub(crate) async fn run(&self, run: WarmRun) {
        if let Err(lost) = self.requests.send(run).await {
            let _ = lost.0.events.send(WarmEvent::Lost("the execution process ends".to_owned()));
        }
    }

    /// What is known of the interpreter once it has been started for the first time.
    pub(crate) async fn state(&self) -> WarmState {
        let mut state = self.state.clone();
        let known = state.wait_for(|state| *state != WarmState::Starting).await;
        known.map_or_else(
            |_| WarmState::Absent("the execution process ends".to_owned()),
            |state| state.clone(),
        )
    }

    /// What is known right now.
    pub(crate) fn state_now(&self) -> WarmState {
        self.state.borrow().clone()
    }
}

struct Keeper {
    settings: WarmSettings,
    inbox: mpsc::Receiver<WarmRun>,
    told: watch::Sender<WarmState>,
    failed_starts: u32,
}

/// One life of the interpreter.
struct Life {
    child: Child,
    stream: UnixStream,
    ready: bool,
    next_id: u64,
    running: BTreeMap<u64, mpsc::UnboundedSender<WarmEvent>>,
    unread: Vec<u8>,
}

impl Keeper {
    async fn run(mut self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() && self.failed_starts < FAILED_STARTS_MAX {
            let mut life = match self.begin() {
                Ok(life) => life,
                Err(reason) => {
                    self.told.send_replace(WarmState::Absent(reason));
                    break;
                }
            };
            let why = self.live(&mut life, &shutdown).await;
            if life.ready {
                self.failed_starts = 0;
            } else {
                self.failed_starts = self.failed_starts.saturating_add(1);
            }
            life.end(&why).await;
        }
        if !matches!(*self.told.borrow(), WarmState::Absent(_)) {
            let program = &self.settings.python;
            let reason =
                format!("`{program}` cannot be kept running; try it by hand, or name another in ep.toml");
            self.told.send_replace(WarmState::Absent(reason));
        }
        self.refuse(&shutdown).await;
    }

    /// There is no interpreter: answers so, as long as the EP lives.
    async fn refuse(&mut self, shutdown: &CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                run = self.inbox.recv() => {
                    let Some(run) = run else { return };
                    let WarmState::Absent(reason) = self.told.borrow().clone() else { continue };
                    let _ = run.events.send(WarmEvent::Lost(reason));
                }
            }
        }
    }

    fn begin(&self) -> Result<Life, String> {
        let program = &self.settings.python;
        let path = find_program(program).ok_or_else(|| {
            format!("`{program}` is not installed on this EP; install python3, or name another in ep.toml")
        })?;
        let told = |error: io::Error| format!("`{program}` cannot be started: {error}");
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(told)?;
        ours.set_nonblocking(true).map_err(told)?;
        let child = tokio::process::Command::new(path)
            .arg("-u")
            .arg(&self.settings.script)
            .env_clear()
            .envs(&self.settings.environment)
            .env(MARK, &self.settings.mark)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(told)?;
        let stream = UnixStream::from_std(ours).map_err(told)?;
        let (running, unread) = (BTreeMap::new(), Vec::new());
        Ok(Life { child, stream, ready: false, next_id: 0, running, unread })
    }

    /// Serves one life until it ends, and says why it did.
    async fn live(&mut self, life: &mut Life, shutdown: &CancellationToken) -> String {
        loop {
            let step = tokio::select! {
                () = shutdown.cancelled() => return "the execution process ends".to_owned(),
                read = life.read() => match read {
                    Ok(Some(version)) => {
                        self.told.send_replace(WarmState::Ready(version));
                        Ok(())
                    }
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                },
                run = self.inbox.recv(), if life.ready => match run {
                    Some(run) => life.run(run).await,
                    None => return "the execution process ends".to_owned(),
                },
            };
            if let Err(error) = step {
                return format!("the warm Python interpreter died: {error}");
            }
        }
    }
}

impl Life {
    async fn run(&mut self, run: WarmRun) -> io::Result<()> {
        self.next_id = self.next_id.saturating_add(1);
        let mut message = run.message;
        message.insert("op".to_owned(), json!("run"));
        message.insert("id".to_owned(), json!(self.next_id));
        let body = serde_json::to_vec(&message)?;
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        let mut frame = length.to_be_bytes().to_vec();
        frame.extend_from_slice(&body);
        self.running.insert(self.next_id, run.events);
        let sent = self.send_with_files(&frame, &run.output).await?;
        self.stream.write_all(frame.get(sent..).unwrap_or_default()).await
    }

    /// Sends the beginning of a message, and with its first byte where the test writes.
    async fn send_with_files(&self, frame: &[u8], output: &OwnedFd) -> io::Result<usize> {
        loop {
            self.stream.writable().await?;
            let sent = self.stream.try_io(Interest::WRITABLE, || {
                let files = [output.as_fd(), output.as_fd()];
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
                let mut control = SendAncillaryBuffer::new(&mut space);
                control.push(SendAncillaryMessage::ScmRights(&files));
                let parts = [io::IoSlice::new(frame)];
                Ok(rustix::net::sendmsg(&self.stream, &parts, &mut control, SendFlags::NOSIGNAL)?)
            });
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
        }
    }

    /// Reads what the interpreter says; its version where it says that it is ready. Loses nothing when it is dropped.
    async fn read(&mut self) -> io::Result<Option<String>> {
        if self.stream.read_buf(&mut self.unread).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut version = None;
        while let Some((length, rest)) = self.unread.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length);
            if length > MESSAGE_BYTES_MAX {
                return Err(io::Error::other("it said something that is no message"));
            }
            let length = usize::try_from(length).map_err(io::Error::other)?;
            let Some(body) = rest.get(..length) else { break };
            let message: FromWarm = serde_json::from_slice(body)?;
            self.unread.drain(..length.saturating_add(4));
            if let Some(ready) = self.take(message) {
                version = Some(ready);
            }
        }
        Ok(version)
    }

    fn take(&mut self, message: FromWarm) -> Option<String> {
        // A test that is gone needs to hear nothing more.
        match message {
            FromWarm::Ready { version } => {
                self.ready = true;
                return Some(version);
            }
            FromWarm::Started { id, pid } => {
                if let Some(events) = self.running.get(&id) {
                    let _ = events.send(WarmEvent::Started { pid });
                }
            }
            FromWarm::Exited { id, code, signal } => {
                if let Some(events) = self.running.remove(&id) {
                    let event = signal.map_or(WarmEvent::Exited(code.unwrap_or(1)), WarmEvent::Signalled);
                    let _ = events.send(event);
                }
            }
        }
        None
    }

    async fn end(mut self, why: &str) {
        for events in self.running.into_values() {
            let _ = events.send(WarmEvent::Lost(why.to_owned()));
        }
        drop(self.stream);
        // Without its socket it has nothing to live for; one that does not see that is ended.
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
    }
}
