//! One life of the interpreter: its process, its socket, and the tests that run in it.

use std::{
    collections::BTreeMap,
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    process::Stdio,
};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::UnixStream,
    process::Child,
    sync::mpsc,
};

use super::{MARK, WarmEvent, WarmRun, WarmSettings};
use crate::host::find_program;
use crate::limits::WARM_MESSAGE_BYTES_MAX;

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum FromWarm {
    Ready { version: String },
    Started { id: u64, pid: i32 },
    Exited { id: u64, code: Option<i32>, signal: Option<i32> },
}

/// Tells the interpreter that its tests become other users.
const CHANGES_USERS: &str = "--changes-users";
/// In the place of a message that comes in a file of its own.
const APART: &[u8] = b"{\"apart\": true}";

/// Bytes as a file that is nowhere.
fn in_memory(bytes: &[u8]) -> io::Result<OwnedFd> {
    let file = rustix::fs::memfd_create("message", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = std::fs::File::from(file);
    io::Write::write_all(&mut file, bytes)?;
    Ok(file.into())
}

/// One life of the interpreter.
pub(super) struct Life {
    child: Child,
    stream: UnixStream,
    /// Messages are read by nobody but the fork that they are for.
    is_apart: bool,
    /// It has said so.
    pub(super) ready: bool,
    next_id: u64,
    running: BTreeMap<u64, mpsc::UnboundedSender<WarmEvent>>,
    unread: Vec<u8>,
}

impl Life {
    /// Starts the interpreter.
    pub(super) fn begin(settings: &WarmSettings) -> Result<Self, String> {
        let program = &settings.python;
        let path = find_program(program).ok_or_else(|| {
            format!("`{program}` is not installed on this EP; install python3, or name another in ep.toml")
        })?;
        let told = |error: io::Error| format!("`{program}` cannot be started: {error}");
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(told)?;
        ours.set_nonblocking(true).map_err(told)?;
        let child = tokio::process::Command::new(path)
            .arg("-u")
            .arg(&settings.script)
            .args(settings.changes_users.then_some(CHANGES_USERS))
            .env_clear()
            .envs(&settings.environment)
            .env(MARK, &settings.mark)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(told)?;
        let stream = UnixStream::from_std(ours).map_err(told)?;
        let (running, unread) = (BTreeMap::new(), Vec::new());
        let is_apart = settings.changes_users;
        Ok(Self { child, stream, is_apart, ready: false, next_id: 0, running, unread })
    }

    /// Hands a test over.
    pub(super) async fn run(&mut self, run: WarmRun) -> io::Result<()> {
        self.next_id = self.next_id.saturating_add(1);
        let whole = serde_json::to_vec(&run.message)?;
        let apart = if self.is_apart { Some(in_memory(&whole)?) } else { None };
        let body = if self.is_apart { APART.to_vec() } else { whole };
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        let mut frame = length.to_be_bytes().to_vec();
        frame.extend_from_slice(&self.next_id.to_be_bytes());
        frame.extend_from_slice(&body);
        self.running.insert(self.next_id, run.events);
        let sent = self.send_with_files(&frame, &run.output, apart.as_ref()).await?;
        self.stream.write_all(frame.get(sent..).unwrap_or_default()).await
    }

    /// Sends the beginning of a message, and with its first byte where the test writes.
    async fn send_with_files(
        &self,
        frame: &[u8],
        output: &OwnedFd,
        apart: Option<&OwnedFd>,
    ) -> io::Result<usize> {
        let both = [output.as_fd(), output.as_fd()];
        let files: Vec<BorrowedFd<'_>> = both.into_iter().chain(apart.map(AsFd::as_fd)).collect();
        loop {
            self.stream.writable().await?;
            let sent = self.stream.try_io(Interest::WRITABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
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
    pub(super) async fn read(&mut self) -> io::Result<Option<String>> {
        if self.stream.read_buf(&mut self.unread).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut version = None;
        while let Some((length, rest)) = self.unread.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length);
            if length > WARM_MESSAGE_BYTES_MAX {
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

    /// Tells its tests, and sees to it that it is gone.
    pub(super) async fn end(mut self, why: &str) {
        for events in self.running.into_values() {
            let _ = events.send(WarmEvent::Lost(why.to_owned()));
        }
        drop(self.stream);
        // Without its socket it has nothing to live for; one that does not see that is ended.
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
    }
}
