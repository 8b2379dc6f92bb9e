//! The third step: of all copies, those that were asked for.

use jackfield_protocol::{
    id::SuiteIndex,
    plan::{PlannedTest, RunPlan},
};

use super::build::Origins;
use crate::{
    problem::{Problems, suggest},
    source::Span,
};

/// Leaves the tests that one of the selectors means, and the suites that still hold one.
pub(super) fn select(only: &[String], plan: &mut RunPlan, origins: &mut Origins, problems: &mut Problems) {
    if only.is_empty() {
        return;
    }
    let mut used = vec![false; only.len()];
    let keep: Vec<bool> = plan.tests.iter().map(|test| is_meant(test, only, &mut used)).collect();
    for (selector, used) in only.iter().zip(used) {
        if !used {
            let names = plan.tests.iter().map(|test| test.name.as_ref());
            let message = format!("no test of the run is or ends with `{selector}`");
            problems.error(Span::default(), message, suggest(selector, names));
        }
    }
    retain(plan, origins, &keep);
}

fn is_meant(test: &PlannedTest, only: &[String], used: &mut [bool]) -> bool {
    let mut meant = false;
    for (selector, used) in only.iter().zip(used) {
        let file = test
            .file
            .strip_suffix(selector.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        let base = test.name.split(" [").next().unwrap_or_default();
        let name = *selector == *test.name || selector == base;
        let long = selector.len() >= ID_END_MIN;
        let id = [&test.id, &test.origin].into_iter().any(|id| {
            **id == **selector
                || (long && (id.ends_with(selector.as_str()) || id.starts_with(&format!("{selector}#"))))
        });
        if file || name || id {
            *used = true;
            meant = true;
        }
    }
    meant
}

/// A shorter end of an ID fits too many.
const ID_END_MIN: usize = 4;

fn retain(plan: &mut RunPlan, origins: &mut Origins, keep: &[bool]) {
    // How many tests are left before each index.
    let mut left = Vec::with_capacity(keep.len().saturating_add(1));
    let mut count = 0_u32;
    left.push(0);
    for keep in keep {
        count = count.saturating_add(u32::from(*keep));
        left.push(count);
    }
    let moved = |at: u32| left.get(usize::try_from(at).unwrap_or(usize::MAX)).copied().unwrap_or(count);
    let mut places: Vec<Option<SuiteIndex>> = Vec::with_capacity(plan.suites.len());
    let mut suites = Vec::new();
    let mut suite_origins = Vec::new();
    for (mut suite, origin) in std::mem::take(&mut plan.suites).into_iter().zip(&origins.suites) {
        suite.tests = moved(suite.tests.start)..moved(suite.tests.end);
        if suite.tests.is_empty() {
            places.push(None);
            continue;
        }
        suite.parent = suite.parent.and_then(|parent| place_of(&places, parent));
        places.push(Some(SuiteIndex(u32::try_from(suites.len()).unwrap_or(u32::MAX))));
        suites.push(suite);
        suite_origins.push(*origin);
    }
    plan.suites = suites;
    origins.suites = suite_origins;
    let mut kept = keep.iter().copied();
    plan.tests.retain_mut(|test| {
        if let Some(suite) = place_of(&places, test.suite) {
            test.suite = suite;
        }
        kept.next().unwrap_or(false)
    });
    let mut kept = keep.iter().copied();
    origins.tests.retain(|_| kept.next().unwrap_or(false));
}

fn place_of(places: &[Option<SuiteIndex>], suite: SuiteIndex) -> Option<SuiteIndex> {
    places.get(usize::try_from(suite.0).ok()?).copied().flatten()
}
