//! What every document is made from: the plan of a run, and how each of its tests ended.
//!
//! The shell fills [`Results`] from its store once and hands the same value to every report. Tests stand in plan order,
//! so a document of 100,000 tests is one walk over two lists.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    api::RunSummary,
    attempt::AttemptEnd,
    id::{AttemptId, EpName, SuiteIndex, TestIndex},
    link::{Host, Part},
    log::Stream,
    plan::{PlannedSuite, PlannedTest, Role, RunPlan},
    time::Time,
    verdict::{Cause, DecidedBy, Outcome, TestState, Verdict},
};

/// A run with everything a report can say about it.
#[derive(Clone, Debug)]
pub struct Results {
    /// Number, project, user, state and times. Its counts are not used: reports count what they show.
    pub run: RunSummary,
    /// What was to be done. Tests queued while it ran stand at the end of its list of tests.
    pub plan: Arc<RunPlan>,
    /// One for each test of the plan, in its order; tests beyond the end of the list have not ended.
    pub tests: Vec<TestResult>,
    /// The machines of the EPs that ran tests.
    pub hosts: BTreeMap<EpName, Host>,
    /// The engine that ran it.
    pub engine: EngineFacts,
    /// Why the run ended early, where it did: `stopped by ana: wrong branch`.
    pub stopped: Option<String>,
    /// How the pre script ended, where there was one.
    pub pre: Option<Outcome>,
    /// How the post script ended, where there was one.
    pub post: Option<Outcome>,
}

/// What a report says of the engine (`twister_ce_*`, `twister_server_location`, `twister_rf_fname`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineFacts {
    /// The build: `jackfield 0.1.0`.
    pub software: String,
    /// `production`, `development` or `no_type`.
    pub server_type: String,
    /// Where it stands, in the lab's own words.
    pub location: String,
    /// Operating system and release.
    pub os: String,
    /// Name of the machine.
    pub hostname: String,
    /// Its address.
    pub ip: String,
    /// Version of the Python on it; empty where there is none.
    pub python: String,
    /// Name of its time zone, as people know it: `Europe/Bucharest`.
    pub timezone: String,
    /// What the clocks of that zone were ahead of UTC when the run started. Local times in SQL and mail use it.
    pub utc_offset_secs: i32,
    /// The file the resource tree came from.
    pub resources_file: String,
    /// Address of its pages, without a slash at the end, for links; empty where it is not known.
    pub url: String,
}

/// How a test ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestResult {
    /// Its end; none while it has none.
    pub outcome: Option<Outcome>,
    /// Its tries in order, without those that were taken back before they started; the last one gave the outcome.
    /// Empty where the engine decided without asking an EP.
    pub attempts: Vec<AttemptResult>,
    /// When a test without a try got its outcome.
    pub decided: Option<Time>,
    /// `title`, `description`, `revision` and other tags of the test's source, where the shell has read them.
    pub tags: BTreeMap<Arc<str>, Arc<str>>,
}

/// One try of a test on one EP.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptResult {
    /// Which.
    pub attempt: AttemptId,
    /// Where.
    pub ep: EpName,
    /// When it started, by the EP's clock.
    pub started: Option<Time>,
    /// Its end; none while it runs.
    pub end: Option<AttemptEnd>,
}

static NO_VARIABLES: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();

impl AttemptResult {
    /// How it ended; none while it runs.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.end.as_ref().map(|end| &end.outcome)
    }

    /// How long its process lived; 0 while it does.
    pub fn elapsed_millis(&self) -> u64 {
        self.end.as_ref().map_or(0, |end| end.elapsed_millis)
    }

    /// The exit status of its process.
    pub fn exit_code(&self) -> Option<i32> {
        self.end.as_ref().and_then(|end| end.exit_code)
    }

    /// The tests inside it.
    pub fn parts(&self) -> &[Part] {
        self.end.as_ref().map_or(&[], |end| &end.parts)
    }

    /// Clean-ups after it.
    pub fn cleanups(&self) -> &[Part] {
        self.end.as_ref().map_or(&[], |end| &end.cleanups)
    }

    /// Custom variables it set.
    pub fn variables(&self) -> &BTreeMap<Arc<str>, Arc<str>> {
        self.end.as_ref().map_or(&NO_VARIABLES, |end| &end.variables)
    }

    /// How long one of its logs is to be, as its EP said at its end; some of it may still be on its way.
    pub fn log_bytes(&self, stream: Stream) -> Option<u64> {
        self.end.as_ref().and_then(|end| end.log_bytes.get(&stream).copied())
    }
}

/// A test of the plan beside its result.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Its place in the run.
    pub index: TestIndex,
    /// What was planned.
    pub test: &'a PlannedTest,
    /// How it ended.
    pub result: &'a TestResult,
}

static NOT_ENDED: TestResult =
    TestResult { outcome: None, attempts: Vec::new(), decided: None, tags: BTreeMap::new() };

impl Results {
    /// Every test of the plan in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let results = self.tests.iter().chain(std::iter::repeat(&NOT_ENDED));
        (0..).zip(self.plan.tests.iter().zip(results)).map(|(index, (test, result))| Row {
            index: TestIndex(index),
            test,
            result,
        })
    }

    /// One test; none for an index that is not of the plan.
    pub fn row(&self, index: TestIndex) -> Option<Row<'_>> {
        let test = self.plan.test(index)?;
        let result = usize::try_from(index.0).ok().and_then(|at| self.tests.get(at)).unwrap_or(&NOT_ENDED);
        Some(Row { index, test, result })
    }

    /// The names of the suites around a suite and its own, from the outside in.
    pub fn suite_path(&self, suite: SuiteIndex) -> Vec<&str> {
        let mut path: Vec<&str> = self.plan.suite_chain(suite).map(|(_, suite)| &*suite.name).collect();
        path.reverse();
        path
    }

    /// The suite of a test.
    pub fn suite_of(&self, row: Row<'_>) -> Option<&PlannedSuite> {
        self.plan.suite(row.test.suite)
    }

    /// Where the run's page is; none where the engine's address is not known.
    pub fn link(&self) -> Option<String> {
        let url = &self.engine.url;
        (!url.is_empty()).then(|| format!("{url}/runs/{}", self.run.id))
    }

    /// Where the page of a test is; none as there.
    pub fn link_to(&self, test: TestIndex) -> Option<String> {
        self.link().map(|run| format!("{run}/tests/{test}"))
    }

    /// From the first test to the end of the run; 0 where that is not known.
    pub fn elapsed_millis(&self) -> u64 {
        match (self.run.started, self.run.ended) {
            (Some(started), Some(ended)) => ended.millis_since(started),
            (None, _) | (_, None) => 0,
        }
    }
}

impl<'a> Row<'a> {
    /// The try that gave the outcome.
    pub fn last(&self) -> Option<&'a AttemptResult> {
        self.result.attempts.last()
    }

    /// How it ended; none while it has not.
    pub fn verdict(&self) -> Option<Verdict> {
        self.result.outcome.as_ref().map(|outcome| outcome.verdict)
    }

    /// The word for its state: a verdict, or what it does instead.
    pub fn state(&self) -> TestState {
        match (self.verdict(), self.last()) {
            (Some(verdict), _) => TestState::Ended(verdict),
            (None, Some(attempt)) if attempt.started.is_some() => TestState::Working,
            (None, _) => TestState::Pending,
        }
    }

    /// Who is to blame.
    pub fn cause(&self) -> Option<Cause> {
        self.result.outcome.as_ref().and_then(|outcome| outcome.cause)
    }

    /// Why; empty where there is nothing to say.
    pub fn reason(&self) -> &'a str {
        self.result.outcome.as_ref().map_or("", |outcome| &outcome.reason)
    }

    /// Where it ran last.
    pub fn ep(&self) -> Option<&'a EpName> {
        self.last().map(|attempt| &attempt.ep)
    }

    /// When its last try started.
    pub fn started(&self) -> Option<Time> {
        self.last().and_then(|attempt| attempt.started)
    }

    /// The rule that decided its outcome; none where it has none, or an older version wrote it.
    pub fn decided_by(&self) -> Option<&DecidedBy> {
        self.result.outcome.as_ref().and_then(|outcome| outcome.decided_by.as_deref())
    }

    /// When its last try ended, or when its outcome was decided without one.
    pub fn finished(&self) -> Option<Time> {
        let outcome = self.result.outcome.as_ref();
        let by_time = self.last().and_then(|last| Some(last.started?.plus_millis(last.elapsed_millis())));
        outcome.and_then(|_| by_time.or(self.result.decided))
    }

    /// How long its last try took.
    pub fn elapsed_millis(&self) -> u64 {
        self.last().map_or(0, AttemptResult::elapsed_millis)
    }

    /// Whether it prepares or cleans up a suite instead of testing something.
    pub fn is_frame(&self) -> bool {
        matches!(self.test.role, Role::Setup | Role::Teardown)
    }
}
