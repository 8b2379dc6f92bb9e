//! The process of a test: started, and followed with all that is to be done while it runs.

use std::{os::fd::OwnedFd, time::Duration};

use jackfield_protocol::{
    log::Stream,
    script::Tail,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior},
};

use super::{
    Attempt, Run,
    limit::{Limit, Limited},
    prepare::Ready,
};
use crate::{
    capture::PanicWatch,
    cgroup::Group,
    clock,
    event::End,
    limits::{LAST_WORDS_BYTES, PROCESS_COUNT_PAUSE, WARM_START_LIMIT},
    process::{self, Outputs, Owner, Program, Running, Source, Tree},
    results::{Cases, GoTest, Tap},
    runner::{
        Output, Plan,
        warm::{WarmRun, WarmState},
    },
};

/// What reads the output of a test while it comes.
#[derive(Debug)]
enum Reader {
    Text,
    /// It counts where it shows itself, or where it was promised.
    Tap {
        reader: Box<Tap>,
        is_promised: bool,
    },
    GoTest(Box<GoTest>),
}

impl Reader {
    fn new(plan: &Plan) -> Self {
        match plan {
            Plan::Program { output: Output::Tap, .. } => {
                Self::Tap { reader: Box::default(), is_promised: true }
            }
            Plan::Program { output: Output::TapIfAny, .. } => {
                Self::Tap { reader: Box::default(), is_promised: false }
            }
            Plan::Program { output: Output::GoTest, .. } => Self::GoTest(Box::default()),
            Plan::Program { output: Output::Text, .. } | Plan::Warm | Plan::Steps => Self::Text,
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        match self {
            Self::Text => {}
            Self::Tap { reader, .. } => reader.feed(bytes),
            Self::GoTest(reader) => reader.feed(bytes),
        }
    }

    fn finish(self) -> Option<Cases> {
        match self {
            Self::Text => None,
            Self::Tap { reader, is_promised } => {
                let shows_itself = reader.is_plain();
                (is_promised || shows_itself).then(|| reader.finish())
            }
            Self::GoTest(reader) => Some(reader.finish()),
        }
    }
}

/// A test while its process runs.
struct Following<'a> {
    attempt: &'a mut Attempt,
    run: &'a mut Run,
    panics: Option<&'a mut PanicWatch>,
    tree: &'a Tree,
    limit: Limit,
    count: Interval,
    reader: Reader,
    last_words: Tail,
    /// It was said that the process is to be ended.
    is_over: bool,
}

impl Owner for Following<'_> {
    async fn attend(&mut self) -> Option<Outcome> {
        loop {
            let end_now = tokio::select! {
                biased;
                Ok(()) = self.attempt.end.changed() => self.attempt.ended_from_outside(self.run),
                limited = self.limit.next(), if !self.is_over => self.attempt.limited(limited, self.run),
                _ = self.count.tick(), if !self.is_over => self.attempt.too_many(self.tree),
                // While there was no room, nobody listened to the process.
                () = self.run.log.flush(), if !self.run.log.is_clear() => return None,
                Some(said) = self.attempt.said.recv(), if self.run.log.is_clear() => {
                    self.attempt.take(said, self.run);
                    None
                }
            };
            if let Some(outcome) = end_now.filter(|_| !self.is_over) {
                self.is_over = true;
                return Some(outcome);
            }
        }
    }

    fn has_room(&self) -> bool {
        self.run.log.is_clear()
    }

    async fn make_room(&mut self) {
        self.run.log.flush().await;
    }

    fn take(&mut self, source: Source, bytes: &[u8]) -> Option<Outcome> {
        self.run.log.write(Stream::Cli, bytes);
        self.last_words.take(bytes);
        if source == Source::Output {
            self.reader.feed(bytes);
        }
        let pattern = self.panics.as_mut().filter(|_| !self.is_over)?.see(bytes)?.to_owned();
        self.is_over = true;
        let reason = format!("panic pattern `{pattern}` was found in its output");
        self.run.log.say(&reason);
        Some(Outcome::not_pass(Verdict::Fail, Cause::Product, DecidedBy::PanicPattern { pattern }, reason))
    }
}

impl Attempt {
    pub(super) async fn run_plan(&mut self, ready: &Ready, run: &mut Run, panics: Option<&mut PanicWatch>) {
        let began = clock::moment();
        if ready.plan == Plan::Steps {
            self.run_steps(ready, run).await;
            run.elapsed_millis = clock::moment().millis_since(began);
            return;
        }
        let reader = Reader::new(&ready.plan);
        let (pipes, outputs) = match process::pipes(!matches!(reader, Reader::Text)) {
            Ok(ends) => ends,
            Err(error) => {
                let reason = format!("its output cannot be read: {error}");
                let by = DecidedBy::NotStarted;
                run.forced = Some(Outcome::not_pass(Verdict::Invalid, Cause::Lab, by, reason));
                return;
            }
        };
        self.begin().await;
        let (running, tree) = match self.start(ready, outputs).await {
            Ok(started) => started,
            Err(outcome) => {
                run.log.say(&outcome.reason);
                run.forced = Some(outcome);
                return;
            }
        };
        let grace = self.station.settings.limits.stop_grace;
        let mut count = tokio::time::interval(PROCESS_COUNT_PAUSE);
        count.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let limit = self.limit();
        let last_words = Tail::new(LAST_WORDS_BYTES);
        let (attempt, is_over) = (self, false);
        let mut following =
            Following { attempt, run, panics, tree: &tree, limit, count, reader, last_words, is_over };
        let ended = process::watch(running, &tree, pipes, grace, &mut following).await;
        let Following { attempt, run, reader, last_words, .. } = following;
        if ended.interpreter_stands {
            attempt.station.warm.replace();
            run.log.say(
                "the warm Python interpreter stood still and did not tell its end; another one is started",
            );
        }
        run.exit = ended.exit;
        run.elapsed_millis = ended.at.millis_since(began);
        run.printed = reader.finish();
        run.last_words = last_words.text();
        attempt.hear(run);
        if !ended.leftovers.is_empty() && ended.forced.is_none() {
            let names: Vec<String> = ended.leftovers.into_iter().collect();
            run.log.say(&format!("left running by the test, and ended after it: {}", names.join(", ")));
        }
        if ended.output_is_held {
            run.log.say(
                "a process that left the test behind still holds its output; what it writes is not kept",
            );
        }
        run.forced = ended.forced.or_else(|| beyond_group(ready.group.as_deref(), run));
        run.log.flush().await;
    }

    async fn start(&self, ready: &Ready, outputs: Outputs) -> Result<(Running, Tree), Outcome> {
        match &ready.plan {
            Plan::Program { command, .. } => self.start_program(command, ready, outputs).await,
            Plan::Warm | Plan::Steps => self.start_warm(ready, outputs.output).await,
        }
    }

    async fn start_program(
        &self,
        command: &[std::ffi::OsString],
        ready: &Ready,
        outputs: Outputs,
    ) -> Result<(Running, Tree), Outcome> {
        let account = ready.tenant.as_ref().map(|tenant| tenant.account.as_ref());
        let (environment, folder, group) = (&ready.environment, ready.work.as_path(), ready.group.as_deref());
        let program = Program { command, environment, folder, account, group };
        let child = process::start(program, outputs)
            .await
            .map_err(|error| crate::runner::not_started(program, &ready.file, &error))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        self.tell_started(pid);
        let pid = pid.unwrap_or_default();
        process::limit(pid, self.station.settings.limits.process);
        Ok((Running::Child(Box::new(child)), self.tree(pid, ready)))
    }

    async fn start_warm(&self, ready: &Ready, output: OwnedFd) -> Result<(Running, Tree), Outcome> {
        let text = |value: &std::ffi::OsString| value.to_string_lossy().into_owned();
        let environment: std::collections::BTreeMap<String, String> =
            ready.environment.iter().map(|(name, value)| (text(name), text(value))).collect();
        let account = self.station.account(self.order.lane).and_then(|account| account.for_a_fork());
        let message = [
            ("account", json!(account)),
            ("group", json!(ready.group.as_ref().map(|group| group.way_in()))),
            ("file", json!(ready.file.to_string_lossy())),
            ("argv", json!(self.order.test.params)),
            ("env", json!(environment)),
            ("cwd", json!(ready.work.to_string_lossy())),
            ("inject", self.injected()),
        ];
        let message = message.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (events, mut inbox) = mpsc::unbounded_channel();
        self.station.warm.run(WarmRun { message, output, events }).await;
        let pid = match tokio::time::timeout(WARM_START_LIMIT, inbox.recv()).await {
            Ok(Some(crate::runner::warm::WarmEvent::Started { pid })) => pid,
            Ok(Some(crate::runner::warm::WarmEvent::Lost(reason))) => {
                let absent = matches!(self.station.warm.state_now(), WarmState::Absent(_));
                let verdict = if absent { Verdict::Invalid } else { Verdict::Aborted };
                return Err(Outcome::not_pass(verdict, Cause::Lab, DecidedBy::NotStarted, reason));
            }
            _ => {
                self.station.warm.replace();
                let reason = format!(
                    "the warm Python interpreter did not start it within {WARM_START_LIMIT:?}; another one is started"
                );
                return Err(Outcome::not_pass(Verdict::Aborted, Cause::Lab, DecidedBy::NotStarted, reason));
            }
        };
        self.tell_started(Some(pid));
        process::limit(pid, self.station.settings.limits.process);
        let account_is_own = self.station.accounts.is_none();
        let mut tree = self.tree(pid, ready);
        if self.station.settings.offer.lanes == 1 && account_is_own {
            tree = tree.forked_from(&self.station.warm_mark());
        }
        Ok((Running::Forked(inbox), tree))
    }

    fn tree(&self, pid: i32, ready: &Ready) -> Tree {
        Tree::new(pid, &[&self.station.mark(), &format!("JACKFIELD_ATTEMPT={}", self.order.attempt)])
            .all_of(self.station.account(self.order.lane))
            .in_group(ready.group.as_ref())
    }

    fn too_many(&self, tree: &Tree) -> Option<Outcome> {
        let most = self.station.settings.limits.process.count;
        tree.more_than(most).map(|count| {
            let reason = format!("it had {count} processes; limits.processes of ep.toml is {most}");
            Outcome::not_pass(Verdict::Fail, Cause::Test, DecidedBy::ProcessLimit { most }, reason)
        })
    }

    /// How the attempt ends, now that somebody outside wants it to; none where it is too late for what they want.
    pub(super) fn ended_from_outside(&mut self, run: &mut Run) -> Option<Outcome> {
        let end = self.end.borrow_and_update();
        run.is_stopped |= end.is_now();
        match &*end {
            End::Itself | End::TakenBack => None,
            End::With(outcome) => Some(outcome.clone()),
            End::Unwanted => {
                run.unwanted = true;
                let reason = "the engine did not want it any more";
                Some(Outcome::not_pass(Verdict::Aborted, Cause::Lab, DecidedBy::NotWanted, reason))
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
        let by = DecidedBy::TestLimit { millis: self.order.timeout_millis };
        if run.log.is_clear() {
            return Outcome::not_pass(Verdict::Timeout, Cause::Time, by, reason);
        }
        let reason = format!("{reason}; it waited for its output to be stored: the log spool is full");
        Outcome::not_pass(Verdict::Timeout, Cause::Lab, by, reason)
    }
}

/// How a test ends whose processes wanted more together than its group allows, whatever came of the one that began.
fn beyond_group(group: Option<&Group>, run: &mut Run) -> Option<Outcome> {
    let limit = group?.reached()?;
    let setting = limit.setting();
    let reason =
        format!("its processes wanted {limit} together; {setting} of [cgroup] in ep.toml allows no more");
    run.log.say(&reason);
    let by = DecidedBy::CgroupLimit { setting: setting.to_owned(), most: limit.most() };
    Some(Outcome::not_pass(Verdict::Fail, Cause::Test, by, reason))
}
