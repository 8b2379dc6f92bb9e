//! The process of a test: started, watched, and ended to the last grandchild.

use std::{os::fd::OwnedFd, time::Duration};

use jackfield_protocol::{
    log::Stream,
    verdict::{Cause, Outcome, Verdict},
};
use serde_json::json;
use tokio::{net::unix::pipe, process::Child, sync::mpsc};

use super::{
    Attempt, Exit, Run,
    limit::{Limit, Limited},
    prepare::Ready,
};
use crate::{
    capture::PanicWatch,
    clock,
    event::End,
    process::{self, Program, Tree},
    runner::{
        Plan,
        warm::{WarmEvent, WarmRun, WarmState},
    },
};

const READ_BYTES: usize = 64 * 1024;
/// How long a process that is no more found may hold the output open before it is left to itself.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// How long the warm interpreter may take to fork.
const WARM_LIMIT: Duration = Duration::from_secs(60);
/// How often the processes of a test are counted: the kernel's own limit is one of the user, and none for root.
const COUNT_PAUSE: Duration = Duration::from_secs(1);
/// Never, for an alarm that is not wanted any more.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// What runs a test.
enum Running {
    Child(Box<Child>),
    Warm(mpsc::UnboundedReceiver<WarmEvent>),
}

impl Running {
    /// Waits for the end. May be given up and begun again.
    async fn exit(&mut self) -> Exit {
        match self {
            Self::Child(child) => match child.wait().await {
                Ok(status) => {
                    use std::os::unix::process::ExitStatusExt;
                    status.code().map_or_else(|| Exit::Signal(status.signal().unwrap_or(0)), Exit::Code)
                }
                Err(error) => Exit::Lost(format!("its process cannot be watched: {error}")),
            },
            Self::Warm(events) => loop {
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

/// How far the end of a test that is ended from outside has come.
enum Ending {
    NotYet,
    /// It was asked to end, and is killed then.
    Asked,
    Killed,
}

impl Attempt {
    pub(super) async fn run_plan(&mut self, ready: &Ready, run: &mut Run, panics: Option<&mut PanicWatch>) {
        let (output, write) = match process::output_pipe() {
            Ok(ends) => ends,
            Err(error) => {
                let reason = format!("its output cannot be read: {error}");
                run.forced = Some(Outcome::not_pass(Verdict::Invalid, Cause::Lab, reason));
                return;
            }
        };
        let began = clock::moment();
        let started = match &ready.plan {
            Plan::Program { command, .. } => self.start_program(command, ready, write).await,
            Plan::Warm => self.start_warm(ready, write).await,
            Plan::Steps => {
                drop(write);
                self.run_steps(ready, run).await;
                run.elapsed_millis = clock::moment().millis_since(began);
                return;
            }
        };
        match started {
            Ok((running, tree)) => {
                self.watch(running, &tree, &output, run, panics).await;
                run.elapsed_millis = clock::moment().millis_since(began);
                self.settle(&tree, &output, run).await;
            }
            Err(outcome) => {
                run.log.say(&outcome.reason);
                run.forced = Some(outcome);
            }
        }
    }

    async fn start_program(
        &self,
        command: &[std::ffi::OsString],
        ready: &Ready,
        write: OwnedFd,
    ) -> Result<(Running, Tree), Outcome> {
        let program = Program { command, environment: &ready.environment, folder: &ready.work };
        let child = process::start(program, write)
            .await
            .map_err(|error| crate::runner::not_started(command, &ready.file, &error))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        self.tell_started(pid);
        let pid = pid.unwrap_or_default();
        process::limit(pid, self.station.settings.limits());
        Ok((Running::Child(Box::new(child)), self.tree(pid)))
    }

    async fn start_warm(&self, ready: &Ready, output: OwnedFd) -> Result<(Running, Tree), Outcome> {
        let text = |value: &std::ffi::OsString| value.to_string_lossy().into_owned();
        let environment: std::collections::BTreeMap<String, String> =
            ready.environment.iter().map(|(name, value)| (text(name), text(value))).collect();
        let message = [
            ("file", json!(ready.file.to_string_lossy())),
            ("argv", json!(self.order.test.params)),
            ("env", json!(environment)),
            ("cwd", json!(ready.work.to_string_lossy())),
            ("inject", self.injected()),
        ];
        let message = message.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (events, mut inbox) = mpsc::unbounded_channel();
        self.station.warm.run(WarmRun { message, output, events }).await;
        let pid = match tokio::time::timeout(WARM_LIMIT, inbox.recv()).await {
            Ok(Some(WarmEvent::Started { pid })) => pid,
            Ok(Some(WarmEvent::Lost(reason))) => {
                let absent = matches!(self.station.warm.state_now(), WarmState::Absent(_));
                let verdict = if absent { Verdict::Invalid } else { Verdict::Aborted };
                return Err(Outcome::not_pass(verdict, Cause::Lab, reason));
            }
            other => {
                let reason = format!("the warm Python interpreter did not start it: {other:?}");
                return Err(Outcome::not_pass(Verdict::Aborted, Cause::Lab, reason));
            }
        };
        self.tell_started(Some(pid));
        process::limit(pid, self.station.settings.limits());
        let mut tree = self.tree(pid);
        if self.station.settings.file.lanes == 1 {
            tree = tree.forked_from(&self.station.warm_mark());
        }
        Ok((Running::Warm(inbox), tree))
    }

    fn tree(&self, pid: i32) -> Tree {
        Tree::new(pid, &[&self.station.mark(), &format!("JACKFIELD_ATTEMPT={}", self.order.attempt)])
    }

    /// Follows the process until it has ended, by itself or from outside.
    async fn watch(
        &mut self,
        mut running: Running,
        tree: &Tree,
        output: &pipe::Receiver,
        run: &mut Run,
        mut panics: Option<&mut PanicWatch>,
    ) {
        let mut ending = Ending::NotYet;
        let mut limit = self.limit();
        let mut alarm = Box::pin(tokio::time::sleep(FAR));
        let mut count = tokio::time::interval(COUNT_PAUSE);
        let mut open = true;
        let mut buffer = Vec::with_capacity(READ_BYTES);
        loop {
            let mut end_now = None;
            tokio::select! {
                biased;
                Ok(()) = self.end.changed() => end_now = self.ended_from_outside(run),
                limited = limit.next(), if matches!(ending, Ending::NotYet) => end_now = self.limited(limited, run),
                () = &mut alarm => {
                    ending = Ending::Killed;
                    tree.kill().await;
                    alarm.set(tokio::time::sleep(FAR));
                }
                exit = running.exit() => {
                    run.exit = exit;
                    break;
                }
                _ = count.tick() => end_now = self.too_many(tree),
                () = run.log.flush(), if !run.log.is_clear() => {}
                Some(said) = self.said.recv(), if run.log.is_clear() => self.take(said, run),
                _ = output.readable(), if open && run.log.is_clear() => {
                    (open, end_now) = read(output, &mut buffer, run, panics.as_deref_mut());
                }
            }
            if let (Some(outcome), Ending::NotYet) = (end_now, &ending) {
                run.forced = Some(outcome);
                let grace = Duration::from_millis(self.station.settings.limits().stop_grace_millis);
                ending = Ending::Asked;
                tree.terminate();
                alarm.set(tokio::time::sleep(grace));
            }
        }
    }

    fn too_many(&self, tree: &Tree) -> Option<Outcome> {
        let most = self.station.settings.limits().processes;
        tree.more_than(most).map(|count| {
            let reason = format!("it had {count} processes; limits.processes of ep.toml is {most}");
            Outcome::not_pass(Verdict::Fail, Cause::Test, reason)
        })
    }

    /// How the attempt ends, now that somebody outside wants it to; none where it is too late for what they want.
    pub(super) fn ended_from_outside(&mut self, run: &mut Run) -> Option<Outcome> {
        match &*self.end.borrow_and_update() {
            End::Itself | End::TakenBack => None,
            End::With(outcome) => Some(outcome.clone()),
            End::Unwanted => {
                run.unwanted = true;
                Some(Outcome::not_pass(Verdict::Aborted, Cause::Lab, "the engine did not want it any more"))
            }
        }
    }

    /// The time that the test has, from now.
    pub(super) fn limit(&self) -> Limit {
        let limit = Duration::from_millis(self.order.timeout_millis);
        Limit::new(self.station.sessions.clone(), self.order.attempt, limit)
    }

    /// How the attempt ends, where its time is over; else its log says what became of the limit.
    pub(super) fn limited(&self, limited: Limited, run: &mut Run) -> Option<Outcome> {
        match limited {
            Limited::Over => return Some(self.too_long(run)),
            Limited::Stands(why) => run.log.say(&why),
            Limited::GoesOn => run.log.say("its time limit goes on"),
        }
        None
    }

    fn too_long(&self, run: &Run) -> Outcome {
        let limit = Duration::from_millis(self.order.timeout_millis);
        let reason = format!("it ran longer than its limit of {limit:?}");
        if run.log.is_clear() {
            return Outcome::not_pass(Verdict::Timeout, Cause::Time, reason);
        }
        let reason = format!("{reason}; it waited for its output to be stored: the log spool is full");
        Outcome::not_pass(Verdict::Timeout, Cause::Lab, reason)
    }

    /// After the first process has ended: ends what it left running, and reads what is still on its way.
    async fn settle(&mut self, tree: &Tree, output: &pipe::Receiver, run: &mut Run) {
        self.hear(run);
        if tree.has_leftovers() {
            let names: Vec<String> = tree.kill().await.into_iter().collect();
            if !names.is_empty() && run.forced.is_none() {
                run.log.say(&format!("left running by the test, and ended after it: {}", names.join(", ")));
            }
        }
        let mut buffer = Vec::with_capacity(READ_BYTES);
        let drain = async {
            while read(output, &mut buffer, run, None).0 {
                run.log.flush().await;
                if output.readable().await.is_err() {
                    break;
                }
            }
        };
        if tokio::time::timeout(DRAIN_LIMIT, drain).await.is_err() {
            run.log.say(
                "a process that left the test behind still holds its output; what it writes is not kept",
            );
        }
        run.log.flush().await;
    }
}

/// Reads what there is, up to one buffer; says whether more may come, and how the test ends if it panicked.
fn read(
    output: &pipe::Receiver,
    buffer: &mut Vec<u8>,
    run: &mut Run,
    panics: Option<&mut PanicWatch>,
) -> (bool, Option<Outcome>) {
    buffer.clear();
    let open = match output.try_read_buf(buffer) {
        Ok(0) => false,
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
    };
    if buffer.is_empty() {
        return (open, None);
    }
    run.log.write(Stream::Cli, buffer);
    let hit = panics.and_then(|watch| watch.see(buffer).map(str::to_owned));
    let outcome = hit.map(|pattern| {
        let reason = format!("panic pattern `{pattern}` was found in its output");
        run.log.say(&reason);
        Outcome::not_pass(Verdict::Fail, Cause::Product, reason)
    });
    (open, outcome)
}
