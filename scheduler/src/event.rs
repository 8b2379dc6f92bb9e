//! Everything that can happen to the scheduler.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    event::{Fact, Hook},
    id::{AttemptId, EpName, Epoch, RunId, SuiteIndex, TestIndex, UserName},
    link::{Ended, Held},
    plan::{PlannedTest, RunPlan},
    time::Time,
    verdict::Outcome,
};

/// A fact from outside. What comes late, twice or from a stale connection is dropped in one place: by attempt and epoch.
#[derive(Clone, Debug)]
pub enum Event {
    /// A validated plan was accepted under this number.
    RunSubmitted { run: RunId, plan: Arc<RunPlan> },
    /// A script around the run ended.
    HookEnded { run: RunId, hook: Hook, outcome: Outcome, output: String },
    /// Start nothing more until resumed.
    RunPaused { run: RunId, by: UserName },
    /// Go on.
    RunResumed { run: RunId, by: UserName },
    /// End it early.
    RunStopped { run: RunId, by: UserName, reason: String },
    /// Add tests at the end of a suite; they get the numbers after the last.
    TestsQueued { run: RunId, suite: SuiteIndex, tests: Vec<PlannedTest>, by: UserName },
    /// Take tests that have not started out of the run: they end SKIPPED.
    TestsDequeued { run: RunId, tests: Vec<TestIndex>, by: UserName },
    /// An EP said hello on a new connection.
    EpConnected { ep: EpName, epoch: Epoch, offer: EpOffer, held: Vec<Held> },
    /// A connection ended, by closing or by silence.
    EpGone { ep: EpName, epoch: Epoch },
    /// Give an EP no further work, or again.
    EpDrained { ep: EpName, drained: bool },
    /// An attempt's process was started.
    AttemptStarted { ep: EpName, epoch: Epoch, attempt: AttemptId, at: Time },
    /// An attempt ended.
    AttemptEnded { ep: EpName, epoch: Epoch, ended: Box<Ended> },
    /// Attempts that were to be taken back were not started, and will not be.
    AttemptsReturned { ep: EpName, epoch: Epoch, attempts: Vec<AttemptId> },
    /// Something to be recorded in the run's events that decides nothing: a question, its answer, a note.
    Noted { run: RunId, fact: Fact },
    /// Time has passed; said when [`crate::Scheduler::deadline`] is reached.
    Tick,
}

/// What an EP brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpOffer {
    /// For placing suites.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// What it can run and drive.
    pub capabilities: Vec<Arc<str>>,
    /// How many tests it runs at once.
    pub lanes: u16,
    /// Whose work it takes; none means anybody's.
    pub pool: Option<UserName>,
}
