//! An SFTP server that keeps its files in memory, renames as one kind of real server does, and fails where a test wants it to.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::future::BoxFuture;
use jackfield_device::beside::{Beside, Program, Said, Start};
use russh_sftp::{
    protocol::{Attrs, FileAttributes, Handle, OpenFlags, Packet, Status, StatusCode, Version},
    server::Handler,
};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio_util::sync::CancellationToken;

/// How a server renames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renames {
    /// As OpenSSH: never over a file, but for its own request, which does.
    OneStep,
    /// As the protocol says: never over a file.
    Free,
    /// Over a file, too.
    Over,
    /// Not at all.
    Nothing,
}

impl Renames {
    pub(crate) const ALL: [Self; 4] = [Self::OneStep, Self::Free, Self::Over, Self::Nothing];
}

/// What goes wrong at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server says no.
    Refused,
    /// The connection breaks before it is done.
    CutBefore,
    /// The connection breaks when it is done, before the answer.
    CutAfter,
    /// It takes ten seconds.
    Slow,
}

/// The files, and the steps that were done to them.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    folders: BTreeSet<String>,
    renames: Renames,
    fault: Option<(usize, Fault)>,
    steps: usize,
}

/// A server, and everything that connects to it.
#[derive(Clone)]
pub(crate) struct FileServer {
    pub(crate) store: Arc<Mutex<Store>>,
    cut: CancellationToken,
}

impl FileServer {
    /// The fault comes at the step of this number, from 1 on.
    pub(crate) fn new(files: &[(&str, &[u8])], renames: Renames, fault: Option<(usize, Fault)>) -> Self {
        let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
        let store = Store { files, folders: BTreeSet::new(), renames, fault, steps: 0 };
        Self { store: Arc::new(Mutex::new(store)), cut: CancellationToken::new() }
    }

    /// The same files on a server that is whole again.
    pub(crate) fn mended(&self) -> Self {
        let old = self.store.lock().unwrap();
        let store = Store { files: old.files.clone(), folders: old.folders.clone(), fault: None, ..*old };
        Self { store: Arc::new(Mutex::new(store)), cut: CancellationToken::new() }
    }

    /// Whether the fault has come.
    pub(crate) fn has_failed(&self) -> bool {
        let store = self.store.lock().unwrap();
        store.fault.is_some_and(|(at, _)| store.steps >= at)
    }

    /// Does a step that changes something, or fails at it.
    async fn step(
        &self,
        id: u32,
        change: impl FnOnce(&mut Store) -> Result<(), StatusCode>,
    ) -> Result<Status, StatusCode> {
        let fault = {
            let mut store = self.store.lock().unwrap();
            store.steps += 1;
            store.fault.filter(|(at, _)| *at == store.steps).map(|(_, fault)| fault)
        };
        match fault {
            Some(Fault::Refused) => return Err(StatusCode::Failure),
            Some(Fault::CutBefore) => self.break_off().await,
            Some(Fault::Slow) => tokio::time::sleep(Duration::from_secs(10)).await,
            Some(Fault::CutAfter) | None => {}
        }
        change(&mut self.store.lock().unwrap())?;
        if fault == Some(Fault::CutAfter) {
            self.break_off().await;
        }
        Ok(ok(id))
    }

    async fn break_off(&self) {
        self.cut.cancel();
        std::future::pending().await
    }
}

fn ok(id: u32) -> Status {
    Status { id, status_code: StatusCode::Ok, error_message: String::new(), language_tag: String::new() }
}

impl Store {
    fn rename(&mut self, from: &str, to: &str, over: bool) -> Result<(), StatusCode> {
        if self.folders.contains(to) || (!over && self.files.contains_key(to)) {
            return Err(StatusCode::Failure);
        }
        let bytes = self.files.remove(from).ok_or(StatusCode::NoSuchFile)?;
        self.files.insert(to.to_owned(), bytes);
        Ok(())
    }
}

impl Handler for FileServer {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }

    #[expect(clippy::disallowed_types, reason = "the library's own signature")]
    async fn init(
        &mut self,
        _version: u32,
        _extensions: std::collections::HashMap<String, String>,
    ) -> Result<Version, StatusCode> {
        let mut version = Version::new();
        if self.store.lock().unwrap().renames == Renames::OneStep {
            version.extensions.insert("posix-rename@openssh.com".to_owned(), "1".to_owned());
        }
        Ok(version)
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        _flags: OpenFlags,
        _attrs: FileAttributes,
    ) -> Result<Handle, StatusCode> {
        let name = filename.clone();
        self.step(id, move |store| {
            store.files.insert(name, Vec::new());
            Ok(())
        })
        .await?;
        Ok(Handle { id, handle: filename })
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Result<Status, StatusCode> {
        self.step(id, move |store| {
            let file = store.files.get_mut(&handle).ok_or(StatusCode::NoSuchFile)?;
            file.resize(usize::try_from(offset).unwrap(), 0);
            file.extend(data);
            Ok(())
        })
        .await
    }

    async fn close(&mut self, id: u32, _handle: String) -> Result<Status, StatusCode> {
        self.step(id, |_| Ok(())).await
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        let store = self.store.lock().unwrap();
        let mut attrs = FileAttributes::empty();
        if store.folders.contains(&path) {
            attrs.set_dir(true);
        } else if store.files.contains_key(&path) {
            attrs.set_regular(true);
        } else {
            return Err(StatusCode::NoSuchFile);
        }
        Ok(Attrs { id, attrs })
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        self.stat(id, path).await
    }

    async fn mkdir(&mut self, id: u32, path: String, _attrs: FileAttributes) -> Result<Status, StatusCode> {
        self.store.lock().unwrap().folders.insert(path);
        Ok(ok(id))
    }

    async fn remove(&mut self, id: u32, filename: String) -> Result<Status, StatusCode> {
        self.step(id, move |store| store.files.remove(&filename).map(drop).ok_or(StatusCode::NoSuchFile))
            .await
    }

    async fn rename(&mut self, id: u32, oldpath: String, newpath: String) -> Result<Status, StatusCode> {
        let renames = self.store.lock().unwrap().renames;
        if renames == Renames::Nothing {
            return Err(StatusCode::OpUnsupported);
        }
        self.step(id, move |store| store.rename(&oldpath, &newpath, renames == Renames::Over)).await
    }

    async fn extended(&mut self, id: u32, request: String, data: Vec<u8>) -> Result<Packet, StatusCode> {
        if request != "posix-rename@openssh.com" {
            return Err(StatusCode::OpUnsupported);
        }
        let mut names = Vec::new();
        let mut rest = data.as_slice();
        while let Some((length, after)) = rest.split_first_chunk() {
            let (name, after) = after.split_at(usize::try_from(u32::from_be_bytes(*length)).unwrap());
            names.push(String::from_utf8(name.to_vec()).unwrap());
            rest = after;
        }
        Ok(self.step(id, move |store| store.rename(&names[0], &names[1], true)).await?.into())
    }
}

impl Beside for FileServer {
    fn start(&self, _what: Start) -> BoxFuture<'_, std::io::Result<Box<dyn Program>>> {
        Box::pin(async {
            let (ours, theirs) = tokio::io::duplex(1 << 20);
            russh_sftp::server::run(theirs, self.clone()).await;
            let cut = Box::pin(self.cut.clone().cancelled_owned());
            let program: Box<dyn Program> = Box::new(Pipe { stream: ours, cut });
            Ok(program)
        })
    }
}

/// A program at the other end of a pipe.
struct Pipe {
    stream: DuplexStream,
    cut: std::pin::Pin<Box<tokio_util::sync::WaitForCancellationFutureOwned>>,
}

impl Program for Pipe {
    fn poll_said(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<Option<Said>>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(None));
        }
        let mut bytes = [0; 4096];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(std::pin::Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        let read = buffer.filled().to_vec();
        Poll::Ready(Ok(Some(Said::Output(read)).filter(|said| *said != Said::Output(Vec::new()))))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        std::pin::Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
