//! Everything the scheduler can want done, in the order in which it must be done: store, send, publish, enqueue.

use std::sync::Arc;

use jackfield_protocol::{
    attempt::AttemptEnd,
    event::{Hook, RunEvent, RunState},
    id::{AttemptId, EpName, Epoch, LeaseId, RunId, SuiteIndex, TestIndex, UserName},
    link::EngineToEp,
    plan::{PlannedTest, RunPlan},
    time::Time,
    verdict::Outcome,
};
use jackfield_resource_allocator::book::{Health, Lease, Refusal};

/// What one or more events led to.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Rows to write, in one transaction, before anything else is done; the last write of a key wins.
    pub store: Vec<Row>,
    /// Messages to EPs; one for a connection that is gone is dropped.
    pub send: Vec<ToEp>,
    /// Events to store with the rows and then show.
    pub publish: Vec<RunEvent>,
    /// Work for later: durable, at least once.
    pub enqueue: Vec<Job>,
    /// After [`crate::Event::EpConnected`]: the held attempts that go on (`Welcome.keep`). The Welcome with them goes
    /// out before anything in `send`. None after any other event, and where the connection was stale.
    pub welcome: Option<Vec<AttemptId>>,
    /// After [`crate::Event::Lease`]: the lease that the wish is about now, or why it was not met. None after any other
    /// event.
    pub answer: Option<Result<LeaseId, Refusal>>,
}

/// A message to the EP behind one connection.
#[derive(Clone, Debug)]
pub struct ToEp {
    /// The EP.
    pub ep: EpName,
    /// The connection it is meant for.
    pub epoch: Epoch,
    /// What to say.
    pub message: EngineToEp,
}

/// Work that others do after the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// Run a script around a run on the engine's host and answer with [`crate::Event::HookEnded`].
    RunHook {
        /// Which run.
        run: RunId,
        /// Before or after.
        hook: Hook,
        /// What to run: a path on the engine's host.
        path: Arc<str>,
    },
    /// The run is over: write its files, insert its results, send its mail, compress its logs.
    FinishRun {
        /// Which run.
        run: RunId,
    },
}

/// A row of the store; each kind is a table, each has a key, and writing it again replaces it.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// Key: run. Written once, before anything else of the run.
    Plan {
        /// Which run.
        run: RunId,
        /// Expanded, with nothing left to look up.
        plan: Arc<RunPlan>,
    },
    /// Key: run.
    Run(RunRow),
    /// Key: run and first test. Tests queued while the run ran, in order.
    Queued {
        /// Which run.
        run: RunId,
        /// The number of the first of them.
        first: TestIndex,
        /// Which.
        tests: Vec<PlannedTest>,
    },
    /// Key: run and part.
    Part(PartRow),
    /// Key: attempt.
    Attempt(Box<AttemptRow>),
    /// Key: number of the lease. The last one written says how it ended.
    Lease(Box<Lease>),
    /// Key: the id of a node. One that is sound is not kept.
    Health(Box<Health>),
    /// Key: EP.
    Ep(EpRow),
}

/// Everything of a run that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its number.
    pub run: RunId,
    /// Where it stands.
    pub state: RunState,
    /// When it was accepted.
    pub submitted: Time,
    /// When it began (its pre script, or its first test).
    pub started: Option<Time>,
    /// When it ended.
    pub ended: Option<Time>,
    /// Why it is being or was stopped.
    pub stopped: Option<StopCause>,
    /// When it was paused; time limits of the run and its suites do not count these.
    pub pauses: Vec<Pause>,
    /// How its pre script ended, if it has.
    pub pre: Option<Outcome>,
    /// How its post script ended, if it has.
    pub post: Option<Outcome>,
    /// The newest event.
    pub seq: u64,
}

/// A time in which a run started nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Its beginning.
    pub from: Time,
    /// Its end; none while it lasts.
    pub until: Option<Time>,
}

/// Why a run ends early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopCause {
    /// Who; none for a limit or a failed pre script.
    pub by: Option<UserName>,
    /// A sentence.
    pub reason: String,
    /// When.
    pub at: Time,
    /// Who wanted it ended without teardown and post script; none for a stop that cleans up.
    pub at_once: Option<UserName>,
}

/// The part of a run that stays together on one EP: the suites of a named EP, or one suite that any EP may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartRow {
    /// The run.
    pub run: RunId,
    /// From 0 in each run.
    pub part: u32,
    /// Its top-level suites, in document order.
    pub suites: Vec<SuiteIndex>,
    /// The EP it was given to, and the lane there.
    pub place: Option<(EpName, u16)>,
    /// Whether all its tests have their verdict.
    pub ended: bool,
}

/// One try of a test, or, with number 0, a verdict that needed none.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptRow {
    /// Which; number 0 where no EP was asked.
    pub attempt: AttemptId,
    /// The EP it was sent to.
    pub ep: Option<EpName>,
    /// How far it is.
    pub state: AttemptState,
    /// When it was sent, or decided.
    pub assigned: Time,
    /// When it started, by the EP's clock.
    pub started: Option<Time>,
    /// How its test ends if its EP gives it back unstarted; none where it is then sent again, and of one that has ended.
    pub wanted: Option<Outcome>,
    /// Its end, once it has ended.
    pub end: Option<AttemptEnd>,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// Sent to the EP.
    Assigned,
    /// Its process runs.
    Started,
    /// It has its outcome.
    Ended,
    /// It was taken back, or its EP was given up before it started; another attempt follows.
    Returned,
}

/// What the scheduler remembers of an EP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpRow {
    /// Its name.
    pub ep: EpName,
    /// Its newest connection.
    pub epoch: Epoch,
    /// What it brings.
    pub offer: crate::event::EpOffer,
    /// Takes no further work.
    pub drained: bool,
    /// Who said so; none where it takes work, or that was not written down.
    pub drained_by: Option<UserName>,
    /// Since when it is not connected; none while it is.
    pub gone: Option<Time>,
}
