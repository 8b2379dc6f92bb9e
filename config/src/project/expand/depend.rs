//! The last step: each copy is joined to the copies it waits for, those of its own suite copy before all others.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use jackfield_protocol::{
    id::{SuiteIndex, TestIndex},
    plan::{Dependency, PlannedSuite, RunPlan},
};

use super::{
    build::Origins,
    order,
    prepare::{Prepared, PreparedItem, PreparedSuite, Target},
};
use crate::{
    limits::RUN_DEPENDENCIES_MAX,
    problem::{Problems, nearest},
    project::DependsOn,
    source::Span,
};

/// Joins tests and suites of the plan to what they wait for.
pub(super) fn join(prepared: &Prepared<'_>, origins: &Origins, plan: &mut RunPlan, problems: &mut Problems) {
    let written = collect(prepared);
    if written.tests.iter().chain(&written.suites).all(|depends| depends.is_empty()) {
        return;
    }
    let copies = Copies::new(prepared, origins);
    let mut joiner = Joiner { prepared, copies, problems, told: BTreeSet::new(), edges: 0, compared: 0 };
    let mut joined = order::Joined::default();
    for (at, origin) in origins.tests.iter().enumerate() {
        let Some(depends) = get(&written.tests, *origin).filter(|depends| !depends.is_empty()) else {
            continue;
        };
        let suite = plan.tests.get(at).map(|test| test.suite);
        let chain = suite.map(|suite| chain(plan, suite)).unwrap_or_default();
        let (found, spans) = joiner.resolve(depends, &chain, plan);
        if let Some(test) = plan.tests.get_mut(at) {
            test.depends = found;
            joined.tests.insert(at, spans);
        }
    }
    for (at, origin) in origins.suites.iter().enumerate() {
        let Some(depends) = get(&written.suites, *origin).filter(|depends| !depends.is_empty()) else {
            continue;
        };
        let index = SuiteIndex(u32::try_from(at).unwrap_or(u32::MAX));
        let parent = plan.suite(index).and_then(|suite| suite.parent);
        let chain = parent.map(|parent| chain(plan, parent)).unwrap_or_default();
        let (found, spans) = joiner.resolve(depends, &chain, plan);
        if let Some(suite) = plan.suites.get_mut(at) {
            suite.depends = found;
            joined.suites.insert(at, spans);
        }
    }
    if joiner.edges <= RUN_DEPENDENCIES_MAX {
        order::refuse_circles(plan, &joined, problems);
    }
}

/// What the file says, by number of test and suite.
struct Written<'p> {
    tests: Vec<&'p [DependsOn]>,
    suites: Vec<&'p [DependsOn]>,
}

fn collect<'p>(prepared: &Prepared<'p>) -> Written<'p> {
    let mut written = Written { tests: Vec::new(), suites: Vec::new() };
    for top in &prepared.tops {
        collect_suite(top, &mut written);
    }
    written
}

/// In the order in which the numbers were given.
fn collect_suite<'p>(suite: &PreparedSuite<'p>, written: &mut Written<'p>) {
    written.suites.push(&suite.suite.depends);
    for item in &suite.items {
        match item {
            PreparedItem::Suite(inner) => collect_suite(inner, written),
            PreparedItem::Test(test) => written.tests.push(&test.test.depends),
        }
    }
}

/// Where the copies of each test and suite are, in order.
struct Copies {
    tests: Vec<Vec<u32>>,
    suites: Vec<Vec<u32>>,
}

impl Copies {
    fn new(prepared: &Prepared<'_>, origins: &Origins) -> Self {
        let lists = |count: u32, origins: &[u32]| {
            let mut lists = vec![Vec::new(); usize::try_from(count).unwrap_or(0)];
            for (at, origin) in (0_u32..).zip(origins) {
                let slot = usize::try_from(*origin).unwrap_or(usize::MAX);
                lists.get_mut(slot).map(|list: &mut Vec<u32>| list.push(at)).unwrap_or_default();
            }
            lists
        };
        Self { tests: lists(prepared.tests, &origins.tests), suites: lists(prepared.suites, &origins.suites) }
    }
}

struct Joiner<'j, 'p> {
    prepared: &'j Prepared<'p>,
    copies: Copies,
    problems: &'j mut Problems,
    /// Places that a problem was already told of: all copies share it.
    told: BTreeSet<Span>,
    edges: usize,
    /// IDs compared so far to find the nearest.
    compared: usize,
}

/// More comparisons in search of the nearest ID would keep a person waiting.
const IDS_COMPARED_MAX: usize = 300_000;

impl Joiner<'_, '_> {
    /// `chain`: the ranges of tests of the suites around, innermost first.
    fn resolve(
        &mut self,
        depends: &[DependsOn],
        chain: &[Range<u32>],
        plan: &RunPlan,
    ) -> (Vec<Dependency>, Vec<Span>) {
        let mut found = Vec::with_capacity(depends.len());
        let mut spans = Vec::with_capacity(depends.len());
        for depends in depends {
            let Some((tests, name)) = self.tests_of(depends, chain, plan) else { continue };
            self.edges = self.edges.saturating_add(tests.len());
            if self.edges > RUN_DEPENDENCIES_MAX {
                let message =
                    format!("the run has more than {RUN_DEPENDENCIES_MAX} pairs of tests that wait");
                self.tell_error(depends, message, "let fewer copies wait for fewer copies".to_owned());
                continue;
            }
            let text = format!("{name}:{}", depends.status).into();
            found.push(Dependency { tests, demand: depends.demand.clone(), text });
            spans.push(depends.id.span);
        }
        (found, spans)
    }

    fn tests_of(
        &mut self,
        depends: &DependsOn,
        chain: &[Range<u32>],
        plan: &RunPlan,
    ) -> Option<(Vec<TestIndex>, Arc<str>)> {
        let id = &depends.id.value;
        let bare = id.split('#').next().unwrap_or_default();
        let slots = &self.prepared.slots;
        let slot = slots.find(id).or_else(|| slots.find(bare));
        let target = match slot.and_then(|slot| self.prepared.targets.get(slot)) {
            Some(Some(target)) => target.clone(),
            Some(None) => {
                let help = "give each suite and test an ID of its own".to_owned();
                self.tell_error(depends, format!("ID `{id}` is used by more than one"), help);
                return None;
            }
            None => {
                let help = self.suggestion(id);
                self.tell_error(depends, format!("no suite or test has the ID `{id}`"), help);
                return None;
            }
        };
        let (tests, name) = match target {
            Target::Test(number, name) => {
                (nearest_copies(get(&self.copies.tests, number)?, chain, |at| at..at.saturating_add(1)), name)
            }
            Target::Suite(number, name) => {
                let range =
                    |at: u32| plan.suite(SuiteIndex(at)).map(|suite| suite.tests.clone()).unwrap_or(0..0);
                let suites = nearest_copies(get(&self.copies.suites, number)?, chain, range);
                (suites.into_iter().flat_map(range).collect(), name)
            }
        };
        if tests.is_empty() {
            if self.told.insert(depends.id.span) {
                let message = format!("`{name}` is not in the run, so nothing waits for it");
                self.problems.warn(depends.id.span, message, "is its property Running false?");
            }
            return None;
        }
        Some((tests.into_iter().map(TestIndex).collect(), name))
    }

    /// The nearest ID; with a hundred thousand IDs each search is dear, so there is an end to it.
    fn suggestion(&mut self, id: &str) -> String {
        let ids = self.prepared.slots.len();
        if self.compared.saturating_add(ids) > IDS_COMPARED_MAX || self.problems.is_full() {
            return String::new();
        }
        self.compared = self.compared.saturating_add(ids);
        let near = nearest(id, self.prepared.slots.ids());
        near.map_or_else(
            || "look for the ID in the file".to_owned(),
            |near| format!("did you mean `{near}`?"),
        )
    }

    fn tell_error(&mut self, depends: &DependsOn, message: String, help: String) {
        if self.told.insert(depends.id.span) {
            self.problems.error(depends.id.span, message, help);
        }
    }
}

/// The copies inside the innermost range that holds one; all copies where none does.
fn nearest_copies(copies: &[u32], chain: &[Range<u32>], range: impl Fn(u32) -> Range<u32>) -> Vec<u32> {
    for around in chain {
        let from = copies.partition_point(|at| range(*at).start < around.start);
        let inside = copies.get(from..).unwrap_or_default();
        let to = inside.partition_point(|at| range(*at).end <= around.end);
        if let Some(inside) = inside.get(..to).filter(|inside| !inside.is_empty()) {
            return inside.to_vec();
        }
    }
    copies.to_vec()
}

fn chain(plan: &RunPlan, suite: SuiteIndex) -> Vec<Range<u32>> {
    plan.suite_chain(suite).map(|(_, suite): (_, &PlannedSuite)| suite.tests.clone()).collect()
}

fn get<T>(list: &[T], at: u32) -> Option<&T> {
    list.get(usize::try_from(at).ok()?)
}
