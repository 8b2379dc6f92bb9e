//! One try of one test: its files are put in place, its process is started, watched and ended, what it left is cleaned
//! up, and its end is told to the daemon. One task each; a test never has a thread.

use std::sync::Arc;

use jackfield_protocol::{
    link::{Assignment, Ended, Part, RunContext},
    log::Stream,
    secret::Secret,
    time::Time,
    verdict::{Cause, DecidedBy, Outcome, Verdict},
};
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use crate::{
    capture::{LogWriter, PanicWatch},
    clock,
    event::{End, Event},
    library::RunFiles,
    limits::CLEANUPS_MAX,
    packet_capture,
    process::Exit,
    results::Cases,
    station::Station,
};
pub(crate) use story::{Said, Story};

mod environment;
mod finish;
mod judge;
pub(crate) mod left;
mod limit;
mod plain;
mod prepare;
mod steps;
mod story;
mod watch_process;

/// The property of a test that names an interface, and a filter, whose packets are kept with it.
const CAPTURE_PROPERTY: &str = "capture";

/// What becomes of an attempt that was on a lane.
#[derive(Debug)]
pub(crate) enum Finish {
    /// It has its verdict.
    Ended(Box<Ended>),
    /// It was not started and never will be: the engine took it back.
    Returned,
    /// It is gone; nothing is to be said of it.
    Dropped,
}

/// An attempt and everything it needs.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) order: Arc<Assignment>,
    pub(crate) context: Arc<RunContext>,
    pub(crate) files: Arc<Mutex<RunFiles>>,
    pub(crate) station: Arc<Station>,
    /// Its secret on the local socket.
    pub(crate) token: Secret,
    /// What the test says on the local socket.
    pub(crate) said: mpsc::Receiver<Said>,
    /// How it is to end.
    pub(crate) end: watch::Receiver<End>,
    pub(crate) events: mpsc::UnboundedSender<Event>,
}

/// What is known of an attempt when its process is gone.
#[derive(Debug)]
struct Run {
    log: LogWriter,
    story: Story,
    exit: Exit,
    /// The end of what it printed.
    last_words: String,
    /// The tests inside it, where it printed them.
    printed: Option<Cases>,
    /// What the engine, a limit or a pattern ended it with; goes before all the test says.
    forced: Option<Outcome>,
    elapsed_millis: u64,
    cleanups: Vec<Part>,
    /// The engine does not want it any more: nothing is reported.
    unwanted: bool,
    /// Somebody outside wanted its end.
    is_stopped: bool,
}

impl Run {
    fn new(attempt: &Attempt) -> Self {
        Self {
            log: LogWriter::new(attempt.order.attempt, attempt.station.chunks.clone()),
            story: Story::default(),
            exit: Exit::None,
            last_words: String::new(),
            printed: None,
            forced: None,
            elapsed_millis: 0,
            cleanups: Vec::new(),
            unwanted: false,
            is_stopped: false,
        }
    }
}

/// Carries an attempt to its end.
pub(crate) async fn run(mut attempt: Attempt) {
    let finish = attempt.carry_out().await;
    let event = Event::Finished { attempt: attempt.order.attempt, finish };
    // The daemon outlives its attempts; were it gone, the next life of this EP reports the attempt.
    let _ = attempt.events.send(event);
}

impl Attempt {
    async fn carry_out(&mut self) -> Finish {
        let mut run = Run::new(self);
        let ready = match self.prepare().await {
            Ok(ready) => ready,
            Err(prepare::NotReady::Invalid(outcome)) => {
                run.log.say(&outcome.reason);
                run.forced = Some(outcome);
                return self.ended(run, None).await;
            }
            Err(prepare::NotReady::TakenBack) => return Finish::Returned,
            Err(prepare::NotReady::Unwanted) => return Finish::Dropped,
        };
        let mut panics = self.panic_watch(&mut run.log);
        match self.start_capture().await {
            Ok(()) => self.run_plan(&ready, &mut run, panics.as_mut()).await,
            Err(outcome) => {
                run.log.say(&outcome.reason);
                run.forced = Some(outcome);
            }
        }
        self.clean_up(&ready, &mut run).await;
        let unwanted = run.unwanted;
        // Nothing of the test's is to be there any more when what it named is taken.
        let had_programs = self.station.sessions.close_programs(self.order.attempt).await;
        if let Some(tenant) = ready.tenant.as_ref().filter(|_| had_programs) {
            tenant.account.end_all().await;
        }
        if let Some(group) = &ready.group {
            group.end().await;
        }
        let finish = self.ended(run, Some(&ready)).await;
        self.station.work_folders.give_back(&ready.work, ready.tenant.as_ref()).await;
        if unwanted { Finish::Dropped } else { finish }
    }

    /// Begins to write down the packets that the test's property asks for: without them, it would not show what it is to show.
    async fn start_capture(&self) -> Result<(), Outcome> {
        let Some(wanted) = self.order.test.properties.get(CAPTURE_PROPERTY) else { return Ok(()) };
        let wanted = packet_capture::Wanted::of_property(wanted);
        let started = self.station.captures.start(self.order.attempt, wanted).await;
        started.map(drop).map_err(|problem| {
            Outcome::not_pass(Verdict::Invalid, Cause::Lab, DecidedBy::NotStarted, problem.title)
        })
    }

    fn panic_watch(&self, log: &mut LogWriter) -> Option<PanicWatch> {
        if !self.order.test.panic_detect || self.context.panic_patterns.is_empty() {
            return None;
        }
        let (watch, bad) = PanicWatch::new(&self.context.panic_patterns);
        bad.iter().for_each(|line| log.say(line));
        Some(watch)
    }

    /// Waits until it stands in the spool that the test is about to begin: whatever dies from here on, it is not begun a second time unnoticed.
    async fn begin(&self) {
        let (written, is_written) = oneshot::channel();
        let _ = self.events.send(Event::Beginning { attempt: self.order.attempt, written });
        // The daemon outlives its attempts.
        let _ = is_written.await;
    }

    /// Says that the test has begun.
    fn tell_started(&self, pid: Option<i32>) -> Time {
        let at = clock::wall();
        let _ = self.events.send(Event::Started { attempt: self.order.attempt, at, pid });
        at
    }

    /// Takes in what the test said, up to now.
    fn hear(&mut self, run: &mut Run) {
        while let Ok(said) = self.said.try_recv() {
            self.take(said, run);
        }
    }

    fn take(&self, said: Said, run: &mut Run) {
        match said {
            Said::Log { stream, text } => run.log.write(stream, text.as_bytes()),
            Said::Cleanup { .. } if run.story.cleanups.len() >= CLEANUPS_MAX => {
                run.log.say(&format!("more than {CLEANUPS_MAX} clean-ups of one test are not kept"));
            }
            Said::Cleanup { cleanup, kept } => {
                let attempt = self.order.attempt;
                let _ = self.events.send(Event::CleanupAsked { attempt, cleanup: cleanup.clone(), kept });
                run.story.cleanups.push(cleanup);
            }
            said @ (Said::Result { .. }
            | Said::Part(_)
            | Said::Variable { .. }
            | Said::Artifact { .. }
            | Said::Refused { .. }) => {
                if let Err(refused) = run.story.take(said) {
                    run.log.write(Stream::Ep, format!("{refused}\n").as_bytes());
                }
            }
        }
    }
}
