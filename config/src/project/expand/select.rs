//! The third step: of all copies, those that were asked for.

use std::collections::BTreeMap;

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
    let mut selectors = Selectors::new(only);
    let keep: Vec<bool> = plan.tests.iter().map(|test| selectors.mean(test)).collect();
    let unused = selectors.known.iter().filter(|(_, used)| !**used).map(|(selector, _)| *selector);
    for (at, selector) in unused.enumerate() {
        let names = plan.tests.iter().map(|test| test.name.as_ref());
        let help = if at < SUGGESTIONS_MAX { suggest(selector, names) } else { String::new() };
        problems.error(Span::default(), format!("no test of the run is or ends with `{selector}`"), help);
    }
    retain(plan, origins, &keep);
}

/// Each suggestion looks at every test of the run.
const SUGGESTIONS_MAX: usize = 10;
/// A shorter end of an ID fits too many.
const ID_END_MIN: usize = 4;
/// More selectors than people write come from a run that is repeated, and name IDs whole.
const ID_ENDS_MAX: usize = 64;

/// What was asked for, and whether it was found.
struct Selectors<'s> {
    known: BTreeMap<&'s str, bool>,
    /// Those that may be the end of an ID.
    ends: Vec<&'s str>,
}

impl<'s> Selectors<'s> {
    fn new(only: &'s [String]) -> Self {
        let ends = only.iter().map(String::as_str).filter(|end| end.len() >= ID_END_MIN);
        let ends = if only.len() <= ID_ENDS_MAX { ends.collect() } else { Vec::new() };
        Self { known: only.iter().map(|selector| (selector.as_str(), false)).collect(), ends }
    }

    fn mean(&mut self, test: &PlannedTest) -> bool {
        let base = test.name.split(" [").next().unwrap_or_default();
        // The file, and each end of it that begins behind a slash.
        let ends = test.file.match_indices('/').filter_map(|(at, _)| test.file.get(at.saturating_add(1)..));
        let ids = [test.id.as_ref(), test.origin.as_ref()];
        let bare = ids.map(|id| id.split('#').next().unwrap_or_default());
        let whole = [test.file.as_ref(), test.name.as_ref(), base].into_iter().chain(ends);
        // A copy's own ID means that copy alone, so its part before `#` counts only where it is the file's.
        let origin_like = bare.into_iter().filter(|id| bare.last() == Some(id));
        let mut meant = false;
        for text in whole.chain(ids).chain(origin_like) {
            if let Some(used) = self.known.get_mut(text) {
                (*used, meant) = (true, true);
            }
        }
        for end in &self.ends {
            if ids.iter().any(|id| id.ends_with(end)) {
                self.known.entry(end).and_modify(|used| *used = true);
                meant = true;
            }
        }
        meant
    }
}

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
