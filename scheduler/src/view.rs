//! What pages and the API may look at, read only. A run that has ended is no longer here: it is in the store.

use std::collections::BTreeMap;

use jackfield_protocol::{
    api::{EpState, Waiting},
    event::RunState,
    id::{AttemptId, EpName, Epoch, RunId, TestIndex, UserName},
    time::Time,
    verdict::{TestState, Verdict},
};

use crate::{Scheduler, effect::StopCause, event::EpOffer};

/// A run that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunView {
    /// Its number.
    pub run: RunId,
    /// The project's name.
    pub project: String,
    /// Who started it.
    pub user: UserName,
    /// Where it stands.
    pub state: RunState,
    /// When it was accepted.
    pub submitted: Time,
    /// When it began.
    pub started: Option<Time>,
    /// Why it is being stopped.
    pub stopped: Option<StopCause>,
    /// Tests in it, queued ones included.
    pub tests: u32,
    /// How many have ended how.
    pub counts: BTreeMap<Verdict, u32>,
    /// Whether it leaves no trace.
    pub temporary: bool,
    /// The newest event.
    pub seq: u64,
}

/// A test of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestView {
    /// Its number in the run.
    pub test: TestIndex,
    /// Where it stands.
    pub state: TestState,
    /// What it waits for, while it waits.
    pub waits_for: Option<String>,
    /// The latest attempt that was sent to an EP.
    pub attempt: Option<AttemptId>,
    /// Where that was.
    pub ep: Option<EpName>,
}

/// An EP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpView {
    /// Its name.
    pub ep: EpName,
    /// Whether it is connected, and takes work.
    pub state: EpState,
    /// Its newest connection.
    pub epoch: Epoch,
    /// What it brings.
    pub offer: EpOffer,
    /// Since when it is not connected; none while it is.
    pub gone: Option<Time>,
    /// What it runs now, as far as it has said.
    pub working: Vec<AttemptId>,
    /// The runs that hold a lane of it.
    pub runs: Vec<RunId>,
}

impl Scheduler {
    /// A run; none where there is no such run or it has ended.
    pub fn run_view(&self, _run: RunId) -> Option<RunView> {
        None
    }

    /// The runs that have not ended, oldest first.
    pub fn runs(&self) -> impl Iterator<Item = RunId> {
        std::iter::empty()
    }

    /// One test of a run.
    pub fn test_view(&self, _run: RunId, _test: TestIndex) -> Option<TestView> {
        None
    }

    /// All tests of a run, by number; empty where there is no such run or it has ended.
    pub fn test_views(&self, _run: RunId) -> impl Iterator<Item = TestView> {
        std::iter::empty()
    }

    /// What each waiting part and test of a run waits for.
    pub fn why(&self, _run: RunId) -> Vec<Waiting> {
        Vec::new()
    }

    /// Every EP ever seen, by name.
    pub fn ep_view(&self) -> impl Iterator<Item = EpView> {
        std::iter::empty()
    }

    /// Whether tests can be queued at the end of this suite; else why not, as a sentence.
    pub fn may_queue(&self, run: RunId, _suite: jackfield_protocol::id::SuiteIndex) -> Result<(), String> {
        Err(format!("run {run} has ended or does not exist"))
    }
}
