//! What pages and the API may look at, read only. A run that has ended is no longer here: it is in the store.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{
    api::{EpState, Waiting},
    event::{Hook, RunState},
    id::{AttemptId, EpName, Epoch, RunId, SuiteIndex, TestIndex, UserName},
    link::Notice,
    plan::PlannedTest,
    time::Time,
    verdict::{TestState, Verdict},
};

use crate::{
    Scheduler,
    effect::StopCause,
    event::EpOffer,
    part::Part,
    run::{Run, Stage},
};

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
    /// The run whose tests that did not pass it runs again.
    pub retry_of: Option<RunId>,
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
    /// What is wrong with it, as far as it has said.
    pub notices: Vec<Notice>,
}

impl Scheduler {
    /// A run; none where there is no such run or it has ended.
    pub fn run_view(&self, run: RunId) -> Option<RunView> {
        let run = self.runs.get(&run)?;
        Some(RunView {
            run: run.id(),
            project: run.plan.project.clone(),
            user: run.plan.user.clone(),
            state: run.row.state,
            submitted: run.row.submitted,
            started: run.row.started,
            stopped: run.row.stopped.clone(),
            tests: run.tests(),
            counts: run.counts.clone(),
            temporary: run.plan.options.temporary,
            retry_of: run.plan.options.retry_of,
            seq: run.row.seq,
        })
    }

    /// The runs that have not ended, oldest first.
    pub fn runs(&self) -> impl Iterator<Item = RunId> {
        self.runs.keys().copied()
    }

    /// One test of a run.
    pub fn test_view(&self, run: RunId, test: TestIndex) -> Option<TestView> {
        self.runs.get(&run)?.view(test)
    }

    /// All tests of a run, by number; empty where there is no such run or it has ended.
    pub fn test_views(&self, run: RunId) -> impl Iterator<Item = TestView> {
        let run = self.runs.get(&run);
        run.into_iter().flat_map(|run| (0..run.tests()).filter_map(|test| run.view(TestIndex(test))))
    }

    /// A test of a run as it was planned or queued.
    pub fn planned(&self, run: RunId, test: TestIndex) -> Option<&PlannedTest> {
        self.runs.get(&run)?.test(test)
    }

    /// What each waiting part and test of a run waits for.
    pub fn why(&self, run: RunId) -> Vec<Waiting> {
        let Some(run) = self.runs.get(&run) else { return Vec::new() };
        let hook = (!run.is_open() && run.row.started.is_some() && !run.pre_is_done())
            .then(|| waiting(format!("run {}", run.id()), self.script_waits_for(run, Hook::Pre)));
        let post = run
            .post_asked
            .then(|| waiting(format!("run {}", run.id()), self.script_waits_for(run, Hook::Post)));
        let parts = run.parts.iter().filter(|part| !part.ended).filter_map(|part| self.why_part(run, part));
        hook.into_iter().chain(post).chain(parts).collect()
    }

    /// What a run waits for of which nothing has a place on an EP that is connected; none where something has, or where
    /// its state says all.
    pub fn waits(&self, run: RunId) -> Option<Waiting> {
        let run = self.runs.get(&run).filter(|run| run.row.state != RunState::Paused)?;
        let mut open = run.parts.iter().filter(|part| !part.ended);
        let has_place =
            |part: &Part| part.place.as_ref().is_some_and(|place| self.bench.is_connected(&place.ep));
        if open.clone().any(has_place) {
            return None;
        }
        open.find_map(|part| self.why_part(run, part))
    }

    /// What so many of the runs wait for that wait as a whole, the oldest of them.
    pub fn all_waits(&self, most: usize) -> BTreeMap<RunId, Waiting> {
        let waits = self.runs.keys().filter_map(|run| Some((*run, self.waits(*run)?)));
        waits.take(most).collect()
    }

    fn script_waits_for(&self, run: &Run, hook: Hook) -> String {
        match run.script.as_ref().map(|script| &script.ep) {
            Some(ep) if self.bench.is_connected(ep) => format!("its {hook} script to end on {ep}"),
            Some(ep) => format!("{ep}, which is not connected, and its {hook} script there"),
            None => format!("its {hook} script to end"),
        }
    }

    fn why_part(&self, run: &Run, part: &Part) -> Option<Waiting> {
        let Some(place) = &part.place else {
            let names: Vec<_> = part.suites.iter().filter_map(|suite| run.plan.suite(*suite)).collect();
            let names: Vec<_> = names.iter().map(|suite| suite.name.as_ref()).collect();
            let (what, waits_for) = (names.join(", "), self.part_waits_for(part.key)?);
            let (wants, blockers) = self.blockers(part.key).unzip();
            return Some(Waiting { what, waits_for, wants, blockers: blockers.unwrap_or_default() });
        };
        let (_, head) = run
            .head(part)
            .or_else(|| part.flight.first().map(|flight| (run.position(flight.test), flight.test)))?;
        let away = !self.bench.is_connected(&place.ep);
        if away {
            return Some(waiting(run.title(head), format!("{}, which is not connected", place.ep)));
        }
        if run.row.state == RunState::Paused {
            return Some(waiting(run.title(head), "the run to be resumed".to_owned()));
        }
        if run.stage(head) == Some(Stage::Waiting) {
            let (_, on) = run.waits_for(head)?;
            return Some(waiting(run.title(head), format!("{} to end", run.title(on))));
        }
        if let Some(waiting) = self.why_stuck(run, part, &place.ep) {
            return Some(waiting);
        }
        part.held_back().then(|| waiting(run.title(head), format!("{} to answer", place.ep)))
    }

    /// A test that is with an EP which has said what keeps it from going on.
    fn why_stuck(&self, run: &Run, part: &Part, ep: &EpName) -> Option<Waiting> {
        let next = part.flight.first()?;
        let notices = &self.bench.eps.get(ep)?.notices;
        let told: Vec<_> = notices.iter().map(|notice| notice.text.as_str()).collect();
        (!told.is_empty()).then(|| waiting(run.title(next.test), format!("{ep}, which {}", told.join("; "))))
    }

    /// Every EP ever seen, by name.
    pub fn ep_view(&self) -> impl Iterator<Item = EpView> {
        self.bench.eps.values().map(|ep| {
            let parts: Vec<_> =
                ep.lanes.values().filter_map(|key| self.runs.get(&key.run)?.part(key.part)).collect();
            let running = parts.iter().flat_map(|part| {
                let started = part.flight.iter().filter(|flight| flight.started.is_some());
                started.map(|flight| AttemptId {
                    run: part.key.run,
                    test: flight.test,
                    attempt: flight.attempt,
                })
            });
            let runs: BTreeSet<_> = parts.iter().map(|part| part.key.run).collect();
            EpView {
                ep: ep.row.ep.clone(),
                state: match (ep.is_connected(), ep.row.drained, parts.is_empty()) {
                    (false, _, _) => EpState::Offline,
                    (true, true, _) => EpState::Draining,
                    (true, false, true) => EpState::Idle,
                    (true, false, false) => EpState::Busy,
                },
                epoch: ep.row.epoch,
                offer: ep.row.offer.clone(),
                gone: ep.row.gone,
                working: running.collect(),
                runs: runs.into_iter().collect(),
                notices: ep.notices.clone(),
            }
        })
    }

    /// Whether tests can be queued at the end of this suite; else why not, as a sentence.
    pub fn may_queue(&self, id: RunId, suite: SuiteIndex) -> Result<(), String> {
        let Some(run) = self.runs.get(&id) else {
            return Err(format!("run {id} has ended or does not exist"));
        };
        let Some(part) = run.suite(suite).map(|suite| suite.part) else {
            return Err(format!("run {id} has no suite {suite}"));
        };
        if run.stopped().is_some() {
            return Err(format!("run {id} is being stopped"));
        }
        match run.part(part) {
            Some(part) if !part.ended => Ok(()),
            _ => Err(format!("the part of run {id} with suite {suite} has ended")),
        }
    }
}

fn waiting(what: String, waits_for: String) -> Waiting {
    Waiting { what, waits_for, wants: None, blockers: Vec::new() }
}

impl Run {
    fn view(&self, test: TestIndex) -> Option<TestView> {
        let slot = self.slot(test)?;
        let state = match slot.stage {
            Stage::Pending | Stage::Sent => TestState::Pending,
            Stage::Waiting => TestState::Waiting,
            Stage::Started => TestState::Working,
            Stage::Ended(verdict) => TestState::Ended(verdict),
        };
        let waits = || self.waits_for(test).map(|(_, on)| format!("{} to end", self.title(on)));
        Some(TestView {
            test,
            state,
            waits_for: (state == TestState::Waiting).then(waits).flatten(),
            attempt: (slot.tries > 0).then(|| self.attempt(test, slot.tries)),
            ep: slot.ep.clone(),
        })
    }
}
