//! Running tests again: a plan made of another plan, with the same files. Pure but for [`passed`] and [`claim_files`].

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{RunId, SuiteIndex, TestIndex},
    plan::{Dependency, PlannedTest, Role, RunPlan},
    verdict::Verdict,
};

use crate::{
    blobs::Blobs,
    store::{self, Store, StoreError},
};

/// The tests of a run that passed.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn passed(store: &Store, run: RunId) -> Result<BTreeSet<TestIndex>, StoreError> {
    let mut conn = store.read().await?;
    let passed =
        store::attempt::tests_in_state(&mut conn, run, Some(Verdict::Pass), TestIndex(0), u32::MAX).await?;
    Ok(passed.into_iter().collect())
}

/// Has the files of a plan stay, whatever becomes of the run that they were taken in for.
///
/// # Errors
/// Some are not there any more: that run was deleted meanwhile.
pub(crate) async fn claim_files(blobs: &Blobs, plan: &RunPlan, old: RunId) -> Result<(), Problem> {
    let internal = |error: &dyn std::fmt::Display| Problem::new(ErrorCode::Internal, error.to_string());
    let text = serde_json::to_vec(plan).map_err(|error| internal(&error))?;
    let blobs = blobs.clone();
    let claim = move || {
        let mut named = BTreeSet::new();
        store::retention::collect(&text, &mut named);
        named.iter().all(|hash| blobs.claim(hash))
    };
    match tokio::task::spawn_blocking(claim).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            let title =
                format!("files of run {old} are no longer there: it was deleted; start its project anew");
            Err(Problem::new(ErrorCode::WrongState, title))
        }
        Err(error) => Err(internal(&error)),
    }
}

/// The plan of those tests that are not done, with the setup and teardown files of their suites; none where all are done.
///
/// A dependency on a test that is done holds, so it is left out.
pub(crate) fn rest(plan: &RunPlan, done: impl Fn(TestIndex) -> bool) -> Option<RunPlan> {
    let open: BTreeSet<TestIndex> = numbered(plan)
        .filter(|(index, test)| !is_frame(test) && !done(*index))
        .map(|(index, _)| index)
        .collect();
    if open.is_empty() {
        return None;
    }
    let suites: BTreeSet<SuiteIndex> = open
        .iter()
        .filter_map(|index| plan.test(*index))
        .flat_map(|test| plan.suite_chain(test.suite).map(|(suite, _)| suite))
        .collect();
    let keep = |index: TestIndex, test: &PlannedTest| {
        open.contains(&index) || (is_frame(test) && suites.contains(&test.suite))
    };
    let tests: BTreeMap<TestIndex, TestIndex> = (0..)
        .map(TestIndex)
        .zip(numbered(plan).filter(|(index, test)| keep(*index, test)))
        .map(|(new, (old, _))| (old, new))
        .collect();
    let suites: BTreeMap<SuiteIndex, SuiteIndex> =
        (0..).map(SuiteIndex).zip(suites).map(|(new, old)| (old, new)).collect();
    Some(Numbers { suites, tests }.renumber(plan))
}

fn is_frame(test: &PlannedTest) -> bool {
    matches!(test.role, Role::Setup | Role::Teardown)
}

fn numbered(plan: &RunPlan) -> impl Iterator<Item = (TestIndex, &PlannedTest)> {
    (0..).map(TestIndex).zip(&plan.tests)
}

/// From old numbers to new ones, for what is kept.
struct Numbers {
    suites: BTreeMap<SuiteIndex, SuiteIndex>,
    tests: BTreeMap<TestIndex, TestIndex>,
}

impl Numbers {
    fn renumber(&self, plan: &RunPlan) -> RunPlan {
        let suites = self.suites.keys().filter_map(|old| {
            let mut suite = plan.suite(*old)?.clone();
            suite.parent = suite.parent.and_then(|parent| self.suites.get(&parent).copied());
            suite.tests = self.range(&suite.tests);
            suite.depends = self.dependencies(&suite.depends);
            Some(suite)
        });
        let tests = self.tests.keys().filter_map(|old| {
            let mut test = plan.test(*old)?.clone();
            test.suite = self.suites.get(&test.suite).copied()?;
            test.depends = self.dependencies(&test.depends);
            Some(test)
        });
        let (suites, tests) = (suites.collect(), tests.collect());
        RunPlan { suites, tests, ..RunPlan { suites: Vec::new(), tests: Vec::new(), ..plan.clone() } }
    }

    /// The new place of a range: what was before it stays before it.
    fn range(&self, old: &Range<u32>) -> Range<u32> {
        let before = |index: u32| {
            let kept = self.tests.range(..TestIndex(index)).next_back();
            kept.map_or(0, |(_, new)| new.0.saturating_add(1))
        };
        before(old.start)..before(old.end)
    }

    fn dependencies(&self, old: &[Dependency]) -> Vec<Dependency> {
        let kept = old.iter().map(|dependency| Dependency {
            tests: dependency.tests.iter().filter_map(|test| self.tests.get(test).copied()).collect(),
            ..dependency.clone()
        });
        kept.filter(|dependency| !dependency.tests.is_empty()).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests;
