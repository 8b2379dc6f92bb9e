//! Servers of files that answer with any bytes: what they say ends a transfer well or with an error, and writes nothing where it was not asked to.

use std::{
    collections::VecDeque,
    fs, io,
    path::Path,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::time::{Instant, Sleep, sleep};

use crate::{
    beside::{Beside, Program, Said, Start},
    clock::Deadline,
    transfer::{self, Moved, TransferError, Way},
};

/// A server that waits for no request says its next answer after this time.
const IMPATIENCE: Duration = Duration::from_millis(1);
/// A transfer of a few bytes does not take so long, whatever is answered: the server is at its end long before.
const SPAN_MAX: Duration = Duration::from_secs(20);
/// What ends the words of one program.
const NEXT_PROGRAM: &[u8] = b"\xfd\xfe\xfd";
/// Where the number of a request stands in it, and that of an answer in the answer.
const NUMBER: std::ops::Range<usize> = 5..9;
/// What a folder holds that is sent.
const OURS: &[u8] = b"what is sent";

/// What a server says, in the pieces in which it says it.
struct Answers {
    pieces: VecDeque<Vec<u8>>,
    /// Each answer gets the number of the last request, as a server's would have it.
    numbered: bool,
}

impl Answers {
    /// Packets with their lengths before them, as SFTP has them; a length that is not true ends them.
    fn packets(bytes: &[u8], numbered: bool) -> Self {
        let (mut pieces, mut rest) = (VecDeque::new(), bytes);
        while let Some((head, after)) = rest.split_first_chunk() {
            let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
            let (body, left) = after.split_at_checked(length).unwrap_or((after, &[]));
            pieces.push_back([head.as_slice(), body].concat());
            rest = left;
        }
        Self { pieces, numbered }
    }
}

/// The server. Each program that is started says what stands after the mark that ended the one before; the last says the same again.
struct Server {
    programs: Vec<Vec<u8>>,
    started: AtomicUsize,
    way: Way,
    numbered: bool,
}

impl Server {
    fn new(bytes: &[u8], way: Way, numbered: bool) -> Self {
        let (mut programs, mut rest) = (Vec::new(), bytes);
        while let Some(at) = memchr::memmem::find(rest, NEXT_PROGRAM) {
            let (one, more) = rest.split_at(at);
            programs.push(one.to_vec());
            rest = more.get(NEXT_PROGRAM.len()..).unwrap_or_default();
        }
        programs.push(rest.to_vec());
        Self { programs, started: AtomicUsize::new(0), way, numbered }
    }

    fn next(&self) -> &[u8] {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        self.programs.get(number).or(self.programs.last()).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Beside for Server {
    fn start(&self, _what: Start) -> BoxFuture<'_, io::Result<Box<dyn Program>>> {
        let bytes = self.next();
        let answers = match self.way {
            Way::Scp => Answers { pieces: VecDeque::from([bytes.to_vec()]), numbered: false },
            Way::Sftp | Way::Either => Answers::packets(bytes, self.numbered),
        };
        let said = Saying { answers, asked: 1, number: None, patience: Box::pin(sleep(IMPATIENCE)) };
        Box::pin(async {
            let program: Box<dyn Program> = Box::new(said);
            Ok(program)
        })
    }
}

struct Saying {
    answers: Answers,
    /// Requests that were not answered yet.
    asked: usize,
    /// The number of the last one.
    number: Option<[u8; 4]>,
    patience: Pin<Box<Sleep>>,
}

impl Program for Saying {
    fn poll_said(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Said>>> {
        if self.asked == 0 && self.patience.poll_unpin(cx).is_pending() {
            return Poll::Pending;
        }
        self.asked = self.asked.saturating_sub(1);
        self.patience.as_mut().reset(Instant::now() + IMPATIENCE);
        let Some(mut piece) = self.answers.pieces.pop_front() else { return Poll::Ready(Ok(None)) };
        if let (true, Some(number), Some(place)) = (self.answers.numbered, self.number, piece.get_mut(NUMBER))
        {
            place.copy_from_slice(&number);
        }
        Poll::Ready(Ok(Some(Said::Output(piece))))
    }

    fn poll_write(&mut self, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.asked = self.asked.saturating_add(1);
        self.number = bytes.get(NUMBER).and_then(|number| number.try_into().ok()).or(self.number);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_end(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A file or folder that is got, and one that is sent, whatever the server answers.
pub(super) fn moved(bytes: &[u8], way: Way) {
    let (kind, bytes) = super::first(bytes);
    let server = Server::new(bytes, way, kind & 1 == 0);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else {
        panic!("a runtime cannot be had")
    };
    let Ok(root) = tempfile::tempdir() else { panic!("a folder cannot be had") };
    let within = root.path().join("within");
    fs::create_dir(&within).unwrap_or_else(|error| panic!("{error}"));
    let got = runtime.block_on(transfer::get(&server, "there", &within, way, Deadline::after(SPAN_MAX)));
    check_got(&got, root.path(), &within);
    let source = root.path().join("source");
    fs::create_dir(&source)
        .and_then(|()| fs::write(source.join("file"), OURS))
        .unwrap_or_else(|error| panic!("{error}"));
    let sent = if kind & 2 == 0 { source.clone() } else { source.join("file") };
    let server = Server::new(bytes, way, kind & 1 == 0);
    let put = runtime.block_on(transfer::put(&server, &sent, "there", way, Deadline::after(SPAN_MAX)));
    check_ended(&put);
    assert!(fs::read(source.join("file")).is_ok_and(|left| left == OURS), "what was sent is not what it was");
}

fn check_ended(result: &Result<Moved, TransferError>) {
    let is_late = |error: &TransferError| matches!(error, TransferError::Late { .. });
    if let Err(error) = result {
        let is_partly_late = matches!(error, TransferError::Partial { failed, .. } if is_late(failed));
        assert!(!is_late(error) && !is_partly_late, "it does not end: {error}");
    }
}

/// Nothing stands beside the place, nothing half in it; what is told to be moved is there.
fn check_got(result: &Result<Moved, TransferError>, root: &Path, within: &Path) {
    check_ended(result);
    let outside = names(root);
    assert_eq!(outside, ["within"], "something was written elsewhere");
    let (mut files, mut left) = (0, vec![within.to_owned()]);
    while let Some(folder) = left.pop() {
        for name in names(&folder) {
            let path = folder.join(&name);
            let Ok(found) = fs::symlink_metadata(&path) else { panic!("`{}` is gone", path.display()) };
            assert!(found.is_dir() || found.is_file(), "`{name}` is neither file nor folder");
            if found.is_dir() {
                left.push(path);
            } else {
                files += 1;
                // A name that the server gives may end so, and is whole.
                assert!(name != "there.part", "half a file is left");
            }
        }
    }
    if let Ok(moved) = result {
        assert!(files <= moved.files, "more files are there than were moved");
        assert!(files > 0 || moved.files == 0, "files that were moved are not there");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { panic!("`{}` cannot be read", folder.display()) };
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
