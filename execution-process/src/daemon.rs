//! The one task that owns what this EP was given, what it runs, and what it has to report.
//!
//! Everything else sends it [`Event`]s. After each batch of events it starts what may start, and sends what is
//! durable. It never waits for disk, network or a test.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jackfield_protocol::{
    id::{AttemptId, Epoch, RunId},
    link::{Assignment, EpToEngine, RunContext, Welcome},
    secret::Secret,
};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::limits::UNACKED_MAX;
use crate::{
    attempt::Said,
    clock::{self, Moment},
    event::{End, Event},
    job_table::JobTable,
    library::RunFiles,
    log_pump::LogEvent,
    process,
    spool::Spool,
    station::Station,
};
use calls::Calls;

mod calls;
mod farewell;
mod foreign;
mod heard;
mod notices;
mod reports;
mod runs;
pub(crate) mod scripts;
mod start;

/// Between two looks at what no event tells: the disk that was full, orphans that have died.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between two looks for dead orphans.
const REAP_TICKS: u64 = 5;

/// The daemon.
#[derive(Debug)]
pub(crate) struct Daemon {
    station: Arc<Station>,
    events: mpsc::UnboundedSender<Event>,
    logs: mpsc::UnboundedSender<LogEvent>,
    tasks: TaskTracker,
    jobs: JobTable,
    spool: Spool,
    runs: BTreeMap<RunId, Run>,
    active: BTreeMap<AttemptId, Active>,
    /// Attempts of an earlier life whose clean-ups run; here it is said how they are to end.
    past: BTreeMap<AttemptId, watch::Sender<End>>,
    guests: BTreeMap<Secret, AttemptId>,
    calls: Calls,
    notices: notices::Notices,
    scripts: scripts::Scripts,
    link: LinkState,
    /// The secret from which the secrets of attempts are made.
    secret: [u8; 32],
    /// The EP ends: nothing new is started.
    ending: bool,
    /// What is held is another engine's and ends; here it is said when it has.
    forgetting: Option<oneshot::Sender<()>>,
    dead: BTreeSet<i32>,
    ticks: u64,
    /// Folders taken out of the way so far.
    discarded: u64,
}

#[derive(Debug)]
struct Run {
    context: Arc<RunContext>,
    files: Arc<Mutex<RunFiles>>,
}

/// An attempt on a lane.
#[derive(Debug)]
struct Active {
    order: Arc<Assignment>,
    said: mpsc::Sender<Said>,
    end: watch::Sender<End>,
    token: Secret,
}

#[derive(Debug, Default)]
struct LinkState {
    epoch: Option<Epoch>,
    control: Option<mpsc::Sender<EpToEngine>>,
    heard: Option<Moment>,
    silence_millis: u64,
    /// Hello was said and Welcome not heard: who knows what the engine takes away.
    greeting: bool,
}

impl LinkState {
    /// Whether the engine was heard lately enough to start a test it may otherwise have given away.
    fn allows_starts(&self, now: Moment) -> bool {
        let heard = self.heard.is_some_and(|heard| now.millis_since(heard) < self.silence_millis);
        heard && !self.greeting
    }
}

impl Daemon {
    pub(crate) fn new(
        station: Arc<Station>,
        spool: Spool,
        events: mpsc::UnboundedSender<Event>,
        logs: mpsc::UnboundedSender<LogEvent>,
        secret: [u8; 32],
    ) -> Self {
        Self {
            station,
            events,
            logs,
            tasks: TaskTracker::new(),
            jobs: JobTable::default(),
            spool,
            runs: BTreeMap::new(),
            active: BTreeMap::new(),
            past: BTreeMap::new(),
            guests: BTreeMap::new(),
            calls: Calls::default(),
            notices: notices::Notices::default(),
            scripts: scripts::Scripts::default(),
            link: LinkState::default(),
            secret,
            ending: false,
            forgetting: None,
            dead: BTreeSet::new(),
            ticks: 0,
            discarded: 0,
        }
    }

    /// Works until `shutdown`, then ends what runs and says what came of it.
    pub(crate) async fn run(
        mut self,
        mut inbox: mpsc::UnboundedReceiver<Event>,
        shutdown: CancellationToken,
    ) {
        self.tell_what_stays();
        self.settle_past().await;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !shutdown.is_cancelled() {
            let wake = self.jobs.wake_at().map(|at| at.after(clock::moment()));
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                event = inbox.recv() => match event {
                    Some(event) => self.handle(event),
                    None => break,
                },
                () = tokio::time::sleep(wake.unwrap_or(TICK)), if wake.is_some() => {}
                _ = tick.tick() => self.tick(),
            }
            while let Ok(event) = inbox.try_recv() {
                self.handle(event);
            }
            self.advance();
        }
        self.farewell(inbox).await;
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::LinkGreets { answer } => {
                self.link.greeting = true;
                let _ = answer.send(self.possession());
            }
            Event::LinkUp { welcome, control } => self.link_up(*welcome, control),
            Event::LinkHeard { epoch, message, place } => {
                self.link_heard(epoch, *message);
                drop(place);
            }
            Event::LinkDown => self.link_down(),
            Event::Forget { done } => self.begin_to_forget(done),
            Event::Synced(synced) => self.spool.durable(&synced),
            Event::Beginning { attempt, written } => {
                self.spool.beginning(attempt, clock::wall());
                let _ = written.send(());
            }
            Event::Started { attempt, at, pid } => self.started(attempt, at, pid),
            Event::CleanupAsked { attempt, cleanup, kept } => {
                self.spool.cleanup(attempt, cleanup);
                // Nobody waits for it any more where the test has ended.
                let _ = kept.send(());
            }
            Event::StepsBegun { attempt } => self.steps_begun(attempt),
            Event::StepLearned { attempt, name, value } => self.spool.learned(attempt, name, value),
            Event::Finished { attempt, finish } => self.finished(attempt, finish),
            Event::Settled { ended } => self.settled(ended),
            Event::Hello { token, answer } => {
                let _ = answer.send(self.guest(&token));
            }
            Event::Question { attempt, question, answer } => self.ask(attempt, question, answer),
            Event::Say(message) => self.say(message),
            Event::ScriptStarted { run, hook, pid } => self.spool.script_process((run, hook), pid),
            Event::ScriptEnded(ended) => self.script_ended(*ended),
            Event::LogSpool { trouble } => self.notices.set(notices::LOG_SPOOL, trouble),
            Event::LogsAbandoned { attempt, bytes } => {
                tracing::warn!(attempt.id = %attempt, "{bytes} bytes of its logs are lost");
            }
        }
    }

    /// Starts what may start and sends what is durable.
    fn advance(&mut self) {
        self.forget_what_has_ended();
        self.start_what_may();
        self.send_reports();
        self.tell_notices();
    }

    fn tick(&mut self) {
        self.ticks = self.ticks.saturating_add(1);
        if self.spool.trouble().is_some() && self.spool.retry() {
            tracing::info!("the spool can be written again");
        }
        if self.ticks.is_multiple_of(REAP_TICKS) {
            process::reap_strangers(&mut self.dead);
        }
    }

    fn link_up(&mut self, welcome: Welcome, control: mpsc::Sender<EpToEngine>) {
        self.link = LinkState {
            epoch: Some(welcome.epoch),
            control: Some(control),
            heard: Some(clock::moment()),
            silence_millis: welcome.silence_millis,
            greeting: false,
        };
        self.spool.connected(welcome.acked_seq);
        let removed = self.jobs.keep(&welcome.keep);
        let past = self.past.keys().filter(|attempt| !welcome.keep.contains(attempt)).copied();
        for attempt in removed.current.into_iter().chain(past) {
            self.end(attempt, End::Unwanted);
        }
        for message in self.calls.again() {
            self.say(message);
        }
    }

    fn link_down(&mut self) {
        self.link.control = None;
        self.link.epoch = None;
        self.link.greeting = false;
        self.calls.disconnected();
    }

    /// Says something to the engine; what cannot be said now is said again after the next welcome, where it matters.
    fn say(&mut self, message: EpToEngine) {
        let Some(control) = &self.link.control else { return };
        if let Err(mpsc::error::TrySendError::Full(_)) = control.try_send(message) {
            tracing::warn!("the connection does not move; it is given up");
            self.link.control = None;
        }
    }

    fn send_reports(&mut self) {
        if self.link.control.is_none() {
            return;
        }
        for (seq, report) in self.spool.take_ready() {
            self.say(EpToEngine::Report { seq, report });
        }
    }

    /// Wants an attempt to end that is on a lane, or whose clean-ups run.
    fn end(&self, attempt: AttemptId, end: End) {
        if let Some(there) = self.active.get(&attempt).map(|active| &active.end).or(self.past.get(&attempt)) {
            there.send_replace(end);
        }
    }
}
