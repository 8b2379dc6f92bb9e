//! Everything that can happen to the scheduler.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    event::{Fact, Hook},
    id::{AttemptId, EpName, Epoch, LeaseId, RunId, SuiteIndex, SutName, TestIndex, UserName},
    link::{Ended, Held, HeldScript, Notice, ScriptEnded},
    plan::{PlannedTest, RunPlan},
    time::Time,
    verdict::Outcome,
};
use jackfield_resource_allocator::{
    ResourceId,
    book::{Choice, Judgement, Moved, Spot, Upkeep, Who, Wish},
};

/// A fact from outside. What comes late, twice or from a stale connection is dropped in one place: by attempt and epoch.
#[derive(Clone, Debug)]
pub enum Event {
    /// A validated plan was accepted under this number.
    RunSubmitted {
        /// Which run.
        run: RunId,
        /// Expanded, with nothing left to look up.
        plan: Arc<RunPlan>,
    },
    /// A script around the run ended on the engine's host.
    HookEnded {
        /// Which run.
        run: RunId,
        /// Before or after.
        hook: Hook,
        /// How it ended.
        outcome: Outcome,
        /// What it printed, cut at a limit.
        output: String,
    },
    /// Start nothing more until resumed.
    RunPaused {
        /// Which run.
        run: RunId,
        /// Who.
        by: UserName,
    },
    /// Go on.
    RunResumed {
        /// Which run.
        run: RunId,
        /// Who.
        by: UserName,
    },
    /// End it early.
    RunStopped {
        /// Which run.
        run: RunId,
        /// Who.
        by: UserName,
        /// Why; may be empty.
        reason: String,
        /// Without teardown and post script. Said of a run that is being stopped already, it ends these.
        at_once: bool,
    },
    /// Add tests at the end of a suite; they get the numbers after the last.
    TestsQueued {
        /// Which run.
        run: RunId,
        /// Where.
        suite: SuiteIndex,
        /// In the order of running.
        tests: Vec<PlannedTest>,
        /// Who.
        by: UserName,
    },
    /// Take tests that have not started out of the run: they end SKIPPED.
    TestsDequeued {
        /// Which run.
        run: RunId,
        /// Which.
        tests: Vec<TestIndex>,
        /// Who.
        by: UserName,
    },
    /// An EP said hello on a new connection.
    EpConnected {
        /// Which EP.
        ep: EpName,
        /// The connection.
        epoch: Epoch,
        /// What it brings.
        offer: EpOffer,
        /// What it still has from before.
        held: Vec<Held>,
        /// Runs that are open there.
        runs: Vec<RunId>,
        /// Scripts around runs whose end it has not seen acknowledged.
        scripts: Vec<HeldScript>,
        /// It does not know any more what it did: what it does not hold may have run.
        records_lost: bool,
    },
    /// A connection ended, by closing or by silence.
    EpGone {
        /// Which EP.
        ep: EpName,
        /// The connection.
        epoch: Epoch,
    },
    /// An EP says everything that is wrong with it now.
    EpNotices {
        /// Which EP.
        ep: EpName,
        /// The connection.
        epoch: Epoch,
        /// By code, each once.
        notices: Vec<Notice>,
    },
    /// Give an EP no further work, or again.
    EpDrained {
        /// Which EP.
        ep: EpName,
        /// Whether it takes nothing new.
        drained: bool,
        /// Who wants it.
        by: UserName,
    },
    /// An attempt's process was started.
    AttemptStarted {
        /// Which EP.
        ep: EpName,
        /// The connection.
        epoch: Epoch,
        /// Which attempt.
        attempt: AttemptId,
        /// When, by the EP's clock.
        at: Time,
    },
    /// An attempt ended.
    AttemptEnded {
        /// Which EP.
        ep: EpName,
        /// The connection.
        epoch: Epoch,
        /// How.
        ended: Box<Ended>,
    },
    /// A script around a run has ended on an EP.
    ScriptEnded {
        /// Which EP.
        ep: EpName,
        /// The connection.
        epoch: Epoch,
        /// How.
        ended: Box<ScriptEnded>,
    },
    /// Attempts that were to be taken back were not started, and will not be.
    AttemptsReturned {
        /// Which EP.
        ep: EpName,
        /// The connection.
        epoch: Epoch,
        /// Which attempts.
        attempts: Vec<AttemptId>,
    },
    /// Somebody wishes something of a lease, or a new one.
    Lease {
        /// Which; of no meaning where a new one is asked for.
        lease: LeaseId,
        /// Who.
        who: Who,
        /// What.
        wish: Wish,
    },
    /// What all SUTs link to now.
    SutsLinked {
        /// The nodes of each SUT that links to any.
        links: BTreeMap<SutName, Arc<[Spot]>>,
    },
    /// Resources have other places, or other names; or are not there any more.
    Replaced {
        /// Those that have another place.
        moved: Vec<Moved>,
        /// Those that are gone with all that was in them, where they were.
        gone: Vec<Spot>,
        /// Who did it.
        by: UserName,
    },
    /// What fits the needs that somebody waits for ([`crate::Scheduler::needs`]), as the tree is now.
    NeedsFit {
        /// By the text of the needs.
        choices: BTreeMap<Arc<str>, Arc<Choice>>,
    },
    /// How the lab looks after its resources, as tree and settings say now.
    Upkept {
        /// All of it.
        upkeep: Upkeep,
    },
    /// A person says how fit a resource is.
    Judged {
        /// Which.
        spot: Spot,
        /// How fit.
        judgement: Judgement,
        /// Who.
        by: UserName,
    },
    /// Resources are not there any more.
    Forgotten {
        /// Which.
        nodes: Vec<ResourceId>,
    },
    /// Something to be recorded in the run's events that decides nothing: a question, its answer, a note.
    Noted {
        /// Which run.
        run: RunId,
        /// What to record.
        fact: Fact,
    },
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
