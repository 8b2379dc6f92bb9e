//! Follows a process to its end, for whoever it belongs to: a test, a script around a run, a clean-up.
//!
//! ```text
//! runs ──owner wants its end──▶ asked (TERM) ──grace──▶ killed ──nobody says that it is gone──▶ lost
//!   └──────────────── it ends ───────┴─────────────────────┴──▶ what it left is killed ──▶ its last output is read
//! ```

use std::{collections::BTreeSet, process::ExitStatus, time::Duration};

use jackfield_protocol::verdict::Outcome;
use tokio::{net::unix::pipe, process::Child, sync::mpsc, time::Instant};

use super::Tree;
use crate::{
    clock::{self, Moment},
    limits::{DRAIN_LIMIT, FAR, GONE_LIMIT, OUTPUT_READ_BYTES},
    runner::warm::WarmEvent,
};

/// How a process came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// Nobody knows, because what watched it is gone.
    Lost(String),
    /// There was no process.
    None,
}

impl Exit {
    fn of(status: ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt;
        status.code().map_or_else(|| Self::Signal(status.signal().unwrap_or(0)), Self::Code)
    }
}

/// What runs.
#[derive(Debug)]
pub(crate) enum Running {
    /// A child of this program.
    Child(Box<Child>),
    /// A child of the warm interpreter.
    Forked(mpsc::UnboundedReceiver<WarmEvent>),
}

impl Running {
    fn is_forked(&self) -> bool {
        match self {
            Self::Child(_) => false,
            Self::Forked(_) => true,
        }
    }

    /// Waits for the end. May be given up and begun again.
    async fn exit(&mut self) -> Exit {
        match self {
            Self::Child(child) => match child.wait().await {
                Ok(status) => Exit::of(status),
                Err(error) => Exit::Lost(format!("its process cannot be watched: {error}")),
            },
            Self::Forked(events) => loop {
                match events.recv().await {
                    Some(WarmEvent::Exited(code)) => return Exit::Code(code),
                    Some(WarmEvent::Signalled(number)) => return Exit::Signal(number),
                    Some(WarmEvent::Lost(reason)) => return Exit::Lost(reason),
                    Some(WarmEvent::Started { .. }) => {}
                    None => return Exit::Lost("the execution process ends".to_owned()),
                }
            },
        }
    }
}

/// Where something was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Standard output, and standard error where both share a pipe.
    Output,
    /// Standard error alone.
    Errors,
}

/// What a process writes.
#[derive(Debug)]
pub(crate) struct Pipes {
    /// Standard output; standard error, too, where it has no pipe of its own.
    pub(crate) output: pipe::Receiver,
    /// Standard error, where the two must not mix.
    pub(crate) errors: Option<pipe::Receiver>,
}

/// Whom a process belongs to.
pub(crate) trait Owner {
    /// Does what is to be done while the process runs, until it is to be ended; says so once, and then goes on without an answer. None
    /// where only room was made: then the output, which was left alone meanwhile, is looked at again. May be given up at any point and
    /// begun again.
    async fn attend(&mut self) -> Option<Outcome>;

    /// Whether output can be taken.
    fn has_room(&self) -> bool {
        true
    }

    /// Waits until it can.
    async fn make_room(&mut self) {}

    /// Takes output; an answer where the process is to be ended for it.
    fn take(&mut self, source: Source, bytes: &[u8]) -> Option<Outcome>;
}

/// How it was.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    /// Why it was ended from outside, where it was.
    pub(crate) forced: Option<Outcome>,
    /// When the first process ended.
    pub(crate) at: Moment,
    /// Programs that it left running, and that were killed.
    pub(crate) leftovers: BTreeSet<String>,
    /// A process that was not found still holds the output.
    pub(crate) output_is_held: bool,
    /// It is dead, and the interpreter that forked it did not notice.
    pub(crate) interpreter_stands: bool,
}

/// How far an end from outside has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    NotYet,
    Asked,
    Killed,
}

/// Follows a process until it, and all it started, has ended and its output is read.
pub(crate) async fn watch(
    mut running: Running,
    tree: &Tree,
    pipes: Pipes,
    grace: Duration,
    owner: &mut impl Owner,
) -> Ended {
    let mut flow = Flow::new(pipes);
    let mut forced = None;
    let mut ending = Ending::NotYet;
    let mut interpreter_stands = false;
    let mut alarm = Box::pin(tokio::time::sleep(FAR));
    let exit = loop {
        let end_now = tokio::select! {
            biased;
            outcome = owner.attend() => outcome,
            () = &mut alarm => {
                if ending == Ending::Killed {
                    interpreter_stands = running.is_forked() && tree.leader_is_dead();
                    break Exit::Lost(format!("nobody told its end {GONE_LIMIT:?} after it was killed"));
                }
                ending = Ending::Killed;
                tree.kill().await;
                alarm.as_mut().reset(Instant::now() + GONE_LIMIT);
                None
            }
            exit = running.exit() => break exit,
            () = flow.readable(), if flow.is_open() && owner.has_room() => flow.read(owner),
        };
        if let Some(outcome) = end_now.filter(|_| ending == Ending::NotYet) {
            forced = Some(outcome);
            ending = Ending::Asked;
            tree.terminate().await;
            // What has ended already needs no grace: nobody has told it.
            let grace = if tree.leader_is_dead() { Duration::ZERO } else { grace };
            alarm.as_mut().reset(Instant::now() + grace);
        }
    };
    let at = clock::moment();
    let leftovers = if tree.has_leftovers() { tree.kill().await } else { BTreeSet::new() };
    let drained = tokio::time::timeout(DRAIN_LIMIT, flow.drain(owner)).await;
    Ended { exit, forced, at, leftovers, output_is_held: drained.is_err(), interpreter_stands }
}

/// The pipes, as long as somebody can write to them.
#[derive(Debug)]
struct Flow {
    output: Option<pipe::Receiver>,
    errors: Option<pipe::Receiver>,
    buffer: Vec<u8>,
}

impl Flow {
    fn new(pipes: Pipes) -> Self {
        let buffer = Vec::with_capacity(OUTPUT_READ_BYTES);
        Self { output: Some(pipes.output), errors: pipes.errors, buffer }
    }

    fn is_open(&self) -> bool {
        self.output.is_some() || self.errors.is_some()
    }

    /// Waits until there is something to read, or nothing more comes.
    async fn readable(&self) {
        tokio::select! {
            () = readable(self.output.as_ref()) => {}
            () = readable(self.errors.as_ref()) => {}
        }
    }

    /// Reads what there is, up to a buffer of each.
    fn read(&mut self, owner: &mut impl Owner) -> Option<Outcome> {
        let mut end_now = None;
        for (source, pipe) in [(Source::Output, &mut self.output), (Source::Errors, &mut self.errors)] {
            let Some(open) = pipe.as_ref() else { continue };
            self.buffer.clear();
            let is_open = match open.try_read_buf(&mut self.buffer) {
                Ok(count) => count > 0,
                Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
            };
            if !self.buffer.is_empty() {
                end_now = end_now.or(owner.take(source, &self.buffer));
            }
            if !is_open {
                *pipe = None;
            }
        }
        end_now
    }

    async fn drain(&mut self, owner: &mut impl Owner) {
        while self.is_open() {
            owner.make_room().await;
            self.readable().await;
            self.read(owner);
        }
        owner.make_room().await;
    }
}

async fn readable(pipe: Option<&pipe::Receiver>) {
    match pipe {
        // An error is met again by whoever reads.
        Some(pipe) => drop(pipe.readable().await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsString, path::Path};

    use super::*;
    use crate::process::{self, Program};

    /// Somebody whose store is full after each read, and has room again a moment later.
    #[derive(Default)]
    struct Slow {
        is_full: bool,
        taken: usize,
    }

    impl Owner for Slow {
        async fn attend(&mut self) -> Option<Outcome> {
            if !self.is_full {
                return std::future::pending().await;
            }
            tokio::task::yield_now().await;
            self.is_full = false;
            None
        }

        fn has_room(&self) -> bool {
            !self.is_full
        }

        async fn make_room(&mut self) {
            self.is_full = false;
        }

        fn take(&mut self, _source: Source, bytes: &[u8]) -> Option<Outcome> {
            self.taken += bytes.len();
            self.is_full = true;
            None
        }
    }

    #[tokio::test]
    async fn a_process_whose_output_had_to_wait_is_read_on() {
        // More than a pipe holds: it ends only when somebody reads.
        let command: Vec<OsString> =
            ["/usr/bin/head", "-c", "1000000", "/dev/zero"].map(OsString::from).to_vec();
        let (pipes, outputs) = process::pipes(false).unwrap();
        let environment = std::collections::BTreeMap::default();
        let folder = Path::new("/");
        let program =
            Program { command: &command, environment: &environment, folder, account: None, group: None };
        let child = process::start(program, outputs).await.unwrap();
        let tree = Tree::new(child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap(), &[]);
        let mut slow = Slow::default();
        let following = watch(Running::Child(Box::new(child)), &tree, pipes, Duration::ZERO, &mut slow);
        let ended = tokio::time::timeout(Duration::from_secs(60), following).await.unwrap();
        assert_eq!((ended.exit, slow.taken), (Exit::Code(0), 1_000_000));
    }
}
