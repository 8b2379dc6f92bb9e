//! Runs a step test: a device tested by data.
//!
//! Verdict and cause follow a rule: a check that does not hold, a line the device refuses, or a thing that does not come in time is the
//! product's fault; a device that cannot be reached or goes away is the lab's; a file that cannot be right is the test's.

mod act;
mod asked;
mod beside;
mod command;
mod open;
mod pick;
mod run;
mod variables;

pub mod check;
pub mod number;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jackfield_config::steps::StepTest;
use jackfield_protocol::{
    link::Part,
    secret::Secret,
    verdict::{Cause, Outcome, Verdict},
};
use serde_json::Value;

use crate::{
    limits,
    record::Tap,
    session::{SessionSettings, SharedSession},
    textfsm::Templates,
};

/// What a step test needs from the one who runs it.
pub trait StepEnvironment: Send {
    /// The properties of a resource, by its path; an error is a sentence that names the remedy.
    fn resource(
        &mut self,
        path: &str,
    ) -> impl Future<Output = Result<BTreeMap<String, Value>, String>> + Send;

    /// The same of one that no session is opened to: a host on the way, or a device whose mains are switched.
    fn properties(
        &mut self,
        path: &str,
    ) -> impl Future<Output = Result<BTreeMap<String, Value>, String>> + Send {
        self.resource(path)
    }

    /// A variable that the test did not set itself: a parameter, a property, a global.
    fn variable(&mut self, name: &str) -> impl Future<Output = Option<String>> + Send;

    /// The templates of the lab; an error is a sentence that names the remedy.
    fn templates(&mut self) -> impl Future<Output = Result<Arc<Templates>, String>> + Send {
        async { Ok(Arc::default()) }
    }

    /// Where the test may write a file of this name: a relative name begins in its folder; an error is a sentence.
    fn place(&mut self, name: &str) -> Result<PathBuf, String> {
        Ok(PathBuf::from(name))
    }

    /// Where a file of this name is that the test may read.
    fn source(&mut self, name: &str) -> impl Future<Output = Result<PathBuf, String>> + Send {
        let place = self.place(name);
        async { place }
    }

    /// Keeps a file with the test, where there is a place for such.
    fn keep(&mut self, _file: &Path) {}

    /// A line for the test's log.
    fn log(&mut self, line: &str);

    /// The test learned this, and its clean-up may need it, also where another has to do that. Secrets are not told.
    fn learned(&mut self, _name: &str, _value: &str) {}

    /// A session is open; whoever holds its lock talks to the device, and the test waits.
    fn opened(&mut self, _session: &str, _shared: &SharedSession) {}

    /// A session is about to be closed: whoever holds it is to let it go.
    fn closing(&mut self, _session: &str) {}

    /// Listeners for a session that is about to be opened, such as its recording; `secrets` must not reach the disk.
    fn taps(&mut self, session: &str, title: &str, secrets: &[Secret]) -> Vec<Box<dyn Tap>>;
}

/// What came of a step test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReport {
    /// How it ended, who is to blame, and why.
    pub outcome: Outcome,
    /// Each step: those after the end are not executed.
    pub parts: Vec<Part>,
    /// Each step of the clean-up.
    pub cleanups: Vec<Part>,
    /// Variables as the test left them.
    pub variables: BTreeMap<String, String>,
}

/// Runs a step test from its first session to its clean-up. Never fails: what goes wrong is in the report.
pub async fn run<E: StepEnvironment>(
    test: &StepTest,
    settings: &SessionSettings,
    environment: &mut E,
) -> StepReport {
    run_until(test, settings, environment, std::future::pending(), limits::WAIT_MAX).await
}

/// The same, given up when `stop` is ready: the step at hand is left, the clean-up still runs, and the verdict is ABORTED.
/// `stop` is dropped when the steps have ended; from then on the clean-up has a time limit of its own.
pub async fn run_until<E: StepEnvironment>(
    test: &StepTest,
    settings: &SessionSettings,
    environment: &mut E,
    stop: impl Future<Output = ()> + Send,
    cleanup: Duration,
) -> StepReport {
    Box::pin(run::run(test, settings, environment, stop, cleanup)).await
}

/// The clean-up alone, with what the test had learned, where nobody is left who could do more: a part for each of its steps.
pub async fn clean_up<E: StepEnvironment>(
    test: &StepTest,
    settings: &SessionSettings,
    environment: &mut E,
    learned: &BTreeMap<String, String>,
    limit: Duration,
) -> Vec<Part> {
    Box::pin(run::clean_up(test, settings, environment, learned, limit)).await
}

/// Why a step did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    cause: Cause,
    reason: String,
}

impl Failure {
    fn product(reason: impl Into<String>) -> Self {
        Self { cause: Cause::Product, reason: reason.into() }
    }

    fn test(reason: impl Into<String>) -> Self {
        Self { cause: Cause::Test, reason: reason.into() }
    }

    fn lab(reason: impl Into<String>) -> Self {
        Self { cause: Cause::Lab, reason: reason.into() }
    }

    fn verdict(&self) -> Verdict {
        match self.cause {
            Cause::Test => Verdict::Invalid,
            Cause::Product | Cause::Lab | Cause::Time | Cause::Person | Cause::Unfinished => Verdict::Fail,
        }
    }
}

/// The resources a test talks to, for a check before it runs.
pub fn resources(test: &StepTest) -> BTreeSet<&str> {
    test.sessions.values().filter_map(|session| session.resource.as_deref()).collect()
}

/// Time to open a session where the file says none.
const OPEN_TIMEOUT: Duration = crate::limits::OPEN_TIMEOUT;
